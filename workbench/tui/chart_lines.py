"""Charts as blocks: the curves of every run in one order, so that a letter is the same run on every chart."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np
from msgspec import Struct
from msgspec.structs import replace
from numpy.typing import NDArray

from workbench.core.blocks import Line, Lines
from workbench.core.model import Run, Series
from workbench.core.palette import stable_color
from workbench.core.series import smooth
from workbench.core.series_axes import axis_kind, axis_label, x_of
from workbench.core.series_charts import CURVES, Chart
from workbench.tui.chart_manner import Manner
from workbench.tui.chart_points import ChartPoints

_NOTHING = np.empty(0)


class Curves(Struct, frozen=True, eq=False, dict=True):
    """A chart's lines, one for each run, empty where a run has none; and where it can be read."""

    block: Lines
    logged: Sequence[tuple[NDArray[np.float64], NDArray[np.float64]]]
    """Finite points of each line as they were logged, x ascending."""
    thinned: Sequence[bool]
    """Lines of which not every point is here."""
    last: Sequence[float | None]
    """The last value of each line, whatever is in sight."""
    extent: tuple[float, float] | None
    """Lowest and highest x of a value, whatever is in sight."""
    missing: int = 0
    """Lines whose points have not come yet."""

    def at(self, x: float) -> list[float | None]:
        """The value of each line at its point nearest to x; None beside its ends."""
        return [_nearest(xs, ys, x) for xs, ys in self.logged]

    @cached_property
    def places(self) -> NDArray[np.float64]:
        """Every x with a value, ascending."""
        known = [xs for xs, _ in self.logged if len(xs)]
        return np.unique(np.concatenate(known)) if known else _NOTHING

    @cached_property
    def bad(self) -> int:
        """Points that are NaN or inf."""
        return sum(int((~np.isfinite(line.y)).sum()) for line in self.block.lines)


def _nearest(xs: NDArray[np.float64], ys: NDArray[np.float64], x: float) -> float | None:
    if not len(xs) or not xs[0] <= x <= xs[-1]:
        return None
    right = int(np.searchsorted(xs, x))
    left = max(right - 1, 0)
    right = min(right, len(xs) - 1)
    return float(ys[left] if x - xs[left] < xs[right] - x else ys[right])


def colors_of(runs: Sequence[Run]) -> list[int]:
    """A palette index for each run, the same as in the table."""
    taken: list[int] = []
    for run in runs:
        taken.append(stable_color(run.id, taken))
    return taken


class ChartLines:
    """Curves of charts, made again only when their points or their manner are others."""

    def __init__(self, points: ChartPoints) -> None:
        self._points = points
        self._made: dict[str, tuple[Sequence[Any], Curves]] = {}

    def curves(self, chart: Chart, runs: Sequence[Run], names: Sequence[str], manner: Manner, unit: str) -> Curves:
        """The curves of a chart."""
        parts = [self._parts(chart, run, manner) for run in runs]
        anywhere = replace(manner, span=None, marker="braille")
        starts = [run.started_at for run in runs]
        key = [*(each for part in parts for each in part), chart, *names, anywhere, unit, *starts]
        before = self._made.get(chart.title)
        if before is not None and _same(before[0], key):
            return before[1]
        made = self._make(chart, runs, names, manner, unit, parts)
        self._made[chart.title] = key, made
        return made

    def _parts(self, chart: Chart, run: Run, manner: Manner) -> tuple[Series | None, Series | None]:
        """The series of y, and that of x where there is one."""
        points = self._points
        if chart.kind == "curve":
            return points.series(run.id, chart.keys[1]), points.series(run.id, chart.keys[0])
        over = points.series(run.id, manner.axis_key) if manner.axis_key is not None else None
        return points.near(run.id, chart.keys[0], points.steps_in_sight(run, chart.keys[0], manner)), over

    def _make(
        self,
        chart: Chart,
        runs: Sequence[Run],
        names: Sequence[str],
        manner: Manner,
        unit: str,
        parts: Sequence[tuple[Series | None, Series | None]],
    ) -> Curves:
        lines, logged, thinned, ends = [], [], [], []
        weight = manner.smooth if chart.kind == "metric" and 0 < manner.smooth < 1 else 0.0
        for run, name, color, (series, over) in zip(runs, names, colors_of(runs), parts, strict=True):
            x, y = _values(chart, run, manner, series, over)
            lines.append(Line(name, x, smooth(y, weight), y, color) if weight else Line(name, x, y, None, color))
            logged.append(_readable(x, y))
            thinned.append(series is not None and series.n > len(series.value))
            whole = self._points.series(run.id, chart.keys[-1])
            ends.append(logged[-1] if whole is series else _readable(*_values(chart, run, manner, whole, over)))
        known = [xs for xs, _ in ends if len(xs)]
        extent = (min(float(xs[0]) for xs in known), max(float(xs[-1]) for xs in known)) if known else None
        last = [float(ys[-1]) if len(ys) else None for _, ys in ends]
        missing = sum(part[0] is None and _has(run, chart) for part, run in zip(parts, runs, strict=True))
        return Curves(_block(chart, lines, manner, unit), logged, thinned, last, extent, missing)


def _has(run: Run, chart: Chart) -> bool:
    return chart.keys[-1] in run.metrics


def _same(one: Sequence[Any], other: Sequence[Any]) -> bool:
    """Whether both are made of the very same series, and of equal rest."""
    return len(one) == len(other) and all(
        a is b if isinstance(a, Series) or isinstance(b, Series) else a == b for a, b in zip(one, other, strict=True)
    )


def _values(
    chart: Chart, run: Run, manner: Manner, series: Series | None, over: Series | None
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """x and y of a run's line."""
    if series is None or (chart.kind == "curve" and over is None):
        return _NOTHING, _NOTHING
    if chart.kind == "curve" and over is not None:
        _, left, right = np.intersect1d(over.step, series.step, return_indices=True)
        return np.asarray(over.value[left], np.float64), np.asarray(series.value[right], np.float64)
    if manner.axis_key is not None and over is None:
        return _NOTHING, _NOTHING
    return x_of(series, manner.axis, over, run.started_at), np.asarray(series.value, np.float64)


def _readable(x: NDArray[np.float64], y: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Finite points, by x."""
    known = np.isfinite(x) & np.isfinite(y)
    if not known.all():
        x, y = x[known], y[known]
    if len(x) > 1 and (np.diff(x) < 0).any():
        order = np.argsort(x, kind="stable")
        x, y = x[order], y[order]
    return x, y


def _block(chart: Chart, lines: Sequence[Line], manner: Manner, unit: str) -> Lines:
    if chart.kind == "curve":
        x, y = next(ends for ends in CURVES.values() if chart.keys[1].endswith(f"/{ends[1]}"))
        return Lines(lines, chart.title, x, y)
    label, kind = axis_label(manner.axis, manner.axis_key), axis_kind(manner.axis)
    return Lines(lines, chart.title, label, unit, manner.log_y, kind, log_x=manner.log_x and kind == "number")
