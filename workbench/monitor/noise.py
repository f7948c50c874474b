"""What chance alone makes of a score: laws in closed form, and where counts are too thin for them, draws.

Two samples of n and m rows of one distribution differ by noise that shrinks with sqrt(1/n + 1/m). Its size follows
from the reference: for distances between distribution functions from Brownian bridges over its quantiles (the limit
of both empirical functions), for divergences of counts from chi-square. Rows that follow each other are not
independent; `workbench.monitor.timeblocks` says how much more they vary.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from msgspec import Struct, structs
from numpy.typing import NDArray

from workbench.core.model import ColumnDrift
from workbench.monitor.binned import divergence
from workbench.monitor.methods import JENSEN_SHANNON, Method, Tally
from workbench.monitor.registry import HELLINGER, KULLBACK_LEIBLER, PSI

ALPHA = 0.005
"""Of tables without drift, the share in which any column is called drifted."""
_DRAWS = 1000
_SPLITS = 60
_PARTS = 8
"""A reference this many times longer than a window tells by itself how its parts differ; else both are mixed."""
_LEAST_EXPECTED = 5.0
"""Fewer expected rows than this make chi-square's limit doubtful: such categories are pooled."""
_FEW_EACH = 25
"""With fewer rows a category than this, divergences no longer follow chi-square."""
_THIN = 0.2
"""Above this share of rows in such categories, splits of the reference take the place of chi-square."""


class Law(Struct, frozen=True):
    """A score's noise, to be multiplied by sqrt(1/n + 1/m): what 95 % stay under, and the mean square."""

    p95: float
    square: float


@lru_cache(maxsize=1)
def _bridges() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Shares, close together towards both ends, and Brownian bridges at them, one a row; the same in every process."""
    tail = np.geomspace(1e-5, 0.02, 24)
    shares = np.concatenate((tail, np.linspace(0.02, 0.98, 97)[1:-1], 1 - tail[::-1]))
    steps = np.diff(np.concatenate(([0.0], shares, [1.0])))
    walks = np.cumsum(np.random.default_rng(20240229).normal(size=(_DRAWS, len(steps))) * np.sqrt(steps), axis=1)
    return shares, np.asarray(walks[:, :-1] - shares * walks[:, -1:])


def law_ranks(n: int) -> NDArray[np.int64]:
    """Ranks of the reference's n sorted values from which the laws are made."""
    shares, _ = _bridges()
    between = np.concatenate(([0.0], (shares[1:] + shares[:-1]) / 2, [1.0]))
    return np.asarray(np.rint(between * (n - 1)).astype(np.int64))


def wasserstein_law(quantiles: NDArray[np.float64], scale: float) -> Law:
    """Noise of the area between two distribution functions in units of `scale`; quantiles at `law_ranks`."""
    areas = np.abs(_bridges()[1]) @ np.diff(quantiles) / scale
    return Law(float(np.quantile(areas, 0.95)), float(np.mean(areas**2)))


def energy_law(quantiles: NDArray[np.float64]) -> Law:
    """Noise of the energy distance; quantiles at `law_ranks`."""
    areas = np.sqrt(2 * (_bridges()[1] ** 2 @ np.diff(quantiles)))
    return Law(float(np.quantile(areas, 0.95)), float(np.mean(areas**2)))


def kolmogorov_p(gap: float, size: float) -> float:
    """How likely two samples that amount to `size` rows (n m / (n + m)) are this far apart; Stephens (1970)."""
    root = math.sqrt(size)
    t = gap * (root + 0.12 + 0.11 / root)
    if t < 0.2:
        return 1.0
    terms = (math.copysign(2, k % 2 - 0.5) * math.exp(-2 * (k * t) ** 2) for k in range(1, 40))
    return min(max(math.fsum(terms), 0.0), 1.0)


class CountNoise(Struct, frozen=True):
    """Of two tables of counts: how likely without drift, and what 95 % of such pairs score at most."""

    p_value: float
    p95: float | None


class SplitLaw(Struct, frozen=True):
    """Mean and variance of a squared divergence between random parts of the reference."""

    mean: float
    variance: float


Drawn = dict[tuple[str, int], SplitLaw]
"""Laws drawn before from one reference, by method and size of the window."""


def count_noise(method: Method, tally: Tally, inflation: float = 1.0, drawn: Drawn | None = None) -> CountNoise:
    """Chi-square of both sides against their common shares, categories too rare for it pooled.

    inflation: by how much counts of rows that follow each other vary more than counts of independent ones.
    drawn: where to look for, and to put, laws that had to be drawn.
    """
    n, m = int(tally.reference.sum()), int(tally.current.sum())
    pooled = _without_rare(tally)
    if pooled is None:
        return _split_noise(method, tally, inflation, {} if drawn is None else drawn)
    if len(pooled) < 2:
        return CountNoise(1.0, _floor(method, 1, n, m, inflation))
    from scipy.special import chdtrc

    common = (pooled.reference + pooled.current) / (n + m)
    statistic = sum(
        float(np.sum((side - size * common) ** 2 / (size * common)))
        for side, size in ((pooled.reference, n), (pooled.current, m))
    )
    kinds = max(len(pooled) - 1, int(np.count_nonzero(tally.reference)) - 1)
    return CountNoise(float(chdtrc(len(pooled) - 1, statistic / inflation)), _floor(method, kinds, n, m, inflation))


def _without_rare(tally: Tally) -> Tally | None:
    """Categories that are rare put together; None where too many rows are in such ones."""
    n, m = int(tally.reference.sum()), int(tally.current.sum())
    both = tally.reference + tally.current
    rare = both * (min(n, m) / (n + m)) < _LEAST_EXPECTED
    if len(tally) > 5 and len(tally) * _FEW_EACH > min(n, m):
        return None
    if not rare.any():
        return tally
    if both[rare].sum() > _THIN * (n + m) and np.count_nonzero(rare) > 5:
        return None
    left, right = tally.reference[~rare].tolist(), tally.current[~rare].tolist()
    more = int(tally.reference[rare].sum()), int(tally.current[rare].sum())
    if left and sum(more) * min(n, m) / (n + m) < _LEAST_EXPECTED:
        least = int(np.argmin(both[~rare]))
        left[least], right[least] = left[least] + more[0], right[least] + more[1]
    else:
        left, right = [*left, more[0]], [*right, more[1]]
    return Tally(np.asarray(left, np.int64), np.asarray(right, np.int64))


def _floor(method: Method, freedom: int, n: int, m: int, inflation: float) -> float | None:
    """The 95th percentile of a divergence: each is, in the limit, chi-square times a power of 1/n + 1/m."""
    from scipy.special import chdtri

    reach = float(chdtri(max(freedom, 1), 0.05)) * (1 / n + inflation / m)
    if method.key == PSI.key:
        return reach
    if method.key == KULLBACK_LEIBLER.key:
        return reach / 2
    return math.sqrt(reach / 8) if method.key in {JENSEN_SHANNON.key, HELLINGER.key} else None


def _split_noise(method: Method, tally: Tally, inflation: float, drawn: Drawn) -> CountNoise:
    """From random splits, values that only one part has included; a gamma law through their squared divergences."""
    from scipy.special import gammaincc, gammainccinv

    n, m = int(tally.reference.sum()), int(tally.current.sum())
    scored = JENSEN_SHANNON if method.is_p_value else method
    if _PARTS * m > n:
        law = _draw_splits(scored, tally.reference + tally.current, m)
    else:
        # Windows of about one size share the splits of a long reference: the size rounded down, for more noise.
        size = int(2 ** (math.floor(8 * math.log2(m)) / 8))
        law = drawn.get((scored.key, size)) or _draw_splits(scored, tally.reference, size)
        drawn[scored.key, size] = law
    mean, spread = law.mean * inflation, law.variance * inflation**2
    if mean <= 0:
        return CountNoise(1.0, 0.0)
    shape = mean**2 / max(spread, 1e-3 * mean**2)
    found = divergence(scored, tally) ** 2
    p95 = math.sqrt(float(gammainccinv(shape, 0.05)) * mean / shape)
    return CountNoise(float(gammaincc(shape, found * shape / mean)), None if method.is_p_value else p95)


def _draw_splits(method: Method, counts: NDArray[np.int64], size: int) -> SplitLaw:
    """Random parts of that many rows against the rest of the rows counted."""
    counts = counts[counts > 0]
    random = np.random.default_rng(20240229)
    splits = _SPLITS if len(counts) <= 5000 else _SPLITS // 5
    parts = random.multivariate_hypergeometric(counts, size, size=splits, method="marginals")
    squares = [divergence(method, _present(counts - part, part)) ** 2 for part in parts]
    return SplitLaw(float(np.mean(squares)), float(np.var(squares, ddof=1)))


def _present(left: NDArray[np.int64], right: NDArray[np.int64]) -> Tally:
    some = (left + right) > 0
    return Tally(left[some], right[some])


def settle(columns: Sequence[ColumnDrift], alpha: float = ALPHA) -> list[ColumnDrift]:
    """The verdicts of columns tested together: p-values adjusted by Benjamini and Hochberg (1995).

    A column that is beyond its own noise, but not beyond what the worst of so many columns does by chance, is `ok`.
    Columns without a p-value stay as they are.
    """
    tested = [i for i, column in enumerate(columns) if column.p_value is not None and column.status in {"ok", "drift"}]
    raw = np.asarray([columns[i].p_value for i in tested], np.float64)
    order = np.argsort(raw, kind="stable")
    scaled = raw[order] * len(raw) / np.arange(1, len(raw) + 1)
    adjusted = np.minimum(np.minimum.accumulate(scaled[::-1])[::-1], 1.0)
    result = list(columns)
    for place, value in zip(order.tolist(), adjusted.tolist(), strict=True):
        column = columns[tested[place]]
        if column.status == "drift" and value > alpha:
            why = f"not beyond what the worst of {len(raw)} columns does by chance"
            reason = f"{why}; {column.reason}" if column.reason else why
            column = structs.replace(column, status="ok", drifted=False, reason=reason)
        result[tested[place]] = structs.replace(column, p_value=value)
    return result
