"""What every screen of the workbench shares: tabs above, keys below, and actions found through one registry."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar, cast

from msgspec.structs import replace
from textual import events, on
from textual.app import ComposeResult
from textual.screen import Screen
from textual.widget import Widget

from workbench.core import text
from workbench.tui.action import Action, Scope
from workbench.tui.actions import actions_in, footer_actions
from workbench.tui.bars import Bar, Piece, key_pieces
from workbench.tui.desk import Desk
from workbench.tui.frugal import FrugalCompositor
from workbench.tui.keys import name_of, rebind
from workbench.tui.lines_view import LinesView
from workbench.tui.look import Look
from workbench.tui.places import Place, bar_places
from workbench.tui.prompt import Prompt, Verdict
from workbench.tui.session import ViewState
from workbench.tui.telling import Shown, Spoken

if TYPE_CHECKING:
    from workbench.plugin.api import Panel

SMALLEST = (60, 15)
"""Columns and rows below which nothing useful fits."""


LONGEST_PROJECT = 18
"""Columns of a project's name beside the tabs."""


CROSSHAIR = ("cross(-1)", "cross(1)", "crosshair")
"""Keys worth showing while the crosshair is on."""
HUSHED = frozenset({"crosshair", "mark", "open", "baseline"})
"""Keys that make room for them."""


STUDIES = ("params", "scatter", "parallel", "importance", "groups")
"""Panels that show the runs of Compare in another way: their tabs give way first, Compare names their keys."""


class WorkbenchScreen(Screen[None], inherit_bindings=False):
    """A screen with tabs, a line of state, content, and the keys that matter here."""

    SCOPES: ClassVar[tuple[Scope, ...]] = ()
    DEFAULT_CSS = """
    WorkbenchScreen { layout: vertical; overflow: hidden; layers: default prompt; }
    WorkbenchScreen #too-small { display: none; width: 1fr; height: 1fr; content-align: center middle; }
    WorkbenchScreen.-too-small > * { display: none; }
    WorkbenchScreen.-too-small #too-small { display: block; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._compositor = FrugalCompositor()

    @property
    def workbench(self) -> Desk:
        """The app, as what it is."""
        return cast("Desk", self.app)

    @property
    def look(self) -> Look:
        """Styles of the current theme."""
        return self.workbench.look

    def compose(self) -> ComposeResult:
        """Tabs, state, content, keys."""
        yield Bar(lambda: self.look, id="tabs")
        yield Bar(lambda: self.look, id="state")
        yield from self.content()
        yield Bar(lambda: self.look, id="keys")
        yield _TooSmall(id="too-small")

    def content(self) -> Sequence[Widget]:
        """The widgets between the bars."""
        return ()

    # What the app tells every screen

    def data_changed(self) -> None:
        """The runs or what is known of them changed."""

    def view_changed(self, before: ViewState) -> None:
        """The user looks at something else."""

    def look_changed(self) -> None:
        """The theme changed: draw everything again."""
        for bar in self.query(Bar):
            bar.refresh()

    def go_back(self) -> None:
        """Esc on this screen."""

    def panels_changed(self, panels: Mapping[str, Panel]) -> None:
        """The panels have been collected, again where the configuration has changed."""

    def link_changed(self) -> None:
        """The store can or cannot be read."""
        self.show_bars()

    # Bars

    def offered(self) -> list[Action]:
        """Every action that works here and now."""
        actions = actions_in((*self.SCOPES, "app"), self.workbench.panel_actions, self.workbench.actions)
        return [action for action in actions if self.check_action(*name_of(action.id)) is not False]

    @property
    def leads_back(self) -> bool:
        """Whether esc does something here."""
        return True

    @property
    def reading(self) -> bool:
        """Whether the crosshair is on, and ← → move it."""
        return False

    def footer(self) -> list[Action]:
        """The keys worth showing here and now, the more the wider the terminal is."""
        offered = [action for action in self.offered() if action.id != "back" or self.leads_back]
        if self.reading:
            first = [replace(each, footer=1) for each in self.workbench.actions if each.id in CROSSHAIR]
            offered = [*first, *(each for each in offered if each.id not in HUSHED and each.id not in CROSSHAIR)]
        return footer_actions(offered, 7 if self.app.size.width < 100 else 11)

    def show_bars(self) -> None:
        """Draw tabs, state and keys."""
        if not self.is_mounted:
            return
        self.query_one("#tabs", Bar).show(self._tabs(), self._link())
        self.query_one("#state", Bar).show(*self.state_line())
        self.query_one("#keys", Bar).show(key_pieces(self.footer()))

    def state_line(self) -> tuple[Sequence[Piece], Sequence[Piece]]:
        """Left and right of the second line."""
        return (), ()

    @property
    def why_failing(self) -> str:
        """What keeps the store from being read, as far as it fits into a part of a line."""
        return first_line(self.workbench.failing_hint, self.app.size.width - 28)

    def _tabs(self) -> list[Piece]:
        app = self.workbench
        pieces = [Piece(f" {text.cut(text.plain(app.project), LONGEST_PROJECT)} ", "strong", keep=0)]
        beside = [("sql", "SQL", app.key_for("sql"))] if app.current_mode == "sql" else []
        for place, (name, title, key) in enumerate((*app.tabs, *beside)):
            here = name == app.current_mode
            words = f" {key} {title} " if key else f" {title} "
            worth = (100 if name in STUDIES else 10) + place
            pieces.append(Piece(words, "tab" if here else "dim", f"panel({name!r})", 0 if here else worth))
        wanted = sum(text.width(text.plain(piece.text)) for piece in (*pieces, *self._link()))
        if wanted > self.app.size.width:
            pieces.append(Piece(f" {app.key_for('panels')} more ", "dim", "panels", 0))
        return pieces

    def _link(self) -> list[Piece]:
        words, ink = self.workbench.link
        return [Piece(f" {words} ", ink, keep=1 if ink == "dim" else 0)]

    # Handlers; Textual calls those of every class of a screen, so none calls its parent's

    def on_mount(self) -> None:
        """Draw the bars once there are widgets."""
        rebind(self, self.workbench.actions)
        self.show_bars()

    def on_screen_resume(self) -> None:
        """Show what changed while another screen was on top."""
        self.show_bars()
        self.resumed()

    def resumed(self) -> None:
        """Another screen was on top."""
        self.data_changed()

    def on_resize(self, event: events.Resize) -> None:
        """Say so when there is no room; another width has room for other tabs and keys."""
        self.set_class(event.size.width < SMALLEST[0] or event.size.height < SMALLEST[1], "-too-small")
        self.call_after_refresh(self.show_bars)

    @on(LinesView.Read)
    def _crosshair_put(self, event: LinesView.Read) -> None:
        event.stop()
        self.show_bars()

    @on(Bar.Clicked)
    async def _clicked(self, event: Bar.Clicked) -> None:
        event.stop()
        await self.perform(event.action)

    # What it tells of itself

    @property
    def opened_run(self) -> str | None:
        """Id of the run that this screen was opened for, to be opened again at the next start."""
        return None

    def spoken(self) -> Sequence[Spoken]:
        """Commands that print what is seen here."""
        return ()

    def shown(self) -> Shown:
        """What can be copied from here."""
        return Shown()

    def places(self) -> list[Place]:
        """Where one can jump to."""
        return bar_places(self)

    def ask(self, label: str, value: str, judge: Callable[[str], Verdict], done: Callable[[str | None], None]) -> None:
        """Have a line typed; `done` gets it, or None when it was left."""
        for open_one in self.query(Prompt):
            open_one.action_cancel()
        self.mount(Prompt(label, value, judge, done, lambda: self.look))

    async def perform(self, action: str) -> None:
        """Do an action by its name, here or in the app."""
        name, _ = name_of(action)
        await self.app.run_action(action, default_namespace=self if hasattr(self, f"action_{name}") else self.app)


def first_line(words: str, room: int) -> str:
    """The first line of an error, cut to so many columns."""
    return text.cut(text.plain(next(iter(words.splitlines()), "")), max(room, 1))


class _TooSmall(Widget):
    """One line that says how much room is needed."""

    def render(self) -> str:
        width, height = self.app.size
        return f"Too small: {width}x{height}, needs {SMALLEST[0]}x{SMALLEST[1]}"
