"""`Query` on the project's store: what panels, reports and the command line read."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from workbench.core import where as where_language
from workbench.core.batch import ConsoleLine
from workbench.core.config import Config
from workbench.core.freshness import stale
from workbench.core.lineage import trained_by
from workbench.core.model import (
    Artifact,
    Distribution,
    Finding,
    Roles,
    Run,
    Series,
    Source,
    Stage,
    StepHistogram,
    Window,
)
from workbench.core.query import Limits, Rows
from workbench.core.run_logs import LogPlace
from workbench.core.timely import timely
from workbench.store import windows as window_rows
from workbench.store.console import run_sql
from workbench.store.facts import fetch_artifacts, fetch_stages, placed_artifacts
from workbench.store.findings import fetch_findings, in_order_of_worth
from workbench.store.histograms import fetch_console, fetch_histogram_keys, fetch_histograms
from workbench.store.log_places import fetch_run_sources, place_of_step, step_of_place
from workbench.store.points import (
    fetch_at_step,
    fetch_paces,
    fetch_percentiles,
    fetch_series,
    fetch_series_of,
    fetch_sparks,
)
from workbench.store.roster import Roster, in_order
from workbench.store.store import Store


class StoreQuery:
    """The store as a `Query`; one per process, safe from any thread.

    Runs are kept in memory between calls; see `Roster`.
    """

    def __init__(
        self, store: Store, config: Config, flush_intervals: Mapping[str, float] | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:  # fmt: skip
        self._store = store
        self._config = config
        self._clock = clock
        self._lock = threading.Lock()
        self._roster = Roster(store, config.metrics, dict(flush_intervals or {}), clock)

    def runs(self, where: str = "", *, hidden: bool = False) -> Sequence[Run]:
        """Runs that match, newest first."""
        expression = where_language.parse(where)
        with self._lock:
            found = in_order(run for run in self._roster.all() if hidden or not run.hidden)
        if not where.strip():
            return found
        asked = where_language.percentiles_of(expression)
        extra = self._percentiles_for(found, asked) if asked else {}
        matches = where_language.matcher(expression)
        return [run for run in found if matches(run, extra.get(run.id, {}))]

    def newest(self, n: int) -> Sequence[Run]:
        """The newest visible runs; on a store never opened before, far quicker than `runs`."""
        with self._lock:
            return self._roster.newest(n)

    def series(self, run_id: str, key: str, points: int = 0, steps: tuple[int, int] | None = None) -> Series:
        with self._store.read() as con:
            return fetch_series(con, run_id, key, points, steps)

    def series_of(self, run_ids: Sequence[str], keys: Sequence[str]) -> Mapping[tuple[str, str], Series]:
        with self._store.read() as con:
            return fetch_series_of(con, run_ids, keys)

    def percentiles(
        self, run_ids: Sequence[str], keys: Sequence[str], qs: Sequence[float]
    ) -> Mapping[tuple[str, str], Sequence[float]]:
        with self._store.read() as con:
            return fetch_percentiles(con, run_ids, keys, qs)

    def at_step(self, run_ids: Sequence[str], keys: Sequence[str], step: int) -> Mapping[tuple[str, str], float]:
        with self._store.read() as con:
            return fetch_at_step(con, run_ids, keys, step)

    def sparks(self, run_ids: Sequence[str], key: str, points: int = 30) -> Mapping[str, Sequence[float]]:
        with self._store.read() as con:
            return fetch_sparks(con, run_ids, key, points)

    def paces(self, run_ids: Sequence[str]) -> Mapping[str, float]:
        with self._store.read() as con:
            return fetch_paces(con, run_ids)

    def histogram_keys(self, run_id: str) -> Sequence[str]:
        with self._store.read() as con:
            return fetch_histogram_keys(con, run_id)

    def histograms(self, run_id: str, key: str, steps: int = 0) -> Sequence[StepHistogram]:
        with self._store.read() as con:
            return fetch_histograms(con, run_id, key, steps)

    def console(self, run_id: str, last: int = 1000) -> Sequence[ConsoleLine]:
        with self._store.read() as con:
            return fetch_console(con, run_id, last)

    def run_sources(self, run_id: str) -> Sequence[Source]:
        with self._store.read() as con:
            return fetch_run_sources(con, run_id)

    def log_place(self, run_id: str, step: int) -> LogPlace | None:
        with self._store.read() as con:
            return place_of_step(con, run_id, step)

    def log_step(self, source: str, offset: int) -> LogPlace | None:
        with self._store.read() as con:
            return step_of_place(con, source, offset)

    def artifacts(self, run_id: str) -> Sequence[Artifact]:
        with self._store.read() as con:
            made = fetch_artifacts(con, run_id)
        return placed_artifacts(made, self._config.root)

    def stages(self, run_id: str) -> Sequence[Stage]:
        with self._store.read() as con:
            return fetch_stages(con, run_id)

    def sources(self) -> Sequence[Source]:
        with self._store.read() as con:
            rows = con.execute(
                """SELECT lower(hex(source_id)), path, format, generation, bytes, to_offset, accepted, rejected, status,
                    message, seen_at FROM source ORDER BY path"""
            ).fetchall()
        return [Source(*row) for row in rows]

    def monitors(self) -> Sequence[str]:
        with self._store.read() as con:
            return sorted({*window_rows.monitor_names(con), *self._config.monitors})

    def windows(self, monitor: str) -> Sequence[Window]:
        with self._store.read() as con:
            return window_rows.fetch_windows(con, monitor)

    def distribution(self, monitor: str, column: str, window: float | None = None) -> Distribution | None:
        with self._store.read() as con:
            return window_rows.fetch_distribution(con, monitor, column, window)

    def findings(self, monitor: str = "", run: str = "") -> Sequence[Finding]:
        with self._store.read() as con:
            found = fetch_findings(con, monitor, run)
            spans = [] if run else window_rows.newest_spans(con, monitor)
        silent = [late for name, end, width in spans if (late := stale(name, end, width, self._clock()))]
        return in_order_of_worth([*silent, *found, *([] if monitor else self._timely(run))])

    def trained_by(self, monitor: str) -> Run | None:
        configured = self._config.monitors.get(monitor)
        return trained_by(self.runs(hidden=True), monitor, getattr(configured, "reference_run", None))

    def roles(self, key: str) -> Roles:
        return self._roster.roles(key)

    def sql(self, text: str, parameters: Sequence[Any] = (), limits: Limits | None = None) -> Rows:
        runs = self.runs(hidden=True)
        return run_sql(self._store.snapshot(), text, parameters, runs, limits or Limits())

    def revision(self) -> str:
        return self._store.revision()

    def root(self) -> Path:
        return self._store.place.root

    def _timely(self, run: str) -> list[Finding]:
        """What hangs on the clock and on other runs is told when it is asked, and kept nowhere."""
        with self._lock:
            runs = [each for each in self._roster.all() if not each.hidden or each.id == run]
            judged = list(self._roster.judged.values())
        gaps = {each.run: each.gap for each in judged if each.gap}
        paces = {each.run: each.pace for each in judged if each.pace}
        return timely(runs, gaps, paces, self._clock(), run)

    def _percentiles_for(
        self, found: Sequence[Run], asked: frozenset[tuple[str, float]]
    ) -> dict[str, dict[str, float]]:
        values: dict[str, dict[str, float]] = {}
        for key, percentile in asked:
            for (run, _), (value, *_) in self.percentiles([item.id for item in found], [key], [percentile]).items():
                values.setdefault(run, {})[f"{key}.p{percentile:g}"] = value
        return values
