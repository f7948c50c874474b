"""How every DuckDB instance of workbench is set up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.store.spill import Spill

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

MEMORY = "1GB"
"""What an instance may take."""
Settings = dict[str, str | bool | int | float | list[str]]


def settings(spill: Spill, *, most_spilled: str = "4GB") -> Settings:
    """Settings of an instance that spills to a folder; nothing is downloaded and no Python variable is a table."""
    return {
        "autoinstall_known_extensions": "false",
        "autoload_known_extensions": "false",
        "python_enable_replacements": "false",
        "threads": "2",
        "memory_limit": MEMORY,
        "temp_directory": str(spill.path),
        "max_temp_directory_size": most_spilled,
    }


def connected(place: str, spill: Spill, *, read_only: bool = False, most_spilled: str = "4GB") -> DuckDBPyConnection:
    """An instance of its own; it draws no progress, which DuckDB would put on stdout among the data."""
    import duckdb

    con = duckdb.connect(place, read_only=read_only, config=settings(spill, most_spilled=most_spilled))
    con.execute("SET enable_progress_bar = false")
    return con
