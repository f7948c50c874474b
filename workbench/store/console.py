"""SQL from a person, on a snapshot, locked down: no files, no network, no ATTACH, no SET, one SELECT at a time."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from workbench.core.model import Run
from workbench.core.query import Rows
from workbench.store.files import spill_folder

LIMIT = 100_000
"""Rows returned at most."""
TIMEOUT = 60.0
"""Seconds a statement may run."""
_SETTINGS: dict[str, str | bool | int | float | list[str]] = {
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "threads": "2",
    "max_temp_directory_size": "4GB",
}
_TABLES = (
    "source", "series", "alias", "point", "histogram", "console", "fact", "reject", "monitor", "window",
    "window_metric", "window_column", "profile", "finding",
)  # fmt: skip


_EXPLAIN = re.compile(r"(?:\s|--[^\n]*\n|/\*.*?\*/)*explain\b\s*(?:analyze\b)?\s*(?:\([^)]*\))?", re.I | re.S)
_PRAGMA = re.compile(r"(?:\s|--[^\n]*\n|/\*.*?\*/)*pragma\b", re.I | re.S)


class SqlError(ValueError):
    """The statement is refused or fails; the message says what and what is allowed."""


def run_sql(snapshot: Path, text: str, parameters: Sequence[Any], runs: Sequence[Run]) -> Rows:
    """Rows of one SELECT over `run`, `param`, `tag`, `series`, `point`, `source`, `reject`, `window` and the like.

    Raises:
        SqlError: not one reading statement, an error in it, or it ran for too long.
    """
    import duckdb

    spill = spill_folder(snapshot.parent.parent)  # DuckDB's own choice would be the user's current folder
    con = duckdb.connect(":memory:", config={**_SETTINGS, "temp_directory": spill})
    try:
        _prepare(con, snapshot, runs)
        _allow(con, text)
        timer = threading.Timer(TIMEOUT, con.interrupt)
        timer.daemon = True
        timer.start()
        try:
            cursor = con.execute(text, list(parameters))
            names = [column[0] for column in cursor.description or ()]
            return Rows(names, [tuple(row) for row in cursor.fetchmany(LIMIT)])
        finally:
            timer.cancel()
    except duckdb.InterruptException as error:
        raise SqlError(f"stopped after {TIMEOUT:.0f} s: narrow it with WHERE or LIMIT") from error
    except duckdb.Error as error:
        raise SqlError(str(error)) from error
    finally:
        con.close()


def _prepare(con: Any, snapshot: Path, runs: Sequence[Run]) -> None:
    """Attach the snapshot, add what only Python knows (status, reasons), and lock the door."""
    file = str(snapshot).replace("'", "''")
    con.execute(f"ATTACH '{file}' AS wb (READ_ONLY)")
    for name in _TABLES:
        con.execute(f'CREATE VIEW "{name}" AS SELECT * FROM wb."{name}"')
    con.execute(
        "CREATE TABLE run (id VARCHAR, name VARCHAR, format VARCHAR, path VARCHAR, status VARCHAR,"
        " status_reason VARCHAR, started_at DOUBLE, ended_at DOUBLE, updated_at DOUBLE,"
        " hidden BOOLEAN, baseline BOOLEAN, group_name VARCHAR, parent VARCHAR)"
    )
    con.execute("CREATE TABLE param (run_id VARCHAR, key VARCHAR, value VARCHAR)")
    con.execute("CREATE TABLE tag (run_id VARCHAR, key VARCHAR, value VARCHAR)")
    _fill(con, "run", [
        (run.id, run.name, run.format, run.path, run.status, run.status_reason, run.started_at, run.ended_at,
         run.updated_at, run.hidden, run.baseline, run.group, run.parent) for run in runs
    ])  # fmt: skip
    _fill(con, "param", [(run.id, key, _text(value)) for run in runs for key, value in run.params.items()])
    _fill(con, "tag", [(run.id, key, value) for run in runs for key, value in run.tags.items()])
    for setting in ("enable_external_access = false", "python_enable_replacements = false", "memory_limit = '1GB'"):
        con.execute(f"SET {setting}")
    con.execute("SET lock_configuration = true")


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _fill(con: Any, table: str, rows: Sequence[tuple[Any, ...]]) -> None:
    """Insert rows through object columns in one statement."""
    if not rows:
        return
    import numpy as np

    columns = {}
    for position, (name, kind) in enumerate(
        con.execute(f"SELECT column_name, column_type FROM (DESCRIBE {table})").fetchall()
    ):
        values = [row[position] for row in rows]
        if kind == "DOUBLE":
            columns[name] = np.array([np.nan if value is None else value for value in values], dtype=np.float64)
        elif kind == "BOOLEAN":
            columns[name] = np.array(values, dtype=bool)
        else:
            columns[name] = np.empty(len(values), dtype=object)
            columns[name][:] = [str(value).encode("utf-8", "replace").decode() for value in values]
    con.register("incoming", columns)
    fields = ", ".join(
        f"CASE WHEN isnan({name}) THEN NULL ELSE {name} END" if column.dtype == np.float64 else name
        for name, column in columns.items()
    )
    con.execute(f"INSERT INTO {table} SELECT {fields} FROM incoming")
    con.unregister("incoming")


def _allow(con: Any, text: str) -> None:
    """Refuse everything but one statement that reads."""
    import duckdb

    try:
        statements = con.extract_statements(text)
    except duckdb.Error as error:
        raise SqlError(str(error)) from error
    if len(statements) != 1:
        raise SqlError(f"{len(statements)} statements; write one SELECT at a time")
    kind = statements[0].type.name.rpartition(".")[2].upper()
    if _PRAGMA.match(text):  # DuckDB 1.5 turns some of them into a SELECT before it says their kind
        kind = "PRAGMA"
    if kind == "EXPLAIN":  # ANALYZE runs what it explains
        _allow(con, _EXPLAIN.sub("", text, count=1))
        return
    if kind not in {"SELECT", "RELATION"}:
        raise SqlError(f"{kind} is not allowed here; only SELECT, WITH, DESCRIBE, SHOW and EXPLAIN read")
