"""What a line of a text log shows once a terminal has drawn it: colours, redrawn bars and stray bytes taken out."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from msgspec import Struct

from workbench.readers.lines import Lines

if TYPE_CHECKING:
    from numpy.typing import NDArray

LONGEST = 8192
"""Bytes of a line that patterns look at; what comes behind is text for the log view alone."""
BESIDE = "\x1f"
"""Encloses the position of a bare progress bar that was redrawn before the line: `\\x1f50/500\\x1f{'loss': …}`."""

_ODD = np.zeros(256, np.bool_)
_ODD[[0, 8, 13, 27, 31]] = True
_ANSI = re.compile(
    rb"\x1b(?:\[[0-?]{0,64}+[ -/]{0,8}+[@-~]?|\][^\x07\x1b]{0,512}+(?:\x07|\x1b\\)?|[@-Z\\^_]|[()][0-9A-Za-z])?"
)
_BARE_BAR = re.compile(rb" {0,4}\d{1,3}%\|[^|]{0,1024}\| {0,8}(\d{1,15})/(\d{1,15}) \[")
_BAR = re.compile(rb"(%\|)[^|]{0,1024}(?=\|)")
_SEGMENTS = 64
"""Redrawings of a bar that are looked at from the end."""


class Cleaned(Struct, frozen=True):
    """Lines as a terminal shows them, joined by newlines; `cut` counts those longer than patterns look at."""

    text: bytes
    cut: int = 0


def clean(lines: Lines) -> Cleaned:
    """Clean a chunk's lines; those without anything odd are passed on as they are."""
    if not len(lines):
        return Cleaned(b"")
    text = lines.data[int(lines.starts[0]) : int(lines.ends[-1])]
    if b"\r\n" in text or text.endswith(b"\r"):
        text = text.replace(b"\r\n", b"\n").removesuffix(b"\r")
    odd = _odd_lines(text)
    if not len(odd):
        return Cleaned(text)
    parts = text.split(b"\n")
    cut = 0
    for i in odd.tolist():
        shown = shown_text(parts[i])
        cut += len(shown) > LONGEST
        parts[i] = bounded(shown)
    return Cleaned(b"\n".join(parts), cut)


def _odd_lines(text: bytes) -> NDArray[np.int64]:
    """Numbers of the lines that hold a control character or are too long."""
    view = np.frombuffer(text, np.uint8)
    ends = np.append(np.flatnonzero(view == 10), len(view))
    starts = np.concatenate(([0], ends[:-1] + 1))
    odd = np.searchsorted(ends, np.flatnonzero(_ODD[view]))
    return np.unique(np.concatenate((odd, np.flatnonzero(ends - starts > LONGEST))))


def shown_text(raw: bytes) -> bytes:
    """The last thing drawn on a line, with the position of a bare bar drawn before it."""
    if b"\x1b" in raw:
        raw = _ANSI.sub(b"", raw)
    raw = raw.replace(b"\0", b"").replace(b"\b", b"\r").replace(b"\x1f", b" ").rstrip(b"\r")
    if b"\r" not in raw:
        return _short_bar(raw)
    pieces = _last_pieces(raw)
    shown = next((piece for piece in pieces if piece.strip()), b"")
    if not _BARE_BAR.match(shown):
        bars = (bar for piece in pieces if (bar := _BARE_BAR.match(piece)))
        if beside := next(bars, None):
            shown = b"\x1f%d/%d\x1f%s" % (int(beside[1]), int(beside[2]), shown)
    return _short_bar(shown)


def _last_pieces(raw: bytes) -> Sequence[bytes]:
    """What was drawn between carriage returns, the last first; empty ones are skipped."""
    pieces: list[bytes] = []
    end = len(raw)
    while end > 0 and len(pieces) < _SEGMENTS:
        begin = raw.rfind(b"\r", 0, end)
        if end - begin > 1:
            pieces.append(raw[begin + 1 : min(end, begin + 1 + 2 * LONGEST)])
        end = max(begin, 0)
    return pieces


def _short_bar(shown: bytes) -> bytes:
    """Without the blocks that a bar is drawn with, so that all its lengths have one shape."""
    return _BAR.sub(rb"\1", shown) if b"%|" in shown else shown


def bounded(shown: bytes) -> bytes:
    """At most `LONGEST` bytes, cut where no number can be torn."""
    if len(shown) <= LONGEST:
        return shown
    head = shown[:LONGEST]
    return head[: max(head.rfind(mark) for mark in (b" ", b"\t", b",", b"|", b";")) + 1]
