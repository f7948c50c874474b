"""The app's side of what is typed: the command line, the palette that lists the same, and commands run outside.

What understands commands is loaded when one is typed: the first paint does not wait for it.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, cast

from textual import on

from workbench.core import text
from workbench.tui.action import Action
from workbench.tui.chrome import WorkbenchScreen
from workbench.tui.dialogs import Chooser, Option, Reader
from workbench.tui.messages import Ran
from workbench.tui.prompt import Prompt, Verdict
from workbench.tui.taking import TakingApp

if TYPE_CHECKING:
    import subprocess

    from workbench.tui.commands import Here
    from workbench.tui.completing import Completions
    from workbench.tui.desk import Desk
    from workbench.tui.history import History
    from workbench.tui.words import Word

MOST_LINES = 5_000
"""Lines of a command's answer that are shown."""
TYPED = "type:"
"""What an entry of the palette begins with that is a command to type."""


class WordsApp(TakingApp, inherit_bindings=False):
    """Understands the command line's words; `outside` tells those it leaves to the command line itself."""

    outside: Callable[[], Sequence[Word]] = staticmethod(lambda: ())
    _outside_words: Sequence[Word] | None = None
    _history: History | None = None
    _process: subprocess.Popen[str] | None = None

    @property
    def root(self) -> Path:
        """The project's folder."""
        return self._config.root.resolve()

    def known_words(self) -> Mapping[str, Word]:
        """Every command that can be typed now, by name."""
        from workbench.tui.commands import known_words

        if self._outside_words is None:
            self._outside_words = self.outside()
        screen = self.screen
        offered = screen.offered() if isinstance(screen, WorkbenchScreen) else []
        return known_words(self._outside_words, [each for each in offered if _can_be_typed(each)])

    # The line

    def action_command_line(self, value: str = "") -> None:
        """Type a command."""
        from workbench.tui.command_line import CommandLine
        from workbench.tui.commands import Here
        from workbench.tui.completing import complete
        from workbench.tui.doing import prepare
        from workbench.tui.history import History, history_path

        screen = self.screen
        if not isinstance(screen, WorkbenchScreen):
            return
        for open_one in screen.query(Prompt):
            open_one.action_cancel()
        self.clear_notifications()  # a remark would stand on what can be typed next
        known, here = self.known_words(), Here(cast("Desk", self), screen)
        self._history = self._history or History(history_path(self._config.root), writes=not self.read_only)

        def judge(line: str) -> Verdict:
            return judged(line, known, here)

        def completed(line: str) -> Completions:
            return complete(line, known, here)

        def done(line: str | None) -> None:
            if line is not None:
                self.call_next(prepare(line, known, here).effect)

        screen.mount(CommandLine(value, judge, completed, self._history, done, lambda: self.look))

    def action_commands(self) -> None:
        """Find an action or a command by its name."""
        from workbench.tui.commands import known_words

        screen = self.screen
        if not isinstance(screen, WorkbenchScreen):
            return
        offered = [action for action in screen.offered() if _can_be_typed(action)]
        options = [Option(action.id, f"{action.label} – {action.help}", action.shown_keys) for action in offered]
        options += [
            Option(f"{TYPED}{word.name}", f"{word.name} – {word.summary}", f":{word.usage}")
            for word in known_words(self.known_outside()).values()
        ]
        options += [Option(f"theme({name!r})", f"theme {name}") for name in self.available_themes]

        def chosen(action: str | None) -> None:
            if action is None:
                return
            if action.startswith(TYPED):
                self.call_next(self.action_command_line, f"{action.removeprefix(TYPED)} ")
            else:
                self.call_next(screen.perform, action)

        self.push_screen(Chooser("Commands", lambda: options), chosen)

    def known_outside(self) -> Sequence[Word]:
        """The command line's own words."""
        self.known_words()
        return self._outside_words or ()

    def do(self, action: str) -> None:
        """Do an action by its name, on the screen that is open or in the app."""
        screen = self.screen
        if isinstance(screen, WorkbenchScreen):
            self.call_next(screen.perform, action)

    def show_panel(self, name: str) -> None:
        """Open a view that has a tab, at its top."""
        self.action_panel(name)

    # Outside

    def run_outside(self, words: Sequence[str]) -> None:
        """Run a command of the command line as a process of its own, and show what it says when it has ended."""
        import subprocess

        if self.read_only:
            self.say(f"read-only: type it in a shell: workbench {words[0]} …", bad=True)
            return
        self.say(f"workbench {' '.join(words)} …")
        command = [sys.executable, "-m", "workbench.cli.main", *words]
        columns = str(max(60, self.size.width - 10))
        environment = {**os.environ, "COLUMNS": columns, "NO_COLOR": "1", "PYTHONIOENCODING": "utf-8"}

        def job() -> Ran:
            with subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                text=True, encoding="utf-8", errors="replace", env=environment,
            ) as process:  # fmt: skip
                self._process = process
                out, err = process.communicate()
                self._process = None
                return Ran(words, process.returncode, out, err)

        self.in_background(job)

    @on(Ran)
    def _ran(self, event: Ran) -> None:
        from workbench.tui.pages import text_page

        shown = "\n".join(filter(None, (event.out.strip("\n"), event.err.strip())))
        lines = shown.splitlines()
        ended = f" · exit code {event.code}" if event.code else ""
        if len(lines) <= 1 or not isinstance(self.screen, WorkbenchScreen):
            said = lines[-1] if lines else f"workbench {' '.join(event.words)}: done"
            self.say(f"{said}{ended}", bad=event.code != 0)
            return
        if len(lines) > MOST_LINES:
            lines = [*lines[:MOST_LINES], f"… {len(lines) - MOST_LINES:,} more lines; --out FILE keeps them all"]
        title = text.plain(f"workbench {' '.join(event.words)}", limit=60)
        self.push_screen(Reader(f"{title}{ended}", text_page("\n".join(lines))))

    def on_unmount(self) -> None:
        """End a command that still runs."""
        if self._process is not None:
            self._process.terminate()


def judged(line: str, known: Mapping[str, Word], here: Here) -> Verdict:
    """What is said of a line; within quotes that are still open, what would be said if they were closed."""
    from workbench.tui.doing import prepare
    from workbench.tui.words import Refused

    try:
        return Verdict(prepare(line, known, here).remark)
    except Refused as refused:
        if not refused.closing:
            return Verdict(refused.message, refused.position, refused.unfinished)
        closed = judged(line + refused.closing, known, here)
        if closed.wrong_at is not None:
            return closed
        return Verdict(f"{closed.remark} · {refused.closing} closes", refused.position, True)


def _can_be_typed(action: Action) -> bool:
    """Whether an action is worth a name: moving by rows is not, nor is asking for what is being typed."""
    return action.scope != "list" and action.id not in ("commands", "command_line")
