"""Evidence of a run's status: what its logs say, and whether its process still lives on this host."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from workbench.core.model import Run
from workbench.core.status import Evidence
from workbench.store.runs import RunRow

_MARKS_END = frozenset({"workbench"})
"""Formats whose writer says that it ended."""


def evidence_of(row: RunRow, run: Run, flush_intervals: Mapping[str, float]) -> Evidence:
    """What the store knows of a run's status."""
    reasons = row.facts.get("status", {})
    key, ended = max(reasons.items(), key=lambda item: row.walls.get(("status", item[0])) or 0.0, default=("", None))
    promised = row.fact("heartbeat")
    here, alive = _process(run.environment)
    steps = [summary.last_step for summary in run.metrics.values() if summary.last_step is not None]
    return Evidence(
        ended=ended if ended in ("finished", "failed", "killed") else None,
        ended_reason=key,
        ended_at=row.fact("ended") or row.walls.get(("status", key)),
        data_at=row.data_at,
        second_longest_gap=row.second_gap,
        flush_interval=max((flush_intervals.get(name, 0.0) for name in row.formats), default=0.0)
        or float(row.fact("flush_interval") or 0.0),
        promised_at=promised if isinstance(promised, int | float) else None,
        total_steps=run.total_steps,
        last_step=max(steps, default=None),
        pid_alive=alive,
        host_is_here=here,
        marks_end=any(name in _MARKS_END for name in row.formats),
        not_a_number=tuple(
            key for key, summary in run.metrics.items() if summary.last is not None and not math.isfinite(summary.last)
        ),
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
