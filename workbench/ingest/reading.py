"""Reads the next stretch of one source: checks that it still is what was read before, and asks its reader."""

from __future__ import annotations

import os
import stat as stats
from collections.abc import Callable
from pathlib import Path
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from workbench.core.batch import Batch, Chunk
from workbench.ingest import limits, stretch
from workbench.ingest.asking import Asking
from workbench.ingest.deltas import delta_of
from workbench.ingest.discovery import Found
from workbench.ingest.identity import HEAD_BYTES, mark_of, opened, still_at
from workbench.ingest.inflate import Inflated, is_packed, plain_path
from workbench.ingest.own import encode_state
from workbench.ingest.packed import Packed
from workbench.ingest.registry import Registry
from workbench.ingest.tracked import COPY, Tracked
from workbench.ingest.twins import twin_of
from workbench.store.append import Delta

UNFINISHED = "an unfinished"


class Step(Struct, frozen=True):
    """One stretch of one source, read."""

    delta: Delta
    bytes: int
    accepted: int
    more: bool
    """There is more to read at once."""


class _Taken(Struct, frozen=True):
    """A reader's answer, how far it moves the cursor, and whether a line was taken without its end."""

    batch: Batch
    length: int
    open: bool = False


class Reading:
    """Turns the next stretch of a source into a delta; remarks that move no cursor go to `say`."""

    def __init__(
        self,
        scratch: Path,
        registry: Registry,
        clock: Callable[[], float],
        say: Callable[[Delta], None],
    ) -> None:
        self._registry = registry
        self._clock = clock
        self._asking = Asking(clock, say)
        self._packed = Packed(scratch)

    def close(self) -> None:
        """Give back what decompressed files took."""
        self._packed.close()

    def step(self, source: Tracked, final: bool) -> Step | None:
        """Read one stretch; None when there is nothing more to read now."""
        try:
            if source.reader.framing == "path":
                return self._path(source, final)
            with opened(source.place) as descriptor:
                stat = os.fstat(descriptor)
                if stat.st_ino != source.inode:
                    return None  # Another file has its name since the listing: the next one tells where this one went.
                found = Found(source.path, stat.st_ino, stat.st_size, stat.st_mtime_ns)
                if is_packed(source.path):
                    return self._compressed(source, descriptor, found, final)
                if source.reader.framing == "file":
                    return self._whole(source, descriptor, found, final)
                return self._content(source, descriptor, found, found, final)
        except OSError as error:
            self._asking.trouble(source, error)
            return None

    def _path(self, source: Tracked, final: bool) -> Step | None:
        """A database or folder, which its reader opens itself; another inode is another database."""
        place = os.path.abspath(source.place)
        stat = os.stat(place, follow_symlinks=False)
        if not stats.S_ISREG(stat.st_mode):
            raise OSError(22, "not a regular file", place)
        if stat.st_ino != source.inode:
            return None
        found = source.stamped(Found(source.path, stat.st_ino, stat.st_size, stat.st_mtime_ns))
        if source.cursor.to_offset and found.inode != source.cursor.inode:
            source.next_generation("replaced; read again from the start", replaces=True)
        settled = final or self._is_settled(found)
        modified = found.mtime_ns / 1e9
        batch = self._asking.ask(
            source, Chunk(source.path, b"", source.cursor.to_offset, source.state, settled, modified, place)
        )
        if batch.restart:
            return self._again(source, batch, final)
        more = batch.more and batch.consumed > 0
        if not batch.more:  # else it is busy, or has more: the next look tries again
            self._drained(source, found)
        if not batch.consumed:
            self._asking.remark(source, batch.message)
            return None
        # A cursor without a time was not read to its end: it is looked at again after a restart.
        moved = {"bytes": found.size, "mtime_ns": 0 if more else found.mtime_ns}
        return self._stepped(source, _Taken(batch, batch.consumed), found, moved, more, 0 if more else found.size)

    def _compressed(self, source: Tracked, descriptor: int, found: Found, final: bool) -> Step | None:
        """Its content, decompressed; one that ends early keeps its unfinished last line until it is whole."""
        content = self._packed.content(source, descriptor, found)
        source.own = replace(source.own, packed=found.size)
        if not source.cursor.to_offset and self._was_read_before(source, content, found):
            self._packed.drop(source)
            return None
        inside = replace(found, size=content.size)
        step = self._content(source, content.descriptor, found, inside, final and not content.problem)
        if step is None or not step.more:
            self._packed.drop(source)
            if content.problem and (final or self._is_settled(found)):
                self._asking.remark(source, content.problem, status="damaged")
        return step

    def _was_read_before(self, source: Tracked, content: Inflated, found: Found) -> bool:
        """Whether all of a compressed file was read under another name; what is left of a log that is gone, goes on."""
        twin = twin_of(content, source.cursor.source_id, source.reader.name, self._registry.cursors())
        if twin is None:
            return False
        cursor, length = twin
        if length == content.size:
            self._drained(source, found)
            text = f"{COPY}{cursor.path}, which was read already"
            source.cursor = replace(
                source.cursor, bytes=content.size, mtime_ns=found.mtime_ns, state=encode_state({}, source.own)
            )
            self._asking.remark(source, text, status="skipped")
            return True
        if cursor.status == "vanished" and length == cursor.to_offset:
            self._registry.take_over(source, cursor)
        return False

    def _content(
        self, source: Tracked, descriptor: int, outside: Found, found: Found, final: bool
    ) -> Step | None:  # fmt: skip
        """The next lines or records of a file; `outside` is the file itself, where it is compressed."""
        if not still_at(descriptor, found.size, source.cursor.to_offset, source.mark):
            source.next_generation("rewritten; read again from the start", replaces=False)
        taken = None
        if source.cursor.to_offset < found.size:
            take = self._records if source.reader.framing == "records" else self._lines
            taken = take(source, descriptor, found, final)
        if taken is None:
            self._drained(source, outside)
            return None
        if taken.batch.restart:
            return self._again(source, taken.batch, final)
        source.own = replace(source.own, open=taken.open) if source.own.open != taken.open else source.own
        offset = source.cursor.to_offset + taken.length
        moved = self._moved(descriptor, offset, found)
        return self._stepped(source, taken, found, moved, offset < found.size, taken.length)

    def _whole(self, source: Tracked, descriptor: int, found: Found, final: bool) -> Step | None:
        """A file that is read whole: each reading replaces the one before; what cannot be read yet keeps it."""
        length = source.cursor.to_offset
        self._drained(source, found)
        if not found.size or (length == found.size and still_at(descriptor, found.size, length, source.mark)):
            return None
        if found.size > limits.WHOLE:
            self._asking.remark(
                source, f"{found.size:,} bytes, more than the {limits.WHOLE >> 20} MiB that are read whole"
            )
            return None
        data = os.pread(descriptor, found.size, 0)
        batch = self._asking.ask(source, Chunk(source.path, data, 0, {}, True, found.mtime_ns / 1e9))
        if not batch.consumed:
            self._asking.remark(source, batch.message)
            return None
        if length:
            source.next_generation("", replaces=True)
        moved = self._moved(descriptor, found.size, found, head_bytes=found.size)
        return self._stepped(source, _Taken(batch, found.size), found, moved, more=False, size=found.size)

    def _again(self, source: Tracked, batch: Batch, final: bool) -> Step | None:
        """The reader asked to start over; asking for it at the start is a mistake of its own."""
        if not source.cursor.to_offset:
            self._asking.strike(source, f"reader {source.reader.name} asks to start over at the start")
            return None
        source.next_generation(batch.message, replaces=True)
        return self.step(source, final)

    def _lines(self, source: Tracked, descriptor: int, found: Found, final: bool) -> _Taken | None:
        offset, state = source.cursor.to_offset, source.state
        whole = source.reader.is_whole if final or self._is_settled(found) else None
        abandoned = self._clock() - found.mtime_ns / 1e9 > limits.ABANDONED
        piece = stretch.lines(descriptor, offset, found.size, settled=abandoned, whole=whole)
        if piece.refused is not None:
            return _Taken(Batch(rejects=(piece.refused,), state=state), piece.refused.length)
        if not piece.data:
            if whole:
                self._asking.remark(source, f"{UNFINISHED} last line of {piece.held} bytes waits for its end")
            return None
        data, start = piece.data, offset
        if source.own.open:
            if not data.startswith((b"\n", b"\r\n")):
                return _Taken(Batch(restart=True, message="a last line taken for complete went on; read again"), 0)
            skipped = data.index(b"\n") + 1
            data, start = data[skipped:], offset + skipped
        if not data:
            return _Taken(Batch(state=state), start - offset)
        chunk = Chunk(plain_path(source.path), data, start, state, piece.final, found.mtime_ns / 1e9)
        batch = self._asking.ask(source, chunk)
        if not batch.consumed and not batch.restart and not chunk.final and not source.strikes:
            self._asking.remark(source, batch.message)  # a record over several lines whose end has not come
            batch = self._asking.ask(source, replace(chunk, final=True)) if self._is_settled(found) else batch
        if batch.restart:
            return _Taken(batch, 0)
        if not batch.consumed:
            return None
        return _Taken(batch, start - offset + batch.consumed, piece.final and batch.consumed == len(data))

    def _records(self, source: Tracked, descriptor: int, found: Found, final: bool) -> _Taken | None:
        offset, wanted = source.cursor.to_offset, limits.CHUNK
        settled, state = final or self._is_settled(found), source.state
        while True:
            data = os.pread(descriptor, min(wanted, limits.RECORD + limits.CHUNK, found.size - offset), offset)
            whole = offset + len(data) >= found.size
            batch = self._asking.ask(
                source, Chunk(source.path, data, offset, state, settled and whole, found.mtime_ns / 1e9)
            )
            if batch.consumed or batch.restart:
                return _Taken(batch, batch.consumed)
            if whole or wanted > limits.RECORD:
                self._asking.remark(source, batch.message)
                return None
            wanted *= 2

    def _is_settled(self, found: Found) -> bool:
        return self._clock() - found.mtime_ns / 1e9 > limits.SETTLED

    def _drained(self, source: Tracked, found: Found) -> None:
        source.seen = (found.inode, found.size, found.mtime_ns)
        source.seen_settled = self._is_settled(found)

    def _moved(self, descriptor: int, offset: int, found: Found, head_bytes: int = HEAD_BYTES) -> dict[str, Any]:
        """What the cursor tells of the content up to an offset."""
        mark = mark_of(descriptor, offset, head_bytes)
        return {
            "bytes": found.size, "mtime_ns": found.mtime_ns, "head_length": mark.head_length,
            "head_hash": mark.head_hash, "tail_hash": mark.tail_hash,
        }  # fmt: skip

    def _stepped(
        self, source: Tracked, taken: _Taken, found: Found, moved: dict[str, Any], more: bool, size: int
    ) -> Step:
        """The delta, and the cursor behind what was read."""
        cursor, batch = source.cursor, taken.batch
        changes = {
            **moved, "inode": found.inode, "from_offset": cursor.to_offset,
            "to_offset": cursor.to_offset + taken.length, "accepted": cursor.accepted + batch.accepted,
            "rejected": cursor.rejected + len(batch.rejects), "status": "live",
            "message": batch.message or _lasting(source), "seen_at": self._clock(),
        }  # fmt: skip
        earlier = self._registry.earlier(source) if batch.purges else ()
        delta = delta_of(source, batch, changes, found.mtime_ns / 1e9, self._registry.known, earlier)
        return Step(delta, size, batch.accepted, more)


def _lasting(source: Tracked) -> str:
    """A remark that still holds after more was read: a reader's own on lines, none on what healed."""
    message = source.cursor.message
    healed = source.cursor.status != "live" or message.startswith(UNFINISHED)
    return "" if source.reader.framing != "lines" or healed else message
