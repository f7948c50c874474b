"""The search: every slice of one feature and of two is compared with all other rows, and few are reported.

1. Of one feature: each stretch of a number's bins, each common value, the missing ones. Of two: each pair of coarser
   ones, which must be worse than both slices it is part of as well, not only than the rest.
2. Benjamini and Hochberg bound the share of chance among what counts as found; intervals are widened for having been
   chosen (Benjamini and Yekutieli's false coverage rate).
3. In the order of the interval's lower limit; each further slice must be worse in the rows that those before it leave.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from workbench_slices.features import Feature
from workbench_slices.model import Slice
from workbench_slices.stats import Floats, Loss, benjamini_hochberg

PAIRED = 16
"""Features that are paired, those with the smallest p-value by themselves first."""
_LARGEST = 0.5
"""A slice is at most this share of all rows: beyond, the others are the slice."""
_OVERLAP = 0.5
"""Share of a slice's rows that may be in slices before it."""
_LOOKED_AT = 400
"""Found slices that are put in order; the others are parts of these."""


@dataclass(frozen=True, slots=True, eq=False)
class _Candidates:
    """Slices by feature and selector, -1 where there is no second; sums [moments, n], p [n]."""

    places: NDArray[np.int64]
    """[n, 4]: feature, selector, second feature, second selector."""
    sums: Floats
    p: Floats

    @classmethod
    def joined(cls, parts: Sequence[_Candidates], moments: int) -> _Candidates:
        """All of several."""
        if not parts:
            return cls(np.empty((0, 4), np.int64), np.empty((moments, 0)), np.empty(0))
        return cls(
            np.concatenate([part.places for part in parts]),
            np.concatenate([part.sums for part in parts], axis=1),
            np.concatenate([part.p for part in parts]),
        )


def smallest_slice(rows: int) -> int:
    """Rows that a slice needs, by default: 30, and half a percent of many."""
    return max(30, -(-rows // 200))


def worst_slices(
    features: Sequence[Feature], loss: Loss, *, min_rows: int | None = None, false_rate: float = 0.05, most: int = 8
) -> tuple[int, list[Slice]]:
    """How many slices were compared, and the worst of them that are not chance, the worst first."""
    rows = loss.moments.shape[1]
    if rows < 2 or not features:
        return 0, []
    least = min_rows or smallest_slice(rows)
    search = _Search(features, loss, least)
    singles = [search.of_one(at) for at in range(len(features))]
    telling = sorted(range(len(features)), key=lambda at: float(singles[at].p.min(initial=1.0)))
    chosen = sorted(telling[:PAIRED])
    pairs = [search.of_two(a, b) for place, a in enumerate(chosen) for b in chosen[place + 1 :]]
    every = _Candidates.joined([*singles, *pairs], len(loss.moments))
    cutoff, found = benjamini_hochberg(every.p, false_rate)
    if not found:
        return len(every.p), []
    return len(every.p), search.report(every, cutoff, false_rate * found / len(every.p), most)


class _Search:
    """One loss over one set of features."""

    def __init__(self, features: Sequence[Feature], loss: Loss, least: int) -> None:
        self.features = features
        self.loss = loss
        self.least = least
        self.total = loss.moments.sum(axis=1)
        self.rows = loss.moments.shape[1]

    def of_one(self, at: int) -> _Candidates:
        """Slices of one feature."""
        feature = self.features[at]
        codes = feature.members.shape[1]
        cells = np.stack([np.bincount(feature.codes, row, codes) for row in self.loss.moments])
        sums = np.asarray(cells @ feature.members.T, np.float64)
        kept = np.flatnonzero(self._fits(sums[0]))
        sums = sums[:, kept]
        p = self.loss.p_values(sums, self.total[:, None] - sums)
        places = np.full((len(kept), 4), -1)
        places[:, 0], places[:, 1] = at, kept
        return _Candidates(places, sums, p)

    def of_two(self, first: int, second: int) -> _Candidates:
        """Slices of two features, tested against the rest and against what is left of each of the two."""
        a, b = self.features[first], self.features[second]
        n, m = a.members.shape[1], b.members.shape[1]
        codes = a.codes * m + b.codes
        cells = np.stack([np.bincount(codes, row, n * m).reshape(n, m) for row in self.loss.moments])
        left = a.members[a.paired].astype(np.float64)
        right = b.members[b.paired].astype(np.float64)
        sums = left @ cells @ right.T
        wide, high = left @ cells.sum(axis=2, keepdims=True), cells.sum(axis=1, keepdims=True) @ right.T
        rest_a, rest_b = wide - sums, high - sums
        kept = self._fits(sums[0]) & (rest_a[0] >= self.least) & (rest_b[0] >= self.least)
        i, j = np.nonzero(kept)
        inside = sums[:, i, j]
        p = self.loss.p_values(inside, self.total[:, None] - inside)
        close = np.flatnonzero(p < 0.05)
        for parent in (rest_a, rest_b):
            p[close] = np.maximum(p[close], self.loss.p_values(inside[:, close], parent[:, i[close], j[close]]))
        places = np.stack([np.full(len(i), first), a.paired[i], np.full(len(i), second), b.paired[j]], axis=1)
        return _Candidates(places, inside, p)

    def report(self, every: _Candidates, cutoff: float, alpha: float, most: int) -> list[Slice]:
        """Those that were found, in order, without what is told already."""
        found = np.flatnonzero(every.p <= cutoff)
        inside = every.sums[:, found]
        low, high = self.loss.interval(inside, self.total[:, None] - inside, alpha)
        order = [at for at in np.argsort(-low, kind="stable")[:_LOOKED_AT] if low[at] > 0]
        covered = np.zeros(self.rows, dtype=bool)
        told: list[Slice] = []
        taken: list[tuple[tuple[int, int], NDArray[np.bool_]]] = []
        for at in order:
            place = every.places[found[at]]
            rows, features = self._rows(place), (int(place[0]), int(place[2]))
            if any(each == features and (other & rows).sum() > _OVERLAP * other.sum() for each, other in taken):
                continue  # a wider stretch of what is told already
            if told and not self._adds(rows, covered, cutoff):
                continue
            covered |= rows
            taken.append((features, rows))
            bounds = float(low[at]), float(high[at])
            told.append(self._slice(every, int(found[at]), bounds))
            if len(told) == most:
                break
        return told

    def _fits(self, n: Floats) -> NDArray[np.bool_]:
        return np.asarray((n >= self.least) & (n <= _LARGEST * self.rows))

    def _rows(self, place: NDArray[np.int64]) -> NDArray[np.bool_]:
        rows: NDArray[np.bool_] = self.features[place[0]].rows_of(int(place[1]))
        if place[2] < 0:
            return rows
        return np.asarray(rows & self.features[place[2]].rows_of(int(place[3])), np.bool_)

    def _adds(self, rows: NDArray[np.bool_], covered: NDArray[np.bool_], cutoff: float) -> bool:
        """Whether a slice is still worse where no slice before it reaches."""
        free = ~covered
        own, others = rows & free, ~rows & free
        if own.sum() < max(self.least, _OVERLAP * rows.sum()) or not others.any():
            return False
        inside = self.loss.moments[:, own].sum(axis=1)[:, None]
        return bool(self.loss.p_values(inside, self.loss.moments[:, others].sum(axis=1)[:, None])[0] <= cutoff)

    def _slice(self, every: _Candidates, at: int, bounds: tuple[float, float]) -> Slice:
        place, inside = every.places[at], every.sums[:, at : at + 1]
        outside = self.total[:, None] - inside
        conditions = [self.features[place[0]].selectors[place[1]]]
        if place[2] >= 0:
            conditions.append(self.features[place[2]].selectors[place[3]])
        mean, rest = float(self.loss.mean(inside)[0]), float(self.loss.mean(outside)[0])
        n = int(inside[0, 0])
        return Slice(conditions, n, n / self.rows, mean, rest, mean - rest, *bounds, float(every.p[at]))


def rows_of(features: Sequence[Feature], found: Slice) -> NDArray[np.bool_]:
    """Which rows a reported slice has."""
    by_name = {feature.name: feature for feature in features}
    rows: NDArray[np.bool_] | None = None
    for condition in found.conditions:
        feature = by_name[condition.feature]
        own = feature.rows_of(list(feature.selectors).index(condition))
        rows = own if rows is None else rows & own
    assert rows is not None
    return rows
