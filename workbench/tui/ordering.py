"""Which runs the table shows and in which order: each filter and each order is worked out once for what was loaded."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from operator import itemgetter

from msgspec import Struct, field

from workbench.core.model import Run
from workbench.core.order import Percentiles, sort_value
from workbench.core.roles import PERCENTILES, percentile_key
from workbench.core.where import Expr, matcher, parse, percentiles_of, unknown_keys
from workbench.tui.run_columns import Snapshot
from workbench.tui.session import ViewState

REMEMBERED = 64
"""Filters whose runs are remembered: what somebody types and takes back, letter by letter."""


Wanted = frozenset[tuple[str, float]]
"""The percentiles a filter asks for: (series, percentile)."""


class _Found(Struct):
    """What a filter found."""

    ids: frozenset[str]
    wanted: Wanted
    stale: set[str] = field(default_factory=set)
    """Ids of runs that have changed, come or gone since."""


class RunOrder:
    """Runs filtered and ordered; pure, and quick for tens of thousands of them."""

    def __init__(self) -> None:
        self.snapshot = Snapshot()
        self.by_id: dict[str, Run] = {}
        self.visible: Sequence[Run] = ()
        """Runs that are not hidden."""
        self.states: Counter[str] = Counter()
        """How many runs are in each state."""
        self.sparks: dict[str, Sequence[float]] = {}
        self.percentiles: dict[tuple[str, str], Sequence[float]] = {}
        self._shown: frozenset[str] = frozenset()
        self._orders: dict[tuple[str, bool], Sequence[str]] = {}
        self._matching: dict[str, _Found] = {}

    def take(self, snapshot: Snapshot) -> None:
        """Show what a load of the store gave."""
        before, self.snapshot = self.by_id, snapshot
        self.by_id = {run.id: run for run in snapshot.runs}
        self.visible = [run for run in snapshot.runs if not run.hidden]
        self.states = Counter([run.status for run in snapshot.runs])
        self._shown = frozenset([run.id for run in self.visible])
        self._orders.clear()
        changed = {run.id for run in snapshot.runs if before.get(run.id) is not run} | (before.keys() - self.by_id)
        if 2 * len(changed) > len(before):
            self._matching.clear()
        for found in self._matching.values():
            found.stale |= changed

    def learn(self, sparks: Mapping[str, Sequence[float]], percentiles: Percentiles) -> None:
        """Know more of some runs."""
        self.sparks.update(sparks)
        self.percentiles.update(percentiles)
        for descending in (False, True):
            self._orders.pop(("p95", descending), None)
        self._matching = {where: found for where, found in self._matching.items() if not found.wanted}

    def arrange(self, view: ViewState, where: str | None = None) -> Sequence[str]:
        """Ids of the runs that match, in the view's order; unknown values come last whichever way it is sorted.

        Raises:
            WhereError: the filter cannot be read.
        """
        asked = view.where if where is None else where
        order = self._order(view.sort, view.descending)
        if not asked.strip():
            every = view.hidden or len(self._shown) == len(order)
            return order if every else [run_id for run_id in order if run_id in self._shown]
        kept = self._matches(asked)
        if not view.hidden:
            kept &= self._shown
        return [run_id for run_id in order if run_id in kept]

    def _order(self, key: str, descending: bool) -> Sequence[str]:
        """Ids of all runs by a column."""
        found = self._orders.get((key, descending))
        if found is None:
            value = sort_value(self.sort_key(key), self.percentiles)
            values = [(value(run), run.id) for run in self.snapshot.runs]
            known = [pair for pair in values if pair[0] is not None]
            known.sort(key=itemgetter(0), reverse=descending)
            found = [run_id for _, run_id in known] + [run_id for key, run_id in values if key is None]
            self._orders[key, descending] = found
        return found

    def _matches(self, where: str) -> frozenset[str]:
        """Ids of the runs that match a filter, hidden ones too."""
        expr = parse(where)
        found = self._matching.get(where)
        if found is None:
            if len(self._matching) >= REMEMBERED:
                self._matching.clear()
            wanted = percentiles_of(expr)
            found = self._matching[where] = _Found(self._search(expr, wanted, self.snapshot.runs), wanted)
        elif found.stale:
            again = [run for run in map(self.by_id.get, found.stale) if run is not None]
            found.ids = (found.ids - found.stale) | self._search(expr, found.wanted, again)
            found.stale = set()
        return found.ids

    def _search(self, expr: Expr, wanted: Wanted, runs: Sequence[Run]) -> frozenset[str]:
        match = matcher(expr)
        if not wanted:
            nothing: Mapping[str, float] = {}
            return frozenset([run.id for run in runs if match(run, nothing)])
        return frozenset([run.id for run in runs if match(run, self._given(run.id, wanted))])

    def _given(self, run_id: str, wanted: Wanted) -> dict[str, float]:
        found = {}
        for key, percentile in wanted:
            values = self.percentiles.get((run_id, key))
            if values is not None and percentile in PERCENTILES:
                found[f"{key}.p{percentile:g}"] = values[PERCENTILES.index(percentile)]
        return found

    def sort_key(self, key: str) -> str:
        """A column of the table as any listing names it: the main metric and the p95 by their own names."""
        if key in ("main", "spark", "delta"):
            return f"metric:{self.snapshot.main}"
        return percentile_key(self.snapshot.latency or "", 95) if key == "p95" else key

    def main_value(self, run: Run) -> float | None:
        """The main metric's last value."""
        summary = run.metrics.get(self.snapshot.main or "")
        return None if summary is None else _finite(summary.last)

    def p95(self, run_id: str) -> float | None:
        """The run's p95 latency in the unit of its series."""
        values = self.percentiles.get((run_id, self.snapshot.latency or ""))
        return values[1] if values else None

    def descending_first(self, key: str) -> bool:
        """Which way a column is first sorted: the best on top."""
        name = self.snapshot.main if key in ("main", "spark", "delta") else key.removeprefix("metric:")
        roles = self.snapshot.roles.get(name or "")
        return roles is not None and roles.direction == "higher"

    def unknown_keys(self, where: str) -> str:
        """A remark on keys of a filter that no run has, with the nearest that some run has; empty for none."""
        found = unknown_keys(parse(where), self.snapshot.telling)
        near = [f"no run has {key}" + (f", did you mean {close}?" if close else "") for key, close in found.items()]
        return "".join(f" · {words}" for words in near)


def _finite(value: float | None) -> float | None:
    return None if value is None or math.isnan(value) else value
