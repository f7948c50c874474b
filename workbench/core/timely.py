"""Findings on runs that hang on the clock and on other runs: silence, and a pace far below the siblings'."""

from __future__ import annotations

import math
import statistics
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from workbench.core import units
from workbench.core.model import Finding, Run
from workbench.core.progress import last_step

SIBLINGS = 4
"""Siblings without which nobody is slow."""
SLOW = 0.7
"""Share of the siblings' pace below which a run is called slow."""
_SPARE = 0.05
"""Paces of equal runs differ by this much at least, as a standard deviation of their logarithms."""
_NEWS = 86_400.0
"""Seconds of silence after which it is no news any more, unless the run itself took longer."""
_MOST_SHARE = 0.8
_WHY = 3


def sureness(margin: float) -> float:
    """0.5 at the threshold, towards 0.99 the further beyond it; `margin` is a multiple of the threshold."""
    return round(min(0.99, 1.0 - 0.5 * math.exp(-max(margin - 1.0, 0.0))), 2)


def timely(
    runs: Sequence[Run], gaps: Mapping[str, float], paces: Mapping[str, float], now: float, only: str = ""
) -> list[Finding]:
    """Findings of this moment on runs, or on one of them: who is silent, and who is slower than its siblings.

    gaps: usual seconds between two points; paces: steps a second; both by run id.
    """
    wanted = [run for run in runs if run.id == only] if only else runs
    found = [each for run in wanted if (each := silent(run, gaps.get(run.id), now))]
    names = {_family(run) for run in wanted}
    families: dict[tuple[str, str], list[Run]] = defaultdict(list)
    for run in runs:
        if run.id in paces and (name := _family(run)) in names:
            families[name].append(run)
    for family in families.values():
        if len(family) > SIBLINGS:
            found += [each for each in _slow_ones(family, paces) if only in ("", each.run)]
    return found


def _family(run: Run) -> tuple[str, str]:
    """Runs of one study or folder, logged alike."""
    return run.group or run.path.rpartition("/")[0], run.format


def silent(run: Run, gap: float | None, now: float) -> Finding | None:
    """A run that is quiet or lost: since when, after which step, and how often it used to say something.

    `run.status` has weighed the silence against the run's rhythm and its promises already.
    """
    if run.status not in ("quiet", "lost") or run.updated_at is None:
        return None
    silence = now - run.updated_at
    if silence > max(_NEWS, run.updated_at - (run.started_at or run.updated_at)):
        return None
    step = last_step(run)
    at = f" after step {step:,}" if step is not None else ""
    usual = f", usually a point every {units.duration(gap)}" if gap else ""
    said = f"silent for {units.duration(silence)}{at}{usual}"
    evidence = {"step": step, "usual_gap": gap, "silence": silence, "status": run.status_reason}
    ended = run.status == "quiet" and "no end marker" in run.status_reason  # it may well be done: nothing would say so
    severity = "info" if ended else "warn"
    return Finding("silent", "", severity, said, run.updated_at, None, None, evidence, run=run.id)  # type: ignore[arg-type]


def _slow_ones(family: Sequence[Run], paces: Mapping[str, float]) -> list[Finding]:
    middle = statistics.median(paces[run.id] for run in family)
    found = []
    for run in family:
        if paces[run.id] < 0.9 * SLOW * middle:  # a first look; the run itself is among these
            others = [each for each in family if each is not run]
            differing = differing_params(run, others)
            each = slower(run, paces[run.id], [paces[other.id] for other in others], differing)
            found += [each] if each is not None else []
    return found


def slower(run: Run, pace: float, siblings: Sequence[float], differing: Mapping[str, Any]) -> Finding | None:
    """A run whose pace lies far below its siblings', by more than they differ among themselves.

    `differing` are params that the run has otherwise than most siblings: they may well be why.
    """
    logs = [math.log(each) for each in siblings if each > 0]
    if pace <= 0 or len(logs) < SIBLINGS:
        return None
    usual = statistics.median(logs)
    sigma = max(1.4826 * statistics.median([abs(each - usual) for each in logs]), _SPARE)
    behind, wanted = usual - math.log(pace), max(-math.log(SLOW), 5.0 * sigma)
    if behind < wanted:
        return None
    median = math.exp(usual)
    why = ", ".join(f"{key}={value}" for key, value in list(differing.items())[:_WHY])
    said = f"slower than its siblings: {speed(pace)} against {speed(median)}, the median of {len(logs)}"
    evidence = {"pace": pace, "siblings": median, "ratio": pace / median, "n": len(logs), "differs": dict(differing)}
    sentence = f"{said}; it differs in {why}" if why else said
    severity = "info" if why else "warn"
    sure = sureness(behind / wanted)
    return Finding("slow", "", severity, sentence, run.started_at, None, sure, evidence, run=run.id)  # type: ignore[arg-type]


def differing_params(run: Run, siblings: Sequence[Run]) -> dict[str, Any]:
    """Params of a run that nearly all its siblings have otherwise, and alike."""
    found = {}
    for key, value in run.params.items():
        others = Counter(repr(each.params.get(key)) for each in siblings)
        common, n = others.most_common(1)[0]
        if common != repr(value) and n >= _MOST_SHARE * len(siblings):
            found[key] = value
    return found


def speed(pace: float) -> str:
    """`12.5 steps/s`, or the time of a step where they are slow."""
    return f"{units.number(pace, 3)} steps/s" if pace >= 1 else f"{units.duration(1 / pace)} a step"
