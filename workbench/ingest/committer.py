"""Commits deltas on a thread of its own, so that reading goes on while DuckDB writes."""

from __future__ import annotations

import os
import queue
import threading
from collections.abc import Sequence

from workbench.store.append import Delta, append
from workbench.store.errors import StoreError, StoreUnwritableError
from workbench.store.store import Store
from workbench.store.summaries import compact

LEAST_FREE = 256 * 1024 * 1024
"""Bytes that must stay free on the store's disk; below, reading pauses and loses nothing."""
_COMPACT_EVERY = 50


class Committer:
    """A bounded queue of deltas and the thread that writes them, one transaction a submission."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._queue: queue.Queue[Sequence[Delta] | None] = queue.Queue(maxsize=3)
        self._error: Exception | None = None
        self._commits = 0
        self._thread = threading.Thread(target=self._run, name="committer", daemon=True)
        self._thread.start()

    def submit(self, deltas: Sequence[Delta]) -> None:
        """Queue one transaction; waits while three are queued.

        Raises:
            StoreError: an earlier one failed; `recover` first.
        """
        self._raise()
        self._queue.put(deltas)

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
        with self._store.write() as con:
            append(con, deltas)
        self._commits += 1
        if self._commits % _COMPACT_EVERY == 0:
            with self._store.write() as con:
                compact(con)


def require_space(store: Store) -> None:
    """Refuse to write on a nearly full disk, because an error in the middle of a commit says nothing about its fate.

    Raises:
        StoreUnwritableError: less than `LEAST_FREE` bytes are free.
    """
    disk = os.statvfs(store.place.store)
    free = disk.f_bavail * disk.f_frsize
    if free < LEAST_FREE:
        raise StoreUnwritableError(
            f"{store.place.store}: {free >> 20} MiB free, reading pauses below {LEAST_FREE >> 20} MiB.\n"
            f"  next: free some space; reading goes on by itself and nothing is lost"
        )
