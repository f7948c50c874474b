"""How far monitors have read, which parts they keep, and what they know: a transaction a stretch."""

from __future__ import annotations

import json
from collections.abc import Sequence
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from msgspec import Struct
from msgspec.structs import replace

from workbench.store.cursors import CursorConflictError
from workbench.store.rows import first_row, next_commit

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


class ExportCursor(Struct, frozen=True):
    """How far one monitor has read one file; a row of `export_log`, in its columns' order."""

    kind: str
    path: str
    inode: int
    generation: int
    position: int
    rows: int
    bytes: int
    mtime_ns: int
    marked: int = 0
    """Bytes of the file that the hashes speak of."""
    head_length: int = 0
    head_hash: str = ""
    tail_hash: str = ""
    rejected: int = 0
    unended: bool = False
    """The last record had no line end: what is written behind it belongs to it."""
    waits: bool = False
    """What is left is no whole record yet."""
    whole: bool = False
    """Nothing was left to read."""
    message: str = ""


class PartRow(Struct, frozen=True):
    """One kept stretch of a source; a row of `part_log`, in its columns' order."""

    kind: str
    source: str
    generation: int
    from_position: int
    to_position: int
    first_row: int
    rows: int
    file: str
    begins: float | None
    ends: float | None
    untimed: int
    features: str
    """JSON: name, column and type of each."""
    scored: bool = False
    void: bool = False
    """Its source was written anew, or its rows are too old to be kept."""
    commit: int = 0


_CURSOR = ExportCursor.__struct_fields__
_PART = PartRow.__struct_fields__[:-1]
_cursor_values = attrgetter(*_CURSOR)
_part_values = attrgetter(*_PART)


def export_cursors(con: DuckDBPyConnection, monitor: str, spec: str) -> dict[tuple[str, str], ExportCursor]:
    """How far each file was read, by kind and path."""
    sql = f"SELECT {', '.join(_CURSOR)} FROM export WHERE monitor = ? AND spec = ?"
    return {(row[0], row[1]): ExportCursor(*row) for row in con.execute(sql, [monitor, spec]).fetchall()}


def kept_parts(con: DuckDBPyConnection, monitor: str, spec: str) -> list[PartRow]:
    """Parts of a monitor as they are now, those that no longer hold included."""
    sql = f"""SELECT {", ".join(_PART)}, commit_id FROM part WHERE monitor = ? AND spec = ?
        ORDER BY source, generation, from_position"""
    return [PartRow(*row) for row in con.execute(sql, [monitor, spec]).fetchall()]


def append_export(
    con: DuckDBPyConnection, monitor: str, spec: str, cursor: ExportCursor, parts: Sequence[PartRow], start: int
) -> list[PartRow]:
    """Write how far a file was read, and the parts this gave, in the open transaction; the parts as they are then.

    Raises:
        CursorConflictError: the store is not at `start` of this generation.
    """
    row = first_row(
        con,
        "SELECT generation, position FROM export WHERE monitor = ? AND spec = ? AND kind = ? AND path = ?",
        [monitor, spec, cursor.kind, cursor.path],
    )
    if start and row != (cursor.generation, start):
        raise CursorConflictError(f"{cursor.path}: another process read on from byte {start:,}")
    commit = next_commit(con, "export_log")
    _insert(con, "export_log", (commit, monitor, spec, *_cursor_values(cursor)))
    if not parts:
        return []
    commit = append_parts(con, monitor, spec, parts)
    return [replace(part, commit=commit) for part in parts]


def append_parts(con: DuckDBPyConnection, monitor: str, spec: str, parts: Sequence[PartRow]) -> int:
    """Write what became of parts, in the open transaction; the commit they have."""
    commit = next_commit(con, "part_log")
    for part in parts:
        _insert(con, "part_log", (commit, monitor, spec, *_part_values(part)))
    return commit


def append_knowledge(con: DuckDBPyConnection, monitor: str, spec: str, through: int, known: str) -> None:
    """Write what a monitor knows after judging all parts up to a commit, in the open transaction."""
    _insert(con, "knowledge_log", (next_commit(con, "knowledge_log"), monitor, spec, through, known))


def knowledge(con: DuckDBPyConnection, monitor: str, spec: str) -> tuple[int, str] | None:
    """The commit of parts up to which all is judged, and what is known; None before the first time."""
    row = first_row(
        con,
        "SELECT through, known FROM knowledge_log WHERE monitor = ? AND spec = ? ORDER BY commit_id DESC LIMIT 1",
        [monitor, spec],
    )
    return None if row is None else (int(row[0]), str(row[1]))


def run_data(con: DuckDBPyConnection, run: str) -> list[tuple[str, str, dict[str, Any]]]:
    """The data that a run logged, by its id or name: role, the run's folder, and what was said of the file."""
    rows = con.execute(
        """SELECT d.key, coalesce(r.path, ''), d.value
            FROM fact d LEFT JOIN (SELECT DISTINCT run_id, path FROM run_log) r USING (run_id)
            WHERE d.kind = 'data' AND (d.run_id = $1 OR d.run_id IN (
                SELECT run_id FROM fact WHERE kind IN ('name', 'native_id') AND value = $2))""",
        [run, json.dumps(run)],
    ).fetchall()
    return [(key, path, json.loads(value)) for key, path, value in rows]


def _insert(con: DuckDBPyConnection, table: str, row: Sequence[Any]) -> None:
    con.execute(f"INSERT INTO {table} VALUES ({', '.join('?' * len(row))})", list(row))
