"""Rows on their way into a table: numpy columns, inserted by one statement, never row by row."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.store.arrow import Numbers, is_numbers

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection
    from numpy.typing import NDArray


MANY = 50_000
"""Rows from which on a second thread is worth while."""


def as_columns(
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
            columns[name] = texts(values)
        elif any(isinstance(value, list) for value in values):
            columns[name] = np.empty(len(values), dtype=object)
            columns[name][:] = values
        else:
            columns[name] = np.array(values, dtype=object if None in values else None)
    return columns


def texts(values: Sequence[str]) -> NDArray[Any]:
    """Texts as a column; lone surrogates, which no database takes, become question marks."""
    column = np.empty(len(values), dtype=object)
    column[:] = [value if value.isascii() else value.encode("utf-8", "replace").decode() for value in values]
    return column


def insert(con: DuckDBPyConnection, table: str, columns: Mapping[str, NDArray[Any]], select: str = "*") -> None:
    """Append columns of one length to a table; `select` may convert them on the way."""
    if not columns or not len(next(iter(columns.values()))):
        return
    con.register("incoming", _source(columns))
    names = ", ".join(columns)
    try:
        con.execute(f"INSERT INTO {table} ({names}) SELECT {select} FROM incoming")
    finally:
        con.unregister("incoming")


def _source(columns: Mapping[str, NDArray[Any]]) -> object:
    """What DuckDB can scan: many numbers by all its threads; a few come sooner without what that takes."""
    if len(next(iter(columns.values()))) >= MANY and is_numbers(columns):
        return Numbers(columns)
    return dict(columns)


def nan_as_null(nullable: Sequence[str], values: Sequence[str] = ()) -> str:
    """All columns: NaN means none in the nullable ones; in values it was logged, and DuckDB takes it for NULL."""
    absent = [f"CASE WHEN isnan({name}) THEN NULL ELSE {name} END AS {name}" for name in nullable]
    logged = [f"coalesce({name}, 'NaN'::DOUBLE) AS {name}" for name in values]
    return f"* REPLACE ({', '.join(absent + logged)})"
