"""The protocol-buffers wire format, as far as reading unknown messages field by field needs it."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
_LONGEST_VARINT = 10


class WireError(ValueError):
    """The bytes are not a protocol-buffers message."""


class Field(NamedTuple):
    """One field of a message: its number, its wire type, and where its value lies in the data."""

    number: int
    wire: int
    lo: int
    hi: int


def varint(data: bytes, at: int, end: int) -> tuple[int, int]:
    """The unsigned integer at `at` (64 bits) and the offset after it."""
    value = 0
    for n in range(_LONGEST_VARINT):
        if at + n >= end:
            raise WireError(f"varint at {at} runs past the message")
        byte = data[at + n]
        value |= (byte & 0x7F) << (7 * n)
        if byte < 0x80:
            return value & 0xFFFFFFFFFFFFFFFF, at + n + 1
    raise WireError(f"varint at {at} is longer than {_LONGEST_VARINT} bytes")


def fields(data: bytes, lo: int, hi: int) -> Iterator[Field]:
    """The fields of the message in data[lo:hi], in the order written; unknown ones come too, to be passed over.

    Raises WireError at the first thing that is no field; what came before has been given out by then.
    """
    at = lo
    while at < hi:
        key = data[at]
        at += 1
        if key >= 0x80:
            key, at = varint(data, at - 1, hi)
        number, wire = key >> 3, key & 7
        start = at
        if wire == BYTES:
            length, start = varint(data, at, hi)
            at = start + length
        elif wire == VARINT:
            _, at = varint(data, at, hi)
        elif wire == FIXED32:
            at += 4
        elif wire == FIXED64:
            at += 8
        else:
            raise WireError(f"wire type {wire} at {start}")
        if number == 0 or at > hi:
            raise WireError(f"field {number} at {start} runs past the message")
        yield Field(number, wire, start, at)


def unsigned(data: bytes, field: Field) -> int:
    """The value of a varint field."""
    return varint(data, field.lo, field.hi)[0]


def signed(data: bytes, field: Field) -> int:
    """The value of an int32, int64 or enum field: two's complement in 64 bits."""
    value = unsigned(data, field)
    return value - (1 << 64) if value >> 63 else value


def double(data: bytes, field: Field) -> float:
    """The value of a double field."""
    return float(struct.unpack_from("<d", data, field.lo)[0])


def text(data: bytes, field: Field) -> str:
    """The value of a string field; bytes that are not UTF-8 become U+FFFD."""
    return data[field.lo : field.hi].decode("utf-8", "replace")
