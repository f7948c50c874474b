"""Blocks as text for a terminal or a log: rows of spans first, then plain characters or ANSI colours."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, tzinfo
from itertools import groupby

from workbench.core.blocks import Bars, Block, Columns, Empty, Heat, Lines, Note, Scatter, Stack, Stat, Table, Tone
from workbench.core.palette import ASCII_GLYPHS, GLYPHS
from workbench.core.query import Fit
from workbench.core.series import sparkline
from workbench.core.text import cut, fit, plain, width, wrap
from workbench.render.bars import bars_rows
from workbench.render.cells import stat_words
from workbench.render.heat import heat_rows
from workbench.render.spans import Row, Span, ascii_only, beside, crop, row, to_ansi, to_plain
from workbench.render.table import table_rows

_GAP = 3
_NARROWEST = 34
_STAT_WIDTH = 18


def render_text(block: Block, room: Fit, color: bool = False, zone: tzinfo | None = UTC) -> str:
    """A block as text at most `room.columns` wide, coloured by ANSI sequences if asked; ends with a line end."""
    return write(block_rows(block, room, zone), room, color)


def write(rows: Sequence[Row], room: Fit, color: bool) -> str:
    """Rows as characters, with ANSI colours where they are wanted and the room has them."""
    rows = rows if room.unicode else ascii_only(rows)
    return to_ansi(rows, room.colors) if color and room.colors >= 8 else to_plain(rows)


def block_rows(block: Block, room: Fit, zone: tzinfo | None = UTC) -> list[Row]:
    """A block as rows of spans at most `room.columns` wide; every text in them is plain."""
    return [crop(line, room.columns) for line in _rows(block, room, zone)]


def _rows(block: Block, room: Fit, zone: tzinfo | None) -> list[Row]:
    match block:
        case Table():
            return table_rows(block, room)
        case Lines():
            return _lines(block, room, zone)
        case Scatter():
            return _scatter(block, room, zone)
        case Bars():
            return bars_rows(block, room)
        case Heat():
            return heat_rows(block, room)
        case Stat():
            return _stats([block], room)
        case Note():
            return _note(block, room)
        case Empty():
            return [row(cut(plain(block.title), room.columns), bold=True), *_paragraph(block.hint, room, "dim")]
        case Stack():
            return _stack(block, room, zone)
        case Columns():
            return _columns(block, room, zone)


def _lines(chart: Lines, room: Fit, zone: tzinfo | None) -> list[Row]:
    rows = max(min(room.rows or 16, 24), 6)
    if room.unicode:
        from workbench.render.plot import line_rows

        return line_rows(chart, room.columns, rows, zone)
    from workbench.core.raster import draw
    from workbench.render.plot import ink

    frame = draw(chart, room.columns, rows, marker="ascii", zone=zone)
    drawn = [tuple(Span(text, ink(color)) for text, color in frame.runs(line)) for line in range(rows)]
    return [*drawn, *(row(cut(note, room.columns), "warn") for note in frame.notes)]


def _scatter(chart: Scatter, room: Fit, zone: tzinfo | None) -> list[Row]:
    from workbench.core.scatter import draw_scatter
    from workbench.render.plot import ink

    rows = max(min(room.rows or 18, 24), 8)
    frame = draw_scatter(chart, room.columns, rows, ascii_only=not room.unicode, zone=zone)
    drawn = [tuple(Span(text, ink(color)) for text, color in frame.runs(line)) for line in range(rows)]
    return [*drawn, *(row(cut(note, room.columns), "warn") for note in frame.notes)]


def _stats(stats: Sequence[Stat], room: Fit) -> list[Row]:
    """Figures below each other: label, value, change, sparkline, each aligned."""
    labels = [cut(plain(stat.label), max(room.columns // 2, 8)) for stat in stats]
    words = [stat_words(stat) for stat in stats]
    values = [cut(plain(value), max(room.columns // 2, 8)) for value, _ in words]
    label_size, value_size = max(map(width, labels)), max(map(width, values))
    change_size = max(width(change) for _, change in words)
    lines: list[Row] = []
    for stat, label, value, (_, change) in zip(stats, labels, values, words, strict=True):
        mark = _glyph(stat.tone, room)
        spans = [Span(fit(label, label_size) + "  ", "dim"), Span(fit(value, value_size, "right"), bold=True)]
        if change_size:
            spans.append(Span("  " + fit(change, change_size), stat.tone or "dim"))
        if mark and not change:
            spans.append(Span(f" {mark}", stat.tone))
        if len(stat.spark):
            spans.append(Span("  " + sparkline(stat.spark, 24, ascii_only=not room.unicode), "accent"))
        lines.append(crop(tuple(spans), room.columns))
    return lines


def _card(stat: Stat, room: Fit) -> list[Row]:
    """A figure on its own, as in a row of figures: label, value, change."""
    value, change = stat_words(stat)
    mark = _glyph(stat.tone, room) if not change else ""
    lines = [row(cut(plain(stat.label), room.columns), "dim")]
    lines.append(crop((Span(plain(value), bold=True), Span(f" {mark}" if mark else "", stat.tone)), room.columns))
    if change:
        lines.append(row(cut(change, room.columns), stat.tone or "dim"))
    if len(stat.spark):
        lines.append(row(sparkline(stat.spark, room.columns - 2, ascii_only=not room.unicode), "accent"))
    return lines


def _glyph(tone: Tone, room: Fit) -> str:
    return (GLYPHS if room.unicode else ASCII_GLYPHS)[tone]


def _note(note: Note, room: Fit) -> list[Row]:
    mark = _glyph(note.tone, room)
    if not mark:
        return _paragraph(note.text, room, note.tone)
    lines = wrap(plain(note.text, multiline=True), room.columns - 2)
    return [
        (Span(f"{mark} " if index == 0 else "  ", note.tone, bold=True), Span(line, note.tone))
        for index, line in enumerate(lines)
    ]


def _paragraph(text: str, room: Fit, tone: Tone) -> list[Row]:
    return [row(line, tone) for line in wrap(plain(text, multiline=True), room.columns)] if text else []


def _stack(stack: Stack, room: Fit, zone: tzinfo | None) -> list[Row]:
    lines: list[Row] = [row(cut(plain(stack.title), room.columns), bold=True)] if stack.title else []
    parts: list[list[Row]] = []
    inner = Fit(room.columns, 0, room.colors, room.unicode)
    for are_stats, group in groupby(stack.blocks, key=lambda block: isinstance(block, Stat)):
        if are_stats:
            parts.append(_stats([block for block in group if isinstance(block, Stat)], inner))
        else:
            parts.extend(block_rows(block, inner, zone) for block in group)
    for index, part in enumerate(parts):
        lines.extend([(), *part] if index else part)
    return lines


def _columns(block: Columns, room: Fit, zone: tzinfo | None) -> list[Row]:
    """Blocks side by side by weight; below each other where one would become too narrow."""
    parts = list(block.blocks)
    if not parts:
        return []
    if all(isinstance(part, Stat) for part in parts):
        return _cards([part for part in parts if isinstance(part, Stat)], room)
    weights = [*block.weights, *[1] * len(parts)][: len(parts)]
    space = room.columns - _GAP * (len(parts) - 1)
    widths = [space * weight // max(sum(weights), 1) for weight in weights]
    if min(widths) < _NARROWEST:
        return _stack(Stack(parts), room, zone)
    rooms = [Fit(size, room.rows, room.colors, room.unicode) for size in widths]
    drawn = [block_rows(part, inner, zone) for part, inner in zip(parts, rooms, strict=True)]
    return beside(drawn, widths, _GAP)


def _cards(stats: Sequence[Stat], room: Fit) -> list[Row]:
    """Figures side by side, in as many lines of them as needed."""
    abreast = max(1, min(len(stats), (room.columns + _GAP) // (_STAT_WIDTH + _GAP)))
    size = min((room.columns + _GAP) // abreast - _GAP, 36)
    inner = Fit(size, 0, room.colors, room.unicode)
    lines: list[Row] = []
    for start in range(0, len(stats), abreast):
        group = [_card(stat, inner) for stat in stats[start : start + abreast]]
        drawn = beside(group, [size] * len(group), _GAP)
        lines.extend([(), *drawn] if lines else drawn)
    return lines
