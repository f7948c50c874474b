"""Columns as codes: numbers cut at their own quantiles, text by its commonest values, what is missing by itself.

Cuts never look at the loss: a slice that was chosen by what it is then tested for would look worse than it is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from workbench_slices.model import Condition

BINS = 16
"""Quantile bins of a number; every stretch of neighbouring ones is a slice."""
STRETCHES = 4
"""Parts that numbers have in pairs of features, besides their outer eighths."""
_FEW = 12
"""Distinct numbers up to which each is a bin of its own."""
_COMMON = 20
_MOST_DISTINCT = 0.5
"""Text with more distinct values a row names rows, not groups of them."""
_NUMERIC_TEXT = 0.95

Column = NDArray[np.float64] | Sequence[str | None]
"""Numbers with NaN where there is none, or text with None."""


@dataclass(frozen=True, slots=True, eq=False)
class Feature:
    """A column of n rows as codes, and the slices that can be made of it.

    codes: int64 [n]. selectors: one slice each; members: bool [selectors, codes], which codes belong to it. paired:
    indices of the selectors that are used in pairs.
    """

    name: str
    codes: NDArray[np.int64]
    selectors: Sequence[Condition]
    members: NDArray[np.bool_]
    paired: NDArray[np.int64]

    def rows_of(self, selector: int) -> NDArray[np.bool_]:
        """Which rows a slice has."""
        return np.asarray(self.members[selector][self.codes])


def features_of(columns: Mapping[str, Column], min_rows: int) -> list[Feature]:
    """Every column that can be sliced; those with one value, or one a row, are left out."""
    made = (_feature(name, column, min_rows) for name, column in columns.items())
    return [feature for feature in made if feature is not None]


def _feature(name: str, column: Column, min_rows: int) -> Feature | None:
    if not isinstance(column, np.ndarray):
        numbers = _as_numbers(column)
        if numbers is None:
            return _text(name, column, min_rows)
        column = numbers
    return _number(name, np.asarray(column, np.float64))


def _as_numbers(column: Sequence[str | None]) -> NDArray[np.float64] | None:
    """Numbers that an export wrote as text, or None."""
    known = [value for value in column if value is not None]
    numbers = np.full(len(column), np.nan)
    failed = 0
    for place, value in enumerate(column):
        if value is not None:
            try:
                numbers[place] = float(value)
            except ValueError:
                failed += 1
                if failed > (1 - _NUMERIC_TEXT) * len(known):
                    return None
    return numbers if known else None


def _number(name: str, values: NDArray[np.float64]) -> Feature | None:
    finite = np.isfinite(values)
    distinct = np.unique(values[finite])
    if not len(distinct):
        return None
    if len(distinct) <= _FEW:
        bins, codes = len(distinct), np.searchsorted(distinct, values)
        cuts = None
    else:
        cuts = _cuts(values[finite])
        if not len(cuts):  # nearly all rows have the smallest value
            cuts = distinct[1:2]
        bins, codes = len(cuts) + 1, np.searchsorted(cuts, values, side="right")
    codes = np.where(finite, codes, bins).astype(np.int64)
    missing = not finite.all()
    if bins < 2 and not missing:
        return None
    stretches = [(low, high) for low in range(bins) for high in range(low, bins) if high - low + 1 < bins]
    selectors = [_stretch(name, distinct, cuts, low, high) for low, high in stretches]
    members = np.zeros((len(stretches) + missing, bins + 1), dtype=bool)
    for at, (low, high) in enumerate(stretches):
        members[at, low : high + 1] = True
    if missing:
        selectors.append(Condition(name, missing=True))
        members[-1, bins] = True
    coarse = [at for at, (low, high) in enumerate(stretches) if _is_coarse(low, high, bins, single=cuts is None)]
    return Feature(name, codes, selectors, members, np.array([*coarse, *([len(stretches)] if missing else [])]))


def _is_coarse(low: int, high: int, bins: int, *, single: bool) -> bool:
    """Whether a stretch is made of quarters, an outer eighth, or one value."""
    step, tail = -(-bins // STRETCHES), bins // 8
    quarters = low % step == 0 and ((high + 1) % step == 0 or high == bins - 1)
    outer = tail > 0 and ((low == 0 and high == tail - 1) or (high == bins - 1 and low == bins - tail))
    return quarters or outer or (single and low == high)


def _cuts(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Where quantile bins begin, as round as they can be without two becoming one."""
    exact = np.unique(np.quantile(values, np.arange(1, BINS) / BINS))
    for digits in (2, 3, 4, 6):
        rounded = np.array([float(f"{cut:.{digits}g}") for cut in exact])
        near = np.abs(np.searchsorted(np.sort(values), rounded) / len(values) - np.arange(1, len(exact) + 1) / BINS)
        if len(np.unique(rounded)) == len(exact) and (len(exact) < BINS - 1 or near.max() < 0.25 / BINS):
            exact = rounded
            break
    return np.asarray(exact[exact > values.min()], np.float64)


def _stretch(
    name: str, distinct: NDArray[np.float64], cuts: NDArray[np.float64] | None, low: int, high: int
) -> Condition:
    """A stretch of bins: from `low` on and below `high`, or both included where the bins are single values."""
    if cuts is None:
        return Condition(name, float(distinct[low]), float(distinct[high]), closed=True)
    return Condition(name, None if low == 0 else float(cuts[low - 1]), None if high == len(cuts) else float(cuts[high]))


def _text(name: str, values: Sequence[str | None], min_rows: int) -> Feature | None:
    counts = Counter(value for value in values if value is not None)
    if len(counts) > max(50, _MOST_DISTINCT * len(values)):
        return None
    common = [value for value, n in counts.most_common(_COMMON) if n >= min_rows]
    missing = any(value is None for value in values)
    if not common and not missing:
        return None
    place: dict[str | None, int] = {value: code for code, value in enumerate(common)}
    other = len(common)
    place[None] = other + 1
    codes = np.fromiter((place.get(value, other) for value in values), np.int64, len(values))
    selectors = [Condition(name, value=value) for value in common]
    members = np.eye(len(common), other + 2, dtype=bool)
    paired = list(range(len(common)))
    if missing:
        paired.append(len(selectors))
        selectors.append(Condition(name, missing=True))
        members = np.vstack([members, np.arange(other + 2) == other + 1])
    return Feature(name, codes, selectors, members, np.array(paired, np.int64))
