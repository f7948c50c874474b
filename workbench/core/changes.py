"""When a series of windows changed, how surely, and in which way: a step, the begin of a slope, or one window alone.

Every possible change is a curve beside the constant level: a step at each window, a ramp from each window on, an
impulse in each window, a step that is taken back. The curve that explains most is the candidate; how much the best
curve explains in series of pure noise, as autocorrelated as this one, says how surely it is one. Binary segmentation
goes on from there.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from itertools import pairwise
from typing import Literal

import numpy as np
from msgspec import Struct
from msgspec.structs import replace
from numpy.typing import NDArray

from workbench.core.noise import correlation, noise_floor

Shape = Literal["shift", "slope", "spike"]
Floats = NDArray[np.float64]
Places = NDArray[np.int64]

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
_SHAPES = ("shift", "slope", "spike", "box")
_SIZES = (1.0, 1.0, 1.0, 1.5)
"""By shape: what its freedom costs, in units of Schwarz's criterion."""
_SPANS = (2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128)
"""Windows after which a step may be taken back, until its ends are sought exactly."""


class Change(Struct, frozen=True):
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


class _Candidate(Struct, frozen=True):
    shape: Shape
    at: int
    low: int
    high: int
    p: float
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


def _segments(y: Floats, w: Floats, at: Places, alpha: float) -> Iterator[_Candidate]:
    """Binary segmentation of the windows `at`: the surest change first, then what is between its ends."""
    if len(at) < FEWEST:
        return
    found = _surest(y[at], w[at], alpha)
    if not found:
        return
    for one in found:
        yield replace(one, at=int(at[one.at]), low=int(at[one.low]), high=int(at[one.high]))
    if found[0].shape == "spike":
        yield from _segments(y, w, np.delete(at, found[0].at), alpha)
        return
    pieces = list(pairwise([0, *(one.at for one in found), len(at)]))
    for start, end in pieces if found[0].shape == "shift" else pieces[:1]:  # what is on a slope is not level
        yield from _segments(y, w, at[start:end], alpha)


def _surest(y: Floats, w: Floats, alpha: float) -> list[_Candidate]:
    """What explains most for what it costs, if noise does not look like it; two where a step is taken back."""
    curves = _curves(len(y), w.tobytes())
    gain = _gain(curves.rows, y, w)
    worth = gain - curves.costs
    best = [int(np.argmax(np.where(curves.shapes == shape, worth, -np.inf))) for shape in range(len(_SHAPES))]
    leading = max(best, key=lambda at: worth[at])
    floor = noise_floor(curves.rows, curves.shapes, w, correlation(_left(curves.rows[leading], y, w)))
    sure = []
    for shape, at in enumerate(best):
        p = min(1.0, len(_SHAPES) * floor.p(shape, float(gain[at])))
        if curves.shapes[at] == shape and p <= (alpha * _SLOPE_CARE if _SHAPES[shape] == "slope" else alpha):
            sure.append((float(worth[at]), at, p))
    if not sure:
        return []
    _, at, p = max(sure)
    return _dated(curves, at, p, y, w, floor.independent)


def _dated(curves: _Curves, at: int, p: float, y: Floats, w: Floats, independent: float) -> list[_Candidate]:
    """A change with the windows that are about as likely; a spike is where it is."""
    start, end, n = int(curves.starts[at]), int(curves.ends[at]), len(y)
    match _SHAPES[curves.shapes[at]]:
        case "spike":
            return [_Candidate("spike", start, start, start, p)]
        case "slope":
            same = curves.shapes == curves.shapes[at]
            return [_within("slope", curves.starts[same], _gain(curves.rows[same], y, w), independent, p)]
        case "box":
            span = end - start
            begins = np.arange(max(_SHORTEST, start - span), end - _SHORTEST + 1)
            one = _within("shift", begins, _gain(_boxes(begins, np.full_like(begins, end), n, w), y, w), independent, p)
            ends = np.arange(one.at + _SHORTEST, min(n - _SHORTEST, end + span) + 1)
            boxes = _boxes(np.full_like(ends, one.at), ends, n, w)
            return [one, _within("shift", ends, _gain(boxes, y, w), independent, p)]
        case _:
            same = curves.shapes == curves.shapes[at]
            return [_within("shift", curves.starts[same], _gain(curves.rows[same], y, w), independent, p)]


def _within(shape: Shape, places: Places, gain: Floats, independent: float, p: float) -> _Candidate:
    """The likeliest place, and the narrowest stretch about it that holds the change with 95 %."""
    likely = np.exp((gain - gain.max()) * independent)
    order = np.argsort(-likely)
    kept = places[order[: int(np.searchsorted(np.cumsum(likely[order]), _COVERED * likely.sum())) + 1]]
    low, high = int(kept.min()), int(kept.max())
    covered = float(likely[(places >= low) & (places <= high)].sum() / likely.sum())
    return _Candidate(shape, int(places[order[0]]), low, high, p, covered)


class _Curves(Struct, frozen=True):
    """Every curve of one length, less its weighted mean and of length 1."""

    rows: Floats
    shapes: Places
    starts: Places
    ends: Places
    costs: Floats


@lru_cache(maxsize=256)
def _curves(n: int, weights: bytes) -> _Curves:
    """Every step, ramp, impulse, and step taken back that a series of `n` windows may have."""
    w = np.frombuffer(weights)
    x = np.arange(n, dtype=np.float64)
    steps = np.arange(_SHORTEST, n - _SHORTEST + 1)
    ramps = np.arange(0, max(n - _RAMP, 1))
    spikes = np.arange(n)
    pairs = [(i, i + span) for span in _SPANS for i in range(_SHORTEST, n - span - _SHORTEST + 1)]
    begins, ends = (np.array(part, np.int64) for part in (zip(*pairs, strict=True) if pairs else ((), ())))
    raw = [x >= steps[:, None], np.maximum(x - ramps[:, None], 0.0), x == spikes[:, None]]
    rows = np.vstack([_unit(np.vstack(raw).astype(np.float64), w), _boxes(begins, ends, n, w)])
    shapes = np.repeat(np.arange(4), [len(steps), len(ramps), len(spikes), len(begins)])
    starts = np.concatenate([steps, ramps, spikes, begins])
    stops = np.concatenate([np.full(len(rows) - len(begins), n), ends])
    costs = np.log(n) * np.array(_SIZES)[shapes]
    costs[(shapes == _SHAPES.index("slope")) & (starts == 0)] *= 0.5  # a straight line has no place of its own
    return _Curves(rows, shapes, starts, stops, costs)


def _boxes(begins: Places, ends: Places, n: int, w: Floats) -> Floats:
    """Steps that are taken back."""
    x = np.arange(n)
    return _unit(((x >= begins[:, None]) & (x < ends[:, None])).astype(np.float64), w)


def _unit(rows: Floats, w: Floats) -> Floats:
    centred = rows - (rows @ w / w.sum())[:, None]
    return np.asarray(centred / np.sqrt((centred**2) @ w)[:, None])


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


def _described(y: Floats, w: Floats, places: Places, one: _Candidate, every: list[_Candidate]) -> Change:
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
