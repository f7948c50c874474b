"""One TensorBoard event, decoded field by field: for what is rare, and for the first of what is frequent."""

from __future__ import annotations

import re
import struct
from itertools import islice
from typing import TYPE_CHECKING, Literal

from msgspec import Struct

from workbench.readers.protobuf import BYTES, VARINT, Field, WireError, double, fields, signed, text, unsigned
from workbench.readers.tensorboard.bins import histogram_bins, matrix_bins

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Bins = tuple[NDArray[np.float64], NDArray[np.float64]]

HPARAMS = "hparams"
"""The plugin that keeps a session's parameters and status in metadata."""
HPARAMS_TAGS = "_hparams_/"
"""What its tags begin with."""

ValueKind = Literal["scalar", "text", "histogram", "image", "audio", "tensor", "metadata"]

_FLOAT, _DOUBLE, _STRING, _BFLOAT16, _HALF, _UINT64 = 1, 2, 7, 14, 19, 23
_WIDTHS = {
    _FLOAT: "<f4", _DOUBLE: "<f8", 3: "<i4", 4: "|u1", 5: "<i2", 6: "|i1", 9: "<i8", 10: "|u1",
    17: "<u2", _HALF: "<f2", 22: "<u4", _UINT64: "<u8",
}  # fmt: skip
"""Tensor element types by their number, as they lie in `tensor_content`; bfloat16 has no numpy type."""
_STRUCTS = {
    "<f4": struct.Struct("<f"), "<f8": struct.Struct("<d"), "<f2": struct.Struct("<e"), "<i4": struct.Struct("<i"),
    "<i8": struct.Struct("<q"), "<i2": struct.Struct("<h"), "|i1": struct.Struct("<b"), "|u1": struct.Struct("<B"),
    "<u2": struct.Struct("<H"), "<u4": struct.Struct("<I"), "<u8": struct.Struct("<Q"),
}  # fmt: skip
_VARINT_LISTS = (7, 10, 11, 13, 16, 17)
"""Fields of a tensor that list int, int64, bool, half, uint32 and uint64 elements."""
_IMAGE = re.compile(rb"\x89PNG\r\n|\xff\xd8\xff|GIF8[79]a|RIFF....WEBP", re.DOTALL)
_KINDS: dict[int, ValueKind] = {4: "image", 5: "histogram", 6: "audio"}


class Number(Struct, frozen=True):
    """A scalar, and where it lies when it has a fixed width: `dtype` at `lo`; -1 when it must be decoded singly."""

    value: float
    lo: int = -1
    dtype: str = ""


class Value(Struct, frozen=True):
    """One value of a summary."""

    tag: str
    kind: ValueKind
    number: Number | None = None
    words: str = ""
    plugin: str = ""
    """Name in the metadata, which writers send with the first value of a tag only."""
    content: bytes = b""
    bins: Bins | None = None
    """Edges (n + 1) and counts (n) of what is a histogram, or may be one: a matrix of doubles with three columns."""
    picture: tuple[int, int] | None = None
    """First byte and length of an encoded image in the event, the first where there are several."""

    @property
    def of_session(self) -> bool:
        """Whether it belongs to hparams, whose values are in the metadata; Keras hangs a meaningless 0 on each."""
        return self.plugin == HPARAMS or self.tag.startswith(HPARAMS_TAGS)


class Event(Struct, frozen=True):
    """One record: a time, a step, and values or a mark of the session."""

    wall: float = 0.0
    step: int = 0
    values: tuple[Value, ...] = ()
    session_start: bool = False
    """The writer (re)started at `step`: what was written before at this step or later is superseded."""
    order: tuple[tuple[int, int], ...] = ()
    """(field number, first byte of its value) of each field, as they came."""


def decode_event(data: bytes) -> Event:
    """Decode one record's data; raises WireError when it is not an Event message."""
    wall, step, start = 0.0, 0, False
    values: list[Value] = []
    order: list[tuple[int, int]] = []
    for field in fields(data, 0, len(data)):
        order.append((field.number, field.lo))
        match field.number, field.wire:
            case 1, 1:
                wall = double(data, field)
            case 2, 0:
                step = signed(data, field)
            case 5, 2:
                values += [_value(data, v) for v in fields(data, field.lo, field.hi) if v[:2] == (1, BYTES)]
            case 7, 2:
                start = any(f[:2] == (1, VARINT) and signed(data, f) == 1 for f in fields(data, field.lo, field.hi))
    return Event(wall, step, tuple(values), start, tuple(order))


def _value(data: bytes, whole: Field) -> Value:
    tag, plugin, content = "", "", b""
    kind: ValueKind = "metadata"
    number: Number | None = None
    words = ""
    bins: Bins | None = None
    picture: tuple[int, int] | None = None
    for field in fields(data, whole.lo, whole.hi):
        match field.number, field.wire:
            case 1, 2:
                tag = text(data, field)
            case 2, 5:
                kind, number = "scalar", Number(_at(data, field.lo, "<f4"), field.lo, "<f4")
            case ((4 | 5 | 6), 2):
                kind, number = _KINDS[field.number], None
                bins = histogram_bins(data, field) if kind == "histogram" else None
                picture = _picture(data, field, 4, 0) if kind == "image" else None
            case 8, 2:
                picture = _picture(data, field, 8, 2)
                kind, number, words = _tensor(data, field) if picture is None else ("image", None, "")
                bins = matrix_bins(data, field) if kind == "tensor" else None
            case 9, 2:
                plugin, content = _metadata(data, field)
    return Value(tag, kind, number, words, plugin, content, bins, picture)


def _picture(data: bytes, whole: Field, number: int, before: int) -> tuple[int, int] | None:
    """Where the first encoded image lies, a field of this number with so many before it; told by its first bytes.

    TensorFlow 2 lists width, height and the images as strings of one tensor.
    """
    of_number = (field for field in fields(data, whole.lo, whole.hi) if field[:2] == (number, BYTES))
    field = next(islice(of_number, before, None), None)
    if field is None or not _IMAGE.match(data, field.lo, field.hi):
        return None
    return field.lo, field.hi - field.lo


def _metadata(data: bytes, whole: Field) -> tuple[str, bytes]:
    """Plugin name and content of a SummaryMetadata."""
    name, content = "", b""
    for plugin in fields(data, whole.lo, whole.hi):
        if plugin[:2] != (1, BYTES):
            continue
        for field in fields(data, plugin.lo, plugin.hi):
            if field[:2] == (1, BYTES):
                name = text(data, field)
            elif field[:2] == (2, BYTES):
                content = data[field.lo : field.hi]
    return name, content


def _tensor(data: bytes, whole: Field) -> tuple[ValueKind, Number | None, str]:
    """A tensor is a scalar only without dimensions: curves and matrices come as tensors too."""
    dtype, rank0 = 0, True
    parts: list[Field] = []
    for field in fields(data, whole.lo, whole.hi):
        match field.number, field.wire:
            case 1, 0:
                dtype = unsigned(data, field)
            case 2, 2:
                rank0 = all(f.number not in (2, 3) for f in fields(data, field.lo, field.hi))
            case _:
                parts.append(field)
    if dtype == _STRING:
        return "text", None, "\n".join(text(data, f) for f in parts if f[:2] == (8, BYTES))
    if not rank0 or (dtype not in _WIDTHS and dtype != _BFLOAT16):
        return "tensor", None, ""
    return "scalar", _scalar(data, dtype, parts), ""


def _scalar(data: bytes, dtype: int, parts: list[Field]) -> Number:
    """The one element of a tensor without dimensions; zero when none is written, as TensorFlow has it."""
    for field in parts:
        if field.hi == field.lo:
            continue
        match field.number, field.wire:
            case 4, 2:
                return _content(data, dtype, field)
            case (5, 2) | (5, 5):
                return _fixed(data, field, "<f4")
            case (6, 2) | (6, 1):
                return _fixed(data, field, "<f8")
        if field.number in _VARINT_LISTS and field.wire in (VARINT, BYTES):
            return Number(_from_varint(dtype, unsigned(data, field)))
    return Number(0.0)


def _content(data: bytes, dtype: int, field: Field) -> Number:
    if dtype == _BFLOAT16:
        return Number(_from_varint(dtype, int.from_bytes(data[field.lo : field.lo + 2], "little")))
    return _fixed(data, field, _WIDTHS[dtype])


def _fixed(data: bytes, field: Field, dtype: str) -> Number:
    if _STRUCTS[dtype].size != field.hi - field.lo:
        raise WireError(f"tensor without dimensions holds {field.hi - field.lo} bytes of {dtype}")
    return Number(_at(data, field.lo, dtype), field.lo, dtype)


def _at(data: bytes, at: int, dtype: str) -> float:
    return float(_STRUCTS[dtype].unpack_from(data, at)[0])


def _from_varint(dtype: int, value: int) -> float:
    """A listed element: floats of two bytes are listed as their bits, negative integers in two's complement."""
    if dtype == _HALF:
        return _at((value & 0xFFFF).to_bytes(2, "little"), 0, "<f2")
    if dtype == _BFLOAT16:
        return _at(((value & 0xFFFF) << 16).to_bytes(4, "little"), 0, "<f4")
    if dtype == _UINT64:
        return float(value)
    return float(value - (1 << 64) if value >> 63 else value)
