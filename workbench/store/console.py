"""SQL from a person, on a snapshot, locked down: no files, no network, no ATTACH, no SET, one SELECT at a time."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from workbench.core.model import Run
from workbench.core.query import Limits, Rows, Stop
from workbench.store.settings import connected
from workbench.store.spill import Spill
from workbench.store.sql_errors import Names, SqlError, explained

__all__ = ["LIMIT", "SCHEMA", "TABLES", "SqlError", "run_sql"]

LIMIT = 100_000
"""Rows returned at most."""
TIMEOUT = 60.0
"""Seconds a statement may run unless told otherwise."""
LONGEST = 3600.0
"""Seconds it may run at most."""
TABLES: Mapping[str, str] = {
    "run": "a row a run, with its status and why",
    "param": "what runs were given, as text or JSON",
    "tag": "what people and scripts say of runs",
    "series": "a row a metric of a run: last, best, min, max, n",
    "point": "every value of every series, with step and time",
    "source": "files that are read, and how far",
    "reject": "lines that were refused, and why",
    "fact": "everything else that logs say of runs",
    "histogram": "histograms by step",
    "console": "lines that runs printed",
    "alias": "other names of one metric",
    "finding": "what is worth attention, since when, and why",
    "monitor": "monitors of production",
    "window": "slices of production time",
    "window_metric": "metrics of windows",
    "window_column": "drift of columns in windows",
    "profile": "what is kept of columns",
}
"""What can be asked, in an order to read it in."""
SCHEMA = """SELECT table_name, column_name, data_type FROM duckdb_columns()
    WHERE database_name = current_database() AND schema_name = 'main' AND NOT internal
    ORDER BY table_name, column_index"""
"""A statement that gives table, column and type of all that can be asked."""
_MADE = ("run", "param", "tag")
"""Tables that only Python knows."""


_ZONED = "WITH TIME ZONE"
_EXPLAIN = re.compile(r"(?:\s|--[^\n]*\n|/\*.*?\*/)*explain\b\s*(?:analyze\b)?\s*(?:\([^)]*\))?", re.I | re.S)
_PRAGMA = re.compile(r"(?:\s|--[^\n]*\n|/\*.*?\*/)*pragma\b", re.I | re.S)


def run_sql(
    snapshot: Path, text: str, parameters: Sequence[Any], runs: Sequence[Run], limits: Limits | None = None
) -> Rows:
    """Rows of one SELECT over `run`, `param`, `tag`, `series`, `point`, `source`, `reject`, `window` and the like.

    Raises:
        SqlError: not one reading statement, an error in it, or it was stopped.
    """
    import duckdb

    limits = limits or Limits()
    seconds = min(limits.seconds or TIMEOUT, LONGEST)
    stop = limits.stop or Stop()
    spill = Spill(snapshot.parent.parent)  # DuckDB's own choice would be the user's current folder
    con = connected(":memory:", spill)
    try:
        _prepare(con, snapshot, runs)
        _allow(con, text)
        with _stoppable(con, seconds, stop):
            if stop.asked:
                raise SqlError("stopped")
            return _rows(con, text, list(parameters), min(limits.rows or LIMIT, LIMIT))
    except duckdb.InterruptException as error:
        raise SqlError("stopped" if stop.asked else _too_long(seconds)) from error
    except duckdb.Error as error:
        raise explained(error, text, _names(con)) from error
    finally:
        con.close()
        spill.close()


@contextmanager
def _stoppable(con: Any, seconds: float, stop: Stop) -> Iterator[None]:
    """Interrupt what runs inside after so many seconds, or when somebody asks for it."""
    import duckdb

    def interrupt() -> None:
        with suppress(duckdb.Error):  # it has just ended by itself
            con.interrupt()

    timer = threading.Timer(seconds, interrupt)
    timer.daemon = True
    timer.start()
    stop.serve(interrupt)
    try:
        yield
    finally:
        timer.cancel()
        stop.serve(lambda: None)


def _too_long(seconds: float) -> str:
    return f"stopped after {seconds:g} s: narrow it with WHERE or LIMIT"


def _names(con: Any) -> Names:
    """What could have been meant; nothing where the connection is past answering."""
    import duckdb

    try:
        found = con.execute(SCHEMA).fetchall()
    except duckdb.Error:
        return Names()
    return Names({column for _, column, _ in found}, {table for table, _, _ in found})


def _rows(con: Any, text: str, parameters: list[Any], most: int) -> Rows:
    """The rows; moments with a time zone come as text, since DuckDB needs pytz to make them Python's."""
    cursor = con.execute(text, parameters)
    columns = [(column[0], str(column[1])) for column in cursor.description or ()]
    if any(_ZONED in kind for _, kind in columns):
        shown = ", ".join(
            f"CAST(#{place} AS VARCHAR)" if _ZONED in kind else f"#{place}"
            for place, (_, kind) in enumerate(columns, 1)
        )
        cursor = con.execute(f"SELECT {shown} FROM ({_without_end(text)}\n)", parameters)
    rows = [tuple(row) for row in cursor.fetchmany(most + 1)]
    return Rows([name for name, _ in columns], rows[:most], len(rows) > most)


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
    for name in TABLES:
        if name in _MADE:
            continue
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
        raise explained(error, text, _names(con)) from error
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
