"""Work off the event loop: jobs run on daemon threads, so that one that hangs holds up neither a key nor the exit."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable


class Lane:
    """Runs one job at a time on a thread of its own; a newer job takes the place of one that waits, or queues."""

    def __init__(self, name: str, *, keep_all: bool = False) -> None:
        self._name = name
        self._ready = threading.Condition()
        self._waiting: deque[Callable[[], None]] = deque(maxlen=None if keep_all else 1)
        self._running = False
        self._closed = False
        self._thread: threading.Thread | None = None

    def submit(self, job: Callable[[], None]) -> None:
        """Have `job` run next; it must handle its own errors and give its result back as a message."""
        with self._ready:
            if self._closed:
                return
            self._waiting.append(job)
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name=f"workbench-{self._name}", daemon=True)
                self._thread.start()
            self._ready.notify()

    @property
    def busy(self) -> bool:
        """A job runs or waits."""
        with self._ready:
            return self._running or bool(self._waiting)

    def close(self) -> None:
        """Take no more jobs; the running one is left to end by itself."""
        with self._ready:
            self._closed = True
            self._waiting.clear()
            self._ready.notify()

    def _work(self) -> None:
        while True:
            with self._ready:
                self._running = False
                while not self._waiting and not self._closed:
                    self._ready.wait()
                if self._closed:
                    return
                job = self._waiting.popleft()
                self._running = True
            job()
