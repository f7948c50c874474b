"""What opens over a screen and keeps all keys to itself: a list to choose from, a page to read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar, TypeVar, cast

from msgspec import Struct
from msgspec.structs import replace
from rich.segment import Segment
from textual import events, on
from textual.app import ComposeResult
from textual.await_complete import AwaitComplete
from textual.containers import Vertical
from textual.screen import ModalScreen

from workbench.core import text
from workbench.tui.action import Scope
from workbench.tui.bars import Bar, Piece, keys_bar
from workbench.tui.drawing import Drawing, Room, Target
from workbench.tui.frugal import FrugalCompositor
from workbench.tui.keys import actions_of, bindings, rebind
from workbench.tui.lines_view import LinesView
from workbench.tui.look import Look, Looking

Result = TypeVar("Result")


class Dialog(ModalScreen[Result], inherit_bindings=False):
    """Something over the screen that keeps all keys to itself."""

    def __init__(self) -> None:
        super().__init__()
        self._compositor = FrugalCompositor()
        self._left = False

    def dismiss(self, result: Result | None = None) -> AwaitComplete:
        """Close, once: what the rest of a burst of keys says is not for the screens below."""
        if self._left:
            return AwaitComplete()
        self._left = True
        return super().dismiss(result)

    @property
    def look(self) -> Look:
        """Styles of the current theme."""
        return cast("Looking", self.app).look

    def keys_bar(self, scope: Scope, id: str, **labels: str) -> Bar:
        """A bar with the keys of this dialog; `labels` say in other words what an action does here."""
        return keys_bar(scope, lambda: self.look, id, actions_of(self.app), **labels)

    def on_mount(self) -> None:
        """Take the user's keys."""
        rebind(self, actions_of(self.app))

    @on(Bar.Clicked)
    async def _clicked(self, event: Bar.Clicked) -> None:
        event.stop()
        await self.run_action(event.action)

    async def action_quit(self) -> None:
        """Leave the workbench."""
        await self.app.run_action("quit")


class Narrowed(Dialog[Result]):
    """A list narrowed by typing, its title with what was typed on top of it."""

    KEYS: ClassVar[str] = ""
    """Characters that are keys here and narrow nothing."""

    def __init__(self) -> None:
        super().__init__()
        self._typed = ""

    def _show(self) -> None:
        raise NotImplementedError

    def _show_list(self, title: str, hint: str, rows: int, share: float, remark: Sequence[Piece] = ()) -> None:
        """Draw the list again, at most a share of the terminal high; `hint` stands where nothing was typed."""
        typed = Piece(f"{self._typed}▏", "strong") if self._typed else Piece(hint, "dim")
        self.query_one("#typed", Bar).show([Piece(f"{title}  ", "accent"), typed], remark)
        view = self.query_one(LinesView)
        view.styles.height = max(1, min(rows, int(self.app.size.height * share) - 5))
        view.redraw()
        view.refresh()

    def on_resize(self) -> None:
        """As many entries as the terminal now has room for."""
        self._show()

    def on_key(self, event: events.Key) -> None:
        """Letters narrow the list."""
        if event.key == "backspace":
            self._typed = self._typed[:-1]
        elif event.character is not None and event.is_printable and event.character not in self.KEYS:
            self._typed += event.character
        else:
            return
        event.stop()
        self._show()

    def action_move(self, rows: int) -> None:
        """Move the cursor."""
        self.query_one(LinesView).move(rows)


class Option(Struct, frozen=True):
    """An entry to choose: its key, what it is called, and a remark at the right."""

    key: str
    label: str
    remark: str = ""
    on: bool = False
    """It is what holds now."""


class Chooser(Narrowed[str | None]):
    """A list narrowed by typing; gives the chosen key, or None. With `keep_open`, choosing turns entries on and off."""

    SCOPE: ClassVar[Scope] = "chooser"
    BINDINGS = bindings("chooser")
    DEFAULT_CSS = """
    Chooser { align: center middle; background: $background 50%; }
    Chooser Vertical { width: 64; max-width: 90%; height: auto; max-height: 80%; background: $background;
                       border: round $border; padding: 0 1; }
    Chooser LinesView { height: 1; }
    """

    def __init__(
        self,
        title: str,
        options: Callable[[], Sequence[Option]],
        keep_open: Callable[[str], None] | None = None,
        hint: str = "type to narrow",
    ) -> None:
        super().__init__()
        self._hint = hint
        self._title = title
        self._options = options
        self._keep_open = keep_open

    def compose(self) -> ComposeResult:
        """Title with what was typed, the entries, the keys."""
        with Vertical():
            yield Bar(lambda: self.look, id="typed")
            yield LinesView(self._draw, lambda: self.look, id="options")
            labels = {} if self._keep_open is None else {"accept": "on or off"}
            yield self.keys_bar(self.SCOPE, "chooser-keys", **labels)

    def on_mount(self) -> None:
        """Show the list with the cursor on what holds now."""
        current = next((option.key for option in self._options() if option.on), None)
        if current is not None and self._keep_open is None:
            self.query_one(LinesView).place(current)
        self._show()

    def _found(self) -> list[Option]:
        """Entries that hold every typed word, those that begin with it first."""
        words = self._typed.casefold().split()
        found = [option for option in self._options() if all(word in option.label.casefold() for word in words)]
        return sorted(found, key=lambda option: not option.label.casefold().startswith(self._typed.casefold()))

    def _show(self) -> None:
        self._show_list(self._title, self._hint, len(self._found()), 0.8)

    def _draw(self, room: Room) -> Drawing:
        found = self._found()
        if not found:
            return Drawing([room.text("nothing by that name", room.look.dim)])
        strips, targets = [], []
        for place, option in enumerate(found):
            remark = text.plain(option.remark, limit=40)
            mark = "• " if option.on else "  "
            label = text.fit(text.plain(option.label, limit=200), room.width - 5 - text.width(remark))
            segments = [Segment(f" {mark}", room.look.accent), Segment(label, room.look.base)]
            strips.append(room.line([*segments, Segment(f" {remark}", room.look.dim)]))
            targets.append(Target(place, 0, room.width, option.key))
        return Drawing(strips, targets)

    def action_accept(self) -> None:
        """Choose what the cursor is on."""
        target = self.query_one(LinesView).target
        if target is not None:
            self._choose(target.row)

    @on(LinesView.Highlighted)
    def _moved(self, event: LinesView.Highlighted) -> None:
        event.stop()

    @on(LinesView.Opened)
    def _opened(self, event: LinesView.Opened) -> None:
        event.stop()
        self._choose(event.target.row)

    def _choose(self, key: str) -> None:
        if self._keep_open is None:
            self.dismiss(key)
            return
        self._keep_open(key)
        self._show()

    def action_cancel(self) -> None:
        """Close without choosing."""
        self.dismiss(None)


class Reader(Dialog[str | None]):
    """A page to read: help, or a traceback; gives what was chosen on it, where it has something to choose."""

    BINDINGS = bindings("reader")
    DEFAULT_CSS = """
    Reader { align: center middle; background: $background 50%; }
    Reader Vertical { width: 90; max-width: 96%; height: 90%; background: $background;
                      border: round $border; padding: 0 1; }
    """

    def __init__(self, title: str, draw: Callable[[Room], Drawing]) -> None:
        super().__init__()
        self._title = title
        self._draw = draw

    def compose(self) -> ComposeResult:
        """Title, page, keys."""
        with Vertical():
            title = Bar(lambda: self.look, id="reader-title")
            title.show([Piece(self._title, "accent")])
            yield title
            yield LinesView(self._page, lambda: self.look, id="page")
            yield self.keys_bar("reader", "reader-keys")

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Choosing needs something to choose."""
        return action != "accept" or not self.is_mounted or self.query_one(LinesView).target is not None

    def action_accept(self) -> None:
        """Choose what is highlighted."""
        target = self.query_one(LinesView).target
        if target is not None:
            self.dismiss(target.row)

    @on(LinesView.Opened)
    def _opened(self, event: LinesView.Opened) -> None:
        event.stop()
        self.dismiss(event.target.row)

    @on(LinesView.Highlighted)
    def _moved(self, event: LinesView.Highlighted) -> None:
        event.stop()

    def _page(self, room: Room) -> Drawing:
        """The page beside its scroll bar, which stands on the last column."""
        return self._draw(replace(room, width=max(1, room.width - 2)))

    def action_scroll(self, rows: int) -> None:
        """Scroll by lines."""
        self.query_one(LinesView).move(rows)

    def action_page(self, pages: int) -> None:
        """Scroll by pages."""
        self.query_one(LinesView).move_page(pages)

    def action_close(self) -> None:
        """Back to where you were."""
        self.dismiss(None)
