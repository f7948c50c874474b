"""A private DuckDB for one piece of work: nothing is downloaded, memory is bounded, spill files go away."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

if TYPE_CHECKING:
    import duckdb


class Session(Struct, frozen=True):
    """An in-memory DuckDB and the folder its spill files and staged tables live in."""

    connection: duckdb.DuckDBPyConnection
    folder: Path

    def rows(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """All rows of a query."""
        return self.connection.execute(sql, list(parameters)).fetchall()

    def arrays(self, sql: str, parameters: Sequence[Any] = ()) -> list[NDArray[Any]]:
        """The columns of a query in order; a column with nulls is a masked array."""
        # A dictionary by name would lose columns whose names differ in case only: callers alias by position.
        return list(self.connection.execute(sql, list(parameters)).fetchnumpy().values())


@contextmanager
def open_session(memory_limit: str = "200MB", *, threads: int = 2) -> Iterator[Session]:
    """Open a DuckDB that spills to its own temporary folder, removed at the end.

    Rows keep the order of their files: with `preserve_insertion_order` off, sorted results arrive shuffled.
    """
    import duckdb

    folder = Path(tempfile.mkdtemp(prefix="workbench-"))
    settings: dict[str, str | bool | int | float | list[str]] = {
        "autoinstall_known_extensions": "false",
        "autoload_known_extensions": "false",
        "python_enable_replacements": "false",
        "preserve_insertion_order": "true",
        "memory_limit": memory_limit,
        "threads": str(threads),
        "temp_directory": str(folder),
    }
    try:
        connection = duckdb.connect(":memory:", config=settings)
        try:
            yield Session(connection, folder)
        finally:
            connection.close()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def quoted(name: str) -> str:
    """A name as an SQL identifier, whatever it contains."""
    return '"' + name.replace('"', '""') + '"'


def filled(array: NDArray[Any]) -> NDArray[np.float64]:
    """A fetched column of numbers as float64, nulls as NaN."""
    if isinstance(array, np.ma.MaskedArray):
        return np.where(np.ma.getmaskarray(array), np.nan, array.data.astype(np.float64, copy=False))
    return np.asarray(array, np.float64)
