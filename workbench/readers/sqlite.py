"""SQLite databases of other programs, opened so that neither they nor their folder is ever written to.

A live writer keeps its lock rights: reading takes a shared lock for a moment and gives up soon. A database in WAL mode
needs more care, because opening one `mode=ro` alone may leave `-wal` and `-shm` files beside it.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import stat
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from msgspec import Struct

MAGIC = b"SQLite format 3\0"
NOT_SQLITE = "not an SQLite database"
"""Why a reader of databases leaves a file alone."""
SECONDS = 4.0
"""Longest time a database stays open: below the five seconds that most writers wait for a lock."""
_BUSY_SECONDS = 0.25
_LONGEST_VALUE = 16 * 1024 * 1024
_LARGEST_COPY = 256 * 1024 * 1024
_WAL_MODE = 2
_HEADER = 100
_LATER = ("SQLITE_BUSY", "SQLITE_LOCKED", "SQLITE_INTERRUPT", "SQLITE_READONLY_ROLLBACK", "SQLITE_READONLY_RECOVERY")


class UnreadableDatabaseError(Exception):
    """The database cannot be read; the message says why."""

    def __init__(self, message: str, *, later: bool = False) -> None:
        super().__init__(message)
        self.later = later
        """It is busy or changed under the reader: the next look may succeed without any change of the file."""


class Database(Struct, frozen=True):
    """An open database, seen as it was when its first row was read."""

    connection: sqlite3.Connection
    remark: str = ""
    """What the way it had to be opened means for its reader; for Sources."""

    def columns(self, table: str) -> frozenset[str]:
        """The columns of an ordinary table, empty where there is none; views and virtual tables do not count."""
        ordinary = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND rootpage > 0 AND name = ?"
        if not list(self.rows(ordinary, table)):
            return frozenset()
        return frozenset(str(row[0]) for row in self.rows("SELECT name FROM pragma_table_info(?)", table))

    def has(self, table: str, *columns: str) -> bool:
        """Whether there is such a table with all of these columns."""
        found = self.columns(table)
        return bool(found) and found.issuperset(columns)

    def select(self, table: str, columns: Sequence[str], tail: str = "", *values: Any) -> Iterator[tuple[Any, ...]]:
        """Rows of an ordinary table; a column that it lacks is NULL, a table that is not there has no rows.

        `tail` is what follows the table's name: `WHERE id > ? ORDER BY id LIMIT 100`, with its values.

        Raises:
            UnreadableDatabaseError: busy, damaged, or out of time.
        """
        found = self.columns(table)
        if not found:
            return iter(())
        listed = ", ".join(f'"{name}"' if name in found or name == "rowid" else "NULL" for name in columns)
        return self.rows(f'SELECT {listed} FROM "{table}" {tail}', *values)  # noqa: S608 - names are the readers' own

    def rows(self, sql: str, *values: Any) -> Iterator[tuple[Any, ...]]:
        """Rows of a query, fetched as they are asked for.

        Raises:
            UnreadableDatabaseError: busy, damaged, or out of time.
        """
        try:
            yield from self.connection.execute(sql, values)
        except (sqlite3.Error, OverflowError, UnicodeError) as error:
            raise _refusal(error) from None


@contextlib.contextmanager
def opened(place: str, *, seconds: float = SECONDS) -> Iterator[Database]:
    """Open a database for a moment; all that is read inside is of one state of it.

    Raises:
        UnreadableDatabaseError: it is none, busy, damaged, out of time, or was written to while it was read unlocked.
    """
    try:
        with _way_in(place) as (address, remark, is_spoilt):
            connection = sqlite3.connect(address, uri=True, timeout=_BUSY_SECONDS, isolation_level=None)
            try:
                _guard(connection, seconds)
                connection.execute("BEGIN")
                yield Database(connection, remark)
            finally:
                connection.close()
            if is_spoilt():
                raise UnreadableDatabaseError("written to while it was read; read again", later=True)
    except (sqlite3.Error, UnicodeError) as error:
        raise _refusal(error) from None
    except OSError as error:
        raise UnreadableDatabaseError(error.strerror or str(error), later=True) from None


def tables_at(place: str) -> frozenset[str]:
    """Names of the tables of a database, in lower case; empty when it cannot be read now.

    For claims: in the first 64 KiB of a database with many tables there may be no definition at all.
    """
    try:
        with opened(place, seconds=1.0) as database:
            listed = database.rows("SELECT name FROM sqlite_master WHERE type = 'table' AND rootpage > 0 LIMIT 1000")
            return frozenset(str(row[0]).lower() for row in listed)
    except UnreadableDatabaseError:
        return frozenset()


def is_sqlite(head: bytes) -> bool:
    """Whether a file begins like a database."""
    return head.startswith(MAGIC)


@contextlib.contextmanager
def _way_in(place: str) -> Iterator[tuple[str, str, Callable[[], bool]]]:
    """The address to open a database by, a remark, and whether what was read through it is spoilt.

    Raises:
        OSError: it cannot be looked at.
        UnreadableDatabaseError: it is no database, or one of its files is a pipe, device or link.
    """
    sizes = {suffix: _size(place + suffix) for suffix in ("", "-wal", "-shm", "-journal")}
    with open(place, "rb") as file:
        header = file.read(_HEADER)
    if not is_sqlite(header) or len(header) < _HEADER:
        raise UnreadableDatabaseError("not an SQLite database", later=len(header) < _HEADER)
    if header[19] != _WAL_MODE:
        yield _address(place), "", lambda: False
    elif not sizes["-wal"]:
        before = _version(place)
        yield _address(place, "immutable=1"), "", lambda: _version(place) != before
    elif sizes["-shm"]:
        yield _address(place, "readonly_shm=1"), "", lambda: False
    elif (sizes[""] or 0) + sizes["-wal"] <= _LARGEST_COPY:
        with tempfile.TemporaryDirectory(prefix="workbench-") as folder:
            copy = str(Path(folder, "copy.db"))
            shutil.copyfile(place, copy)
            shutil.copyfile(f"{place}-wal", f"{copy}-wal")
            yield _address(copy), "", lambda: False
    else:
        remark = "its -wal file has no -shm file beside it and is not read: open the database once with its own program"
        yield _address(place, "immutable=1"), remark, lambda: False


def _size(path: str) -> int | None:
    """Bytes of a regular file, None where there is none."""
    try:
        found = os.lstat(path)
    except FileNotFoundError:
        return None
    if not stat.S_ISREG(found.st_mode):
        raise UnreadableDatabaseError(f"{Path(path).name} is not a regular file")
    return found.st_size


def _version(place: str) -> tuple[int, int, int, bool]:
    found = os.stat(place)
    return found.st_ino, found.st_size, found.st_mtime_ns, bool(_size(f"{place}-wal"))


def _address(place: str, *options: str) -> str:
    return f"file:{quote(os.fsencode(os.path.abspath(place)))}?{'&'.join(('mode=ro', *options))}"


def _guard(connection: sqlite3.Connection, seconds: float) -> None:
    """Take a hostile database's means: functions in its schema, endless queries, values that fill the memory."""
    deadline = time.monotonic() + seconds
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _LONGEST_VALUE)
    connection.set_progress_handler(lambda: time.monotonic() > deadline, 20_000)
    connection.text_factory = _text
    for pragma in ("trusted_schema = OFF", "query_only = ON", "cell_size_check = ON", "mmap_size = 0"):
        connection.execute(f"PRAGMA {pragma}")


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "replace")


def _refusal(error: Exception) -> UnreadableDatabaseError:
    code: str = getattr(error, "sqlite_errorname", "")
    return UnreadableDatabaseError(str(error), later=code.startswith(_LATER) or code.startswith("SQLITE_CANTOPEN"))
