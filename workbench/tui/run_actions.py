"""Actions on runs, charts and lists that several screens offer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from workbench.core.model import Roles, Run
from workbench.tui.annotator import Annotator
from workbench.tui.bars import Piece
from workbench.tui.dialogs import Chooser, Option
from workbench.tui.lines_view import LinesView
from workbench.tui.prompt import Verdict

if TYPE_CHECKING:
    from workbench.tui.chrome import WorkbenchScreen

    Base = WorkbenchScreen
else:
    Base = object

Written = Callable[[Annotator, str], None]
"""Writes down, or takes back, what was typed."""

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

    def action_baseline(self) -> None:
        """Make it the baseline, or no longer."""
        run = self.current_run()
        if run is not None:
            was = run.baseline
            words = f"{run.name} is no longer the baseline" if was else f"baseline is now {run.name}"
            self.workbench.annotate(
                words, lambda to: to.baseline(run.id, on=not was), lambda to: to.baseline(run.id, on=was)
            )

    def action_hide(self) -> None:
        """Hide it, or show it again."""
        run = self.current_run()
        if run is not None:
            was = run.hidden
            words = f"{run.name} is {'shown again' if was else 'hidden, a shows hidden runs'}"
            self.workbench.annotate(words, lambda to: to.hide(run.id, on=not was), lambda to: to.hide(run.id, on=was))

    def action_tag(self) -> None:
        """Tag the marked runs, or this one."""
        run = self.current_run()
        by_id = self.workbench.rows.by_id
        runs = [by_id[run_id] for run_id in self.workbench.view.marks if run_id in by_id]
        runs = runs or ([run] if run is not None else [])
        if not runs:
            return
        about = f"{len(runs)} marked runs" if len(runs) > 1 else runs[0].name

        def write(to: Annotator, words: str) -> None:
            for each in runs:
                to.tag(each.id, words)

        self._ask(f"tag for {about}", "name, or key=value", write, lambda to, words: _untag(to, runs, words))

    def action_note(self) -> None:
        """Write a note."""
        run = self.current_run()
        if run is not None:
            self._ask(
                f"note on {run.name}",
                "what you want to find here again",
                lambda to, words: to.note(run.id, words),
                lambda to, words: to.note(run.id, words, on=False),
            )

    def _ask(self, about: str, example: str, write: Written, take_back: Written) -> None:
        def written(words: str | None) -> None:
            if words is not None and (kept := words.strip()):
                done = f"{about}: {kept}"
                self.workbench.annotate(done, lambda to: write(to, kept), lambda to: take_back(to, kept))

        self.ask(example, "", lambda words: Verdict(about), written)

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


def _untag(to: Annotator, runs: Sequence[Run], tag: str) -> None:
    """Take a tag away; runs that had the key before get their old value back."""
    key = tag.partition("=")[0].strip()
    for run in runs:
        old = run.tags.get(key)
        if old is None:
            to.tag(run.id, tag, on=False)
        else:
            to.tag(run.id, f"{key}={old}")
