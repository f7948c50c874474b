"""Logs read in place: the lines around any byte, forwards and backwards, whatever the size; nothing is kept."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from msgspec import Struct

from workbench.core.log_text import LONGEST, Level, level_of, readable

BLOCK = 64 * 1024
"""Bytes read at once around a window."""


class LogLine(Struct, frozen=True):
    """One line and where it stands; `end` is where the next begins."""

    offset: int
    end: int
    raw: bytes
    """At most `LONGEST` bytes, without the line's end."""

    def __repr__(self) -> str:
        """Where it stands, without what the log says there."""
        return f"LogLine({self.offset}, {self.end})"

    @property
    def text(self) -> str:
        """As a person reads it; untrusted."""
        return readable(self.raw)

    @property
    def level(self) -> Level:
        """How bad it is."""
        return level_of(self.text)


class Bytes(Protocol):
    """Something that can be read anywhere."""

    @property
    def size(self) -> int:
        """Bytes there are now."""
        ...

    def read(self, start: int, length: int) -> bytes:
        """Up to so many bytes from a place on; fewer only at the end."""
        ...

    def close(self) -> None:
        """Let go of it."""
        ...


class FileBytes:
    """A file on the disk, kept open, so that a rotated log can still be read."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        self._inode = os.fstat(self._descriptor).st_ino

    @property
    def size(self) -> int:
        """Bytes there are now."""
        return os.fstat(self._descriptor).st_size

    @property
    def replaced(self) -> bool:
        """Whether another file has taken the name."""
        try:
            return os.stat(self.path).st_ino != self._inode
        except OSError:
            return False

    def read(self, start: int, length: int) -> bytes:
        """Up to so many bytes from a place on."""
        return os.pread(self._descriptor, length, max(start, 0))

    def close(self) -> None:
        """Close the file."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


class MemoryBytes:
    """Lines that are in memory: a run's output out of the store."""

    def __init__(self, content: bytes = b"") -> None:
        self.content = content

    @property
    def size(self) -> int:
        """Bytes there are now."""
        return len(self.content)

    def read(self, start: int, length: int) -> bytes:
        """Up to so many bytes from a place on."""
        return self.content[max(start, 0) : max(start, 0) + length]

    def close(self) -> None:
        """Nothing to let go of."""


def line_start(source: Bytes, offset: int) -> int:
    """Where the line that holds a byte begins."""
    end = min(max(offset, 0), source.size)
    while end > 0:
        begin = max(0, end - BLOCK)
        found = source.read(begin, end - begin).rfind(b"\n")
        if found >= 0:
            return begin + found + 1
        end = begin
    return 0


def lines_after(source: Bytes, offset: int, count: int) -> list[LogLine]:
    """Up to so many lines from a line's beginning on."""
    found: list[LogLine] = []
    for line in forward(source, offset):
        found.append(line)
        if len(found) >= count:
            break
    return found


def lines_before(source: Bytes, offset: int, count: int) -> list[LogLine]:
    """Up to so many lines that end where a line begins, in the order of the file."""
    found: list[LogLine] = []
    for line in backward(source, offset):
        found.append(line)
        if len(found) >= count:
            break
    return found[::-1]


def forward(source: Bytes, offset: int) -> Iterator[LogLine]:
    """Lines from a line's beginning on."""
    place, size = offset, source.size
    while place < size:
        block = source.read(place, BLOCK)
        if not block:
            return
        begin = 0
        while (end := block.find(b"\n", begin)) >= 0:
            yield LogLine(place + begin, place + end + 1, block[begin : min(end, begin + LONGEST)])
            begin = end + 1
        if begin == 0:  # a line longer than a block
            end_of = end_of_line(source, place + len(block), size)
            yield long_line(source, place, end_of)
            place = end_of
        elif len(block) < BLOCK or place + len(block) >= size:
            if begin < len(block):
                yield LogLine(place + begin, place + len(block), block[begin : begin + LONGEST])
            return
        else:
            place += begin


def long_line(source: Bytes, start: int, end: int) -> LogLine:
    """A line that is longer than what is read at once."""
    return LogLine(start, end, source.read(start, min(LONGEST, end - start)).removesuffix(b"\n"))


def end_of_line(source: Bytes, place: int, size: int) -> int:
    """Where the line after that of a byte begins."""
    while place < size:
        block = source.read(place, BLOCK)
        found = block.find(b"\n")
        if found >= 0:
            return place + found + 1
        if not block:
            break
        place += len(block)
    return place


def backward(source: Bytes, offset: int) -> Iterator[LogLine]:
    """Lines that end where a line begins, the last first."""
    end = min(offset, source.size)
    while end > 0:
        begin = max(0, end - BLOCK)
        block = source.read(begin, end - begin)
        stop = len(block)
        while stop > 0:
            last = stop - 1 if block[stop - 1 : stop] == b"\n" else stop
            start = block.rfind(b"\n", 0, last) + 1
            if start == 0 and begin > 0:
                break  # the line began in an earlier block
            yield LogLine(begin + start, begin + stop, block[start : min(last, start + LONGEST)])
            stop = start
        if stop == len(block) and begin > 0:  # a line longer than a block
            start = line_start(source, end - 1 if block.endswith(b"\n") else end)
            yield long_line(source, start, end)
            end = start
        else:
            end = begin + stop
