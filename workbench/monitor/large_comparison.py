"""The calibrated comparison of columns too long to be held: everything in one reading by slices, two with outliers."""

# ruff: noqa: S608 – SQL is put together from constants and quoted identifiers; values travel as parameters.
from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from workbench.monitor.binned import count_in
from workbench.monitor.comparison import QUANTILE_BINS, fence_ranks, fences_of, is_constant
from workbench.monitor.joint import Joint
from workbench.monitor.large import (
    LargeNumbers,
    Slice,
    clipped,
    cut_range,
    describe,
    join_slices,
    read_slices,
    sweep,
    tally_values,
)
from workbench.monitor.methods import Tally
from workbench.monitor.noise import Law, energy_law, law_ranks, wasserstein_law
from workbench.monitor.session import Session
from workbench.monitor.tables import Column, Table
from workbench.monitor.timeblocks import INDEPENDENT, BlockNoise


class _Swept(Struct, frozen=True):
    """What one reading of both sides gives: area and gap, and values of each at some ranks."""

    area: float
    gap: float
    reference: NDArray[np.float64]
    current_median: float


@dataclass(frozen=True, eq=False)
class LargeComparison:
    """Two columns of numbers in files, see `workbench.monitor.comparison.Comparison`."""

    session: Session
    left: Table
    right: Table
    columns: tuple[Column, Column]
    noise: tuple[BlockNoise, BlockNoise] = (INDEPENDENT, INDEPENDENT)

    @cached_property
    def reference(self) -> LargeNumbers:
        """What is known of the reference."""
        return describe(self.session, self.left, self.columns[0])

    @cached_property
    def current(self) -> LargeNumbers:
        """What is known of the current side."""
        return describe(self.session, self.right, self.columns[1])

    @cached_property
    def fences(self) -> tuple[float, float]:
        """Beyond these a value is an outlier."""
        low, high = self._swept.reference[:2].tolist()
        return fences_of(low, high)

    @cached_property
    def scale(self) -> float:
        """Standard deviation of the reference within its fences."""
        if is_constant(self.reference.ends):
            return 0.0
        if not self._beyond(self.reference):
            return self.reference.std
        return describe(self.session, self.left, self.columns[0], within=self.fences).std

    def area(self) -> float:
        """Wasserstein distance, values beyond a fence standing on it."""
        if not self._beyond(self.reference) and not self._beyond(self.current):
            return self._swept.area
        names = [clipped(column.number, self.fences) for column in self.columns]
        return sweep(self._slices(names), len(self.reference), len(self.current))[0]

    def gap(self) -> float:
        """Greatest difference of the two distribution functions."""
        return self._swept.gap

    def outside(self, low: float, high: float) -> tuple[int, int]:
        """How many current values are below and above."""
        name = self.columns[1].number
        below, above = self.session.rows(
            f"""SELECT count(*) FILTER ({name} < ? AND isfinite({name})),
                  count(*) FILTER ({name} > ? AND isfinite({name})) FROM {self.right.source}""",
            [low, high, *self.right.parameters],
        )[0]
        return int(below), int(above)

    def medians(self) -> tuple[float, float] | None:
        """Of the reference and of the current values."""
        return float(self._swept.reference[2]), self._swept.current_median

    def laws(self) -> tuple[Law, Law]:
        """Noise of the scaled area and of the energy distance."""
        quantiles = self._swept.reference[3 + QUANTILE_BINS - 1 :]
        return wasserstein_law(np.clip(quantiles, *self.fences), self.scale or 1.0), energy_law(quantiles)

    def joint(self) -> Joint:
        """Both samples by value."""
        return join_slices((self.reference, self.current), lambda: self._slices(self._names))

    def tally(self) -> Tally:
        """Counts by value."""
        names = (f"CASE WHEN isfinite({name}) THEN {name} END" for name in self._names)
        return tally_values(self.session, self.left, self.right, *names, keys=True)

    def tally_quantiles(self) -> Tally:
        """Counts in bins that hold equal shares of the reference."""
        edges = np.unique(self._swept.reference[3 : 3 + QUANTILE_BINS - 1])
        edges = edges[edges > self.reference.ends[0]]
        return count_in(self.joint(), np.concatenate(([-np.inf], edges, [np.inf])))

    @property
    def _names(self) -> list[str]:
        return [column.number for column in self.columns]

    def _beyond(self, side: LargeNumbers) -> bool:
        return side.ends[0] < self.fences[0] or side.ends[1] > self.fences[1]

    def _slices(self, names: list[str]) -> Iterator[Slice]:
        cuts = cut_range(self.session, self.left, self.right, names, len(self.reference) + len(self.current))
        return read_slices(self.session, self.left, self.right, names, cuts)

    @cached_property
    def _swept(self) -> _Swept:
        n, m = len(self.reference), len(self.current)
        deciles = np.arange(1, QUANTILE_BINS) * n // QUANTILE_BINS
        ranks = np.concatenate((fence_ranks(n), [n // 2], deciles, law_ranks(n)))
        found, middle = np.empty(len(ranks)), np.empty(1)
        slices = _picked(_picked(self._slices(self._names), 0, ranks, found), 1, np.array([m // 2]), middle)
        area, gap = sweep(slices, n, m)
        return _Swept(area, gap, found, float(middle[0]))


def _picked(
    slices: Iterator[Slice], side: int, ranks: NDArray[np.int64], found: NDArray[np.float64]
) -> Iterator[Slice]:
    """Passes slices on, and notes the values of one side at the ranks asked for."""
    before = 0
    for part in slices:
        cut, on_left, on_right, left, right = part
        on, values = (on_right, right) if side else (on_left, left)
        found[(ranks >= before) & (ranks < before + on)] = cut
        before += on
        inside = (ranks >= before) & (ranks < before + len(values))
        found[inside] = values[ranks[inside] - before]
        before += len(values)
        yield part
