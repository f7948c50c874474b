"""Tables as lines: columns get the width their content wants, the least wanted go when there is no room."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace
from rich.segment import Segment
from rich.style import Style

from workbench.core import text
from workbench.core.blocks import Cell, Column, Table
from workbench.tui.cells import cell_segments, cell_width, header_segments
from workbench.tui.drawing import Drawing, Room, Target, title

GAP = 2
SPARK = 12
MEASURED = 200
"""Rows looked at to measure a column."""


def table(block: Table, room: Room) -> Drawing:
    """A table with its title and header; rows that have an id can be selected."""
    columns, kept = fit_columns(block, room.width - 1)
    strips = title(block.title, room)
    strips.append(room.line(_header(columns, room)))
    targets = []
    for place, row in enumerate(block.rows):
        if place < len(block.ids) and block.ids[place]:
            targets.append(Target(len(strips), 0, room.width, block.ids[place]))
        strips.append(room.line(_row([row[index] for index in kept], columns, room)))
    if not block.rows:
        strips.append(room.text(" none", room.look.dim))
    return Drawing(strips, targets)


def fit_columns(block: Table, width: int) -> tuple[Sequence[Column], Sequence[int]]:
    """The columns that fit, each with its width, and their places in a row."""
    wanted = [_wanted(block, index) for index in range(len(block.columns))]
    kept = list(range(len(block.columns)))
    while len(kept) > 1 and _least(block, kept, wanted) > width:
        last = max(kept, key=lambda index: (block.columns[index].priority, index))
        if block.columns[last].priority == 0:
            break
        kept.remove(last)
    widths = _shrink([wanted[index] for index in kept], width - GAP * (len(kept) - 1))
    return [replace(block.columns[index], width=w) for index, w in zip(kept, widths, strict=True)], kept


def _wanted(block: Table, index: int) -> int:
    column = block.columns[index]
    head = text.width(text.plain(column.title or column.key, limit=80))
    cells = [row[index] for row in block.rows[:MEASURED]]
    content = max((_measure(cell, column) for cell in cells), default=0)
    return max(head, content, 1) if column.width is None else max(column.width, min(head, column.width))


def _measure(cell: Cell, column: Column) -> int:
    return SPARK if cell.spark and not cell.text else cell_width(cell, column.unit)


def _least(block: Table, kept: Sequence[int], wanted: Sequence[int]) -> int:
    """Columns the table takes when wide texts are cut to something still readable."""
    shortest = [min(wanted[index], 16 if block.columns[index].align == "left" else wanted[index]) for index in kept]
    return sum(shortest) + GAP * (len(kept) - 1)


def _shrink(widths: list[int], room: int) -> list[int]:
    """Take from the widest until all fit."""
    while sum(widths) > room and max(widths) > 3:
        widest = max(range(len(widths)), key=widths.__getitem__)
        widths[widest] -= 1
    return widths


def _header(columns: Sequence[Column], room: Room) -> list[Segment]:
    segments = [Segment(" ", room.look.header)]
    for column in columns:
        segments += [*header_segments(column, column.width or 1, "", room.look), Segment(" " * GAP, room.look.header)]
    return segments


def _row(cells: Sequence[Cell], columns: Sequence[Column], room: Room) -> list[Segment]:
    segments = [Segment(" ", room.look.base)]
    for cell, column in zip(cells, columns, strict=True):
        segments += cell_segments(cell, column, column.width or 1, room.look, Style.null())
        segments.append(Segment(" " * GAP, room.look.base))
    return segments
