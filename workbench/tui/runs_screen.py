"""The run table with its chart, filter and marks: where the workbench opens."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace
from textual import events, on
from textual.containers import Container
from textual.widget import Widget

from workbench.core.blocks import Cell, Empty
from workbench.core.prose import with_keys
from workbench.core.where import WhereError
from workbench.tui.bars import Bar, Piece
from workbench.tui.chart import RunChart
from workbench.tui.chart_place import ChartPlace
from workbench.tui.chrome import WorkbenchScreen
from workbench.tui.draw import draw
from workbench.tui.drawing import Drawing, Room
from workbench.tui.grid import RunGrid
from workbench.tui.keys import bindings
from workbench.tui.lines_view import LinesView
from workbench.tui.run_columns import GridColumns
from workbench.tui.run_words import EMPTY_HINT, as_text, detail, summary
from workbench.tui.session import PAINTED_ROWS, Painting, ViewState

WANTS_ROWS = frozenset({"open", "mark", "mark_all", "baseline", "tag", "note", "hide", "rename", "open_log"})
"""Actions that need a row in the table."""
WANTS_RUNS = frozenset({"filter", "sort", "reverse", "columns", "scroll_columns", "toggle_chart", "show_hidden"})
"""Actions that need some run, shown or not."""

LOOKING = 3.0
"""Seconds in which the absence of runs means no more than that nobody has looked yet."""


class RunsScreen(ChartPlace, WorkbenchScreen):
    """Runs, newest first until told otherwise."""

    SCOPES = ("runs", "list", "chart")
    BINDINGS = bindings(*SCOPES)
    DEFAULT_CSS = """
    RunsScreen #body { layout: vertical; height: 1fr; }
    RunsScreen.-beside #body { layout: horizontal; }
    RunsScreen #chart { display: none; height: 1fr; border-top: solid $border; padding: 0 1; }
    RunsScreen.-chart #chart { display: block; }
    RunsScreen.-beside #chart { width: 2fr; border-top: none; border-left: solid $border; padding: 0 0 0 1; }
    RunsScreen #grid { width: 1fr; }
    RunsScreen.-beside.-chart #grid { width: 3fr; min-width: 72; }
    RunsScreen #nothing { display: none; }
    RunsScreen.-empty #grid, RunsScreen.-empty #chart { display: none; }
    RunsScreen.-empty #nothing { display: block; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._painting: Painting | None = None

    def content(self) -> Sequence[Widget]:
        """Table and chart, or the reason why there is none; the run under the cursor below."""
        return (
            Container(
                RunGrid(self._cells, lambda: self.look, self._nothing, id="grid"),
                RunChart(self._request_chart, lambda: self.look, id="chart"),
                LinesView(self._nothing, lambda: self.look, id="nothing"),
                id="body",
            ),
            Bar(lambda: self.look, id="detail"),
        )

    @property
    def grid(self) -> RunGrid:
        """The table."""
        return self.query_one(RunGrid)

    @property
    def chart(self) -> RunChart:
        """The chart of the marked runs."""
        return self.query_one(RunChart)

    # Drawing

    def on_mount(self) -> None:
        """Show the table as it stood when the workbench was left."""
        self._painting = self.workbench.painting
        self.lay_out()
        if self._painting is not None:
            self.grid.show_columns(GridColumns(self._painting.columns, self._painting.gap), "", False)
            self.grid.show_rows(self._painting.ids, cursor=self.workbench.view.cursor)

    def on_resize(self, event: events.Resize) -> None:
        """Put the chart beside or below; where there was none before, it is drawn now."""
        self.lay_out()
        self.call_after_refresh(self._show_marks)

    def _cells(self, run_id: str) -> Sequence[Cell]:
        if self._painting is not None:
            return self._painting.rows[self._painting.ids.index(run_id)]
        return self.workbench.rows.cells(run_id)

    def show_columns(self) -> None:
        """Lay the columns out again."""
        if self._painting is not None:
            return
        view = self.workbench.view
        layout = self.workbench.rows.columns(view, self.grid.size.width or self.app.size.width, self._first_column)
        changed = layout != self.grid.layout_now
        self.grid.show_columns(layout, view.sort, view.descending)
        if changed:
            self.show_bars()

    def data_changed(self) -> None:
        """Show the runs as they are now."""
        app = self.workbench
        if not self.is_mounted:
            return
        if app.live:
            self._painting = None
            self.lay_out()
            self.show_columns()
            self._show_rows(app.view.cursor if self.grid.cursor is None else None)
        self._show_emptiness()
        self.show_bars()
        self._show_detail()
        self._show_marks()
        self._request_extras()

    def resumed(self) -> None:
        """The rows have followed all along; only their sparklines and percentiles have not."""
        if self.workbench.live:
            self._request_extras()
        else:
            self.data_changed()

    def _show_emptiness(self) -> None:
        """A page in the table's place where there are no runs at all; what a filter leaves empty stays a table."""
        app = self.workbench
        nothing = not self.grid.ids and self._painting is None and not self._filtered_out
        empty = nothing and (app.live or app.failing)
        self.set_class(empty, "-empty")
        if empty:
            self.query_one("#nothing", LinesView).redraw()

    @property
    def _filtered_out(self) -> bool:
        """Whether it is the filter that leaves no row."""
        return self.workbench.live and bool(self.workbench.rows.snapshot.runs) and bool(self.where)

    def _show_rows(self, cursor: str | None) -> None:
        app = self.workbench
        try:
            ids = app.rows.arrange(app.view, self._preview)
        except WhereError:
            return
        self.grid.show_rows(ids, cursor=cursor)

    def view_changed(self, before: ViewState) -> None:
        """Follow the view: only what differs is done again."""
        view = self.workbench.view
        if replace(before, cursor=view.cursor) == view:
            self._show_detail()
            self._show_marks()
            return
        self.data_changed()

    def link_changed(self) -> None:
        """Say why there are no rows, where that is the reason."""
        super().link_changed()
        self._show_emptiness()
        if self.chart_shown and not self.workbench.failing:
            self.chart.ask_again()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """What is done to runs is offered where there are some, what is done to curves where some are drawn."""
        if not self.is_mounted:
            return True
        if action in WANTS_ROWS:
            return bool(self.grid.ids) and self.workbench.live
        if action in WANTS_RUNS:
            return bool(self.workbench.rows.snapshot.runs)
        if action == "cross":
            return self.reading
        if action in ("crosshair", "log_y", "smooth"):
            return self.curves is not None
        if action == "cycle_x":
            return self.chart_shown and bool(self.workbench.charted)
        return action != "metric" or bool(self.workbench.rows.snapshot.roles)

    def look_changed(self) -> None:
        """Draw everything in the new colours."""
        super().look_changed()
        self.grid.redraw()
        self.chart.redraw()
        self._show_marks()

    def _show_marks(self) -> None:
        app = self.workbench
        self.grid.show_marks({run_id: app.run_style(run_id) for run_id in app.view.marks})
        if self.chart_shown:
            self.chart.show(app.charted, app.rows, app.view)

    def _request_extras(self) -> None:
        self.workbench.request_extras(self.grid.visible_ids)

    def _request_chart(self, points: int) -> bool:
        return self.workbench.request_chart(points)

    def extras_changed(self, *, resort: bool) -> None:
        """Draw what has become known of the rows; sort again where the order hangs on it."""
        if not self.is_mounted or not self.workbench.live:
            return
        if resort:
            self._show_rows(None)
        self.grid.repaint()
        if not self.grid.ids:
            self.query_one("#nothing", LinesView).redraw()
        self._request_extras()

    def paint(self) -> Painting:
        """The table as it stands, in texts."""
        app, layout = self.workbench, self.grid.layout_now
        ids = tuple(self.grid.ids[:PAINTED_ROWS])
        rows = [
            [as_text(cell, column) for cell, column in zip(self._cells(run_id), layout.columns, strict=True)]
            for run_id in ids
        ]
        return Painting(app.clock(), len(app.rows.snapshot.runs), layout.columns, layout.gap, ids, rows)

    # Bars

    def state_line(self) -> tuple[Sequence[Piece], Sequence[Piece]]:
        """How many runs, in which states, by what they are sorted and filtered."""
        app = self.workbench
        why = [Piece(f"{self.why_failing} ", "bad", keep=1)] if app.failing else []
        if not app.live:
            words = "" if self._painting is None else f"{self._painting.total:,} runs as last seen"
            return [Piece(f" {words}", "dim")], why
        left, right = summary(app.rows, len(self.grid.ids), app.view, app.key_for("baseline", "runs"))
        return left, [*self.crosshair_pieces(), *self.column_pieces(), *(why or right)]

    def _show_detail(self) -> None:
        run = self.current_run()
        self.query_one("#detail", Bar).show([] if run is None else detail(run))

    def _nothing(self, room: Room) -> Drawing:
        return draw(self._why_nothing(), room)

    def _why_nothing(self) -> Empty:
        app = self.workbench
        if app.failing:
            return Empty("The store cannot be read", f"{app.failing_hint}\nIt is tried again by itself.")
        if not app.live:
            return Empty("Reading the store …")
        if self.where:
            change, clear = app.key_for("filter", "runs"), app.key_for("back")
            hint = f"{change} changes it, {clear} clears it"
            return Empty("No run matches the filter", hint if self._preview is None else "")
        if app.rows.snapshot.runs:
            show, hide = app.key_for("show_hidden", "runs"), app.key_for("hide", "runs")
            return Empty("Every run is hidden", f"{show} shows them, {hide} on one of them takes it out of hiding")
        if app.seconds_open < LOOKING:
            return self._waiting() or Empty(f"Looking for logs in {app.project} …")
        hint = with_keys(EMPTY_HINT, app.told_key)
        return self._waiting() or Empty(f"No runs yet in {app.project}", hint)

    def _waiting(self) -> Empty | None:
        found = self.workbench.waiting()
        return found and replace(found, hint=with_keys(found.hint, self.workbench.told_key))

    # Grid

    @on(RunGrid.Highlighted)
    def _highlighted(self, event: RunGrid.Highlighted) -> None:
        self.workbench.change_view(cursor=event.run_id)

    @on(RunGrid.Viewed)
    def _viewed(self, _: RunGrid.Viewed) -> None:
        self.show_columns()
        self._request_extras()

    @on(RunGrid.Opened)
    def _opened(self, event: RunGrid.Opened) -> None:
        self.workbench.open_run(event.run_id)

    @on(RunGrid.Marked)
    def _marked(self, event: RunGrid.Marked) -> None:
        self.workbench.toggle_mark(event.run_id)

    @on(RunGrid.SortBy)
    def _sort_by(self, event: RunGrid.SortBy) -> None:
        self.workbench.sort_by({"spark": "main"}.get(event.key, event.key))

    # Actions

    def action_show_hidden(self) -> None:
        """Hidden runs too, or not."""
        self.workbench.change_view(hidden=not self.workbench.view.hidden)
