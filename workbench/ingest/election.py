"""One ingester a project: whoever holds the lock reads the files; the lock dies with its process."""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path

from workbench.store.place import Place


class Election:
    """The ingester's lock of a project."""

    def __init__(self, place: Place) -> None:
        self._path: Path = place.store / "ingest.lock"
        self._descriptor: int | None = None

    def win(self) -> bool:
        """Become the ingester; False while another process is."""
        if self._descriptor is not None:
            return True
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        if not _locked(descriptor, fcntl.LOCK_EX):
            os.close(descriptor)
            return False
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, str(os.getpid()).encode(), 0)
        self._descriptor = descriptor
        return True

    def holder(self) -> int | None:
        """Process id of the ingester, None when there is none."""
        if self._descriptor is not None:
            return os.getpid()
        try:
            descriptor = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return None
        try:
            if _locked(descriptor, fcntl.LOCK_SH, tries=1):
                return None
            return int(os.pread(descriptor, 20, 0) or 0) or None
        except ValueError:
            return None
        finally:
            os.close(descriptor)

    def resign(self) -> None:
        """Let another process take over."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def _locked(descriptor: int, kind: int, tries: int = 4) -> bool:
    """Take a lock at once; somebody who only asks who has it keeps it for less than a few tries."""
    for left in range(tries, 0, -1):
        try:
            fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            if left > 1:
                time.sleep(0.002)
        else:
            return True
    return False
