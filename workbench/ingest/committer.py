"""Commits deltas on a thread of its own, so that reading goes on while DuckDB writes."""

from __future__ import annotations

import os
import queue
import threading
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from msgspec.structs import replace

from workbench.ingest import limits
from workbench.ingest.tracked import REFUSED
from workbench.store.append import Cursor, Delta, Positions, append, latest_cursors
from workbench.store.errors import StoreError, StoreRefusedError, StoreUnwritableError
from workbench.store.incoming import MANY
from workbench.store.store import Store
from workbench.store.summaries import compact

_COMPACT_EVERY = 50

_BAD_ROWS = (StoreRefusedError, ValueError, TypeError, ArithmeticError)
"""What a row that cannot be stored raises; anything else is about the store."""

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


class Committer:
    """A bounded queue of deltas and the thread that writes them, one transaction a submission."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._queue: queue.Queue[Sequence[Delta] | None] = queue.Queue(maxsize=3)
        self._error: Exception | None = None
        self._commits = 0
        self._threads = 0
        self._positions: Positions | None = None
        self._refused: dict[int, str] = {}
        self._thread = threading.Thread(target=self._run, name="committer", daemon=True)
        self._thread.start()

    def submit(self, deltas: Sequence[Delta]) -> None:
        """Queue one transaction; waits while three are queued.

        Raises:
            StoreError: an earlier one failed; `recover` first.
        """
        self._raise()
        self._queue.put(deltas)

    @property
    def busy(self) -> bool:
        """Whether something that was submitted is not committed yet."""
        return self._queue.unfinished_tasks > 0

    def flush(self) -> None:
        """Wait until all that was submitted is committed.

        Raises:
            StoreError: one of them failed.
        """
        self._queue.join()
        self._raise()

    def recover(self) -> None:
        """Forget what failed and what was queued behind it; the caller re-reads the cursors from the store."""
        self._queue.join()
        self._error = None

    def take_refused(self) -> Mapping[int, str]:
        """Sources whose rows the store did not take since the last call, and why; the others' rows are in."""
        refused, self._refused = self._refused, {}
        return refused

    def close(self) -> None:
        """Commit what is queued and end the thread."""
        self._queue.put(None)
        self._thread.join()

    def _raise(self) -> None:
        if self._error is not None:
            if isinstance(self._error, StoreError):
                raise self._error
            raise StoreError(f"{self._store.path}: commit failed: {self._error}") from self._error

    def _run(self) -> None:
        while (deltas := self._queue.get()) is not None:
            try:
                if self._error is None:
                    self._commit(deltas)
            except Exception as error:  # noqa: BLE001 - handed to the reading thread, which re-reads the cursors
                self._error = error
            finally:
                self._queue.task_done()
        self._queue.task_done()

    def _commit(self, deltas: Sequence[Delta]) -> None:
        require_space(self._store)
        deltas = [delta for delta in deltas if delta.cursor.source_id not in self._refused]
        if not deltas:
            return
        try:
            self._transact(deltas)
        except _BAD_ROWS as error:
            self._one_by_one(deltas, error)
        self._commits += 1
        if self._commits % _COMPACT_EVERY == 0:
            with self._store.write() as con:
                compact(con)

    def _transact(self, deltas: Sequence[Delta]) -> None:
        before, self._positions = self._positions, None  # a commit that raises says nothing about where the store is
        with self._store.write() as con:
            self._tune(con, sum(len(delta.points.value) for delta in deltas if delta.points is not None))
            positions = append(con, deltas, before)
        self._positions = positions

    def _tune(self, con: DuckDBPyConnection, points: int) -> None:
        threads = 1 if points < MANY else 2
        if threads != self._threads:
            con.execute(f"SET threads = {threads}")
            self._threads = threads

    def _one_by_one(self, deltas: Sequence[Delta], error: Exception) -> None:
        """One source spoils the transaction: it is marked as damaged where it stands, and the others' rows go in."""
        groups: dict[int, list[Delta]] = {}
        for delta in deltas:
            groups.setdefault(delta.cursor.source_id, []).append(delta)
        for source_id, group in groups.items():
            try:
                if len(groups) > 1:
                    self._transact(group)
                    continue
            except _BAD_ROWS as own:
                error = own
            reason = str(error).removeprefix(f"{self._store.path}: ") or type(error).__name__
            self._refused[source_id] = reason
            self._mark_damaged(group, reason)

    def _mark_damaged(self, group: Sequence[Delta], reason: str) -> None:
        """Say what is wrong; runs and series that others may have too are announced nevertheless."""
        bare = Delta(_damaged(self._store, group[0].cursor, reason))
        names = replace(
            bare,
            new_series=[row for delta in group for row in delta.new_series],
            new_runs=[row for delta in group for row in delta.new_runs],
        )
        try:
            self._transact([names])
        except _BAD_ROWS:
            self._transact([bare])


def _damaged(store: Store, cursor: Cursor, reason: str) -> Cursor:
    """The cursor where the store has it, with what is wrong; a source that is new there stands at its start."""
    with store.read() as con:
        stored = next((item for item in latest_cursors(con) if item.source_id == cursor.source_id), None)
    if stored is None:
        stored = replace(
            cursor, generation=0, to_offset=0, head_length=0, head_hash="", tail_hash="", accepted=0, rejected=0,
            state="", first_step=None, data_at=None,
        )  # fmt: skip
    return replace(
        stored, from_offset=stored.to_offset, inode=cursor.inode, bytes=cursor.bytes, mtime_ns=cursor.mtime_ns,
        status="damaged", message=f"{REFUSED}{reason}", seen_at=cursor.seen_at,
    )  # fmt: skip


def require_space(store: Store) -> None:
    """Refuse to write on a nearly full disk, because an error in the middle of a commit says nothing about its fate.

    Raises:
        StoreUnwritableError: less than `limits.LEAST_FREE` bytes are free.
    """
    disk = os.statvfs(store.place.store)
    free = disk.f_bavail * disk.f_frsize
    if free < limits.LEAST_FREE:
        raise StoreUnwritableError(
            f"{store.place.store}: {free >> 20} MiB free, reading pauses below {limits.LEAST_FREE >> 20} MiB.\n"
            f"  next: free some space; reading goes on by itself and nothing is lost"
        )
