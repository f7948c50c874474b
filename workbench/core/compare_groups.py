"""Runs by what they have in common: the mean and the span of a metric in each group, over steps and in the end."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from workbench.core.compare_noise import t_quantile
from workbench.core.model import Run

Floats = NDArray[np.float64]

STEPS = 240
"""Places along the steps where a group's curve is known: more than a terminal has columns for dots."""


class Group(Struct, frozen=True):
    """Runs with the same value of a column, and their values of the metric."""

    name: str
    runs: tuple[Run, ...]
    values: tuple[float, ...]
    """Known and finite, in the order of the runs that have one."""

    @property
    def mean(self) -> float | None:
        """Of the values; None where there is none."""
        return math.fsum(self.values) / len(self.values) if self.values else None

    @property
    def deviation(self) -> float | None:
        """Standard deviation; None of fewer than two values."""
        n, mean = len(self.values), self.mean
        if n < 2 or mean is None:
            return None
        return math.sqrt(math.fsum((value - mean) ** 2 for value in self.values) / (n - 1))


class Band(Struct, frozen=True):
    """A group's curve: mean, lowest and highest of its runs at each x."""

    x: Floats
    mean: Floats
    low: Floats
    high: Floats
    count: NDArray[np.int64]
    """How many curves there are at each x."""


def groups_of(names: Sequence[str | None], runs: Sequence[Run], values: Mapping[str, float]) -> list[Group]:
    """Groups by name, in the order in which they come; `values` of the metric are by run id."""
    members: dict[str, list[Run]] = {}
    for name, run in zip(names, runs, strict=True):
        if name is not None:
            members.setdefault(name, []).append(run)
    return [
        Group(name, tuple(own), tuple(values[run.id] for run in own if math.isfinite(values.get(run.id, math.nan))))
        for name, own in members.items()
    ]


def differ(one: Group, other: Group) -> bool | None:
    """Whether the means of two groups differ by more than chance, by Welch's test at 95 %; None of too few values."""
    if one.mean is None or other.mean is None or len(one.values) < 2 or len(other.values) < 2:
        return None
    parts = [(group.deviation or 0.0) ** 2 / len(group.values) for group in (one, other)]
    error = sum(parts)
    if error == 0:
        return one.mean != other.mean
    sizes = [len(one.values) - 1, len(other.values) - 1]
    freedom = error**2 / sum(part**2 / size for part, size in zip(parts, sizes, strict=True) if part)
    return abs(one.mean - other.mean) > t_quantile(freedom) * math.sqrt(error)


def band_of(lines: Sequence[tuple[Floats, Floats]], steps: int = STEPS) -> Band | None:
    """Curves (x, y) of a group on common x, each read between its own points; None where none has a finite point.

    Where fewer than half of the curves go on there is no band.
    """
    curves = [_finite(x, y) for x, y in lines]
    curves = [(x, y) for x, y in curves if len(x)]
    if not curves:
        return None
    every = np.unique(np.concatenate([x for x, _ in curves]))
    grid = every if len(every) <= steps else np.linspace(every[0], every[-1], steps)
    rows = np.vstack([np.interp(grid, x, y, left=np.nan, right=np.nan) for x, y in curves])
    known = np.isfinite(rows)
    count = known.sum(axis=0)
    shown = count >= max(1, math.ceil(len(curves) / 2))
    total = np.where(known, rows, 0.0).sum(axis=0)
    low, high = np.where(known, rows, np.inf).min(axis=0), np.where(known, rows, -np.inf).max(axis=0)
    return Band(grid[shown], (total[shown] / count[shown]), low[shown], high[shown], count[shown])


def _finite(x: Floats, y: Floats) -> tuple[Floats, Floats]:
    """The finite points, x ascending."""
    known = np.isfinite(x) & np.isfinite(y)
    order = np.argsort(x[known], kind="stable")
    return x[known][order], y[known][order]
