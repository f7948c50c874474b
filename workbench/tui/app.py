"""The application: what is looked at, which screen is open, and what a key does everywhere."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from msgspec.structs import replace
from textual import events
from textual.screen import Screen

from workbench.core.config import Config
from workbench.core.query import Query
from workbench.core.settings_file import SettingsFiles
from workbench.tui import collector
from workbench.tui.action import SCOPE_TITLES
from workbench.tui.actions import actions_in, panel_actions
from workbench.tui.annotator import Annotator
from workbench.tui.chrome import WorkbenchScreen
from workbench.tui.dialogs import Chooser, Option, Reader
from workbench.tui.keys import bindings, rebind
from workbench.tui.pages import help_page
from workbench.tui.prompt import Prompt
from workbench.tui.runs_screen import RunsScreen
from workbench.tui.session import ViewState, load_session, save_session, session_path
from workbench.tui.wording import WordsApp

if TYPE_CHECKING:
    from textual.actions import ActionParseResult
    from textual.dom import DOMNode

    from workbench.core.blocks import Empty
    from workbench.core.model import Run
    from workbench.plugin.api import Panel
    from workbench.tui.desk import Desk
    from workbench.tui.drawing import Target

POLL = 0.1
"""Seconds between looks at the store's revision, which cost a stat each."""

WITHOUT_TAB = ("run", "source")
"""Panels that are opened from another one, and so have no tab."""


class WorkbenchApp(WordsApp, inherit_bindings=False):
    """The workbench; `query` and `panels` may be functions, called off the event loop after the first paint.

    `quick` opens the store for its newest runs alone, which are painted while all others are read.
    """

    TITLE = "Workbench"
    ENABLE_COMMAND_PALETTE = False
    ALLOW_SELECT = False  # rows are copied by keys; to drag over a passing remark would end the app
    MODES: ClassVar[dict[str, str | Callable[[], Screen[Any]]]] = {"runs": RunsScreen}
    DEFAULT_MODE = "runs"
    BINDINGS = bindings("app")
    CSS = """
    WorkbenchScreen { background: $background; color: $foreground; }
    * { scrollbar-background: $background; scrollbar-background-hover: $background;
        scrollbar-background-active: $background; scrollbar-color: $border; scrollbar-color-hover: $accent; }
    """

    def __init__(
        self,
        query: Query | Callable[[Config], Query],
        annotator: Annotator,
        config: Config,
        panels: Sequence[Panel] | Callable[[Config], Sequence[Panel]],
        *,
        quick: Callable[[Config], Query] | None = None,
        on_start: Callable[[], None] = lambda: None,
        on_answer: Callable[[], None] | None = None,
        clock: Callable[[], float] = time.time,
        poll: float = POLL,
        settings: SettingsFiles | None = None,
    ) -> None:
        self._session_path = session_path(config.root)
        super().__init__(query, panels, config, clock, *load_session(self._session_path), quick, files=settings)
        self._annotator = annotator
        self._on_start = on_start
        self._on_answer = on_answer
        self._poll = poll
        self.waiting: Callable[[], Empty | None] = lambda: None
        """What to say, instead of how to begin, where no run has been found yet."""
        self._done, self._undone = [], []
        self._went_on = False
        self.project = config.root.resolve().name or "workbench"
        self.tabs: Sequence[tuple[str, str, str]] = (("runs", "Runs", "1"),)
        self._early: Callable[[], None] | None = None
        """What was asked for before the panels were known, and is done once they are."""
        self._with_mode = {"runs"}
        """Panels that can be switched to."""
        if os.environ.get("SSH_CONNECTION"):
            self.animation_level = "none"
        rebind(self, self.actions)

    def on_mount(self) -> None:
        """Begin to ask the store once the first screen has been painted."""
        self.theme_changed_signal.subscribe(self, lambda _: self.tell(lambda screen: screen.look_changed()))
        self.call_after_refresh(self._begin)
        self.say_problems()

    def _begin(self) -> None:
        self._on_start()
        self._opened_at = None if self._on_answer is None else self.clock()
        if not self.start_with_newest():
            self.start()
        if self._poll:
            self.set_interval(self._poll, self.look_between_keys)
            self.set_interval(1.0, self._tick)

    def answer_seen(self) -> None:
        """Begin to read logs once there is something to look at."""
        super().answer_seen()
        if self._on_answer is not None:
            self._on_answer()
            self._on_answer = None

    def _tick(self) -> None:
        """Ages grow, and the configuration may have been edited."""
        collector.tidy(idle=self.untouched > collector.IDLE)
        self.look_at_config()
        self.look_at_settings()
        for screen in self.workbench_screens:
            if isinstance(screen, RunsScreen) and screen.is_current:
                screen.extras_changed(resort=False)

    # Screens

    def panels_known(self) -> None:
        """Give every panel its tab, its key and its mode."""
        from workbench.tui.panel_kinds import screen_of
        from workbench.tui.source_panel import SourcePanel

        self.panels.setdefault(SourcePanel.name, SourcePanel())
        shown = [panel for panel in self.panels.values() if panel.name not in WITHOUT_TAB]
        wanted = self.chosen_panel_keys([(panel.name, panel.title, panel.key) for panel in shown])
        self.panel_actions = panel_actions(wanted, self.actions)
        keys = {action.id: action.keys[0] for action in self.panel_actions}
        self.tabs = [(name, title, keys.get(f"panel({name!r})", "")) for name, title, _ in wanted]
        for panel in shown:
            if panel.name not in self._with_mode:
                self._with_mode.add(panel.name)
                self.add_mode(panel.name, lambda name=panel.name: screen_of(self.panels[name]))  # type: ignore[misc]
        self.take_keys()
        self._go_on()
        if self._early is not None:
            early, self._early = self._early, None
            self.call_later(early)
        self.release_keys()

    def _go_on(self) -> None:
        """Open what was open when the workbench was left, unless something else has been opened meanwhile."""
        where, run = self.view.screen, self.view.run
        if self._went_on:
            return
        self._went_on = True
        if self.current_mode != self.DEFAULT_MODE or len(self.screen_stack) > 1 or self.screen.query(Prompt):
            return
        if where in {name for name, _, _ in self.tabs} and where != self.DEFAULT_MODE:
            self.switch_mode(where)
        elif where == "sql":
            self.action_sql()
        if run in self.rows.by_id and run is not None:
            self.open_run(run)

    def _left_at(self) -> ViewState:
        """The view, with what is open now."""
        opened = [screen.opened_run for screen in self.screen_stack if isinstance(screen, WorkbenchScreen)]
        run = next((each for each in reversed(opened) if each is not None), None)
        return replace(self.view, screen=self.current_mode, run=run)

    def open_run(self, run_id: str) -> None:
        """Open a run over the current screen."""
        self.open_panel("run", {"run": run_id}, self.name_of(run_id))

    def open_run_at(self, run_id: str, step: int) -> None:
        """Show a run's charts at a step: on the screen below, where that is the run's, else on one of its own."""
        from workbench.tui.run_screen import RunScreen

        below = self.screen_stack[-2] if len(self.screen_stack) > 1 else None
        if isinstance(below, RunScreen) and below.current_run_id == run_id:
            self.pop_screen()
        else:
            self.open_run(run_id)
        if isinstance(shown := self.screen_stack[-1], RunScreen):
            shown.read_at(step)

    def open_log(self, run: Run, step: int | None = None) -> None:
        """Open a run's log over the current screen."""
        from workbench.tui.logs_screen import LogsScreen

        self.push_screen(LogsScreen(run, step))

    def open_panel(self, name: str, focus: Mapping[str, Any], crumb: str, start: Target | None = None) -> None:
        """Open a panel with a focus of its own over the current screen."""
        from workbench.tui.panel_kinds import screen_of

        if not self._went_on and name not in self.panels:
            self._early = lambda: self.open_panel(name, focus, crumb, start)
        elif name in self.panels:
            self.push_screen(screen_of(self.panels[name], focus, crumb, start))

    def action_panel(self, name: str) -> None:
        """Show a panel."""
        if name == self.current_mode:
            while len(self.screen_stack) > 1:
                self.pop_screen()
        self.switch_mode(name)

    def _handle_exception(self, error: Exception) -> None:
        """What a plugin's widget raises ends that widget; whatever else raises ends the app, as Textual has it."""
        from workbench.tui.boxed import box_around

        box = box_around(error)
        if box is None:
            super()._handle_exception(error)
        else:
            box.report(error)

    async def run_action(
        self, action: str | ActionParseResult, default_namespace: DOMNode | None = None,
        namespaces: Mapping[str, DOMNode] | None = None,
    ) -> bool:  # fmt: skip
        """Actions run among the app's own messages, which an action of a plugin's widget must not end."""
        from workbench.tui.boxed import box_around

        try:
            return await super().run_action(action, default_namespace, namespaces)
        except Exception as error:
            box = box_around(error)
            if box is None:
                raise
            box.report(error)
            return True

    # Actions

    def on_key(self, event: events.Key) -> None:
        """Say so where a key does nothing, which is better than nothing."""
        if not event.is_printable or event.key in self.screen.active_bindings:
            return
        words = f"{event.character} does nothing here · {self.key_for('help')} shows every key that does"
        if not self._went_on and event.key.isalnum():
            self.hold_keys(event, lambda: self.say(words))  # it may be a panel's
        else:
            self.say(words)

    async def action_back(self) -> None:
        """One layer back."""
        if isinstance(self.screen, WorkbenchScreen):
            self.screen.go_back()

    def action_panels(self) -> None:
        """List the panels."""
        options = [Option(name, title, key, name == self.current_mode) for name, title, key in self.tabs]
        self.push_screen(Chooser("Panels", lambda: options), lambda name: self.action_panel(name) if name else None)

    def action_help(self) -> None:
        """Every key that works on this screen."""
        screen = self.screen
        if not isinstance(screen, WorkbenchScreen):
            return
        offered = screen.offered()
        here = actions_in((*screen.SCOPES, "app"), self.panel_actions, self.actions)
        scopes = dict.fromkeys(action.scope for action in here)
        sections = [(SCOPE_TITLES[scope], [a for a in offered if a.scope == scope]) for scope in scopes]
        note = "The mouse works too: click selects, double click opens, a column's title sorts, the left edge marks."
        same = [f"{about}: {words}" for about, words in self.spoken_lines()]
        page = help_page([each for each in sections if each[1]], note, same)

        def chosen(action: str | None) -> None:
            if action is not None:
                self.call_next(screen.perform, action)

        self.push_screen(Reader(f"Keys · {self.key_for('accept', 'reader')} or a double click does one", page), chosen)

    async def action_quit(self) -> None:
        """Leave; the view and the rows as they stand are kept for the next time."""
        screens = [screen for screen in self.workbench_screens if isinstance(screen, RunsScreen)]
        painting = screens[0].paint() if screens and self.live else self.painting
        if not self.read_only:
            save_session(self._session_path, self._left_at(), painting)
        self.exit()


if TYPE_CHECKING:

    def _desk(app: WorkbenchApp) -> Desk:
        """That the app is what its screens take it for, for the type checker to see."""
        return app
