"""Runs from the store: facts, summaries and evidence of each, fetched whole once and then only where they changed."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from workbench.core.formats import preference
from workbench.core.model import Stage
from workbench.store.rows import first_row
from workbench.store.schema import RANKED

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


@dataclass(slots=True)
class RunRow:
    """What the store knows of one run, before roles and status are judged."""

    id: str
    path: str
    format: str
    facts: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Value by kind and key."""
    walls: dict[tuple[str, str], float | None] = field(default_factory=dict)
    """When each fact was said."""
    series: dict[str, tuple[Any, ...]] = field(default_factory=dict)
    """(n, last, last_step, min, max, first, not_finite, last_wall, first_step) by key."""
    data_at: float | None = None
    second_gap: float = 0.0
    formats: tuple[str, ...] = ()
    """Of its sources, the one that speaks for most metrics first."""
    shown: Counter[str] = field(default_factory=Counter)
    """How many metrics each format speaks for."""
    aliases: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """By metric: the other formats that have it."""

    def fact(self, kind: str, key: str = "") -> Any:
        """The latest value of a fact, or None."""
        return self.facts.get(kind, {}).get(key)


def last_commit(con: DuckDBPyConnection) -> int:
    """The number of the newest commit."""
    row = first_row(con, "SELECT coalesce(max(commit_id), 0) FROM source_log")
    return int(row[0]) if row else 0


def changed_runs(con: DuckDBPyConnection, since: int) -> list[str]:
    """Runs that a commit after `since` said something about."""
    rows = con.execute(
        """SELECT run_id FROM run_log WHERE commit_id > $1 UNION SELECT run_id FROM fact_log WHERE commit_id > $1
        UNION SELECT run_id FROM summary_log WHERE commit_id > $1
        UNION SELECT run_id FROM source_log WHERE commit_id > $1""",
        [since],
    ).fetchall()
    return [row[0] for row in rows if row[0]]


def fetch_runs(con: DuckDBPyConnection, only: Sequence[str] | None = None) -> dict[str, RunRow]:
    """Rows of all runs, or of some, by id."""
    where = ""
    if only is not None:
        con.register("wanted", {"run_id": np.array(only or [""], dtype=object)})
        where = "SEMI JOIN wanted USING (run_id)"
    rows = {
        run: RunRow(run, path, name)
        for run, path, name in con.execute(
            f"SELECT run_id, arg_max(path, commit_id), arg_min(format, commit_id) FROM run_log {where} GROUP BY run_id"
        ).fetchall()
    }
    _fill_facts(con, rows, where)
    _fill_series(con, rows, where)
    sources = con.execute(
        f"SELECT run_id, max(data_at), max(second_gap), list(DISTINCT format ORDER BY format)"
        f" FROM source {where} WHERE format NOT IN ('params', '') GROUP BY run_id"
    ).fetchall()
    for run, data_at, gap, formats in sources:
        if run in rows:
            row = rows[run]
            row.data_at, row.second_gap = data_at, gap or 0.0
            row.formats = tuple(sorted(formats, key=lambda name: (-row.shown[name], preference(name))))
    if only is not None:
        con.unregister("wanted")
    return rows


def _fill_facts(con: DuckDBPyConnection, rows: Mapping[str, RunRow], where: str) -> None:
    facts = con.execute(f"SELECT run_id, kind, key, value, wall_time FROM fact {where}").fetchall()
    for run, kind, key, value, wall in facts:
        row = rows.get(run)
        if row is not None:
            row.facts.setdefault(kind, {})[key] = _decoded(value)
            row.walls[kind, key] = wall


def _decoded(text: str) -> Any:
    """A fact's value; Python's own decoder takes the NaN that the fast one refuses."""
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError:
        return json.loads(text)


def _fill_series(con: DuckDBPyConnection, rows: Mapping[str, RunRow], where: str) -> None:
    series = con.execute(f"""SELECT run_id, key, format, place, n, last, last_step, min, max, first, not_finite,
        last_wall, first_step FROM ({RANKED.format(where=where)}) ORDER BY run_id, key, place""").fetchall()
    for run, key, name, place, *summary in series:
        row = rows.get(run)
        if row is None:
            continue
        if place == 1:
            row.series[key] = tuple(summary)
            row.shown[name] += 1
        else:
            row.aliases[key] = (*row.aliases.get(key, ()), name)


def stages_of(row: RunRow) -> list[Stage]:
    """The stages of a run by start."""
    stages = [
        Stage(name, value.get("start"), value.get("end"), value.get("rows"), str(value.get("status", "")))
        for name, value in row.facts.get("stage", {}).items()
        if isinstance(value, dict)
    ]
    return sorted(stages, key=lambda stage: (stage.start or 0.0, stage.name))


def notes_of(row: RunRow) -> list[str]:
    """The notes on a run in the order they were written; one that was taken back is empty and left out."""
    notes = row.facts.get("note", {})
    ordered = sorted(notes, key=lambda key: (row.walls.get(("note", key)) or 0.0, key))
    return [str(notes[key]) for key in ordered if notes[key]]


def baseline_run(rows: Iterable[RunRow]) -> str | None:
    """The run last chosen as baseline and not unchosen since."""
    chosen: dict[float, str] = defaultdict(str)
    for row in rows:
        if row.fact("baseline"):
            chosen[row.walls.get(("baseline", "")) or 0.0] = row.id
    return chosen[max(chosen)] if chosen else None
