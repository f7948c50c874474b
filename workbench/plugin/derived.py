"""A query whose runs have the metrics that plugins derive: as columns, in filters and gates, and as curves."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any, cast

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from workbench.core import where as where_language
from workbench.core.compare import percentiles
from workbench.core.model import Roles, Run, Series, Summary
from workbench.core.query import Query
from workbench.core.series import thin
from workbench.plugin.api import Metric
from workbench.plugin.box import PluginError
from workbench.plugin.discovery import Loaded
from workbench.plugin.guard import PARK_AFTER, Guard

DEADLINE = 10.0
"""Seconds that one metric may take over all runs: the table waits for it."""
MOST_CURVES = 200
"""Newest runs that a metric of series is made for."""
MOST_POINTS = 4_000_000
"""Points of series that are in memory at once for it."""


def with_metrics(query: Query, metrics: Sequence[Loaded], configured: Mapping[str, Roles] | None = None) -> Query:
    """The query itself where there are none; `configured` are roles of workbench.toml, which come first."""
    return cast("Query", DerivedQuery(query, metrics, configured or {})) if metrics else query


class DerivedQuery:
    """Answers as the query it stands before does, and adds what plugins derive; safe from any thread.

    A metric that a run logged itself is never replaced.
    """

    def __init__(self, query: Query, metrics: Sequence[Loaded], configured: Mapping[str, Roles]) -> None:
        self._query = query
        self._configured = configured
        self._made: dict[str, Metric] = {each.made.name: each.made for each in metrics}
        self._guards = {each.made.name: Guard(each.plugin, DEADLINE) for each in metrics}
        self._known: dict[str, tuple[Run, Run]] = {}
        self._lock = threading.Lock()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._query, name)

    def runs(self, where: str = "", *, hidden: bool = False) -> Sequence[Run]:
        """Runs that match, with their derived metrics, newest first."""
        expression = where_language.parse(where)
        found = self._with_metrics(self._query.runs(hidden=hidden))
        if not where.strip():
            return found
        extra: dict[str, dict[str, float]] = {}
        ids = [run.id for run in found]
        for key, q in where_language.percentiles_of(expression):
            for (run_id, _), (value, *_) in self.percentiles(ids, [key], [q]).items():
                extra.setdefault(run_id, {})[f"{key}.p{q:g}"] = value
        matches = where_language.matcher(expression)
        return [run for run in found if matches(run, extra.get(run.id, {}))]

    def newest(self, n: int) -> Sequence[Run]:
        """The newest visible runs, with their derived metrics."""
        return self._with_metrics(self._query.newest(n))

    def roles(self, key: str) -> Roles:
        """What the configuration says, then what the plugin says, then what the name says."""
        said = self._query.roles(key)
        if key not in self._made or key in self._configured:
            return said
        own = self._made[key].roles
        kind = said.kind if own.kind == "other" else own.kind
        return Roles(own.direction or said.direction, own.unit or said.unit, kind)

    def series(self, run_id: str, key: str, points: int = 0) -> Series:
        """One series; a derived one is made of whole series, then thinned."""
        derived = self._curve(run_id, key)
        if derived is None:
            return self._query.series(run_id, key, points)
        step, wall, value = derived
        n = len(value)
        if points and n > points:
            kept, value = thin(step, value, max(points // 3, 1))
            wall = np.asarray(np.interp(kept, step, wall), np.float64)
            step = kept.astype(np.int64)
        return Series(run_id, key, step, wall, value, n)

    def percentiles(
        self, run_ids: Sequence[str], keys: Sequence[str], qs: Sequence[float]
    ) -> Mapping[tuple[str, str], Sequence[float]]:
        """Exact percentiles, of derived series too."""
        found = dict(self._query.percentiles(run_ids, keys, qs))
        for key in keys:
            for run_id in run_ids if key in self._made else ():
                derived = None if (run_id, key) in found else self._curve(run_id, key)
                values = None if derived is None else percentiles(derived[2], qs)
                if values is not None:
                    found[run_id, key] = values
        return found

    def at_step(self, run_ids: Sequence[str], keys: Sequence[str], step: int) -> Mapping[tuple[str, str], float]:
        """Values at a step, of derived series too."""
        found = dict(self._query.at_step(run_ids, keys, step))
        for key in keys:
            for run_id in run_ids if key in self._made else ():
                derived = None if (run_id, key) in found else self._curve(run_id, key)
                if derived is not None and (until := np.flatnonzero(derived[0] <= step)).size:
                    found[run_id, key] = float(derived[2][until[-1]])
        return found

    def sparks(self, run_ids: Sequence[str], key: str, points: int = 30) -> Mapping[str, Sequence[float]]:
        """One series of many runs, thinned."""
        found = dict(self._query.sparks(run_ids, key, points))
        for run_id in run_ids if key in self._made and self._made[key].series else ():
            if run_id not in found and self._curve(run_id, key) is not None:
                found[run_id] = self.series(run_id, key, points).value.tolist()
        return found

    # Deriving

    def _with_metrics(self, runs: Sequence[Run]) -> list[Run]:
        with self._lock:
            fresh = [run for run in runs if run.id not in self._known or self._known[run.id][0] is not run]
            if fresh:
                extra: dict[str, dict[str, Summary]] = {run.id: {} for run in fresh}
                for name, metric in self._made.items():
                    nothing: Mapping[str, Summary] = {}
                    found = self._guards[name].call(partial(self._summaries, metric, fresh), nothing)
                    for run_id, summary in found.items():
                        extra[run_id][name] = summary
                for run in fresh:
                    own = extra[run.id]
                    derived = replace(run, metrics=_More(run.metrics, own)) if own else run
                    self._known[run.id] = run, derived
            return [self._known[run.id][1] for run in runs]

    def _summaries(self, metric: Metric, runs: Sequence[Run]) -> Mapping[str, Summary]:
        """Of every run that has what the metric needs; a few that fail are left out, all of them are a failure."""
        found: dict[str, Summary] = {}
        failed: list[Exception] = []
        for run, keys, parts in self._inputs(metric, runs):
            try:
                made = self._summary(metric, run, keys, parts)
            except Exception as error:  # noqa: BLE001 - one run's odd values are no reason to leave out the others
                failed.append(error)
                if len(failed) >= PARK_AFTER and not found:
                    break
                continue
            if made is not None:
                found[run.id] = made
        if failed and not found:
            raise failed[-1]
        return found

    def _inputs(self, metric: Metric, runs: Sequence[Run]) -> Iterator[tuple[Run, Sequence[str], Sequence[Series]]]:
        """Runs that have what the metric needs, with their series where it is made of those, some runs a query."""
        wanted = [
            (run, keys) for run in runs if metric.name not in run.metrics and (keys := _needed(metric, run)) is not None
        ]
        if not metric.series:
            yield from ((run, keys, ()) for run, keys in wanted)
            return
        for group in _groups(wanted[:MOST_CURVES]):
            all_keys = sorted({key for _, keys in group for key in keys})
            known = self._query.series_of([run.id for run, _ in group], all_keys)
            for run, own in group:
                if all((run.id, key) in known for key in own):
                    yield run, own, [known[run.id, key] for key in own]

    def _summary(self, metric: Metric, run: Run, keys: Sequence[str], parts: Sequence[Series]) -> Summary | None:
        low: float | None
        high: float | None
        when: float | None
        direction = self.roles(metric.name).direction
        if metric.series:
            step, wall, value = self._made_of(metric, parts)
            if not len(value):
                return None
            finite = value[np.isfinite(value)]
            low, high = (float(finite.min()), float(finite.max())) if len(finite) else (None, None)
            first, last, at, when = float(value[0]), float(value[-1]), int(step[-1]), float(wall[-1])
            n, odd = len(value), len(value) - len(finite)
        else:
            answer = metric(*(run.metrics[key] for key in keys)) if keys else metric(run)
            if answer is None:
                return None
            first = last = _number(answer, metric.name)
            low = high = None
            if np.isfinite(last):
                low = high = last
            at, when = max((run.metrics[key].last_step or 0 for key in keys), default=0), run.updated_at
            n, odd = 1, int(low is None)
        best = low if direction == "lower" else high if direction == "higher" else None
        return Summary(n, last, at, low, high, best, first, odd, when if when == when else None)  # noqa: PLR0124 - NaN

    def _curve(
        self, run_id: str, key: str
    ) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]] | None:
        """Steps, wall times and values of a derived metric of one run; None where it is none."""
        metric, known = self._made.get(key), self._known.get(run_id)
        if metric is None or known is None or key in known[0].metrics or key not in known[1].metrics:
            return None
        run, summary = known[0], known[1].metrics[key]
        point = (
            np.array([summary.last_step or 0], np.int64),
            np.array([np.nan if summary.last_wall is None else summary.last_wall]),
            np.array([np.nan if summary.last is None else summary.last], np.float64),
        )
        keys = _needed(metric, run)
        if not metric.series or keys is None:
            return point

        def work() -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
            return self._made_of(metric, [self._query.series(run_id, each) for each in keys])

        return self._guards[key].call(work, point)

    def _made_of(
        self, metric: Metric, parts: Sequence[Series]
    ) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
        """A metric of series at the steps that all of them have; where one repeats a step, its last value counts."""
        last = [_last_of_steps(part.step) for part in parts]
        common = parts[0].step[last[0]]
        for part, at in zip(parts[1:], last[1:], strict=True):
            common = np.intersect1d(common, part.step[at], assume_unique=True)
        chosen = [at[np.searchsorted(part.step[at], common)] for part, at in zip(parts, last, strict=True)]
        answer = metric(*(part.value[at] for part, at in zip(parts, chosen, strict=True)))
        values = np.asarray(answer, np.float64)
        if values.shape != common.shape:
            raise PluginError(f"metric {metric.name!r} gave {values.shape} values for {common.shape} steps")
        return common, parts[0].wall[chosen[0]], values


class _More(Mapping[str, Summary]):
    """A run's own metrics, which stay lazy, and the derived ones after them."""

    def __init__(self, own: Mapping[str, Summary], derived: Mapping[str, Summary]) -> None:
        self._own = own
        self._derived = derived

    def __getitem__(self, key: str) -> Summary:
        return self._derived[key] if key in self._derived else self._own[key]

    def __iter__(self) -> Iterator[str]:
        yield from self._own
        yield from self._derived

    def __len__(self) -> int:
        return len(self._own) + len(self._derived)

    def __contains__(self, key: object) -> bool:
        return key in self._derived or key in self._own


def _needed(metric: Metric, run: Run) -> list[str] | None:
    """The run's own keys that a metric is made of; None where it lacks one."""
    found = []
    for alternatives in metric.needs:
        key = next((each for each in alternatives if each in run.metrics), None)
        if key is None:
            return None
        found.append(key)
    return found


def _groups(wanted: Sequence[tuple[Run, Sequence[str]]]) -> Iterator[Sequence[tuple[Run, Sequence[str]]]]:
    """Runs whose series fit into memory together; one whose own do not is left out."""
    group: list[tuple[Run, Sequence[str]]] = []
    points = 0
    for run, keys in wanted:
        own = sum(run.metrics[key].n for key in keys)
        if own > MOST_POINTS:
            continue
        if points + own > MOST_POINTS:
            yield group
            group, points = [], 0
        group.append((run, keys))
        points += own
    if group:
        yield group


def _number(answer: object, name: str) -> float:
    if isinstance(answer, bool) or not isinstance(answer, int | float | np.integer | np.floating):
        raise PluginError(f"metric {name!r} gave a {type(answer).__name__} instead of a number or None")
    return float(answer)


def _last_of_steps(step: NDArray[np.int64]) -> NDArray[np.int64]:
    """Where each distinct step stands last; steps ascend."""
    if not len(step):
        return np.empty(0, np.int64)
    return np.flatnonzero(np.append(step[1:] != step[:-1], True))
