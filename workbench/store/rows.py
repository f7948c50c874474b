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


def insert_rows(con: DuckDBPyConnection, table: str, types: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> None:
    """All rows of a table in one statement, a parameter a column: it takes lists, and keeps None apart from NaN.

    types: of the table's columns, in their order.
    """
    if not rows:
        return
    columns = ", ".join(f"unnest(${i}::{kind}[])" for i, kind in enumerate(types, 1))
    con.execute(f"INSERT INTO {table} SELECT {columns}", [list(column) for column in zip(*rows, strict=True)])
