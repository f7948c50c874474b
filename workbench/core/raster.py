"""Line charts as characters: a numpy raster quick enough to redraw live, for screens and reports alike.

Every column of dots shows the whole vertical span of the line within it, so that a spike of one point stays visible
at any zoom. Text from logs passes `core.text.plain` here, because it is measured here.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import UTC, tzinfo
from typing import TYPE_CHECKING

import numpy as np
from msgspec import Struct
from msgspec.structs import replace

from workbench.core import axes
from workbench.core.axes import Plot, Reading
from workbench.core.blocks import Lines
from workbench.core.canvas import DIM, FAINT, TEXT, WARN, Canvas, runs
from workbench.core.curves import behind, curve_of, limits, notes, power, scaled, y_ticks_of
from workbench.core.strokes import Marker
from workbench.core.text import plain, width

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["DIM", "FAINT", "TEXT", "WARN", "Frame", "Marker", "Reading", "draw"]


class Frame(Struct, frozen=True, eq=False):
    """A drawn chart: rows of characters, each `columns` cells wide, and the colour of every cell.

    colors: int16 [rows, columns]; a palette index, that plus FAINT, or one of TEXT, DIM, WARN. The plot lies at
    `left`, `top` in cells and is `width` by `height`; `x_low` to `y_high` are its limits.
    """

    chars: tuple[str, ...]
    colors: NDArray[np.int16]
    notes: tuple[str, ...] = ()
    """What could not be drawn: `train: 3 NaN or inf`, `val: 12 points ≤ 0 hidden`."""
    readings: tuple[Reading, ...] = ()
    left: int = 0
    top: int = 0
    width: int = 0
    height: int = 0
    x_low: float = 0.0
    x_high: float = 1.0
    y_low: float = 0.0
    y_high: float = 1.0
    log_x: bool = False

    def x_at(self, column: int) -> float | None:
        """The x in the middle of a column of the frame, or None beside the plot."""
        if not self.left <= column < self.left + self.width:
            return None
        share = (column - self.left + 0.5) / self.width
        low, high = scaled(self.x_low, self.log_x), scaled(self.x_high, self.log_x)
        return power(low + (high - low) * share) if self.log_x else low + (high - low) * share

    def column_of(self, x: float) -> int | None:
        """The column that an x is drawn in, or None beside the plot."""
        low, high = scaled(self.x_low, self.log_x), scaled(self.x_high, self.log_x)
        share = (scaled(x, self.log_x) - low) / (high - low) if high > low else math.nan
        return self.left + round(share * (self.width - 1)) if -1e-9 <= share <= 1 + 1e-9 else None

    def with_rule(self, x: float, char: str = "│") -> Frame:
        """The same with a vertical rule at x, behind the curves: a crosshair that moves costs no other drawing."""
        column = self.column_of(x)
        rows = range(self.top, self.top + self.height)
        if column is None or any(len(self.chars[row]) != self.colors.shape[1] for row in rows):
            return self
        chars, colors = list(self.chars), self.colors.copy()
        for row in rows:
            if chars[row][column] == " ":
                chars[row] = chars[row][:column] + char + chars[row][column + 1 :]
                colors[row, column] = DIM
        return replace(self, chars=tuple(chars), colors=colors)

    def runs(self, row: int) -> Iterator[tuple[str, int]]:
        """A row as stretches of one colour: (text, colour)."""
        return runs(self.chars[row], self.colors[row])


def no_colors() -> NDArray[np.int16]:
    """The colours of a frame of no size."""
    return np.empty((0, 0), np.int16)


def draw(
    chart: Lines,
    columns: int,
    rows: int,
    *,
    marker: Marker = "braille",
    crosshair: float | None = None,
    x_range: tuple[float, float] | None = None,
    y_range: tuple[float, float] | None = None,
    zone: tzinfo | None = UTC,
    legend: bool = True,
    letters: bool | None = None,
) -> Frame:
    """Draw curves into `rows` of `columns` characters; later lines lie on top, raw lines behind all.

    `x_range` and `y_range` zoom (x in its own unit, y in values); `zone` is for x of kind "time", None is local time.
    `block`, `dot` and `ascii` serve fonts without braille. `letters` stand at the ends of lines, with the legend unless
    told otherwise.
    """
    canvas = Canvas(columns, rows)
    curves = [curve_of(line, line.y, chart) for line in chart.lines]
    raws = behind(chart)
    bounds = limits(curves + raws, chart, x_range, y_range)
    readings = () if crosshair is None else tuple(_readings(chart, crosshair))
    top = axes.header(canvas, chart, readings, marker) if legend and rows >= 6 else 0
    has_labels, has_axis = rows - top >= 3, rows - top >= 5
    height = rows - top - has_labels - has_axis
    known = any(np.isfinite(curve.y).any() for curve in curves + raws)
    y_marks = y_ticks_of(chart, *bounds[2:], min(max(2, height // 2), 8)) if known else []
    left = min(max((width(tick.label) for tick in y_marks), default=0), columns // 3) + 1
    lettered = (legend if letters is None else letters) and len(curves) > 1 and columns >= 30
    plot = Plot(canvas, left, top, columns - left - 2 * lettered, height, *bounds)
    if plot.width >= 2 and plot.height >= 1:
        has_labels = has_labels and known
        axes.draw_axes(plot, chart, y_marks, has_axis=has_axis, has_labels=has_labels, zone=zone, marker=marker)
        axes.paint(plot, raws, curves, marker) if known else axes.empty(plot, curves)
        axes.overlay(plot, chart, curves, crosshair, marker)
        if lettered:
            axes.letters(plot, curves)
    x_low, x_high = (power(each) if chart.log_x else each for each in bounds[:2])
    y_low, y_high = (power(each) if chart.log_y else each for each in bounds[2:])
    return Frame(
        canvas.text(), canvas.colors, tuple(notes(curves)), readings,
        plot.left, plot.top, max(plot.width, 0), max(plot.height, 0), x_low, x_high, y_low, y_high, chart.log_x,
    )  # fmt: skip


def _readings(chart: Lines, x: float) -> Iterator[Reading]:
    for line in chart.lines:
        known = np.flatnonzero(np.isfinite(line.x) & np.isfinite(line.y))
        if len(known):
            nearest = known[np.argmin(np.abs(line.x[known] - x))]
            yield Reading(plain(line.name, limit=200), line.color, float(line.x[nearest]), float(line.y[nearest]))
