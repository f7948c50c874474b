"""Small ways of asking DuckDB that leave no open result behind: one would own the connection."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


def first_row(con: DuckDBPyConnection, sql: str, parameters: Sequence[Any] = ()) -> tuple[Any, ...] | None:
    """The first row of a query's whole result, None when it is empty."""
    rows = con.execute(sql, list(parameters)).fetchall()
    return rows[0] if rows else None


def next_commit(con: DuckDBPyConnection, table: str = "source_log") -> int:
    """One more than the highest commit number in a log."""
    row = first_row(con, f"SELECT coalesce(max(commit_id), 0) + 1 FROM {table}")
    return int(row[0]) if row else 1
