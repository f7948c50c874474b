"""The chart beside the run table: marked runs overlaid, or the run under the cursor."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from textual import events

from workbench.core.blocks import Empty
from workbench.core.model import Series
from workbench.core.query import Focus
from workbench.tui.draw import draw
from workbench.tui.drawing import Drawing, Room
from workbench.tui.lines_view import LinesView
from workbench.tui.look import Look
from workbench.tui.rows import RunRows
from workbench.tui.session import ViewState


class RunChart(LinesView):
    """Curves of one metric for the runs it is given; asks for their points whenever it needs others."""

    def __init__(self, request: Callable[[int], bool], look: Callable[[], Look], *, id: str) -> None:
        super().__init__(self._chart, look, id=id)
        self._request = request
        self._runs: Sequence[str] = ()
        self._rows: RunRows | None = None
        self._view = ViewState()
        self._series: dict[str, Series] = {}
        self._metric: str | None = None
        self._drawn_for: object = None
        self._asked_for: object = None

    def show(self, run_ids: Sequence[str], rows: RunRows, view: ViewState) -> None:
        """Draw these runs; what is known of them at once, the rest when it has come."""
        self._runs, self._rows, self._view = run_ids, rows, view
        if rows.snapshot.main != self._metric:
            self._metric, self._series = rows.snapshot.main, {}
        drawn = (run_ids, self._metric, view.x, view.log_x, view.log_y, view.smooth, view.marker, self.size)
        if drawn != self._drawn_for:
            self._drawn_for = drawn
            self.redraw()
        self._ask()

    def _ask(self) -> None:
        """Ask for points, unless the same ones have been asked for."""
        if self._rows is None or self._metric is None or not self._runs or not self.size.width:
            return
        runs = [self._rows.by_id[run_id] for run_id in self._runs if run_id in self._rows.by_id]
        grown = tuple(run.metrics[self._metric].n if self._metric in run.metrics else 0 for run in runs)
        asked = (self._runs, self._metric, grown, self.size.width)
        if asked != self._asked_for and self._request(2 * self.size.width):
            self._asked_for = asked

    def ask_again(self) -> None:
        """What was asked for has not come."""
        self._asked_for = None
        self._ask()

    def take(self, metric: str, series: Sequence[Series]) -> None:
        """Draw the points that were asked for, unless another metric is wanted by now."""
        if metric == self._metric:
            self._series = {each.run_id: each for each in series}
            self.redraw()

    def on_resize(self, event: events.Resize) -> None:
        """Other widths want other points."""
        self._ask()

    def _chart(self, room: Room) -> Drawing:
        if self._rows is None or self._metric is None:
            return draw(Empty("No metric to draw"), room)
        from workbench.panels.parts import curve, labels_of, lines_of, run_colors  # numpy comes after the first paint

        runs = [self._rows.by_id[run_id] for run_id in self._runs if run_id in self._rows.by_id]
        colors, names = run_colors(runs), labels_of(runs)
        view = self._view
        focus = Focus(options={"x": view.x, "log_x": view.log_x, "log_y": view.log_y, "smooth": view.smooth})
        lines = [
            curve(self._series[run.id], name, colors[run.id], focus.options, run.started_at)
            for run, name in zip(runs, names, strict=True)
            if run.id in self._series and self._series[run.id].n
        ]
        if not lines:
            if any(run.id not in self._series for run in runs):
                return draw(Empty("Reading points …"), room)
            return draw(Empty(f"No points of {self._metric}", "space marks runs, m chooses the metric"), room)
        roles = self._rows.snapshot.roles.get(self._metric)
        return draw(lines_of(lines, self._metric, roles.unit if roles else "", focus), room)
