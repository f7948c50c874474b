"""One process's door to the store: an in-memory DuckDB that attaches the file for each use and lets go of it."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from workbench.store.errors import StoreBusyError, StoreError, StoreGoneError, explain, explain_statement, lock_holder
from workbench.store.files import copy_store
from workbench.store.leases import PATIENCE, FairLock, Turnstile
from workbench.store.migrations import VERSION, check_not_newer, current_version, migrate
from workbench.store.place import Place
from workbench.store.settings import connected
from workbench.store.spill import Spill

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

APPLICATION = "workbench 0.1.0"
_KEEP_SNAPSHOT = 600.0
"""Seconds a snapshot that is no longer the newest stays for those who are about to open it."""
_SHARED_FOR = 2.0
"""Seconds that a snapshot of a store that is slow to copy is good enough for others."""
_SLOW_TO_COPY = 64 * 1024 * 1024
"""Bytes from which on copying holds writers up noticeably."""


class Store:
    """The project's store; make one per process and share it between threads.

    `read()` and `write()` lend the connection with the store attached and in use as `wb`. A lease is meant to hold
    one query or one small transaction; results are fetched inside it.
    """

    def __init__(self, place: Place, *, patience: float = PATIENCE, scratch: Path | None = None) -> None:
        self.place = place
        self.path = place.database
        self._patience = patience
        self._scratch = scratch or place.store
        """Where snapshots and what does not fit in memory go: elsewhere, for those who may write nothing here."""
        self._turnstile = Turnstile(place.store)
        self._in_process = FairLock()
        self._connection: DuckDBPyConnection | None = None
        self._spill: Spill | None = None
        self._checked = 0
        """Inode of the file whose version was looked at."""
        self._is_new = False
        """The lease that is held made the file."""

    @property
    def exists(self) -> bool:
        """Whether the store file is there; a look at the file, no lease."""
        return self.path.exists()

    def create(self) -> None:
        """Make the store, or bring an older one to this version.

        Raises:
            StoreError: it is locked, newer, corrupt or cannot be written.
        """
        try:
            self.place.store.mkdir(parents=True, exist_ok=True, mode=0o700)
            for folder in {self.place.store, self.place.state if self.place.state.exists() else self.place.store}:
                ignore = folder / ".gitignore"
                if not ignore.exists():
                    ignore.write_text("*\n")
        except OSError as error:
            raise explain(error, self.place.store) from error
        with self._lease(exclusive=True) as con:
            migrate(con, self.path, APPLICATION, is_new=self._is_new)
            self._checked = os.stat(self.path).st_ino

    @contextmanager
    def read(self) -> Iterator[DuckDBPyConnection]:
        """Lend the connection for one query; `wb` is attached read-only."""
        with self._lease(exclusive=False) as con:
            self._check(con)
            yield con

    @contextmanager
    def write(self) -> Iterator[DuckDBPyConnection]:
        """Lend the connection inside one transaction, committed when the body ends and rolled back when it raises.

        A commit that raises may have committed: callers re-read their cursors before they try again.
        """
        if not self.exists:
            self.create()  # removed while this process runs: what the files say is read again
        with self._lease(exclusive=True) as con:
            self._check(con)
            con.execute("BEGIN")
            try:
                yield con
            except BaseException:
                con.execute("ROLLBACK")
                raise
            con.execute("COMMIT")

    def revision(self) -> str:
        """Changes whenever the store file does; costs one stat."""
        try:
            stat = os.stat(self.path)
        except OSError:
            return ""
        return f"{stat.st_ino}-{stat.st_size}-{stat.st_mtime_ns}"

    def snapshot(self) -> Path:
        """A copy of the store for long work, one per revision, shared by all who ask.

        Of a large store, one that is a moment old is as good: under steady writing every revision would be copied.
        """
        folder = self._scratch / "snapshots"
        target = self._shared(folder)
        if target is not None:
            return target
        with self._in_process_turn(), self._turnstile.pass_through(exclusive=False, patience=self._patience):
            target = folder / f"{self.revision()}.duckdb"
            self._require()
            if not target.exists():
                copy_store(self.path, target)
        for old in list(folder.iterdir()):
            with suppress(OSError):  # another process may be cleaning as well
                if not old.name.startswith(target.name) and old.stat().st_mtime < time.time() - _KEEP_SNAPSHOT:
                    old.unlink()
        return target

    def close(self) -> None:
        """Let go of the connection; the store can be used again afterwards."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        if self._spill is not None:
            self._spill.close()
            self._spill = None

    def _check(self, con: DuckDBPyConnection) -> None:
        inode = os.stat(self.path).st_ino
        if self._checked != inode:
            version = current_version(con)
            check_not_newer(version, self.path)
            if version < VERSION:
                raise StoreError(
                    f"{self.path}: schema version {version}, this workbench needs {VERSION}.\n"
                    "  next: workbench watch --once"
                )
            self._checked = inode

    def _shared(self, folder: Path) -> Path | None:
        """A snapshot that is there and good enough."""
        target = folder / f"{self.revision()}.duckdb"
        if target.exists():
            os.utime(target)
            return target
        with suppress(OSError):
            if self.path.stat().st_size >= _SLOW_TO_COPY:
                made = [(item.stat().st_ctime, item) for item in folder.glob("*.duckdb")]
                newest = max(made, default=None)
                if newest is not None and time.time() - newest[0] < _SHARED_FOR:
                    return newest[1]
        return None

    def _require(self) -> None:
        """The store file, or an error that says what to do.

        Raises:
            StoreGoneError: it was removed.
        """
        if not self.exists:
            raise StoreGoneError(
                f"{self.path}: there is no store any more.\n"
                "  next: workbench watch --once reads the logs again; a running ingester does so by itself"
            )

    @contextmanager
    def _in_process_turn(self) -> Iterator[None]:
        if not self._in_process.acquire(self._patience):
            raise StoreBusyError(f"{self.path}: this process kept the store for {self._patience:.0f} s")
        try:
            yield
        finally:
            self._in_process.release()

    @contextmanager
    def _lease(self, *, exclusive: bool) -> Iterator[DuckDBPyConnection]:
        if not exclusive:
            self._require()
        with self._in_process_turn(), self._turnstile.pass_through(exclusive=exclusive, patience=self._patience):
            if not exclusive:
                self._require()
            elif not self.exists:
                self.path.with_name(f"{self.path.name}.wal").unlink(missing_ok=True)  # of a store that was removed
            con = self._connect()
            self._attach(con, exclusive)
            import duckdb

            try:
                yield con
            except duckdb.Error as error:
                raise explain_statement(error, self.path) from error
            finally:
                self._detach(con)

    def _connect(self) -> DuckDBPyConnection:
        if self._connection is None:
            self._spill = Spill(self._scratch)
            self._connection = connected(":memory:", self._spill)
        elif self._spill is not None:
            self._spill.keep()
        return self._connection

    def _attach(self, con: DuckDBPyConnection, exclusive: bool) -> None:
        """Attach and use `wb`; waits for a DuckDB process that does not know our turnstile."""
        import duckdb

        file = str(self.path).replace("'", "''")
        deadline, pause = time.monotonic() + self._patience, 0.01
        while True:
            self._is_new = exclusive and not self.exists
            options = "STORAGE_VERSION 'v1.5.0'" if self._is_new else "READ_WRITE" if exclusive else "READ_ONLY"
            try:
                con.execute(f"ATTACH '{file}' AS wb (TYPE duckdb, {options})")
                con.execute("USE wb")
                return
            except duckdb.Error as error:
                holder = lock_holder(error)
                if holder is None:
                    raise explain(error, self.path) from error
                if time.monotonic() > deadline:
                    raise StoreBusyError(
                        f"{self.path}: opened by {holder} outside workbench.\n"
                        "  next: close it there, then run this again"
                    ) from error
            time.sleep(pause)
            pause = min(pause * 2, 0.25)

    def _detach(self, con: DuckDBPyConnection) -> None:
        """Detach, which checkpoints; a connection that a fatal error left unusable is dropped."""
        import duckdb

        try:
            con.execute("USE memory")
            con.execute("DETACH wb")
        except duckdb.Error:
            self.close()
