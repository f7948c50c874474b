"""How far each source was read: rows of `source_log`, and the check that makes every byte count once."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from operator import attrgetter
from typing import TYPE_CHECKING, Any

import numpy as np
from msgspec import Struct, field

from workbench.store.errors import StoreError
from workbench.store.incoming import texts

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection
    from numpy.typing import NDArray


class CursorConflictError(StoreError):
    """Another process moved a source's cursor; read the cursors again before going on."""


class Cursor(Struct, frozen=True):
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


CURSOR_COLUMNS = Cursor.__struct_fields__
_CURSOR_VALUES = attrgetter(*CURSOR_COLUMNS)


class Positions(Struct, frozen=True):
    """Where cursors stood after a commit of this process: as long as it is the newest, they need not be asked for."""

    commit: int = -1
    at: Mapping[int, tuple[int, int]] = field(default_factory=dict)
    """(generation, offset) by source."""


def latest_cursors(con: DuckDBPyConnection) -> list[Cursor]:
    """The cursor of every source."""
    names = ", ".join(CURSOR_COLUMNS)
    return [Cursor(*row) for row in con.execute(f"SELECT {names} FROM source").fetchall()]


def latest_cursor(con: DuckDBPyConnection, source_id: int) -> Cursor | None:
    """The cursor of one source, None before it was read."""
    rows = con.execute(
        f"SELECT {', '.join(CURSOR_COLUMNS)} FROM source_log WHERE source_id = ? ORDER BY commit_id DESC LIMIT 1",
        [source_id],
    ).fetchall()
    return Cursor(*rows[0]) if rows else None


def check_cursors(
    con: DuckDBPyConnection, moves: Sequence[Cursor], known: Mapping[int, tuple[int, int]]
) -> dict[int, tuple[int, int]]:
    """Where the cursors stand after the moves; those that are not known are asked of the store.

    Raises:
        CursorConflictError: a cursor in the store is not where its move starts.
    """
    unknown = {cursor.source_id for cursor in moves} - known.keys()
    stored = {**known, **_stored_positions(con, unknown)}
    for cursor in moves:
        generation, offset = stored.get(cursor.source_id, (cursor.generation, 0))
        expected = offset if generation == cursor.generation else 0
        if cursor.generation < generation or cursor.from_offset != expected:
            raise CursorConflictError(
                f"{cursor.path}: the store is at generation {generation}, byte {offset}; "
                f"this batch starts at generation {cursor.generation}, byte {cursor.from_offset}"
            )
        stored[cursor.source_id] = (cursor.generation, cursor.to_offset)
    return stored


def _stored_positions(con: DuckDBPyConnection, sources: Collection[int]) -> dict[int, tuple[int, int]]:
    if not sources:
        return {}
    con.register("moving", {"source_id": np.array(list(sources), dtype=np.uint64)})
    rows = con.execute(
        "SELECT source_id, max((commit_id, generation, to_offset)) FROM source_log SEMI JOIN moving USING (source_id)"
        " GROUP BY source_id"
    ).fetchall()
    con.unregister("moving")
    return {int(source): _triple(row)[1:] for source, row in rows}


def _triple(value: Any) -> tuple[int, int, int]:
    """A DuckDB row value, which arrives as a tuple or as a dict."""
    commit, generation, offset = value.values() if isinstance(value, dict) else value
    return commit, generation, offset


def cursor_rows(commit: int, cursors: Sequence[Cursor]) -> dict[str, NDArray[Any]]:
    """One row a source and generation: several stretches in one transaction are one move of the cursor."""
    moves: dict[tuple[int, int], Cursor] = {}
    starts: dict[tuple[int, int], int] = {}
    for cursor in cursors:
        key = (cursor.source_id, cursor.generation)
        starts.setdefault(key, cursor.from_offset)
        moves[key] = cursor
    last: dict[int, int] = {}
    for source, generation in moves:
        last[source] = max(generation, last.get(source, generation))
    kept = [(key, cursor) for key, cursor in moves.items() if key[1] == last[key[0]]]
    columns: dict[str, NDArray[Any]] = {"commit_id": np.full(len(kept), commit, np.int64)}
    values = zip(*(_CURSOR_VALUES(cursor) for _, cursor in kept), strict=True)
    columns |= {name: _typed(name, list(column)) for name, column in zip(CURSOR_COLUMNS, values, strict=True)}
    columns["from_offset"] = np.array([starts[key] for key, _ in kept], np.int64)
    return columns


def _typed(name: str, values: list[Any]) -> NDArray[Any]:
    """Values of one field of `Cursor` as a column; a step of 63 bits is more than a float holds."""
    kind = Cursor.__annotations__[name]
    if name in ("source_id", "inode"):
        return np.array(values, np.uint64)
    if kind == "str":
        return texts(values)
    if kind == "float | None":
        return np.array([np.nan if value is None else value for value in values], np.float64)
    return np.array(values, {"int": np.int64, "float": np.float64}.get(kind, object))
