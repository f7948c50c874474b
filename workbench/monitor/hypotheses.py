"""Two-sample tests of numbers as Evidently runs them, from counts by value: in one or two readings, in any memory.

Each follows its published definition, and the odd choices that scipy (or Evidently) made within it.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from workbench.monitor.joint import Joint, order_statistics

_EXACT_RANKS = 8
"""With a sample this small and no ties, scipy counts arrangements instead of using the normal distribution."""
_EXACT_CVM = 20
_SETTLED = 1e-7
"""Evidently ends the series of Cramér and von Mises at a term this small: the same terms give the same score."""


class NotDefined(ValueError):
    """A method has no answer for these samples; the message says why."""


def energy_distance(joint: Joint) -> float:
    """Root of twice the integral of the squared gap of the two distribution functions."""
    area, last, below, under = 0.0, math.nan, 0.0, 0.0
    for block in joint.blocks():
        left, right = below + np.cumsum(block.left), under + np.cumsum(block.right)
        if not math.isnan(last):
            area += (below / joint.n - under / joint.m) ** 2 * (float(block.values[0]) - last)
        area += float(np.dot((left / joint.n - right / joint.m)[:-1] ** 2, np.diff(block.values)))
        last, below, under = float(block.values[-1]), float(left[-1]), float(right[-1])
    return math.sqrt(2 * area)


def anderson_darling(joint: Joint) -> float:
    """P-value of the k-sample test of Scholz and Stephens (1987) for two, ties at mid-rank, kept in 0.001..0.25."""
    n, m = joint.n, joint.m
    total = float(n + m)
    if total < 4:
        raise NotDefined("fewer than 4 values")
    statistic, below, under, distinct = 0.0, 0.0, 0.0, 0
    for block in joint.blocks():
        ties = block.left + block.right
        first, second = below + np.cumsum(block.left), under + np.cumsum(block.right)
        rank = first + second - ties / 2
        weight = rank * (total - rank) - total * ties / 4
        with np.errstate(divide="ignore", invalid="ignore"):
            for side, size, counts in ((first, n, block.left), (second, m, block.right)):
                inner = ties / total * (total * (side - counts / 2) - rank * size) ** 2 / weight
                statistic += float(inner.sum()) / size
        below, under, distinct = float(first[-1]), float(second[-1]), distinct + len(block.values)
    if distinct < 2:
        raise NotDefined("one value only")
    statistic *= (total - 1) / total
    return _anderson_p_value((statistic - 1) / math.sqrt(_anderson_variance(n, m)))


def _anderson_variance(n: int, m: int) -> float:
    total = n + m
    inverse = 1 / np.arange(total - 1, 1, -1)
    sums = inverse.cumsum()
    h, sizes = float(sums[-1]) + 1, 1 / n + 1 / m
    g = float((sums / np.arange(2, total)).sum())
    a = 4 * g - 6 + (10 - 6 * g) * sizes
    b = (2 * g - 4) * 4 + 16 * h + (2 * g - 14 * h - 4) * sizes - 8 * h + 4 * g - 6
    c = (6 * h + 2 * g - 2) * 4 + (4 * h - 4 * g + 6) * 2 + (2 * h - 6) * sizes + 4 * h
    d = (2 * h + 6) * 4 - 8 * h
    size = float(total)
    return float((a * size**3 + b * size**2 + c * size + d) / ((size - 1) * (size - 2) * (size - 3)))


def _anderson_p_value(statistic: float) -> float:
    """Their table 2 at one degree of freedom, a parabola through the logarithm of the levels between its ends."""
    critical = np.array([0.675, 1.281, 1.645, 1.96, 2.326, 2.573, 3.085])
    critical = critical + np.array([-0.245, 0.25, 0.678, 1.149, 1.822, 2.364, 3.615])
    critical = critical + np.array([-0.105, -0.305, -0.362, -0.391, -0.396, -0.345, -0.154])
    levels = np.array([0.25, 0.1, 0.05, 0.025, 0.01, 0.005, 0.001])
    if statistic < critical.min():
        return 0.25
    if statistic > critical.max():
        return 0.001
    square, slope, level = np.polyfit(critical, np.log(levels), 2).tolist()
    return math.exp((square * statistic + slope) * statistic + level)


def cramer_von_mises(joint: Joint) -> float:
    """P-value of Anderson's (1962) two-sample criterion, ties at mid-rank."""
    n, m = joint.n, joint.m
    if min(n, m) < 2:
        raise NotDefined("fewer than 2 values on a side")
    if max(n, m) <= _EXACT_CVM:
        from scipy.stats import cramervonmises_2samp

        left, right = _held(joint)
        return float(cramervonmises_2samp(left, right, method="exact").pvalue)
    below = under = first = second = 0.0
    for block in joint.blocks():
        ties, a, b = block.left + block.right, block.left, block.right
        i, j = below + np.cumsum(a) - a, under + np.cumsum(b) - b
        rank = i + j + (ties + 1) / 2
        first += float(_squares(rank - i, a).sum())
        second += float(_squares(rank - j, b).sum())
        below, under = float(i[-1] + a[-1]), float(j[-1] + b[-1])
    product, total = n * m, n + m
    found = (n * first + m * second) / (product * total) - (4 * product - 1) / (6 * total)
    spread = (total + 1.0) * (4 * product * total - 3 * (n**2 + m**2) - 2 * product) / (45 * total**2 * 4 * product)
    scaled = 1 / 6 + (found - (1 + 1 / total) / 6) / math.sqrt(45 * spread)
    return 1.0 if scaled < 0.003 else max(0.0, 1.0 - _cramer_limit(scaled))


def _squares(offset: NDArray[np.float64], count: NDArray[np.float64]) -> NDArray[np.float64]:
    """The sum of (offset - k)² over k = 1..count, element by element."""
    linear = count * (count + 1)
    return np.asarray(count * offset**2 - offset * linear + linear * (2 * count + 1) / 6)


def _cramer_limit(x: float) -> float:
    """Distribution of the criterion in the limit: equation 1.2 of Csörgő and Faraway (1996)."""
    from scipy.special import gammaln, kv

    total, k = 0.0, 0
    term = 1.0
    while abs(term) >= _SETTLED:
        y = 4 * k + 1
        q = y**2 / (16 * x)
        front = math.exp(float(gammaln(k + 0.5) - gammaln(k + 1))) / (math.pi**1.5 * math.sqrt(x))
        term = front * math.sqrt(y) * math.exp(-q) * float(kv(0.25, q))
        total += term
        k += 1
    return total


def t_test(joint: Joint) -> float:
    """Two-sided p-value of Student's t with one variance for both sides."""
    n, m = joint.n, joint.m
    if n + m < 3:
        raise NotDefined("fewer than 3 values")
    from scipy.special import stdtr

    centre = float(next(iter(joint.blocks())).values[0])
    first = second = 0.0
    for block in joint.blocks():
        first += float(np.dot(block.left, block.values - centre))
        second += float(np.dot(block.right, block.values - centre))
    first, second = first / n, second / m
    squares = 0.0
    for block in joint.blocks():
        values = block.values - centre
        squares += float(np.dot(block.left, (values - first) ** 2) + np.dot(block.right, (values - second) ** 2))
    if squares == 0:
        if first == second:
            raise NotDefined("both sides are constant and equal")
        return 0.0
    freedom = n + m - 2
    t = (first - second) / math.sqrt(squares / freedom * (1 / n + 1 / m))
    return float(2 * stdtr(freedom, -abs(t)))


def mann_whitney(joint: Joint) -> float:
    """P-value of the rank sum, one-sided as Evidently asks for it: small where current values are greater."""
    n, m = joint.n, joint.m
    total = n + m
    ranks = ties = before = most = 0.0
    for block in joint.blocks():
        both = block.left + block.right
        middle = before + np.cumsum(both) - both + (both + 1) / 2
        ranks += float(np.dot(block.left, middle))
        ties += float((both**3 - both).sum())
        before += float(both.sum())
        most = max(most, float(both.max()))
    u = n * m - (ranks - n * (n + 1) / 2)
    if min(n, m) <= _EXACT_RANKS and most <= 1:
        from scipy.stats import mannwhitneyu

        left, right = _held(joint)
        return float(mannwhitneyu(left, right, alternative="less").pvalue)
    from scipy.special import ndtr

    spread = math.sqrt(max(n * m / 12 * ((total + 1) - ties / (total * (total - 1))), 0.0))
    if spread == 0:
        return 1.0
    return float(ndtr(-((u - n * m / 2 - 0.5) / spread)))


def epps_singleton(joint: Joint) -> float:
    """P-value of Epps and Singleton (1986): the empirical characteristic functions at 0.4 and 0.8 semi-ranges."""
    n, m = joint.n, joint.m
    total = n + m
    if min(n, m) < 5:
        raise NotDefined("fewer than 5 values on a side")
    scale = _interquartile(joint) / 2
    if scale == 0:
        raise NotDefined("the middle half of all values is one value")
    from scipy.special import chdtrc

    sums = [np.zeros(4), np.zeros(4)]
    for block in joint.blocks():
        waves = _waves(block.values, scale)
        for side, counts in enumerate((block.left, block.right)):
            sums[side] += waves @ counts
    means = sums[0] / n, sums[1] / m
    spread = [np.zeros((4, 4)), np.zeros((4, 4))]
    for block in joint.blocks():
        waves = _waves(block.values, scale)
        for side, (counts, mean) in enumerate(zip((block.left, block.right), means, strict=True)):
            off = waves - mean[:, None]
            spread[side] += (off * counts) @ off.T
    inverse = np.linalg.pinv(total / n * spread[0] / n + total / m * spread[1] / m)
    rank = int(np.linalg.matrix_rank(inverse))
    if not rank:
        return 0.0  # a constant on each side, and not the same one
    gap = means[0] - means[1]
    found = total * float(gap @ inverse @ gap)
    if max(n, m) < 25:
        found /= 1 + total**-0.45 + 10.1 * (n**-1.7 + m**-1.7)
    return float(chdtrc(rank, found))


def _waves(values: NDArray[np.float64], scale: float) -> NDArray[np.float64]:
    at = np.outer(np.array([0.4, 0.8]) / scale, values)
    return np.concatenate((np.cos(at), np.sin(at)))


def _interquartile(joint: Joint) -> float:
    """Between the pooled quartiles, weighted as scipy does it: an outlier's phase shows the last bit of the scale."""
    places = np.array([0.25, 0.75]) * (joint.n + joint.m - 1)
    whole = np.floor(places).astype(np.int64)
    ranks = np.array([whole[0], min(whole[0] + 1, joint.n + joint.m - 1), whole[1], whole[1] + 1])
    ranks = np.minimum(ranks, joint.n + joint.m - 1)
    a, b, c, d = map(float, order_statistics(joint, ranks))
    low, high = (x * (1 - share) + y * share for x, y, share in ((a, b, places[0] % 1), (c, d, places[1] % 1)))
    return float(high - low)


def _held(joint: Joint) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Both samples as arrays, where a side is known to be tiny."""
    parts = list(joint.blocks())
    left, right = (
        np.concatenate([np.repeat(part.values, getattr(part, side).astype(np.int64)) for part in parts])
        for side in ("left", "right")
    )
    return left, right
