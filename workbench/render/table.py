"""Tables as aligned text: columns are dropped by priority, decimal points stand below each other."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from workbench.core import units
from workbench.core.blocks import Cell, Column, Table, Tone
from workbench.core.palette import ASCII_GLYPHS, GLYPHS
from workbench.core.query import Fit
from workbench.core.series import sparkline
from workbench.core.text import fit as fit_text
from workbench.core.text import plain, width
from workbench.render.cells import cell_text, header, is_numeric
from workbench.render.spans import Row, Span, cells, crop, row

GAP = 2
WIDEST = 48
"""Cells a column of text takes at most while its table has others."""
_SPARK = 16
_NARROWEST = 6
_STUB = 20


class _Set(Struct):
    """One column, set: its parts as text, and how wide each part is."""

    column: Column
    title: str
    numeric: bool
    values: list[str]
    tones: list[Tone]
    deltas: list[str]
    glyphs: list[str]
    size: int = 0
    value_size: int = 0
    delta_size: int = 0
    glyph_size: int = 0

    def __post_init__(self) -> None:
        if any(
            tone and value[:1] and not value[0].isalnum() for tone, value in zip(self.tones, self.values, strict=True)
        ):
            self.glyphs = [""] * len(self.glyphs)  # the panel wrote its own: `● running`
        if self.numeric:
            self.values = _align_points(self.values)
        self.value_size = max(map(width, self.values), default=0)
        self.delta_size = max(map(width, self.deltas), default=0)
        self.glyph_size = max(map(width, self.glyphs), default=0)
        natural = self.value_size + sum(size + 1 for size in (self.delta_size, self.glyph_size) if size)
        self.size = max(natural, width(self.title))
        if self.column.width is not None:
            self.size = max(1, self.column.width)
        elif not self.numeric:
            self.size = min(self.size, max(WIDEST, width(self.title)))


def table_rows(table: Table, fit: Fit) -> list[Row]:
    """A table as rows of at most `fit.columns` cells; what had to go is said below it."""
    lines: list[Row] = [row(plain(table.title), bold=True)] if table.title else []
    room = fit.rows - len(lines) - 2 if fit.rows else 0
    shown = table.rows if not fit.rows or len(table.rows) <= room else table.rows[: max(room - 1, 1)]
    sets = [_set(index, column, shown, fit.unicode) for index, column in enumerate(table.columns)]
    kept, dropped = _keep(sets, fit.columns)
    _shrink(kept, fit.columns)
    lines.append(crop(_join([_head(one) for one in kept]), fit.columns))
    rule = "─" if fit.unicode else "-"
    lines.append(crop(_join([row(rule * one.size, "dim") for one in kept]), fit.columns))
    for index in range(len(shown)):
        lines.append(crop(_join([_body(one, index) for one in kept]), fit.columns))
    if not table.rows:
        lines.append(row("no rows", "dim"))
    left_out = [f"{len(table.rows) - len(shown):,} more rows"] if len(shown) < len(table.rows) else []
    left_out += [f"no room for: {', '.join(one.title for one in dropped)}"] if dropped else []
    if left_out:
        lines.append(crop(row(f"… {'; '.join(left_out)}", "dim"), fit.columns))
    return lines


def _set(index: int, column: Column, rows: Sequence[Sequence[Cell]], unicode: bool) -> _Set:
    blank = Cell(None, text=" ")
    found = [line[index] if index < len(line) else blank for line in rows]
    marks = GLYPHS if unicode else ASCII_GLYPHS
    return _Set(
        column,
        plain(header(column), limit=200),
        is_numeric(column, rows, index),
        [_words(cell, column, unicode) for cell in found],
        [cell.tone for cell in found],
        ["" if cell.delta is None else units.delta(cell.delta) for cell in found],
        [marks[cell.tone] for cell in found],
    )


def _words(cell: Cell, column: Column, unicode: bool) -> str:
    if len(cell.spark) and not cell.text:
        return sparkline(cell.spark, column.width or _SPARK, ascii_only=not unicode)
    return plain(cell_text(cell, column), limit=500)


def _align_points(values: list[str]) -> list[str]:
    """Pad numbers behind, so that their decimal points meet, unless that would cost much room."""
    tails = [len(value) - value.index(".") if "." in value else 0 for value in values]
    longest = max(tails, default=0)
    if longest > 6 or any(not set(value) <= set("0123456789,.-–") for value in values):
        return values
    return [value + " " * (longest - tail) for value, tail in zip(values, tails, strict=True)]


def _keep(sets: list[_Set], columns: int) -> tuple[list[_Set], list[_Set]]:
    """Columns that fit, and those dropped: high priority numbers first, of equals the rightmost."""
    kept = list(sets)
    dropped: list[_Set] = []
    while len(kept) > 1 and _least(kept) > columns and max(one.column.priority for one in kept) > 0:
        least = max(one.column.priority for one in kept)
        victim = [one for one in kept if one.column.priority == least][-1]
        kept.remove(victim)
        dropped.insert(0, victim)
    return kept, dropped


def _shrink(sets: list[_Set], columns: int) -> None:
    while _total(sets) > columns:
        widest = max((one for one in sets if not one.numeric), key=lambda one: one.size, default=None)
        if widest is None or widest.size <= _NARROWEST:
            return
        widest.size = max(_NARROWEST, widest.size - (_total(sets) - columns))


def _least(sets: Sequence[_Set]) -> int:
    """What columns take at least: text may be cut to a readable stub before a column goes."""
    stubs = sum(one.size - min(one.size, _STUB) for one in sets if not one.numeric and one.column.width is None)
    return _total(sets) - stubs


def _total(sets: Sequence[_Set]) -> int:
    return sum(one.size for one in sets) + GAP * (len(sets) - 1)


def _join(parts: Sequence[Row]) -> Row:
    joined: list[Span] = []
    for index, part in enumerate(parts):
        joined.extend((Span(" " * GAP), *part) if index else part)
    return tuple(joined)


def _head(one: _Set) -> Row:
    return row(fit_text(one.title, one.size, "right" if one.numeric else "left"), bold=True)


def _body(one: _Set, index: int) -> Row:
    """One cell: numbers end at the right edge with their change and glyph; text begins after its glyph."""
    tone, value = one.tones[index], one.values[index]
    glyph = fit_text(one.glyphs[index], one.glyph_size) if one.glyph_size else ""
    if not one.numeric:
        text = f"{glyph} {value}" if glyph else value
        return row(fit_text(text, one.size), tone)
    parts = [Span(fit_text(value, one.value_size, "right"), "" if one.delta_size else tone)]
    if one.delta_size:
        parts.append(Span(" " + fit_text(one.deltas[index], one.delta_size, "right"), tone or "dim"))
    if glyph:
        parts.append(Span(" " + glyph, tone))
    missing = one.size - cells(parts)
    return (Span(" " * missing), *parts) if missing > 0 else crop(tuple(parts), one.size)
