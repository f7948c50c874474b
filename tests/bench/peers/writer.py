"""Training runs that log at a steady pace: `writer.py FOLDER RUNS RATE SECONDS STAMPS`.

Lines are spread evenly over time. STAMPS becomes an array of when (of the monotonic clock) each line was in the kernel,
in the order of writing: line `i` of run `r` is number `n = i * RUNS + r`, and its `loss` is (1000 + n) / 1000.
"""

import array
import os
import sys
import time
from pathlib import Path


def main(folder, runs, rate, seconds, stamps):
    runs, rate, seconds = int(runs), float(rate), float(seconds)
    logs = []
    for run in range(runs):
        path = Path(folder) / f"live-{run:02d}"
        path.mkdir(exist_ok=True)
        logs.append(os.open(path / "log.jsonl", os.O_WRONLY | os.O_CREAT | os.O_APPEND))
    began = time.monotonic()
    written = array.array("d")
    for number in range(int(rate * seconds) * runs):
        line, run = divmod(number, runs)
        pause = began + number / (rate * runs) - time.monotonic()
        if pause > 0:
            time.sleep(pause)
        loss = (1000 + number) / 1000
        scalars = f'"loss": {loss:.3f}, "accuracy": {line / 1000}, "lr": 0.001'
        os.write(logs[run], f'{{"step": {line}, "time": {time.time():.3f}, {scalars}}}\n'.encode())
        written.append(time.monotonic())
    Path(stamps).write_bytes(written.tobytes())


main(*sys.argv[1:])
