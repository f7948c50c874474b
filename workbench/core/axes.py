"""What stands on and around the curves of a chart: axes, marks, the legend, letters at the ends of lines."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import tzinfo
from typing import TYPE_CHECKING

import numpy as np
from msgspec import Struct

from workbench.core.blocks import Lines
from workbench.core.canvas import DIM, FAINT, TEXT, Canvas
from workbench.core.curves import Curve, scaled, vertical_marks, x_ticks
from workbench.core.series import thin
from workbench.core.strokes import ASCII_GLYPHS, DOTS, Marker, cells, owners

if TYPE_CHECKING:
    from workbench.core.strokes import Floats
from workbench.core.text import cut, fit, plain, width
from workbench.core.ticks import Tick
from workbench.core.units import number

LETTERS = "abcdefghijklmnopqrstuvwxyz"
"""Name the lines of a chart where colour does not."""


class Reading(Struct, frozen=True):
    """Where a line stands at the crosshair: its finite point nearest to it."""

    name: str
    color: int
    x: float
    y: float


class Plot(Struct, frozen=True):
    """The rectangle curves are drawn in, in cells of a canvas, and its limits."""

    canvas: Canvas
    left: int
    top: int
    width: int
    height: int
    x_low: float
    x_high: float
    y_low: float
    y_high: float

    def x_cell(self, x: float) -> int:
        """The canvas column of an x, which may lie beside the plot; NaN does."""
        share = (x - self.x_low) / (self.x_high - self.x_low)
        return self.left + (-1 if math.isnan(share) else round(min(max(share, -1.0), 2.0) * (self.width - 1)))

    def y_cell(self, y: float) -> int:
        """The canvas row of a y, which may lie above or below the plot."""
        share = (self.y_high - y) / (self.y_high - self.y_low)
        return self.top + round(min(max(share, -1.0), 2.0) * (self.height - 1))

    def has_column(self, column: int) -> bool:
        """Whether a canvas column is within the plot."""
        return self.left <= column < self.left + self.width

    def has_row(self, row: int) -> bool:
        """Whether a canvas row is within the plot."""
        return self.top <= row < self.top + self.height


def header(canvas: Canvas, chart: Lines, readings: Sequence[Reading], marker: Marker) -> int:
    """Write title and legend; returns the rows they take."""
    title = plain(chart.title or chart.y_label, limit=500)
    entries = _entries(chart, readings, marker)
    canvas.write(0, 0, cut(title, canvas.columns), TEXT)
    column = width(title) + 3 if title else 0
    row, last = 0, max(canvas.rows // 6, 1) - 1
    if column + sum(width(mark) + width(text) + 2 for mark, text, _ in entries) > canvas.columns and title:
        row, column, last = 1, 0, last + 1
    if last >= canvas.rows // 2 or (row and canvas.rows < 8):
        return 1
    for index, (mark, name, color) in enumerate(entries):
        text = cut(name, max(canvas.columns - width(mark), 0))
        if column and column + width(mark) + width(text) > canvas.columns:
            if row == last:
                more = f"+{len(entries) - index}"
                canvas.write(row, max(min(column, canvas.columns - len(more)), 0), more, DIM)
                break
            row, column = row + 1, 0
        canvas.write(row, column, mark, color)
        canvas.write(row, column + width(mark), text, TEXT)
        column += width(mark) + width(text) + 2
    return row + 1 if title or entries else 0


def _entries(chart: Lines, readings: Sequence[Reading], marker: Marker) -> list[tuple[str, str, int]]:
    """Legend entries: (mark, text, colour)."""
    if len(chart.lines) == 1 and not readings and chart.lines[0].name == (chart.title or chart.y_label):
        return []
    values = {reading.name: number(reading.y) for reading in readings}
    entries = []
    for index, line in enumerate(chart.lines):
        name = plain(line.name, limit=200)
        letter = LETTERS[index] if len(chart.lines) > 1 and index < len(LETTERS) else ""
        dash = chr(ASCII_GLYPHS[index % len(ASCII_GLYPHS)]) if marker == "ascii" else "━"
        shown = f"{cut(name, 32)} {values[name]}" if name in values else cut(name, 32)
        entries.append((f"{letter}{dash} ", shown, line.color))
    return entries


def draw_axes(
    plot: Plot,
    chart: Lines,
    y_marks: Sequence[Tick],
    *,
    has_axis: bool,
    has_labels: bool,
    zone: tzinfo | None,
    marker: Marker,
) -> None:
    """Draw the left axis with `y_marks`, and the bottom axis and its labels where there is room for them."""
    rule, tick, corner, dash, foot = "|++-+" if marker == "ascii" else "│┤└─┬"
    canvas, edge = plot.canvas, plot.left - 1
    for row in range(plot.top, plot.top + plot.height):
        canvas.write(row, edge, rule, DIM)
    for mark in y_marks:
        row = plot.y_cell(mark.value)
        if plot.has_row(row):
            canvas.write(row, 0, fit(mark.label, edge, "right"), DIM)
            canvas.write(row, edge, tick, DIM)
    floor = plot.top + plot.height
    if has_axis:
        canvas.write(floor, edge, corner + dash * plot.width, DIM)
    if has_labels:
        _bottom_labels(plot, chart, floor, floor + has_axis, foot if has_axis else "", zone)


def _bottom_labels(plot: Plot, chart: Lines, floor: int, row: int, foot: str, zone: tzinfo | None) -> None:
    canvas = plot.canvas
    title = cut(plain(chart.x_label, limit=100), plot.width // 3)
    end = canvas.columns - (width(title) + 1 if title else 0)
    if title:
        canvas.write(row, canvas.columns - width(title), title, DIM)
    free = 0
    for mark in x_ticks(chart, plot.x_low, plot.x_high, max(2, plot.width // 12), zone):
        column = plot.x_cell(mark.value)
        start = max(column - width(mark.label) // 2, 0)
        if chart.x_names:  # the last one is as good as the others
            start = min(start, end - width(mark.label))
        if not plot.has_column(column):
            continue
        if foot:
            canvas.write(floor, column, foot, DIM)
        if start >= free and start + width(mark.label) <= end:
            canvas.write(row, start, mark.label, DIM)
            free = start + width(mark.label) + 1


def paint(plot: Plot, raws: Sequence[Curve], curves: Sequence[Curve], marker: Marker) -> None:
    """Draw the curves, raw ones behind."""
    across, down = DOTS[marker]
    columns, rows = plot.width * across, plot.height * down
    x_scale = (columns - 1) / (plot.x_high - plot.x_low)
    y_scale = (rows - 1) / (plot.y_high - plot.y_low)
    both = [*raws, *curves]
    near = [_near(plot, curve, columns) for curve in both]
    with np.errstate(over="ignore"):  # what is too far away to scale is nowhere, as strokes see it
        dots = [((x - plot.x_low) * x_scale, (plot.y_high - y) * y_scale) for x, y in near]
    codes, owner = cells(owners(dots, columns, rows), len(raws), marker)
    colors = np.array([*(raw.color + FAINT for raw in raws), *(curve.color for curve in curves), 0], np.int16)
    area = np.s_[plot.top : plot.top + plot.height, plot.left : plot.left + plot.width]
    drawn = codes > 0
    np.copyto(plot.canvas.codes[area], codes, where=drawn)
    np.copyto(plot.canvas.colors[area], colors[owner], where=drawn)


def _near(plot: Plot, curve: Curve, columns: int) -> tuple[Floats, Floats]:
    """The part of a long curve that is in sight, thinned with extremes kept; short ones as they are."""
    if len(curve.x) <= 16 * columns:
        return curve.x, curve.y
    inside = np.flatnonzero((curve.x >= plot.x_low) & (curve.x <= plot.x_high))
    if not len(inside):
        return curve.x[:0], curve.y[:0]
    part = slice(max(int(inside[0]) - 1, 0), int(inside[-1]) + 2)
    return thin(curve.x[part], curve.y[part], 2 * columns, borders=True)


def empty(plot: Plot, curves: Sequence[Curve]) -> None:
    """Say that there is nothing to draw, and why."""
    if not any(len(curve.y) for curve in curves):
        words = "no values yet"
    else:
        words = "no positive values" if any(curve.hidden for curve in curves) else "no finite values"
    words = cut(words, plot.width)
    plot.canvas.write(plot.top + plot.height // 2, plot.left + (plot.width - width(words)) // 2, words, DIM)


def overlay(plot: Plot, chart: Lines, curves: Sequence[Curve], crosshair: float | None, marker: Marker) -> None:
    """Draw what is neither curve nor axis: × for NaN and inf at the top edge, vertical marks, the crosshair."""
    cross, dotted, rule, spot = "x::o" if marker == "ascii" else "×┊│●"
    for curve in curves:
        inside = curve.bad_x[(curve.bad_x >= plot.x_low) & (curve.bad_x <= plot.x_high)]
        for column in {plot.x_cell(x) for x in inside[: 8 * plot.width].tolist()}:
            plot.canvas.write(plot.top, column, cross, curve.color)
        if len(curve.y) == 1 and np.isfinite(curve.y[0]):
            row, column = plot.y_cell(float(curve.y[0])), plot.x_cell(float(curve.x[0]))
            if plot.has_row(row) and plot.has_column(column):
                plot.canvas.write(row, column, spot, curve.color)
    for x, label in vertical_marks(chart):
        column = plot.x_cell(x)
        if plot.has_column(column):
            _vertical(plot, column, dotted)
            text = cut(plain(label, limit=100), plot.left + plot.width - column - 1)
            plot.canvas.write_where_blank(plot.top, column + 1, text, DIM)
    if crosshair is not None:
        column = plot.x_cell(scaled(crosshair, chart.log_x))
        if plot.has_column(column):
            _vertical(plot, column, rule)


def _vertical(plot: Plot, column: int, char: str) -> None:
    for row in range(plot.top, plot.top + plot.height):
        plot.canvas.write_where_blank(row, column, char, DIM)


def letters(plot: Plot, curves: Sequence[Curve]) -> None:
    """Put each line's letter beside its last visible point, in the margin right of the plot, from top to bottom."""
    column = plot.left + plot.width + 1
    ends: list[tuple[float, int]] = []
    for index, curve in enumerate(curves[: len(LETTERS)]):
        shown = np.flatnonzero(np.isfinite(curve.y) & (curve.x >= plot.x_low) & (curve.x <= plot.x_high))
        if len(shown):
            ends.append((-float(curve.y[shown[-1]]), index))
    taken: set[int] = set()
    for value, index in sorted(ends):
        row = min(max(plot.y_cell(-value), plot.top), plot.top + plot.height - 1)
        free = [row + by for by in (0, 1, -1, 2, -2, 3, -3) if plot.has_row(row + by) and row + by not in taken]
        if free:
            plot.canvas.write(free[0], column, LETTERS[index], curves[index].color)
            taken.add(free[0])
