"""Is a slice worse than the rest, and by how much at least? Many slices at once, from sums over their rows.

Sums are arrays [moments, ...]: how many rows, their loss, and for losses that are no yes or no also its square, its
rank and the rank's square. Everything after the first axis is a slice each.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln, ndtr, ndtri, stdtr, stdtrit

Floats = NDArray[np.float64]
_SMALL = 0.02
"""Only what an approximation puts below this is computed exactly: larger ones decide nothing."""


class Loss(Protocol):
    """What is bad about each row, and how slices of rows are compared by it."""

    @property
    def moments(self) -> Floats:
        """[moments, rows]."""
        ...

    def p_values(self, inside: Floats, outside: Floats) -> Floats:
        """How likely a slice is this much worse than other rows by chance; one-sided."""
        ...

    def interval(self, inside: Floats, outside: Floats, alpha: float) -> tuple[Floats, Floats]:
        """How much worse a slice is than other rows: limits that miss it with probability `alpha`."""
        ...

    def mean(self, sums: Floats) -> Floats:
        """Mean loss of slices, in the loss's unit."""
        ...


@dataclass(frozen=True, slots=True)
class YesNo:
    """A row is bad or not: a wrong class, a slow answer. Fisher's exact test, Newcombe's interval of Wilson's."""

    moments: Floats

    @classmethod
    def of(cls, bad: NDArray[np.bool_]) -> YesNo:
        """From one truth value a row."""
        return cls(np.stack([np.ones(len(bad)), bad.astype(np.float64)]))

    def p_values(self, inside: Floats, outside: Floats) -> Floats:
        """Fisher's exact test: as many bad rows or more, were they spread over all rows at random."""
        n, bad = inside
        size, all_bad = n + outside[0], bad + outside[1]
        rate = all_bad / size
        deviation = np.sqrt(np.maximum(n * rate * (1 - rate) * (size - n) / np.maximum(size - 1, 1), 1e-12))
        found = ndtr(-(bad - 0.5 - n * rate) / deviation)
        close = found < _SMALL
        if close.any():
            found[close] = hypergeometric_tail(bad[close], n[close], all_bad[close], size[close])
        return np.asarray(found, np.float64)

    def interval(self, inside: Floats, outside: Floats, alpha: float) -> tuple[Floats, Floats]:
        """Newcombe's interval for the difference of two shares."""
        z = float(-ndtri(alpha / 2))
        share, other = self.mean(inside), self.mean(outside)
        low, high = wilson(inside[1], inside[0], z)
        other_low, other_high = wilson(outside[1], outside[0], z)
        gap = share - other
        return (
            gap - np.sqrt((share - low) ** 2 + (other_high - other) ** 2),
            gap + np.sqrt((high - share) ** 2 + (other - other_low) ** 2),
        )

    def mean(self, sums: Floats) -> Floats:
        """Share of bad rows."""
        return np.asarray(sums[1] / np.maximum(sums[0], 1))


@dataclass(frozen=True, slots=True)
class Size:
    """A row is bad by an amount: an absolute error. Both a test of ranks and Welch's have to say so.

    Errors have long tails, which alone make means differ; ranks do not see how large an error is. The larger of the two
    p-values holds as long as one of the tests does.
    """

    moments: Floats
    center: float
    """Subtracted from every loss, so that squares keep their digits."""

    @classmethod
    def of(cls, loss: Floats) -> Size:
        """From one finite loss a row."""
        center = float(loss.mean()) if len(loss) else 0.0
        ranks = mean_ranks(loss)
        ranks -= ranks.mean() if len(ranks) else 0.0
        moved = loss - center
        return cls(np.stack([np.ones(len(loss)), moved, moved**2, ranks, ranks**2]), center)

    def p_values(self, inside: Floats, outside: Floats) -> Floats:
        """The larger of the p-values by ranks and by means."""
        return np.maximum(_by_ranks(inside, outside), _by_means(inside, outside))

    def interval(self, inside: Floats, outside: Floats, alpha: float) -> tuple[Floats, Floats]:
        """Welch's interval for the difference of two means."""
        gap, error, freedom = _welch(inside, outside)
        reach = error * -stdtrit(freedom, alpha / 2)
        return gap - reach, gap + reach

    def mean(self, sums: Floats) -> Floats:
        """Mean loss."""
        return np.asarray(sums[1] / np.maximum(sums[0], 1) + self.center)


def hypergeometric_tail(bad: Floats, n: Floats, all_bad: Floats, size: Floats) -> Floats:
    """P(X ≥ bad) when `n` of `size` rows are drawn and `all_bad` of them are bad; arrays of one length.

    The terms from `bad` on are summed as ratios to the first, which shrink ever faster once above the mean.
    """
    good = size - all_bad
    first = np.exp(
        _log_choose(all_bad, bad) + _log_choose(good, n - bad) - _log_choose(size, n)
    )  # fmt: skip
    total, term, place = np.ones_like(first), np.ones_like(first), bad.copy()
    top = np.minimum(n, all_bad)
    for _ in range(100_000):
        term = np.where(
            place < top, term * (all_bad - place) * (n - place) / ((place + 1) * (good - n + place + 1)), 0.0
        )
        total += term
        place += 1
        if not (term > 1e-10 * total).any():
            break
    return np.asarray(np.minimum(first * total, 1.0), np.float64)


def wilson(bad: Floats, n: Floats, z: float) -> tuple[Floats, Floats]:
    """Wilson's limits for a share."""
    n = np.maximum(n, 1)
    share = bad / n
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    reach = z * np.sqrt(share * (1 - share) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    return np.maximum(middle - reach, 0.0), np.minimum(middle + reach, 1.0)


def benjamini_hochberg(p_values: Floats, rate: float) -> tuple[float, int]:
    """Largest p-value that may count as found so that at most `rate` of all found are expected to be chance, and how
    many are found; (0, 0) where none is.
    """
    ordered = np.sort(p_values)
    passed = np.flatnonzero(ordered <= rate * np.arange(1, len(ordered) + 1) / max(len(ordered), 1))
    if not len(passed):
        return 0.0, 0
    return float(ordered[passed[-1]]), int(passed[-1]) + 1


def mean_ranks(values: Floats) -> Floats:
    """Ranks from 1 on, equal values sharing the mean of theirs."""
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    return np.asarray((ends - (counts - 1) / 2)[place], np.float64)


def _by_ranks(inside: Floats, outside: Floats) -> Floats:
    """How likely ranks as high as these are, were rows drawn without looking."""
    n, size = inside[0], inside[0] + outside[0]
    ranks, squares = inside[3] + outside[3], inside[4] + outside[4]
    variance = np.maximum(squares - ranks**2 / size, 0.0) / np.maximum(size - 1, 1)
    error = np.sqrt(np.maximum(variance / np.maximum(n, 1) * (1 - n / size), 1e-300))
    return np.asarray(ndtr(-(inside[3] / np.maximum(n, 1) - ranks / size) / error))


def _by_means(inside: Floats, outside: Floats) -> Floats:
    gap, error, freedom = _welch(inside, outside)
    return np.asarray(stdtr(freedom, -gap / error))


def _welch(inside: Floats, outside: Floats) -> tuple[Floats, Floats, Floats]:
    """Difference of means, its standard error, and Welch's degrees of freedom."""
    n, m = np.maximum(inside[0], 1), np.maximum(outside[0], 1)
    gap = inside[1] / n - outside[1] / m
    first = np.maximum(inside[2] - inside[1] ** 2 / n, 0.0) / np.maximum(n - 1, 1) / n
    second = np.maximum(outside[2] - outside[1] ** 2 / m, 0.0) / np.maximum(m - 1, 1) / m
    error = np.sqrt(np.maximum(first + second, 1e-300))
    weights = first**2 / np.maximum(n - 1, 1) + second**2 / np.maximum(m - 1, 1)
    freedom = np.clip((first + second) ** 2 / np.maximum(weights, 1e-300), 1.0, 1e9)
    return gap, error, freedom


def _log_choose(n: Floats, k: Floats) -> Floats:
    return np.asarray(gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1))
