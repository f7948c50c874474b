"""The only module that speaks plotext: line charts and grouped bars of text reports, as rows of spans.

plotext draws on one figure per process; a lock guards it, and it is cleared before and after. Of what it returns only
characters and foreground colours are kept.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, tzinfo
from typing import Any

import numpy as np

from workbench.core import axes
from workbench.core.blocks import Bars, Lines
from workbench.core.canvas import DIM, FAINT, TEXT, Canvas, runs
from workbench.core.curves import Curve, behind, curve_of, limits, notes, vertical_marks, x_ticks, y_ticks_of
from workbench.core.series import thin
from workbench.core.text import cut, plain, width
from workbench.core.ticks import Tick, ticks
from workbench.render.spans import Color, Row, Span, row

Bounds = tuple[float, float, float, float]
"""x_low, x_high, y_low, y_high."""

_FIGURE = threading.Lock()
_TEXT, _AXIS = 254, 255  # plotext's palette numbers serve as names: below these they index `colors`
_SGR = re.compile(r"\x1b\[([0-9;]*)m([^\x1b]*)")
_MARKS = "█▒░▓"


def line_rows(chart: Lines, columns: int, rows: int, zone: tzinfo | None = UTC) -> list[Row]:
    """A line chart of `columns` by about `rows`, with legend, marks and remarks."""
    curves = [curve_of(line, line.y, chart) for line in chart.lines]
    # Behind several curves raw ones would only blur them, as plotext merges the dots of a cell.
    banded = any(line.low is not None for line in chart.lines)
    raws = behind(chart) if len(curves) == 1 or banded else []
    head = header_rows(chart, columns)
    remarks = [row(cut(note, columns), "warn") for note in notes(curves)]
    if not any(np.isfinite(curve.y).any() for curve in curves + raws):
        return [*head, row("no finite values" if remarks else "no values yet", "dim"), *remarks]
    bounds = limits(curves + raws, chart, None, None)
    lettered = len(curves) > 1
    inks = [f"faint:{curve.color}" for curve in raws] + [f"run:{curve.color}" for curve in curves]
    rows = max(rows - len(head) - len(remarks), 4)

    def compose(plotext: Any, figure: Any) -> None:
        x_low, x_high, y_low, y_high = bounds
        y_marks = y_ticks_of(chart, y_low, y_high, min(max(2, (rows - 2) // 2), 8))
        margin = max(1, *map(width, chart.y_names)) if chart.y_names else 1
        x_marks = _spread(x_ticks(chart, x_low, x_high, max(2, columns // 12), zone), bounds, columns - 8, margin)
        _axis(figure.ruler("x"), x_low, x_high, x_marks)
        _axis(figure.ruler("y"), y_low, y_high, y_marks)
        _draw_marks(plotext, figure, chart, bounds)
        for index, curve in enumerate([*raws, *curves]):
            for x, y in _pieces(curve, 2 * columns):
                mark = plotext.marker("braille", pixel=plotext.pixel(foreground=index % _TEXT))
                figure.draw(figure.signal(x, y, marker=mark).lines(True))
        _draw_not_finite(plotext, figure, curves, bounds, len(raws))

    plot = _rendered(compose, columns - 2 * lettered, rows, inks)
    if lettered:
        plot = _with_letters(plot, curves, bounds, rows - 2, columns - 1)
    label = plain(chart.x_label, limit=100)
    return [*head, *_with_label(plot, label, columns), *remarks]


def bar_rows(bars: Bars, columns: int, rows: int) -> list[Row]:
    """Groups of upright bars, `columns` by `rows`; where labels are too many, some are left out."""
    labels = [plain(label, limit=100) for label in bars.labels]
    inks = [f"run:{index}" for index in range(len(bars.series))]
    heights = [[value if np.isfinite(value) else 0.0 for value in values] for _, values in bars.series]
    flat = [value for values in heights for value in values]
    low, high = min(0.0, *flat), max(0.0, *flat)
    high = high if high > low else low + 1

    def compose(plotext: Any, figure: Any) -> None:
        count = len(heights)
        for index, values in enumerate(heights):
            mark = plotext.marker(_MARKS[index % len(_MARKS)], pixel=plotext.pixel(foreground=index % _TEXT))
            centres = [place + (index - (count - 1) / 2) * 0.8 / count for place in range(len(values))]
            figure.draw(figure.bar(centres, values, marker=mark, width=0.8 / count))
        places = [Tick(float(index), label) for index, label in enumerate(labels)]
        bounds = (-0.5, len(labels) - 0.5, low, high)
        _axis(figure.ruler("x"), bounds[0], bounds[1], _spread(places, bounds, columns - 8))
        _axis(figure.ruler("y"), low, high, ticks(low, high, max(2, (rows - 2) // 2)))

    return _rendered(compose, columns, rows, inks)


def header_rows(chart: Lines, columns: int) -> list[Row]:
    """Title and legend of a line chart, as above live charts."""
    canvas = Canvas(columns, 18)
    used = axes.header(canvas, chart, (), "braille")
    return canvas_rows(canvas)[:used]


def canvas_rows(canvas: Canvas) -> list[Row]:
    """A canvas as rows of spans."""
    return [
        tuple(Span(text, ink(color), bold=False) for text, color in runs(chars, canvas.colors[index]))
        for index, chars in enumerate(canvas.text())
    ]


def ink(color: int) -> Color:
    """A canvas colour as a span's."""
    if color >= FAINT:
        return f"faint:{color - FAINT}"
    return f"run:{color}" if color >= 0 else {DIM: "dim", TEXT: ""}.get(color, "warn")


def _rendered(compose: Callable[[Any, Any], None], columns: int, rows: int, inks: Sequence[Color]) -> list[Row]:
    import plotext

    with _FIGURE:
        figure = plotext.figure
        try:
            figure.clear()
            plotext.terminal.limit(False, False)
            figure.plot_size(columns, rows)
            figure.canvas("default")
            figure.axes(False)
            grey = plotext.pixel(foreground=_AXIS)
            figure.axes(True, pixel=grey, axis="x", side="lower")
            figure.axes(True, pixel=grey, axis="y", side="left")
            figure.ruler("x").pixel(grey)
            figure.ruler("y").pixel(grey)
            compose(plotext, figure)
            figure.legend(False)
            drawn: str = figure.build().string()
        finally:
            figure.clear()
    return [tuple(_spans(line, inks)) for line in drawn.split("\n") if line][:rows]


def _spans(line: str, inks: Sequence[Color]) -> Iterator[Span]:
    """The characters plotext drew, with our colours; backgrounds and any other sequence are dropped."""
    color = ""
    for codes, text in _SGR.findall(line if line.startswith("\x1b") else f"\x1b[0m{line}"):
        if codes.startswith("38;5;"):
            number = int(codes.split(";")[2])
            color = "dim" if number == _AXIS else inks[number] if number < len(inks) else ""
        elif not codes.startswith("48;"):
            color = ""
        if text:
            yield Span(plain(text), color)


def _axis(ruler: Any, low: float, high: float, marks: Sequence[Tick]) -> None:
    ruler.lim(low, high)
    ruler.ticks([mark.value for mark in marks], [mark.label for mark in marks])


def _spread(marks: Sequence[Tick], bounds: Bounds, columns: int, margin: int = 1) -> list[Tick]:
    """Ticks whose labels have room side by side, the first one `margin` columns left of the plot too."""
    low, high = bounds[:2]
    kept: list[Tick] = []
    free = float(-margin)
    for mark in marks:
        label = cut(mark.label, 16)
        centre = (mark.value - low) / (high - low) * columns
        if centre - width(label) / 2 >= free:
            kept.append(Tick(mark.value, label))
            free = centre + width(label) / 2 + 1
    return kept


def _pieces(curve: Curve, buckets: int) -> Iterator[tuple[list[float], list[float]]]:
    """The unbroken stretches of a curve, thinned with extremes kept."""
    x, y = thin(curve.x, curve.y, buckets)
    known = np.isfinite(x) & np.isfinite(y)
    edges = np.flatnonzero(np.diff(known, prepend=False, append=False))
    for start, end in edges.reshape(-1, 2).tolist():
        yield x[start:end].tolist(), y[start:end].tolist()


def _draw_marks(plotext: Any, figure: Any, chart: Lines, bounds: Bounds) -> None:
    """The chart's own vertical marks, with their labels at the top."""
    x_low, x_high, y_low, y_high = bounds
    grey = plotext.pixel(foreground=_AXIS)
    for x, label in vertical_marks(chart):
        if x_low <= x <= x_high:
            rule = plotext.marker("┊", pixel=grey)
            figure.draw(figure.signal([x, x], [y_low, y_high], marker=rule).lines(True))
            figure.draw(figure.text(x, y_high, plotext.colorize(cut(plain(label), 20)).fill(grey), alignment="left"))


def _draw_not_finite(plotext: Any, figure: Any, curves: Sequence[Curve], bounds: Bounds, behind: int) -> None:
    """× at the top edge, for NaN and inf."""
    for index, curve in enumerate(curves):
        inside = curve.bad_x[(curve.bad_x >= bounds[0]) & (curve.bad_x <= bounds[1])][:500].tolist()
        if inside:
            mark = plotext.marker("×", pixel=plotext.pixel(foreground=(behind + index) % _TEXT))
            figure.draw(figure.signal(inside, [bounds[3]] * len(inside), marker=mark))


def _with_letters(plot: list[Row], curves: Sequence[Curve], bounds: Bounds, height: int, column: int) -> list[Row]:
    """Each line's letter, right of its last point."""
    canvas = Canvas(column + 1, height)
    area = axes.Plot(canvas, 0, 0, column - 1, height, *bounds)
    axes.letters(area, curves)
    marked = canvas.text()
    lines = []
    for index, line in enumerate(plot):
        stretches = runs(marked[index], canvas.colors[index]) if index < height else iter(())
        letter = next(((text.strip(), color) for text, color in stretches if text.strip()), None)
        lines.append((*line, Span(f" {letter[0]}", ink(letter[1]))) if letter else line)
    return lines


def _with_label(plot: list[Row], label: str, columns: int) -> list[Row]:
    """The x axis's label at the right end of the row of tick labels, where there is room."""
    if not label or not plot:
        return plot
    text = "".join(span.text for span in plot[-1]).rstrip()
    room = columns - width(text) - 1
    if room < width(label):
        return plot
    return [*plot[:-1], (Span(text, "dim"), Span(" " * (room - width(label) + 1)), Span(label, "dim"))]
