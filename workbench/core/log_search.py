"""Searches in logs: by text and by how bad a line is, either way, by stretches that can be stopped."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from msgspec import Struct

from workbench.core.log_file import Bytes, LogLine, backward, end_of_line, forward, line_start, long_line
from workbench.core.log_text import LONGEST, TELLTALES, Level, at_least, level_of

STRETCH = 1024 * 1024
"""Bytes looked through at once, after which a search says how far it is and can be stopped."""
_NEWLINE = 0x0A


class Wanted(Struct, frozen=True):
    """Which lines are looked for: those that hold a text, or are as bad as a level, or both."""

    text: str = ""
    """Ignores case unless it has a capital."""
    floor: Level = "info"

    @property
    def everything(self) -> bool:
        """Whether every line is wanted."""
        return not self.text and self.floor == "info"

    def matches(self, text: str) -> bool:
        """Whether a readable line is wanted."""
        if self.text:
            shown = text if self._cased else text.casefold()
            if (self.text if self._cased else self.text.casefold()) not in shown:
                return False
        return self.floor == "info" or at_least(level_of(text), self.floor)

    @property
    def _cased(self) -> bool:
        return self.text != self.text.lower()

    def telltales(self) -> Sequence[bytes]:
        """In lower case, what every wanted line holds one of; none where that cannot be told from its bytes."""
        if self.text:
            return (self.text.lower().encode(),) if self.text.isascii() else ()
        if self.floor == "warning":
            return TELLTALES["error"] + TELLTALES["warning"]
        return TELLTALES[self.floor]


class Stopped(Exception):
    """A search was called off."""


def found_after(
    source: Bytes, offset: int, wanted: Wanted, tell: Callable[[int], bool] = lambda place: True
) -> Iterator[LogLine]:
    """Wanted lines from a line's beginning on; `tell` gets how far it is after each stretch, and goes on while true.

    Raises:
        Stopped: `tell` said no.
    """
    if wanted.everything:
        yield from forward(source, offset)
        return
    place = offset
    while place < source.size:
        block = source.read(place, STRETCH)
        cut = block.rfind(b"\n") + 1
        if cut and place + len(block) < source.size:
            block = block[:cut]
        elif not cut:  # a line longer than a stretch
            end = end_of_line(source, place + len(block), source.size)
            line = long_line(source, place, end)
            if wanted.matches(line.text):
                yield line
            place = end
            continue
        yield from _in_block(block, place, wanted)
        place += len(block)
        if not tell(place):
            raise Stopped


def found_before(
    source: Bytes, offset: int, wanted: Wanted, tell: Callable[[int], bool] = lambda place: True
) -> Iterator[LogLine]:
    """Wanted lines that end where a line begins, the last first.

    Raises:
        Stopped: `tell` said no.
    """
    if wanted.everything:
        yield from backward(source, offset)
        return
    end = min(offset, source.size)
    while end > 0:
        begin = line_start(source, max(0, end - STRETCH))
        if begin >= end:
            begin = line_start(source, end - 1)
        if end - begin > 4 * STRETCH:  # a line longer than a stretch is in it: only its beginning is looked at
            last = line_start(source, end - 1)
            begin, block = last, source.read(last, min(end - last, STRETCH))
        else:
            block = source.read(begin, end - begin)
        yield from reversed(list(_in_block(block, begin, wanted)))
        end = begin
        if not tell(end):
            raise Stopped


def _in_block(block: bytes, start: int, wanted: Wanted) -> Iterator[LogLine]:
    """Wanted lines of a block of whole lines; only those that hold something telling are looked at."""
    telltales = wanted.telltales()
    lower = b"\n" + block.lower() if telltales else b""
    ahead = dict.fromkeys(telltales, -1)
    place = 0
    while place < len(block):
        begin = place
        if telltales:
            ahead = {word: at if at >= place else lower.find(word, place) for word, at in ahead.items()}
            ahead = {word: at for word, at in ahead.items() if at >= 0}
            if not ahead:
                return
            at = min(ahead.values())
            begin = max(block.rfind(b"\n", 0, max(at - (lower[at] != _NEWLINE), 0)) + 1, place)
        end = block.find(b"\n", begin)
        stop, after = (len(block), len(block)) if end < 0 else (end, end + 1)
        line = LogLine(start + begin, start + after, block[begin : min(stop, begin + LONGEST)])
        if wanted.matches(line.text):
            yield line
        place = after
