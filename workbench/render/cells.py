"""How values of blocks read, alike in every medium; the text is still raw."""

from __future__ import annotations

from collections.abc import Sequence

from workbench.core import units
from workbench.core.blocks import Cell, Column, Stat, Tone


def cell_text(cell: Cell, column: Column) -> str:
    """A cell's value as words; its unit stands in the column's title unless it decides the format."""
    if cell.text:
        return cell.text
    if cell.value is None and len(cell.spark):
        return ""
    return value_text(cell.value, column.unit if units.has_format(column.unit) else "")


def value_text(value: str | float | int | bool | None, unit: str = "") -> str:
    """Any value of a block as words."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str):
        return value
    return units.value(value, unit)


def header(column: Column) -> str:
    """A column's title and, where cells do not carry it, its unit."""
    title = column.title or column.key
    return f"{title} ({column.unit})" if column.unit and not units.has_format(column.unit) else title


def is_numeric(column: Column, rows: Sequence[Sequence[Cell]], index: int) -> bool:
    """Whether a column holds numbers, which are then set right-aligned whatever the column says."""
    values = [row[index].value for row in rows if index < len(row)]
    known = [value for value in values if value is not None]
    return column.align == "right" or (bool(known) and all(map(_is_number, known)))


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def judgement(tone: Tone) -> str:
    """The word that goes with a change's tone, so that colour never says it alone."""
    return {"good": "better", "bad": "worse", "warn": "watch"}.get(tone, "")


def stat_words(stat: Stat) -> tuple[str, str]:
    """A figure's value and its change to the baseline in words; the change is empty where there is none."""
    value = value_text(stat.value, stat.unit)
    if stat.delta is None:
        return value, ""
    return value, f"{units.delta(stat.delta)} {judgement(stat.tone)}".rstrip()
