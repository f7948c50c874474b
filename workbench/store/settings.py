"""How every DuckDB instance of workbench is set up."""

from __future__ import annotations

from workbench.store.spill import Spill

Settings = dict[str, str | bool | int | float | list[str]]


def settings(spill: Spill, *, most_spilled: str = "4GB") -> Settings:
    """Settings of an instance that spills to a folder; nothing is downloaded and no Python variable is a table."""
    return {
        "autoinstall_known_extensions": "false",
        "autoload_known_extensions": "false",
        "python_enable_replacements": "false",
        "threads": "2",
        "memory_limit": "1GB",
        "temp_directory": str(spill.path),
        "max_temp_directory_size": most_spilled,
    }
