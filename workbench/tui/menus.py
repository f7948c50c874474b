"""Small choices with keys of their own: what to copy, a saved view, the command that prints what is seen."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rich.segment import Segment
from textual import events
from textual.app import ComposeResult
from textual.containers import Vertical

from workbench.core import text
from workbench.tui.bars import Bar, Piece
from workbench.tui.dialogs import Chooser, Dialog, Option
from workbench.tui.drawing import Drawing, Room
from workbench.tui.keys import bindings
from workbench.tui.lines_view import LinesView

COPIES = {
    "value": ("v", "a value"),
    "row": ("r", "the row, with tabs"),
    "id": ("i", "the id"),
    "path": ("p", "the path"),
    "markdown": ("m", "the table as Markdown"),
    "csv": ("c", "the table as CSV"),
    "command": ("!", "the command that prints this"),
}
"""What can be copied: its letter, and in words."""


class YankMenu(Chooser):
    """What to copy, each by one letter."""

    SCOPE = "yank"
    BINDINGS = bindings("yank")

    def __init__(self, offers: Sequence[str]) -> None:
        options = [Option(what, COPIES[what][1], COPIES[what][0]) for what in offers]
        super().__init__("Copy", lambda: options, hint="a letter copies")
        self._offers = offers

    def on_key(self, event: events.Key) -> None:
        """Letters choose, they do not narrow."""
        event.prevent_default()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Only what there is can be copied."""
        return action != "pick" or parameters[0] in self._offers

    def action_pick(self, what: str) -> None:
        """Copy this."""
        self.dismiss(what)


class ViewChooser(Chooser):
    """The saved views, with a key that deletes one."""

    SCOPE = "views"
    BINDINGS = bindings("views")

    def __init__(self, options: Callable[[], Sequence[Option]], delete: Callable[[str], None], stays: str) -> None:
        super().__init__("Views", options)
        self._delete = delete
        self._stays = stays

    def action_forget(self) -> None:
        """Delete the view under the cursor."""
        target = self.query_one(LinesView).target
        if target is not None and target.row != self._stays:
            self._delete(target.row)
            self._show()


class CommandPage(Dialog[str | None]):
    """Commands that print what is seen; gives the one to copy, or None."""

    BINDINGS = bindings("spoken")
    DEFAULT_CSS = """
    CommandPage { align: center middle; background: $background 50%; }
    CommandPage Vertical { width: 90; max-width: 96%; height: auto; max-height: 80%; background: $background;
                           border: round $border; padding: 0 1; }
    CommandPage LinesView { height: 3; }
    """

    def __init__(self, lines: Sequence[tuple[str, str]]) -> None:
        super().__init__()
        self._lines = lines

    def compose(self) -> ComposeResult:
        """What prints what, and the keys."""
        with Vertical():
            title = Bar(lambda: self.look, id="command-title")
            title.show([Piece("The same on the command line", "accent")])
            yield title
            yield LinesView(self._draw, lambda: self.look, id="commands")
            yield self.keys_bar("spoken", "command-keys")

    def on_resize(self) -> None:
        """As high as the commands are long."""
        width = min(90, int(self.app.size.width * 0.96)) - 4
        self.query_one(LinesView).styles.height = len(self._wrapped(width))

    def _wrapped(self, width: int) -> list[tuple[str, bool]]:
        found: list[tuple[str, bool]] = []
        for about, words in self._lines:
            found.append((text.plain(f"{about}:"), True))
            found += [(f"  {line}", False) for line in text.wrap(words, max(20, width - 2))]
        return found

    def _draw(self, room: Room) -> Drawing:
        look = room.look
        lines = self._wrapped(room.width)
        return Drawing([room.line([Segment(words, look.dim if dim else look.strong)]) for words, dim in lines])

    def action_copy(self) -> None:
        """Copy what is shown."""
        self.dismiss("\n".join(words for _, words in self._lines))

    def action_close(self) -> None:
        """Back to where you were."""
        self.dismiss(None)
