"""When a series of windows changed, how surely, and in which way: a step, the begin of a slope, or one window alone.

Every possible change is a curve beside the constant level: a step at each window, a ramp from each window on, an
impulse in each window. The curve that explains most is the candidate; how much the best curve explains in series of
pure noise, as autocorrelated as this one, says how surely it is one. Binary segmentation goes on from there.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from workbench.core.noise import NoiseFloor, correlation, noise_floor

Shape = Literal["shift", "slope", "spike"]
Floats = NDArray[np.float64]

FEWEST = 5
"""Windows with a value that are needed before a change can be told from noise."""
MOST = 400
"""Newest windows that are looked at."""
ALPHA = 0.002
"""Chance that a series of nothing but noise is said to change."""
_SHORTEST = 2
"""Windows on either side of a step: one alone is a spike."""
_RAMP = 4
"""Windows a slope goes on for at least."""
_SLOPE_CARE = 0.25
"""Correlated noise wanders, and looks like a slope before it looks like anything else."""
_WEIGHTS = (0.1, 4.0)
_COVERED = 0.95
_SHAPES: tuple[Shape, ...] = ("shift", "slope", "spike")


@dataclass(frozen=True, slots=True)
class Change:
    """One change of a series, by the places of its windows."""

    shape: Shape
    at: int
    """The first window that is different."""
    low: int
    high: int
    """The earliest and the latest window it may have been, with 95 %."""
    confidence: float
    """The chance that it is one, and that it lies between `low` and `high`."""
    before: float
    after: float
    """The level on either side; of a slope the newest value of the ramp, of a spike its value."""
    noise: float
    """Standard deviation of one window about its level."""


@dataclass(frozen=True, slots=True)
class _Candidate:
    shape: Shape
    at: int
    low: int
    high: int
    p: float
    gain: float
    covered: float = 1.0
    """The chance that it lies between `low` and `high`, if it is one."""


def find_changes(values: Floats, weights: Floats | None = None, *, alpha: float = ALPHA) -> list[Change]:
    """The changes of a series, oldest first; none where fewer than five windows have a value.

    values: one a window in order, NaN or inf where a window has none. weights: the rows behind each, for which a
    window with fewer counts less. The same series always gives the same changes.
    """
    values = np.asarray(values, np.float64)
    places = np.flatnonzero(np.isfinite(values))[-MOST:]
    if len(places) < FEWEST or np.ptp(values[places]) == 0:
        return []
    y = values[places]
    w = _weights(None if weights is None else np.asarray(weights, np.float64)[places], len(y))
    found = list(_segments(y, w, np.arange(len(y)), alpha))
    return [_described(y, w, places, each, found) for each in sorted(found, key=lambda each: each.at)]


def _weights(rows: Floats | None, n: int) -> Floats:
    """Rows as weights about 1, bounded, because windows also differ by more than chance."""
    if rows is None or not np.isfinite(rows).all() or not (rows > 0).any():
        return np.ones(n)
    return np.clip(rows / np.median(rows[rows > 0]), *_WEIGHTS)


def _segments(y: Floats, w: Floats, at: NDArray[np.int64], alpha: float) -> Iterator[_Candidate]:
    """Binary segmentation of the windows `at`: the surest change first, then each side of it."""
    if len(at) < FEWEST:
        return
    found = _surest(y[at], w[at], alpha)
    if found is None:
        return
    yield replace(found, at=int(at[found.at]), low=int(at[found.low]), high=int(at[found.high]))
    if found.shape == "spike":
        yield from _segments(y, w, np.delete(at, found.at), alpha)
    else:
        yield from _segments(y, w, at[: found.at], alpha)
        if found.shape == "shift":
            yield from _segments(y, w, at[found.at :], alpha)


def _surest(y: Floats, w: Floats, alpha: float) -> _Candidate | None:
    """The candidate that explains most for what it costs, among those that noise does not look like."""
    curves, shapes, starts = _curves(len(y), w.tobytes())
    gain = _gain(curves, y, w)
    best = {shape: _best(gain, shapes, place) for place, shape in enumerate(_SHAPES)}
    leading = max(best, key=lambda shape: gain[best[shape]] - _cost(shape, int(starts[best[shape]]), len(y)))
    floor = noise_floor(curves, shapes, w, correlation(_left(curves[best[leading]], y, w)))
    found = []
    for place, shape in enumerate(_SHAPES):
        at = best[shape]
        p = min(1.0, len(_SHAPES) * floor.p(place, float(gain[at])))
        if p <= (alpha * _SLOPE_CARE if shape == "slope" else alpha):
            found.append(_candidate(shape, at, p, gain, shapes == place, starts, floor))
    return max(found, key=lambda each: each.gain - _cost(each.shape, each.at, len(y)), default=None)


def _best(gain: Floats, shapes: NDArray[np.int64], place: int) -> int:
    return int(np.argmax(np.where(shapes == place, gain, -1.0)))


def _cost(shape: Shape, at: int, n: int) -> float:
    """What a curve costs for the freedom it has, as in Schwarz's criterion: its size, and its place if any."""
    return float(np.log(n)) * (0.5 if shape == "slope" and at == 0 else 1.0)


def _candidate(
    shape: Shape, at: int, p: float, gain: Floats, of_shape: NDArray[np.bool_], starts: NDArray[np.int64],
    floor: NoiseFloor,
) -> _Candidate:  # fmt: skip
    """The candidate with the places that are about as likely; a spike is where it is."""
    start = int(starts[at])
    if shape == "spike":
        return _Candidate(shape, start, start, start, p, float(gain[at]))
    likely = np.exp((gain[of_shape] - gain[at]) * floor.independent)
    order = np.argsort(-likely)
    kept = order[: int(np.searchsorted(np.cumsum(likely[order]), _COVERED * likely.sum())) + 1]
    low, high = (int(starts[of_shape][kept].min()), int(starts[of_shape][kept].max()))
    within = (starts[of_shape] >= low) & (starts[of_shape] <= high)
    covered = float(likely[within].sum() / likely.sum())
    return _Candidate(shape, start, low, high, p, float(gain[at]), covered)


@lru_cache(maxsize=512)
def _curves(n: int, weights: bytes) -> tuple[Floats, NDArray[np.int64], NDArray[np.int64]]:
    """Every step, ramp and impulse of a series, less its weighted mean and of length 1: (curves, shapes, starts)."""
    w = np.frombuffer(weights)
    x = np.arange(n, dtype=np.float64)
    steps = np.arange(_SHORTEST, n - _SHORTEST + 1)
    ramps = np.arange(0, max(n - _RAMP, 1))
    spikes = np.arange(n)
    raw = np.vstack(
        [
            x[None, :] >= steps[:, None],
            np.maximum(x[None, :] - ramps[:, None], 0.0),
            x[None, :] == spikes[:, None],
        ]
    ).astype(np.float64)
    centred = raw - (raw @ w / w.sum())[:, None]
    lengths = np.sqrt((centred**2) @ w)
    shapes = np.repeat(np.arange(3), [len(steps), len(ramps), len(spikes)])
    return centred / lengths[:, None], shapes, np.concatenate([steps, ramps, spikes])


def _gain(curves: Floats, y: Floats, w: Floats) -> Floats:
    """How much each curve explains beside the level alone: the logarithm of the likelihood ratio."""
    centred = y - np.average(y, weights=w)
    total = float((centred**2) @ w)
    if total <= 0:
        return np.zeros(len(curves))
    explained = np.clip((curves @ (centred * w)) ** 2 / total, 0.0, 1 - 1e-12)
    return np.asarray(-0.5 * len(y) * np.log1p(-explained))


def _left(curve: Floats, y: Floats, w: Floats) -> Floats:
    """What a curve and the level leave unexplained."""
    centred = y - np.average(y, weights=w)
    return np.asarray((centred - curve * float(curve @ (centred * w))) * np.sqrt(w))


def _described(y: Floats, w: Floats, places: NDArray[np.int64], one: _Candidate, every: list[_Candidate]) -> Change:
    """A candidate with the levels on its sides, up to the changes before and after it, spikes aside."""
    spikes = {each.at for each in every if each.shape == "spike"}
    edges = sorted({0, len(y), *(each.at for each in every if each.shape != "spike")})
    calm = np.array([i not in spikes for i in range(len(y))])
    if one.shape == "spike":
        start = max(edge for edge in edges if edge <= one.at)
        end = min(edge for edge in edges if edge > one.at)
        level, noise = _level(y, w, start, end, calm)
        before, after = level, float(y[one.at])
    else:
        before, noise = _level(y, w, max(edge for edge in edges if edge < max(one.at, 1)), max(one.at, 1), calm)
        end = min(edge for edge in edges if edge > one.at)
        after, later = _level(y, w, one.at, end, calm)
        if one.shape == "slope":
            before, after, noise = _ramp(y, w, one.at, end, calm)
        else:
            noise = _pooled((noise, one.at), (later, end - one.at))
    return Change(
        one.shape, int(places[one.at]), int(places[one.low]), int(places[min(one.high, len(y) - 1)]),
        (1.0 - one.p) * one.covered, before, after, noise,
    )  # fmt: skip


def _level(y: Floats, w: Floats, start: int, end: int, calm: NDArray[np.bool_]) -> tuple[float, float]:
    """Weighted mean of the windows from `start` to before `end`, and the deviation of one of them."""
    inside = calm.copy()
    inside[:start] = inside[end:] = False
    if not inside.any():
        inside[start:end] = True
    mean = float(np.average(y[inside], weights=w[inside]))
    n = int(inside.sum())
    spread = float(np.average((y[inside] - mean) ** 2, weights=w[inside]))
    return mean, float(np.sqrt(spread * n / (n - 1))) if n > 1 else 0.0


def _pooled(*parts: tuple[float, int]) -> float:
    """One deviation of several stretches, each known from its number of windows."""
    freedom = sum(max(n - 1, 0) for _, n in parts)
    return float(np.sqrt(sum(noise**2 * max(n - 1, 0) for noise, n in parts) / freedom)) if freedom else 0.0


def _ramp(y: Floats, w: Floats, start: int, end: int, calm: NDArray[np.bool_]) -> tuple[float, float, float]:
    """A slope's level at its begin, at its end, and the deviation about it."""
    inside = np.flatnonzero(calm[:end])
    ramp = np.maximum(inside - start, 0).astype(np.float64)
    slope, level = np.polyfit(ramp, y[inside], 1, w=np.sqrt(w[inside]))
    left = y[inside] - level - slope * ramp
    noise = float(np.sqrt((left**2).sum() / max(len(inside) - 3, 1)))
    return float(level), float(level + slope * ramp[-1]), noise
