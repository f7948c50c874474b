"""What is known of a log around the lines on the screen: a stretch of it, extended either way off the event loop."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import islice

from msgspec import Struct

from workbench.core.log_file import Bytes, LogLine, line_start
from workbench.core.log_search import Wanted, found_after, found_before
from workbench.core.log_text import Level, level_of

AHEAD = 400
"""Lines read beyond those that are shown, either way."""
MOST = 6_000
"""Lines kept; what is furthest from the cursor goes."""

Telling = Callable[[int], bool]
"""Gets how far a search is, in bytes; it goes on while this says true."""


class Row(Struct, frozen=True):
    """One line as it is shown; `text` is untrusted still."""

    offset: int
    end: int
    text: str
    level: Level


class LogPage(Struct, frozen=True):
    """Wanted lines of one stretch of a log; between `start` and `end` there is no other."""

    rows: Sequence[Row] = ()
    start: int = 0
    end: int = 0
    size: int = 0
    """Bytes of the log when this was read."""

    @property
    def is_top(self) -> bool:
        """Whether nothing wanted stands before."""
        return self.start <= 0

    @property
    def is_end(self) -> bool:
        """Whether nothing wanted stands after."""
        return self.end >= self.size

    def place_of(self, offset: int) -> int:
        """The row that holds a byte, or the last one before it."""
        before = sum(row.offset <= offset for row in self.rows)
        return max(before - 1, 0)


def page_around(source: Bytes, offset: int, wanted: Wanted, tell: Telling) -> LogPage:
    """The stretch around a byte; at the end of the log where that is beyond it."""
    middle = line_start(source, offset) if offset < source.size else source.size
    nothing = LogPage((), middle, middle, source.size)
    before = extended_before(source, nothing, wanted, tell)
    return extended_after(source, before, wanted, tell)


def extended_before(source: Bytes, page: LogPage, wanted: Wanted, tell: Telling) -> LogPage:
    """The page with more lines in front of it."""
    found = [_row(line) for line in islice(found_before(source, page.start, wanted, tell), AHEAD)]
    start = found[-1].offset if len(found) == AHEAD else 0
    rows = [*reversed(found), *page.rows]
    if len(rows) > MOST:
        rows = rows[:MOST]
        return LogPage(rows, start, rows[-1].end, source.size)
    return LogPage(rows, start, page.end, source.size)


def extended_after(source: Bytes, page: LogPage, wanted: Wanted, tell: Telling) -> LogPage:
    """The page with more lines behind it; a last line that has grown since is read again."""
    rows, place = list(page.rows), page.end
    if rows and rows[-1].end == place and place and source.read(place - 1, 1) != b"\n":
        place = rows.pop().offset
    found = [_row(line) for line in islice(found_after(source, place, wanted, tell), AHEAD)]
    end = found[-1].end if len(found) == AHEAD else max(source.size, place)
    rows += found
    if len(rows) > MOST:
        rows = rows[-MOST:]
        return LogPage(rows, rows[0].offset, end, source.size)
    return LogPage(rows, page.start, end, source.size)


def next_match(source: Bytes, offset: int, wanted: Wanted, forward: bool, tell: Telling) -> int | None:
    """Where the next wanted line begins, after the one at a byte or before it; None where there is none."""
    found: Iterator[LogLine]
    if forward:
        found = (line for line in found_after(source, line_start(source, offset), wanted, tell) if line.offset > offset)
    else:
        found = found_before(source, line_start(source, offset), wanted, tell)
    line = next(found, None)
    return None if line is None else line.offset


def _row(line: LogLine) -> Row:
    text = line.text
    return Row(line.offset, line.end, text, level_of(text))
