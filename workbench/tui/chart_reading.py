"""Where charts are read and what of them is in sight: crosshair, zoom and pan, the same for every chart of a screen."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from textual import on

from workbench.core import units
from workbench.core.series_charts import Chart
from workbench.tui.bars import Piece
from workbench.tui.chart_grid import ChartGrid
from workbench.tui.chart_manner import Manner, within, zoomed
from workbench.tui.chrome import WorkbenchScreen
from workbench.tui.lines_view import LinesView
from workbench.tui.run_actions import ChartActions

if TYPE_CHECKING:
    from numpy.typing import NDArray

ZOOM = 0.5
"""Share of what is in sight that a zoom leaves."""
PAN = 0.25
"""Share of what is in sight that it moves on."""


class ChartReading(ChartActions, WorkbenchScreen):
    """Keys and mouse that read charts; a screen says which chart is meant, and draws what has changed."""

    crosshair: float | None = None
    """The x at which every chart is read."""
    passing: float | None = None
    """The x the mouse is over; it takes the place of the crosshair until the mouse leaves."""
    span: tuple[float, float] | None = None
    """The x values in sight; None is all."""

    @property
    def charts(self) -> ChartGrid:
        """The grid."""
        raise NotImplementedError

    @property
    def chart(self) -> Chart | None:
        """The chart at the cursor, else the first one with curves on the screen."""
        raise NotImplementedError

    @property
    def manner(self) -> Manner:
        """How charts are drawn."""
        raise NotImplementedError

    def redraw(self) -> None:
        """Draw what has changed, and ask for what it lacks."""
        raise NotImplementedError

    @property
    def curves(self) -> LinesView | None:
        """The grid is no page of blocks."""
        return None

    @property
    def reading(self) -> bool:
        """Whether the crosshair is on."""
        return self.crosshair is not None

    def crosshair_pieces(self) -> list[Piece]:
        """Where the crosshair is, for the line of state."""
        here = self.crosshair if self.passing is None else self.passing
        return [] if here is None else [Piece(f"│ {words_at(here, self.manner)} ", "accent", keep=1)]

    # Crosshair

    def _places(self) -> NDArray[np.float64]:
        """Every x with a value in the chart that is meant."""
        return np.empty(0) if self.chart is None else self.charts.curves_of(self.chart).places

    def action_crosshair(self) -> None:
        """Crosshair on at the newest value in sight, or off."""
        places = self._places()
        if self.crosshair is not None or not len(places):
            self.put(None)
            return
        inside = places if self.span is None else places[places <= self.span[1]]
        self.put(float(inside[-1] if len(inside) else places[-1]))

    def action_cross(self, columns: int) -> None:
        """The next value at least so many columns that way; what is in sight follows."""
        places, span = self._places(), self._in_sight()
        if not len(places) or span is None:
            return
        if self.crosshair is None:
            self.action_crosshair()
            return
        self.put(next_place(places, self.crosshair, columns * self._column(span)))

    def action_cross_end(self, last: bool) -> None:
        """The first or the last value in sight."""
        places = self._places()
        if self.span is not None:
            places = places[(places >= self.span[0]) & (places <= self.span[1])]
        if len(places):
            self.put(float(places[-1 if last else 0]))

    def put(self, x: float | None) -> None:
        """Have the crosshair there, and there in sight."""
        self.crosshair = self.passing = x
        self.passing = None
        whole = self._whole(x)
        if x is not None and self.span is not None and whole is not None:
            low, high = self.span
            if not low <= x <= high:
                by = x - high if x > high else x - low
                self.span = within((low + by, high + by), whole)
        self.redraw()

    def _in_sight(self) -> tuple[float, float] | None:
        """What is in sight of the chart that is meant."""
        return None if self.chart is None else self.span or self.charts.span_of(self.chart)

    def _whole(self, x: float | None) -> tuple[float, float] | None:
        """All there is of the chart that is meant; of every chart on the screen where x lies beside that."""
        own = None if self.chart is None else self.charts.curves_of(self.chart).extent
        return own if own is not None and (x is None or own[0] <= x <= own[1]) else self.charts.extent

    def _column(self, span: tuple[float, float]) -> float:
        """How much of x a column is."""
        return (span[1] - span[0]) / max(self.charts.columns_of(self.chart) - 1, 1)

    @on(ChartGrid.Read)
    def _read(self, event: ChartGrid.Read) -> None:
        event.stop()
        if event.stays:
            self.put(event.x)
        elif event.x != self.passing:
            self.passing = event.x
            self.redraw()

    # Zoom and pan

    def action_zoom(self, steps: int) -> None:
        """Nearer or farther, around the crosshair where it is in sight, else around the middle."""
        self.zoom(steps, self.crosshair)

    def zoom(self, steps: int, at: float | None) -> None:
        """Nearer or farther, around a place that stays where it is."""
        whole, span = self._whole(at), self._in_sight()
        if whole is None or span is None:
            return
        if at is None or not span[0] <= at <= span[1]:
            at = (span[0] + span[1]) / 2
        self.span = zoomed(span, whole, ZOOM**steps, at)
        self.redraw()

    def action_pan(self, steps: int) -> None:
        """Farther left or right."""
        self._pan(steps * PAN)

    def _pan(self, share: float) -> None:
        whole, span = self._whole(None), self.span
        if whole is None or span is None:
            return
        by = share * (span[1] - span[0])
        self.span = within((span[0] + by, span[1] + by), whole)
        self.redraw()

    def action_whole(self) -> None:
        """All there is."""
        self.span = None
        self.redraw()

    @on(ChartGrid.Dragged)
    def _dragged(self, event: ChartGrid.Dragged) -> None:
        event.stop()
        self._pan(-event.share)


def next_place(places: NDArray[np.float64], here: float, by: float) -> float:
    """The nearest place at least so far on, or back; the last one there is where there is none."""
    if by > 0:
        at = max(int(np.searchsorted(places, here + by * 0.999)), int(np.searchsorted(places, here, "right")))
        return float(places[min(at, len(places) - 1)])
    at = min(int(np.searchsorted(places, here + by * 0.999, "right")), int(np.searchsorted(places, here))) - 1
    return float(places[max(at, 0)])


def words_at(x: float, manner: Manner) -> str:
    """An x in words: `step 34`, `12:04:11`, `3m 12s`, `epoch 2.5`."""
    if manner.axis == "wall":
        return units.timestamp(x, None)[:19]
    if manner.axis == "relative":
        return units.duration(x)
    return f"{manner.axis_key or 'step'} {units.number(x, 9)}"
