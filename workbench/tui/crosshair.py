"""The crosshair: one x at which every chart of a view is read, moved from value to value."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence

from workbench.core import units
from workbench.tui.drawing import Plotted


def first_place(plots: Sequence[Plotted]) -> float | None:
    """Where a crosshair starts: the newest value, or None where there is no chart."""
    return plots[0].steps[-1] if plots else None


def moved(plots: Sequence[Plotted], here: float, columns: int) -> float:
    """The next value at least so many columns further on; the last one where there is none."""
    steps = sorted({step for plot in plots for step in plot.steps})
    if not steps:
        return here
    there = here + min((plot.beside(here, columns) - here for plot in plots), key=abs) * 0.999
    if columns > 0:
        place = max(bisect_left(steps, there), bisect_right(steps, here))
        return steps[min(place, len(steps) - 1)]
    place = min(bisect_right(steps, there), bisect_left(steps, here)) - 1
    return steps[max(place, 0)]


def at_column(plots: Sequence[Plotted], x: int, y: int) -> float | None:
    """The value nearest to a cell, or None beside every chart."""
    for plot in plots:
        if plot.y <= y < plot.y + plot.height and plot.x <= x < plot.x + plot.width:
            wanted = plot.x_at(x - plot.x)
            return min(plot.steps, key=lambda step: abs(step - wanted))
    return None


def words(plots: Sequence[Plotted], here: float) -> str:
    """Where the crosshair is: `step 34`, `12:04:11`, `3m 12s`."""
    kind = plots[0].kind if plots else "number"
    if kind == "time":
        return units.timestamp(here, None)[:19]
    return units.duration(here) if kind == "duration" else f"step {units.number(here, 9)}"
