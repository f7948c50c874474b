"""Every metric of the marked runs as a grid of charts, and any one of them full screen."""

from __future__ import annotations

from collections.abc import Sequence
from operator import is_
from typing import ClassVar

from msgspec.structs import replace
from textual import events, on
from textual.widget import Widget

from workbench.core.blocks import Empty
from workbench.core.model import Run
from workbench.core.series_charts import Chart, Group, charts_of, grouped, matching
from workbench.panels.parts import labels_of, metric_order
from workbench.tui.action import Scope
from workbench.tui.bars import Piece
from workbench.tui.chart_grid import ChartGrid, Scene
from workbench.tui.chart_layout import slots_of
from workbench.tui.chart_manner import Manner, manner_of
from workbench.tui.chart_telling import ChartTelling
from workbench.tui.chrome import first_line
from workbench.tui.draw import draw
from workbench.tui.drawing import Drawing, Room
from workbench.tui.keys import bindings
from workbench.tui.lines_view import LinesView
from workbench.tui.run_words import count
from workbench.tui.session import ViewState


class ChartsScreen(ChartTelling):
    """Charts of the runs in the table's chart: the marked ones, or the one under the cursor, and the baseline."""

    SCOPES: ClassVar[tuple[Scope, ...]] = ("charts", "chart")
    BINDINGS = bindings(*SCOPES)
    DEFAULT_CSS = """
    ChartsScreen #charts { height: 1fr; }
    ChartsScreen #nothing { display: none; }
    ChartsScreen.-empty #charts { display: none; }
    ChartsScreen.-empty #nothing { display: block; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._made_of: tuple[Sequence[Run], object] = ((), None)
        """The runs, histograms and images that `every` was made of."""

    def content(self) -> Sequence[Widget]:
        """The grid, or why there is none."""
        return (
            ChartGrid(self.points, lambda: self.look, self._unit, id="charts"),
            LinesView(self._nothing, lambda: self.look, id="nothing"),
        )

    @property
    def charts(self) -> ChartGrid:
        """The grid."""
        return self.query_one(ChartGrid)

    # What is looked at

    @property
    def runs(self) -> list[Run]:
        """The runs on the charts."""
        by_id = self.workbench.rows.by_id
        return [by_id[run_id] for run_id in self.workbench.charted if run_id in by_id]

    @property
    def manner(self) -> Manner:
        """How charts are drawn."""
        return manner_of(self.workbench.view, self.runs, self.span)

    @property
    def chart(self) -> Chart | None:
        """The chart at the cursor where it has curves over the shared axis, else the first such one on the screen."""
        if self.opened is not None:
            return self.opened if self.opened.kind in ("metric", "curve") else None
        shown = [chart for chart in self.charts.on_screen if chart.kind == "metric"]
        at_cursor = [chart for chart in shown if f"chart:{chart.title}" == self.selected]
        return next(iter([*at_cursor, *shown]), None)

    def _unit(self, key: str) -> str:
        roles = self.workbench.rows.snapshot.roles.get(key)
        return roles.unit if roles else ""

    def _charts(self, runs: Sequence[Run]) -> Sequence[Chart]:
        """Every chart of these runs; made again only when a load has brought other ones."""
        histograms = {key for run in runs for key in self.points.histogram_keys(run.id)}
        images = {each.name for run in runs for each in self.points.images(run.id)}
        before, known = self._made_of
        if known == (histograms, images) and len(before) == len(runs) and all(map(is_, before, runs)):
            return self.every
        self._made_of = runs, (histograms, images)
        roles = self.workbench.rows.snapshot.roles
        keys = dict.fromkeys(key for run in runs for key in run.metrics)
        order = metric_order(runs, roles.__getitem__) if all(key in roles for key in keys) else list(keys)
        return charts_of(order, histograms, images)

    def _groups(self) -> list[Group]:
        return grouped(matching(self.every, self.wanted), self.workbench.view.pinned)

    @property
    def waits(self) -> str:
        """What stands where values are still to come."""
        return "not read, is tried again" if self.failure else "reading …"

    # Drawing

    def data_changed(self) -> None:
        """Show the runs as they are now."""
        if self.is_mounted and self.is_current:
            self.failure = ""
            self.redraw()

    def view_changed(self, before: ViewState) -> None:
        """Follow the view; another axis has other x values, so that nothing read or zoomed on the old one holds."""
        if before.x != self.workbench.view.x:
            self.crosshair = self.passing = self.span = None
        self.data_changed()

    def look_changed(self) -> None:
        """Draw in the new colours."""
        super().look_changed()
        self.charts.redraw()

    def link_changed(self) -> None:
        """Ask again when the store can be read again."""
        super().link_changed()
        if not self.workbench.failing:
            self.data_changed()

    def redraw(self) -> None:
        """Draw what has changed, and ask for what it lacks."""
        if not self.is_mounted:
            return
        runs = self.runs
        self.every = self._charts(runs)
        empty = not self.every
        if not empty and self.has_class("-empty"):
            self._laid_out = False  # the grid gets its room only now
        self.set_class(empty, "-empty")
        if empty:
            self.query_one("#nothing", LinesView).redraw()
        names = labels_of(runs)
        here = self.crosshair if self.passing is None else self.passing
        folded, waits = self.workbench.view.folded, self.waits
        scene = Scene((), folded, runs, names, self.manner, here, self.selected, self.opened, waits)
        self._settle_cursor(replace(scene, groups=self._groups()))
        self.show_bars()
        self.ask_points()

    def _settle_cursor(self, scene: Scene) -> None:
        """Draw with the cursor on something that is there: the first chart until told otherwise."""
        self.charts.show(scene)
        slots = [slot for page in self.charts.pages for slot in slots_of(page)]
        if self.opened is None and slots and all(slot.id != self.selected for slot in slots):
            first = next((slot for slot in slots if slot.chart is not None), slots[0])
            self.selected = first.id
            self.charts.show(replace(scene, selected=first.id))

    @on(ChartGrid.Resized)
    def _has_room(self, event: ChartGrid.Resized) -> None:
        event.stop()
        self.redraw()

    def on_resize(self, event: events.Resize) -> None:
        """Another size shows other charts."""
        self.call_after_refresh(self.redraw)

    def go_back(self) -> None:
        """Esc: the crosshair goes first, then the open chart, the zoom, the filter, and then this screen."""
        if self.crosshair is not None:
            self.put(None)
        elif self.opened is not None:
            self.close_chart()
        elif self.span is not None:
            self.action_whole()
        elif self.filter:
            self.filter = ""
            self.redraw()
        else:
            self.app.switch_mode("runs")

    def _nothing(self, room: Room) -> Drawing:
        if self.workbench.failing:
            return draw(Empty("The store cannot be read", f"{self.workbench.failing_hint}\nIt is tried again."), room)
        if not self.workbench.live:
            return draw(Empty("Reading the store …"), room)
        if self.runs:
            return draw(Empty("No metrics yet", "These runs have logged no numbers."), room)
        mark, back = self.workbench.key_for("mark", "runs"), self.workbench.key_for("back")
        return draw(Empty("No runs to chart", f"{mark} in Runs marks what to chart; {back} goes there."), room)

    def state_line(self) -> tuple[Sequence[Piece], Sequence[Piece]]:
        """What is on the charts, the page, the filter; how they are drawn."""
        grid, runs = self.charts, len(self.runs)
        left = [Piece(" Charts", "strong")]
        if self.opened is not None:
            left.append(Piece(f" › {self.opened.title}"))
        left.append(Piece(f"  {count(runs, 'run')}", "dim", keep=4))
        if self.opened is None and len(grid.pages) > 1:
            left.append(Piece(f"  page {grid.page + 1} of {len(grid.pages)}", "dim", "page(1)"))
        if self.wanted:
            shown = len(matching(self.every, self.wanted))
            left.append(Piece(f"  {shown} of {len(self.every)} charts: {self.wanted}", "accent"))
        return left, [*self.crosshair_pieces(), *self._said()]

    def _said(self) -> list[Piece]:
        """How charts are drawn, where that is not as usual; why points are missing."""
        manner = self.manner
        words = [f"x: {manner.axis_key or manner.axis}"] * (manner.axis != "step")
        words += ["log x"] * manner.log_x + ["log y"] * manner.log_y
        words += [f"smooth {manner.smooth:g}"] * bool(manner.smooth) + ["zoomed"] * (manner.span is not None)
        pieces = [Piece(f"{' · '.join(words)} ", "dim", keep=2)] if words else []
        if not self.failure:
            return pieces
        return [*pieces, Piece(f"✗ {first_line(self.failure, self.app.size.width - 40)} ", "bad", keep=1)]

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Only what does something here is offered."""
        if not self.is_mounted:
            return True
        if action == "metric":
            return False
        if action == "page":
            return self.opened is None and len(self.charts.pages) > 1
        if action in ("fold", "fold_all", "up", "down", "top", "bottom"):
            return self.opened is None and bool(self.every)
        if action == "open_log":
            return bool(self.runs)
        if action == "pin":
            return self.opened is not None or self.selected.startswith("chart:")
        if action in ("pan", "whole"):
            return self.span is not None
        if action in ("cross", "cross_end", "crosshair"):
            return self.chart is not None
        if action == "zoom":
            farther = parameters == (-1,)
            return self.chart is not None and self.chart.kind == "metric" and (not farther or self.span is not None)
        if action == "open":
            return self.opened is None and bool(self.every)
        wants_charts = ("turn", "axis", "log_x", "log_y", "smooth", "marker", "filter")
        return action not in wants_charts or bool(self.every)
