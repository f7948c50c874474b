"""The app's settings: taken up while it is open, with what is wrong in their files said and shown."""

from __future__ import annotations

import os
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from textual import on
from textual.message import Message

from workbench.core.blocks import Tone
from workbench.core.settings import SETTINGS, Problem, Settings
from workbench.core.settings_file import SettingsFiles, keep_setting
from workbench.tui.action import Action, Scope
from workbench.tui.background import Lane
from workbench.tui.dialogs import Reader
from workbench.tui.feed import posting
from workbench.tui.keymap import Keymap, keymap_of, panel_keys
from workbench.tui.keys import rebind
from workbench.tui.look import THEMES, automatic
from workbench.tui.messages import Said
from workbench.tui.session import session_path
from workbench.tui.viewing import ViewApp


@dataclass
class SettingsLoaded(Message):
    """The settings' files have been looked at; None where they are as they were."""

    stamp: object
    settings: Settings | None


class SettingsApp(ViewApp, inherit_bindings=False):
    """Holds theme, keys and everything else that a settings file says."""

    panel_actions: tuple[Action, ...] = ()

    def __init__(self, *args: Any, files: SettingsFiles | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._files = files or SettingsFiles()
        self._files_stamp: object = self._files.stamp()
        self.settings = self._files.load()
        self.keymap = keymap_of(self.settings.keys)
        self.read_only = self.settings.flag("read_only")
        self._panel_problems: list[Problem] = []
        self._sql_mode = False
        self._lanes["settings"] = Lane("settings")
        for theme in THEMES:
            self.register_theme(theme)
        self._show_theme()

    @property
    def link(self) -> tuple[str, Tone]:
        """How fresh what is seen is, and that nothing is written."""
        words, tone = super().link
        return (f"read-only {words}" if self.read_only else words), tone

    @property
    def actions(self) -> tuple[Action, ...]:
        """Every action with the keys it has now."""
        return tuple(self.keymap.actions)

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What is wrong in the settings' files, in their order."""
        found = (*self.settings.problems, *self.keymap.problems, *self._panel_problems)
        return tuple(sorted(found, key=lambda each: (str(each.path), each.line or 0)))

    def look_at_settings(self) -> None:
        """Take up edited files, off the event loop."""
        files, stamp = self._files, self._files_stamp

        def job() -> SettingsLoaded:
            now = files.stamp()
            return SettingsLoaded(now, None if now == stamp else files.load())

        self._lanes["settings"].submit(posting(self.post_message, job))

    @on(SettingsLoaded)
    def _settings_loaded(self, event: SettingsLoaded) -> None:
        self._files_stamp = event.stamp
        if event.settings is None:
            return
        before, self.settings = self.settings, event.settings
        if before.text("theme") != self.settings.text("theme"):
            self._show_theme()
        if before.keys != self.settings.keys:
            self._take_keymap(keymap_of(self.settings.keys))
        later = [
            each.name for each in SETTINGS if not each.live and before.of(each.name) != self.settings.of(each.name)
        ]
        self.say_problems(f"{', '.join(later)}: from the next start on" if later else "settings taken up")

    def say_problems(self, otherwise: str = "") -> None:
        """Say what is wrong in the settings' files, the first of it in full."""
        problems = self.problems
        if problems:
            more = f" · {len(problems) - 1} more, {self.key_for('settings')} shows them" if len(problems) > 1 else ""
            self.say(f"{problems[0]}{more}", bad=True)
        elif otherwise:
            self.say(otherwise)

    def key_for(self, action: str, scope: Scope = "app") -> str:
        """The key an action has now, as printed on it."""
        return next(each.key for each in self.actions if each.scope == scope and each.id == action)

    @property
    def leaving_keys(self) -> Collection[str]:
        """What leaves the workbench."""
        return next(each.keys for each in self.actions if (each.scope, each.id) == ("app", "quit"))

    def told_key(self, scope: str, action: str) -> str | None:
        """The key of an action that prose names; None where there is no such action."""
        found = any(each.scope == scope and each.id == action for each in self.actions)
        return self.key_for(action, cast("Scope", scope)) if found else None

    # Keys

    def _take_keymap(self, keymap: Keymap) -> None:
        self.keymap = keymap
        if self.panels:
            self.panels_known()
        else:
            self.take_keys()

    def take_keys(self) -> None:
        """Give the app and every screen the keys that actions have now."""
        rebind(self, self.actions, self.panel_actions)
        for stack in self._screen_stacks.values():
            for screen in stack:
                rebind(screen, self.actions)
        self.refresh_bindings()
        self.tell(lambda screen: screen.show_bars())

    def chosen_panel_keys(self, panels: list[tuple[str, str, str]]) -> list[tuple[str, str, str]]:
        """(name, title, key) of panels with the keys that were chosen for them."""
        with_keys, self._panel_problems = panel_keys(panels, self.keymap)
        return with_keys

    # Theme

    def _show_theme(self) -> None:
        chosen = self.settings.text("theme")
        if chosen == "auto":
            chosen = automatic(self.color_count, colors=not self.no_color)
        self.theme = chosen

    def action_theme(self, name: str) -> None:
        """Use a theme, and again at the next start."""
        self.theme = name
        path = self._files.user
        if path is None or self.read_only:
            self.say(f"{name}, until you leave: nothing is written here")
            return

        def job() -> Said:
            try:
                keep_setting(path, "theme", name)
                return Said(f"{name}, kept in {_home(path)}")
            except (OSError, ValueError) as error:
                return Said(f"{name}, until you leave: {error}", bad=True)

        self._lanes["settings"].submit(posting(self.post_message, job))

    # Actions

    def action_settings(self) -> None:
        """Every setting, and what is wrong."""
        from workbench.tui.settings_page import settings_page

        files = [path for path in self._files.paths if path is not None]
        self.push_screen(Reader("Settings", settings_page(self.settings, self.problems, files)))

    def action_sql(self, statement: str = "") -> None:
        """Ask the store in SQL; a statement is run at once."""
        from workbench.tui.sql_history import NAME, SqlHistory
        from workbench.tui.sql_screen import SqlScreen

        if not self._sql_mode:
            self._sql_mode = True
            path = session_path(self._config.root).with_name(NAME)
            history = SqlHistory(path, self.settings.whole("sql_history"), writes=not self.read_only)
            self.add_mode("sql", lambda: SqlScreen(history))
        while self.current_mode == "sql" and len(self.screen_stack) > 1:
            self.pop_screen()
        self.switch_mode("sql")
        screen = self.screen
        if statement and isinstance(screen, SqlScreen):
            self.call_after_refresh(screen.put, statement)

    def action_suspend(self) -> None:
        """Back to the shell that we were started from."""
        if self._driver is not None and self._driver.can_suspend and os.getppid() != 1:
            self.action_suspend_process()
        else:
            self.say("there is no shell to go back to")

    def on_mount(self) -> None:
        """Draw everything again when the shell gives the terminal back."""
        self.app_resume_signal.subscribe(self, lambda _: self.call_later(self._draw_all))

    def _draw_all(self) -> None:
        for screen in self.screen_stack:
            for widget in screen.walk_children(with_self=True):
                widget.refresh()


def _home(path: Path) -> str:
    """A path as people write it."""
    try:
        return f"~/{path.relative_to(Path.home())}"
    except (ValueError, RuntimeError):
        return str(path)
