"""TensorBoard's data server on a folder, timed from its start to its last point: `rustboard.py FOLDER LAST_STEP`.

Run by the interpreter of `requirements-bench.lock`. The server says when its load is done; what it then serves is
checked, so that an empty load cannot pass for a fast one.
"""

import json
import os
import subprocess
import sys
import time

import grpc
import tensorboard_data_server
from tensorboard.data.proto import data_provider_pb2 as messages
from tensorboard.data.proto import data_provider_pb2_grpc as service


def loaded(folder):
    command = [tensorboard_data_server.server_binary(), "-v", "--logdir", folder, "--port", "0", "--reload", "once",
               "--samples-per-plugin", "scalars=all"]  # fmt: skip
    began = time.perf_counter()
    server = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    port = None
    for line in server.stderr:
        if line.startswith("listening on"):
            port = line.rsplit(":", 1)[1].strip()
        if "Finished load cycle" in line:
            return time.perf_counter() - began, port, server
    raise SystemExit(f"the server ended with {server.wait()} before it had loaded")


def whole_series(port, last_step):
    """How many series end at the last step."""
    with grpc.insecure_channel(f"localhost:{port}", options=[("grpc.max_receive_message_length", -1)]) as channel:
        request = messages.ListScalarsRequest(plugin_filter=messages.PluginFilter(plugin_name="scalars"))
        runs = service.TensorBoardDataProviderStub(channel).ListScalars(request).runs
    return sum(tag.metadata.max_step == last_step for run in runs for tag in run.tags)


def main(folder, last_step):
    wall, port, server = loaded(folder)
    try:
        series = whole_series(port, int(last_step))
    finally:
        server.kill()
    usage = os.wait4(server.pid, 0)[2]
    print(json.dumps({"wall": wall, "cpu": usage.ru_utime + usage.ru_stime, "series": series}))


main(*sys.argv[1:])
