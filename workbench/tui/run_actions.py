"""Actions on runs, charts and lists that several screens offer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from workbench.core.model import Roles, Run
from workbench.tui import annotating
from workbench.tui.bars import Piece
from workbench.tui.dialogs import Chooser, Option
from workbench.tui.lines_view import LinesView
from workbench.tui.prompt import Verdict

if TYPE_CHECKING:
    from workbench.tui.chrome import WorkbenchScreen

    Base = WorkbenchScreen
else:
    Base = object

X_AXES = {"step": "step", "wall": "wall time", "relative": "time since the start"}
SMOOTHINGS = (0.0, 0.5, 0.8, 0.9, 0.95, 0.99)


class ListActions(Base):
    """Moving, as every screen with rows does it."""

    def move(self, rows: int) -> None:
        """Move the cursor by rows."""
        raise NotImplementedError

    def move_page(self, pages: int) -> None:
        """Move the cursor by pages."""
        raise NotImplementedError

    def move_to_end(self, last: bool) -> None:
        """To the first or the last row."""
        raise NotImplementedError

    def action_up(self) -> None:
        """One row up."""
        self.move(-1)

    def action_down(self) -> None:
        """One row down."""
        self.move(1)

    def action_page_up(self) -> None:
        """One page up."""
        self.move_page(-1)

    def action_page_down(self) -> None:
        """One page down."""
        self.move_page(1)

    def action_top(self) -> None:
        """To the first row."""
        self.move_to_end(False)

    def action_bottom(self) -> None:
        """To the last row."""
        self.move_to_end(True)


class ChartActions(Base):
    """How curves are drawn, and read."""

    @property
    def curves(self) -> LinesView | None:
        """What the charts are in, while there are some on the screen."""
        raise NotImplementedError

    @property
    def reading(self) -> bool:
        """Whether the crosshair is on."""
        return self.curves is not None and self.curves.crosshair is not None

    def action_crosshair(self) -> None:
        """Crosshair on or off."""
        if self.curves is not None:
            self.curves.toggle_crosshair()
            self.show_bars()

    def action_cross(self, columns: int) -> None:
        """Move the crosshair."""
        if self.curves is not None:
            self.curves.move_crosshair(columns)
            self.show_bars()

    def crosshair_pieces(self) -> list[Piece]:
        """Where the crosshair is, for the line of state."""
        words = self.curves.crosshair_words if self.curves is not None else ""
        return [Piece(f"│ {words} ", "accent", keep=1), Piece(" ", keep=1)] if words else []

    def action_metric(self) -> None:
        """Choose the main metric."""
        snapshot = self.workbench.rows.snapshot
        options = [
            Option(key, key, _meaning(roles), key == snapshot.main) for key, roles in sorted(snapshot.roles.items())
        ]
        self.app.push_screen(Chooser("Main metric", lambda: options), self._metric_chosen)

    def _metric_chosen(self, key: str | None) -> None:
        if key is not None:
            self.workbench.choose_metric(key)

    def action_cycle_x(self) -> None:
        """The next kind of x axis."""
        axes = list(X_AXES)
        place = axes.index(self.workbench.view.x) if self.workbench.view.x in X_AXES else 0
        axis = axes[(place + 1) % len(axes)]
        self.workbench.change_view(x=axis)
        self.workbench.say(f"x axis: {X_AXES[axis]}")

    def action_log_y(self) -> None:
        """Logarithmic y axis on or off."""
        self.workbench.change_view(log_y=not self.workbench.view.log_y)
        self.workbench.say(f"y axis: {'logarithmic' if self.workbench.view.log_y else 'linear'}")

    def action_smooth(self, steps: int) -> None:
        """Smooth more or less."""
        now = self.workbench.view.smooth
        place = min(range(len(SMOOTHINGS)), key=lambda index: abs(SMOOTHINGS[index] - now))
        weight = SMOOTHINGS[max(0, min(len(SMOOTHINGS) - 1, place + steps))]
        self.workbench.change_view(smooth=weight)
        self.workbench.say(f"smoothing: {weight:g}" if weight else "smoothing: off")


class RunActions(ListActions, ChartActions):
    """What can be done to a run; each change is written down by the annotator and comes back through the store."""

    def current_run(self) -> Run | None:
        """The run that actions are about."""
        raise NotImplementedError

    @property
    def meant(self) -> Sequence[Run]:
        """The runs that tags and hiding are about: the marked ones, else the current one."""
        by_id = self.workbench.rows.by_id
        marked = [by_id[run_id] for run_id in self.workbench.view.marks if run_id in by_id]
        run = self.current_run()
        return marked or ([run] if run is not None else [])

    def action_baseline(self) -> None:
        """Make it the baseline, or no longer."""
        run = self.current_run()
        if run is not None:
            annotating.set_baseline(self.workbench, run, not run.baseline)

    def action_hide(self) -> None:
        """Hide it, or show it again."""
        run = self.current_run()
        if run is not None:
            annotating.hide(self.workbench, [run], not run.hidden)

    def action_tag(self) -> None:
        """Tag the marked runs, or this one."""
        runs = self.meant
        if runs:
            about = f"{len(runs)} marked runs" if len(runs) > 1 else runs[0].name
            write = lambda words: annotating.tag(self.workbench, runs, [words])  # noqa: E731
            self._ask(f"tag for {about}", "name, or key=value", "", write)

    def action_note(self) -> None:
        """Write a note."""
        run = self.current_run()
        if run is not None:
            write = lambda words: annotating.note(self.workbench, run, words)  # noqa: E731
            self._ask(f"note on {run.name}", "what you want to find here again", "", write)

    def action_rename(self) -> None:
        """Show it by another name."""
        run = self.current_run()
        if run is not None:
            write = lambda words: annotating.rename(self.workbench, run, words)  # noqa: E731
            self._ask(f"another name for {run.name}; its log and its id stay", "a name", run.name, write)

    def _ask(self, about: str, example: str, value: str, write: Callable[[str], None]) -> None:
        if self.workbench.read_only:
            self.workbench.say(f"read-only: no {about}", bad=True)
            return

        def written(words: str | None) -> None:
            if words is not None and (kept := words.strip()) and kept != value:
                write(kept)

        self.ask(example, value, lambda words: Verdict(about), written)

    def action_open_log(self) -> None:
        """Read its log; at the step of the crosshair, where that is on."""
        run = self.current_run()
        if run is not None:
            curves = getattr(self, "curves", None)
            at = curves.crosshair if curves is not None and self.workbench.view.x == "step" else None
            self.workbench.open_log(run, None if at is None else int(at))

    def action_mark(self) -> None:
        """Mark it, or take the mark off."""
        run = self.current_run()
        if run is not None:
            self.workbench.toggle_mark(run.id)


def _meaning(roles: Roles) -> str:
    """What is known of a metric, in words."""
    kind = "" if roles.kind == "other" else roles.kind
    better = "" if roles.direction is None else f"{roles.direction} is better"
    return ", ".join(filter(None, (kind, better)))
