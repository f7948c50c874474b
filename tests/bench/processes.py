"""Whole processes under the clock: wall time, processor time and peak memory, and peers run in turns."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

HERE = Path(__file__).parent
PEERS = HERE / "peers"
WORKBENCH = Path(sys.executable).with_name("workbench")
PEER_PYTHON = Path(sys.executable).parent.parent / "peers" / "bin" / "python"
"""The interpreter of `requirements-bench.lock`, for peers that must not share our environment."""
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Plan:
    """How much to measure and where: smaller data and fewer rounds when `quick`."""

    quick: bool
    rounds: int
    scratch: Path
    tell: Callable[[str], None]

    def of(self, full: int, quick: int) -> int:
        return quick if self.quick else full


@dataclass(frozen=True, slots=True)
class Spent:
    """What one process took: seconds, seconds of processor, peak MB, and what it printed."""

    wall: float
    cpu: float
    peak: float
    output: bytes


class ProcessFailed(RuntimeError):
    """A measured process ended badly; the message ends with what it said last."""


def measured(command: Sequence[str | Path], *, cwd: Path | None = None, **env: str) -> Spent:
    """Run a command to its end in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "spent.json"
        lean = [sys.executable, "-IS", str(HERE / "lean.py"), str(report), *map(str, command)]
        done = subprocess.run(lean, capture_output=True, cwd=cwd, env=environment(**env), check=False)
        if done.returncode:
            raise ProcessFailed(f"{command[0]} ended with {done.returncode}: {done.stderr.decode()[-500:]}")
        spent = json.loads(report.read_text())
    return Spent(spent["wall"], spent["cpu"], spent["peak"] / 1e6, done.stdout)


def environment(**extra: str) -> dict[str, str]:
    """The caller's, without what would change colours, places, or whether compiled modules are kept."""
    dropped = (
        "NO_COLOR",
        "SSH_CONNECTION",
        "WORKBENCH_STORE",
        "WORKBENCH_DIR",
        "PYTHONPATH",
        "PYTHONDONTWRITEBYTECODE",
    )
    return {**{key: value for key, value in os.environ.items() if key not in dropped}, "DO_NOT_TRACK": "1", **extra}


def in_turns(plan: Plan, rounds: int, sides: Mapping[str, Callable[[], Any]]) -> dict[str, list[Any]]:
    """Run every side in turn, `rounds` times: A B A B, so that a busy moment of the machine meets both."""
    found: dict[str, list[Any]] = {name: [] for name in sides}
    for place in range(rounds):
        for name, run in sides.items():
            plan.tell(f"{name}, {place + 1} of {rounds}")
            found[name].append(run())
    return found


def middle(spent: Sequence[Spent]) -> float:
    """The median wall time in seconds."""
    return median(each.wall for each in spent)


@contextmanager
def beside(command: Sequence[str | Path], **streams: Any):
    """A process that runs while something else is measured, ended by its id afterwards."""
    quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, **streams}
    with subprocess.Popen([*map(str, command)], env=environment(), **quiet) as process:
        try:
            yield process
        finally:
            stop(process)


def stop(process: subprocess.Popen[Any]) -> None:
    """Ask a process to end, and end it when it does not."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def processor_seconds(pid: int) -> float:
    """Processor time a process has used so far."""
    stat = Path(f"/proc/{pid}/stat")
    if stat.exists():
        fields = stat.read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS
    minutes, _, seconds = _ps("-o", "time=", "-p", str(pid)).strip().rpartition(":")
    return int(minutes) * 60 + float(seconds)


def children(pid: int) -> list[int]:
    """Ids of a process's children."""
    rows = (line.split() for line in _ps("-A", "-o", "pid=,ppid=").splitlines())
    return [int(child) for child, parent in rows if int(parent) == pid]


def _ps(*arguments: str) -> str:
    return subprocess.run(["ps", *arguments], capture_output=True, text=True, check=True).stdout
