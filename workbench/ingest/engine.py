"""The ingester's core: reads what sources have to say and commits it with their cursors, exactly once."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Sequence
from pathlib import Path, PurePath

from msgspec import Struct

from workbench.core.config import Config
from workbench.ingest import limits
from workbench.ingest.committer import Committer
from workbench.ingest.progress import Progress
from workbench.ingest.reading import Reading
from workbench.ingest.registry import Registry
from workbench.ingest.tracked import Tracked
from workbench.plugin.api import Reader
from workbench.store.append import Delta
from workbench.store.errors import StoreError
from workbench.store.store import Store


class Outcome(Struct, frozen=True):
    """What one pass read."""

    points: int = 0
    accepted: int = 0
    rejected: int = 0
    bytes: int = 0
    unread: int = 0
    """Bytes still to be read when time ran out."""

    def __add__(self, other: Outcome) -> Outcome:
        return Outcome(
            self.points + other.points, self.accepted + other.accepted, self.rejected + other.rejected,
            self.bytes + other.bytes, other.unread,
        )  # fmt: skip


class Judge:
    """Who judges what is read, and uses the time in which it is committed; the base does neither."""

    def keep(self, deltas: Sequence[Delta]) -> None:
        """Take notice of what is about to be committed."""

    def prepare(self) -> bool:
        """Do some of the work ahead; whether there is more."""
        return False

    def forget(self) -> None:
        """What was about to be committed may not have been."""


class Engine:
    """Reads a project's sources into its store; the caller holds the ingester's lock."""

    def __init__(
        self, root: Path, config: Config, store: Store, readers: Iterable[Reader], *,
        clock: Callable[[], float] = time.time, progress: Progress | None = None, judge: Judge | None = None,
    ) -> None:  # fmt: skip
        self.root = root
        self.store = store
        self.clock = clock
        self.progress = progress or Progress()
        self.registry = Registry(root, config, tuple(readers), clock)
        self._reading = Reading(store.place.store, self.registry, clock, self._add)
        self._committer = Committer(store)
        self._judge = judge or Judge()
        self._backlog: dict[PurePath, Tracked] = {}
        self._pending: list[Delta] = []
        self._pending_points = 0
        self._pending_since = 0.0
        self._submitted = False
        self._stale = False
        self.registry.load(store)

    def close(self) -> None:
        """Commit what was read and stop."""
        try:
            self.flush()
            self.registry.save(self.store)
        finally:
            self._reading.close()
            self._committer.close()
            self.progress.end()

    def scan(self) -> list[Tracked]:
        """Walk the project and look into all that is new; sources with something to read, the newest first."""
        self._reload()
        return self.registry.scan()

    def read_all(self, sources: Iterable[Tracked], *, final: bool = False, deadline: float | None = None) -> Outcome:
        """Read each source to its end and commit, or stop when `deadline` (of the monotonic clock) passes.

        Raises:
            StoreError: a commit failed twice.
        """
        self._reload()
        self._backlog.clear()
        self._queue(sources)
        self.progress.start(len(self._backlog), self._left())
        return self._drain(final, deadline)

    def catch_up(self, *, final: bool = False, deadline: float | None = None) -> Outcome:
        """Read all there is and commit: known sources first, then new ones as they are found, the newest first.

        Raises:
            StoreError: a commit failed twice.
        """
        self.walk()
        return self._drain(final, deadline)

    def walk(self) -> None:
        """Look at the whole project; what there is to read waits in the backlog.

        Raises:
            StoreError: the cursors could not be read again after a failure.
        """
        self._reload()
        self._backlog.clear()
        self._queue(self.registry.walk())
        self.progress.start(len(self._backlog) + len(self.registry.waiting), self._left())

    def live(self, hints: Collection[PurePath] = ()) -> Outcome | None:
        """Read and commit what live sources say, a stretch of each; None when they said nothing.

        Raises:
            StoreError: a commit failed.
        """
        self._reload()
        news = {source.path: source for source in self.registry.hot(self.clock() - limits.HOT)}
        if hints:
            news |= {source.path: source for source in self.registry.hinted(hints)}
        self._queue(self.registry.meet(time.monotonic() + limits.SLICE) if hints and self.registry.waiting else ())
        outcome = Outcome()
        for path, source in news.items():
            step, more = self._stretch(source, final=False)
            outcome += step
            if more:
                self._backlog.setdefault(path, source)
            else:
                self._backlog.pop(path, None)
        if news:
            self.flush()
        return outcome if news else None

    @property
    def behind(self) -> bool:
        """Whether something waits to be read."""
        return bool(self._backlog or self.registry.waiting)

    def work_off(self, seconds: float) -> Outcome:
        """Read some of the backlog; commits follow when enough has gathered or the backlog is empty.

        Raises:
            StoreError: a commit failed.
        """
        return self._slice(False, time.monotonic() + seconds)

    def flush(self) -> None:
        """Commit what waits; after a failure the cursors are read again and nothing is taken for granted.

        Raises:
            StoreError: the store cannot be written.
        """
        self._remarks()
        try:
            self._submit()
            while self._committer.busy and self._judge.prepare():
                pass
            self._committer.flush()
        except StoreError:
            self._recover()
            raise
        refused = self._committer.take_refused()
        if refused:
            by_id = {source.cursor.source_id: path for path, source in self.registry.tracked.items()}
            for source_id in refused:
                self.registry.park(source_id, by_id.get(source_id, PurePath()))
            self._recover()

    def _drain(self, final: bool, deadline: float | None) -> Outcome:
        total = Outcome()
        while self.behind and (deadline is None or time.monotonic() < deadline):
            until = time.monotonic() + limits.SLICE
            total += self._slice(final, until if deadline is None else min(until, deadline))
        unread = self._left()
        self.flush()
        self.progress.end()
        return total + Outcome(unread=unread)

    def _slice(self, final: bool, until: float) -> Outcome:
        """Read the backlog for a while; when it is empty, look into new files."""
        self._reload()
        total = Outcome()
        if not self._backlog and self.registry.waiting:
            self._queue(self.registry.meet(until))
            until = max(until, time.monotonic() + limits.SLICE / 2)
        while self._backlog and time.monotonic() < until:
            path = next(iter(self._backlog))
            step, more = self._stretch(self._backlog[path], final)
            total += step
            self.progress.advance(step.bytes, step.points)
            if not more:
                self._backlog.pop(path, None)
                self.progress.done()
        if not self.behind:
            self.flush()
        return total

    def _queue(self, sources: Iterable[Tracked]) -> None:
        """Put sources behind the backlog; what is to be said of them without reading goes first."""
        self._remarks()
        for source in sources:
            if source.path in self.registry.tracked:
                self._backlog[source.path] = self.registry.tracked[source.path]

    def _stretch(self, source: Tracked, final: bool) -> tuple[Outcome, bool]:
        """Read one stretch of a source; whether there is more."""
        step = self._reading.step(source, final)
        if step is None:
            return Outcome(), False
        points = 0 if step.delta.points is None else len(step.delta.points.value)
        self._add(step.delta, points)
        return Outcome(points, step.accepted, len(step.delta.rejects), step.bytes), step.more

    def _left(self) -> int:
        """Bytes to read; how much of a database is new, nobody knows."""
        size = self.registry.waiting.size
        for source in self._backlog.values():
            whole = source.cursor.bytes if source.found is None else source.found.size
            size += max(0, whole - (0 if source.reader.framing == "path" else source.cursor.to_offset))
        return size

    def _recover(self) -> None:
        """Forget what was read ahead of the store; the cursors are read again before the next look."""
        self._pending, self._pending_points = [], 0
        self._judge.forget()
        self._committer.recover()
        self._stale = True

    def _reload(self) -> None:
        """After a failure, go on from what the store has, with the sources that were to be read.

        A store that was removed meanwhile is made anew, and everything is read again.
        """
        if not self.store.exists:
            self._recover()
            self.store.create()
        if self._stale:
            self.registry.load(self.store)
            self._stale = False
            tracked = self.registry.tracked
            self._backlog = {path: tracked[path] for path in self._backlog if path in tracked}

    def _remarks(self) -> None:
        for delta in self.registry.take_remarks():
            self._add(delta)

    def _add(self, delta: Delta, points: int = 0) -> None:
        if not self._pending:
            self._pending_since = time.monotonic()
        self._pending.append(delta)
        self._pending_points += points
        first = not self._submitted and self._pending_points < limits.FIRST_POINTS
        patience = limits.FIRST_SECONDS if first else limits.BATCH_SECONDS
        late = time.monotonic() - self._pending_since > patience
        if self._pending_points >= limits.BATCH_POINTS or late:
            try:
                self._submit()
            except StoreError:
                self._recover()
                raise

    def _submit(self) -> None:
        if self._pending:
            deltas, self._pending, self._pending_points = self._pending, [], 0
            self._submitted = True
            self._judge.keep(deltas)
            self._committer.submit(deltas)
