"""Cells of a table as segments of exact width: text made safe, tones in colour, changes with arrow and sign."""

from __future__ import annotations

from functools import lru_cache

from rich.segment import Segment
from rich.style import Style

from workbench.core import text, units
from workbench.core.blocks import Cell, Column, Tone
from workbench.tui.look import Look

CELL_LIMIT = 400
"""Characters of a value looked at; no cell is wider."""
MARKS: dict[Tone, str] = {"good": "✓ ", "bad": "✗ ", "warn": "! "}


def cell_text(cell: Cell, unit: str = "", spark_width: int = 12) -> str:
    """What a cell says without its change to the baseline, safe to show."""
    if cell.text:
        return text.plain(cell.text, limit=CELL_LIMIT)
    if cell.spark:
        return _sparkline(tuple(cell.spark), spark_width)
    if cell.value is None:
        return "" if cell.delta is not None else units.UNKNOWN
    if isinstance(cell.value, bool):
        return "yes" if cell.value else "no"
    if isinstance(cell.value, int | float):
        return units.value(cell.value, unit)
    return text.plain(cell.value, limit=CELL_LIMIT)


@lru_cache(maxsize=512)
def _sparkline(values: tuple[float, ...], width: int) -> str:
    """A row is drawn anew with every point of its run, its sparkline changes once a second."""
    from workbench.core.series import sparkline  # numpy is not wanted before the first paint

    return sparkline(values, width)


def _mark(cell: Cell, said: str) -> str:
    """What says without colour what the tone says, where it is no word: `! 22.2 %`."""
    if cell.tone not in MARKS or not said.lstrip("-−+")[:1].isalnum():
        return ""
    is_number = isinstance(cell.value, int | float) and not isinstance(cell.value, bool)
    wordless = is_number or not any(char.isalpha() for char in said)
    return MARKS[cell.tone] if wordless else ""


def cell_parts(cell: Cell, unit: str = "", spark_width: int = 12) -> list[tuple[str, Tone]]:
    """A cell's texts with their tones; the tone of a change goes to the change, not to the value."""
    said = cell_text(cell, unit, spark_width)
    if cell.delta is None:
        return [(f"{_mark(cell, said)}{said}", cell.tone)]
    change = units.delta(cell.delta)
    return [(f"{said} ", ""), (change, cell.tone)] if said else [(change, cell.tone)]


def cell_width(cell: Cell, unit: str = "") -> int:
    """Columns a cell would like to have."""
    return sum(text.width(part) for part, _ in cell_parts(cell, unit))


def cell_segments(cell: Cell, column: Column, width: int, look: Look, over: Style) -> list[Segment]:
    """A cell in exactly `width` columns, `over` laid on every style."""
    parts = cell_parts(cell, column.unit, width)
    taken = sum(text.width(part) for part, _ in parts)
    if taken > width:
        parts, taken = _shorten(parts, width), width
    room = Segment(" " * (width - taken), look.base + over)
    quiet = column.key == "spark" or (bool(cell.spark) and not cell.text and cell.delta is None)
    segments = [Segment(part, (look.spark if quiet else look.tone(tone)) + over) for part, tone in parts]
    return [room, *segments] if column.align == "right" else [*segments, room]


def _shorten(parts: list[tuple[str, Tone]], width: int) -> list[tuple[str, Tone]]:
    """The parts cut to a width: what comes last is the news, so a value gives way before its change does."""
    *before, (last, tone) = parts
    if before and text.width(last) <= width:
        room = width - text.width(last)
        return [(text.fit("".join(part for part, _ in before), room), ""), (last, tone)]
    return [(text.fit(last, width), tone)]


def header_segments(column: Column, width: int, arrow: str, look: Look) -> list[Segment]:
    """A column's title in exactly `width` columns, with an arrow where the rows are sorted by it."""
    title = text.plain(column.title or column.key, limit=CELL_LIMIT)
    if not arrow:
        return [Segment(text.fit(title, width, column.align), look.header)]
    shown = f"{text.cut(title, width - 1)}{arrow}"
    return [Segment(text.fit(shown, width, column.align), look.accent + Style(bold=True))]
