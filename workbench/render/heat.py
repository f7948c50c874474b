"""Heat maps as characters: values where cells are wide enough, shades where they are not, flags in either."""

from __future__ import annotations

import math

from workbench.core import palette, units
from workbench.core.blocks import Heat
from workbench.core.canvas import DIM, Canvas
from workbench.core.query import Fit
from workbench.core.text import cut, fit, plain, width
from workbench.render.spans import Row, Span, on, row

_SHADES = " ░▒▓█"
_ASCII_SHADES = " .+#@"
_NUMBERS_FROM = 6


def heat_limits(heat: Heat) -> tuple[float, float]:
    """The values at both ends of the colour scale."""
    known = [value for line in heat.values for value in line if value is not None and math.isfinite(value)]
    low = heat.low if heat.low is not None else min(known, default=0.0)
    high = heat.high if heat.high is not None else max(known, default=1.0)
    return (low, high) if high > low else (low, low + 1.0)


def share(value: float, low: float, high: float) -> float:
    """Where a value lies on the scale, 0 to 1."""
    if not math.isfinite(value):
        return 1.0 if value > 0 else 0.0
    return min(max((value - low) / (high - low), 0.0), 1.0)


def is_flagged(heat: Heat, line: int, column: int) -> bool:
    """Whether a cell is marked: by its own flag, or by standing at or above the threshold."""
    if line < len(heat.flags) and column < len(heat.flags[line]) and heat.flags[line][column]:
        return True
    value = heat.values[line][column]
    return heat.threshold is not None and value is not None and value >= heat.threshold


def heat_rows(heat: Heat, room: Fit) -> list[Row]:
    """A heat map of at most `room.columns` cells; the oldest (leftmost) columns go where there is no room."""
    lines: list[Row] = [row(plain(heat.title), bold=True)] if heat.title else []
    if not heat.rows or not heat.columns:
        return [*lines, row("no values", "dim")]
    names = [plain(name) for name in heat.rows]
    label = min(max(map(width, names)), max(room.columns // 3, 6))
    space = max(room.columns - label - 1, 2)
    size = min(max(space // len(heat.columns), 2), 9)
    first = max(len(heat.columns) - space // size, 0)
    if first:
        lines.append(row(f"… {first} earlier columns have no room", "dim"))
    low, high = heat_limits(heat)
    for index, name in enumerate(names):
        spans = [Span(fit(name, label) + " ")]
        for column in range(first, len(heat.columns)):
            value = heat.values[index][column] if column < len(heat.values[index]) else None
            flagged = value is not None and is_flagged(heat, index, column)
            spans.append(_cell(value, flagged, size, low, high, room.unicode))
        lines.append(tuple(spans))
    lines += _column_names(heat, first, label + 1, size, room.columns)
    return [*lines, _scale(heat, low, high, room.unicode)]


def _cell(value: float | None, flagged: bool, size: int, low: float, high: float, unicode: bool) -> Span:
    mark = "!" if flagged else " "
    if value is None:
        return Span(("·" if unicode else ".").center(size - 1) + " ", "dim")
    place = share(value, low, high)
    background = palette.heat(place)
    if size >= _NUMBERS_FROM:
        return Span(f"{fit(_short(value, high), size - 2, 'right')}{mark} ", on(background), background, bold=flagged)
    shades = _SHADES if unicode else _ASCII_SHADES
    shade = shades[min(int(place * len(shades)), len(shades) - 1)] * (size - 1)
    return Span(shade + mark, background, bold=flagged)


def _short(value: float, high: float) -> str:
    if math.isfinite(value) and high < 10:
        return f"{value:.2f}"
    text = units.number(value, 2)
    return text if width(text) <= 7 else units.count(value)


def _column_names(heat: Heat, first: int, left: int, size: int, columns: int) -> list[Row]:
    """Names under their columns, as many as fit beside each other."""
    canvas = Canvas(columns, 1)
    free = 0
    for index in range(first, len(heat.columns)):
        name = cut(plain(heat.columns[index]), max(size - 1, 12))
        start = left + (index - first) * size
        if start >= free and start + width(name) <= columns:
            canvas.write(0, start, name, DIM)
            free = start + width(name) + 1
    return [row(canvas.text()[0].rstrip(), "dim")]


def _scale(heat: Heat, low: float, high: float, unicode: bool) -> Row:
    shades = _SHADES if unicode else _ASCII_SHADES
    spans = [Span(f"{units.number(low, 3)} ", "dim")]
    for index, shade in enumerate(shades):
        spans.append(Span(shade * 2, palette.heat((index + 0.5) / len(shades))))
    spans.append(Span(f" {units.number(high, 3)}", "dim"))
    if heat.threshold is not None:
        spans.append(Span(f"   ! at or above {units.number(heat.threshold)}", "dim"))
    elif any(any(line) for line in heat.flags):
        spans.append(Span("   ! beyond its threshold", "dim"))
    return tuple(spans)
