"""Two samples of numbers seen scale-free: outliers beyond the reference's fences are counted, not measured."""

from __future__ import annotations

from functools import cached_property
from typing import Protocol

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from workbench.monitor.joint import Joint, join_numbers
from workbench.monitor.methods import Numbers, Sample, Tally, tally_numbers, wasserstein
from workbench.monitor.noise import Law, energy_law, law_ranks, wasserstein_law
from workbench.monitor.timeblocks import INDEPENDENT, BlockNoise, widest_gap

FENCE = 10.0
"""Fences stand this many times the distance from the 1st to the 99th percentile beyond these."""
QUANTILE_BINS = 10
_ROUNDING = 8
"""Values within this many units in the last place of the greatest are one value that was computed twice."""


class Comparison(Protocol):
    """What a calibrated verdict asks about two samples, whether they are held in memory or not."""

    @property
    def reference(self) -> Sample:
        """The reference's values as they are."""

    @property
    def current(self) -> Sample:
        """The current values as they are."""

    @property
    def scale(self) -> float:
        """Standard deviation of the reference within its fences; 0 for a constant."""

    @property
    def fences(self) -> tuple[float, float]:
        """Beyond these a value is an outlier; infinite where the reference gives no measure."""

    @property
    def noise(self) -> tuple[BlockNoise, BlockNoise]:
        """Noise of gap and area between blocks of time; empty where the reference's times are not known."""

    def area(self) -> float:
        """Wasserstein distance, values beyond a fence standing on it."""

    def gap(self) -> float:
        """Greatest difference of the two distribution functions."""

    def outside(self, low: float, high: float) -> tuple[int, int]:
        """How many current values are below and above."""

    def medians(self) -> tuple[float, float] | None:
        """Of the reference and of the current values, where they are at hand."""

    def laws(self) -> tuple[Law, Law]:
        """Noise of the scaled area and of the energy distance."""

    def joint(self) -> Joint:
        """Both samples by value, for all other methods."""

    def tally(self) -> Tally:
        """Counts by value, for samples of few values."""

    def tally_quantiles(self) -> Tally:
        """Counts in bins that hold equal shares of the reference, the outer ones open."""


class Baseline(Struct, frozen=True, eq=False, dict=True):
    """One column of the reference, sorted, and what every comparison with it needs, computed once."""

    numbers: Numbers
    noise: tuple[BlockNoise, BlockNoise] = (INDEPENDENT, INDEPENDENT)

    @cached_property
    def fences(self) -> tuple[float, float]:
        """Beyond these a value is an outlier."""
        return fences_of(*(float(self.numbers.values[place]) for place in fence_ranks(len(self.numbers))))

    @cached_property
    def core(self) -> Numbers:
        """The values, those beyond a fence standing on it."""
        return fenced(self.numbers, self.fences)

    @cached_property
    def scale(self) -> float:
        """Standard deviation within the fences, 0 where only rounding makes values differ."""
        return 0.0 if is_constant(self.numbers.ends) else self.core.std

    @cached_property
    def laws(self) -> tuple[Law, Law]:
        """Noise of the scaled area and of the energy distance."""
        ranks = law_ranks(len(self.numbers))
        return wasserstein_law(self.core.values[ranks], self.scale or 1.0), energy_law(self.numbers.values[ranks])

    @cached_property
    def edges(self) -> NDArray[np.float64]:
        """Inner edges of the bins that hold equal shares."""
        return quantile_edges(self.numbers.values)


class HeldComparison(Struct, frozen=True, eq=False, dict=True):
    """A baseline and a current sample, both in memory: O(m log n) where the current one is the smaller."""

    baseline: Baseline
    current: Numbers

    @property
    def reference(self) -> Numbers:
        """The reference's values as they are."""
        return self.baseline.numbers

    @property
    def scale(self) -> float:
        """Standard deviation of the reference within its fences."""
        return self.baseline.scale

    @property
    def fences(self) -> tuple[float, float]:
        """Beyond these a value is an outlier."""
        return self.baseline.fences

    @property
    def noise(self) -> tuple[BlockNoise, BlockNoise]:
        """Noise of gap and area between blocks of time."""
        return self.baseline.noise

    def area(self) -> float:
        """Wasserstein distance, values beyond a fence standing on it."""
        current = fenced(self.current, self.fences)
        whole = current is self.current and self.baseline.core is self.reference
        return wasserstein(self.baseline.core, current, self._places if whole else None)

    @cached_property
    def _places(self) -> NDArray[np.int64]:
        """How many reference values are below each current one: the one search in the whole reference."""
        return np.searchsorted(self.reference.values, self.current.values)

    def gap(self) -> float:
        """Greatest difference of the two distribution functions."""
        sparse = len(self.current) * 8 < len(self.reference)
        return widest_gap(self.reference.values, self.current.values, self._places if sparse else None)

    def outside(self, low: float, high: float) -> tuple[int, int]:
        """How many current values are below and above."""
        values = self.current.values
        return int(np.searchsorted(values, low)), len(values) - int(np.searchsorted(values, high, "right"))

    def medians(self) -> tuple[float, float] | None:
        """Of the reference and of the current values."""
        left, right = (float(side.values[len(side) // 2]) for side in (self.reference, self.current))
        return left, right

    def laws(self) -> tuple[Law, Law]:
        """Noise of the scaled area and of the energy distance."""
        return self.baseline.laws

    def joint(self) -> Joint:
        """Both samples by value."""
        return join_numbers(self.reference, self.current)

    def tally(self) -> Tally:
        """Counts by value."""
        return tally_numbers(self.reference, self.current)

    def tally_quantiles(self) -> Tally:
        """Counts in bins that hold equal shares of the reference."""
        edges = self.baseline.edges
        sides = []
        for side in (self.reference, self.current):
            below = np.searchsorted(side.values, edges)
            sides.append(np.diff(np.concatenate(([0], below, [len(side)]))))
        return Tally(sides[0], sides[1])


def fence_ranks(n: int) -> tuple[int, int]:
    """Ranks of the 1st and the 99th percentile of n sorted values."""
    return int(0.01 * (n - 1)), n - 1 - int(0.01 * (n - 1))


def fences_of(low: float, high: float) -> tuple[float, float]:
    """Fences from the 1st and the 99th percentile; none where these are equal."""
    if low == high:
        return -np.inf, np.inf
    reach = FENCE * (high - low)
    return low - reach, high + reach


def fenced(numbers: Numbers, fences: tuple[float, float]) -> Numbers:
    """The sample with its outliers put on the fences."""
    low, high = numbers.ends
    if low >= fences[0] and high <= fences[1]:
        return numbers
    return Numbers(np.clip(numbers.values, *fences), numbers.missing, numbers.infinite)


def is_constant(ends: tuple[float, float]) -> bool:
    """Whether the least and the greatest value are the same but for rounding."""
    low, high = ends
    return bool(high - low <= _ROUNDING * np.spacing(max(abs(low), abs(high))))


def quantile_edges(ordered: NDArray[np.float64]) -> NDArray[np.float64]:
    """Inner edges of bins of equal shares; fewer where values repeat, and each repeated value in one bin."""
    places = np.arange(1, QUANTILE_BINS) * len(ordered) // QUANTILE_BINS
    edges = np.unique(ordered[places])
    return np.asarray(edges[edges > ordered[0]])
