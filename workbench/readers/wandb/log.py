"""Framing of `.wandb` files: a LevelDB log, its records found, checked, and put together across blocks.

After 7 bytes of header the file is cut into blocks of 32 KiB, counted from the file's first byte. A block holds chunks
`u32le crc32(type and data) | u16le length | u8 type | data`; a record is one chunk, or several of which the first and
the last are marked. Fewer than 7 bytes at a block's end are padding. Since blocks lie at known places, reading goes on
at the next one where a chunk is damaged.
"""

from __future__ import annotations

import struct
import zlib
from typing import Literal

from msgspec import Struct

from workbench.core.batch import Reject

MAGIC = b":W&B\xe1\xbe\x00"
"""The header: mark, number, and version 0."""
BLOCK = 32 * 1024
LONGEST = 64 << 20
"""Records with more data than this are refused."""
EXCERPT = 4096

_HEADER = 7
_FULL, _FIRST, _MIDDLE, _LAST = 1, 2, 3, 4

Rest = Literal["", "half", "zeros", "damaged"]


class Records(Struct, frozen=True):
    """The complete records of a stretch, in the order they came."""

    data: bytes
    """The stretch, and behind it the records that were put together from several chunks."""
    at: list[int]
    """Where each record begins in the source."""
    lo: list[int]
    """Where each record's data begins in `data`."""
    hi: list[int]
    """Where each record's data ends."""
    end: int
    """Bytes of the stretch that are done with."""
    rejects: list[Reject]
    rest: Rest
    """What lies at `end`: nothing, half a record, NULs for bytes that have not arrived, or damage in the last block."""
    lost: bool
    """The chunks that come next may belong to a record whose beginning was damaged."""


def frame(data: bytes, base: int, *, lost: bool = False) -> Records:
    """Find the complete records in `data`, which begins at byte `base` of the source, at a chunk.

    `lost` is that of the stretch before. A record that is not whole yet is left for the next stretch.
    """
    return _Framing(data, base, lost).run()


class _Framing:
    """One walk over the chunks of a stretch."""

    def __init__(self, data: bytes, base: int, lost: bool) -> None:
        self.data, self.base, self.lost = data, base, lost
        self.at: list[int] = []
        self.lo: list[int] = []
        self.hi: list[int] = []
        self.rejects: list[Reject] = []
        self.joined: list[bytes] = []
        self.joined_bytes = len(data)
        self.parts: list[bytes] | None = None
        self.parts_bytes = 0
        self.parts_at = 0
        self.end = 0

    def run(self) -> Records:
        """Walk to the end, or to what cannot be passed."""
        rest = self._walk()
        data = self.data + b"".join(self.joined) if self.joined else self.data
        return Records(data, self.at, self.lo, self.hi, self.end, self.rejects, rest, self.lost)

    def _walk(self) -> Rest:
        data, base, size = self.data, self.base, len(self.data)
        view, header, crc32 = memoryview(data), struct.Struct("<IHB").unpack_from, zlib.crc32
        at = self.end
        while size - at >= _HEADER:
            left = BLOCK - (base + at) % BLOCK
            if left < _HEADER:
                at += left
                continue
            crc, length, kind = header(data, at)
            after = at + _HEADER + length
            fits = after <= at + left and _FULL <= kind <= _LAST
            if fits and after > size:
                return "half"
            if not fits or crc32(view[at + 6 : after]) != crc:
                if data.count(0, at) == size - at:
                    return "zeros"
                if at + left > size:
                    return "zeros" if _arriving(data, at) else "damaged"
                at = self._resync(at, at + left)
            elif kind == _FULL and self.parts is None:
                self.at.append(base + at)
                self.lo.append(at + _HEADER)
                self.hi.append(after)
                self.lost, self.end = False, after
                at = after
            else:
                self._part(kind, at, after)
                at = after
        if self.parts is None:
            self.end = min(max(self.end, at), size)
        return "half" if self.end < size else ""

    def _part(self, kind: int, at: int, after: int) -> None:
        """Take a chunk that is not a record by itself, or that comes where it should not."""
        if kind in (_FULL, _FIRST):
            if self.parts is not None:
                self._drop(at, "E203 record without its end")
                self.end = at
            self.lost = False
            if kind == _FULL:
                self._record(self.base + at, self.data[at + _HEADER : after], after)
            else:
                self.parts, self.parts_bytes, self.parts_at = [self.data[at + _HEADER : after]], after - at, at
        elif self.parts is None:
            if not self.lost:
                self._refuse(at, after, "E203 part of a record whose beginning is missing")
            self.end = after
        else:
            self.parts_bytes += after - at
            if self.parts_bytes > LONGEST:
                self._drop(after, f"E200 record longer than {LONGEST >> 20} MiB")
                self.lost, self.end = True, after
                return
            self.parts.append(self.data[at + _HEADER : after])
            if kind == _LAST:
                self._record(self.base + self.parts_at, b"".join(self.parts), after)
                self.parts = None

    def _record(self, at: int, body: bytes, after: int) -> None:
        """Add a record whose data does not lie in one piece."""
        self.at.append(at)
        self.lo.append(self.joined_bytes)
        self.hi.append(self.joined_bytes + len(body))
        self.joined.append(body)
        self.joined_bytes += len(body)
        self.end = after

    def _drop(self, until: int, reason: str) -> None:
        """Give up the record that was being put together."""
        self._refuse(self.parts_at, until, reason)
        self.parts = None

    def _resync(self, at: int, block_end: int) -> int:
        """Refuse what is left of a block and go on at the next."""
        start = at if self.parts is None else self.parts_at
        self._refuse(start, block_end, "E201 damaged block; reading goes on at the next")
        self.parts, self.lost, self.end = None, True, block_end
        return block_end

    def _refuse(self, start: int, end: int, reason: str) -> None:
        self.rejects.append(
            Reject(self.base + start, end - start, reason, self.data[start : min(end, start + EXCERPT)])
        )


def _arriving(data: bytes, at: int) -> bool:
    """Whether the stretch ends in NULs, as network file systems show what has not been written yet."""
    return data.endswith(bytes(8)) and data.count(0, at) >= (len(data) - at) // 2
