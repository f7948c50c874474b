"""The app's view: what is looked at, changed in one place, and every screen told of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from msgspec.structs import replace
from rich.style import Style

from workbench.core import palette
from workbench.core.model import Run
from workbench.core.query import Focus
from workbench.tui.data import StoreApp
from workbench.tui.dialogs import Option
from workbench.tui.look import FEW_COLORS, Look, look_of
from workbench.tui.runs_screen import RunsScreen
from workbench.tui.session import MARKERS

FEW = 5
"""Runs that are all charted while none is marked."""


class ViewApp(StoreApp, inherit_bindings=False):
    """Keeps what the user looks at, and how it looks."""

    _look: tuple[object, Look] | None = None
    """A theme's name and what curves are drawn with, and the styles."""

    @property
    def look(self) -> Look:
        """Styles of the current theme; asked for with every line that is drawn."""
        theme, marker = self.theme, self.view.marker
        if self._look is None or self._look[0] != (theme, marker):
            shades = self.color_count > FEW_COLORS
            look = look_of(self.theme_variables, self.current_theme.dark, shades=shades, colors=not self.no_color)
            known = next((each for each in MARKERS if each == marker), MARKERS[0])
            self._look = (theme, marker), replace(look, marker=known)
        return self._look[1]

    @property
    def color_count(self) -> int:
        """How many colours the terminal has."""
        return {"truecolor": 1 << 24, "256": 256}.get(self.console.color_system or "", 16)

    @property
    def focus(self) -> Focus:
        """What panels are to look at."""
        view = self.view
        return Focus(
            run=view.cursor,
            marked=view.marks,
            baseline=self.rows.snapshot.baseline,
            where=view.where,
            metric=self.rows.snapshot.main,
            monitor=view.monitor,
            options={
                "x": view.x,
                "log_x": view.log_x,
                "marker": view.marker,
                "log_y": view.log_y,
                "smooth": view.smooth,
                "sort": view.sort,
                "descending": view.descending,
            },
        )

    def change_view(self, **changes: Any) -> None:
        """Look at something else; every screen is told what it was before."""
        before = self.view
        self.view = replace(before, **changes)
        if self.view != before:
            self.tell(lambda screen: screen.view_changed(before))

    def toggle_mark(self, run_id: str) -> None:
        """Mark a run, or take its mark off."""
        marks = self.view.marks
        kept = tuple(each for each in marks if each != run_id)
        self.change_view(marks=kept if run_id in marks else (*marks, run_id))

    def sort_by(self, key: str) -> None:
        """Sort by a column, the best first; the same one again turns the order."""
        same = key == self.view.sort
        self.change_view(sort=key, descending=not self.view.descending if same else self.rows.descending_first(key))

    def choose_metric(self, key: str) -> None:
        """Have another main metric."""
        self.change_view(metric=key)
        self.reload()

    def column_options(self) -> list[Option]:
        """Columns to turn on and off."""
        shown = self.view.columns if self.view.columns is not None else self.rows.extra_keys()
        return [Option(key, key.replace(":", " ", 1), on=key in shown) for key in self.rows.extra_keys()]

    def toggle_column(self, key: str) -> None:
        """Turn a column on or off."""
        shown = self.view.columns if self.view.columns is not None else tuple(self.rows.extra_keys())
        kept = tuple(each for each in shown if each != key)
        self.change_view(columns=kept if key in shown else (*shown, key))

    def cycle_monitor(self) -> None:
        """Look at the next monitor."""
        if self.monitors:
            here = self.monitors.index(self.view.monitor) if self.view.monitor in self.monitors else 0
            self.change_view(monitor=self.monitors[(here + 1) % len(self.monitors)])

    @property
    def charted(self) -> Sequence[str]:
        """The runs in the chart, the baseline first: the marked ones, else all of a few, else the one at the cursor."""
        snapshot, by_id = self.rows.snapshot, self.rows.by_id
        chosen = [run_id for run_id in self.view.marks if run_id in by_id]
        if not chosen and len(self.rows.visible) <= FEW:
            chosen = [run.id for run in reversed(self.rows.visible)]
        elif not chosen and self.view.cursor in by_id:
            chosen = [self.view.cursor or ""]
        base = [snapshot.baseline] if snapshot.baseline in by_id else []
        return tuple(dict.fromkeys([*base, *chosen]))

    def run_style(self, run_id: str) -> Style:
        """The colour of a run's curve."""
        taken: dict[str, int] = {}
        for each in self.charted:
            taken[each] = palette.stable_color(each, taken.values())
        color = taken.get(run_id, palette.stable_color(run_id))
        return Style(color=self.look.curve(color))

    def name_of(self, run_id: str) -> str:
        """A run's name, or its path; empty for what is no run."""
        run = self.rows.by_id.get(run_id)
        return "" if run is None else run.name or run.path

    def step_cursor(self, rows: int) -> Run | None:
        """The run above or below in the table, which becomes the one under the cursor."""
        grid = next(screen.grid for screen in self.workbench_screens if isinstance(screen, RunsScreen))
        grid.move(rows)
        return self.rows.by_id.get(grid.cursor or "")
