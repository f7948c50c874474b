"""What several panels share: cells for states and values, the order of metrics, charts of what belongs together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from workbench.core import units
from workbench.core.compare import Delta
from workbench.core.model import Roles, Run, Series
from workbench.core.palette import stable_color
from workbench.core.roles import words_of
from workbench.core.series import smooth
from workbench.core.series_axes import x_of
from workbench.core.status import STATE_MARKS
from workbench.plugin.api import Cell, Column, Fit, Focus, Line, Lines, Tone

if TYPE_CHECKING:
    from numpy.typing import NDArray

CHART_POINTS = 480
"""Points asked for a curve: more than any terminal or page has columns for."""

_SPLITS = frozenset({"train", "training", "val", "valid", "validation", "test", "eval", "evaluation", "dev"})
_KIND_ORDER = {"business": 0, "performance": 1, "latency": 2, "data": 3, "other": 4, "system": 5}
_COUNTERS = frozenset({"epoch", "step", "iter", "iteration", "steps", "epochs", "time", "timestamp"})


def state_cell(run: Run, fit: Fit) -> Cell:
    """A run's state as glyph and word."""
    glyph, plain, tone = STATE_MARKS[run.status]
    mark = " !" if run.attention in ("warn", "bad") else ""
    return Cell(run.status, tone, text=f"{glyph if fit.unicode else plain} {run.status}{mark}")


def delta_tone(change: Delta | None) -> Tone:
    """Good or bad by the metric's direction; none where that is unknown or the change too small to be shown."""
    if change is None or change.better is None or (change.relative is not None and abs(change.relative) < 0.0005):
        return ""
    return "good" if change.better else "bad"


def value_cell(value: float | None, change: Delta | None = None, unit: str | None = None) -> Cell:
    """A value with its change to the baseline; `unit` where the rows of a column differ in it."""
    text = "" if unit is None or value is None else units.value(value, unit)
    return Cell(value, delta_tone(change), None if change is None else change.relative, text=text)


def param_cell(value: object) -> Cell:
    """A parameter as it was logged: a seed is no quantity, so its digits are not grouped or rounded."""
    if value is None or isinstance(value, str | bool | int | float):
        return Cell(value, text=units.logged(value))
    return Cell(str(value))


def duration_of(run: Run, now: float) -> float | None:
    """Seconds from start to end, to now while it runs, else to the last data."""
    if run.started_at is None:
        return None
    end = run.ended_at if run.ended_at is not None else now if run.status == "running" else run.updated_at
    return None if end is None else max(end - run.started_at, 0.0)


def metric_order(runs: Sequence[Run], roles: Callable[[str], Roles], first: Sequence[str] = ()) -> list[str]:
    """Keys of the runs' metrics: the given ones, then business, model, latency and data, the common before the rare."""
    counts = Counter(key for run in runs for key in run.metrics)
    leading = [key for key in dict.fromkeys(first) if key in counts]
    rest = sorted(counts.keys() - set(leading), key=lambda key: (*_rank(key, roles(key)), -counts[key], key))
    return [*leading, *rest]


def _rank(key: str, roles: Roles) -> tuple[bool, int, int]:
    """Counters last, kinds in order, validation before training."""
    words = set(words_of(key))
    split = 2 if words & {"train", "training"} else 0 if words & _SPLITS else 1
    return words <= _COUNTERS, _KIND_ORDER[roles.kind], split


def chart_groups(keys: Sequence[str]) -> list[tuple[str, list[str]]]:
    """Keys that belong on one chart, such as `train/loss` and `val/loss`, under the words they share."""
    groups: dict[tuple[str, ...], list[str]] = {}
    for key in keys:
        words = words_of(key)
        if set(words) <= _COUNTERS:
            continue
        shared = tuple(word for word in words if word not in _SPLITS) or tuple(words)
        groups.setdefault(shared, []).append(key)
    return [(group[0] if len(group) == 1 else " ".join(shared), group) for shared, group in groups.items()]


def curve(series: Series, name: str, color: int, options: Mapping[str, object], start: float | None = None) -> Line:
    """A series as a curve over step, wall time, or seconds since `start`, smoothed where the options ask for it.

    An axis that needs another metric is the step here.
    """
    x = x_of(series, str(options.get("x", "step")), None, start)
    return line_of(name, x, np.asarray(series.value, np.float64), color, options)


def line_of(
    name: str, x: NDArray[np.float64], y: NDArray[np.float64], color: int, options: Mapping[str, object]
) -> Line:
    """A line of these values, smoothed where the options ask for it, the raw ones behind."""
    weight = options.get("smooth", 0.0)
    if isinstance(weight, int | float) and 0 < weight < 1:
        return Line(name, x, smooth(y, float(weight)), y, color)
    return Line(name, x, y, None, color)


def lines_of(lines: Sequence[Line], title: str, unit: str, focus: Focus) -> Lines:
    """Curves under one title, on the x axis and y scale the focus asks for."""
    axis = str(focus.options.get("x", "step"))
    label, kind = {"wall": ("time", "time"), "relative": ("since start", "duration")}.get(axis, ("step", "number"))
    log_y = bool(focus.options.get("log_y", False))
    log_x = bool(focus.options.get("log_x", False)) and kind == "number"
    return Lines(lines, title, label, unit, log_y, kind, log_x=log_x)  # type: ignore[arg-type]


def run_colors(runs: Sequence[Run]) -> dict[str, int]:
    """A palette index for each run: its own stable one, or the next free."""
    colors: dict[str, int] = {}
    for run in runs:
        colors[run.id] = stable_color(run.id, colors.values())
    return colors


def labels_of(runs: Sequence[Run]) -> list[str]:
    """Names of runs, with the start of the id behind those that are not unique."""
    counts = Counter(run.name for run in runs)
    return [run.name if counts[run.name] == 1 else f"{run.name} {run.id[:4]}" for run in runs]


def that_fit(columns: Sequence[Column], rows: Sequence[Sequence[Cell]], fit: Fit) -> list[int]:
    """Indices of the columns there is room for, dropping the highest priority first and the last among equals."""
    widths = [_width(column, [row[index] for row in rows]) for index, column in enumerate(columns)]
    kept = sorted(range(len(columns)), key=lambda index: (columns[index].priority, index))
    while len(kept) > 1 and columns[kept[-1]].priority and sum(widths[index] + 2 for index in kept) - 2 > fit.columns:
        kept.pop()
    return sorted(kept)


def _width(column: Column, cells: Sequence[Cell]) -> int:
    """Characters a column takes, near enough to choose columns by."""
    unit = f" ({column.unit})" if column.unit and not units.has_format(column.unit) else ""
    wanted = [len(column.title or column.key) + len(unit), *(_cell_width(cell, column.unit) for cell in cells)]
    return column.width or max(wanted)


def _cell_width(cell: Cell, unit: str) -> int:
    if cell.text:
        shown = len(cell.text)
    elif cell.spark:
        shown = 16
    elif isinstance(cell.value, bool) or cell.value is None:
        shown = 3
    else:
        shown = len(cell.value) if isinstance(cell.value, str) else len(units.value(cell.value, unit))
    mark = 2 if cell.tone in ("good", "bad", "warn") else 0
    return shown + mark + (0 if cell.delta is None else len(units.delta(cell.delta)) + 1)
