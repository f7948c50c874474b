"""What the grid of charts tells of itself: its command, the values that can be copied, and where one can jump."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from workbench.core.blocks import Cell, Column, Table
from workbench.core.series_charts import Chart
from workbench.panels.parts import labels_of
from workbench.tui.chart_choosing import ChartChoosing
from workbench.tui.places import Place, bar_places
from workbench.tui.spoken import Names, panel_words
from workbench.tui.telling import Shown, Spoken


class ChartTelling(ChartChoosing):
    """The grid with the rest of the workbench around it: copying, jumping, commands, logs."""

    def spoken(self) -> Sequence[Spoken]:
        """The command that prints these charts."""
        app = self.workbench
        focus = replace(app.focus, marked=tuple(run.id for run in self.runs), run=None)
        return [Spoken("these charts", panel_words("charts", focus, Names(app.rows.by_id)))]

    def shown(self) -> Shown:
        """The values of every run at the crosshair, or their last ones, a metric a row."""
        runs = self.runs
        if not runs or not self.every:
            return Shown()
        names = labels_of(runs)
        columns = [Column("metric"), *(Column(run.id, name) for run, name in zip(runs, names, strict=True))]
        chosen = self.opened or next((c for c in self.every if f"chart:{c.title}" == self.selected), None)
        row = self._values(chosen) if chosen is not None and chosen.kind == "metric" else ()
        table = Table(columns, [self._values(chart) for chart in self.charts.on_screen if chart.kind == "metric"])
        return Shown(lambda: [table], columns if row else (), row, id=chosen.title if chosen is not None else "")

    def _values(self, chart: Chart) -> Sequence[Cell]:
        curves = self.charts.curves_of(chart)
        values = curves.last if self.crosshair is None else curves.at(self.crosshair)
        return [Cell(chart.title), *map(Cell, values)]

    def places(self) -> list[Place]:
        """Charts and headings on the screen, and the tabs."""
        region = self.charts.region
        slots = self.charts.slots if self.opened is None else []
        own = [Place(region.x + s.x, region.y + s.y, f"go_to({s.id!r})", f"open_at({s.id!r})") for s in slots]
        return [*own, *bar_places(self)]

    def action_go_to(self, id: str) -> None:
        """Put the cursor on a chart."""
        self.select(id)

    def action_open_at(self, id: str) -> None:
        """Open a chart."""
        self.select(id)
        self.action_open()

    def action_open_log(self) -> None:
        """Read the log of the run at the table's cursor, where that is charted, else of the first; at the crosshair."""
        runs = self.runs
        run = next((each for each in runs if each.id == self.workbench.view.cursor), runs[0] if runs else None)
        if run is not None:
            at = self.crosshair if self.manner.axis == "step" else None
            self.workbench.open_log(run, None if at is None else int(at))
