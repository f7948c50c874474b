"""Scatters as inline SVG: every point says its name and values to the pointer and to screen readers."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, tzinfo
from typing import TYPE_CHECKING

from workbench.core.blocks import Axis, Point, Scatter
from workbench.core.scatter import NAMED, Scale, drawable, scale_of
from workbench.core.text import cut, plain
from workbench.core.units import number
from workbench.render.svg import WIDTH, color_class, element, picture

if TYPE_CHECKING:
    from markupsafe import Markup

_LETTER = 6.4  # px a character of tick text takes, about
_HEIGHT, _TOP = 300, 12


def scatter_svg(chart: Scatter, zone: tzinfo | None = UTC) -> Markup:
    """Points with their names; a star is the best, a diamond worth a second look."""
    points = drawable(chart)
    x, y = scale_of(chart.x, [point.x for point in points]), scale_of(chart.y, [point.y for point in points])
    marks = y.marks(6, zone)
    left = 16 + _LETTER * max((len(cut(mark.label, 24)) for mark in marks), default=1)
    across, floor = WIDTH - left - 10, _TOP + _HEIGHT
    parts: list[Markup] = []
    for mark in marks:
        height = round(floor - mark.value * _HEIGHT, 1)
        parts.append(element("line", class_="grid", x1=left, x2=left + across, y1=height, y2=height))
        parts.append(element("text", cut(mark.label, 24), class_="tick", x=left - 7, y=height + 4, text_anchor="end"))
    for mark in x.marks(8, zone):
        place = round(left + mark.value * across, 1)
        words = cut(mark.label, 24)
        parts.append(element("text", words, class_="tick", x=place, y=floor + 20, text_anchor="middle"))
    parts.append(element("line", class_="axis", x1=left, x2=left + across, y1=floor, y2=floor))
    parts.append(element("text", chart.x.label, class_="tick", x=left + across, y=floor + 38, text_anchor="end"))
    for point in points:
        parts += _point(point, chart, x, y, left, across, floor, named=len(points) <= NAMED)
    description = f"{len(points)} points: {chart.y.label} over {chart.x.label}"
    return picture(floor + 46, chart.title or chart.y.label, description, parts, "scatter")


def _point(
    point: Point, chart: Scatter, x: Scale, y: Scale, left: float, across: float, floor: float, *, named: bool
) -> Iterator[Markup]:
    middle, height = round(left + x.share(point.x) * across, 1), round(floor - y.share(point.y) * _HEIGHT, 1)
    said = f"{point.name}: {chart.x.label} {_value(chart.x, point.x)}, {chart.y.label} {_value(chart.y, point.y)}"
    color = color_class(point.color)
    if point.tone in ("good", "accent"):
        glyph = "★" if point.tone == "good" else "◆"
        title = element("title", said)
        yield element("text", title, glyph, class_=f"letter {color}", x=middle, y=height + 5, text_anchor="middle")
    else:
        yield element("circle", element("title", said), class_=f"dot {color}", cx=middle, cy=height, r=4)
    if named or point.tone in ("good", "accent"):
        at_end = middle > left + across * 0.85
        anchor, place = ("end", middle - 9) if at_end else ("start", middle + 9)
        yield element("text", cut(plain(point.name), 28), class_="tick", x=place, y=height + 4, text_anchor=anchor)


def _value(axis: Axis, value: float) -> str:
    place = round(value)
    return axis.names[place] if axis.names and 0 <= place < len(axis.names) else number(value)
