"""Histograms over steps and confusion matrices as shaded cells: told by characters as much as by colour."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from workbench.core import text, units
from workbench.core.histograms import common_edges, shares
from workbench.core.model import StepHistogram
from workbench.core.series_charts import Chart, cells
from workbench.tui.chart_draw import Canvas, message

SHADES = " ·░▒▓█"
ASCII_SHADES = " .:+#@"


def histogram(found: Sequence[StepHistogram] | None, canvas: Canvas, height: int) -> list[Strip]:
    """Shares of the values by step, from left to right, the highest values on top."""
    if found is None:
        return message(canvas.waits, canvas, height)
    rows = height - 1
    edges = common_edges(found, max(rows, 1)) if found else np.empty(0)
    if rows < 2 or not len(edges):
        return message("nothing was counted", canvas, height)
    columns = np.array([shares(each, edges) for each in found])
    labels = [units.number(float(edge), 3) for edge in (edges[-1], edges[0])]
    left = max(map(len, labels)) + 1
    wide = max(canvas.width - left, 1)
    steps = np.array([each.step for each in found], float)
    at = np.linspace(steps[0], steps[-1], wide)
    picked = columns[np.clip(np.searchsorted(steps, at, side="right") - 1, 0, len(steps) - 1)]
    grid = (picked / (picked.max() or 1.0)).T[::-1]
    lines = []
    for row in range(rows):
        head = labels[0] if row == 0 else labels[1] if row == rows - 1 else ""
        lines.append(canvas.line([_label(head, left, canvas), *_shaded(grid[row], canvas)]))
    return [*lines, _step_axis(found[0].step, found[-1].step, left, canvas)]


def _label(words: str, left: int, canvas: Canvas) -> Segment:
    return Segment(text.fit(words, left - 1, "right") + "┤", canvas.look.dim)


def _shaded(row: NDArray[np.float64], canvas: Canvas) -> list[Segment]:
    """Cells of one row, runs of equal shade joined."""
    levels = np.ceil(np.clip(row, 0.0, 1.0) * 5 - 1e-9).astype(int).tolist()
    segments, start = [], 0
    for place in range(1, len(levels) + 1):
        if place == len(levels) or levels[place] != levels[start]:
            segments.append(_shade(levels[start] / 5, place - start, canvas))
            start = place
    return segments


def _shade(share: float, width: int, canvas: Canvas) -> Segment:
    """So many cells of one shade."""
    shades = ASCII_SHADES if canvas.manner.marker == "ascii" else SHADES
    char = shades[min(math.ceil(share * 5 - 1e-9), 5)]
    return Segment(char * width, Style(color=canvas.look.heat(max(share, 0.25)), bgcolor=canvas.look.background))


def _step_axis(first: int, last: int, left: int, canvas: Canvas) -> Strip:
    begin, end = f"{first:,}", f"{last:,} step"
    gap = max(canvas.width - left - len(begin) - len(end), 1)
    return canvas.words(f"{' ' * left}{begin}{' ' * gap}{end}", canvas.look.dim)


def confusion(chart: Chart, counts: Mapping[str, float], canvas: Canvas, height: int) -> list[Strip]:
    """True classes by rows, predicted ones by columns; each cell its count, shaded by its share of the row."""
    if not counts:
        return message(canvas.waits, canvas, height)
    true, predicted = cells(chart)
    longest = max(text.width(text.plain(label)) for label in (*true, "true"))
    left = min(longest, max(canvas.width // 3, 4)) + 1
    wide = (canvas.width - left) // len(predicted)
    if wide < 2 or height < 3:
        return message(f"{len(true)} x {len(predicted)} classes need more room", canvas, height)
    head = [Segment(text.fit("true", left), canvas.look.dim)]
    head += [Segment(text.fit(text.plain(name), wide - 1, "right") + " ", canvas.look.dim) for name in predicted]
    lines = [canvas.line(head)]
    for row in true[: height - 2 if len(true) > height - 1 else height - 1]:
        values = [counts.get(f"{chart.title}/{row}/{column}", 0.0) for column in predicted]
        total = sum(values) or 1.0
        segments = [Segment(text.fit(text.plain(row), left - 1) + " ", canvas.look.base)]
        segments += [_cell(value, value / total, wide, canvas) for value in values]
        lines.append(canvas.line(segments))
    if len(lines) - 1 < len(true):
        lines.append(canvas.words(f"+{len(true) - len(lines) + 1} classes", canvas.look.dim))
    return [*lines, *(canvas.blank() for _ in range(height - len(lines)))]


def _cell(value: float, share: float, width: int, canvas: Canvas) -> Segment:
    """A count on the ground of its share."""
    words = units.number(value, 3)
    words = words if len(words) < width else f"{share * 100:.0f}%" if width > 4 else f"{share * 9:.0f}"
    ground = canvas.look.heat(share)
    style = Style(color=canvas.look.ink_on(ground), bgcolor=ground)
    return Segment(text.fit(words, width - 1, "right") + " ", style)
