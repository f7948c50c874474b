"""Text exports cut into slabs of whole records, so that a file of any size is read in bounded memory."""

from __future__ import annotations

import csv
import os
from collections.abc import Sequence

from msgspec import Struct

from workbench.monitor.tables import DriftInputError

SLAB = 16 << 20
"""Bytes read at a time."""
LONGEST = 8 << 20
"""Bytes of the longest record; a longer one is passed over without being kept."""
_HEADER = 1 << 20


class Slab(Struct, frozen=True):
    """Whole records of a file, up to byte `end`; `skipped` records were too long."""

    data: bytes
    end: int
    skipped: int = 0
    unended: bool = False
    """The last record has no line end: whatever is written behind it belongs to it."""


class Header(Struct, frozen=True):
    """The first line of a CSV: names as they stand in the file, the mark between them, and where rows begin."""

    names: Sequence[str]
    delimiter: str
    end: int


def csv_header(descriptor: int) -> Header | None:
    """The header of a CSV, or None while its line is not whole.

    Raises:
        DriftInputError: the first line is no header.
    """
    head = os.pread(descriptor, _HEADER, 0)
    line, found, _ = head.partition(b"\n")
    if not found:
        if len(head) == _HEADER:
            raise DriftInputError("not a table: its first line is longer than 1 MiB")
        return None
    if b"\0" in line:
        raise DriftInputError("not a table: its first line holds NUL bytes")
    text = line.decode("utf-8-sig", errors="replace").rstrip("\r")
    try:
        fields = {mark: next(csv.reader([text], delimiter=mark), []) for mark in ",\t;|"}
    except csv.Error as error:
        raise DriftInputError(f"not a table: its first line is no header ({error})") from error
    delimiter, names = max(fields.items(), key=lambda item: len(item[1]))
    names = names if len(names) > 1 else [text.strip('"')]
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise DriftInputError(f"column {name!r} occurs twice; rename one of them")
        seen.add(name)
    return Header(tuple(names), delimiter, len(line) + 1)


def next_slab(descriptor: int, start: int, *, quotes: bool, final: bool, size: int = SLAB) -> Slab:
    """The next whole records from byte `start` on; no data where no record is whole yet.

    quotes: a line end inside double quotes ends no record. final: what is left at the end of the file is a record.
    """
    data = os.pread(descriptor, size, start)
    cut = _last_end(data, quotes)
    if cut:
        return Slab(data[:cut], start + cut)
    if len(data) < min(size, LONGEST):
        # The end of the file: an odd quote here was never closed.
        line = data.find(b"\n") + 1
        if line and final:
            return Slab(b"", start + line, 1)
        return Slab(data, start + len(data), unended=True) if final and data else Slab(b"", start)
    return _over(descriptor, start, data, quotes, size)


def _over(descriptor: int, start: int, data: bytes, quotes: bool, size: int) -> Slab:
    """Pass over a record that is too long, or one whose quote is never closed."""
    line = data.find(b"\n") + 1
    if quotes and line:
        return Slab(b"", start + line, 1)
    offset = start + len(data)
    while data:
        line = data.find(b"\n") + 1
        if line:
            return Slab(b"", offset - len(data) + line, 1)
        data = os.pread(descriptor, size, offset)
        offset += len(data)
    return Slab(b"", start)


def _last_end(data: bytes, quotes: bool) -> int:
    """Behind the last line end that ends a record, 0 where there is none."""
    at = data.rfind(b"\n")
    if not quotes or at < 0:
        return at + 1
    open_quotes = data.count(b'"', 0, at)
    while open_quotes % 2 and at >= 0:
        before = data.rfind(b"\n", 0, at)
        open_quotes -= data.count(b'"', max(before, 0), at)
        at = before
    return at + 1
