"""Where the chart of the run table stands, and when it stands there without being asked."""

from __future__ import annotations

from typing import Any

from workbench.tui.chart import RunChart
from workbench.tui.lines_view import LinesView
from workbench.tui.table_actions import TableActions

SIDE_BY_SIDE = 120
"""Columns from which the chart stands at the right of a long table."""
FEW_ROWS = 0.4
"""Share of the height below which a table is short: the chart then stands below it, as wide as the screen."""


class ChartPlace(TableActions):
    """The chart below a short table, beside a long one, or called up."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._laid_out: object = None

    @property
    def chart(self) -> RunChart:
        """The chart of the marked runs."""
        raise NotImplementedError

    @property
    def rows_wanted(self) -> int:
        """Lines of a table that shows every run, whatever the filter leaves of them."""
        rows = self.workbench.rows
        return 1 + (len(rows.snapshot.runs) if self.workbench.view.hidden else len(rows.visible))

    @property
    def is_short(self) -> bool:
        """Whether the table leaves most of the height free."""
        return self.rows_wanted < FEW_ROWS * (self.app.size.height - 4)

    @property
    def charts_by_itself(self) -> bool:
        """Whether there is room for the chart without being asked."""
        return self.workbench.rows.snapshot.main is not None and (self.is_short or self.app.size.width >= SIDE_BY_SIDE)

    @property
    def chart_shown(self) -> bool:
        """Whether the chart is on the screen."""
        chosen = self.workbench.view.chart
        return self.charts_by_itself if chosen is None else chosen

    @property
    def curves(self) -> LinesView | None:
        """The chart, while curves are drawn in it."""
        return self.chart if self.is_mounted and self.chart_shown and self.chart.has_plots else None

    def lay_out(self) -> None:
        """The chart below a short table, else beside it where there is the width; a short table takes what it needs."""
        beside = self.app.size.width >= SIDE_BY_SIDE and not self.is_short
        height = self.rows_wanted + 1 if self.chart_shown and self.is_short else 0
        wanted = (beside, self.chart_shown, height, self.app.size.width)
        if wanted == self._laid_out:
            return
        self._laid_out = wanted
        self.set_class(beside, "-beside")
        self.set_class(self.chart_shown, "-chart")
        self.grid.styles.height = height or "1fr"
        self.call_after_refresh(self.show_columns)

    @property
    def leads_back(self) -> bool:
        """Whether there is a crosshair, a filter, or a chart that was called up."""
        view = self.workbench.view
        return self.reading or bool(view.where) or (bool(view.chart) and not self.charts_by_itself)

    def action_toggle_chart(self) -> None:
        """Show or hide the chart."""
        self.workbench.change_view(chart=not self.chart_shown)

    def go_back(self) -> None:
        """Esc: the crosshair goes first, then what was typed as a filter, then the chart that was called up."""
        view = self.workbench.view
        if self.reading:
            self.action_crosshair()
        elif view.where:
            self.workbench.change_view(where="")
        elif view.chart and not self.charts_by_itself:
            self.workbench.change_view(chart=None)
