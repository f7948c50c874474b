"""Where the lines of a chunk begin and end, and what no line-framed text format accepts."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from workbench.plugin.api import Chunk

if TYPE_CHECKING:
    from numpy.typing import NDArray

MAX_LINE = 16 * 1024 * 1024
UTF8_BOM = b"\xef\xbb\xbf"
UTF16_BOMS = (b"\xff\xfe", b"\xfe\xff")
UTF16_REASON = "E121 UTF-16 text: save the file as UTF-8"


@dataclass(frozen=True, slots=True)
class Lines:
    """The lines of a chunk: `starts` and `ends` (before the newline) as int64, `consumed` bytes belong to them.

    A byte-order mark at the start of the source is blanked, so that offsets stay those of the file.
    """

    data: bytes
    view: NDArray[np.uint8]
    starts: NDArray[np.int64]
    ends: NDArray[np.int64]
    consumed: int
    unterminated: bool
    """The last line has no newline; only in a final chunk."""

    def __len__(self) -> int:
        return len(self.starts)

    def raw(self, i: int) -> bytes:
        """Line i without its newline and carriage return."""
        return self.data[self.starts[i] : self.ends[i]].removesuffix(b"\r")

    def stretch(self, first: int, last: int) -> bytes:
        """Lines first to last - 1 with their newlines."""
        return self.data[self.starts[first] : self.ends[last - 1] + 1]


def split(chunk: Chunk) -> Lines:
    """Find the complete lines of a chunk, and the last one without its newline when nothing more is coming."""
    data = chunk.data
    if chunk.start == 0 and data.startswith(UTF8_BOM):
        data = b"   " + data[3:]
    view = np.frombuffer(data, np.uint8)
    ends = np.flatnonzero(view == 10).astype(np.int64)
    consumed = int(ends[-1]) + 1 if len(ends) else 0
    unterminated = chunk.final and consumed < len(data)
    if unterminated:
        ends = np.append(ends, len(data))
        consumed = len(data)
    starts = np.concatenate(([0], ends[:-1] + 1)).astype(np.int64) if len(ends) else ends
    return Lines(data, view, starts, ends, consumed, unterminated)


def is_utf16(chunk: Chunk) -> bool:
    """Whether the source began with a UTF-16 byte-order mark; then no line of it can be read."""
    return bool(chunk.state.get("utf16")) or (chunk.start == 0 and chunk.data.startswith(UTF16_BOMS))


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
