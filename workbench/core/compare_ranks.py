"""Ranks of runs: how far two columns order them alike, and which runs no other beats in both."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from workbench.core.compare_columns import RunColumn

_FEW = 3


def ranks(values: ArrayLike) -> NDArray[np.float64]:
    """Ranks from 1 on; equal values share the middle of theirs."""
    _, inverse, counts = np.unique(np.asarray(values, np.float64), return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    shared: NDArray[np.float64] = (ends - (counts - 1) / 2)[inverse]
    return shared


def rank_correlation(one: Sequence[float | None], other: Sequence[float | None]) -> float | None:
    """Spearman's coefficient over the pairs that are known; None of fewer than three, or where all are alike."""
    pairs = [(a, b) for a, b in zip(one, other, strict=True) if a is not None and b is not None]
    if len(pairs) < _FEW:
        return None
    left, right = (ranks(side) - (len(pairs) + 1) / 2 for side in zip(*pairs, strict=True))
    spread = math.sqrt(float(left @ left) * float(right @ right))
    return float(left @ right) / spread if spread else None


def correlation_ratio(names: Sequence[str | None], values: Sequence[float | None]) -> float | None:
    """Share of the order of `values` that names explain, 0 to 1 (eta squared of ranks); None of fewer than three."""
    pairs = [(a, b) for a, b in zip(names, values, strict=True) if a is not None and b is not None]
    if len(pairs) < _FEW:
        return None
    order = ranks([value for _, value in pairs]) - (len(pairs) + 1) / 2
    total = float(order @ order)
    groups: dict[str, list[float]] = {}
    for (name, _), rank in zip(pairs, order.tolist(), strict=True):
        groups.setdefault(name, []).append(rank)
    between = math.fsum(math.fsum(group) ** 2 / len(group) for group in groups.values())
    return between / total if total else None


def relation(column: RunColumn, target: RunColumn) -> float:
    """How much a column has to do with the order of another, 0 to 1; 0 where that is unknown."""
    if column.names:
        words = [value if isinstance(value, str) else None for value in column.values]
        return math.sqrt(correlation_ratio(words, target.places) or 0.0)
    return abs(rank_correlation(column.places, target.places) or 0.0)


def front_of(x: RunColumn, y: RunColumn) -> frozenset[int]:
    """Places of the runs than which none is better in one column and as good in the other.

    Empty where a column has no better way.
    """
    if x.direction is None or y.direction is None:
        return frozenset()
    signs = [-1.0 if column.direction == "higher" else 1.0 for column in (x, y)]
    known = [
        (signs[0] * a, signs[1] * b, at)
        for at, (a, b) in enumerate(zip(x.values, y.values, strict=True))
        if isinstance(a, float) and isinstance(b, float)
    ]
    front: list[int] = []
    lowest, there = math.inf, -math.inf
    for a, b, at in sorted(known):
        if b < lowest or (b == lowest and a == there):
            front.append(at)
            lowest, there = b, a
    return frozenset(front)
