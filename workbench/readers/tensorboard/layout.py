"""What events that repeat have in common: where their numbers lie, and everything else as a template."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING

import google_crc32c
import numpy as np
from msgspec import Struct

from workbench.readers.protobuf import WireError
from workbench.readers.tensorboard.events import Event, decode_event

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]

WALL, STEP_KEY, STEP = 1, 9, 10
"""Where the time, the mark of the step and the step lie in an event."""
WORD = 8
_LONGEST_STEP = 10


class Layout(Struct, frozen=True):
    """Where the numbers of a kind of event lie; the time is always first."""

    stepped: bool
    """A step follows the time; without one it is 0."""
    numbers: tuple[tuple[int, str], ...]
    """(bytes from the number's first to the record's end, numpy type) of each value."""

    def spans(self) -> Iterator[tuple[int, int]]:
        """What lies between the numbers, as distances of its first and last byte's end from the record's end."""
        after = [distance - np.dtype(dtype).itemsize for distance, dtype in self.numbers]
        before = [distance for distance, _ in self.numbers[1:]] + [0]
        yield from ((lo, hi) for lo, hi in zip(after, before, strict=True) if lo != hi)

    @property
    def gatherable(self) -> bool:
        """Whether what lies between the numbers can be compared by words of 8 bytes."""
        return bool(self.numbers) and all(lo - hi >= WORD for lo, hi in self.spans())


class Columns(Struct, frozen=True):
    """Events of one layout, as columns of length n."""

    record: Ints
    """Index of the record."""
    wall: NDArray[np.float64]
    step: Ints
    values: NDArray[np.float64]
    """One row a value of the event, shape (values, n)."""
    template: NDArray[np.intp]
    tags: tuple[tuple[str, ...], ...]
    """For each template, the tags of its values."""


class Template(Struct, frozen=True):
    """Everything of an event but its numbers."""

    tags: tuple[str, ...]
    crc: int
    """Checksum of the event with zeros for its numbers."""
    step_size: int
    """Bytes of the step; 0 without one."""


def layout_of(event: Event, size: int) -> Layout | None:
    """The layout of a decoded event of `size` bytes, or None when it holds more than scalars of fixed width."""
    stepped = len(event.order) == 3
    usual = ((1, WALL), (2, STEP)) if stepped else ((1, WALL),)
    plain = all(v.number is not None and v.number.lo >= 0 and not v.of_session for v in event.values)
    if not plain or not event.values or event.order[:-1] != usual:
        return None
    layout = Layout(stepped, tuple((size - v.number.lo, v.number.dtype) for v in event.values if v.number is not None))
    return layout if layout.gatherable else None


def template_of(body: bytes, layout: Layout) -> Template | None:
    """The template of one event, None when it has not the layout."""
    size = 0
    if layout.stepped:
        while size < _LONGEST_STEP and body[STEP + size : STEP + size + 1] >= b"\x80":
            size += 1
        size += 1
    blank = bytearray(body)
    blank[WALL : WALL + 8] = bytes(8)
    for k in range(STEP, min(STEP + size, len(blank))):
        blank[k] &= 0x80
    for distance, dtype in layout.numbers:
        width = np.dtype(dtype).itemsize
        if not width <= distance <= len(blank) - STEP_KEY:
            return None
        blank[len(blank) - distance : len(blank) - distance + width] = bytes(width)
    return _template(bytes(blank), layout, size)


@lru_cache(maxsize=4096)
def _template(blank: bytes, layout: Layout, step_size: int) -> Template | None:
    try:
        event = decode_event(blank)
    except WireError:
        return None
    if layout_of(event, len(blank)) != layout:
        return None
    return Template(tuple(v.tag for v in event.values), google_crc32c.value(blank), step_size)
