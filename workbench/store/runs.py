"""Runs from the store: facts, summaries and evidence of each, fetched whole once and then only where they changed."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from msgspec import Struct

from workbench.core.formats import preference
from workbench.store.facts import Facts, fetch_facts
from workbench.store.folded import FoldedSeries, fetch_folded
from workbench.store.rows import first_row
from workbench.store.schema import FACTS

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


class RunRow(Struct):
    """What the store knows of one run, before roles and status are judged."""

    id: str
    path: str
    format: str
    facts: Facts
    series: FoldedSeries | None = None
    data_at: float | None = None
    second_gap: float = 0.0
    formats: tuple[str, ...] = ()
    """Of its sources, the one that speaks for most metrics first."""

    def said(self, kind: str) -> Any:
        """The value of a fact without a key, or None."""
        return self.facts.said.get(kind)

    def number(self, kind: str) -> float | None:
        """A fact that is a finite number, or None."""
        value = self.facts.said.get(kind)
        return float(value) if isinstance(value, int | float) and math.isfinite(value) else None

    @property
    def total_steps(self) -> int | None:
        """How many steps its writer promised."""
        total = self.number("total_steps")
        return None if total is None else int(total)

    @property
    def started(self) -> float | None:
        """When it started: by its own word, else by its first point, else by what its files tell."""
        return self.number("started") or (self.series.first_wall if self.series else None) or self.data_at


def last_commit(con: DuckDBPyConnection) -> int:
    """The number of the newest commit."""
    row = first_row(con, "SELECT coalesce(max(commit_id), 0) FROM source_log")
    return int(row[0]) if row else 0


def identity(con: DuckDBPyConnection) -> float:
    """When the attached store was made: another store in its place says something else."""
    row = first_row(con, "SELECT min(applied_at) FROM schema_version")
    return float(row[0]) if row and row[0] is not None else 0.0


def changed_runs(con: DuckDBPyConnection, since: int) -> list[str]:
    """Runs that a commit after `since` said something about."""
    rows = con.execute(
        """SELECT run_id FROM run_log WHERE commit_id > $1 UNION SELECT run_id FROM fact_log WHERE commit_id > $1
        UNION SELECT run_id FROM summary_log WHERE commit_id > $1
        UNION SELECT run_id FROM source_log WHERE commit_id > $1""",
        [since],
    ).fetchall()
    return [row[0] for row in rows if row[0]]


def newest_runs(con: DuckDBPyConnection, n: int) -> list[str]:
    """Ids of the newest visible runs: `n`, and those that started with the last of them."""
    rows = con.execute(
        f"""WITH said AS (SELECT run_id, kind, value FROM ({FACTS.format(where="WHERE kind IN ('started', 'hidden')")}))
        SELECT run_id FROM (SELECT DISTINCT run_id FROM run_log)
            ANTI JOIN (SELECT run_id FROM said WHERE kind = 'hidden' AND value NOT IN ('false', 'null', '0', '""'))
                USING (run_id)
            LEFT JOIN (
                SELECT run_id, TRY_CAST(value AS DOUBLE) AS said_at FROM said
                WHERE kind = 'started' AND isfinite(TRY_CAST(value AS DOUBLE))) USING (run_id)
            LEFT JOIN (
                SELECT run_id, min(first_wall) AS first_at FROM summary_log GROUP BY run_id) USING (run_id)
            LEFT JOIN (
                SELECT run_id, max(data_at) AS data_at FROM source WHERE format NOT IN ('params', '') GROUP BY run_id)
                USING (run_id)
        QUALIFY rank() OVER (ORDER BY
            coalesce(nullif(said_at, 0), nullif(first_at, 0), nullif(data_at, 0), 0) DESC) <= $1""",
        [n],
    ).fetchall()
    return [row[0] for row in rows]


def fetch_runs(con: DuckDBPyConnection, only: Sequence[str] | None = None) -> dict[str, RunRow]:
    """Rows of all runs, or of some, by id."""
    where = ""
    if only is not None:
        con.register("wanted", {"run_id": np.array(only or [""], dtype=object)})
        where = "SEMI JOIN wanted USING (run_id)"
    facts = dict(fetch_facts(con, where))
    rows = {
        run: RunRow(run, path, name, facts.get(run) or Facts())
        for run, path, name in con.execute(
            f"SELECT run_id, arg_max(path, commit_id), arg_min(format, commit_id) FROM run_log {where} GROUP BY run_id"
        ).fetchall()
    }
    for run, folded in fetch_folded(con, where):
        if run in rows:
            rows[run].series = folded
    _fill_sources(con, rows, where)
    if only is not None:
        con.unregister("wanted")
    return rows


def _fill_sources(con: DuckDBPyConnection, rows: Mapping[str, RunRow], where: str) -> None:
    """When data came and in which formats; a file of many runs says it of none, their points do."""
    sources = con.execute(
        f"SELECT run_id, format, max(data_at), max(second_gap) FROM (SELECT * FROM source_log {where}"
        " QUALIFY row_number() OVER (PARTITION BY source_id ORDER BY commit_id DESC) = 1)"
        " WHERE format NOT IN ('params', '') GROUP BY run_id, format"
    ).fetchall()
    formats: dict[str, list[str]] = {}
    for run, name, data_at, gap in sources:
        row = rows.get(run)
        if row is not None:
            formats.setdefault(run, []).append(name)
            row.data_at = max(filter(None, (row.data_at, data_at)), default=None)
            row.second_gap = max(row.second_gap, gap or 0.0)
    for run, row in rows.items():
        series = row.series
        if row.data_at is None and series is not None:
            row.data_at = series.last_wall
        row.formats = _formats(formats.get(run, [row.format]), series)


def _formats(names: list[str], series: FoldedSeries | None) -> tuple[str, ...]:
    if series is None or (len(names) == 1 and series.is_only(names[0])):
        return tuple(sorted(names, key=preference))
    shown = series.shown
    every = {*names, *shown, *(name for others in series.aliases.values() for name in others)}
    return tuple(sorted(every, key=lambda name: (-shown[name], preference(name))))


def baseline_run(rows: Iterable[RunRow]) -> str | None:
    """The run last chosen as baseline and not unchosen since."""
    return max(((row.facts.chosen_at, row.id) for row in rows if row.said("baseline")), default=(0.0, None))[1]
