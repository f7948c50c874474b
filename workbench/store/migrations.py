"""Numbered steps from one schema version to the next; each runs after a backup, followed by a checkpoint."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from workbench.store.errors import StoreCorruptError, StoreNewerError
from workbench.store.files import copy_store
from workbench.store.rows import first_row
from workbench.store.schema import TABLES, VIEWS

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

VERSION = 2
Migration = Callable[["DuckDBPyConnection"], None]


def _begin_anew(con: DuckDBPyConnection) -> None:
    """Nothing is taken over: what version 1 lacks is in the logs, which are read again, annotations among them."""
    for view, temporary in con.execute(
        "SELECT view_name, internal FROM duckdb_views() WHERE database_name = 'wb'"
    ).fetchall():
        if not temporary:
            con.execute(f'DROP VIEW "{view}"')
    for (table,) in con.execute("SELECT table_name FROM duckdb_tables() WHERE database_name = 'wb'").fetchall():
        con.execute(f'DROP TABLE "{table}"')
    con.execute(TABLES)


MIGRATIONS: Mapping[int, Migration] = {2: _begin_anew}
"""By the version a step leads to."""


def current_version(con: DuckDBPyConnection) -> int:
    """The schema version of the attached store, 0 when it has no tables yet."""
    import duckdb

    try:
        row = first_row(con, "SELECT max(version) FROM wb.main.schema_version")
    except duckdb.CatalogException:  # asking for all tables first would take five times as long
        if first_row(con, "SELECT table_name FROM duckdb_tables() WHERE database_name = 'wb'"):
            raise StoreCorruptError("not a workbench store: it has tables, but no schema_version") from None
        return 0
    return int(row[0]) if row and row[0] is not None else 0


def check_not_newer(version: int, path: Path, target: int = VERSION) -> None:
    """Refuse a store of a later workbench.

    Raises:
        StoreNewerError: its version is above ours.
    """
    if version > target:
        raise StoreNewerError(
            f"{path}: schema version {version}, this workbench knows up to {target}.\n"
            f"  next: pip install --upgrade mlworkbench, or move the file aside and let the logs be read again"
        )


def migrate(
    con: DuckDBPyConnection,
    path: Path,
    application: str,
    steps: Mapping[int, Migration] = MIGRATIONS,
    target: int = VERSION,
    *,
    is_new: bool = False,
) -> None:
    """Bring the attached store to `target`; called inside a write lease with `wb` in use.

    The file is copied to `backups/` before the first step, because the store keeps what no log says any more. `is_new`
    says that this very lease made the file, so that there is nothing to look for.
    """
    version = 0 if is_new else current_version(con)
    check_not_newer(version, path, target)
    if version == 0:
        con.execute("BEGIN")
        con.execute(TABLES)
        con.execute(VIEWS)
        _stamp(con, target, application)
        con.execute("COMMIT")
        return
    if version < target:
        con.execute("CHECKPOINT wb")
        copy_store(path, path.parent / "backups" / f"version-{version}-{int(time.time())}.duckdb")
    for number in range(version + 1, target + 1):
        con.execute("BEGIN")
        steps[number](con)
        con.execute(VIEWS)
        _stamp(con, number, application)
        con.execute("COMMIT")
        con.execute("CHECKPOINT wb")


def _stamp(con: DuckDBPyConnection, version: int, application: str) -> None:
    con.execute("INSERT INTO schema_version VALUES (?, ?, ?)", [version, time.time(), application])
