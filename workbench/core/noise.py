"""What noise alone looks like: how well the best of many curves explains series in which nothing happens."""

from __future__ import annotations

from collections import OrderedDict
from functools import lru_cache

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

Floats = NDArray[np.float64]

SHAPES = 4
"""Shapes of curves that are told apart."""
_DRAWS = 1_000
_SEED = 20_240_229
_TAIL = 0.9
"""Beyond this quantile the draws are too few to count; their tail is exponential in the logarithm of a ratio."""
_FREEDOM = 5.0
"""Noise is drawn from Student's t with so many degrees of freedom: production has more outliers than the normal."""
_STEP = 0.1
_MOST_CORRELATED = 0.8
_KEPT = 256


class NoiseFloor(Struct, frozen=True):
    """How much the best curve of each shape explains in pure noise."""

    quantile: Floats
    """By shape: where the tail begins."""
    scale: Floats
    """By shape: the mean by which draws in the tail go beyond it."""
    independent: float
    """The share of independent windows that correlated ones are worth."""

    def p(self, shape: int, gain: float) -> float:
        """The chance that noise gains as much; 1 below the tail, where it does not matter."""
        beyond = gain - float(self.quantile[shape])
        if beyond <= 0:
            return 1.0
        return float((1 - _TAIL) * np.exp(-beyond / max(float(self.scale[shape]), 1e-9)))


_FLOORS: OrderedDict[tuple[bytes, float], NoiseFloor] = OrderedDict()


def noise_floor(curves: Floats, shapes: NDArray[np.int64], w: Floats, rho: float) -> NoiseFloor:
    """The floor for series with these weights and this correlation of neighbours, always from the same draws.

    curves: (c, n), each centred and of length 1 under the weights; shapes: which of the shapes each one is.
    """
    key = (w.tobytes(), rho)
    if key in _FLOORS:
        return _FLOORS[key]
    noise = _correlated(len(w), rho) / np.sqrt(w)
    centred = noise - (noise @ w / w.sum())[:, None]
    total = (centred**2) @ w
    explained = (centred * w) @ curves.T
    squares = explained**2
    best = np.stack([squares[:, shapes == shape].max(axis=1, initial=0.0) for shape in range(SHAPES)])
    gains = -0.5 * len(w) * np.log1p(-np.clip(best / total, 0.0, 1 - 1e-12))
    quantile = np.quantile(gains, _TAIL, axis=1)
    scale = np.array(
        [float(np.mean(g[g > q] - q)) if (g > q).any() else 0.0 for g, q in zip(gains, quantile, strict=True)]
    )
    floor = NoiseFloor(quantile, scale, (1 - rho) / (1 + rho))
    _FLOORS[key] = floor
    if len(_FLOORS) > _KEPT:
        _FLOORS.popitem(last=False)
    return floor


def correlation(left: Floats) -> float:
    """Correlation of neighbours, with what a fit of few windows hides added back: 0 to 0.8 in steps of 0.1."""
    n = len(left)
    total = float(left @ left)
    if n < 3 or total <= 0:
        return 0.0
    seen = float(left[1:] @ left[:-1]) / total
    corrected = seen + (2 + 4 * max(seen, 0.0)) / n
    return float(np.clip(np.ceil(corrected / _STEP - 1e-9) * _STEP, 0.0, _MOST_CORRELATED))


@lru_cache(maxsize=16)
def _correlated(n: int, rho: float) -> Floats:
    """Draws of autoregressive noise, (draws, n)."""
    random = np.random.default_rng(_SEED + n)
    noise = random.standard_t(_FREEDOM, (_DRAWS, n))
    for i in range(1, n):
        noise[:, i] = rho * noise[:, i - 1] + np.sqrt(1 - rho * rho) * noise[:, i]
    return noise
