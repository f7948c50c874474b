"""Evidence of a run's status: what its logs say, and whether its process still lives on this host."""

from __future__ import annotations

import os
from collections.abc import Mapping
from operator import itemgetter
from pathlib import Path
from typing import Any

from workbench.core.status import Evidence
from workbench.store.runs import RunRow

_SAYS_STATUS = frozenset({"mlflow", "mlflow-sqlite"})
"""Formats that also say when a run goes on after its end: no later data or edited tag brings it back to life."""
_MARKS_END = _SAYS_STATUS | {"workbench"}
"""Formats whose writer says that it ended."""


def evidence_of(row: RunRow, flush_intervals: Mapping[str, float]) -> Evidence:
    """What the store knows of a run's status."""
    ended_at, reason, ended = max(row.facts.endings, key=itemgetter(0), default=(0.0, "", None))
    environment = row.facts.environment
    here, alive = _process(environment) if environment else (False, None)
    series = row.series
    return Evidence(
        ended=ended if ended in ("finished", "failed", "killed") else None,
        ended_reason=reason,
        ended_at=(row.number("ended") or ended_at or None) if _SAYS_STATUS.isdisjoint(row.formats) else None,
        data_at=row.data_at,
        second_longest_gap=row.second_gap,
        flush_interval=max((flush_intervals.get(name, 0.0) for name in row.formats), default=0.0)
        or row.number("flush_interval")
        or 0.0,
        promised_at=row.number("heartbeat"),
        total_steps=row.total_steps,
        last_step=None if series is None else series.last_step,
        first_step=None if series is None or row.total_steps is None else series.first_step,
        pid_alive=alive,
        host_is_here=here,
        marks_end=not _MARKS_END.isdisjoint(row.formats),
        not_a_number=() if series is None else series.not_finite,
    )


def _process(environment: Mapping[str, Any]) -> tuple[bool, bool | None]:
    """Whether the run's host is this one, and whether its very process lives (same boot, same start)."""
    pid, host = environment.get("pid"), environment.get("host")
    if not isinstance(pid, int) or host != os.uname().nodename:
        return False, None
    boot = environment.get("boot")
    if boot and boot != _read("/proc/sys/kernel/random/boot_id"):
        return True, False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True, False
    except OSError:
        pass
    start = _read(f"/proc/{pid}/stat").rpartition(")")[2].split()
    ticks = environment.get("start_ticks")
    if ticks is not None and len(start) > 19 and int(start[19]) != ticks:
        return True, False
    return True, bool(not start or start[0] != "Z")


def _read(path: str) -> str:
    try:
        return Path(path).read_text(errors="replace").strip()
    except OSError:
        return ""
