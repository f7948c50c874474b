"""Runs one of the monitor's own workers as a process, and tells its stages: for libraries that take much to load."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Sequence

from msgspec import Struct

STAGE = "stage: "
"""What a line of progress on the worker's stderr starts with; other lines are errors."""
_KEPT_LINES = 20


class Ended(Struct, frozen=True):
    """How a worker ended: its exit status, what it printed, and the last lines of what it said besides stages."""

    code: int
    output: str
    said: Sequence[str]


def run_worker(module: str, arguments: Sequence[str], tell: Callable[[str], None]) -> Ended:
    """Run `python -m module` to its end, or end it with this process's own interruption."""
    # -P: a file of the project named like a library must not be imported in its place.
    command = [sys.executable, "-P", "-m", module, *arguments]
    environment = {**os.environ, "DO_NOT_TRACK": "1", "PYTHONIOENCODING": "utf-8"}
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        encoding="utf-8", errors="replace", env=environment,
    ) as worker:  # fmt: skip
        try:
            said = _follow(worker, tell)
            output = worker.stdout.read() if worker.stdout else ""
        except BaseException:
            worker.kill()
            raise
    return Ended(worker.returncode, output, said)


def say(stage: str) -> None:
    """Tell the program that started this worker what it does now."""
    sys.stderr.write(f"{STAGE}{stage}\n")
    sys.stderr.flush()


def _follow(worker: subprocess.Popen[str], tell: Callable[[str], None]) -> list[str]:
    """Pass stages on as they come, and keep the last of the other lines."""
    said: list[str] = []
    for line in worker.stderr or ():
        if line.startswith(STAGE):
            tell(line.removeprefix(STAGE).strip())
        elif line.strip():
            said = [*said, line.strip()][-_KEPT_LINES:]
    return said
