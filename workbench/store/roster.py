"""The runs of a store, kept in memory between looks; only those that a commit touched are fetched again."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from workbench.core.cycles import uncollected
from workbench.core.ids import run_id
from workbench.core.model import Direction, Roles, Run, Status, Summary
from workbench.core.roles import roles_for
from workbench.core.status import judge
from workbench.store import runs as run_rows
from workbench.store.evidence import evidence_of
from workbench.store.folded import Metrics
from workbench.store.run_findings import Judged, fetch_judged
from workbench.store.runs import RunRow
from workbench.store.store import Store

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_GOALS: Mapping[Any, Direction] = {"min": "lower", "max": "higher"}


class Roster:
    """Every run, judged at the time of each look; not safe from several threads at once."""

    def __init__(
        self, store: Store, metrics: Mapping[str, Roles], flush_intervals: Mapping[str, float],
        clock: Callable[[], float],
    ) -> None:  # fmt: skip
        self._store = store
        self._configured = metrics
        self._flush = flush_intervals
        self._clock = clock
        self._rows: dict[str, RunRow] = {}
        self._runs: dict[str, Run] = {}
        self._ended: dict[str, tuple[Status, str]] = {}
        self._meanings: tuple[Mapping[str, Direction], dict[str, Roles]] = ({}, {})
        """What the logs say is better, and the roles that follow, by metric; replaced as one."""
        self.judged: dict[str, Judged] = {}
        """What the runs' own curves told when they were last judged."""
        self._baseline: str | None = None
        self._seen: tuple[str, float, int] | None = None
        """Inode, birth and last commit of the store that the runs are from."""
        self._revision = ""
        self._newest: tuple[str, int, Mapping[str, RunRow]] | None = None
        """Revision, how many were asked for, and the newest runs, fetched before all others."""

    def all(self) -> list[Run]:
        """Every run as it is now, in no order."""
        with nullcontext() if self._seen else uncollected():
            self._refresh()
            now = self._clock()
            return [self._judged(row, now) for row in self._rows.values()]

    def newest(self, n: int) -> list[Run]:
        """The newest visible runs; fetches no other when nothing was fetched before."""
        if self._seen is not None:
            return in_order(run for run in self.all() if not run.hidden)[:n]
        rows, now = self._newest_rows(n), self._clock()
        return in_order(self._run(row, *self._status(row, now)) for row in rows.values())[:n]

    def _newest_rows(self, n: int) -> Mapping[str, RunRow]:
        """Fetched once a revision: they may be asked for before there is a screen to show them."""
        revision = self._store.revision()
        if revision and self._newest is not None and self._newest[:2] == (revision, n):
            return self._newest[2]
        with self._store.read() as con:
            rows = run_rows.fetch_runs(con, run_rows.newest_runs(con, n))
            self.judged = fetch_judged(con, runs=list(rows))
            self._learn_goals(con)
            baseline = con.execute(
                "SELECT run_id FROM fact WHERE kind = 'baseline' AND value = 'true'"
                " ORDER BY wall_time DESC, run_id DESC LIMIT 1"
            ).fetchall()
        self._baseline = baseline[0][0] if baseline else None
        self._newest = revision, n, rows
        return rows

    def roles(self, key: str) -> Roles:
        """A metric's roles: configured, told by the logs, guessed; from any thread, and without waiting."""
        goals, known = self._meanings
        if key not in known:
            known[key] = roles_for(key, self._configured, goals)
        return known[key]

    def _refresh(self) -> None:
        """Fetch the runs that changed since the last look; all when another store has taken the file's place."""
        revision = self._store.revision()
        if revision and revision == self._revision:
            return
        with self._store.read() as con:
            seen = (self._store.revision().partition("-")[0], run_rows.identity(con), run_rows.last_commit(con))
            known = self._seen
            only: Sequence[str] | None = None
            if known is not None and known[:2] == seen[:2] and known[2] <= seen[2]:
                only = run_rows.changed_runs(con, known[2])
            rows = run_rows.fetch_runs(con, only) if only is None or only else {}
            if only is None:
                self._forget()
            judged = fetch_judged(con, max((each.judgement for each in self.judged.values()), default=0))
            if only is None or any(row.facts.has_goals for row in rows.values()):
                self._learn_goals(con)
        self._rows.update(rows)
        self.judged.update(judged)
        for changed in rows:
            self._ended.pop(changed, None)
        for changed in (*rows, *judged):
            self._runs.pop(changed, None)
        if rows:
            self._baseline = run_rows.baseline_run(self._rows.values())
        self._seen, self._revision = seen, revision

    def _forget(self) -> None:
        for kept in (self._rows, self._runs, self._ended, self.judged):
            kept.clear()
        self._baseline = None

    def _learn_goals(self, con: DuckDBPyConnection) -> None:
        """Which way most runs say a metric is better; where that changed, the best values change too."""
        votes: dict[str, Counter[Direction]] = defaultdict(Counter)
        for key, value, n in con.execute(
            "SELECT key, value, count(*) FROM fact WHERE kind = 'goal' GROUP BY key, value ORDER BY key, value"
        ).fetchall():
            if value.strip('"') in _GOALS:
                votes[key][_GOALS[value.strip('"')]] += n
        goals = {key: counted.most_common(1)[0][0] for key, counted in votes.items()}
        if goals != self._meanings[0]:
            self._meanings = goals, {}
            self._runs.clear()

    def _judged(self, row: RunRow, now: float) -> Run:
        """The run with its status now; one that has ended by its own word stays so until a commit touches it."""
        status, reason = self._status(row, now)
        run = self._runs.get(row.id)
        if run is None:
            run = self._runs[row.id] = self._run(row, status, reason)
        elif (run.status, run.status_reason, run.baseline) != (status, reason, row.id == self._baseline):
            changed = replace(run, status=status, status_reason=reason, baseline=row.id == self._baseline)
            run = self._runs[row.id] = changed
        return run

    def _status(self, row: RunRow, now: float) -> tuple[Status, str]:
        known = self._ended.get(row.id)
        if known is not None:
            return known
        status, reason = judge(evidence_of(row, self._flush), now)
        if status in ("finished", "failed"):
            self._ended[row.id] = status, reason
        return status, reason

    def _run(self, row: RunRow, status: Status, reason: str) -> Run:
        facts, folded, parent = row.facts, row.series, row.said("parent")
        name, judged = row.said("name") or row.path, self.judged.get(row.id)
        metrics: Mapping[str, Summary] = {} if folded is None else Metrics(folded, self._direction)
        return Run(
            row.id,
            str(name) if name != "." else self._store.place.root.name,
            row.formats[0] if row.formats else row.format,
            row.path,
            status,
            reason,
            row.started,
            row.number("ended"),
            row.data_at,
            facts.params,
            facts.tags,
            metrics,
            [text for _, _, text in sorted(facts.notes) if text],
            bool(row.said("hidden")),
            row.id == self._baseline,
            row.total_steps,
            facts.environment,
            str(row.said("group") or ""),
            run_id(str(parent)) if parent else "",
            row.formats or (row.format,),
            {} if folded is None else folded.aliases,
            "" if judged is None else judged.severity,  # type: ignore[arg-type]
            "" if judged is None else judged.headline,
        )

    def _direction(self, key: str) -> Direction | None:
        return self.roles(key).direction


def in_order(runs: Iterable[Run]) -> list[Run]:
    """Newest first, then by name."""
    return sorted(runs, key=lambda run: (-(run.started_at or run.updated_at or 0.0), run.name))
