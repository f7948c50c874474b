"""A table read record by record: headers that change, quoted cells over several lines, comments, refused lines."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from workbench.readers.attributes import MAX_ATTRIBUTE_TEXT, Text
from workbench.readers.csv.blocks import BLOCK, Kinds, read_block
from workbench.readers.csv.header import (
    BLANKS,
    DECIMAL_COMMAS,
    MISSING,
    Header,
    cell_number,
    cells_of,
    guess_header,
    section_header,
)
from workbench.readers.keys import number, roles_of
from workbench.readers.lines import Lines, decode
from workbench.readers.rows import Rows

MAX_RECORD = 1024 * 1024
"""Bytes of a quoted record; a quote that stays open for longer is taken for a stray one."""
csv.field_size_limit(MAX_RECORD)  # for the whole process: a field may be as long as a record
_NOT_UTF8 = "bytes that are not UTF-8 are shown as U+FFFD"
_RULE = re.compile(r"[-=+|:\s]+")
"""The line between the head and the body of a printed table."""


class Table:
    """One chunk of a table being read; the header in force changes where a resumed run writes another."""

    def __init__(self, rows: Rows, lines: Lines, state: Mapping[str, Any]) -> None:
        self.rows, self.lines = rows, lines
        self.header = Header.load(state)
        self.held: int | None = None
        """Byte offset in the chunk of a record whose closing quote has not come yet."""
        self._comment = str(state.get("comment", ""))
        self._kinds = Kinds()

    def state(self) -> dict[str, Any]:
        """What the next chunk must know."""
        if self.header is not None:
            return self.header.dump()
        return {"comment": self._comment} if self._comment else {}

    def read(self, *, final: bool) -> int:
        """Read all complete records; returns how many bytes of the chunk they are."""
        i, n = 0, len(self.lines)
        while i < n:
            last = min(i + (BLOCK if self.header else 1), n)
            if self.header and read_block(self.rows, self.lines, i, last, self.header, self._kinds):
                i = last
                continue
            while i < last:
                used = self._record(i, final=final)
                if used == 0:
                    self.held = int(self.lines.places[i])
                    return self.held
                i += used
        return self.lines.consumed

    def _record(self, i: int, *, final: bool) -> int:
        """Read the record that begins on line i; returns its lines, 0 when its end is not here yet."""
        raw = self.lines.raw(i)
        if not raw.strip():
            self.rows.accept()
            return 1
        if b"\0" in raw:
            return self._refuse(i, "E122 NUL bytes within the line")
        text, replaced = decode(raw)
        if replaced:
            self.rows.note(_NOT_UTF8)
        if self.header is None:
            return self._head(text, i, final=final)
        if text.lstrip().startswith("#"):
            return self._remark(text)
        if '"' not in text:
            if self.header.delimiter in (BLANKS, "|") and _RULE.fullmatch(text) and "-" in text:
                self.rows.accept()
            else:
                self._take(cells_of(text, self.header.delimiter), i, 1)
            return 1
        return self._quoted(i, final=final)

    # Headers --------------------------------------------------------------------------------------------------

    def _head(self, text: str, i: int, *, final: bool) -> int:
        """The first line that is no comment names the columns; where it has numbers, the comment before it does."""
        if text.lstrip().startswith("#"):
            header = guess_header(text.strip().lstrip("# "))
            roles = roles_of(header.columns)
            if not (roles.steps or roles.epoch) or any(number(name) is not None for name in header.columns):
                self._comment = text.strip().lstrip("# ")
                self.rows.accept()
                return 1
            text = text.strip().lstrip("# ")
        elif self._comment and (named := commented_header(self._comment, text)):
            self._begin(named, 0)
            self.rows.line -= 1
            return self._record(i, final=final)
        header = guess_header(text)
        if '"' in text:
            cells, used, reason = csv_record(self.lines, i, header.delimiter, final=final)
            if cells is None:
                return self._refuse(i, "E172 a header whose quote is never closed") if reason else 0
            self._begin(Header.of(cells, header.delimiter), used)
            return used
        self._begin(header, 1)
        return 1

    def _begin(self, header: Header, used: int) -> None:
        """Put a header in force; its lines are no rows."""
        self.header, self._kinds = header, Kinds()
        self.rows.accept(used)
        self.rows.line -= used
        for remark in header.remarks:
            self.rows.note(remark)

    def _remark(self, text: str) -> int:
        """A comment between rows, which may be the header of a run that was taken up again."""
        assert self.header is not None
        cells = cells_of(text.strip().lstrip("# "), self.header.delimiter)
        header = section_header([cell.strip() for cell in cells], self.header)
        if header is not None:
            self._begin(header, 1)
        else:
            self.rows.accept()
        return 1

    # Rows -----------------------------------------------------------------------------------------------------

    def _quoted(self, i: int, *, final: bool) -> int:
        assert self.header is not None
        cells, used, reason = csv_record(self.lines, i, self.header.delimiter, final=final)
        if cells is not None:
            self._take(cells, i, used)
            return used
        return self._refuse(i, reason) if used else 0

    def _refuse(self, i: int, reason: str) -> int:
        self.rows.refuse(int(self.lines.places[i]), self.lines.raw(i), reason)
        return 1

    def _take(self, cells: list[str], i: int, used: int) -> None:
        """One record: a row, a new header, or a reject for each of its lines."""
        assert self.header is not None
        cells = [cell.strip() for cell in cells]
        if again := section_header(cells, self.header):
            self._begin(again, used)
            return
        width = self.header.width
        if len(cells) != width and not (len(cells) > width and not any(cells[width:])):
            reason = f"E171 {len(cells)} fields where the header has {width}"
        else:
            numbers, texts = self._values(cells)
            reason = self.rows.row(int(self.lines.places[i]), numbers, texts)
        if not reason:
            self.rows.accept(used)
            return
        for line in range(i, i + used):
            self._refuse(line, reason)

    def _values(self, cells: Sequence[str]) -> tuple[dict[str, float | int], dict[str, Text]]:
        assert self.header is not None
        delimiter = self.header.delimiter
        numbers: dict[str, float | int] = {}
        texts: dict[str, Text] = {}
        for name, cell in zip(self.header.fields, cells, strict=False):
            if name is None or cell in MISSING:
                continue
            value = None if name in self.rows.attributes.words else cell_number(cell, delimiter)
            if value is not None:
                numbers[name] = value
                if delimiter != "," and "," in cell:
                    self.rows.note(DECIMAL_COMMAS)
            elif len(cell) <= MAX_ATTRIBUTE_TEXT:
                self.rows.number_of(name, cell)
                texts[name] = cell
                self._kinds.texts.add(name)
        return numbers, texts


def commented_header(comment: str, first: str) -> Header | None:
    """The header that a comment is where the first line below it holds nothing but as many numbers."""
    header = guess_header(comment)
    cells = [cell.strip() for cell in cells_of(first, header.delimiter)]
    numbers = all(cell in MISSING or cell_number(cell, header.delimiter) is not None for cell in cells)
    return header if numbers and len(cells) == header.width > 1 else None


def csv_record(lines: Lines, i: int, delimiter: str, *, final: bool) -> tuple[list[str] | None, int, str]:
    """The cells of the quoted record that begins on line i and the lines it takes.

    (None, 0, "") when it is not complete yet; (None, 1, reason) when its quoting is broken.
    """
    ran_out = too_long = False

    def feed() -> Iterator[str]:
        nonlocal ran_out, too_long
        for j in range(i, len(lines)):
            if lines.ends[j] - lines.starts[i] > MAX_RECORD:
                too_long = True
                return
            yield decode(lines.raw(j))[0] + "\n"
        ran_out = True

    parser = csv.reader(feed(), delimiter=delimiter, skipinitialspace=delimiter == BLANKS)
    try:
        cells = next(parser)
    except (csv.Error, StopIteration) as error:
        return None, 1, f"E172 broken quoting: {error or 'record longer than 1 MiB'}"
    if too_long:
        return None, 1, "E172 a quote that is not closed within 1 MiB"
    if ran_out:
        return (None, 1, "E101 the file ends within a quoted field") if final else (None, 0, "")
    return cells, parser.line_num, ""
