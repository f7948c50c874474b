"""A run's status, judged from evidence alone, with the reason in words."""

from __future__ import annotations

from functools import lru_cache
from typing import Literal

from msgspec import Struct

from workbench.core.blocks import Tone
from workbench.core.model import Status
from workbench.core.roles import guess
from workbench.core.units import timestamp

QUIET_AFTER = 180.0
"""Seconds of silence that mean nothing, whatever the run's own rhythm."""

STATE_MARKS: dict[Status, tuple[str, str, Tone]] = {
    "running": ("●", "*", "accent"),
    "quiet": ("◌", "~", "warn"),
    "finished": ("✓", "+", "good"),
    "failed": ("✗", "x", "bad"),
    "lost": ("?", "?", "warn"),
}
"""Glyph, its ASCII form and tone of each status; the word always stands beside them."""

_SETTLE = 5.0
"""Seconds between a process's last line and our reading of it, at the most."""
_LONG_OVERDUE = 3.0
"""How many silence thresholds a broken promise must be overdue before the run counts as lost."""


class Evidence(Struct, frozen=True):
    """What is known of a run when its status is judged; times are seconds since 1970, `None` is unknown."""

    ended: Literal["finished", "failed", "killed"] | None = None
    """What the writer said at its end."""
    ended_reason: str = ""
    ended_at: float | None = None
    data_at: float | None = None
    """Time of the newest point or start line; the file's modification where points carry no time."""
    second_longest_gap: float | None = None
    """Seconds between two consecutive points; the longest is often one hiccup, the median misses evaluations."""
    flush_interval: float = 0.0
    """Seconds the writer may keep lines to itself."""
    promised_at: float | None = None
    """When the writer promised to be back."""
    total_steps: int | None = None
    last_step: int | None = None
    first_step: int | None = None
    pid_alive: bool | None = None
    """Whether the very process lives (same boot, same start); asked only where `host_is_here`."""
    host_is_here: bool = False
    marks_end: bool = False
    """The format has an end marker, so that its absence says something."""
    not_a_number: tuple[str, ...] = ()
    """Metrics whose last value is NaN or inf."""


def judge(evidence: Evidence, now: float) -> tuple[Status, str]:
    """Status and its reason; the reason changes only with the evidence, never with the passing of time.

    In order: what the writer said at its end, all steps done, the process, its promise, and silence last. Data newer
    than the end revives a run, and an unknown total is never taken for an end.
    """
    if evidence.ended is not None and not _revived(evidence):
        return _ended(evidence)
    silent = 0.0 if evidence.data_at is None else max(now - evidence.data_at, 0.0)
    allowed = silence_allowed(evidence)
    alive = evidence.pid_alive if evidence.host_is_here else None
    verdict = _of_total(evidence, silent, allowed, alive) or _of_process(evidence, silent, allowed, alive)
    return verdict or _of_silence(evidence, silent, allowed, now)


def silence_allowed(evidence: Evidence) -> float:
    """Seconds of silence that are still the run's own rhythm: never less than its writer's flush interval."""
    return max(QUIET_AFTER, 2 * (evidence.second_longest_gap or 0.0), evidence.flush_interval)


def _revived(evidence: Evidence) -> bool:
    """Whether data came well after the end, which is what a resumed run looks like."""
    if evidence.ended_at is None or evidence.data_at is None:
        return False
    return evidence.data_at > evidence.ended_at + max(_SETTLE, evidence.flush_interval)


def _ended(evidence: Evidence) -> tuple[Status, str]:
    if evidence.ended == "killed":
        return "failed", f"killed: {evidence.ended_reason}" if evidence.ended_reason else "killed"
    if evidence.ended == "failed":
        return "failed", evidence.ended_reason or "the writer reported a failure and no reason"
    diverged = _diverged(evidence)
    if diverged:
        return "failed", f"ended, but {diverged}"
    return "finished", evidence.ended_reason or "ended by itself"


def _diverged(evidence: Evidence) -> str:
    """The losses that are no numbers any more; a NaN elsewhere may be an empty class, and is no failure."""
    losses = [key for key in evidence.not_a_number if _is_loss(key)]
    if not losses:
        return ""
    return f"the last value of {', '.join(losses[:3])} is not finite"


def _is_loss(key: str) -> bool:
    roles = guess(key)
    return roles.kind == "performance" and roles.direction == "lower"


def _of_total(evidence: Evidence, silent: float, allowed: float, alive: bool | None) -> tuple[Status, str] | None:
    """Steps count from 0 or 1: the last but one ends a run only after a silence, and never where 1 was the first."""
    total, last = evidence.total_steps, evidence.last_step
    if not total or last is None or last + (evidence.first_step != 1) < total:
        return None
    if alive or (last < total and silent <= allowed and alive is None):
        return None
    if silent <= max(_SETTLE, evidence.flush_interval):
        return None
    diverged = _diverged(evidence)
    if diverged:
        return "failed", f"all {total:,} steps are logged, but {diverged}"
    return "finished", f"all {total:,} steps are logged"


def _of_process(evidence: Evidence, silent: float, allowed: float, alive: bool | None) -> tuple[Status, str] | None:
    if alive is None:
        return None
    if alive:
        if silent <= allowed:
            return "running", "the process is alive"
        return "quiet", f"{_no_data_since(evidence)}; the process is alive"
    if silent <= max(_SETTLE, evidence.flush_interval):
        return None  # its last lines may still be on their way
    diverged = _diverged(evidence)
    if diverged:
        return "failed", f"the process is gone, and {diverged}"
    return "lost", f"the process is gone without an end line; {_no_data_since(evidence)}"


def _of_silence(evidence: Evidence, silent: float, allowed: float, now: float) -> tuple[Status, str]:
    promised = evidence.promised_at
    kept = promised is not None and now <= promised + max(_SETTLE, evidence.flush_interval)
    if silent <= allowed or kept:
        return _running(evidence, silent > allowed)
    diverged = _diverged(evidence)
    if diverged:
        return "failed", f"{_no_data_since(evidence)}, and {diverged}"
    if promised is not None:
        broken = f"promised to be back at {timestamp(promised)}"
        if now - promised > _LONG_OVERDUE * allowed:
            return "lost", f"{broken}; {_no_data_since(evidence)}"
        return "quiet", f"{_no_data_since(evidence)}; {broken}"
    without = "no end line was written" if evidence.marks_end else "the format has no end marker"
    return "quiet", f"{_no_data_since(evidence)}; {without}"


def _running(evidence: Evidence, waiting: bool) -> tuple[Status, str]:
    if evidence.data_at is None:
        return "running", "nothing logged yet"
    if waiting:
        return "running", f"{_no_data_since(evidence)}; promised to be back at {timestamp(evidence.promised_at)}"
    return "running", "data is coming in"


def _no_data_since(evidence: Evidence) -> str:
    return f"no new data since {_moment(evidence.data_at)}"


_moment = lru_cache(maxsize=16_384)(timestamp)
