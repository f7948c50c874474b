"""Where the lines of a chunk begin and end, and what no line-framed text format accepts."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
from msgspec import Struct

from workbench.plugin.api import Chunk, Head

if TYPE_CHECKING:
    from numpy.typing import NDArray

MAX_LINE = 16 * 1024 * 1024
UTF8_BOM = b"\xef\xbb\xbf"
UTF16_BOMS = (b"\xff\xfe", b"\xfe\xff")
UTF16_REASON = "E121 UTF-16 text: save the file as UTF-8"
_ORDER = {UTF16_BOMS[0]: "le", UTF16_BOMS[1]: "be"}


class Lines(Struct, frozen=True):
    """The lines of a chunk: `starts` and `ends` (before the newline) in `data` as int64; `consumed` bytes are theirs.

    A byte-order mark at the start of the source is blanked, so that offsets stay those of the file. UTF-16 comes as
    UTF-8, and only `places` are then offsets of the file.
    """

    data: bytes
    view: NDArray[np.uint8]
    starts: NDArray[np.int64]
    ends: NDArray[np.int64]
    consumed: int
    unterminated: bool
    """The last line has no newline; only in a final chunk."""
    places: NDArray[np.int64]
    """Byte offset of each line within the chunk as it is in the file."""
    utf16: str = ""
    """`le` or `be` for UTF-16."""
    torn: bool = False
    """What the chunk before took for a newline was half of another character: read again from the start."""

    def __len__(self) -> int:
        return len(self.starts)

    def state(self) -> dict[str, str]:
        """What the next chunk must know of the encoding."""
        return {"utf16": self.utf16} if self.utf16 else {}

    def raw(self, i: int) -> bytes:
        """Line i without its newline and carriage return."""
        return self.data[self.starts[i] : self.ends[i]].removesuffix(b"\r")

    def stretch(self, first: int, last: int) -> bytes:
        """Lines first to last - 1 with their newlines."""
        return self.data[self.starts[first] : self.ends[last - 1] + 1]


def split(chunk: Chunk, *, utf16: bool = False) -> Lines:
    """Find the complete lines of a chunk, and the last one without its newline when nothing more is coming.

    utf16: a source that begins with a UTF-16 byte-order mark is read as such, by a reader that keeps `Lines.state`.
    """
    order = utf16_order(chunk) if utf16 else ""
    if order:
        return _split_utf16(chunk, order)
    data = chunk.data
    if chunk.start == 0 and data.startswith(UTF8_BOM):
        data = b"   " + data[3:]
    return _split(data, final=chunk.final)


def utf16_order(chunk: Chunk) -> str:
    """`le` or `be` if the source began with a UTF-16 byte-order mark, else nothing."""
    return str(chunk.state.get("utf16", "")) or (_ORDER.get(chunk.data[:2], "") if chunk.start == 0 else "")


def is_utf16(chunk: Chunk) -> bool:
    """Whether the source began with a UTF-16 byte-order mark."""
    return bool(utf16_order(chunk))


def head_bytes(head: Head) -> bytes:
    """The complete lines of a head as UTF-8, without a byte-order mark, or all of it where the file is no longer."""
    order = _ORDER.get(head.data[:2], "")
    whole = head.size <= len(head.data)
    data = head.data[2:].decode(f"utf-16-{order}", "replace").encode() if order else head.data.removeprefix(UTF8_BOM)
    return data if whole else data[: data.rfind(b"\n") + 1]


def _split(data: bytes, *, final: bool) -> Lines:
    view = np.frombuffer(data, np.uint8)
    ends = np.flatnonzero(view == 10).astype(np.int64)
    consumed = int(ends[-1]) + 1 if len(ends) else 0
    unterminated = final and consumed < len(data)
    if unterminated:
        ends = np.append(ends, len(data))
        consumed = len(data)
    starts = np.concatenate(([0], ends[:-1] + 1)).astype(np.int64) if len(ends) else ends
    return Lines(data, view, starts, ends, consumed, unterminated, starts)


def _split_utf16(chunk: Chunk, order: str) -> Lines:
    """Lines of UTF-16, whose two-byte newline a chunk may cut: whoever cuts looks for the byte 0x0A alone."""
    skipped = 2 if chunk.start == 0 else chunk.start % 2
    torn = order == "le" and skipped == 1 and chunk.data[:1] != b"\0"
    size = len(chunk.data) - skipped
    padded = chunk.data[skipped:] + b"\0"
    units = np.frombuffer(padded, "<u2" if order == "le" else ">u2", (size + 1) // 2)
    newlines = np.flatnonzero(units == 10)
    if not chunk.final:
        units = units[: newlines[-1] + 1] if len(newlines) else units[:0]
    lines = _split(units.tobytes().decode(f"utf-16-{order}", "replace").encode(), final=chunk.final)
    places = np.concatenate(([0], newlines + 1))[: len(lines)].astype(np.int64) * 2 + skipped
    if chunk.start == 0:
        places[:1] = 0
    consumed = min(units.nbytes + skipped, len(chunk.data)) if len(lines) else 0
    return Lines(lines.data, lines.view, lines.starts, lines.ends, consumed, lines.unterminated, places, order, torn)


def decode(raw: bytes) -> tuple[str, bool]:
    """The text of a line, and whether bytes that are not UTF-8 had to be replaced."""
    try:
        return raw.decode("utf-8"), False
    except UnicodeDecodeError:
        return raw.decode("utf-8", "replace"), True


def is_object(tail: bytes) -> bool:
    """Whether bytes without a line's end are one complete JSON object: nothing can be missing behind its brace."""
    text = tail.strip()
    if not (text.startswith(b"{") and text.endswith(b"}")):
        return False
    try:
        return isinstance(json.loads(text), dict)
    except (ValueError, RecursionError):
        return False
