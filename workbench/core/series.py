"""Series for the eye: fewer points with the extremes kept, smoothing, sparklines."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

_SPARKS = "▁▂▃▄▅▆▇█"
_ASCII_SPARKS = "_.-=*^"


def thin(
    step: ArrayLike, value: ArrayLike, buckets: int, *, borders: bool = False
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """At most three points a bucket of equal step width, plus the ends: minimum, maximum, and one NaN or inf.

    Order is kept, and no extreme is ever lost; steps that go back are cut into buckets of equal length instead. With
    `borders`, the first and last point of each bucket stay too, so that a line through them looks the same in as many
    columns. Both arrays are of shape (n,); short ones come back as they are.
    """
    steps, values = np.asarray(step, np.float64), np.asarray(value, np.float64)
    n = len(values)
    if buckets < 1 or n <= 2 * buckets:
        return steps, values
    keep = np.zeros(n, bool)
    keep[[0, -1]] = True
    starts = np.flatnonzero(np.diff(_bucket(steps, buckets), prepend=-1))
    if borders:
        keep[starts] = keep[starts[1:] - 1] = True
    finite = np.isfinite(values)
    _keep_first(keep, starts, ~finite)
    for filler, pick in ((np.inf, np.minimum), (-np.inf, np.maximum)):
        filled = np.where(finite, values, filler)
        extreme = np.repeat(pick.reduceat(filled, starts), np.diff(starts, append=n))
        _keep_first(keep, starts, finite & (filled == extreme))
    return steps[keep], values[keep]


def _bucket(steps: NDArray[np.float64], buckets: int) -> NDArray[np.int64]:
    span = steps[-1] - steps[0]
    if not (np.isfinite(span) and span > 0 and bool(np.all(np.diff(steps) >= 0))):
        return np.arange(len(steps)) * buckets // len(steps)
    bucket: NDArray[np.int64] = np.minimum((steps - steps[0]) / span * buckets, buckets - 1).astype(np.int64)
    return bucket


def _keep_first(keep: NDArray[np.bool_], starts: NDArray[np.int64], hit: NDArray[np.bool_]) -> None:
    """Mark the first hit of each group that begins at one of `starts`."""
    where = np.flatnonzero(hit)
    first = np.searchsorted(where, starts)
    ends = np.append(starts[1:], len(keep))
    known = first < len(where)
    candidates = where[first[known]]
    keep[candidates[candidates < ends[known]]] = True


def smooth(value: ArrayLike, weight: float) -> NDArray[np.float64]:
    """Exponential moving average without the pull to 0 at the start; NaN and inf stay in place and are not averaged.

    `weight` in [0, 1) is how much of the past is kept; 0 changes nothing.

    Raises:
        ValueError: the weight is outside [0, 1).
    """
    values = np.asarray(value, np.float64)
    if not 0 <= weight < 1:
        raise ValueError(f"a smoothing weight lies in 0 <= weight < 1, got {weight}")
    finite = np.isfinite(values)
    clean = values[finite]
    if weight == 0 or not len(clean):
        return values.copy()
    averages = np.empty_like(clean)
    # Powers of 1/weight stay below 1e100 within a block, so that the recurrence is one cumulative sum of it.
    block = max(1, int(100 * math.log(10) / -math.log(weight)))
    powers = weight ** np.arange(1, min(block, len(clean)) + 1, dtype=np.float64)
    state = 0.0
    with np.errstate(over="ignore", invalid="ignore"):
        for start in range(0, len(clean), block):
            part = clean[start : start + block]
            decay = powers[: len(part)]
            averages[start : start + block] = decay * (state + (1 - weight) * np.cumsum(part / decay))
            state = float(averages[start + len(part) - 1])
    smoothed = values.copy()
    smoothed[finite] = averages / -np.expm1(np.arange(1, len(clean) + 1) * math.log(weight))
    return smoothed


def sparkline(values: Sequence[float] | NDArray[np.float64], width: int, *, ascii_only: bool = False) -> str:
    """Values as at most `width` characters of rising height; `×` stands for NaN or inf, spikes stay visible."""
    levels = _ASCII_SPARKS if ascii_only else _SPARKS
    data = np.asarray(values, np.float64)
    if width < 1 or not len(data):
        return ""
    finite = data[np.isfinite(data)]
    if not len(finite):
        return ("x" if ascii_only else "×") * min(width, len(data))
    if len(data) > width:
        data = _most_extreme(data, float(np.median(finite)), width)
    low, high = float(finite.min()), float(finite.max())
    middle = len(levels) // 2
    out = []
    for item in data.tolist():
        if not math.isfinite(item):
            out.append("x" if ascii_only else "×")
        elif high <= low:
            out.append(levels[middle - 1])
        else:
            out.append(levels[min(int((item / 2 - low / 2) / (high / 2 - low / 2) * len(levels)), len(levels) - 1)])
    return "".join(out)


def _most_extreme(data: NDArray[np.float64], centre: float, width: int) -> NDArray[np.float64]:
    """Of each of `width` stretches the value furthest from the centre; a stretch with NaN or inf gives NaN."""
    starts = np.arange(width) * len(data) // width
    ends = np.append(starts[1:], len(data))
    picked = np.empty(width)
    for index, (start, end) in enumerate(zip(starts.tolist(), ends.tolist(), strict=True)):
        part = data[start:end]
        picked[index] = part[np.argmax(np.abs(part - centre))] if np.isfinite(part).all() else np.nan
    return picked
