"""What the ingester writes: rows, refused lines and cursors of several sources in one transaction."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from msgspec import Struct

from workbench.core.batch import Fact, Reject
from workbench.store.cursors import (
    Cursor,
    CursorConflictError,
    Positions,
    check_cursors,
    cursor_rows,
    latest_cursors,
)
from workbench.store.cuts import EVERYWHERE, Cut, insert_cuts
from workbench.store.incoming import as_columns, insert, nan_as_null
from workbench.store.rows import next_commit
from workbench.store.summaries import SUMMARY_COLUMNS, summarize

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection
    from numpy.typing import NDArray

__all__ = [
    "ConsoleRow", "Cursor", "CursorConflictError", "Cut", "Delta", "HistogramRow", "PointRows", "Positions", "append",
    "latest_cursors",
]  # fmt: skip

_LONG = 10_000
"""Points of a stretch that is summarised by itself."""
_TOGETHER = 1_000
"""Short stretches summarised at once."""


class PointRows(Struct, frozen=True):
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


class HistogramRow(Struct, frozen=True):
    """Counts of one series at one step; `counts` of length n stand between the n + 1 ascending `edges`."""

    series_id: int
    byte_offset: int
    step: int
    wall_time: float
    edges: Sequence[float]
    counts: Sequence[float]


class ConsoleRow(Struct, frozen=True):
    """A line of a run's output."""

    run_id: str
    byte_offset: int
    wall_time: float | None
    stream: str
    text: str


class Delta(Struct, frozen=True):
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
    histograms: Sequence[HistogramRow] = ()
    console: Sequence[ConsoleRow] = ()


def append(con: DuckDBPyConnection, deltas: Sequence[Delta], before: Positions | None = None) -> Positions:
    """Write the deltas in the open transaction; the answer holds once that is committed.

    Raises:
        CursorConflictError: a cursor in the store is not where its delta starts.
    """
    commit, moves = next_commit(con), [delta.cursor for delta in deltas]
    known = before.at if before is not None and before.commit == commit - 1 else {}
    positions = Positions(commit, check_cursors(con, moves, known))
    now = max(delta.cursor.seen_at for delta in deltas)
    _insert_points(con, commit, deltas)
    series = as_columns(("series_id", "run_id", "key", "format"), _each(deltas, "new_series"), {"series_id"})
    insert(con, "series_log", series)
    runs = [(commit, *run, now) for run in _each(deltas, "new_runs")]
    insert(con, "run_log", as_columns(("commit_id", "run_id", "path", "format", "seen_at"), runs))
    _insert_facts(con, commit, deltas)
    _insert_rejects(con, deltas)
    _insert_histograms(con, deltas)
    _insert_console(con, deltas)
    cuts = [cut for delta in deltas for cut in delta.cuts]
    insert_cuts(con, commit, cuts, _grown(deltas))
    insert(con, "source_log", cursor_rows(commit, moves))
    return positions


def _grown(deltas: Sequence[Delta]) -> dict[tuple[int, int], int]:
    """The lowest byte offset of new points by (source id, generation)."""
    grown: dict[tuple[int, int], int] = {}
    for delta in deltas:
        if delta.points is not None and len(delta.points.value):
            source = delta.cursor.source_id, delta.cursor.generation
            grown[source] = min(int(delta.points.byte_offset.min()), grown.get(source, EVERYWHERE))
    return grown


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
    insert(con, "point_log", columns, nan_as_null(nullable=("wall_time",), values=("value",)))
    summaries = [_summary_rows(commit, few) for few in _together(filled)]
    merged = {name: np.concatenate([rows[name] for rows in summaries]) for name in summaries[0]}
    nullable = ("first_wall", "last_wall", "min", "max")
    insert(con, "summary_log", merged, nan_as_null(nullable, values=("first", "last")))


def _together(filled: Sequence[tuple[Delta, PointRows]]) -> Iterator[Sequence[tuple[Delta, PointRows]]]:
    """Stretches to summarise at once: many short ones, or a long one, whose order then harms no other."""
    short: list[tuple[Delta, PointRows]] = []
    for delta, points in filled:
        if len(points.value) >= _LONG:
            yield [(delta, points)]
        else:
            short.append((delta, points))
    for first in range(0, len(short), _TOGETHER):
        yield short[first : first + _TOGETHER]


def _summary_rows(commit: int, filled: Sequence[tuple[Delta, PointRows]]) -> dict[str, NDArray[Any]]:
    """One row a series of each stretch."""
    counts = [len(points.series) for _, points in filled]
    total = sum(counts)
    kind = np.uint16 if total < 1 << 16 else np.int64
    starts = np.cumsum([0, *counts[:-1]])
    columns = ("step", "wall_time", "value", "byte_offset")
    codes = [points.code.astype(kind, copy=False) for _, points in filled]
    if len(filled) > 1:
        codes = [code + np.array(start, kind) for code, start in zip(codes, starts, strict=True)]
    summary = summarize(_joined(codes), *(_joined([getattr(points, name) for _, points in filled]) for name in columns))
    return {
        "commit_id": np.full(total, commit, np.int64),
        "series_id": np.concatenate([points.series for _, points in filled]),
        "run_id": np.array([run for _, points in filled for run in points.runs], dtype=object),
        "source_id": np.repeat(np.array([delta.cursor.source_id for delta, _ in filled], np.uint64), counts),
        "generation": np.repeat(np.array([delta.cursor.generation for delta, _ in filled], np.int32), counts),
        **{name: summary[name] for name in SUMMARY_COLUMNS},
    }


def _joined(parts: Sequence[NDArray[Any]]) -> NDArray[Any]:
    """One array; a single part as it is, for a copy of a long one takes as long as what is done with it."""
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


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
    columns = as_columns((*names, "precedence"), rows, {"source_id"})
    insert(con, "fact_log", columns, nan_as_null(nullable=("wall_time",)))


def _insert_rejects(con: DuckDBPyConnection, deltas: Sequence[Delta]) -> None:
    rows = [
        (delta.cursor.source_id, delta.cursor.generation, item.offset, item.length, item.reason, item.excerpt.hex())
        for delta in deltas for item in delta.rejects
    ]  # fmt: skip
    names = ("source_id", "generation", "byte_offset", "length", "reason", "excerpt")
    insert(con, "reject_log", as_columns(names, rows, {"source_id"}), "* REPLACE (unhex(excerpt) AS excerpt)")


def _insert_histograms(con: DuckDBPyConnection, deltas: Sequence[Delta]) -> None:
    rows = [
        (
            item.series_id, delta.cursor.source_id, delta.cursor.generation, item.byte_offset, item.step,
            item.wall_time, list(item.edges), list(item.counts),
        )
        for delta in deltas for item in delta.histograms
    ]  # fmt: skip
    names = ("series_id", "source_id", "generation", "byte_offset", "step", "wall_time", "edges", "counts")
    columns = as_columns(names, rows, {"series_id", "source_id"})
    insert(con, "histogram_log", columns, nan_as_null(("wall_time",)))


def _insert_console(con: DuckDBPyConnection, deltas: Sequence[Delta]) -> None:
    rows = [
        (
            item.run_id, delta.cursor.source_id, delta.cursor.generation, item.byte_offset,
            np.nan if item.wall_time is None else item.wall_time, item.stream, item.text,
        )
        for delta in deltas for item in delta.console
    ]  # fmt: skip
    names = ("run_id", "source_id", "generation", "byte_offset", "wall_time", "stream", "text")
    insert(con, "console_log", as_columns(names, rows, {"source_id"}), nan_as_null(("wall_time",)))


def _each(deltas: Sequence[Delta], name: str) -> list[tuple[Any, ...]]:
    return [row for delta in deltas for row in getattr(delta, name)]
