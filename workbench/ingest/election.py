"""One ingester a project: whoever holds the lock reads the files; the lock dies with its process."""

from __future__ import annotations

import fcntl
import os
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
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
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
        if self.win():
            self.resign()
            return None
        try:
            return int(self._path.read_text() or 0) or None
        except (OSError, ValueError):
            return None

    def resign(self) -> None:
        """Let another process take over."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
