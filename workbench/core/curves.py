"""Lines as curves on an axis: scales, limits, ticks, and what of a line cannot be drawn."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from datetime import UTC, tzinfo
from typing import TYPE_CHECKING

import numpy as np
from msgspec import Struct

from workbench.core.blocks import Line, Lines
from workbench.core.text import plain
from workbench.core.ticks import Tick, log_ticks, ticks

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from workbench.core.strokes import Floats


class Curve(Struct, frozen=True):
    """A line to draw: y in the axis's own scale, NaN where it breaks."""

    name: str
    color: int
    x: Floats
    y: Floats
    bad_x: Floats
    """x of NaN and inf."""
    hidden: int
    """Points a logarithmic axis cannot show."""
    hidden_x: int = 0
    """Points left of what a logarithmic x axis can show."""


def power(exponent: float) -> float:
    """Ten to a power, within what a double can say."""
    return math.pow(10.0, min(max(exponent, -307.0), 308.0))


def scaled(value: float, log: bool) -> float:
    """A value on an axis's own scale; NaN where a logarithmic one cannot show it."""
    if not log:
        return value
    return math.log10(value) if value > 0 else math.nan


def curve_of(line: Line, values: NDArray[np.float64], chart: Lines) -> Curve:
    """One line of a chart, or its raw values, on linear or logarithmic axes; where axes have names, NaN is unknown."""
    x, y = np.asarray(line.x, np.float64), np.asarray(values, np.float64)
    hidden_x = 0
    if chart.log_x:
        right = x > 0
        hidden_x = int(len(x) - right.sum())
        x, y = np.log10(x[right]), y[right]
    finite = np.isfinite(y)
    bad_x, hidden = x[~finite], 0
    if chart.log_y:
        shown = finite & (y > 0)
        hidden = int(finite.sum() - shown.sum())
        y = np.log10(y, out=np.full(len(y), np.nan), where=shown)
    elif len(bad_x):
        y = np.where(finite, y, np.nan)
    bad_x = bad_x[:0] if chart.x_names else bad_x
    return Curve(plain(line.name, limit=200), line.color, x, y, bad_x, hidden, hidden_x)


def behind(chart: Lines) -> list[Curve]:
    """What is drawn fainter behind the curves: unsmoothed values, and the edges of bands."""
    return [
        curve_of(line, values, chart)
        for line in chart.lines
        for values in (line.raw, line.low, line.high)
        if values is not None
    ]


def limits(
    curves: Sequence[Curve],
    chart: Lines,
    x_range: tuple[float, float] | None,
    y_range: tuple[float, float] | None,
) -> tuple[float, float, float, float]:
    """x_low, x_high, y_low, y_high of a chart, in the axes' own scales; ranges zoom, in the units of x and values."""
    if x_range is not None and chart.log_x:
        x_range = (math.log10(min(x_range)), math.log10(max(x_range))) if min(x_range) > 0 else None
    if x_range is None:
        x_range = _named_extent(chart.x_names) or _extent([curve.x[~np.isnan(curve.y)] for curve in curves])
    x_low, x_high = _apart(*x_range, room=0.5 if chart.x_kind == "number" else 30.0)
    if y_range is not None and chart.log_y:
        y_range = (math.log10(y_range[0]), math.log10(y_range[1])) if min(y_range) > 0 else None
    if y_range is None:
        low, high = _named_extent(chart.y_names) or _extent(
            [curve.y[(curve.x >= x_low) & (curve.x <= x_high)] for curve in curves]
        )
        room = 0.02 * (high - low) if math.isfinite(high - low) else 0.0
        y_range = (low - room, high + room)
    return x_low, x_high, *_apart(*y_range)


def _named_extent(names: Sequence[str]) -> tuple[float, float] | None:
    """An axis with names is as long as they are many, whatever lies on it."""
    return (0.0, float(len(names) - 1)) if len(names) > 1 else None


def _extent(parts: Sequence[Floats]) -> tuple[float, float]:
    lows, highs = [], []
    for part in parts:
        known = part[np.isfinite(part)]
        if len(known):
            lows.append(float(known.min()))
            highs.append(float(known.max()))
    return (min(lows), max(highs)) if lows else (0.0, 1.0)


def _apart(low: float, high: float, room: float = 0.0) -> tuple[float, float]:
    """Limits that differ by enough to divide by, and by no more than a double can say."""
    low, high = max(min(low, high), -8e307), min(max(low, high), 8e307)
    if high - low > 1e-12 * max(abs(low), abs(high)) and high - low > 1e-300:
        return low, high
    room = max(room, abs(low) * 1e-9) if room else abs(low) * 0.1 or 0.5
    return low - room, high + room


def notes(curves: Sequence[Curve]) -> Iterator[str]:
    """What of each curve cannot be drawn, in words."""
    for curve in curves:
        if len(curve.bad_x):
            yield f"{curve.name}: {len(curve.bad_x):,} NaN or inf ×"
        if curve.hidden:
            yield f"{curve.name}: {curve.hidden:,} points ≤ 0 hidden"
    left = sum(curve.hidden_x for curve in curves)
    if left:
        yield f"{left:,} {'point' if left == 1 else 'points'} at x ≤ 0 hidden"


def y_ticks(log_y: bool, low: float, high: float, most: int) -> list[Tick]:
    """Ticks from low to high, all in the axis's own scale, labelled in values."""
    if not log_y:
        return ticks(low, high, most)
    return [Tick(math.log10(tick.value), tick.label) for tick in log_ticks(power(low), power(high), most)]


def y_ticks_of(chart: Lines, low: float, high: float, most: int) -> list[Tick]:
    """Ticks of a chart's y axis from low to high: its names, or values."""
    return _named(chart.y_names, low, high) if chart.y_names else y_ticks(chart.log_y, low, high, most)


def _named(names: Sequence[str], low: float, high: float) -> list[Tick]:
    """Ticks at the places of names."""
    return [Tick(place, plain(name, limit=40)) for place, name in enumerate(names) if low <= place <= high]


def vertical_marks(chart: Lines) -> list[tuple[float, str]]:
    """Vertical marks in the x axis's own scale; those that it cannot show are left out."""
    placed = [(scaled(x, chart.log_x), label) for x, label in chart.marks]
    return [(x, label) for x, label in placed if math.isfinite(x)]


def x_ticks(chart: Lines, low: float, high: float, most: int, zone: tzinfo | None = UTC) -> list[Tick]:
    """Ticks of the x axis from low to high, all in the axis's own scale."""
    if chart.x_names:
        return _named(chart.x_names, low, high)
    return y_ticks(True, low, high, most) if chart.log_x else ticks(low, high, most, chart.x_kind, zone)
