"""Parallel coordinates as lines: an axis beside the other, a line per run through its values, the metric last."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from workbench.core.compare_columns import RunColumn
from workbench.core.scatter import scale_of
from workbench.plugin.api import Axis, Line, Lines

MOST_LINES = 6
"""Lines that can be told apart where they cross; all of them where all are asked for."""
_ROOM = 11
"""Columns that an axis wants, with the way to the next one."""


def polylines(metric: RunColumn, axes: Sequence[RunColumn], labels: Sequence[str], order: Sequence[int]) -> Lines:
    """Lines of these runs in their order, through the axes and then the metric.

    Every axis goes from its lowest value to its highest over all runs, those without a line as well; names stand in
    their order. A value that is not known breaks the line.
    """
    columns = [*axes, metric]
    places = [_shares(column) for column in columns]
    at_axis = np.arange(len(columns), dtype=np.float64)
    lines = [
        Line(labels[run], at_axis, np.array([place[run] for place in places]), color=rank)
        for rank, run in enumerate(order)
    ]
    marks = [(float(place), "") for place in range(len(columns))]
    names = [column.title for column in columns]
    return Lines(lines, x_label="", marks=marks, x_names=names, y_names=("lowest", "highest"))


def axes_that_fit(axes: Sequence[RunColumn], columns: int) -> Sequence[RunColumn]:
    """Axes, the most telling first, that have room beside the metric's."""
    return axes[: max(1, (columns - _ROOM) // _ROOM - 1)]


def _shares(column: RunColumn) -> list[float]:
    """Where each run lies between the axis's ends, from 0 to 1; NaN where that is not known."""
    places = column.places
    known = [place for place in places if place is not None]
    if not known:
        return [math.nan] * len(places)
    scale = scale_of(Axis(log=column.is_log, names=column.names), known)
    low, high = scale.share(min(known)), scale.share(max(known))
    span = high - low
    return [math.nan if place is None else (scale.share(place) - low) / span if span > 0 else 0.5 for place in places]
