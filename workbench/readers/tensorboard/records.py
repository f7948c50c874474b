"""TFRecord framing: where the records of a stretch of bytes lie, and their checksums.

A record is `u64le length | u32le masked crc32c(length) | data | u32le masked crc32c(data)`. There is no mark to find
the next record by, so once a length cannot be trusted nothing after it can be.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING, Literal

import google_crc32c
import numpy as np
from msgspec import Struct

from workbench.readers.spans import unaligned

if TYPE_CHECKING:
    from numpy.typing import NDArray

HEADER = 12
"""Bytes before a record's data."""
OVERHEAD = 16
"""Bytes of a record that are not its data."""
LONGEST = 64 << 20
"""Records with more data than this are refused unread."""

_Turns = tuple[int, int, "NDArray[np.int64]"]
"""(first record, number of records, sizes) of a stretch in which the sizes go round."""
Rest = Literal["nothing", "half", "zeros", "damaged", "huge"]
"""What follows the last complete record: see `Frames.rest`."""

_MASK_DELTA = 0xA282EAD8
_POLYNOMIAL = 0x82F63B78
_ABSURD = 1 << 40
_FIRST_STRETCH, _LAST_STRETCH = 64, 4096
_TABLED_LENGTH = 1 << 16


class Cycle(Struct, frozen=True):
    """Records whose sizes go round: `rounds` times as in `sizes`, from byte `start` and record `record` on."""

    record: int
    start: int
    rounds: int
    sizes: NDArray[np.int64]


class Frames(Struct, frozen=True):
    """The complete records of a stretch: int64 offsets of their headers, and the lengths of their data."""

    start: NDArray[np.int64]
    length: NDArray[np.int64]
    end: int
    """Offset after the last complete record."""
    rest: Rest
    """What lies at `end`: nothing; half a record; NULs, perhaps after a part of a header, which network file systems
    show for bytes that have not arrived; a header whose checksum is wrong; or a record longer than `LONGEST`."""
    needed: int = 0
    """Bytes from `end` on that the record there takes, when its header is known to be right."""
    cycles: tuple[Cycle, ...] = ()
    """Stretches of records in which the sizes repeat."""

    def __len__(self) -> int:
        return len(self.start)


def masked_crc(data: bytes) -> int:
    """The checksum as TFRecord stores it: CRC-32C, rotated and offset so that it may be part of checksummed data."""
    return _masked(google_crc32c.value(data))


def valid_header(header: bytes) -> bool:
    """Whether 12 bytes are a record's header with the right checksum."""
    return len(header) == HEADER and int.from_bytes(header[8:], "little") == _header_crc(header[:8])


def frame(data: bytes) -> Frames:
    """Find the complete records in `data`, which begins at a record; every header's checksum is verified."""
    start, cycles = _starts(data)
    length = unaligned(data, "<u8")[start].astype(np.int64) if len(start) else start
    good = _leading_good(data, start, length)
    start, length = start[:good], length[:good]
    end = int(start[-1] + length[-1]) + OVERHEAD if good else 0
    rest, needed = _rest(data, end)
    return Frames(start, length, end, rest, needed, tuple(_grown(cycles, start, length)))


def _starts(data: bytes) -> tuple[NDArray[np.int64], list[_Turns]]:
    """Offsets of the headers along the chain of lengths, checksums unseen, and where the lengths go round.

    Training loops log the same tags in turn, so lengths repeat with a period. A walked stretch shows the period, and
    as many records as then follow it are verified at once: twenty times faster than walking.
    """
    at, stretch = 0, _FIRST_STRETCH
    parts: list[NDArray[np.int64]] = []
    cycles: list[_Turns] = []
    known = 0
    while True:
        walked, at = _walk(data, at, stretch)
        parts.append(walked)
        if len(walked) < stretch:
            return np.concatenate(parts), cycles
        known += len(walked)
        cycle = _cycle(np.diff(walked, append=at))
        if cycle is None:
            stretch = min(2 * stretch, _LAST_STRETCH)
            continue
        repeated, after = _repeat(data, at, cycle)
        cycles.append((known, len(repeated), cycle))
        parts.append(repeated)
        known, at = known + len(repeated), after


def _walk(data: bytes, at: int, most: int) -> tuple[NDArray[np.int64], int]:
    """Up to `most` records one by one, and the offset after them."""
    starts: list[int] = []
    last = len(data) - OVERHEAD
    length_at = struct.Struct("<Q").unpack_from
    while at <= last and len(starts) < most:
        after = at + OVERHEAD + length_at(data, at)[0]
        if after > len(data):
            break
        starts.append(at)
        at = after
    return np.array(starts, np.int64), at


def _cycle(size: NDArray[np.int64]) -> NDArray[np.int64] | None:
    """The sizes that the records of a stretch went round in, or None: what came since its last quarter came before."""
    raw = size.tobytes()
    quarter = raw[-len(raw) // 4 // size.itemsize * size.itemsize :]
    at = raw.rfind(quarter, 0, -1)
    while at >= 0 and at % size.itemsize:
        at = raw.rfind(quarter, 0, at + len(quarter) - 1)
    return size[(at + len(quarter)) // size.itemsize :] if at >= 0 else None


def _repeat(data: bytes, at: int, cycle: NDArray[np.int64]) -> tuple[NDArray[np.int64], int]:
    """As many records from `at` on as follow the cycle of sizes, and the offset after them."""
    within, total = np.cumsum(cycle) - cycle, int(cycle.sum())
    lengths = unaligned(data, "<u8")
    parts: list[NDArray[np.int64]] = []
    rounds = max(1, 256 // len(cycle))
    while rounds := min(rounds, (len(data) - at) // total):
        guess = (at + total * np.arange(rounds)[:, None] + within).ravel()
        right = lengths[guess].reshape(rounds, -1) == cycle - OVERHEAD
        if not right.all():
            known = int(np.argmin(right.ravel()))
            parts.append(guess[:known])
            return np.concatenate(parts), int(guess[known])
        parts.append(guess)
        at += rounds * total
        rounds *= 4
    return np.concatenate(parts) if parts else np.empty(0, np.int64), at


def _grown(turns: list[_Turns], start: NDArray[np.int64], length: NDArray[np.int64]) -> Iterator[Cycle]:
    """The cycles, each with what goes round already before it and still after it, as far as the records are good."""
    done = 0
    for record, count, sizes in turns:
        back = _alike(length[done:record][::-1] + OVERHEAD, sizes[::-1])
        more = _alike(length[record + count : record + count + len(sizes)] + OVERHEAD, np.roll(sizes, -count))
        first = record - back
        rounds = (min(record + count + more, len(start)) - first) // len(sizes)
        if rounds > 0:
            done = first + rounds * len(sizes)
            yield Cycle(first, int(start[first]), rounds, np.roll(sizes, back))


def _alike(seen: NDArray[np.int64], sizes: NDArray[np.int64]) -> int:
    """How many of the sizes seen go round as told before the first that does not."""
    usual = seen == np.resize(sizes, len(seen))
    return len(seen) if usual.all() else int(np.argmin(usual))


def _leading_good(data: bytes, start: NDArray[np.int64], length: NDArray[np.int64]) -> int:
    """How many records come before the first with a wrong header; the checksum depends on nothing but the length."""
    short = length < _TABLED_LENGTH
    if not short.any():
        right = np.zeros(len(start), np.bool_)
    else:
        present = np.flatnonzero(np.bincount(length[short]))
        table = np.zeros(int(present[-1]) + 1, np.uint32)
        table[present] = [_header_crc(int(n).to_bytes(8, "little")) for n in present]
        stored = unaligned(data, "<u4")[start + 8]
        right = stored == table[np.where(short, length, present[-1])]
    for i in np.flatnonzero(~short):
        right[i] = valid_header(data[start[i] : start[i] + HEADER])
    return len(start) if right.all() else int(np.argmin(right))


def _rest(data: bytes, end: int) -> tuple[Rest, int]:
    """What lies behind the last complete record, and how long the record there is."""
    if end == len(data):
        return "nothing", 0
    header = data[end : end + HEADER]
    if data.count(0, end) == len(data) - end:
        return "zeros", 0
    if len(header) < HEADER:
        return "half", 0
    if not valid_header(header):
        return ("zeros" if data[-1] == 0 and data.count(0, end + HEADER) == len(data) - end - HEADER else "damaged"), 0
    length = int.from_bytes(header[:8], "little")
    if length > _ABSURD:
        return "damaged", 0
    return ("huge" if length > LONGEST else "half"), length + OVERHEAD


def _masked(crc: int) -> int:
    return ((crc >> 15 | crc << 17) + _MASK_DELTA) & 0xFFFFFFFF


@lru_cache(maxsize=4096)
def _header_crc(length: bytes) -> int:
    return masked_crc(length)


def mask_crcs(crc: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """Plain CRC-32Cs as TFRecord stores them."""
    return (crc >> np.uint32(15) | crc << np.uint32(17)) + np.uint32(_MASK_DELTA)


@lru_cache(maxsize=4)
def crc_shares(distances: int) -> NDArray[np.uint32]:
    """Row d, column b: what a byte b with d bytes after it adds (by xor) to a CRC-32C; row d starts at 256 d.

    A CRC is linear over xor: that of a record is that of the same record with zeros in some places, xor the shares
    of the bytes that belong there. Flat, so that one gather with index `256 * distance + byte` serves all rows.
    """
    first = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        first = np.where(first & 1, first >> 1 ^ np.uint32(_POLYNOMIAL), first >> 1).astype(np.uint32)
    table = np.empty((distances, 256), np.uint32)
    table[0] = first
    for d in range(1, distances):
        table[d] = first[table[d - 1] & 0xFF] ^ table[d - 1] >> np.uint32(8)
    return table.ravel()
