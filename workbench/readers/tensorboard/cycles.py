"""Events of a loop that logs the same scalars every time: a matrix whose rows are the rounds of the loop.

While the records' lengths go round in a cycle, the same byte of each round lies in the same column. So what is no
number needs one comparison with the first round, and every number is a column to be cut out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from msgspec import Struct

from workbench.readers.protobuf import WireError
from workbench.readers.tensorboard.events import decode_event
from workbench.readers.tensorboard.layout import STEP, WALL, Columns, Layout, Template, layout_of, template_of
from workbench.readers.tensorboard.records import HEADER, OVERHEAD, Cycle, Frames, crc_shares, mask_crcs

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]

LONGEST = 1024
_FEWEST = 4
"""Rounds below which a matrix costs more than it saves."""
_WORD = 8


class _Slot(Struct, frozen=True):
    """One record of each round."""

    place: int
    """Which record of the round it is."""
    at: int
    """Where its data begins in the round."""
    length: int
    step_size: int
    """Bytes of its step, 0 without one."""
    value_at: int
    """Bytes from its data's first to its value."""
    dtype: str
    template: Template


def cycle_columns(data: bytes, frames: Frames) -> list[Columns]:
    """The events of the frames' cycles, as far as they repeat those of the first round."""
    found: list[Columns] = []
    for cycle in frames.cycles:
        if cycle.rounds < _FEWEST:
            continue
        slots = _slots(data, cycle)
        kinds = sorted({(slot.dtype, slot.step_size > 0) for slot in slots})
        same = _same(data, cycle, slots) if slots else None
        for dtype, stepped in kinds:
            some = [slot for slot in slots if (slot.dtype, slot.step_size > 0) == (dtype, stepped)]
            found.append(_columns(data, cycle, some, same))
    return found


def _slots(data: bytes, cycle: Cycle) -> list[_Slot]:
    """The records of a round that are one scalar of fixed width, by the first round."""
    found: list[_Slot] = []
    layout: Layout | None = None
    at = 0
    for place, size in enumerate(cycle.sizes.tolist()):
        length = size - OVERHEAD
        start = cycle.start + at + HEADER
        body = data[start : start + length]
        template = template_of(body, layout) if layout else None
        if template is None and length <= LONGEST:
            layout = _layout(body)
            template = template_of(body, layout) if layout else None
        fits = template is not None and template.step_size <= _WORD
        if layout is not None and template is not None and fits and len(layout.numbers) == 1:
            distance, dtype = layout.numbers[0]
            found.append(_Slot(place, at + HEADER, length, template.step_size, length - distance, dtype, template))
        at += size
    return found


def _layout(body: bytes) -> Layout | None:
    try:
        return layout_of(decode_event(body), len(body))
    except WireError:
        return None


def _same(data: bytes, cycle: Cycle, slots: list[_Slot]) -> NDArray[np.bool_]:
    """Which rounds equal the first in everything but numbers, and in which bytes of a step go on."""
    total = int(cycle.sizes.sum())
    mask = np.zeros(total, np.uint8)
    for slot in slots:
        mask[slot.at - HEADER : slot.at + slot.length] = 0xFF
        mask[slot.at + WALL : slot.at + WALL + 8] = 0
        mask[slot.at + STEP : slot.at + STEP + slot.step_size] = 0x80
        value = slot.at + slot.value_at
        mask[value : value + np.dtype(slot.dtype).itemsize] = 0
    rounds = np.frombuffer(data, np.uint8, cycle.rounds * total, cycle.start).reshape(cycle.rounds, total)
    fixed = np.zeros((cycle.rounds, -(-total // _WORD) * _WORD), np.uint8)
    np.bitwise_and(rounds, mask, out=fixed[:, :total])
    words = fixed.view(np.uint64)
    same: NDArray[np.bool_] = (words == words[0]).all(axis=1)
    return same


def _columns(data: bytes, cycle: Cycle, slots: list[_Slot], same: NDArray[np.bool_] | None) -> Columns:
    """Some records of every round as columns; those whose checksum does not hold are left out."""
    length = np.array([slot.length for slot in slots], np.int64)
    value_at = np.array([slot.value_at for slot in slots], np.int64)
    wall = _cut(data, cycle, [slot.at + WALL for slot in slots], "<f8")
    value = _cut(data, cycle, [slot.at + slot.value_at for slot in slots], slots[0].dtype)
    size = np.array([slot.step_size for slot in slots], np.int64)
    step_bytes = (
        _cut(data, cycle, [slot.at + STEP for slot in slots], "<u8") if size.any() else np.zeros(wall.shape, np.uint64)
    )
    step, low = _steps(step_bytes, size)
    crc = np.array([slot.template.crc for slot in slots], np.uint32)
    crc = crc ^ _share(wall, length - WALL)
    crc ^= _share(value, length - value_at)
    crc ^= _share(low, length - STEP)
    good = mask_crcs(crc) == _cut(data, cycle, [slot.at + slot.length for slot in slots], "<u4")
    if same is not None:
        good &= same[:, None]
    place = np.array([slot.place for slot in slots], np.int64)
    record = cycle.record + len(cycle.sizes) * np.arange(cycle.rounds)[:, None] + place
    template = np.broadcast_to(np.arange(len(slots)), good.shape)
    tags = tuple(slot.template.tags for slot in slots)
    with np.errstate(invalid="ignore"):  # a signalling NaN is a NaN
        values = value.astype(np.float64)
    if good.all():
        return Columns(record.ravel(), wall.ravel(), step.ravel(), values.reshape(1, -1), template.ravel(), tags)
    return Columns(record[good], wall[good], step[good], values[good][None], template[good], tags)


def _cut(data: bytes, cycle: Cycle, places: list[int], dtype: str) -> NDArray[Any]:
    """The numbers that begin at these bytes of each round, a row a round."""
    total = int(cycle.sizes.sum())
    found = np.empty((cycle.rounds, len(places)), dtype)
    for column, place in enumerate(places):
        found[:, column] = np.ndarray((cycle.rounds,), dtype, data, cycle.start + place, (total,))
    return found


def _steps(raw: NDArray[np.uint64], size: Ints) -> tuple[Ints, NDArray[np.uint64]]:
    """Steps, and their first eight bytes without the marks that they go on."""
    kept = [(1 << 8 * n) - 1 & 0x7F7F7F7F7F7F7F7F for n in size.tolist()]
    low = raw & np.array(kept, np.uint64)
    step = np.zeros(raw.shape, np.uint64)
    for k in range(min(int(size.max()), _WORD)):
        step |= (low >> np.uint64(k)) & np.uint64(0x7F << 7 * k)
    return step.view(np.int64), low


def _share(numbers: NDArray[Any], distance: Ints) -> NDArray[np.uint32]:
    """What numbers add to the checksums; `distance` is from each one's first byte to its record's end.

    A byte that never changes in a column is looked up once.
    """
    shares = crc_shares(LONGEST)
    word = np.ascontiguousarray(numbers).view(f"u{numbers.dtype.itemsize}")
    changes = int(np.bitwise_or.reduce(np.bitwise_or.reduce(word ^ word[0], axis=0)))
    byte = word.view(np.uint8).reshape(*word.shape, -1)
    share = np.zeros(numbers.shape, np.uint32)
    for k in range(numbers.dtype.itemsize):
        row = 256 * np.maximum(distance - 1 - k, 0)
        column = byte[..., k] if changes >> 8 * k & 0xFF else byte[:1, :, k]
        share ^= shares.take(row + column, mode="wrap")  # none is out of range, and this does not look
    return share
