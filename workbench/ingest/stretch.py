"""Cuts the next stretch of a source: complete lines, raw records, or the whole file, in bounded memory."""

from __future__ import annotations

import os
from collections.abc import Callable

from msgspec import Struct

from workbench.core.batch import Reject
from workbench.ingest import limits


class Stretch(Struct, frozen=True):
    """Bytes for a reader, or a line refused before any reader saw it."""

    data: bytes
    final: bool = False
    """`data` ends with a last line that has no end."""
    refused: Reject | None = None
    held: int = 0
    """Bytes of an unfinished last line that stay unread."""


def lines(
    descriptor: int, offset: int, size: int, *, settled: bool, whole: Callable[[bytes], bool] | None = None
) -> Stretch:
    """Complete lines from `offset` on, at most a chunk.

    The unfinished last line comes too once the file is abandoned, or when `whole` is sure that nothing is missing.
    """
    data = os.pread(descriptor, min(limits.CHUNK, size - offset), offset)
    cut = data.rfind(b"\n") + 1
    if cut:
        return Stretch(data[:cut])
    if offset + len(data) >= size:
        if data and not data.endswith(b"\0") and (settled or (whole is not None and whole(data))):
            return Stretch(data, final=True)
        return Stretch(b"", held=len(data))
    return _long_line(descriptor, offset, data)


def _long_line(descriptor: int, offset: int, data: bytes) -> Stretch:
    """A line longer than a chunk: read on up to the limit, and past it only look for its end."""
    length = len(data)
    pieces = [data]
    while True:
        piece = os.pread(descriptor, limits.CHUNK, offset + length)
        if not piece:
            return Stretch(b"", held=length)
        end = piece.find(b"\n") + 1
        length += end or len(piece)
        if length <= limits.LINE:
            pieces.append(piece[:end] if end else piece)
            if end:
                return Stretch(b"".join(pieces))
        elif end:
            reason = f"E103 line of {length} bytes, longer than {limits.LINE >> 20} MiB"
            return Stretch(b"", refused=Reject(offset, length, reason, data[: limits.EXCERPT]))
