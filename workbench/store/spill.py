"""Where DuckDB spills what does not fit in memory: a folder an instance, tidied by whoever comes after its end."""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
from contextlib import suppress
from pathlib import Path


class Spill:
    """A folder of its own beside the store, there as long as this object is open.

    A lock says that its owner lives: a process id says nothing across containers that share a disk. One folder an
    instance, since DuckDB 1.5 gives files the same names in every process.
    """

    def __init__(self, store: Path) -> None:
        base = store / "tmp"
        base.mkdir(parents=True, exist_ok=True)
        _tidy(base)
        self.path = base / f"{os.getpid()}-{secrets.token_hex(4)}"
        self._lock = _locked(self.path.with_suffix(".lock"))
        self.keep()

    def keep(self) -> None:
        """Make the folder again where someone removed it: DuckDB makes none, and says so when it is too late."""
        if not self.path.is_dir():
            self.path.mkdir(parents=True, exist_ok=True)

    def close(self) -> None:
        """Remove what is left; DuckDB must have been closed before."""
        if self._lock >= 0:
            shutil.rmtree(self.path, ignore_errors=True)
            with suppress(OSError):
                self.path.with_suffix(".lock").unlink()
            os.close(self._lock)
            self._lock = -1

    def __enter__(self) -> Spill:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _locked(path: Path) -> int:
    """A descriptor that holds the lock on a file of this name, which a tidying process may remove until we have it."""
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        with suppress(OSError):
            if os.stat(path).st_ino == os.fstat(descriptor).st_ino:
                return descriptor
        os.close(descriptor)


def _tidy(base: Path) -> None:
    """Remove the folders whose owners are gone."""
    for lock in base.glob("*.lock"):
        try:
            descriptor = os.open(lock, os.O_RDWR | os.O_CLOEXEC)
        except OSError:
            continue
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(lock.with_suffix(""), ignore_errors=True)
            lock.unlink(missing_ok=True)
        except OSError:
            pass  # its owner lives, or another process is tidying it
        finally:
            os.close(descriptor)
