"""CSV, TSV and semicolon tables with a step or an epoch: Lightning, Keras, Ultralytics, and hand-made ones."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from typing import ClassVar

from workbench.plugin.api import NO, Batch, Chunk, Claim, Head, Reader
from workbench.readers.csv_blocks import BLOCK, Kinds, read_block
from workbench.readers.csv_header import MISSING, Header, guess_header, section_header
from workbench.readers.keys import claimed_axis, number, production_columns, roles_of, view_of_folder
from workbench.readers.lines import UTF16_BOMS, UTF16_REASON, Lines, decode, is_utf16, split
from workbench.readers.params import PARAM_FILES
from workbench.readers.rows import MAX_ATTRIBUTE_TEXT, Rows, Text

MAX_RECORD = 1024 * 1024
"""Bytes of a quoted record; a quote that stays open for longer is taken for a stray one."""
_NOT_UTF8 = "bytes that are not UTF-8 are shown as U+FFFD"


class DelimitedReader(Reader):
    """Reads tables whose first line names the columns: numbers are points, texts are attributes of the run."""

    name: ClassVar[str] = "csv"
    names: ClassVar[Sequence[str]] = ("*.csv", "*.tsv", "*.tab", "*.log", "*.txt")

    def claim(self, head: Head) -> Claim:
        """Bid by the header: it needs a step, an epoch, or a file of parameters beside it."""
        if head.data.startswith(UTF16_BOMS) or b"\0" in head.data:
            return NO
        lines = split(Chunk(head.path, head.data, 0, {}, final=head.size <= len(head.data)))
        table = [raw for i in range(min(len(lines), 50)) if (raw := lines.raw(i).strip(b" ")) and raw[:1] != b"#"]
        header = guess_header(decode(table[0])[0]) if table else None
        if header is None or not _is_table(header, table[1:]):
            return NO
        if found := production_columns(header.columns):
            return Claim(0.0, f"rows of a model in production ({', '.join(found[:3])}): give it a [monitor]")
        own = not view_of_folder(head.name)
        if axis := claimed_axis(header.columns):
            return Claim(0.8 if own else 0.9, f"a table with a column {axis}", per_file_run=own)
        beside = next((name for name in (*PARAM_FILES, ".hydra") if name in head.siblings), None)
        if beside and len(table) > 1:
            return Claim(0.5, f"a table beside {beside}", per_file_run=own)
        return NO

    def read(self, chunk: Chunk) -> Batch:
        """Blocks of plain lines at once, all others record by record; every line is accepted or refused."""
        rows, lines = Rows(chunk.state, chunk.start), split(chunk)
        if is_utf16(chunk):
            for i in range(len(lines)):
                rows.refuse(int(lines.starts[i]), lines.raw(i), UTF16_REASON)
            return rows.batch(lines.consumed, {"utf16": True})
        header = Header.load(chunk.state)
        table = _Table(rows, lines, header)
        consumed = table.read(final=chunk.final)
        return rows.batch(consumed, table.header.dump() if table.header else {})


def _is_table(header: Header, others: Sequence[bytes]) -> bool:
    """Whether the lines after the header have its fields and numbers: prose and text logs have commas too."""
    if len(header.columns) < 2 or any(number(name) is not None for name in header.columns):
        return False
    rows = [decode(line)[0].split(header.delimiter) for line in others if b'"' not in line][:3]
    even = [row for row in rows if len(row) == header.width]
    return not rows or any(number(cell) is not None for row in even for cell in row)


class _Table:
    """One chunk of a table being read; the header in force changes where a resumed run writes another."""

    def __init__(self, rows: Rows, lines: Lines, header: Header | None) -> None:
        self.rows, self.lines, self.header = rows, lines, header
        self.kinds = Kinds()

    def read(self, *, final: bool) -> int:
        """Read all complete records; returns how many bytes they are."""
        i, n = 0, len(self.lines)
        while i < n:
            last = min(i + (BLOCK if self.header else 1), n)
            if self.header and read_block(self.rows, self.lines, i, last, self.header, self.kinds):
                i = last
                continue
            while i < last:
                used = self._record(i, final=final)
                if used == 0:
                    return int(self.lines.starts[i])
                i += used
        return self.lines.consumed

    def _record(self, i: int, *, final: bool) -> int:
        """Read the record that begins on line i; returns its lines, 0 when its end is not here yet."""
        raw, offset = self.lines.raw(i), int(self.lines.starts[i])
        if not raw.strip():
            self.rows.accept()
            return 1
        if b"\0" in raw:
            self.rows.refuse(offset, raw, "E122 NUL bytes within the line")
            return 1
        text, replaced = decode(raw)
        if replaced:
            self.rows.note(_NOT_UTF8)
        if self.header is None:
            return self._head(text, i, final=final)
        if '"' not in text:
            self._take(text.split(self.header.delimiter), i, 1)
            return 1
        return self._quoted(i, final=final)

    def _head(self, text: str, i: int, *, final: bool) -> int:
        """The first line that is no comment names the columns."""
        if text.lstrip().startswith("#") and not roles_of(_names(text)).steps:
            self.rows.accept()
            return 1
        header = guess_header(text.lstrip("# "))
        if '"' in text:
            cells, used, _ = _csv_record(self.lines, i, header.delimiter, final=final)
            if cells is None:
                return self._stray(i) if used else 0
            self._begin(Header.of(cells, header.delimiter), used)
            return used
        self._begin(header, 1)
        return 1

    def _begin(self, header: Header, used: int) -> None:
        """Put a header in force; its lines are no rows."""
        self.header, self.kinds = header, Kinds()
        self.rows.accept(used)
        self.rows.line -= used
        for remark in header.remarks:
            self.rows.note(remark)

    def _quoted(self, i: int, *, final: bool) -> int:
        assert self.header is not None
        cells, used, reason = _csv_record(self.lines, i, self.header.delimiter, final=final)
        if cells is not None:
            self._take(cells, i, used)
            return used
        if not used:
            return 0
        self.rows.refuse(int(self.lines.starts[i]), self.lines.raw(i), reason)
        return 1

    def _stray(self, i: int) -> int:
        self.rows.refuse(int(self.lines.starts[i]), self.lines.raw(i), "E172 a header whose quote is never closed")
        return 1

    def _take(self, cells: list[str], i: int, used: int) -> None:
        """One record: a row, a new header, or a reject for each of its lines."""
        assert self.header is not None
        cells = [cell.strip() for cell in cells]
        reason = ""
        if again := section_header(cells, self.header):
            self._begin(again, used)
            return
        if len(cells) != self.header.width and not (
            len(cells) > self.header.width and not any(cells[self.header.width :])
        ):
            reason = f"E171 {len(cells)} fields where the header has {self.header.width}"
        else:
            numbers, texts = self._values(cells)
            reason = self.rows.row(int(self.lines.starts[i]), numbers, texts)
        if not reason:
            self.rows.accept(used)
            return
        for line in range(i, i + used):
            self.rows.refuse(int(self.lines.starts[line]), self.lines.raw(line), reason)

    def _values(self, cells: Sequence[str]) -> tuple[dict[str, float | int], dict[str, Text]]:
        assert self.header is not None
        numbers: dict[str, float | int] = {}
        texts: dict[str, Text] = {}
        for name, cell in zip(self.header.fields, cells, strict=False):
            if name is None or cell in MISSING:
                continue
            value = number(cell)
            if value is not None:
                numbers[name] = value
            elif len(cell) <= MAX_ATTRIBUTE_TEXT:
                texts[name] = cell
                self.kinds.texts.add(name)
        return numbers, texts


def _names(text: str) -> list[str]:
    return list(guess_header(text.lstrip("# ")).columns)


def _csv_record(lines: Lines, i: int, delimiter: str, *, final: bool) -> tuple[list[str] | None, int, str]:
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

    parser = csv.reader(feed(), delimiter=delimiter)
    try:
        cells = next(parser)
    except (csv.Error, StopIteration) as error:
        return None, 1, f"E172 broken quoting: {error or 'record longer than 1 MiB'}"
    if too_long:
        return None, 1, "E172 a quote that is not closed within 1 MiB"
    if ran_out:
        return (None, 1, "E101 the file ends within a quoted field") if final else (None, 0, "")
    return cells, parser.line_num, ""
