"""Curves as a diagnosis looks at them: turned so that down is better, in blocks that outlast noise and swings."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from workbench.core.model import Roles

Floats = NDArray[np.float64]
Steps = NDArray[np.int64]

BLOCKS = 96
"""Blocks that a long curve is cut into."""
NEIGHBOURS = 11
"""Values among which a spike stands out."""
_MAD = 1.4826
_WIDE = 10.0
"""Ratio of large to small values from which a curve of positive values is looked at in logarithms."""


class Curve(Struct, frozen=True):
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


class Course(Struct, frozen=True):
    """The finite values of a curve, turned so that lower is better, and in logarithms where they span decades."""

    curve: Curve
    place: NDArray[np.int64]
    """Places of these values in the curve."""
    y: Floats
    is_log: bool
    edges: NDArray[np.int64]
    """Where each block begins, and the end of the last."""
    blocks: Floats
    """The median of each block."""
    level: Floats
    """Blocks smoothed by a running median."""
    noise: float
    """Spread of blocks around their level, as a standard deviation."""
    telling: float
    """The least change worth a word: half as much again, or a tenth of what values usually are; 0 if all are."""
    worst: Floats
    """Each value, or of a bucket its worst."""
    reach: float
    """How far the worst values are apart, the lowest and the highest twentieth aside."""
    rise: float
    """None of them is further above the median of its neighbours than this."""

    def where(self, block: int) -> int:
        """Place in the curve of a block's first value."""
        return int(self.place[self.edges[block]])

    def shown(self, y: float) -> float:
        """A level as the metric is written."""
        back = math.exp(y) if self.is_log else y
        return -back if self.curve.roles.direction == "higher" else back


def courses(curves: Iterable[Curve]) -> list[Course]:
    """What can be judged of curves whose better direction is known; those of one length are worked out at once."""
    alike: dict[int, list[tuple[int, Curve, NDArray[np.int64]]]] = {}
    for position, curve in enumerate(curves):
        place = np.flatnonzero(np.isfinite(curve.value))
        if curve.roles.direction is not None and len(place):
            alike.setdefault(len(place), []).append((position, curve, place))
    found: dict[int, Course] = {}
    for group in alike.values():
        made = _of_one_length([curve for _, curve, _ in group], [place for _, _, place in group])
        found |= zip((position for position, _, _ in group), made, strict=True)
    return [found[position] for position in sorted(found)]


def _of_one_length(curves: Sequence[Curve], places: Sequence[NDArray[np.int64]]) -> list[Course]:
    """Courses of curves that have the same number of finite values."""
    y = np.stack([curve.value[place] for curve, place in zip(curves, places, strict=True)])
    higher = np.array([curve.roles.direction == "higher" for curve in curves])
    y[higher] = -y[higher]
    n, ranked = y.shape[1], np.sort(y, axis=1)
    low, high = ranked[:, n // 20], ranked[:, (19 * n) // 20]
    began = y[:, : max(1, n // 50)].max(axis=1)
    is_log = ~higher & (ranked[:, 0] > 0) & (np.maximum(high, began) > _WIDE * low)
    y[is_log] = np.log(y[is_log])
    worst = _worst(curves, places, y, is_log)
    if worst is y:
        reach = np.where(is_log, np.log(high) - np.log(low), high - low)
    else:
        reach = np.subtract(*np.sort(worst, axis=1)[:, [(19 * n) // 20, n // 20]].T)
    size = max(-(-n // BLOCKS), 1)
    edges = np.append(np.arange(0, n, size, dtype=np.int64), n)
    blocks = _blocks(y, size)
    level = _running_medians(blocks, 5 if blocks.shape[1] >= 40 else 3)
    noise, telling, rise = _spreads(blocks - level), _telling(ranked, is_log), _highest_rises(worst)
    return [
        Course(
            curve, places[at], y[at], bool(is_log[at]), edges, blocks[at], level[at], float(noise[at]),
            float(telling[at]), worst[at], float(reach[at]), float(rise[at]),
        )
        for at, curve in enumerate(curves)
    ]  # fmt: skip


def _worst(
    curves: Sequence[Curve], places: Sequence[NDArray[np.int64]], y: Floats, is_log: NDArray[np.bool_]
) -> Floats:
    """Each value of each row, or of a bucket its worst, as the courses are turned; `y` itself where there are none."""
    worst = y
    for at, (curve, place) in enumerate(zip(curves, places, strict=True)):
        higher = curve.roles.direction == "higher"
        extreme = curve.low if higher else curve.high
        if extreme is None:
            continue
        found = -extreme[place] if higher else extreme[place]
        worst = y.copy() if worst is y else worst
        worst[at] = np.log(np.maximum(found, 1e-300)) if is_log[at] else found
    return worst


def _blocks(y: Floats, size: int) -> Floats:
    """The median of each block of so many values, row by row; the last one may be shorter."""
    if size == 1:
        return y
    whole = y.shape[1] - y.shape[1] % size
    medians = _middles(y[:, :whole].reshape(len(y), -1, size))
    return medians if whole == y.shape[1] else np.column_stack([medians, _middles(y[:, whole:])])


def _telling(ranked: Floats, is_log: NDArray[np.bool_]) -> Floats:
    """Of rows that are sorted, and not yet in logarithms."""
    sizes = np.abs(ranked)
    mixed = (ranked[:, 0] < 0) & (ranked[:, -1] > 0)
    if mixed.any():
        sizes[mixed] = np.sort(sizes[mixed], axis=1)
    usual = _middles_of_sorted(sizes)
    return np.where(is_log, math.log(1.5), 0.1 * np.where(usual == 0, sizes.mean(axis=1), usual))


def _highest_rises(rows: Floats) -> Floats:
    """No value of a row is further above the median of its neighbours: stretches with those beside them hold them."""
    n = rows.shape[1]
    if n < NEIGHBOURS:
        return np.asarray(rows.max(axis=1) - rows.min(axis=1))
    whole = rows[:, : n - n % NEIGHBOURS].reshape(len(rows), -1, NEIGHBOURS)
    rest = rows[:, n - NEIGHBOURS :]
    high = np.column_stack([whole.max(axis=2), rest.max(axis=1)])
    low = np.column_stack([whole.min(axis=2), rest.min(axis=1)])
    around = low.copy()
    np.minimum(around[:, 1:], low[:, :-1], out=around[:, 1:])
    np.minimum(around[:, :-1], low[:, 1:], out=around[:, :-1])
    return np.asarray((high - around).max(axis=1))


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
    found = [_spreads(each) for each in rows if len(each)]
    return np.concatenate(found), np.repeat(np.array([size + 1, size]), [longer, parts - longer])


def _spreads(rows: Floats) -> Floats:
    """The spread of each row."""
    return np.asarray(_MAD * _middles(np.abs(rows - _middles(rows)[:, None])))


def _middles(rows: Floats) -> Floats:
    """The median of each row, which is the last axis."""
    return _middles_of_sorted(np.sort(rows, axis=-1))


def _middles_of_sorted(rows: Floats) -> Floats:
    n = rows.shape[-1]
    return np.asarray((rows[..., n // 2] + rows[..., (n - 1) // 2]) / 2)


def running_median(y: Floats, width: int) -> Floats:
    """The median of `width` neighbours (odd); at the ends of those that are there."""
    found: Floats = _running_medians(y[None, :], width)[0]
    return found


def _running_medians(rows: Floats, width: int) -> Floats:
    """The same of each row."""
    half, n = width // 2, rows.shape[1]
    if n < 3 or width < 3:
        return rows
    if n <= 2 * half:
        return np.column_stack([_middles(rows[:, max(0, at - half) : at + half + 1]) for at in range(n)])
    inner = np.partition(np.lib.stride_tricks.sliding_window_view(rows, width, axis=1), half, axis=-1)[..., half]
    first = [_middles(rows[:, : at + half + 1]) for at in range(half)]
    last = [_middles(rows[:, at - half :]) for at in range(n - half, n)]
    return np.column_stack([*first, inner, *last])
