"""What the SQL screen asks, off the event loop, and the messages that answer."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from textual.message import Message

from workbench.core.query import Limits, Query, Rows
from workbench.tui.messages import Said
from workbench.tui.sql_complete import Schema


@dataclass
class Answered(Message):
    """A statement gave these rows."""

    number: int
    rows: Rows
    seconds: float
    taken_at: float
    """When the store was as the rows say."""


@dataclass
class Refused(Message):
    """A statement gave none, and why; `line` and `column` count from 1."""

    number: int
    reason: str
    seconds: float
    line: int | None = None
    column: int | None = None


@dataclass
class SchemaLoaded(Message):
    """Tables and their columns, in an order to read them in; `about` says a few words of each table."""

    schema: Schema
    about: dict[str, str]


def ask(query: Query, number: int, text: str, limits: Limits, now: float) -> Message:
    """Run one statement."""
    from workbench.store.console import SqlError

    started = time.monotonic()
    try:
        rows = query.sql(text, (), limits)
        return Answered(number, rows, time.monotonic() - started, now)
    except SqlError as error:
        return Refused(number, error.reason, time.monotonic() - started, error.line, error.column)
    except Exception as error:  # noqa: BLE001 - whatever the store raises is shown, and may be tried again
        return Refused(number, str(error) or type(error).__name__, time.monotonic() - started)


def load_schema(query: Query) -> Message:
    """What can be asked; nothing of it where the store cannot be read, which the first statement will say."""
    from workbench.store.console import SCHEMA, TABLES

    try:
        rows = query.sql(SCHEMA).rows
    except Exception:  # noqa: BLE001 - the names are a help, and missing ones no failure
        rows = []
    found: dict[str, list[tuple[str, str]]] = {name: [] for name in TABLES}
    for table, column, kind in rows:
        found.setdefault(table, []).append((column, str(kind).lower()))
    return SchemaLoaded({name: columns for name, columns in found.items() if columns}, dict(TABLES))


def write(rows: Rows, path: Path) -> Message:
    """Write an answer to a file that is not there yet."""
    from workbench.report.tables import FormatError, write_rows

    try:
        write_rows(rows, path, replace=False)
    except (OSError, FormatError, ValueError) as error:
        return Said(f"not written: {error}", bad=True)
    except Exception as error:  # noqa: BLE001 - a library that cannot write a column must not end the interface
        return Said(f"not written: {type(error).__name__}: {error}", bad=True)
    return Said(f"{len(rows.rows):,} rows in {path}")
