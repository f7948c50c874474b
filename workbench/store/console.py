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
from workbench.store.settings import connected
from workbench.store.spill import Spill

LIMIT = 100_000
"""Rows returned at most."""
TIMEOUT = 60.0
"""Seconds a statement may run."""
_TABLES = (
    "source", "series", "alias", "point", "histogram", "console", "fact", "reject", "monitor", "window",
    "window_metric", "window_column", "profile", "finding",
)  # fmt: skip


_ZONED = "WITH TIME ZONE"
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

    spill = Spill(snapshot.parent.parent)  # DuckDB's own choice would be the user's current folder
    con = connected(":memory:", spill)
    try:
        _prepare(con, snapshot, runs)
        _allow(con, text)
        timer = threading.Timer(TIMEOUT, con.interrupt)
        timer.daemon = True
        timer.start()
        try:
            return _rows(con, text, list(parameters))
        finally:
            timer.cancel()
    except duckdb.InterruptException as error:
        raise SqlError(f"stopped after {TIMEOUT:.0f} s: narrow it with WHERE or LIMIT") from error
    except duckdb.Error as error:
        raise SqlError(str(error)) from error
    finally:
        con.close()
        spill.close()


def _rows(con: Any, text: str, parameters: list[Any]) -> Rows:
    """The rows; moments with a time zone come as text, since DuckDB needs pytz to make them Python's."""
    cursor = con.execute(text, parameters)
    columns = [(column[0], str(column[1])) for column in cursor.description or ()]
    if any(_ZONED in kind for _, kind in columns):
        shown = ", ".join(
            f"CAST(#{place} AS VARCHAR)" if _ZONED in kind else f"#{place}"
            for place, (_, kind) in enumerate(columns, 1)
        )
        cursor = con.execute(f"SELECT {shown} FROM ({_without_end(text)}\n)", parameters)
    return Rows([name for name, _ in columns], [tuple(row) for row in cursor.fetchmany(LIMIT)])


def _without_end(text: str) -> str:
    """A statement without its semicolon and what follows; the tokens' places are in bytes."""
    import duckdb

    raw = text.encode()
    places = [place for place, _ in duckdb.tokenize(text)]
    end = next((place for place in places if raw[place : place + 1] == b";"), len(raw))
    return raw[:end].decode()


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
    con.execute("SET enable_external_access = false")
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
