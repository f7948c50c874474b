"""What the ingester writes: rows, refused lines and cursors of several sources in one transaction."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.core.batch import Fact, Reject
from workbench.store.errors import StoreError
from workbench.store.rows import next_commit
from workbench.store.summaries import SUMMARY_COLUMNS, summarize

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection
    from numpy.typing import NDArray


class CursorConflictError(StoreError):
    """Another process moved a source's cursor; read the cursors again before going on."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """How far a source has been read and how to recognise it; one row of `source_log`, in its columns' order."""

    source_id: int
    path: str
    format: str
    reader_version: int
    run_id: str
    key_prefix: str
    inode: int
    generation: int
    from_offset: int
    to_offset: int
    bytes: int
    mtime_ns: int
    head_length: int
    head_hash: str
    tail_hash: str
    accepted: int
    rejected: int
    status: str
    message: str
    state: str
    first_step: int | None
    data_at: float | None
    longest_gap: float
    second_gap: float
    seen_at: float


CURSOR_COLUMNS = tuple(item.name for item in fields(Cursor))


EVERYWHERE = 2**63 - 1
"""An offset that no file reaches."""


@dataclass(frozen=True, slots=True)
class Cut:
    """Points of a source's generation that were superseded: from a step on, before a byte offset."""

    source_id: int
    generation: int
    from_step: int
    before_offset: int = EVERYWHERE


@dataclass(frozen=True, slots=True)
class PointRows:
    """Points of one stretch of one source; `code` is each point's place in `series`, so that ids are hashed once."""

    series: NDArray[np.uint64]
    """Ids of the series that have points here."""
    runs: Sequence[str]
    """The run of each series."""
    code: NDArray[np.integer[Any]]
    byte_offset: NDArray[np.int64]
    step: NDArray[np.int64]
    wall_time: NDArray[np.float64]
    value: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Delta:
    """What one stretch of one source adds."""

    cursor: Cursor
    points: PointRows | None = None
    new_series: Sequence[tuple[int, str, str, str]] = ()
    """(series id, run id, key, format) seen for the first time."""
    new_runs: Sequence[tuple[str, str, str]] = ()
    """(run id, path, format) seen for the first time."""
    facts: Sequence[tuple[str, Fact]] = ()
    """(run id, fact)."""
    rejects: Sequence[Reject] = ()
    cuts: Sequence[Cut] = ()


def append(con: DuckDBPyConnection, deltas: Sequence[Delta]) -> None:
    """Write the deltas in the open transaction.

    Raises:
        CursorConflictError: a cursor in the store is not where its delta starts.
    """
    _check_cursors(con, deltas)
    commit = next_commit(con)
    now = max(delta.cursor.seen_at for delta in deltas)
    _insert_points(con, commit, deltas)
    series = _columns(("series_id", "run_id", "key", "format"), _each(deltas, "new_series"), {"series_id"})
    _insert(con, "series_log", series)
    runs = [(commit, *run, now) for run in _each(deltas, "new_runs")]
    _insert(con, "run_log", _columns(("commit_id", "run_id", "path", "format", "seen_at"), runs))
    _insert_facts(con, commit, deltas)
    _insert_rejects(con, deltas)
    _insert_cuts(con, commit, deltas)
    _insert(con, "source_log", _cursor_rows(commit, deltas))


def latest_cursors(con: DuckDBPyConnection) -> list[Cursor]:
    """The cursor of every source."""
    names = ", ".join(CURSOR_COLUMNS)
    return [Cursor(*row) for row in con.execute(f"SELECT {names} FROM source").fetchall()]


def _check_cursors(con: DuckDBPyConnection, deltas: Sequence[Delta]) -> None:
    ids = np.unique(np.array([delta.cursor.source_id for delta in deltas], dtype=np.uint64))
    con.register("moving", {"source_id": ids})
    rows = con.execute(
        "SELECT source_id, max((commit_id, generation, to_offset)) FROM source_log SEMI JOIN moving USING (source_id)"
        " GROUP BY source_id"
    ).fetchall()
    con.unregister("moving")
    stored = {int(row[0]): _triple(row[1])[1:] for row in rows}
    for delta in deltas:
        cursor = delta.cursor
        generation, offset = stored.get(cursor.source_id, (cursor.generation, 0))
        expected = offset if generation == cursor.generation else 0
        if cursor.generation < generation or cursor.from_offset != expected:
            raise CursorConflictError(
                f"{cursor.path}: the store is at generation {generation}, byte {offset}; "
                f"this batch starts at generation {cursor.generation}, byte {cursor.from_offset}"
            )
        stored[cursor.source_id] = (cursor.generation, cursor.to_offset)


def _triple(value: Any) -> tuple[Any, ...]:
    """A DuckDB row value, which arrives as a tuple or as a dict."""
    return tuple(value.values()) if isinstance(value, dict) else tuple(value)


def _insert_points(con: DuckDBPyConnection, commit: int, deltas: Sequence[Delta]) -> None:
    filled = [(delta, delta.points) for delta in deltas if delta.points is not None and len(delta.points.value)]
    if not filled:
        return
    sizes = [len(points.value) for _, points in filled]
    columns = {
        "series_id": np.concatenate([points.series[points.code] for _, points in filled]),
        "source_id": np.repeat(np.array([delta.cursor.source_id for delta, _ in filled], dtype=np.uint64), sizes),
        "generation": np.repeat(np.array([delta.cursor.generation for delta, _ in filled], dtype=np.int32), sizes),
        "byte_offset": np.concatenate([points.byte_offset for _, points in filled]),
        "step": np.concatenate([points.step for _, points in filled]),
        "wall_time": np.concatenate([points.wall_time for _, points in filled]),
        "value": np.concatenate([points.value for _, points in filled]),
    }
    _insert(con, "point_log", columns, _select(nullable=("wall_time",), values=("value",)))
    summaries = [_summary_rows(commit, delta, points) for delta, points in filled]
    merged = {name: np.concatenate([rows[name] for rows in summaries]) for name in summaries[0]}
    _insert(
        con,
        "summary_log",
        merged,
        _select(nullable=("first_wall", "last_wall", "min", "max"), values=("first", "last")),
    )


def _summary_rows(commit: int, delta: Delta, points: PointRows) -> dict[str, NDArray[Any]]:
    summary = summarize(points.code, points.step, points.wall_time, points.value, points.byte_offset)
    n = len(points.series)
    return {
        "commit_id": np.full(n, commit, np.int64),
        "series_id": points.series,
        "run_id": np.array(points.runs, dtype=object),
        "source_id": np.full(n, delta.cursor.source_id, np.uint64),
        "generation": np.full(n, delta.cursor.generation, np.int32),
        **{name: summary[name] for name in SUMMARY_COLUMNS},
    }


def _select(nullable: Sequence[str], values: Sequence[str] = ()) -> str:
    """All columns: NaN means none in the nullable ones; in values it was logged, and DuckDB takes it for NULL."""
    absent = [f"CASE WHEN isnan({name}) THEN NULL ELSE {name} END AS {name}" for name in nullable]
    logged = [f"coalesce({name}, 'NaN'::DOUBLE) AS {name}" for name in values]
    return f"* REPLACE ({', '.join(absent + logged)})"


def _insert_facts(con: DuckDBPyConnection, commit: int, deltas: Sequence[Delta]) -> None:
    rows = [
        (
            commit, run, delta.cursor.source_id, delta.cursor.generation, fact.offset, fact.kind, fact.key,
            json.dumps(fact.value, ensure_ascii=True, default=str), np.nan if fact.wall is None else fact.wall,
            fact.precedence,
        )
        for delta in deltas for run, fact in delta.facts
    ]  # fmt: skip
    names = ("commit_id", "run_id", "source_id", "generation", "byte_offset", "kind", "key", "value", "wall_time")
    columns = _columns((*names, "precedence"), rows, {"source_id"})
    _insert(con, "fact_log", columns, _select(nullable=("wall_time",)))


def _insert_rejects(con: DuckDBPyConnection, deltas: Sequence[Delta]) -> None:
    rows = [
        (delta.cursor.source_id, delta.cursor.generation, item.offset, item.length, item.reason, item.excerpt.hex())
        for delta in deltas for item in delta.rejects
    ]  # fmt: skip
    names = ("source_id", "generation", "byte_offset", "length", "reason", "excerpt")
    _insert(con, "reject_log", _columns(names, rows, {"source_id"}), "* REPLACE (unhex(excerpt) AS excerpt)")


def _insert_cuts(con: DuckDBPyConnection, commit: int, deltas: Sequence[Delta]) -> None:
    """Superseded points leave the summaries too: those sources are summarised anew from what stays visible."""
    cuts = [cut for delta in deltas for cut in delta.cuts]
    names = ("source_id", "generation", "from_step", "before_offset")
    rows = [(cut.source_id, cut.generation, cut.from_step, cut.before_offset) for cut in cuts]
    _insert(con, "cut_log", _columns(names, rows, {"source_id"}))
    grown = {(delta.cursor.source_id, delta.cursor.generation) for delta in deltas if delta.points is not None}
    known = con.execute("SELECT DISTINCT source_id, generation FROM cut_log").fetchall()
    for source, generation in sorted({(cut.source_id, cut.generation) for cut in cuts} | (grown & set(known))):
        con.execute("DELETE FROM summary_log WHERE source_id = ? AND generation = ?", [source, generation])
        con.execute(
            """INSERT INTO summary_log
            SELECT ?, p.series_id, any_value(s.run_id), p.source_id, p.generation, count(*),
                count(*) FILTER (NOT isfinite(value)), arg_min(value, (step, byte_offset)), min(step), min(wall_time),
                arg_max(value, (step, byte_offset)), max(step), arg_max_null(wall_time, (step, byte_offset)),
                arg_max(byte_offset, (step, byte_offset)),
                min(value) FILTER (isfinite(value)), max(value) FILTER (isfinite(value))
            FROM visible_point p JOIN (SELECT DISTINCT * FROM series_log) s USING (series_id)
            WHERE p.source_id = ? AND p.generation = ? GROUP BY p.series_id, p.source_id, p.generation""",
            [commit, source, generation],
        )


def _cursor_rows(commit: int, deltas: Sequence[Delta]) -> dict[str, NDArray[Any]]:
    """One row a source and generation: several stretches in one transaction are one move of the cursor."""
    moves: dict[tuple[int, int], Cursor] = {}
    starts: dict[tuple[int, int], int] = {}
    for delta in deltas:
        key = (delta.cursor.source_id, delta.cursor.generation)
        starts.setdefault(key, delta.cursor.from_offset)
        moves[key] = delta.cursor
    last: dict[int, int] = {}
    for source, generation in moves:
        last[source] = max(generation, last.get(source, generation))
    rows = [
        (commit, *(starts[key] if name == "from_offset" else getattr(cursor, name) for name in CURSOR_COLUMNS))
        for key, cursor in moves.items()
        if key[1] == last[key[0]]
    ]
    columns = _columns(("commit_id", *CURSOR_COLUMNS), rows, {"source_id", "inode"})
    columns["data_at"] = np.array([np.nan if item is None else item for item in columns["data_at"]], np.float64)
    columns["first_step"] = columns["first_step"].astype(object)  # a step of 63 bits is more than a float holds
    return columns


def _each(deltas: Sequence[Delta], name: str) -> list[tuple[Any, ...]]:
    return [row for delta in deltas for row in getattr(delta, name)]


def _columns(
    names: Sequence[str], rows: Iterable[tuple[Any, ...]], unsigned: set[str] | None = None
) -> dict[str, NDArray[Any]]:
    """Rows as numpy columns; texts become object columns with lone surrogates made storable."""
    columns: dict[str, NDArray[Any]] = {}
    listed = list(rows)
    for position, name in enumerate(names):
        values = [row[position] for row in listed]
        if name in (unsigned or ()):
            columns[name] = np.array(values, dtype=np.uint64)
        elif any(isinstance(value, str) for value in values):
            texts = np.empty(len(values), dtype=object)
            texts[:] = [value.encode("utf-8", "replace").decode() for value in values]
            columns[name] = texts
        else:
            columns[name] = np.array(values, dtype=object if None in values else None)
    return columns


def _insert(con: DuckDBPyConnection, table: str, columns: Mapping[str, NDArray[Any]], select: str = "*") -> None:
    if not columns or not len(next(iter(columns.values()))):
        return
    con.register("incoming", dict(columns))
    names = ", ".join(columns)
    con.execute(f"INSERT INTO {table} ({names}) SELECT {select} FROM incoming")
    con.unregister("incoming")
