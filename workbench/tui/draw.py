"""Blocks drawn as lines of a terminal: every block of a view becomes strips of one width."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from msgspec.structs import replace
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from workbench.core import text
from workbench.core.blocks import (
    Bars,
    Block,
    Cell,
    Columns,
    Empty,
    Heat,
    Lines,
    Note,
    Scatter,
    Stack,
    Stat,
    Table,
    Tone,
)
from workbench.tui.cells import cell_parts
from workbench.tui.draw_table import table
from workbench.tui.drawing import LOWEST_CHART, Drawing, Room, title

NARROWEST = {Stat: 16, Table: 40, Lines: 36, Scatter: 40, Bars: 30, Heat: 40}
"""Columns below which a block is put under its neighbour instead of beside it."""
WIDE_CHART = 72
"""Columns that a chart is given before another one is put beside it."""


def draw(block: Block, room: Room) -> Drawing:
    """Any block in the room it has."""
    match block:
        case Stack():
            return _stack(block, room)
        case Columns():
            return _columns(block, room)
        case Table():
            return table(block, room)
        case Lines() | Scatter() | Bars() | Heat():
            return _plot(block, room)
        case Stat():
            return Drawing([room.line(_stat_line(block, room))])
        case Note():
            return _note(block, room)
        case Empty():
            return _empty(block, room)


def _plot(block: Lines | Scatter | Bars | Heat, room: Room) -> Drawing:
    from workbench.tui import draw_plot  # numpy is not wanted before the first paint

    match block:
        case Lines():
            return draw_plot.lines(block, room)
        case Scatter():
            return draw_plot.scatter(block, room)
        case Bars():
            return draw_plot.bars(block, room)
        case Heat():
            return draw_plot.heat(block, room)


def _stack(block: Stack, room: Room) -> Drawing:
    """Blocks below each other; charts share the rows that the rest leaves."""
    heading = title(block.title, room)
    block = replace(block, blocks=_side_by_side(block.blocks, room))
    inner = replace(room, rows=0)
    growing = [place for place, part in enumerate(block.blocks) if _grows(part)]
    fixed = {place: draw(part, inner) for place, part in enumerate(block.blocks) if place not in growing}
    used = len(heading) + sum(len(part.strips) for part in fixed.values()) + max(0, len(block.blocks) - 1)
    least = max(LOWEST_CHART, room.rows * 2 // 5)
    share = max(least, (room.rows - used) // len(growing)) if growing and room.rows else 14
    parts = [fixed.get(place) or draw(part, replace(room, rows=share)) for place, part in enumerate(block.blocks)]
    close = [isinstance(part, Stat | Note) for part in block.blocks]
    strips: list[Strip] = [*heading]
    placed: list[Drawing] = []
    for place, part in enumerate(parts):
        if place and not (close[place] and close[place - 1]):
            strips.append(room.blank())
        placed.append(part.moved(0, len(strips)))
        strips += part.strips
    return _joined(strips, placed)


def _side_by_side(blocks: Sequence[Block], room: Room) -> Sequence[Block]:
    """The same blocks; of charts that follow one another as many beside each other as a wide terminal has room for."""
    across = max(room.width // WIDE_CHART, 1)
    placed: list[Block] = []
    for is_chart, run in groupby(blocks, key=lambda part: isinstance(part, Lines)):
        alike = list(run)
        if not is_chart or across == 1:
            placed += alike
        else:
            rows = [alike[at : at + across] for at in range(0, len(alike), across)]
            placed += [Columns(row) if len(row) > 1 else row[0] for row in rows]
    return placed


def _joined(strips: Sequence[Strip], parts: Sequence[Drawing]) -> Drawing:
    """Lines made of several drawings, with all that is in them."""
    targets = [target for part in parts for target in part.targets]
    return Drawing(strips, targets, [plot for part in parts for plot in part.plots])


def _grows(block: Block) -> bool:
    """Whether a block fills whatever height it is given."""
    if isinstance(block, Lines | Scatter):
        return True
    return isinstance(block, Columns | Stack) and any(_grows(part) for part in block.blocks)


def _columns(block: Columns, room: Room) -> Drawing:
    """Blocks side by side; figures as tiles, anything too narrow goes below instead."""
    if not block.blocks:
        return Drawing([])
    if all(isinstance(part, Stat) for part in block.blocks):
        return _tiles([part for part in block.blocks if isinstance(part, Stat)], room)
    gap = 2
    weights = list(block.weights) if len(block.weights) == len(block.blocks) else [1] * len(block.blocks)
    free = room.width - gap * (len(block.blocks) - 1)
    widths = [free * weight // max(1, sum(weights)) for weight in weights]
    if any(width < NARROWEST.get(type(part), 24) for width, part in zip(widths, block.blocks, strict=True)):
        return _stack(Stack(block.blocks), room)
    widths[-1] = free - sum(widths[:-1])
    parts = [draw(part, replace(room, width=width)) for part, width in zip(block.blocks, widths, strict=True)]
    return beside(parts, widths, gap, room)


def beside(parts: Sequence[Drawing], widths: Sequence[int], gap: int, room: Room) -> Drawing:
    """Drawings side by side, the lower ones filled with blank lines."""
    height = max(len(part.strips) for part in parts)
    space = Strip.blank(gap, room.look.base)
    strips = []
    for y in range(height):
        cut = [
            part.strips[y] if y < len(part.strips) else Strip.blank(width, room.look.base)
            for part, width in zip(parts, widths, strict=True)
        ]
        line = [piece for strip in cut for piece in (strip, space)][:-1]
        strips.append(Strip.join(line).adjust_cell_length(room.width, room.look.base))
    starts = [sum(widths[:place]) + gap * place for place in range(len(widths))]
    return _joined(strips, [part.moved(x, 0) for part, x in zip(parts, starts, strict=True)])


def _tiles(stats: Sequence[Stat], room: Room) -> Drawing:
    """Figures as tiles: as wide as they like in one row, else as many of equal width to a row as fit."""
    liked = [_tile_width(stat) for stat in stats]
    gap = 3 if sum(liked) + 3 * (len(stats) - 1) <= room.width else 2
    if sum(liked) + gap * (len(stats) - 1) <= room.width:
        tiles = [_tile(stat, replace(room, width=width)) for stat, width in zip(stats, liked, strict=True)]
        return beside(tiles, liked, gap, room)
    across = max(1, min(len(stats), (room.width + gap) // (max(liked) + gap)))
    width = (room.width - gap * (across - 1)) // across
    strips: list[Strip] = []
    for _, row in groupby(enumerate(stats), key=lambda pair: pair[0] // across):
        tiles = [_tile(stat, replace(room, width=width)) for _, stat in row]
        tiles += [Drawing([Strip.blank(width, room.look.base)])] * (across - len(tiles))
        strips += [*([room.blank()] if strips else []), *beside(tiles, [width] * across, gap, room).strips]
    return Drawing(strips)


def _tile_width(stat: Stat) -> int:
    """Columns that hold a tile's label and figure."""
    parts = cell_parts(Cell(stat.value, stat.tone, stat.delta), stat.unit)
    figure = sum(text.width(part) for part, _ in parts)
    return max(12, text.width(text.plain(stat.label, limit=60)), figure)


def _tile(stat: Stat, room: Room) -> Drawing:
    lines = [room.text(text.plain(stat.label), room.look.dim), room.line(_figure(stat, room))]
    if stat.spark:
        from workbench.core.series import sparkline

        lines.append(room.text(sparkline(stat.spark, min(room.width, 24)), room.look.spark))
    return Drawing(lines)


def _stat_line(stat: Stat, room: Room) -> list[Segment]:
    label = text.fit(text.plain(stat.label), min(22, room.width // 2))
    return [Segment(f"{label} ", room.look.dim), *_figure(stat, room)]


def _figure(stat: Stat, room: Room) -> list[Segment]:
    """The value in bold, and its change in colour; a tone without a change is the value's own."""
    bold = Style(bold=True)
    parts = cell_parts(Cell(stat.value, stat.tone, stat.delta), stat.unit)
    look = room.look
    value, *change = [Segment(part, look.tone(tone)) for part, tone in parts]
    return [Segment(value.text, (value.style or look.base) + bold), *change]


TONE_GLYPHS: dict[Tone, str] = {"good": "✓ ", "bad": "✗ ", "warn": "! ", "accent": "▸ ", "dim": "", "": ""}


def _note(note: Note, room: Room) -> Drawing:
    glyph = TONE_GLYPHS[note.tone]
    lines = text.wrap(text.plain(note.text, multiline=True), room.width - len(glyph))
    style = room.look.tone(note.tone)
    return Drawing(
        [room.text((glyph if not place else " " * len(glyph)) + line, style) for place, line in enumerate(lines)]
    )


def _empty(empty: Empty, room: Room) -> Drawing:
    """Title and hint in the middle of the room."""
    inner = min(room.width - 4, 76)
    hint = text.wrap(text.plain(empty.hint, multiline=True), inner) if empty.hint else []
    words = text.wrap(text.plain(empty.title), inner)
    block = max((text.width(line) for line in (*words, *hint)), default=0)
    left = " " * max(0, (room.width - block) // 2)
    lines = [room.line([Segment(left + line, room.look.strong)]) for line in words]
    lines += [room.blank()] * bool(hint) + [room.line([Segment(left + line, room.look.dim)]) for line in hint]
    above = max(1, (room.rows - len(lines)) // 3) if room.rows else 1
    return Drawing([room.blank()] * above + lines)
