"""One screen for every panel, built in or plugged in: loads off the event loop, views purely, boxes what raises."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from msgspec.structs import replace
from textual import on
from textual.strip import Strip
from textual.widget import Widget

from workbench.core.blocks import Block, Columns, Empty, Lines, Stack, Table
from workbench.core.prose import keyed
from workbench.core.query import Fit
from workbench.plugin.checks import check_block
from workbench.tui.action import Scope
from workbench.tui.bars import Piece
from workbench.tui.choosing import ChoiceActions
from workbench.tui.chrome import STUDIES
from workbench.tui.dialogs import Reader
from workbench.tui.draw import draw
from workbench.tui.drawing import Drawing, Room, Target
from workbench.tui.keys import bindings
from workbench.tui.lines_view import LinesView
from workbench.tui.messages import failure_of
from workbench.tui.opening import Opened, opened_by
from workbench.tui.pages import text_page
from workbench.tui.panel_jobs import is_ours
from workbench.tui.panel_loader import READING
from workbench.tui.panel_telling import PanelTelling
from workbench.tui.run_actions import ChartActions, ListActions

if TYPE_CHECKING:
    from workbench.plugin.api import Panel


class PanelScreen(ChoiceActions, ListActions, ChartActions, PanelTelling):
    """Shows one panel with a focus of its own on top of the app's."""

    SCOPES: ClassVar[tuple[Scope, ...]] = ("panel", "heat", "list", "chart")
    BINDINGS = bindings(*SCOPES)

    def __init__(
        self, panel: Panel, focus: Mapping[str, Any] | None = None, crumb: str = "", start: Target | None = None
    ) -> None:
        super().__init__(panel, focus)
        self._start = start
        self.crumb = crumb
        self._viewed_for: object = None

    def content(self) -> Sequence[Widget]:
        """The panel's blocks, scrolling."""
        return (LinesView(self._draw, lambda: self.look, id="panel"),)

    def on_mount(self) -> None:
        """Start on what was opened."""
        if self._start is not None:
            self.page.place(self._start.row, self._start.column)

    def look_changed(self) -> None:
        """Draw in the new colours."""
        super().look_changed()
        self.page.redraw()

    def redraw(self) -> None:
        """Draw what is known now."""
        self.page.redraw()
        self.show_bars()

    # Drawing

    def _draw(self, room: Room) -> Drawing:
        inner = replace(room, width=max(1, room.width - 2))
        drawing = self._drawing(inner)
        margin = room.look.base
        strips = [Strip.join([Strip.blank(1, margin), strip, Strip.blank(1, margin)]) for strip in drawing.strips]
        return replace(drawing.moved(1, 0), strips=strips)

    def _drawing(self, room: Room) -> Drawing:
        if self._failure is None and self._shown:
            try:
                drawing = draw(keyed(_untitled(self._viewed(room)), self.workbench.told_key), room)
                self._failures = 0
                return drawing
            except (Exception, SystemExit) as error:  # noqa: BLE001 - a panel may raise anything; it is boxed and named
                self.fail(failure_of(error, "view"))
        if self._failure is not None:
            return draw(self.failure_box(self._failure), room)
        words = self.loading_words
        back, leave = self.workbench.key_for("back"), self.workbench.key_for("quit")
        hint = f"Everything else goes on: {back} goes back, {leave} leaves at once." if "slow" in words else ""
        said = "reading the store …" if words == READING else words
        return draw(Empty(f"{self.panel.title}: {said}" if words else "", hint), room)

    def _viewed(self, room: Room) -> Block:
        """The panel's blocks, asked for when its data or the room changed, and looked at before they are drawn."""
        if not is_ours(self.panel):
            found = self.view_elsewhere(Fit(room.width, room.rows, self.workbench.color_count))
            self._block = found or Empty("")
            return self._block
        wanted = (self._shown, room.width, room.rows)
        if self._block is None or self._viewed_for != wanted:
            block = self.panel.view(self._data, Fit(room.width, room.rows, self.workbench.color_count))
            check_block(block)
            self._block, self._viewed_for = block, wanted
        return self._block

    def state_line(self) -> tuple[Sequence[Piece], Sequence[Piece]]:
        """Where this is, and whether it loads."""
        title = self._block.title if isinstance(self._block, Stack | Table) else ""
        left = [Piece(f" {title or self.panel.title}", "strong")]
        if self.crumb and self.crumb != title:
            left.append(Piece(f" › {self.crumb}"))
        options = self.workbench.view
        if self.panel.name == "compare":
            left.append(
                Piece(f"  {_compared(len(options.marks), self.workbench.key_for('mark', 'runs'))}", "dim", keep=3)
            )
            others = " ".join(f"{key} {title}" for name, title, key in self.workbench.tabs if key and name in STUDIES)
            left.append(Piece(f"  {others}", "dim", keep=5))
        left += [Piece(f"  {words}", "accent", keep=2) for words in self.choice_words()]
        said = [f"x: {options.x}"] * (options.x != "step") + ["log y"] * options.log_y
        said += [f"smooth {options.smooth:g}"] * bool(options.smooth)
        right = [Piece(" · ".join(said) + " ", "dim", keep=2)] if said and self.has_lines else []
        if self.loading_words:
            right.append(Piece(f"{self.loading_words} ", "warn"))
        return left, [*self.crosshair_pieces(), *right]

    @property
    def curves(self) -> LinesView | None:
        """The panel's page, while there are charts on it."""
        return self.page if self.is_mounted and self.page.has_plots else None

    @property
    def has_lines(self) -> bool:
        """Whether there are curves that chart actions change."""
        return self._block is not None and _holds_lines(self._block)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Only what does something here is offered."""
        if action in ("left", "right"):
            return self.is_mounted and (self.page.has_cells or self.reading)
        if action == "cross":
            return self.reading
        if action == "open":
            return self.is_mounted and self._opens() is not None
        if action == "traceback":
            return self._failure is not None
        if action == "cycle_monitor":
            return self.panel.name in ("drift", "windows", "latency", "quality") and len(self.workbench.monitors) > 1
        if action in ("choose", "cycle_choice"):
            return bool(self.choices)
        if action == "metric" and self.panel.follows_metric:
            return True
        if action in ("crosshair", "metric", "cycle_x", "log_y", "smooth"):
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
        """One column left, or the crosshair."""
        self._sideways(-1)

    def action_right(self) -> None:
        """One column right, or the crosshair."""
        self._sideways(1)

    def _sideways(self, columns: int) -> None:
        if self.reading:
            self.action_cross(columns)
        else:
            self.page.move(0, columns)

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
        assert target is not None
        self.workbench.open_panel(panel, {**self._own_focus, **focus}, crumb, target)

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
        """Esc: the crosshair goes first, then this screen."""
        if self.reading:
            self.action_crosshair()
        elif len(self.app.screen_stack) > 1:
            self.app.pop_screen()
        else:
            self.app.switch_mode("runs")


def _compared(marked: int, mark: str) -> str:
    """What Compare puts side by side, and the key that changes it."""
    if not marked:
        return f"chosen by itself · {mark} in Runs marks what to compare"
    return f"{marked} marked {'run' if marked == 1 else 'runs'}"


def _untitled(block: Block) -> Block:
    """A page without its own title, which stands in the line of state."""
    return replace(block, title="") if isinstance(block, Stack | Table) else block


def _holds_lines(block: Block) -> bool:
    if isinstance(block, Lines):
        return not block.x_names
    return isinstance(block, Stack | Columns) and any(_holds_lines(part) for part in block.blocks)
