"""Curves as a diagnosis looks at them: turned so that down is better, in blocks that outlast noise and swings."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from workbench.core.model import Roles

Floats = NDArray[np.float64]
Steps = NDArray[np.int64]

BLOCKS = 96
"""Blocks that a long curve is cut into."""
_MAD = 1.4826
_WIDE = 10.0
"""Ratio of large to small values from which a positive curve is looked at in logarithms."""


@dataclass(frozen=True, slots=True)
class Curve:
    """Points of one metric of one run by step, the latest where a step was written twice.

    step, wall (seconds since 1970, NaN unknown), value: one length. A long series may come as buckets: `value` is then
    their mean, `low` and `high` their extremes, and `n` how many points there are.
    """

    key: str
    roles: Roles
    step: Steps
    wall: Floats
    value: Floats
    low: Floats | None = None
    high: Floats | None = None
    n: int = 0
    broken: int = 0
    """Values that are NaN or infinite, those in buckets included."""
    broken_from: int | None = None
    """First step of the last stretch of such values, where buckets hide it."""

    def at(self, place: int) -> tuple[int, float | None]:
        """Step and time of a point; the time is None where it is unknown."""
        wall = float(self.wall[place])
        return int(self.step[place]), wall if math.isfinite(wall) else None


@dataclass(frozen=True)
class Course:
    """The finite values of a curve, turned so that lower is better, and in logarithms where they span decades."""

    curve: Curve
    place: NDArray[np.int64]
    """Places of these values in the curve."""
    y: Floats
    is_log: bool

    @cached_property
    def edges(self) -> NDArray[np.int64]:
        """Where each block begins, and the end of the last."""
        n = len(self.y)
        return np.append(np.arange(0, n, max(-(-n // BLOCKS), 1), dtype=np.int64), n)

    @cached_property
    def blocks(self) -> Floats:
        """The median of each block."""
        n = len(self.y)
        size = max(-(-n // BLOCKS), 1)
        if size == 1:
            return self.y
        medians = _middles(self.y[: n - n % size].reshape(-1, size))
        return medians if n % size == 0 else np.append(medians, middle(self.y[n - n % size :]))

    @cached_property
    def level(self) -> Floats:
        """Blocks smoothed by a running median."""
        return running_median(self.blocks, 5 if len(self.blocks) >= 40 else 3)

    @cached_property
    def noise(self) -> float:
        """Spread of blocks around their level, as a standard deviation."""
        return spread(self.blocks - self.level)

    def where(self, block: int) -> int:
        """Place in the curve of a block's first value."""
        return int(self.place[self.edges[block]])

    def shown(self, y: float) -> float:
        """A level as the metric is written."""
        back = math.exp(y) if self.is_log else y
        return -back if self.curve.roles.direction == "higher" else back

    @cached_property
    def telling(self) -> float:
        """The least change worth a word: half as much again, or a tenth of what values usually are; 0 if all are."""
        if self.is_log:
            return math.log(1.5)
        sizes = np.abs(self.y)
        return 0.1 * (middle(sizes) or float(sizes.mean()))


def course(curve: Curve) -> Course | None:
    """What can be judged of a curve whose better direction is known; None where nothing can."""
    if curve.roles.direction is None:
        return None
    place = np.flatnonzero(np.isfinite(curve.value))
    y = curve.value[place]
    if curve.roles.direction == "higher":
        return Course(curve, place, -y, False)
    is_log = len(y) > 0 and is_wide(y)
    return Course(curve, place, np.log(y) if is_log else y, is_log)


def is_wide(y: Floats) -> bool:
    """Whether values are all positive and span more than a decade."""
    if float(y.min()) <= 0:
        return False
    ranked = np.sort(y)
    low, high = float(ranked[len(y) // 20]), float(ranked[(19 * len(y)) // 20])
    return bool(max(high, float(y[: max(1, len(y) // 50)].max())) > _WIDE * low)


def spread(residuals: Floats) -> float:
    """A standard deviation that outliers do not move."""
    if not len(residuals):
        return 0.0
    return _MAD * middle(np.abs(residuals - middle(residuals)))


def middle(y: Floats) -> float:
    """The median of values that are all finite; for a few hundred much quicker than numpy's."""
    ranked, n = y.copy(), len(y)
    ranked.sort()
    return (float(ranked[n // 2]) + float(ranked[(n - 1) // 2])) / 2


def spreads(residuals: Floats, parts: int) -> tuple[Floats, NDArray[np.int64]]:
    """The spread of each of so many parts, the first of which may be one longer, and how long each is."""
    size, longer = divmod(len(residuals), parts)
    split = longer * (size + 1)
    rows = [residuals[:split].reshape(longer, size + 1), residuals[split:].reshape(parts - longer, size)]
    found = [_MAD * _middles(np.abs(each - _middles(each)[:, None])) for each in rows if len(each)]
    return np.concatenate(found), np.repeat(np.array([size + 1, size]), [longer, parts - longer])


def _middles(rows: Floats) -> Floats:
    """The median of each row."""
    ranked, n = np.sort(rows, axis=1), rows.shape[1]
    return np.asarray((ranked[:, n // 2] + ranked[:, (n - 1) // 2]) / 2)


def running_median(y: Floats, width: int) -> Floats:
    """The median of `width` neighbours (odd); at the ends of those that are there."""
    if len(y) < 3 or width < 3:
        return y
    half, n = width // 2, len(y)
    if n <= 2 * half:
        return np.array([middle(y[max(0, at - half) : at + half + 1]) for at in range(n)])
    inner = np.partition(np.lib.stride_tricks.sliding_window_view(y, width), half, axis=1)[:, half]
    first = [middle(y[: at + half + 1]) for at in range(half)]
    last = [middle(y[at - half :]) for at in range(n - half, n)]
    return np.concatenate([first, inner, last])
