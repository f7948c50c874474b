"""`Query` on the project's store: what panels, reports and the command line read."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from workbench.core import where as where_language
from workbench.core.config import Config
from workbench.core.model import Distribution, Roles, Run, Series, Source, Stage, Status, Summary, Window
from workbench.core.query import Rows
from workbench.core.roles import roles_for
from workbench.core.status import judge
from workbench.store import runs as run_rows
from workbench.store import windows as window_rows
from workbench.store.console import run_sql
from workbench.store.evidence import evidence_of
from workbench.store.points import fetch_percentiles, fetch_series, fetch_sparks
from workbench.store.store import Store


class StoreQuery:
    """The store as a `Query`; one per process, safe from any thread.

    Runs are kept in memory between calls and only those that a commit touched are fetched again.
    """

    def __init__(
        self, store: Store, config: Config, flush_intervals: Mapping[str, float] | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:  # fmt: skip
        self._store = store
        self._config = config
        self._flush = dict(flush_intervals or {})
        self._clock = clock
        self._lock = threading.Lock()
        self._rows: dict[str, run_rows.RunRow] = {}
        self._runs: dict[str, Run] = {}
        self._ended: dict[str, tuple[Status, str]] = {}
        self._roles: dict[str, Roles] = {}
        self._commit = -1
        self._revision = ""

    def runs(self, where: str = "", *, hidden: bool = False) -> Sequence[Run]:
        """Runs that match, newest first."""
        expression = where_language.parse(where)
        with self._lock:
            self._refresh()
            baseline = run_rows.baseline_run(self._rows.values())
            found = [self._judged(run, baseline) for run in list(self._runs.values())]
        if not hidden:
            found = [run for run in found if not run.hidden]
        asked = where_language.percentiles_of(expression)
        extra = self._percentiles_for(found, asked) if asked else {}
        matches = where_language.matcher(expression)
        matching = [run for run in found if matches(run, extra.get(run.id, {}))]
        return sorted(matching, key=lambda run: (-(run.started_at or run.updated_at or 0.0), run.name))

    def newest(self, n: int) -> Sequence[Run]:
        """The newest visible runs; on a store never opened before, far quicker than `runs`."""
        return self.runs()[:n]

    def series(self, run_id: str, key: str, points: int = 0) -> Series:
        with self._store.read() as con:
            return fetch_series(con, run_id, key, points)

    def percentiles(
        self, run_ids: Sequence[str], keys: Sequence[str], qs: Sequence[float]
    ) -> Mapping[tuple[str, str], Sequence[float]]:
        with self._store.read() as con:
            return fetch_percentiles(con, run_ids, keys, qs)

    def sparks(self, run_ids: Sequence[str], key: str, points: int = 30) -> Mapping[str, Sequence[float]]:
        with self._store.read() as con:
            return fetch_sparks(con, run_ids, key, points)

    def stages(self, run_id: str) -> Sequence[Stage]:
        with self._lock:
            self._refresh()
            row = self._rows.get(run_id)
        return () if row is None else run_rows.stages_of(row)

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

    def roles(self, key: str) -> Roles:
        if key not in self._roles:
            self._roles[key] = roles_for(key, self._config.metrics)
        return self._roles[key]

    def sql(self, text: str, parameters: Sequence[Any] = ()) -> Rows:
        runs = self.runs(hidden=True)
        return run_sql(self._store.snapshot(), text, parameters, runs)

    def revision(self) -> str:
        return self._store.revision()

    def _refresh(self) -> None:
        """Fetch the runs that changed since the last look."""
        revision = self._store.revision()
        if revision == self._revision:
            return
        with self._store.read() as con:
            commit = run_rows.last_commit(con)
            only = run_rows.changed_runs(con, self._commit) if self._commit >= 0 else None
            rows = run_rows.fetch_runs(con, only) if only is None or only else {}
        self._rows.update(rows)
        self._runs.update({id_: self._run(row) for id_, row in rows.items()})
        for changed in rows:
            self._ended.pop(changed, None)
        self._commit, self._revision = commit, revision

    def _run(self, row: run_rows.RunRow) -> Run:
        """Everything about a run but its status, which time alone can change."""
        name = row.fact("name") or row.path
        started = row.fact("started") or min(
            (item[7] for item in row.series.values() if item[7] is not None), default=row.data_at
        )
        return Run(
            row.id,
            name if name != "." else self._store.place.root.name,
            "+".join(row.formats) or row.format,
            row.path,
            "running",
            "",
            started,
            row.fact("ended"),
            row.data_at,
            dict(row.facts.get("param", {})),
            {key: str(value) for key, value in row.facts.get("tag", {}).items() if value is not False},
            {key: self._summary(key, *summary) for key, summary in row.series.items()},
            run_rows.notes_of(row),
            bool(row.fact("hidden")),
            total_steps=row.fact("total_steps"),
            environment=dict(row.facts.get("environment", {})),
        )

    def _summary(
        self, key: str, n: int, last: float, last_step: int, low: float | None, high: float | None, first: float,
        not_finite: int, last_wall: float | None, _first_step: int,
    ) -> Summary:  # fmt: skip
        best = {"lower": low, "higher": high, None: None}[self.roles(key).direction]
        return Summary(n, last, last_step, low, high, best, first, not_finite, last_wall)

    def _judged(self, run: Run, baseline: str | None) -> Run:
        """The run with its status now; one that has ended by its own word stays so until a commit touches it."""
        status, reason = self._ended.get(run.id) or judge(
            evidence_of(self._rows[run.id], run, self._flush), self._clock()
        )
        if status in ("finished", "failed"):
            self._ended[run.id] = status, reason
        if (run.status, run.status_reason, run.baseline) != (status, reason, run.id == baseline):
            run = self._runs[run.id] = replace(run, status=status, status_reason=reason, baseline=run.id == baseline)
        return run

    def _percentiles_for(
        self, found: Sequence[Run], asked: frozenset[tuple[str, float]]
    ) -> dict[str, dict[str, float]]:
        values: dict[str, dict[str, float]] = {}
        for key, percentile in asked:
            for (run, _), (value, *_) in self.percentiles([item.id for item in found], [key], [percentile]).items():
                values.setdefault(run, {})[f"{key}.p{percentile:g}"] = value
        return values
