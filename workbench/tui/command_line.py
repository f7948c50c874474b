"""The line after a colon: what is typed is judged at once, completed by tab, and found again by the arrows."""

from __future__ import annotations

from collections.abc import Callable

from textual import on

from workbench.core import text
from workbench.tui.bars import Bar, Piece
from workbench.tui.completing import Completions
from workbench.tui.history import History
from workbench.tui.keys import bindings
from workbench.tui.look import Look
from workbench.tui.prompt import Prompt, Verdict

TAKE = "take:"
"""What the action of a candidate begins with, when it is clicked."""


class CommandLine(Prompt):
    """A prompt that completes and remembers; `done` gets what can be done, or None when it was left."""

    SCOPE = "command"
    BINDINGS = bindings("command")
    DEFAULT_CSS = """
    CommandLine { layer: prompt; dock: bottom; height: 4; background: $background; border-top: solid $border; }
    CommandLine Input { height: 1; border: none; padding: 0 1; background: $background; width: 1fr; }
    CommandLine Input:focus { border: none; background-tint: $background 0%; }
    """

    def __init__(
        self,
        value: str,
        judge: Callable[[str], Verdict],
        complete: Callable[[str], Completions],
        history: History,
        done: Callable[[str | None], None],
        look: Callable[[], Look],
    ) -> None:
        super().__init__("a command, such as: runs --where 'lr>1e-3'", value, judge, done, look)
        self._complete = complete
        self._history = history
        self._cycling: tuple[str, Completions, int] | None = None
        """The line before a candidate was put in it, its candidates, and which one stands there now."""
        history.begin()

    def _say(self, value: str) -> None:
        """What is wrong; else what could come next beside what the line will do."""
        verdict = self._judge(value)
        if verdict.wrong_at is not None and not verdict.unfinished:
            super()._say(value)
            return
        if self._cycling is not None and value != self._cycled:
            self._cycling = None
        found = self._cycling[1] if self._cycling is not None else self._complete(value)
        here = self._cycling[2] if self._cycling is not None else -1
        remark = Piece(f" {verdict.remark}  ", "warn" if verdict.unfinished else "dim")
        shown = [
            Piece(f" {text.plain(each, limit=40)} ", "tab" if place == here else "accent", f"{TAKE}{each}", 2 + place)
            for place, each in enumerate(found.candidates[:12])
        ]
        self.query_one("#verdict", Bar).show([remark, *shown])

    @property
    def _cycled(self) -> str:
        assert self._cycling is not None
        line, found, place = self._cycling
        return found.taken(line, found.candidates[place])

    def action_complete(self, step: int = 1) -> None:
        """Put in what all candidates begin with; again: one candidate after the other."""
        if self._cycling is not None:
            line, found, place = self._cycling
            self._cycling = line, found, (place + step) % len(found.candidates)
            self.rewrite(self._cycled)
            return
        value = self.typed
        found = self._complete(value)
        longer = found.common(value)
        if longer != value:
            self.rewrite(longer)
        elif found.candidates:
            self._cycling = value, found, 0 if step > 0 else len(found.candidates) - 1
            self.rewrite(self._cycled)

    def action_recall(self, back: int) -> None:
        """An older line, or a newer one."""
        line = self._history.step(back, self.typed)
        if line is not None:
            self.rewrite(line)

    @on(Bar.Clicked)
    async def _candidate(self, event: Bar.Clicked) -> None:
        if event.action.startswith(TAKE):
            event.stop()
            event.prevent_default()
            value = self.typed
            base = self._cycling[0] if self._cycling is not None else value
            found = self._cycling[1] if self._cycling is not None else self._complete(value)
            self._cycling = None
            self.rewrite(found.taken(base, event.action.removeprefix(TAKE)))

    def action_accept(self) -> None:
        """Do it, unless something is wrong or lacks."""
        verdict = self._judge(self.typed)
        if verdict.wrong_at is None:
            self._history.add(self.typed)
        super().action_accept()
