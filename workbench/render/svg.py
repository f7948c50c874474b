"""Charts as inline SVG: no script, no style attribute; colours come from the page's classes, so that they follow
light and dark.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from datetime import UTC, tzinfo
from typing import TYPE_CHECKING

import numpy as np

from workbench.core import palette, units
from workbench.core.axes import LETTERS
from workbench.core.blocks import Bars, Heat, Lines
from workbench.core.curves import Curve, behind, curve_of, limits, notes, vertical_marks, x_ticks, y_ticks_of
from workbench.core.series import thin
from workbench.core.text import cut, plain, width
from workbench.core.ticks import ticks
from workbench.render.heat import heat_limits, is_flagged, share

if TYPE_CHECKING:
    from markupsafe import Markup

WIDTH = 760
HEAT_STEPS = 12
_LETTER = 6.4  # px a character of tick text takes, about
_POINTS = 700


def element(name: str, *children: object, **attributes: object) -> Markup:
    """An element; children that are no markup and all attribute values are made plain and escaped."""
    from markupsafe import Markup, escape

    opening = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(plain(value, limit=100_000))}"'
        for key, value in attributes.items()
        if value is not None
    )
    inner = "".join(child if isinstance(child, Markup) else escape(plain(child)) for child in children)
    return Markup(f"<{name}{opening}>{inner}</{name}>")  # noqa: S704 - every part is escaped above


def picture(height: float, title: str, description: str, parts: Sequence[Markup], kind: str) -> Markup:
    """An image that says what it shows to those who cannot see it."""
    head = (element("title", title or kind), element("desc", description))
    box = f"0 0 {WIDTH} {height:g}"
    return element("svg", *head, *parts, class_=f"chart {kind}", viewBox=box, role="img", width=WIDTH, height=height)


def lines_svg(chart: Lines, zone: tzinfo | None = UTC) -> Markup:
    """A line chart with axes, marks, × for NaN and inf, and a letter at the end of each line."""
    curves = [curve_of(line, line.y, chart) for line in chart.lines]
    raws = behind(chart)
    known = any(np.isfinite(curve.y).any() for curve in curves + raws)
    x_low, x_high, y_low, y_high = limits(curves + raws, chart, None, None)
    y_marks = y_ticks_of(chart, y_low, y_high, 6) if known else []
    left = 14 + _LETTER * max((len(mark.label) for mark in y_marks), default=1)
    frame = _Frame(left, 12, WIDTH - left - (24 if len(curves) > 1 else 10), 218, x_low, x_high, y_low, y_high)
    parts: list[Markup] = []
    for mark in y_marks:
        y = frame.y(mark.value)
        parts.append(element("line", class_="grid", x1=left, x2=left + frame.width, y1=y, y2=y))
        parts.append(element("text", mark.label, class_="tick", x=left - 7, y=y + 4, text_anchor="end"))
    for mark in x_ticks(chart, x_low, x_high, 7, zone) if known else []:
        parts.append(element("text", mark.label, class_="tick", x=frame.x(mark.value), y=250, text_anchor="middle"))
    parts.append(element("line", class_="axis", x1=left, x2=left + frame.width, y1=230, y2=230))
    parts.append(element("text", chart.x_label, class_="tick", x=left + frame.width, y=266, text_anchor="end"))
    for x, label in vertical_marks(chart):
        if x_low <= x <= x_high:
            parts.append(element("line", class_="mark", x1=frame.x(x), x2=frame.x(x), y1=12, y2=230))
            parts.append(element("text", cut(plain(label), 40), class_="tick", x=frame.x(x) + 4, y=22))
    parts += [_path(frame, curve, "raw") for curve in raws]
    for index, curve in enumerate(curves):
        parts += _curve(frame, curve, LETTERS[index] if len(curves) > 1 and index < len(LETTERS) else "")
    if not known:
        parts.append(element("text", "no values to draw", class_="tick", x=WIDTH / 2, y=125, text_anchor="middle"))
    names = ", ".join(curve.name for curve in curves)
    said = "; ".join(notes(curves))
    description = f"Lines over {chart.x_label}: {names}. {said}".strip()
    return picture(272, chart.title or chart.y_label, description, parts, "lines")


class _Frame:
    """Maps values to pixels of the plot's rectangle."""

    def __init__(
        self,
        left: float,
        top: float,
        width: float,
        height: float,
        x_low: float,
        x_high: float,
        y_low: float,
        y_high: float,
    ) -> None:
        self.left, self.top, self.width, self.height = left, top, width, height
        self.x_low, self.x_high, self.y_low, self.y_high = x_low, x_high, y_low, y_high

    def x(self, value: float) -> float:
        return round(self.left + (value - self.x_low) / (self.x_high - self.x_low) * self.width, 1)

    def y(self, value: float) -> float:
        return round(self.top + (self.y_high - value) / (self.y_high - self.y_low) * self.height, 1)


def color_class(color: int) -> str:
    """The class of a run's colour; beyond the palette lines are dashed."""
    return f"c{color % len(palette.DARK)}" + (" dashed" if color >= len(palette.DARK) else "")


def _path(frame: _Frame, curve: Curve, kind: str) -> Markup:
    x, y = thin(curve.x, curve.y, _POINTS)
    steps: list[str] = []
    pen = "M"
    for one, two in zip(x.tolist(), y.tolist(), strict=True):
        if math.isfinite(one) and math.isfinite(two):
            steps.append(f"{pen}{frame.x(one):g} {frame.y(two):g}")
            pen = "L"
        else:
            pen = "M"
    return element("path", class_=f"{kind} {color_class(curve.color)}", d="".join(steps))


def _curve(frame: _Frame, curve: Curve, letter: str) -> Iterator[Markup]:
    color = color_class(curve.color)
    yield _path(frame, curve, "line")
    shown = np.flatnonzero(np.isfinite(curve.y) & np.isfinite(curve.x))
    for index in _alone(curve):
        yield element("circle", class_=f"dot {color}", cx=frame.x(curve.x[index]), cy=frame.y(curve.y[index]), r=2.5)
    columns = {round(frame.x(x) / 4) * 4 for x in curve.bad_x.tolist() if frame.x_low <= x <= frame.x_high}
    for x in sorted(columns):
        yield element("text", "×", class_=f"nan {color}", x=x, y=14, text_anchor="middle")
    if letter and len(shown):
        last = shown[-1]
        yield element(
            "text", letter, class_=f"letter {color}", x=frame.x(curve.x[last]) + 6, y=frame.y(curve.y[last]) + 4
        )


def _alone(curve: Curve) -> list[int]:
    """Points without a neighbour, which no line shows; at most as many as anybody could tell apart."""
    known = np.isfinite(curve.y) & np.isfinite(curve.x)
    before, after = np.append(False, known[:-1]), np.append(known[1:], False)
    return [int(index) for index in np.flatnonzero(known & ~before & ~after)[:_POINTS]]


def spark_svg(values: Sequence[float]) -> Markup:
    """A line as small as a word."""
    data = np.asarray(values, np.float64)
    x, y = thin(np.arange(len(data)), data, 60)
    known = y[np.isfinite(y)]
    low, high = (float(known.min()), float(known.max())) if len(known) else (0.0, 1.0)
    frame = _Frame(1, 2, 78, 14, 0, max(len(data) - 1, 1), low, high if high > low else low + 1)
    path = _path(frame, Curve("", 0, x, y, data[:0], 0), "line")
    return element("svg", element("title", "trend"), path, class_="spark", viewBox="0 0 80 18", role="img")


def bars_svg(bars: Bars) -> Markup:
    """Lying bars with values for one series, upright groups for several."""
    parts = list(_lying(bars) if len(bars.series) < 2 else _upright(bars))
    height = 22 * max(len(bars.labels), 1) + 8 if len(bars.series) < 2 else 220
    names = ", ".join(name for name, _ in bars.series)
    return picture(height, bars.title, f"Bars of {names} for {len(bars.labels)} labels", parts, "bars")


def _lying(bars: Bars) -> Iterator[Markup]:
    values = list(bars.series[0][1]) if bars.series else []
    longest = max((abs(value) for value in values if math.isfinite(value)), default=0.0) or 1.0
    labels = [cut(plain(label), 34) for label in bars.labels]
    left = 12 + _LETTER * max(map(width, labels), default=1)
    for index, (label, value) in enumerate(zip(labels, values, strict=False)):
        y = 4 + 22 * index
        length = round((WIDTH - left - 80) * abs(value) / longest, 1) if math.isfinite(value) else 0
        yield element("text", label, class_="label", x=left - 8, y=y + 13, text_anchor="end")
        yield element("rect", class_="fill c0", x=left, y=y, width=max(length, 1), height=16, rx=2)
        yield element("text", units.value(value, bars.unit), class_="tick", x=left + length + 6, y=y + 13)


def _upright(bars: Bars) -> Iterator[Markup]:
    flat = [value for _, values in bars.series for value in values if math.isfinite(value)]
    low, high = min([0.0, *flat]), max([0.0, *flat])
    high = high if high > low else low + 1
    marks = ticks(low, high, 5)
    left = 14 + _LETTER * max(len(mark.label) for mark in marks)
    frame = _Frame(left, 8, WIDTH - left - 4, 180, 0, max(len(bars.labels), 1), low, high)
    for mark in marks:
        y = frame.y(mark.value)
        yield element("line", class_="grid", x1=left, x2=WIDTH - 4, y1=y, y2=y)
        yield element("text", mark.label, class_="tick", x=left - 7, y=y + 4, text_anchor="end")
    slot = frame.width / max(len(bars.labels), 1)
    size = slot * 0.8 / len(bars.series)
    stride = _stride([plain(label) for label in bars.labels], slot)
    for index, label in enumerate(bars.labels):
        for number, (name, values) in enumerate(bars.series):
            if index < len(values) and math.isfinite(values[index]):
                top, floor = frame.y(max(values[index], 0)), frame.y(min(values[index], 0))
                said = element("title", f"{name}, {label}: {units.value(values[index], bars.unit)}")
                x = round(left + slot * (index + 0.1) + size * number, 1)
                color = f"fill {color_class(number)}"
                yield element(
                    "rect", said, class_=color, x=x, y=top, width=round(size, 1), height=round(floor - top, 1)
                )
        if index % stride == 0:
            middle = round(left + slot * (index + 0.5), 1)
            yield element("text", cut(plain(label), 24), class_="tick", x=middle, y=206, text_anchor="middle")


def _stride(labels: Sequence[str], slot: float) -> int:
    """Every how many labels can be written without touching the next."""
    longest = min(max(map(width, labels), default=1), 24) * _LETTER + 8
    return max(1, math.ceil(longest / slot))


def heat_svg(heat: Heat) -> Markup:
    """A heat map; flagged cells carry a mark, and every cell says its value to the pointer and to screen readers."""
    low, high = heat_limits(heat)
    names = [cut(plain(name), 30) for name in heat.rows]
    left = 12 + _LETTER * max(map(width, names), default=1)
    slot = min((WIDTH - left - 4) / max(len(heat.columns), 1), 72)
    parts: list[Markup] = []
    for line, name in enumerate(names):
        y = 4 + 24 * line
        parts.append(element("text", name, class_="label", x=left - 8, y=y + 15, text_anchor="end"))
        for column, label in enumerate(heat.columns):
            value = heat.values[line][column] if column < len(heat.values[line]) else None
            x = round(left + slot * column, 1)
            parts += _heat_cell(
                value, value is not None and is_flagged(heat, line, column), f"{name}, {label}", x, y, slot, low, high
            )
    stride = _stride([plain(label) for label in heat.columns], slot)
    floor = 24 * len(names) + 20
    for column in range(0, len(heat.columns), stride):
        text = cut(plain(heat.columns[column]), 24)
        parts.append(element("text", text, class_="tick", x=round(left + slot * column, 1), y=floor))
    rows, columns = len(heat.rows), len(heat.columns)
    description = f"{rows} rows by {columns} columns, from {units.number(low)} to {units.number(high)}"
    return picture(floor + 8, heat.title, description, parts, "heat")


def scale_svg(heat: Heat) -> Markup:
    """The key of a heat map: its colours between the values at both ends, and what the mark means."""
    low, high = heat_limits(heat)
    steps = [element("rect", class_=f"h{step}", x=10 * step, y=0, width=10, height=10) for step in range(HEAT_STEPS)]
    ramp = element("svg", *steps, viewBox=f"0 0 {10 * HEAT_STEPS} 10", aria_hidden="true")
    meaning = ""
    if heat.threshold is not None:
        meaning = f"▲ at or above {units.number(heat.threshold)}"
    elif any(any(line) for line in heat.flags):
        meaning = "▲ beyond its threshold"
    return element("span", units.number(low, 3), ramp, units.number(high, 3), f" {meaning}", class_="scale")


def _heat_cell(
    value: float | None, flagged: bool, name: str, x: float, y: float, slot: float, low: float, high: float
) -> Iterator[Markup]:
    said = element("title", f"{name}: {units.number(value)}{' (beyond threshold)' if flagged else ''}")
    step = "none" if value is None else f"h{min(int(share(value, low, high) * HEAT_STEPS), HEAT_STEPS - 1)}"
    size = round(max(slot - 2, 1), 1)
    yield element("rect", said, class_=step, x=x, y=y, width=size, height=22, rx=2)
    if flagged:
        middle = x + size / 2
        yield element(
            "path", class_="flag", d=f"M{middle - 4:g} {y + 15:g}L{middle:g} {y + 7:g}L{middle + 4:g} {y + 15:g}Z"
        )
