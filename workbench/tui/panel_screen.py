"""One screen for every panel, built in or plugged in: loads off the event loop, views purely, boxes what raises."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

from textual import on
from textual.strip import Strip
from textual.timer import Timer
from textual.widget import Widget

from workbench.core.blocks import Block, Columns, Empty, Lines, Note, Stack
from workbench.core.model import Run
from workbench.core.query import Fit, Focus
from workbench.tui.actions import Scope
from workbench.tui.background import Lane
from workbench.tui.bars import Piece
from workbench.tui.chrome import WorkbenchScreen, bindings
from workbench.tui.dialogs import Reader, text_page
from workbench.tui.draw import Drawing, Room, Target, draw
from workbench.tui.feed import posting
from workbench.tui.lines_view import LinesView
from workbench.tui.messages import Failure, PanelFailed, PanelLoaded, failure_of
from workbench.tui.opening import Opened, opened_by
from workbench.tui.run_actions import ChartActions, ListActions, RunActions
from workbench.tui.session import ViewState

if TYPE_CHECKING:
    from workbench.plugin.api import Panel

PARK_AFTER = 3
"""Failures in a row after which a panel is loaded only when asked."""
SPINNER_AFTER, NOTICE_AFTER = 0.5, 5.0
"""Seconds of loading after which it is said, and after which the panel is named as slow."""


class PanelScreen(ListActions, ChartActions, WorkbenchScreen):
    """Shows one panel with a focus of its own on top of the app's."""

    SCOPES: ClassVar[tuple[Scope, ...]] = ("panel", "heat", "list", "chart")
    BINDINGS = bindings(*SCOPES)

    def __init__(self, panel: Panel, focus: Mapping[str, Any] | None = None, crumb: str = "") -> None:
        super().__init__()
        self.panel = panel
        self.crumb = crumb
        self._own_focus = dict(focus or {})
        self._lane = Lane(f"panel-{panel.name}")
        self._number = 0
        self._focus = Focus()
        self._data: Any = None
        self._block: Block | None = None
        self._failure: Failure | None = None
        self._failures = 0
        self._waited: float | None = None
        self._every: Timer | None = None

    @property
    def busy(self) -> bool:
        """A load runs or waits."""
        return self._lane.busy

    def content(self) -> Sequence[Widget]:
        """The panel's blocks, scrolling."""
        return (LinesView(self._draw, lambda: self.look, id="panel"),)

    @property
    def page(self) -> LinesView:
        """The view of the panel's blocks."""
        return self.query_one("#panel", LinesView)

    # Loading

    def on_mount(self) -> None:
        """Load, and again as often as the panel wants."""
        super().on_mount()
        if self.panel.every is not None:
            self._every = self.set_interval(max(0.5, self.panel.every), self._again)

    def on_unmount(self) -> None:
        """Take no more jobs."""
        self._lane.close()

    def _again(self) -> None:
        if self.is_current and self._failures < PARK_AFTER and not self._lane.busy:
            self.load()

    def data_changed(self) -> None:
        """Load again, unless the panel has failed too often or nobody looks."""
        if self.is_current and self._failures < PARK_AFTER:
            self.load()
        self.show_bars()

    def view_changed(self, before: ViewState) -> None:
        """Other options or marks are another focus."""
        if replace(before, cursor=self.workbench.view.cursor) != self.workbench.view:
            self.data_changed()

    def look_changed(self) -> None:
        """Draw in the new colours."""
        super().look_changed()
        self.page.redraw()

    @property
    def focus_now(self) -> Focus:
        """What the app looks at, with what this screen was opened for."""
        return replace(self.workbench.focus, **self._own_focus)

    def load(self) -> None:
        """Have the panel load; an answer to an older request is dropped."""
        query = self.workbench.query_or_none
        if query is None:
            return
        self._number += 1
        number, panel, self._focus = self._number, self.panel, self.focus_now
        focus = self._focus

        def job() -> PanelLoaded | PanelFailed:
            try:
                return PanelLoaded(number, panel.load(query, focus))
            except Exception as error:  # noqa: BLE001 - a panel may raise anything; it is boxed and named
                return PanelFailed(number, failure_of(error, "load"))

        if self._waited is None:
            self._waited = 0.0
            self.set_timer(SPINNER_AFTER, lambda: self._waiting(SPINNER_AFTER))
            self.set_timer(NOTICE_AFTER, lambda: self._waiting(NOTICE_AFTER))
        self._lane.submit(posting(self.post_message, job))

    def _waiting(self, seconds: float) -> None:
        if self._waited is None or not self._lane.busy:
            return
        self._waited = seconds
        if seconds >= NOTICE_AFTER:
            self.workbench.say(f"panel {self.panel.name} has been loading for {seconds:.0f} seconds")
        self.show_bars()
        self.page.redraw()

    @on(PanelLoaded)
    def _loaded(self, event: PanelLoaded) -> None:
        if event.number != self._number:
            return
        self._data, self._failure, self._waited = event.data, None, None
        self._failures = 0
        self._redraw()

    @on(PanelFailed)
    def _failed(self, event: PanelFailed) -> None:
        if event.number == self._number:
            self._fail(event.failure)
            self._redraw()

    def _fail(self, failure: Failure) -> None:
        self._failure, self._waited = failure, None
        self._failures += 1

    def _redraw(self) -> None:
        self.page.redraw()
        self.show_bars()

    # Drawing

    def _draw(self, room: Room) -> Drawing:
        inner = replace(room, width=max(1, room.width - 2))
        drawing = self._drawing(inner)
        margin = room.look.base
        strips = [Strip.join([Strip.blank(1, margin), strip, Strip.blank(1, margin)]) for strip in drawing.strips]
        return Drawing(strips, [replace(target, x=target.x + 1) for target in drawing.targets])

    def _drawing(self, room: Room) -> Drawing:
        if self._failure is None and self._number and self._waited is None:
            try:
                self._block = self.panel.view(self._data, Fit(room.width, room.rows, self.workbench.color_count))
                return draw(self._block, room)
            except Exception as error:  # noqa: BLE001 - a panel may raise anything; it is boxed and named
                self._fail(failure_of(error, "view"))
        if self._failure is not None:
            return draw(self._box(self._failure), room)
        if self._block is not None:
            return draw(self._block, room)
        return draw(Empty(f"Loading {self.panel.title} …" if self._waited else ""), room)

    def _box(self, failure: Failure) -> Block:
        """What failed, what it raised, where, and what to do."""
        parked = self._failures >= PARK_AFTER
        hint = "r tries again · e shows the traceback"
        if parked:
            hint = f"Parked after {PARK_AFTER} failures in a row: it is not loaded by itself any more. {hint}"
        return Stack(
            [Note(failure.error, "bad"), Note(failure.place, "dim"), Note(hint, "warn" if parked else "dim")],
            f"Panel {self.panel.name} failed in {failure.doing}",
        )

    def state_line(self) -> tuple[Sequence[Piece], Sequence[Piece]]:
        """Where this is, and whether it loads."""
        left = [Piece(f" {self.panel.title}", "strong")]
        if self.crumb:
            left.append(Piece(f" › {self.crumb}"))
        options = self.workbench.view
        said = [f"x: {options.x}"] * (options.x != "step") + ["log y"] * options.log_y
        said += [f"smooth {options.smooth:g}"] * bool(options.smooth)
        right = [Piece(" · ".join(said) + " ", "dim", keep=2)] if said and self.has_lines else []
        if self._waited:
            right.append(Piece("loading … ", "warn"))
        return left, right

    @property
    def has_lines(self) -> bool:
        """Whether there are curves that chart actions change."""
        return self._block is not None and _holds_lines(self._block)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Only what does something here is offered."""
        if action in ("left", "right"):
            return self.is_mounted and self.page.has_cells
        if action == "open":
            return self.is_mounted and self._opens() is not None
        if action == "traceback":
            return self._failure is not None
        if action == "cycle_monitor":
            return self.panel.name in ("drift", "windows") and len(self.workbench.monitors) > 1
        if action in ("metric", "cycle_x", "log_y", "smooth"):
            return self.has_lines
        return True

    # Moving and opening

    def move(self, rows: int) -> None:
        """Move the cursor by rows."""
        self.page.move(rows)

    def move_page(self, pages: int) -> None:
        """Move the cursor by pages."""
        self.page.move_page(pages)

    def move_to_end(self, last: bool) -> None:
        """To the first or the last row."""
        self.page.move(10_000_000 if last else -10_000_000)

    def action_left(self) -> None:
        """One column left."""
        self.page.move(0, -1)

    def action_right(self) -> None:
        """One column right."""
        self.page.move(0, 1)

    def _opens(self) -> Opened | None:
        target = self.page.target
        return None if target is None else self._leads_to(target)

    def _leads_to(self, target: Target) -> Opened | None:
        return opened_by(self.panel.name, target, self._data, self._focus, self.workbench.name_of)

    def action_open(self) -> None:
        """Open what the cursor is on."""
        self._open(self.page.target)

    @on(LinesView.Opened)
    def _clicked_open(self, event: LinesView.Opened) -> None:
        event.stop()
        self._open(event.target)

    def _open(self, target: Target | None) -> None:
        found = None if target is None else self._leads_to(target)
        if found is None:
            return
        panel, focus, crumb = found
        self.workbench.open_panel(panel, {**self._own_focus, **focus}, crumb)

    @on(LinesView.Highlighted)
    def _highlighted(self, event: LinesView.Highlighted) -> None:
        event.stop()
        self.show_bars()

    # Actions

    def action_retry(self) -> None:
        """Load again, parked or not."""
        self._failures = 0
        self.load()

    def action_traceback(self) -> None:
        """Show where it raised."""
        if self._failure is not None:
            page = text_page(self._failure.traceback)
            self.app.push_screen(Reader(f"Panel {self.panel.name}: {self._failure.error}", page))

    def action_cycle_monitor(self) -> None:
        """The next monitor."""
        self.workbench.cycle_monitor()

    def go_back(self) -> None:
        """Esc: to the screen below, or to the runs."""
        if len(self.app.screen_stack) > 1:
            self.app.pop_screen()
        else:
            self.app.switch_mode("runs")


class RunScreen(RunActions, PanelScreen):
    """One run, with the ways to its neighbours in the table."""

    SCOPES = ("run", "panel", "list", "chart")
    BINDINGS = bindings(*SCOPES)

    def current_run(self) -> Run | None:
        """The run that is open."""
        return self.workbench.rows.by_id.get(self._own_focus.get("run", ""))

    def action_step_run(self, rows: int) -> None:
        """Open the run above or below in the table."""
        run = self.workbench.step_cursor(rows)
        if run is not None:
            self._own_focus = {"run": run.id}
            self.crumb = run.name
            self.page.scroll_to(y=0, animate=False)
            self.load()


def _holds_lines(block: Block) -> bool:
    if isinstance(block, Lines):
        return True
    return isinstance(block, Stack | Columns) and any(_holds_lines(part) for part in block.blocks)
