"""Many events at once: columns gathered straight out of the bytes.

A training loop writes the same few records again and again with other numbers in them. So a few events are decoded
field by field, and tell a layout: where time, step and values lie. Whatever else a record holds must then equal, byte
for byte, the one of its kind that was decoded, and its checksum must hold; a record that fails either is left over.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np
from msgspec import Struct

from workbench.readers.protobuf import WireError
from workbench.readers.spans import kinds, unaligned
from workbench.readers.tensorboard.cycles import cycle_columns
from workbench.readers.tensorboard.events import decode_event
from workbench.readers.tensorboard.layout import STEP, STEP_KEY, WALL, WORD, Columns, Layout, layout_of, template_of
from workbench.readers.tensorboard.records import HEADER, Frames, crc_shares, mask_crcs

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]


_FEWEST = 24
"""Below this many records the columns cost more than they save."""
_SAMPLES, _MOST_LAYOUTS = 8, 8
_LONGEST = 1024
_CLASSES = ((0, 96), (96, 256), (256, _LONGEST))
"""Record lengths read together, so that one long tag does not make all the short ones dear."""
_PREFIX = 24
_SHORTEST = _PREFIX - 4


class _Prefixes(Struct, frozen=True):
    """The records that may have a layout, with what lies before their tags."""

    record: Ints
    start: Ints
    """Offset of the data's first byte."""
    length: Ints
    prefix: NDArray[np.uint8]
    step: Ints
    step_size: Ints

    def only(self, which: NDArray[np.bool_]) -> _Prefixes:
        return _Prefixes(
            self.record[which], self.start[which], self.length[which],
            self.prefix[which], self.step[which], self.step_size[which],
        )  # fmt: skip


def gather_columns(data: bytes, frames: Frames) -> tuple[list[Columns], Ints]:
    """Read what repeats; returns the columns, and the indices of the records that must be decoded one by one."""
    found = cycle_columns(data, frames)
    left = np.ones(len(frames), np.bool_)
    for columns in found:
        left[columns.record] = False
    for shortest, longest in _CLASSES:
        open_ = np.flatnonzero(left & (frames.length > max(shortest, _SHORTEST - 1)) & (frames.length <= longest))
        tried: set[Layout] = set()
        while len(open_) >= _FEWEST and len(tried) < _MOST_LAYOUTS:
            layout = _commonest_layout(data, frames, open_, tried)
            if layout is None:
                break
            tried.add(layout)
            gathered = _gather(data, frames, open_, layout)
            if gathered is not None:
                found.append(gathered)
                left[gathered.record] = False
                open_ = open_[left[open_]]
    return found, np.flatnonzero(left)


def _commonest_layout(data: bytes, frames: Frames, open_: Ints, tried: set[Layout]) -> Layout | None:
    seen: Counter[Layout] = Counter()
    for i in open_[np.linspace(0, len(open_) - 1, _SAMPLES).astype(np.intp)]:
        start, length = int(frames.start[i]) + HEADER, int(frames.length[i])
        try:
            layout = layout_of(decode_event(data[start : start + length]), length)
        except WireError:
            continue
        if layout is not None and layout not in tried:
            seen[layout] += 1
    return seen.most_common(1)[0][0] if seen else None


def _gather(data: bytes, frames: Frames, open_: Ints, layout: Layout) -> Columns | None:
    """The records among `open_` that have the layout, proven by comparison and checksum."""
    some = _prefixes(data, frames, open_, layout)
    if not len(some.record):
        return None
    words = _words(data, some, layout)
    kind, first = kinds(words)
    templates = [template_of(data[some.start[i] : some.start[i] + some.length[i]], layout) for i in first]
    good = np.array([t is not None for t in templates])[kind]
    for row in words:
        good &= row == row[first][kind]
    crc = np.array([t.crc if t else 0 for t in templates], np.uint32)[kind]
    numbers = [_bytes_at(data, some, distance, dtype) for distance, dtype in layout.numbers]
    for (distance, _), number in zip(layout.numbers, numbers, strict=True):
        crc ^= _number_share(number, distance)
    crc ^= _prefix_share(some, layout)
    stored = unaligned(data, "<u4")[some.start + some.length]
    good &= mask_crcs(crc) == stored
    wall = np.ascontiguousarray(some.prefix[:, WALL : WALL + 8]).view("<f8")[:, 0]
    with np.errstate(invalid="ignore"):  # a signalling NaN is a NaN
        values = np.array(
            [n.view(dtype)[good, 0].astype(np.float64) for n, (_, dtype) in zip(numbers, layout.numbers, strict=True)]
        )
    tags = tuple(t.tags if t else () for t in templates)
    return Columns(some.record[good], wall[good], some.step[good], values, kind[good], tags)


def _prefixes(data: bytes, frames: Frames, open_: Ints, layout: Layout) -> _Prefixes:
    start, byte = frames.start[open_] + HEADER, np.frombuffer(data, np.uint8)
    fits = byte[start] == 0x09
    if layout.stepped:
        fits &= byte[start + STEP_KEY] == 0x10
    if not fits.all():
        open_, start = open_[fits], start[fits]
    prefix = unaligned(data, f"V{_PREFIX}")[start].view(np.uint8).reshape(-1, _PREFIX)
    step = size = np.zeros(len(start), np.int64)
    if layout.stepped:
        step, size = _varints(prefix[:, STEP : STEP + 10])
    some = _Prefixes(open_, start, frames.length[open_], prefix, step, size)
    fits = _lead_sizes(some, layout) >= WORD
    if layout.stepped:
        fits &= size > 0
    return some if fits.all() else some.only(fits)


def _lead_sizes(some: _Prefixes, layout: Layout) -> Ints:
    """Bytes between the step (or the time) and the first number."""
    return some.length - layout.numbers[0][0] - _lead(some, layout)


def _lead(some: _Prefixes, layout: Layout) -> Ints:
    return STEP + some.step_size if layout.stepped else np.full(len(some.length), STEP_KEY)


def _varints(column: NDArray[np.uint8]) -> tuple[Ints, Ints]:
    """The integers that begin at each row, and their sizes in bytes; size 0 where the row holds no end."""
    value = np.zeros(len(column), np.uint64)
    size = np.zeros(len(column), np.int64)
    going = np.ones(len(column), np.bool_)
    for k in range(column.shape[1]):
        byte = column[:, k] * going
        value |= (byte & np.uint8(0x7F)).astype(np.uint64) << np.uint64(7 * k)
        size += going
        going = byte >= 0x80
        if not going.any():
            break
    size[going] = 0
    return value.view(np.int64), size


def _words(data: bytes, some: _Prefixes, layout: Layout) -> list[NDArray[np.uint64]]:
    """Everything of a record that is no number, by words of 8 bytes; records equal in all are of one template.

    The last word of a span reaches back over the one before rather than out of the span; records with a shorter span
    repeat theirs.
    """
    at = unaligned(data, "<u8")
    end = some.start + some.length
    first, last = some.start + _lead(some, layout), end - layout.numbers[0][0] - WORD
    words = [(some.length << 4 | some.step_size).view(np.uint64)]
    words += [at[np.minimum(first + k, last)] for k in range(0, int((last - first).max()) + WORD, WORD)]
    for lo, hi in layout.spans():
        words += [at[end - max(lo - k, hi + WORD)] for k in range(0, lo - hi, WORD)]
    return words


def _bytes_at(data: bytes, some: _Prefixes, distance: int, dtype: str) -> NDArray[np.uint8]:
    """The bytes of one number of each record, shape (n, width)."""
    width = np.dtype(dtype).itemsize
    whole: NDArray[np.void] = unaligned(data, f"V{width}")[some.start + some.length - distance]
    return whole.view(np.uint8).reshape(-1, width)


def _number_share(number: NDArray[np.uint8], distance: int) -> NDArray[np.uint32]:
    """What the bytes of a number add to the checksums."""
    shares = crc_shares(_LONGEST)
    share = np.zeros(len(number), np.uint32)
    for k in range(number.shape[1]):
        row = 256 * (distance - 1 - k)
        share ^= shares[row : row + 256].take(number[:, k])
    return share


def _prefix_share(some: _Prefixes, layout: Layout) -> NDArray[np.uint32]:
    """What the bytes of time and step add to the checksums."""
    shares = crc_shares(_LONGEST)
    share = np.zeros(len(some.length), np.uint32)
    row = 256 * (some.length - 1)
    for k in range(WALL, WALL + 8):
        share ^= shares.take(row - 256 * k + some.prefix[:, k])
    if layout.stepped:
        for k in range(int(some.step_size.max())):
            byte = (some.prefix[:, STEP + k] & np.uint8(0x7F)) * (some.step_size > k)
            share ^= shares.take(row - 256 * (STEP + k) + byte)
    return share
