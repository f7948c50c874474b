"""Runs that were read whole a moment ago and are still in memory, so that nobody need fetch them to judge them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

import numpy as np
from msgspec import Struct

from workbench.store.append import Delta, PointRows
from workbench.store.points import Whole, by_series
from workbench.store.run_findings import LONG, CurveRows, SeriesState

MOST = 2_500_000
"""Points that are kept, 34 bytes each; the oldest go first."""
_OF_RUN, _OF_SERIES = 30, 10
"""What a run and a series take besides, in points."""
_WIDEST = 1_000
"""Series of a run that is kept; of more, few are ever asked for."""


class _Kept(Struct, frozen=True):
    keys: Mapping[int, str]
    points: PointRows
    weight: int


class RecentRuns:
    """What was read of new runs; whether that is all there is of one, only the store knows."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._weight = 0
        self._kept: dict[str, _Kept] = {}

    def __bool__(self) -> bool:
        return bool(self._kept)

    @property
    def oldest(self) -> str:
        """The run that has been kept longest; empty where there is none."""
        return next(iter(self._kept), "")

    def keep(self, deltas: Iterable[Delta]) -> None:
        """Take in what is about to be committed; what is said again of a run, or taken back, ends its being kept."""
        for delta in deltas:
            for run in touched(delta):
                self._drop(run)
            if delta.points is not None and _tells_a_run(delta, delta.points):
                self._add(delta.cursor.run_id, {series: key for series, _, key, _ in delta.new_series}, delta.points)
        while self._weight > self._most:
            self._drop(self.oldest)

    def clear(self) -> None:
        """Keep nothing any more."""
        self._kept.clear()
        self._weight = 0

    def _add(self, run: str, keys: Mapping[int, str], points: PointRows) -> None:
        weight = len(points.value) + _OF_SERIES * len(points.series) + _OF_RUN
        self._kept[run] = _Kept(keys, points, weight)
        self._weight += weight

    def _drop(self, run: str) -> _Kept | None:
        kept = self._kept.pop(run, None)
        self._weight -= 0 if kept is None else kept.weight
        return kept

    def take(self, run: str) -> tuple[list[SeriesState], dict[int, CurveRows]]:
        """The series of a run by key, and their points; none where it is not kept, or would not be shown like this.

        It is let go.
        """
        kept = self._drop(run)
        if kept is None:
            return [], {}
        points = kept.points
        whole, unsorted = by_series(points.series.tolist(), points.code, points.step, points.wall_time, points.value)
        if unsorted or any(each.n > LONG for each in whole.values()):
            return [], {}  # the store shows steps in order, the latest point of each, and a long series thinned
        states = [_state(series, run, kept.keys[series], each) for series, each in whole.items()]
        rows = {series: CurveRows(each.step, each.wall, each.value) for series, each in whole.items()}
        return sorted(states, key=lambda state: state.key), rows


def touched(delta: Delta) -> set[str]:
    """The runs that a delta says something of; what it takes back is theirs, too."""
    return {delta.cursor.run_id, *(delta.points.runs if delta.points else ())}


def _tells_a_run(delta: Delta, points: PointRows) -> bool:
    """Whether it is of one run alone, and of short series that nobody has heard of before; none of it taken back."""
    new = {series for series, *_ in delta.new_series}
    alone = {*points.runs} == {delta.cursor.run_id} and not delta.cuts
    short = len(points.series) <= _WIDEST and len(points.value) <= LONG * len(points.series)
    return alone and short and new.issuperset(points.series.tolist())


def _state(series: int, run: str, key: str, whole: Whole) -> SeriesState:
    """What the store says of a series that has these points alone."""
    last, not_finite = float(whole.wall[-1]), whole.n - int(np.isfinite(whole.value).sum())
    first_step, last_step = int(whole.step[0]), int(whole.step[-1])
    return SeriesState(series, run, key, whole.n, not_finite, first_step, last_step, None if math.isnan(last) else last)
