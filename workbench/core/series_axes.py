"""What a series is drawn over: its step, its time, the time since the start, the epoch, or any other logged metric."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Literal

import numpy as np

from workbench.core.model import Series
from workbench.core.roles import words_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

OVER = "metric:"
"""What an axis by a metric begins with; its key follows."""


def axis_key(axis: str, keys: Iterable[str]) -> str | None:
    """The metric that an axis is made of, or None where it needs none; an epoch that was never logged is the step."""
    if axis.startswith(OVER):
        return axis[len(OVER) :]
    return epoch_key(keys) if axis == "epoch" else None


def epoch_key(keys: Iterable[str]) -> str | None:
    """The key that epochs were logged under: the shortest whose last word is `epoch`."""
    named = [key for key in keys if words_of(key.rpartition("/")[2])[-1:] in (["epoch"], ["epochs"])]
    return min(named, key=lambda key: (len(key), key), default=None)


def axis_kind(axis: str) -> Literal["number", "time", "duration"]:
    """How values on an axis are written."""
    return "time" if axis == "wall" else "duration" if axis == "relative" else "number"


def axis_label(axis: str, key: str | None) -> str:
    """What stands at the end of an axis."""
    if key is not None:
        return key
    return {"wall": "time", "relative": "since start"}.get(axis, "step")


def x_of(series: Series, axis: str, over: Series | None = None, start: float | None = None) -> NDArray[np.float64]:
    """An x for each point of a series; NaN where it is unknown.

    `over` is the series of the metric that the axis is made of: between its points x is interpolated, after its last
    one it stays. Seconds since the start count from `start`, or from the first known time.
    """
    steps = np.asarray(series.step, np.float64)
    if over is not None:
        known = np.isfinite(over.value)
        if not known.any():
            return np.full(len(steps), np.nan)
        return np.asarray(np.interp(steps, over.step[known], over.value[known], left=np.nan), np.float64)
    if axis not in ("wall", "relative"):
        return steps
    wall = np.asarray(series.wall, np.float64)
    if axis == "wall":
        return wall
    finite = wall[np.isfinite(wall)]
    return wall - (start if start is not None else float(finite[0]) if len(finite) else 0.0)


def steps_within(series: Series, x: NDArray[np.float64], low: float, high: float) -> tuple[int, int] | None:
    """The steps that hold every point from x `low` to `high`, and one more on either side; None where none does."""
    inside = np.flatnonzero((x >= low) & (x <= high))
    if len(inside):
        first, last = int(inside[0]), int(inside[-1])
    else:
        between = np.flatnonzero((x[:-1] < low) & (x[1:] > high))
        if not len(between):
            return None
        first, last = int(between[0]) + 1, int(between[0])
    return int(series.step[max(first - 1, 0)]), int(series.step[min(last + 1, len(series.step) - 1)])
