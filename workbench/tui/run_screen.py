"""One run on its own screen: its panel, its neighbours in the table, and its charts read where something happened."""

from __future__ import annotations

from workbench.core.model import Run
from workbench.tui.keys import bindings
from workbench.tui.panel_screen import PanelScreen
from workbench.tui.run_actions import RunActions


class RunScreen(RunActions, PanelScreen):
    """One run, with the ways to its neighbours in the table."""

    SCOPES = ("run", "panel", "list", "chart")
    BINDINGS = bindings(*SCOPES)

    _wanted_step: tuple[int, int] | None = None  # where which chart is to be read once they are drawn

    @property
    def current_run_id(self) -> str:
        """Id of the run that is open."""
        return str(self._own_focus.get("run", ""))

    def current_run(self) -> Run | None:
        """The run that is open."""
        return self.workbench.rows.by_id.get(self.current_run_id)

    @property
    def opened_run(self) -> str | None:
        """Id of the run that is open."""
        run = self.current_run()
        return None if run is None else run.id

    def read_at(self, step: int, chart: int = 0) -> None:
        """Put the crosshair on a step as soon as there are charts, one of them on the screen."""
        self._wanted_step = step, chart
        if self.workbench.view.x != "step":
            self.workbench.change_view(x="step")
        self.call_after_refresh(self.redraw)

    def redraw(self) -> None:
        """Draw what is known now, and read it where that was asked for."""
        super().redraw()
        if self._wanted_step is not None and self.is_mounted and self.page.read_at(*self._wanted_step):
            self._wanted_step = None
            self.show_bars()

    @property
    def went_wrong(self) -> tuple[int, int] | None:
        """Step of the worst finding that a chart shows, and that chart's place among the charts."""
        charts = getattr(self._data, "charts", ())
        drawn = [group for _, group in charts if any(len(series.value) > 1 for series in group)]
        for finding in getattr(self._data, "findings", ()):
            step = finding.evidence.get("step")
            for place, group in enumerate(drawn):
                if isinstance(step, int) and any(series.key == finding.subject for series in group):
                    return step, place
        return None

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Only what does something here is offered."""
        if action == "to_finding":
            return self.went_wrong is not None
        return super().check_action(action, parameters)

    def action_to_finding(self) -> None:
        """Read the charts where the worst finding begins."""
        found = self.went_wrong
        if found is not None:
            self.read_at(*found)

    def action_step_run(self, rows: int) -> None:
        """Open the run above or below in the table."""
        run = self.workbench.step_cursor(rows)
        if run is not None:
            self._own_focus = {"run": run.id}
            self.crumb = run.name
            self.page.scroll_to(y=0, animate=False)
            self.load()
