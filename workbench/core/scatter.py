"""Scatters as characters: points with their names beside them, on axes of numbers, logarithms or names."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from datetime import UTC, tzinfo

from msgspec import Struct

from workbench.core.axes import Plot
from workbench.core.blocks import Axis, Point, Scatter
from workbench.core.canvas import DIM, TEXT, Canvas
from workbench.core.raster import Frame
from workbench.core.text import cut, fit, plain, width
from workbench.core.ticks import Tick, log_ticks, ticks

NAMED = 60
"""Points that all get their name; of more only the marked ones do."""

_NAME = 28
_SPACE = 0x20


class Scale(Struct, frozen=True):
    """An axis with its limits: where a value lies, 0 to 1, and what is written along it."""

    axis: Axis
    low: float
    high: float

    def share(self, value: float) -> float:
        """Where a value lies between the ends."""
        return (_scaled(self.axis, value) - self.low) / (self.high - self.low)

    def at(self, share: float) -> float:
        """Where a share lies on the axis's own scale."""
        return self.low + share * (self.high - self.low)

    def marks(self, most: int, zone: tzinfo | None = UTC) -> list[Tick]:
        """About `most` labelled places, as shares."""
        span = self.high - self.low
        if self.axis.names:
            places = [Tick(float(at), plain(name, limit=100)) for at, name in enumerate(self.axis.names)]
            stride = max(1, math.ceil(len(places) / max(most, 1)))
            found = places[::stride]
        elif self.axis.log:
            found = [
                Tick(math.log10(mark.value), mark.label)
                for mark in log_ticks(10.0 ** max(self.low, -300), 10.0 ** min(self.high, 300), most)
            ]
        else:
            found = ticks(self.low, self.high, most, self.axis.kind, zone)
        marks = [Tick((mark.value - self.low) / span, mark.label) for mark in found]
        return [mark for mark in marks if -1e-9 <= mark.value <= 1 + 1e-9]


def scale_of(axis: Axis, values: Sequence[float]) -> Scale:
    """An axis around values that can be drawn on it, with a little room at both ends."""
    if axis.names:
        return Scale(axis, -0.5, len(axis.names) - 0.5)
    scaled = [_scaled(axis, value) for value in values]
    low, high = min(scaled, default=0.0), max(scaled, default=1.0)
    room = 0.05 * (high - low) or abs(low) * 0.1 or 0.5
    return Scale(axis, low - room, high + room)


def drawable(block: Scatter) -> list[Point]:
    """Points that both axes can show, the marked ones last, so that they lie on top."""
    shown = [point for point in block.points if _shows(block.x, point.x) and _shows(block.y, point.y)]
    return sorted(shown, key=_weight)


def remarks(block: Scatter) -> list[str]:
    """What cannot be drawn, in words."""
    missing = len(block.points) - len(drawable(block))
    return [f"{missing} of {len(block.points)} points have no place on these axes"] if missing else []


def draw_scatter(
    block: Scatter, columns: int, rows: int, *, ascii_only: bool = False, zone: tzinfo | None = UTC
) -> Frame:
    """Draw points and axes into `rows` of `columns` characters; names go where they cover nothing."""
    canvas = Canvas(columns, rows)
    points = drawable(block)
    x, y = scale_of(block.x, [point.x for point in points]), scale_of(block.y, [point.y for point in points])
    top = _header(canvas, block)
    height = max(rows - top - 2, 1)
    marks = y.marks(max(2, height // 2), zone)
    left = min(max((width(cut(mark.label, _NAME)) for mark in marks), default=0), columns // 3) + 2
    plot = Plot(canvas, left, top, max(columns - left - 1, 1), height, 0.0, 1.0, 0.0, 1.0)
    _axes(plot, marks, x.marks(max(2, plot.width // 12), zone), plain(block.x.label, limit=200), ascii_only)
    if not points:
        words = cut("no values to draw", plot.width)
        canvas.write(plot.top + plot.height // 2, plot.left + (plot.width - width(words)) // 2, words, DIM)
    placed = [(point, plot.y_cell(y.share(point.y)), plot.x_cell(x.share(point.x))) for point in points]
    _points(plot, placed, ascii_only)
    _names(plot, placed)
    return Frame(canvas.text(), canvas.colors, tuple(remarks(block)))


def _header(canvas: Canvas, block: Scatter) -> int:
    """The title, or what the upright axis means, above the chart."""
    words = plain(block.title or block.y.label, limit=300)
    if block.title and block.y.label and block.y.label not in block.title:
        words = f"{words}   ↑ {plain(block.y.label, limit=200)}"
    canvas.write(0, 0, cut(words, canvas.columns), TEXT)
    return 1 if words else 0


def _axes(plot: Plot, y_marks: Sequence[Tick], x_marks: Sequence[Tick], label: str, ascii_only: bool) -> None:
    rule, tick, corner, dash, foot = "|++-+" if ascii_only else "│┤└─┬"
    canvas, edge, floor = plot.canvas, plot.left - 1, plot.top + plot.height
    for row in range(plot.top, floor):
        canvas.write(row, edge, rule, DIM)
    for mark in y_marks:
        row = plot.y_cell(mark.value)
        canvas.write(row, 0, fit(cut(mark.label, edge - 1), edge - 1, "right"), DIM)
        canvas.write(row, edge, tick, DIM)
    canvas.write(floor, edge, corner + dash * plot.width, DIM)
    title = cut(label, plot.width // 2)
    end = canvas.columns - (width(title) + 2 if title else 0)
    canvas.write(floor + 1, canvas.columns - width(title), title, TEXT)
    free = 0
    for mark in x_marks:
        words = cut(mark.label, _NAME)
        column = plot.x_cell(mark.value)
        start = max(min(column - width(words) // 2, end - width(words)), 0)
        if start >= free and start + width(words) <= end:
            canvas.write(floor, column, foot, DIM)
            canvas.write(floor + 1, start, words, DIM)
            free = start + width(words) + 1


def _points(plot: Plot, placed: Sequence[tuple[Point, int, int]], ascii_only: bool) -> None:
    """A glyph a point; several in one cell are a number, unless one of them is marked."""
    best, notable, usual = "*#o" if ascii_only else "★◆●"
    cells: dict[tuple[int, int], list[Point]] = {}
    for point, row, column in placed:
        cells.setdefault((row, column), []).append(point)
    for (row, column), here in cells.items():
        top = here[-1]
        crowd = str(len(here)) if len(here) < 10 else "+"
        glyph = best if top.tone == "good" else notable if top.tone == "accent" else crowd if len(here) > 1 else usual
        plot.canvas.write(row, column, glyph, top.color)


def _names(plot: Plot, placed: Sequence[tuple[Point, int, int]]) -> None:
    """Names right of their points, else left, above or below, else none."""
    for point, row, column in reversed(placed):
        if len(placed) > NAMED and point.tone not in ("good", "accent"):
            continue
        name = cut(plain(point.name, limit=200), _NAME)
        for at, start in _around(row, column, width(name)):
            if _is_free(plot, at, start, width(name)):
                plot.canvas.write(at, start, name, point.color)
                break


def _around(row: int, column: int, size: int) -> Iterator[tuple[int, int]]:
    yield row, column + 2
    yield row, column - 1 - size
    for by in (-1, 1):
        yield row + by, column + 1
        yield row + by, column - size


def _is_free(plot: Plot, row: int, start: int, size: int) -> bool:
    """Whether a name fits there with a blank at both ends."""
    end = start + size
    if not plot.has_row(row) or start < plot.left or end > plot.left + plot.width:
        return False
    cells = plot.canvas.codes[row, max(start - 1, plot.left) : min(end + 1, plot.left + plot.width)]
    return bool((cells == _SPACE).all())


def _scaled(axis: Axis, value: float) -> float:
    return math.log10(value) if axis.log and not axis.names else value


def _shows(axis: Axis, value: float) -> bool:
    return math.isfinite(value) and (bool(axis.names) or not axis.log or value > 0)


def _weight(point: Point) -> int:
    return {"good": 2, "accent": 1}.get(point.tone, 0)
