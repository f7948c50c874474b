"""The ingester's core: knows every source, reads what is new, and commits it with the cursor, exactly once."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

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


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one pass read."""

    points: int = 0
    accepted: int = 0
    rejected: int = 0
    bytes: int = 0
    unread: int = 0
    """Bytes still to be read when time ran out."""


class Engine:
    """Reads a project's sources into its store; the caller holds the ingester's lock."""

    def __init__(
        self, root: Path, config: Config, store: Store, readers: Iterable[Reader], *,
        clock: Callable[[], float] = time.time, progress: Progress | None = None,
    ) -> None:  # fmt: skip
        self.root = root
        self.store = store
        self.clock = clock
        self.progress = progress or Progress()
        self.registry = Registry(root, config, tuple(readers), clock)
        self._reading = Reading(root, self.registry, clock, self._add)
        self._committer = Committer(store)
        self._pending: list[Delta] = []
        self._pending_points = 0
        self._pending_since = 0.0
        self._stale = False
        self.registry.load(store)

    def close(self) -> None:
        """Commit what was read and stop."""
        try:
            self.flush()
        finally:
            self._committer.close()

    def scan(self) -> list[Tracked]:
        """Walk the project; sources with something to read, the newest first."""
        self._reload()
        return self.registry.scan()

    def read_all(self, sources: Iterable[Tracked], *, final: bool = False, deadline: float | None = None) -> Outcome:
        """Read each source to its end, or until `deadline` (of the monotonic clock) passes.

        Raises:
            StoreError: a commit failed twice.
        """
        self._reload()
        for delta in self.registry.take_remarks():
            self._add(delta)
        total = Outcome()
        waiting = list(sources)
        self.progress.start(len(waiting), sum(self._left(source) for source in waiting))
        for position, source in enumerate(waiting):
            while True:
                if deadline is not None and time.monotonic() > deadline:
                    unread = sum(self._left(item) for item in waiting[position:])
                    self.flush()
                    return replace(total, unread=unread)
                step = self._reading.step(source, final)
                if step is None:
                    break
                points = 0 if step.delta.points is None else len(step.delta.points.value)
                total = Outcome(
                    total.points + points, total.accepted + step.accepted,
                    total.rejected + len(step.delta.rejects), total.bytes + step.bytes,
                )  # fmt: skip
                self._add(step.delta, points)
                self.progress.advance(step.bytes, points)
                if not step.more:
                    break
            self.progress.done_file()
        self.flush()
        return total

    def flush(self) -> None:
        """Commit what waits; after a failure the cursors are read again and nothing is taken for granted.

        Raises:
            StoreError: the store cannot be written.
        """
        try:
            self._submit()
            self._committer.flush()
        except StoreError:
            self._recover()
            raise

    def _recover(self) -> None:
        """Forget what was read ahead of the store; the cursors are read again before the next look."""
        self._pending, self._pending_points = [], 0
        self._committer.recover()
        self._stale = True

    def _reload(self) -> None:
        if self._stale:
            self.registry.load(self.store)
            self._stale = False

    def _add(self, delta: Delta, points: int = 0) -> None:
        if not self._pending:
            self._pending_since = time.monotonic()
        self._pending.append(delta)
        self._pending_points += points
        late = time.monotonic() - self._pending_since > limits.BATCH_SECONDS
        if self._pending_points >= limits.BATCH_POINTS or late:
            try:
                self._submit()
            except StoreError:
                self._recover()
                raise

    def _submit(self) -> None:
        if self._pending:
            deltas, self._pending, self._pending_points = self._pending, [], 0
            self._committer.submit(deltas)

    def _left(self, source: Tracked) -> int:
        """Bytes to read; how much of a database is new, nobody knows."""
        size = source.cursor.bytes if source.found is None else source.found.size
        return max(0, size - (0 if source.reader.framing == "path" else source.cursor.to_offset))
