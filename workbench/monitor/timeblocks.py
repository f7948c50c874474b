"""How much more rows that follow each other in time vary than independent ones, from blocks of the reference itself."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from workbench.monitor.methods import Numbers, wasserstein
from workbench.monitor.noise import law_ranks, wasserstein_law

KOLMOGOROV_SQUARE = math.pi**2 / 12
"""The mean square of Kolmogorov's limit law: of the gap times sqrt(n m / (n + m))."""
MOST_CODES = 1000
"""With more categories blocks are too small to tell anything of each."""
_SMALLEST = 32
_FEWEST = 20
"""Blocks that an estimate of a variance takes at least."""
_MOST = 64
_LONG = 16_384
_INDEPENDENT = 1.3
"""An estimate from 20 blocks of independent rows comes out this high once in a hundred times or so."""


class BlockNoise(Struct, frozen=True):
    """By size of a block: how many times more than independent rows it varies against the rest, and from how many."""

    sizes: Sequence[int] = ()
    inflations: Sequence[float] = ()
    blocks: Sequence[int] = ()

    def at(self, rows: int) -> tuple[float, int]:
        """The inflation for a window of that many rows, and how many blocks stand behind it; (1, 0) if independent.

        Beyond the largest block it goes on growing as it last grew: longer windows of a trend vary more still.
        """
        if not self.sizes or max(self.inflations) <= _INDEPENDENT:
            return 1.0, 0
        place = float(np.interp(math.log2(max(rows, 1)), np.log2(self.sizes), np.arange(len(self.sizes))))
        found = float(np.interp(place, np.arange(len(self.sizes)), self.inflations))
        if rows > self.sizes[-1] and len(self.sizes) > 2:
            growth = math.sqrt(self.inflations[-1] / max(self.inflations[-3], 1.0))
            growth = min(max(growth, 1.0), 2.0)
            found *= growth ** math.log2(rows / self.sizes[-1])
        blocks = self.blocks[round(place)]
        return (found, blocks) if found > _INDEPENDENT else (max(found, 1.0), 0)


INDEPENDENT = BlockNoise()
"""Nothing known of the reference's times: rows are taken for independent."""


def blocks_of_numbers(ordered: NDArray[np.float64], reference: Numbers) -> tuple[BlockNoise, BlockNoise]:
    """Noise of the gap and of the area between distribution functions.

    ordered: the reference's finite values in the order of time; `reference` holds the same ones sorted.
    """
    n = len(ordered)
    sizes, gaps, areas, counts = [], [], [], []
    everything = wasserstein_law(reference.values[law_ranks(n)], 1.0).square
    for size in _sizes(n):
        found = [_against_rest(reference, ordered[start : start + size]) for start in _starts(n, size)]
        square_gap = float(np.mean([gap**2 for gap, _ in found]))
        square_area = float(np.mean([area**2 for _, area in found]))
        spread = 1 / size + 1 / (n - size)
        sizes.append(size)
        gaps.append(square_gap / (KOLMOGOROV_SQUARE * spread))
        areas.append(square_area / (everything * spread) if everything else 1.0)
        counts.append(len(found))
    return BlockNoise(sizes, gaps, counts), BlockNoise(sizes, areas, counts)


def blocks_of_categories(ordered: NDArray[np.int64], kinds: int) -> BlockNoise:
    """Noise of chi-square; `ordered` are codes below `kinds` in the order of time."""
    n = len(ordered)
    everything = np.bincount(ordered, minlength=kinds)
    present = everything > 0
    shares = everything[present] / n
    sizes, inflations, counts = [], [], []
    for size in _sizes(n) if len(shares) > 1 else ():
        found = []
        for start in _starts(n, size):
            block = np.bincount(ordered[start : start + size], minlength=kinds)[present]
            found.append(float(np.sum((block - size * shares) ** 2 / (size * shares))))
        sizes.append(size)
        inflations.append(float(np.mean(found)) / ((len(shares) - 1) * (1 - size / n)))
        counts.append(len(found))
    return BlockNoise(sizes, inflations, counts)


def _sizes(n: int) -> list[int]:
    sizes = []
    size = _SMALLEST
    while size * _FEWEST <= n:
        sizes.append(size)
        size *= 2
    return sizes


def _starts(n: int, size: int) -> list[int]:
    """Where blocks of one size begin: end to end, or evenly apart where there would be more than needed."""
    blocks = min(n // size, _MOST)
    return [int(place) for place in np.linspace(0, n - size, blocks)]


def _against_rest(reference: Numbers, block: NDArray[np.float64]) -> tuple[float, float]:
    current = Numbers(np.sort(block))
    # The reference holds the block: against the rest alone both figures are greater by its share.
    rest = 1 - len(block) / len(reference)
    return widest_gap(reference.values, current.values) / rest, wasserstein(reference, current) / rest


def widest_gap(left: NDArray[np.float64], right: NDArray[np.float64], places: NDArray[np.int64] | None = None) -> float:
    """The greatest difference of two empirical distribution functions of sorted values.

    places: how many left values are below each right one, where this is known already.
    """
    n, m = len(left), len(right)
    if min(n, m) > _LONG:
        return _widest_gap_long(left, right)
    ranks = np.arange(m + 1, dtype=np.float64) / m
    before = np.searchsorted(left, right) if places is None else places
    upto = before.copy()
    same = left[np.minimum(before, n - 1)] == right
    upto[same] = np.searchsorted(left, right[same], "right")
    return max(float(np.max(ranks[1:] - upto / n)), float(np.max(before / n - ranks[:-1])), 0.0)


def _widest_gap_long(left: NDArray[np.float64], right: NDArray[np.float64]) -> float:
    """The same, exact, of two long samples: only stretches that could hold the widest gap are looked into."""
    n, m = len(left), len(right)
    cuts = np.unique(left[np.linspace(0, n - 1, _LONG // 4).astype(np.int64)])
    i = np.concatenate(([0], np.searchsorted(left, cuts, "right"), [n]))
    j = np.concatenate(([0], np.searchsorted(right, cuts, "right"), [m]))
    widest = float(np.max(np.abs(i / n - j / m)))
    # Between two cuts both functions only rise: they part by no more than from one's end to the other's start.
    most = np.maximum(i[1:] / n - j[:-1] / m, j[1:] / m - i[:-1] / n)
    for k in np.argsort(-most):
        if most[k] <= widest:
            break
        some, others = left[i[k] : i[k + 1]], right[j[k] : j[k + 1]]
        values = np.concatenate((some, others))
        above = (i[k] + np.searchsorted(some, values, "right")) / n
        widest = max(widest, float(np.max(np.abs(above - (j[k] + np.searchsorted(others, values, "right")) / m))))
    return widest
