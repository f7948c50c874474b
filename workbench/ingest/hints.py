"""Hints that something new appeared: they name it early and are never believed alone."""

from __future__ import annotations

import threading
import warnings
from pathlib import Path, PurePath
from typing import Any


class Hints:
    """Collects paths that the operating system says were written; the scan finds what it forgets to say."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._dirty: set[PurePath] = set()
        self._lock = threading.Lock()
        self._observer: Any = None

    def start(self) -> str:
        """Begin to listen; the answer says why it could not, and is empty when it could."""
        from watchdog.events import (
            DirCreatedEvent,
            DirMovedEvent,
            FileCreatedEvent,
            FileMovedEvent,
            FileSystemEventHandler,
        )
        from watchdog.observers import Observer

        # It warns of folders that appear while it lists them, which is no news to anybody here.
        warnings.filterwarnings("ignore", "Callback with id", RuntimeWarning)
        note = self._note

        class Handler(FileSystemEventHandler):
            def on_any_event(self, event: Any) -> None:
                note(str(getattr(event, "dest_path", "") or event.src_path))

        # Who writes to a known file shows by its size, for less than an event a line costs.
        kinds = [FileCreatedEvent, FileMovedEvent, DirCreatedEvent, DirMovedEvent]
        observer = Observer()
        try:
            observer.schedule(Handler(), str(self._root), recursive=True, event_filter=kinds)
            observer.start()
        except OSError as error:
            return f"no hints from the operating system ({error.strerror}); scanning only"
        self._observer = observer
        return ""

    def stop(self) -> None:
        """Listen no more."""
        if self._observer is not None:
            self._observer.stop()
            self._observer.join(timeout=2)
            self._observer = None

    def take(self) -> set[PurePath]:
        """Paths relative to the project that changed since the last call."""
        with self._lock:
            dirty, self._dirty = self._dirty, set()
        return dirty

    def _note(self, path: str) -> None:
        try:
            relative = PurePath(path).relative_to(self._root)
        except ValueError:
            return
        if relative.parts[:1] == (".workbench",) and "annotations" not in relative.parts:
            return
        with self._lock:
            self._dirty.add(relative)
