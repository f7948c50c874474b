"""Reads the next stretch of one source: checks that it still is what was read before, and asks its reader."""

from __future__ import annotations

import os
import stat as stats
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from workbench.core.batch import Batch, Chunk
from workbench.ingest import limits, stretch
from workbench.ingest.discovery import Found
from workbench.ingest.identity import mark_of, opened, still_at
from workbench.ingest.registry import Registry
from workbench.ingest.tracked import Tracked, delta_of
from workbench.store.append import Cursor, Delta

_UNFINISHED = "an unfinished"


@dataclass(frozen=True, slots=True)
class Step:
    """One stretch of one source, read."""

    delta: Delta
    bytes: int
    accepted: int
    more: bool
    """There is more to read at once."""


@dataclass(frozen=True, slots=True)
class _Taken:
    """A reader's answer and how far it moves the cursor."""

    batch: Batch
    length: int


class Reading:
    """Turns the next stretch of a source into a delta; remarks that move no cursor go to `say`."""

    def __init__(
        self, root: Path, registry: Registry, clock: Callable[[], float], say: Callable[[Delta], None]
    ) -> None:
        self._root = root
        self._registry = registry
        self._clock = clock
        self._say = say

    def step(self, source: Tracked, final: bool) -> Step | None:
        """Read one stretch; None when there is nothing more to read now."""
        try:
            if source.reader.framing == "path":
                return self._path(source, final)
            with opened(self._root / source.path) as descriptor:
                return self._content(source, descriptor, final)
        except OSError as error:
            self._trouble(source, error)
            return None

    def _path(self, source: Tracked, final: bool) -> Step | None:
        """A database or folder, which its reader opens itself; another inode is another database."""
        place = os.path.abspath(self._root / source.path)
        stat = os.stat(place, follow_symlinks=False)
        if not stats.S_ISREG(stat.st_mode):
            raise OSError(22, "not a regular file", place)
        if source.found is not None and stat.st_ino != source.found.inode:
            return None  # Another file has its name since the listing: the next one tells where this one went.
        size, modified = source.reader.stamp(place)
        found = Found(source.path, stat.st_ino, size, modified)
        if source.cursor.to_offset and stat.st_ino != source.cursor.inode:
            source.next_generation("replaced; read again from the start", replaces=True)
        settled = final or self._is_settled(modified)
        chunk = Chunk(source.path, b"", source.cursor.to_offset, source.state, settled, modified / 1e9, place)
        batch = self._ask(source, chunk)
        if batch.restart:
            return self._again(source, batch, final)
        if not batch.consumed:
            self._remark(source, batch.message)
            self._drained(source, found)
            return None
        if not batch.more:
            self._drained(source, found)
        # A cursor without a time was not read to its end: it is looked at again after a restart.
        cursor = replace(
            source.cursor, inode=stat.st_ino, bytes=size, mtime_ns=0 if batch.more else modified,
        )  # fmt: skip
        cursor = self._moved(cursor, batch, batch.consumed, batch.message)
        return self._stepped(source, batch, cursor, 0 if batch.more else size, batch.more)

    def _content(self, source: Tracked, descriptor: int, final: bool) -> Step | None:
        stat = os.fstat(descriptor)
        if source.found is not None and stat.st_ino != source.found.inode:
            return None  # Another file has its name since the listing: the next one tells where this one went.
        found = Found(source.path, stat.st_ino, stat.st_size, stat.st_mtime_ns)
        if source.reader.framing == "file":
            return self._whole(source, descriptor, found, final)
        if not still_at(descriptor, source.cursor.to_offset, source.mark):
            source.next_generation("rewritten; read again from the start", replaces=False)
        taken = None
        if source.cursor.to_offset < found.size:
            take = self._records if source.reader.framing == "records" else self._lines
            taken = take(source, descriptor, found, final)
        if taken is None:
            self._drained(source, found)
            return None
        if taken.batch.restart:
            return self._again(source, taken.batch, final)
        offset = source.cursor.to_offset + taken.length
        mark = mark_of(descriptor, offset)
        cursor = replace(
            source.cursor, inode=found.inode, bytes=found.size, mtime_ns=found.mtime_ns,
            head_length=mark.head_length, head_hash=mark.head_hash, tail_hash=mark.tail_hash,
        )  # fmt: skip
        cursor = self._moved(cursor, taken.batch, taken.length, taken.batch.message or _lasting(source))
        return self._stepped(source, taken.batch, cursor, taken.length, offset < found.size)

    def _whole(self, source: Tracked, descriptor: int, found: Found, final: bool) -> Step | None:
        """A file that is read whole: each reading replaces the one before; what cannot be read yet keeps it."""
        cursor = source.cursor
        same = cursor.to_offset == found.size and still_at(descriptor, cursor.to_offset, source.mark)
        if not found.size or (cursor.to_offset and same):
            self._drained(source, found)
            return None
        data = os.pread(descriptor, min(found.size, limits.DOCUMENT), 0)
        batch = self._ask(source, Chunk(source.path, data, 0, {}, True, found.mtime_ns / 1e9))
        self._drained(source, found)
        if not batch.consumed:
            self._remark(source, batch.message)
            return None
        if cursor.to_offset:
            source.next_generation("", replaces=True)
        mark = mark_of(descriptor, found.size)
        cursor = replace(
            source.cursor, inode=found.inode, bytes=found.size, mtime_ns=found.mtime_ns,
            head_length=mark.head_length, head_hash=mark.head_hash, tail_hash=mark.tail_hash,
        )  # fmt: skip
        cursor = self._moved(cursor, batch, found.size, batch.message)
        return self._stepped(source, batch, cursor, found.size, more=False)

    def _again(self, source: Tracked, batch: Batch, final: bool) -> Step | None:
        """The reader asked to start over; asking for it at the start is a mistake of its own."""
        if not source.cursor.to_offset:
            self._remark(source, f"reader {source.reader.name} asks to start over at the start", status="damaged")
            return None
        source.next_generation(batch.message, replaces=True)
        return self.step(source, final)

    def _lines(self, source: Tracked, descriptor: int, found: Found, final: bool) -> _Taken | None:
        offset, state = source.cursor.to_offset, source.state
        whole = source.reader.is_whole if final or self._is_settled(found.mtime_ns) else None
        abandoned = self._clock() - found.mtime_ns / 1e9 > limits.ABANDONED
        piece = stretch.lines(descriptor, offset, found.size, settled=abandoned, whole=whole)
        if piece.refused is not None:
            return _Taken(Batch(rejects=(piece.refused,), state=state), piece.refused.length)
        if not piece.data:
            if whole:
                self._remark(source, f"{_UNFINISHED} last line of {piece.held} bytes waits for its end")
            return None
        data, start = piece.data, offset
        if source.own.open:
            if not data.startswith((b"\n", b"\r\n")):
                return _Taken(Batch(restart=True, message="a last line taken for complete went on; read again"), 0)
            skipped = data.index(b"\n") + 1
            data, start = data[skipped:], offset + skipped
        if not data:
            source.own = replace(source.own, open=False)
            return _Taken(Batch(state=state), start - offset)
        chunk = Chunk(source.path, data, start, state, piece.final, found.mtime_ns / 1e9)
        batch = self._ask(source, chunk)
        if not batch.consumed and not batch.restart and not chunk.final:
            self._remark(source, batch.message)  # a record over several lines whose end has not come
            batch = self._ask(source, replace(chunk, final=True)) if self._is_settled(found.mtime_ns) else batch
        if batch.restart:
            return _Taken(batch, 0)
        if not batch.consumed:
            return None
        source.own = replace(source.own, open=piece.final and batch.consumed == len(data))
        return _Taken(batch, start - offset + batch.consumed)

    def _records(self, source: Tracked, descriptor: int, found: Found, final: bool) -> _Taken | None:
        offset, wanted = source.cursor.to_offset, limits.CHUNK
        settled, state = final or self._is_settled(found.mtime_ns), source.state
        while True:
            data = os.pread(descriptor, min(wanted, limits.RECORD + limits.CHUNK), offset)
            whole = offset + len(data) >= found.size
            batch = self._ask(source, Chunk(source.path, data, offset, state, settled and whole, found.mtime_ns / 1e9))
            if batch.consumed or batch.restart:
                return _Taken(batch, batch.consumed)
            if whole or wanted > limits.RECORD:
                self._remark(source, batch.message)
                return None
            wanted *= 2

    def _ask(self, source: Tracked, chunk: Chunk) -> Batch:
        """Let the reader read; one that fails is named in Sources and the bytes wait for a better one."""
        try:
            return source.reader.read(chunk)
        except Exception as error:  # noqa: BLE001 - a plugin's mistake must not stop the others
            message = f"reader {source.reader.name} failed at byte {chunk.start}: {type(error).__name__}: {error}"
            self._remark(source, message, status="damaged")
            return Batch(state=source.state)

    def _is_settled(self, mtime_ns: int) -> bool:
        return self._clock() - mtime_ns / 1e9 > limits.SETTLED

    def _drained(self, source: Tracked, found: Found) -> None:
        source.seen = (found.inode, found.size, found.mtime_ns)
        source.seen_settled = self._is_settled(found.mtime_ns)

    def _remark(self, source: Tracked, message: str, status: str = "live") -> None:
        """Note something in Sources, once, without moving the cursor."""
        if message and message != source.cursor.message:
            cursor = source.cursor
            source.cursor = replace(cursor, message=message, status=status, from_offset=cursor.to_offset)
            self._say(Delta(source.cursor))

    def _moved(self, cursor: Cursor, batch: Batch, length: int, message: str) -> Cursor:
        """The cursor behind what was read."""
        return replace(
            cursor, from_offset=cursor.to_offset, to_offset=cursor.to_offset + length,
            accepted=cursor.accepted + batch.accepted, rejected=cursor.rejected + len(batch.rejects),
            status="live", message=message, seen_at=self._clock(),
        )  # fmt: skip

    def _stepped(self, source: Tracked, batch: Batch, cursor: Cursor, size: int, more: bool) -> Step:
        earlier = self._registry.earlier(source) if batch.purges else ()
        return Step(delta_of(source, batch, cursor, self._registry.known, earlier), size, batch.accepted, more)

    def _trouble(self, source: Tracked, error: OSError) -> None:
        """Note in Sources that a file cannot be read; what was read of it stays."""
        status = "vanished" if isinstance(error, FileNotFoundError) else "unreadable"
        if source.cursor.status != status:
            message = f"{error.strerror or error}"
            source.cursor = replace(
                source.cursor, status=status, message=message, from_offset=source.cursor.to_offset,
                seen_at=self._clock(),
            )  # fmt: skip
            self._say(Delta(source.cursor))


def _lasting(source: Tracked) -> str:
    """A remark that still holds after more was read: a reader's own on lines, none on records that healed."""
    message = source.cursor.message
    return "" if source.reader.framing == "records" or message.startswith(_UNFINISHED) else message
