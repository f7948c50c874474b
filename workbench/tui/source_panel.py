"""One source: how far it has been read, and every line of it that was refused, with its reason and byte offset."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from workbench.core.model import Source
from workbench.core.query import Query
from workbench.plugin.api import Block, Cell, Column, Columns, Empty, Fit, Focus, Note, Panel, Stack, Stat, Table

MOST = 500
"""Refused lines shown; a file that is no log at all would have millions."""
_REFUSED = """
SELECT byte_offset, length, reason, excerpt FROM reject
WHERE lower(hex(source_id)) = ? ORDER BY generation DESC, byte_offset LIMIT ?"""


class Refused(Struct, frozen=True):
    """A line that was not accepted: where, how long, why, and how it begins."""

    offset: int
    length: int
    reason: str
    excerpt: str


class SourceData(Struct, frozen=True):
    """A source, None where it is gone, with the first of its refused lines."""

    source: Source | None = None
    refused: Sequence[Refused] = ()


class SourcePanel(Panel):
    """The source whose id is the option `source`; opened from the list of sources."""

    name = "source"
    title = "Source"
    in_report = False

    def load(self, query: Query, focus: Focus) -> SourceData:
        """The source, and its refused lines where it has some."""
        wanted = focus.options.get("source")
        source = next((each for each in query.sources() if each.id == wanted), None)
        if source is None or not source.rejected:
            return SourceData(source)
        found = query.sql(_REFUSED, [source.id, MOST])
        refused = [Refused(int(at), int(size), str(why), _text(line)) for at, size, why, line in found.rows]
        return SourceData(source, refused)

    def view(self, data: SourceData, fit: Fit) -> Block:
        """Figures of the source, then a line for each that was refused."""
        source = data.source
        if source is None:
            return Empty("This source is gone", "[[app.back]] goes back to those that are read.")
        figures = Columns(
            [
                Stat("size", source.bytes, "bytes"),
                Stat("read up to", source.offset, "bytes"),
                Stat("accepted", source.accepted, "count"),
                Stat("rejected", source.rejected, "count", tone="warn" if source.rejected else "good"),
            ]
        )
        said = " · ".join(filter(None, (source.format, source.status, source.message)))
        blocks: list[Block] = [figures, Note(said, "dim")]
        if data.refused:
            blocks.append(_table(data.refused))
        elif not source.rejected:
            blocks.append(Note("Every line of it was accepted.", "good"))
        if source.rejected > len(data.refused) > 0:
            blocks.append(Note(f"{source.rejected - len(data.refused):,} more are not shown.", "dim"))
        return Stack(blocks, source.path)


def _table(refused: Sequence[Refused]) -> Table:
    columns = [
        Column("byte_offset", "at byte", align="right", priority=0),
        Column("length", "bytes", align="right", priority=2),
        Column("reason", "why it was refused", priority=0),
        Column("excerpt", "the line", priority=1),
    ]
    rows = [
        [_number(each.offset), _number(each.length), Cell(each.reason), Cell(each.excerpt, "dim")] for each in refused
    ]
    return Table(columns, rows, "Refused")


def _number(value: int) -> Cell:
    return Cell(value, text=f"{value:,}")


def _text(line: object) -> str:
    """How a line begins, as text."""
    if isinstance(line, bytes | bytearray):
        return line[:400].decode("utf-8", "replace").rstrip("\r\n")
    return str(line)
