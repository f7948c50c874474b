"""The ingester's life: scan, read, commit; then follow hints and short scans until told to stop."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from msgspec import Struct

from workbench.ingest import limits
from workbench.ingest.engine import Engine, Outcome
from workbench.ingest.hints import Hints
from workbench.store.errors import StoreError


class Rhythm(Struct, frozen=True):
    """Seconds between looks: hot files, the whole project, and after trouble with the store."""

    hot: float = 0.2
    full: float = 2.0
    slowest_full: float = 30.0
    trouble: float = 2.0
    share: float = 0.01
    """Share of the time that full scans may take; they are stretched beyond it."""
    slowest_hot: float = 0.4
    work: float = 0.12
    """Share of a core that following live files may take; looks are stretched beyond it."""


class Watch:
    """Keeps a project's store up to date; the caller holds the ingester's lock."""

    def __init__(
        self, engine: Engine, *, hints: Hints | None = None, rhythm: Rhythm | None = None,
        after: Callable[[], object] | None = None, tell: Callable[[str], None] | None = None,
    ) -> None:  # fmt: skip
        self._engine = engine
        self._hints = hints
        self._rhythm = rhythm or Rhythm()
        self._after = after or (lambda: None)
        self._tell = tell or (lambda text: None)
        self._stop = threading.Event()
        self._listening = False
        self._more = False
        """What comes after reading has more to do."""

    def stop(self) -> None:
        """End `run` after the current pass; may be called from a signal handler or another thread."""
        self._stop.set()

    def once(
        self, *, final: bool = True, deadline: float | None = None, said: Callable[[Outcome], None] = lambda _: None
    ) -> Outcome:
        """Read all there is; `said` hears of it as soon as it is committed, before what comes after reading."""
        outcome = self._engine.catch_up(final=final, deadline=deadline)
        said(outcome)
        if deadline is None or time.monotonic() < deadline:
            self._after()
        return outcome

    def run(self, alive: Callable[[], bool] = lambda: True) -> None:
        """Read all there is, then follow until stopped or until `alive` says no."""
        next_full = 0.0
        while not self._stop.is_set() and alive():
            began, worked = time.monotonic(), time.process_time()
            try:
                next_full = self._pass(next_full)
                if self._listen():
                    next_full = 0.0  # for what appeared while nobody listened yet
            except StoreError as error:
                self._tell(str(error))
                self._stop.wait(self._rhythm.trouble)
                next_full = 0.0
                continue
            self._pause(began, time.process_time() - worked)
        if self._hints is not None:
            self._hints.stop()

    def _pass(self, next_full: float) -> float:
        """One look: live files first, then the whole project when it is time, then some of the backlog."""
        began = time.monotonic()
        news = self._engine.live(() if self._hints is None else self._hints.take()) is not None
        if began >= next_full:
            self._engine.walk()
            pause = max(self._rhythm.full, (time.monotonic() - began) / self._rhythm.share)
            next_full = time.monotonic() + min(pause, self._rhythm.slowest_full)
            news = True
        if self._engine.behind:
            self._engine.work_off(limits.SLICE)
            news = True
        if news or self._more:
            self._engine.progress.end()  # what comes now may have something to say
            self._more = bool(self._after())
        return next_full

    def _listen(self) -> bool:
        """Begin to take hints after the first look: in a large project that takes as long as the look itself."""
        if self._hints is None or self._listening:
            return False
        self._listening = True
        remark = self._hints.start()
        if remark:
            self._tell(remark)
        return True

    def _pause(self, began: float, worked: float) -> None:
        """Wait until a tick has passed since the last look, unless there is more to read."""
        if self._engine.behind:
            return
        tick = min(max(self._rhythm.hot, worked / self._rhythm.work), max(self._rhythm.hot, self._rhythm.slowest_hot))
        self._stop.wait(max(0.01, began + tick - time.monotonic()))
