"""The ingester's core: knows every source, reads what is new, and commits it with the cursor, exactly once."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from workbench.core.batch import Batch, Chunk
from workbench.core.config import Config
from workbench.ingest import limits, stretch
from workbench.ingest.committer import Committer
from workbench.ingest.identity import mark_of, opened, still_at
from workbench.ingest.progress import Progress
from workbench.ingest.registry import Registry
from workbench.ingest.tracked import Tracked, delta_of
from workbench.plugin.api import Reader
from workbench.store.append import Cursor, Delta
from workbench.store.errors import StoreError
from workbench.store.store import Store

_UNFINISHED = "an unfinished"
_OPEN = "~open"
"""State key: the last line was taken without its end, so a line end that follows is not a line of its own."""


@dataclass(frozen=True, slots=True)
class Step:
    """One stretch of one source, read."""

    delta: Delta
    bytes: int
    accepted: int


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
        for cursor in self.registry.take_remarks():
            self._add(Delta(cursor))
        total = Outcome()
        waiting = list(sources)
        self.progress.start(len(waiting), sum(self._left(source) for source in waiting))
        for position, source in enumerate(waiting):
            while True:
                if deadline is not None and time.monotonic() > deadline:
                    unread = sum(self._left(item) for item in waiting[position:])
                    self.flush()
                    return replace(total, unread=unread)
                step = self._step(source, final)
                if step is None:
                    break
                points = 0 if step.delta.points is None else len(step.delta.points.value)
                total = Outcome(
                    total.points + points, total.accepted + step.accepted,
                    total.rejected + len(step.delta.rejects), total.bytes + step.bytes,
                )  # fmt: skip
                self._add(step.delta, points)
                self.progress.advance(step.bytes, points)
                if source.cursor.to_offset >= source.cursor.bytes:
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
        return max(0, source.cursor.bytes - source.cursor.to_offset)

    def _step(self, source: Tracked, final: bool) -> Step | None:
        """Read one stretch; None when there is nothing more to read now."""
        try:
            with opened(self.root / source.path) as descriptor:
                return self._read(source, descriptor, final)
        except OSError as error:
            self._trouble(source, error)
            return None

    def _read(self, source: Tracked, descriptor: int, final: bool) -> Step | None:
        stat = os.fstat(descriptor)
        if stat.st_ino != source.inode:
            return None  # Another file has its name since the listing: the next one tells where this one went.
        found = (stat.st_ino, stat.st_size, stat.st_mtime_ns)
        cursor = source.cursor
        if not still_at(descriptor, cursor.to_offset, source.mark):
            source.next_generation("rewritten; read again from the start")
        elif source.reader.framing == "file" and 0 < cursor.to_offset < stat.st_size:
            source.next_generation("")
        if source.reader.framing == "file" and (source.cursor.to_offset or not stat.st_size):
            return None
        source.cursor = replace(source.cursor, inode=stat.st_ino, bytes=stat.st_size, mtime_ns=stat.st_mtime_ns)
        batch, read = self._batch(source, descriptor, stat, final)
        if batch is None:
            source.seen, source.seen_settled = found, self._is_settled(stat)
            return None
        if batch.restart:
            source.next_generation(batch.message)
            return self._read(source, descriptor, final)
        moved = self._moved(source, descriptor, batch, read)
        earlier = self.registry.earlier(source) if batch.purges else ()
        return Step(delta_of(source, batch, moved, self.registry.known, earlier), read, batch.accepted)

    def _batch(self, source: Tracked, descriptor: int, stat: os.stat_result, final: bool) -> tuple[Batch | None, int]:
        """The reader's answer to the next stretch and how many bytes it took; None when there is nothing to take."""
        offset, framing = source.cursor.to_offset, source.reader.framing
        if offset >= stat.st_size and framing != "file":
            return None, 0
        if framing == "file":
            data = os.pread(descriptor, limits.WHOLE, 0)
            return self._ask(source, Chunk(source.path, data, 0, {}, True, stat.st_mtime)), stat.st_size
        if framing == "records":
            return self._records(source, descriptor, stat, final or self._is_settled(stat))
        return self._lines(source, descriptor, stat, final)

    def _lines(self, source: Tracked, descriptor: int, stat: os.stat_result, final: bool) -> tuple[Batch | None, int]:
        offset, state = source.cursor.to_offset, source.state
        whole = source.reader.is_whole if final or self._is_settled(stat) else None
        abandoned = self.clock() - stat.st_mtime > limits.ABANDONED
        piece = stretch.lines(descriptor, offset, stat.st_size, settled=abandoned, whole=whole)
        if piece.refused is not None:
            return Batch(rejects=(piece.refused,), state=state), piece.refused.length
        if not piece.data:
            self._say(source, f"{_UNFINISHED} last line of {piece.held} bytes waits for its end" if whole else "")
            return None, 0
        data, start = piece.data, offset
        if state.pop(_OPEN, False):
            if not data.startswith((b"\n", b"\r\n")):
                return Batch(restart=True, message="a last line taken for complete went on; read again"), 0
            skipped = data.index(b"\n") + 1
            data, start = data[skipped:], offset + skipped
        if not data:
            return Batch(state=state), start - offset
        chunk = Chunk(source.path, data, start, state, piece.final, stat.st_mtime)
        batch = self._ask(source, chunk)
        if not batch.consumed and not batch.restart:
            self._say(source, batch.message)
            if self._is_settled(stat) and not chunk.final:
                batch = self._ask(source, replace(chunk, final=True))
        if piece.final and batch.consumed == len(data):
            batch = replace(batch, state={**batch.state, _OPEN: True})
        return (batch, start - offset + batch.consumed) if batch.consumed or batch.restart else (None, 0)

    def _records(
        self, source: Tracked, descriptor: int, stat: os.stat_result, settled: bool
    ) -> tuple[Batch | None, int]:
        offset, wanted = source.cursor.to_offset, limits.CHUNK
        while True:
            data = stretch.records(descriptor, offset, stat.st_size, wanted).data
            whole = offset + len(data) >= stat.st_size
            batch = self._ask(source, Chunk(source.path, data, offset, source.state, settled and whole, stat.st_mtime))
            if batch.consumed or batch.restart or whole or wanted > limits.RECORD:
                self._say(source, "" if batch.consumed else batch.message)
                return (batch, batch.consumed) if batch.consumed or batch.restart else (None, 0)
            wanted *= 2

    def _ask(self, source: Tracked, chunk: Chunk) -> Batch:
        """Let the reader read; one that fails is named in Sources and the bytes wait for a better one."""
        try:
            return source.reader.read(chunk)
        except Exception as error:  # noqa: BLE001 - a plugin's mistake must not stop the others
            message = f"reader {source.reader.name} failed at byte {chunk.start}: {type(error).__name__}: {error}"
            self._say(source, message, status="damaged")
            return Batch(state=source.state)

    def _is_settled(self, stat: os.stat_result) -> bool:
        return self.clock() - stat.st_mtime > limits.SETTLED

    def _say(self, source: Tracked, message: str, status: str = "live") -> None:
        """Note something in Sources, once, without moving the cursor."""
        if message and message != source.cursor.message:
            cursor = source.cursor
            source.cursor = replace(cursor, message=message, status=status, from_offset=cursor.to_offset)
            self._add(Delta(source.cursor))

    def _moved(self, source: Tracked, descriptor: int, batch: Batch, read: int) -> Cursor:
        """The cursor behind what was read."""
        cursor = source.cursor
        offset = cursor.to_offset + read
        mark = mark_of(descriptor, offset)
        return replace(
            cursor, from_offset=cursor.to_offset, to_offset=offset, head_length=mark.head_length,
            head_hash=mark.head_hash, tail_hash=mark.tail_hash, accepted=cursor.accepted + batch.accepted,
            rejected=cursor.rejected + len(batch.rejects), status="live", message=batch.message or _lasting(source),
            state=json.dumps(batch.state) if batch.state else "", seen_at=self.clock(),
        )  # fmt: skip

    def _trouble(self, source: Tracked, error: OSError) -> None:
        """Note in Sources that a file cannot be read; what was read of it stays."""
        status = "vanished" if isinstance(error, FileNotFoundError) else "unreadable"
        if source.cursor.status != status:
            message = f"{error.strerror or error}"
            source.cursor = replace(
                source.cursor, status=status, message=message, from_offset=source.cursor.to_offset, seen_at=self.clock()
            )
            self._add(Delta(source.cursor))


def _lasting(source: Tracked) -> str:
    """A remark that still holds after more was read: a reader's own on lines, none on records that healed."""
    message = source.cursor.message
    return "" if source.reader.framing == "records" or message.startswith(_UNFINISHED) else message
