"""Bytes of real logs, damaged: anywhere, at their tokens, or inside records whose checksums are made good again."""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Sequence

from hypothesis import strategies as st

from tests.fixtures.make_tensorboard import record as event_record
from tests.support.wandb_files import framed
from workbench.readers.wandb.log import MAGIC

ODD = [
    b"NaN", b"-Infinity", b"1e999", b"-0", b"1" * 400, b"9223372036854775808", b"-9223372036854775809", b"1e-400",
    b"0x10", b"1_000", b"null", b"true", b'""', b'"x"', b"[]", b"{}", b"[" * 3000, b'{"a":' * 1500, b"]]}}", b"\0",
    b"\xff\xfe", b"\xef\xbb\xbf", b"\xed\xa0\x80", b"\\ud800", b"\x1b[2J", b"\r", b"\r\n", b"\n\n", b'"', b"'", b",",
    b"\t", b";", b"\xe2\x80\xae", b"2026-13-45T99:99:99", b"1760000000000", b"!!python/object/apply:os.system ['x']",
    b"&a [*a, *a]", b"<<: *a", b"step", b"epoch", b"loss", b"=", b":", b" ", b"%", b"A" * 70_000,
]  # fmt: skip
"""What does not belong where it is put."""
_TOKEN = re.compile(rb"[-+.\w]+")
Change = Callable[[bytes], bytes]


def _at(data: bytes, share: float) -> int:
    return min(int(share * (len(data) + 1)), len(data))


def _insert(share: float, what: bytes) -> Change:
    return lambda data: data[: _at(data, share)] + what + data[_at(data, share) :]


def _overwrite(share: float, what: bytes) -> Change:
    return lambda data: data[: _at(data, share)] + what + data[_at(data, share) + len(what) :]


def _cut_out(share: float, size: int) -> Change:
    return lambda data: data[: _at(data, share)] + data[_at(data, share) + size :]


def _end(share: float, _: int) -> Change:
    return lambda data: data[: _at(data, share)]


def _repeat(share: float, size: int) -> Change:
    return lambda data: data[: _at(data, share) + size] + data[_at(data, share) :]


def _token(share: float, what: bytes) -> Change:
    def change(data: bytes) -> bytes:
        found = [*_TOKEN.finditer(data[:20_000])]
        if not found:
            return data + what
        one = found[min(int(share * len(found)), len(found) - 1)]
        return data[: one.start()] + what + data[one.end() :]

    return change


SHARES = st.floats(0, 1)
BYTES = st.one_of(st.sampled_from(ODD), st.binary(min_size=1, max_size=40))
CHANGES = st.one_of(
    st.builds(_token, SHARES, BYTES), st.builds(_token, SHARES, BYTES), st.builds(_insert, SHARES, BYTES),
    st.builds(_overwrite, SHARES, BYTES), st.builds(_cut_out, SHARES, st.integers(1, 3000)),
    st.builds(_end, SHARES, st.just(0)), st.builds(_repeat, SHARES, st.integers(1, 3000)),
)  # fmt: skip


def payloads(form: str, data: bytes) -> list[bytes]:
    """The records of an event file or a W&B file."""
    found: list[bytes] = []
    if form == "tensorboard":
        at = 0
        while at + 16 <= len(data):
            (length,) = struct.unpack_from("<Q", data, at)
            found.append(data[at + 12 : at + 12 + length])
            at += 16 + length
        return found
    at, part = len(MAGIC), b""
    while at + 7 <= len(data):
        if 32768 - at % 32768 < 7:
            at += 32768 - at % 32768
            continue
        length, kind = struct.unpack_from("<HB", data, at + 4)
        part += data[at + 7 : at + 7 + length]
        at += 7 + length
        if kind in (1, 4):
            found.append(part)
            part = b""
    return found


def rebuilt(form: str, records: Sequence[bytes]) -> bytes:
    """A file of these records, each with its checksum."""
    return b"".join(map(event_record, records)) if form == "tensorboard" else framed(records)


@st.composite
def damaged(draw: st.DrawFn, form: str, data: bytes) -> bytes:
    """The file with some damage: of its bytes, or within its records."""
    changes = draw(st.lists(CHANGES, min_size=1, max_size=6))
    if form in ("tensorboard", "wandb") and draw(st.booleans()):
        records = payloads(form, data)
        for change in changes:
            place = draw(st.integers(0, len(records) - 1))
            records[place] = change(records[place])
        return rebuilt(form, records)
    for change in changes:
        data = change(data)
    return data
