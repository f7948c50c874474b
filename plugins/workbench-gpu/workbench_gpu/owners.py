"""Whose run a process is: the newest one that was started by it, or by a process above it, on this host."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from workbench.plugin.api import Run

_DEEPEST = 64


class Host(Protocol):
    """What has to be known of the machine that processes are on."""

    @property
    def name(self) -> str:
        """As runs wrote it down."""
        ...

    @property
    def boot(self) -> str | None:
        """Changes with every start of the machine; None where that cannot be known."""
        ...

    def started(self, pid: int) -> int | None:
        """Clock ticks between the machine's start and the process's; None where that cannot be known."""
        ...

    def parent(self, pid: int) -> int | None:
        """The process that started it; None where that cannot be known."""
        ...


class ThisHost:
    """This machine, by its `/proc`; without one (macOS) a process is known by its pid alone."""

    def __init__(self, proc: Path = Path("/proc"), name: str | None = None) -> None:
        self._proc = proc
        self.name = name or os.uname().nodename
        self.boot = self._read("sys/kernel/random/boot_id") or None

    def started(self, pid: int) -> int | None:
        """Clock ticks between the machine's start and the process's."""
        fields = self._stat(pid)
        return int(fields[19]) if len(fields) > 19 else None

    def parent(self, pid: int) -> int | None:
        """The process that started it."""
        fields = self._stat(pid)
        return int(fields[1]) if len(fields) > 1 else None

    def _stat(self, pid: int) -> Sequence[str]:
        """The fields behind the command, which may itself hold blanks and parentheses."""
        return self._read(f"{pid}/stat").rpartition(")")[2].split()

    def _read(self, path: str) -> str:
        try:
            return (self._proc / path).read_text(errors="replace").strip()
        except OSError:
            return ""


def owners_of(pids: Iterable[int], runs: Sequence[Run], host: Host) -> Mapping[int, Run]:
    """The run of each process that has one, by pid; `runs` are newest first.

    A process that made several runs belongs to the newest that has not ended, or else to the newest.
    """
    started_here: dict[int, list[Run]] = {}
    for run in runs:
        pid = run.environment.get("pid")
        if isinstance(pid, int) and _on(host, run):
            started_here.setdefault(pid, []).append(run)
    if not started_here:
        return {}
    found = ((pid, _owner(pid, started_here, host)) for pid in dict.fromkeys(pids))
    return {pid: run for pid, run in found if run is not None}


def _owner(pid: int, started_here: Mapping[int, Sequence[Run]], host: Host) -> Run | None:
    above: int | None = pid
    for _ in range(_DEEPEST):
        if above is None or above <= 1:
            return None
        runs = [run for run in started_here.get(above, ()) if _is_same(host, above, run)]
        if runs:
            return next((run for run in runs if run.ended_at is None), runs[0])
        above = host.parent(above)
    return None


def _on(host: Host, run: Run) -> bool:
    """Whether a run was started on this host, since it was last booted."""
    boot = run.environment.get("boot")
    return run.environment.get("host") == host.name and (boot is None or host.boot is None or boot == host.boot)


def _is_same(host: Host, pid: int, run: Run) -> bool:
    """Whether the process is the very one that started the run: pids come again."""
    then, now = run.environment.get("start_ticks"), host.started(pid)
    return then is None or now is None or then == now
