"""How far a run is and how long it will still take, where it is known how many steps it will make."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from workbench.core import units
from workbench.core.model import Run

RECENT = 64
"""Newest points that a pace is taken from."""
_PAUSE = 20.0
"""An interval this many times the median is a pause, not the run's pace."""


def last_step(run: Run) -> int | None:
    """The highest step that any metric has."""
    return max((each.last_step for each in run.metrics.values() if each.last_step is not None), default=None)


def share_done(run: Run) -> float | None:
    """Share of the steps that are done, 0 to 1; None without a total.

    Whether steps count from 0 or 1 is not known: the last but one of a run that has finished is all.
    """
    step = last_step(run)
    if not run.total_steps or run.total_steps < 0:
        return None
    if step is None or step < 0:
        return 0.0
    if run.status == "finished" and step + 1 >= run.total_steps:
        return 1.0
    return min(step / run.total_steps, 1.0)


def pace(step: NDArray[np.int64], wall: NDArray[np.float64]) -> float | None:
    """Steps a second over the given points, pauses left out; None where times or steps do not tell."""
    order = np.argsort(step, kind="stable")
    step, wall = step[order].astype(np.float64), wall[order]
    known = np.isfinite(wall)
    step, wall = step[known], wall[known]
    first = np.append(True, step[1:] != step[:-1])[: len(step)]
    steps, seconds = np.diff(step[first]), np.diff(wall[first])
    going = seconds > 0
    if not going.any():
        return None
    each = seconds[going] / steps[going]
    kept = each <= _PAUSE * np.median(each)
    return float(steps[going][kept].sum() / seconds[going][kept].sum())


def seconds_left(run: Run, steps_a_second: float | None) -> float | None:
    """Seconds until the last step at this pace; None where the run is not under way or no total or pace is known."""
    step = last_step(run)
    if run.status != "running" or not run.total_steps or step is None or not steps_a_second:
        return None
    return max(run.total_steps - step, 0) / steps_a_second


def under_way(runs: Iterable[Run]) -> list[str]:
    """Ids of the runs whose time left can be told, given their pace."""
    return [run.id for run in runs if run.status == "running" and run.total_steps]


def words(run: Run, steps_a_second: float | None) -> str:
    """`42.0 %, 12m 05s left`; empty where no total is known."""
    share, left = share_done(run), seconds_left(run, steps_a_second)
    if share is None:
        return ""
    return units.percent(share) + ("" if left is None else f", {units.duration(left)} left")
