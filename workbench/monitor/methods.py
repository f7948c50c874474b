"""Drift scores of two samples, equal to Evidently's to 1e-9: its default choice, thresholds and formulas.

Where Evidently's rules are odd they are kept, because a score is only comparable if it is the same score: the sample
size that switches methods is the reference's alone; the normed Wasserstein distance divides by at least 0.001;
chi-square takes the reference for exact.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any, Literal, Protocol

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

SMALL_REFERENCE = 1000
"""Up to this many reference values Evidently tests hypotheses (p-values); above it measures distances."""
STD_FLOOR = 0.001
"""Evidently divides by no standard deviation smaller than this."""
_BLOCK = 1 << 17
_SPARSE = 8
"""A current sample this many times smaller than the reference is cheaper to search for than to merge."""


class Method(Struct, frozen=True):
    """A way to score drift, named as Evidently names it, with the threshold of its verdict."""

    name: str
    threshold: float
    sides: Literal["score >= threshold", "score > threshold", "score <= threshold", "score < threshold"]
    key: str = ""
    """What Evidently and the command line call it."""
    numbers: bool = True
    categories: bool = True

    @property
    def is_p_value(self) -> bool:
        """Whether a small score means drift."""
        return "<" in self.sides

    def drifted(self, score: float) -> bool:
        """The verdict: a distance that is large or a p-value that is small."""
        if self.sides == "score >= threshold":
            return score >= self.threshold
        if self.sides == "score > threshold":
            return score > self.threshold
        return score <= self.threshold if self.sides == "score <= threshold" else score < self.threshold


WASSERSTEIN = Method("Wasserstein distance (normed)", 0.1, "score >= threshold", "wasserstein", categories=False)
JENSEN_SHANNON = Method("Jensen-Shannon distance", 0.1, "score >= threshold", "jensenshannon")
KOLMOGOROV_SMIRNOV = Method("K-S p_value", 0.05, "score <= threshold", "ks", categories=False)
CHI_SQUARE = Method("chi-square p_value", 0.05, "score < threshold", "chisquare", numbers=False)
Z_TEST = Method("Z-test p_value", 0.05, "score < threshold", "z", numbers=False)


def default_method(numeric: bool, n_reference: int, distinct: int) -> Method:
    """Evidently's choice; `distinct` counts the values of both sides together, 6 standing for more than 5."""
    if numeric and distinct > 5:
        return KOLMOGOROV_SMIRNOV if n_reference <= SMALL_REFERENCE else WASSERSTEIN
    if n_reference > SMALL_REFERENCE:
        return JENSEN_SHANNON
    return CHI_SQUARE if distinct > 2 else Z_TEST


class Sample(Protocol):
    """What a verdict needs to know of a column's finite values, besides its score."""

    @property
    def missing(self) -> int:
        """Nulls and NaN."""

    @property
    def infinite(self) -> int:
        """Infinities of both signs."""

    @property
    def std(self) -> float:
        """Standard deviation with n in the denominator."""

    @property
    def ends(self) -> tuple[float, float]:
        """The least and the greatest value."""

    @property
    def rising(self) -> bool:
        """Whether the column holds integers of which, in the file, none is smaller than the one before it."""

    def __len__(self) -> int: ...

    def distinct(self, limit: int) -> NDArray[np.float64]:
        """All distinct values, or `limit` of them where there are more."""

    def distinct_count(self) -> int:
        """How many distinct values there are, to a few per cent."""


@dataclass(frozen=True, eq=False)
class Numbers:
    """The finite values of a column, sorted, with what was left out of them."""

    values: NDArray[np.float64]
    missing: int = 0
    infinite: int = 0
    single: bool = False
    """The column holds 32-bit floats: its standard deviation is rounded to them, as pandas does."""
    integers: bool = False
    """The column holds integers and no nulls."""
    rising: bool = False
    """It holds integers, and in the file none is smaller than the one before it."""

    def __len__(self) -> int:
        return len(self.values)

    @cached_property
    def std(self) -> float:
        """Standard deviation with n in the denominator."""
        with np.errstate(over="ignore", invalid="ignore"):
            std = float(np.std(self.values))
            return float(np.float32(std)) if self.single else std

    @property
    def ends(self) -> tuple[float, float]:
        """The least and the greatest value."""
        return float(self.values[0]), float(self.values[-1])

    @cached_property
    def _prefix(self) -> tuple[float, NDArray[np.float64]]:
        """A centre, and the running sums of the values less it: centred, little is lost to rounding."""
        centre = float(self.values[len(self.values) // 2])
        with np.errstate(over="ignore", invalid="ignore"):
            return centre, np.concatenate(([0.0], np.cumsum(self.values - centre)))

    def distinct(self, limit: int) -> NDArray[np.float64]:
        """The smallest distinct values, at most `limit` of them, in O(limit log n)."""
        found: list[float] = []
        at = 0
        while at < len(self.values) and len(found) < limit:
            found.append(float(self.values[at]))
            at = int(np.searchsorted(self.values, self.values[at], "right"))
        return np.asarray(found, np.float64)

    def distinct_count(self) -> int:
        """How many distinct values there are."""
        return int(np.count_nonzero(self.values[1:] != self.values[:-1])) + bool(len(self.values))

    def integral(self, positions: NDArray[np.float64]) -> NDArray[np.float64]:
        """Integral of the sorted (centred) values from index 0 to fractional indices."""
        _, sums = self._prefix
        whole = np.minimum(positions.astype(np.int64), len(self.values))
        inside = np.minimum(whole, len(self.values) - 1)
        return np.asarray(sums[whole] + (positions - whole) * (self.values[inside] - self.centre))

    @property
    def centre(self) -> float:
        """What `integral` subtracts from every value."""
        return self._prefix[0]


class Tally(Struct, frozen=True):
    """How often each value occurs on both sides; index 0 is the smallest value. Values may be left out."""

    reference: NDArray[np.int64]
    current: NDArray[np.int64]
    keys: Sequence[Any] = ()

    def __len__(self) -> int:
        return len(self.reference)


def tally_numbers(reference: Numbers, current: Numbers) -> Tally:
    """Count equal values of two sorted samples."""
    left, left_counts = np.unique(reference.values, return_counts=True)
    right, right_counts = np.unique(current.values, return_counts=True)
    keys = np.union1d(left, right)
    counts = np.zeros((2, len(keys)), np.int64)
    counts[0, np.searchsorted(keys, left)] = left_counts
    counts[1, np.searchsorted(keys, right)] = right_counts
    return Tally(counts[0], counts[1], keys.tolist())


def score_numbers(method: Method, reference: Numbers, current: Numbers) -> float:
    """Score two samples of numbers by Wasserstein or Kolmogorov-Smirnov."""
    if method.key == WASSERSTEIN.key:
        return normed(wasserstein(reference, current), reference)
    from scipy.stats import ks_2samp

    return float(ks_2samp(reference.values, current.values).pvalue)


def normed(distance: float, reference: Sample) -> float:
    """A distance in standard deviations of the reference, no deviation counting as less than 0.001."""
    return distance / max(reference.std, STD_FLOOR)


def wasserstein(reference: Numbers, current: Numbers, places: NDArray[np.int64] | None = None) -> float:
    """The area between two empirical distribution functions, exact.

    places: how many reference values are below each current one, where this is known already.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        if len(current) * _SPARSE < len(reference):
            return _wasserstein_sparse(reference, current.values, places)
        if len(current) == len(reference):
            return float(np.mean(np.abs(reference.values - current.values)))
        return _wasserstein_merged(reference.values, current.values)


def _wasserstein_merged(left: NDArray[np.float64], right: NDArray[np.float64]) -> float:
    """Mean gap between the quantile functions, whose steps lie at i/n and j/m: whole numbers in units of 1/(n m)."""
    n, m = len(left), len(right)
    total, area = n * m, 0.0
    blocks = max(1, (n + m) // _BLOCK)
    bounds = [total * block // blocks for block in range(blocks + 1)]
    for low, high in pairwise(bounds):
        steps_left = np.arange(-(-low // m), -(-high // m), dtype=np.int64) * m
        steps_right = np.arange(-(-low // n), -(-high // n), dtype=np.int64) * n
        edges = np.concatenate(([low], steps_left, steps_right, [high]))
        edges.sort(kind="stable")  # two ascending runs: merged, not sorted
        starts = edges[:-1]
        area += float(np.dot(np.abs(left[starts // m] - right[starts // n]), np.diff(edges).astype(np.float64)))
    return area / total


def _wasserstein_sparse(
    reference: Numbers, current: NDArray[np.float64], places: NDArray[np.int64] | None = None
) -> float:
    """The same in O(m log n): against one current value the sorted reference lies below it, then above."""
    n, m = len(reference), len(current)
    bounds = np.arange(m + 1, dtype=np.float64) * (n / m)
    bounds[-1] = n
    low, high = bounds[:-1], bounds[1:]
    places = np.searchsorted(reference.values, current) if places is None else places
    cross = np.clip(places.astype(np.float64), low, high)
    at = current - reference.centre
    below = at * (cross - low) - (reference.integral(cross) - reference.integral(low))
    above = (reference.integral(high) - reference.integral(cross)) - at * (high - cross)
    return float(np.sum(below + above)) / n


def jensen_shannon(tally: Tally) -> float:
    """Jensen-Shannon distance in nats: between 0 and sqrt(ln 2)."""
    left = tally.reference / tally.reference.sum()
    right = tally.current / tally.current.sum()
    middle = (left + right) / 2
    total = 0.0
    for side in (left, right):
        some = side > 0
        total += float(np.sum(side[some] * np.log(side[some] / middle[some])))
    return float(np.sqrt(max(total, 0.0) / 2))


def chi_square(tally: Tally) -> float:
    """P-value of the current counts, given the reference's shares as exact; a new value makes it 0."""
    from scipy.special import chdtrc

    expected = tally.reference * (tally.current.sum() / tally.reference.sum())
    if not expected.all():
        return 0.0
    statistic = float(np.sum((tally.current - expected) ** 2 / expected))
    return float(chdtrc(len(tally) - 1, statistic))


def z_test(tally: Tally) -> float:
    """Two-sided p-value of equal shares of the smallest value, of at most two."""
    from scipy.special import ndtr

    n, m = int(tally.reference.sum()), int(tally.current.sum())
    if len(tally) == 1:
        return 1.0
    left, right = 1 - tally.reference[0] / n, 1 - tally.current[0] / m
    pooled = (left * n + right * m) / (n + m)
    z = (left - right) / np.sqrt(pooled * (1 - pooled) * (1 / n + 1 / m))
    return float(2 * (1 - ndtr(abs(z))))
