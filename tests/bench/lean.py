"""Runs a command from a small process and says what it took: `python -IS lean.py REPORT COMMAND…`.

The kernel counts what the parent held at the moment of the fork as the child's peak, so the parent must be small.
"""

import json
import os
import sys
import time

report, *command = sys.argv[1:]
began = time.perf_counter()
pid = os.posix_spawnp(command[0], command, os.environ)
_, status, usage = os.wait4(pid, 0)
wall = time.perf_counter() - began
with open(report, "w") as file:
    peak = usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    json.dump({"wall": wall, "cpu": usage.ru_utime + usage.ru_stime, "peak": peak}, file)
sys.exit(os.waitstatus_to_exitcode(status) & 0xFF)
