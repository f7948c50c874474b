"""Tables with a step or an epoch, parted by whatever mark: Lightning, Keras, Ultralytics, timm, and hand-made ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from msgspec.structs import replace

from workbench.plugin.api import Batch, Chunk, Claim, Head, Reader
from workbench.readers.csv.header import BLANKS, Header, cell_number, cells_of, guess_header
from workbench.readers.csv.reader import Table, commented_header
from workbench.readers.keys import claimed_axis, metric_like, number, production_columns, roles_of, view_of_folder
from workbench.readers.lines import decode, head_bytes, split
from workbench.readers.params import PARAM_FILES
from workbench.readers.rows import Rows

_LOOKED_AT = 50


class DelimitedReader(Reader):
    """Reads tables whose first line names the columns: numbers are points, texts are attributes of the run."""

    name: ClassVar[str] = "csv"
    version: ClassVar[int] = 2
    names: ClassVar[Sequence[str]] = ("*.csv", "*.tsv", "*.tab", "*.psv", "*.log", "*.txt", "*.dat")

    def claim(self, head: Head) -> Claim:
        """Bid by the header: it needs a step, an epoch, names of metrics, or a file of parameters beside it."""
        if b"\n" not in head.data:
            return Claim(0.0, "no complete line yet")
        header, others = _head_and_rows(head)
        if header is None or not _is_table(header, others):
            return Claim(0.0, "not a table: no header of names with rows of as many numbers below it")
        if found := production_columns(header.columns):
            why = f"rows of a model in production ({', '.join(found[:3])}): give it a [monitor]"
            return Claim(0.0, why, nearly=True)
        own = not view_of_folder(head.name)
        if axis := claimed_axis(header.columns):
            return Claim(0.8 if own else 0.9, f"a table with a column {axis}", per_file_run=own)
        beside = next((name for name in (*PARAM_FILES, ".hydra") if name in head.siblings), None)
        if not others:
            return Claim(0.0, "a header without step, epoch or time, and no row yet")
        if metric := _metric_of(header, others):
            return Claim(0.55, f"a table of {metric}", per_file_run=own)
        if beside:
            return Claim(0.5, f"a table beside {beside}", per_file_run=own)
        return Claim(0.0, "a table without step, epoch or time, mostly of other things than usual metrics")

    def read(self, chunk: Chunk) -> Batch:
        """Blocks of plain lines at once, all others record by record; every line is accepted or refused."""
        rows, lines = Rows(chunk.state, chunk.start), split(chunk, utf16=True)
        if lines.torn:
            return Batch(restart=True, message="a character was cut in half; read again")
        table = Table(rows, lines, chunk.state)
        consumed = table.read(final=chunk.final)
        batch = rows.batch(consumed, {**table.state(), **lines.state()})
        if table.held is None:
            return batch
        where = (
            f"an unfinished quoted field holds back what follows byte {chunk.start + table.held}, at most 1 MiB of it"
        )
        return replace(batch, message=f"{where}; {batch.message}" if batch.message else where)


def _head_and_rows(head: Head) -> tuple[Header | None, list[str]]:
    """The header of the first lines of a file, and the lines below it; comments are left out."""
    data = head_bytes(head)
    if b"\0" in data:
        return None, []
    lines = [text for raw in data.split(b"\n")[:_LOOKED_AT] if (text := decode(raw)[0].strip("\r "))]
    comment = ""
    for i, line in enumerate(lines):
        if line.startswith("#"):
            comment = line.lstrip("# ")
            continue
        rows = [text for text in lines[i + 1 :] if not text.startswith("#")]
        header = commented_header(comment, line) if comment else None
        return (header, [line, *rows]) if header else (guess_header(line), rows)
    return None, []


def _is_table(header: Header, others: Sequence[str]) -> bool:
    """Whether the lines after the header have its fields and numbers: prose and text logs have commas too."""
    if len(header.columns) < 2 or any(number(name) is not None for name in header.columns):
        return False
    rows = [cells_of(line, header.delimiter) for line in others if '"' not in line][:3]
    even = [row for row in rows if len(row) == header.width]
    if header.delimiter == BLANKS:
        least = 2 if len(rows) > 2 else 1  # a line or two of prose may fit by chance, so they must be all numbers
        return bool(rows) and len(even) == len(rows) and all(_numbers(row, header) * least >= len(row) for row in rows)
    return not rows or any(_numbers(row, header) for row in even)


def _numbers(row: Sequence[str], header: Header) -> int:
    return sum(cell_number(cell.strip(), header.delimiter) is not None for cell in row)


def _metric_of(header: Header, others: Sequence[str]) -> str:
    """A usual metric that the table without an axis is mostly made of, by its columns or by the names in its rows."""
    roles = roles_of(header.columns)
    if roles.naming is not None:
        rows = [cells_of(line, header.delimiter) for line in others]
        at = header.fields.index(roles.naming)
        named = [row[at].strip() for row in rows if len(row) == header.width]
    else:
        named = list(header.columns)
    metrics = [name for name in named if metric_like(name)]
    return metrics[0] if metrics and 2 * len(metrics) >= len(named) else ""
