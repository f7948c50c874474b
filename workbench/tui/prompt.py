"""A line to type in at the foot of a screen, with what is said of it; the screen above stays alive and follows."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from msgspec import Struct
from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import Input

from workbench.core import text
from workbench.tui.action import Scope
from workbench.tui.bars import Bar, Piece, keys_bar
from workbench.tui.keys import actions_of, bindings, rebind
from workbench.tui.look import Look


class Verdict(Struct, frozen=True):
    """What a prompt says of a text: a remark, and where in the text it is wrong (None when it is right)."""

    remark: str = ""
    wrong_at: int | None = None
    unfinished: bool = False
    """More typing can mend it, so it is no error yet."""


class _Line(Input, inherit_bindings=False):
    """Textual's input; ctrl+c leaves the workbench here as everywhere else."""

    BINDINGS = [each for each in Input.BINDINGS if "ctrl+c" not in getattr(each, "key", "")]  # noqa: RUF012


class Prompt(Vertical):
    """Takes the keys that are typed; gives the text to `done`, or None when it was left."""

    SCOPE: ClassVar[Scope] = "prompt"
    BINDINGS = bindings("prompt")
    DEFAULT_CSS = """
    Prompt { layer: prompt; dock: bottom; height: 4; background: $background; border-top: solid $border; }
    Prompt Input { height: 1; border: none; padding: 0 1; background: $background; color: $foreground; width: 1fr; }
    Prompt Input:focus { border: none; background-tint: $background 0%; }
    """

    def __init__(
        self,
        label: str,
        value: str,
        judge: Callable[[str], Verdict],
        done: Callable[[str | None], None],
        look: Callable[[], Look],
    ) -> None:
        super().__init__()
        self._label = label
        self._value = value
        self._judge = judge
        self._done = done
        self._look = look

    def compose(self) -> ComposeResult:
        """The line, what is said of it, and the keys."""
        field = _Line(self._value, placeholder=text.plain(self._label), id="line", select_on_focus=False)
        field.cursor_blink = False
        yield field
        yield Bar(self._look, id="verdict")
        yield keys_bar(self.SCOPE, self._look, "prompt-keys", actions_of(self.app))

    def on_mount(self) -> None:
        """Judge what stands there from the start."""
        if not self.query(Input):
            return  # it was left before it was there
        rebind(self, actions_of(self.app))
        self.query_one(Input).focus()
        self._say(self._value)

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        self._say(event.value)

    def _say(self, value: str) -> None:
        verdict = self._judge(value)
        bar = self.query_one("#verdict", Bar)
        if verdict.wrong_at is None:
            bar.show([Piece(f" {verdict.remark}", "dim")])
            return
        before = 1 + text.width(text.plain(value[: verdict.wrong_at]))
        room = max(0, self.app.size.width - text.width(verdict.remark) - 4)
        bar.show([Piece(" " * min(before, room), ""), Piece("^ ", "bad"), Piece(verdict.remark, "bad")])

    def rewrite(self, value: str) -> None:
        """Have another text on the line, the cursor at its end."""
        field = self.query_one(Input)
        field.value = value
        field.cursor_position = len(value)

    @property
    def typed(self) -> str:
        """The text on the line."""
        return self.query_one(Input).value

    @on(Bar.Clicked)
    async def _clicked(self, event: Bar.Clicked) -> None:
        event.stop()
        await self.run_action(event.action)

    def action_accept(self) -> None:
        """Keep what was typed, unless it is wrong."""
        value = self.query_one(Input).value
        if self._judge(value).wrong_at is None:
            self._leave(value)

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.action_accept()

    def action_cancel(self) -> None:
        """Leave everything as it was."""
        self._leave(None)

    async def action_quit(self) -> None:
        """Leave the workbench."""
        await self.app.run_action("quit")

    def _leave(self, value: str | None) -> None:
        self.screen.set_focus(None)
        self.remove()
        self._done(value)
