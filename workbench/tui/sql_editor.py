"""Where a statement is written: Textual's text area, words of the language told apart, what is wrong underlined."""

from __future__ import annotations

from collections.abc import Callable

from rich.style import Style
from rich.text import Text
from textual import events
from textual.binding import Binding
from textual.message import Message
from textual.widgets import TextArea

from workbench.core.text import plain
from workbench.tui.keys import Bindings
from workbench.tui.look import Look
from workbench.tui.sql_complete import Completion, Schema, completions, tokens

MOST_LINES = 8
"""Lines the editor grows to before it scrolls."""
_LONGEST = 100_000


def _editing() -> Bindings:
    """Textual's own keys for moving and deleting, without those that mean something else in a terminal."""
    found = [each for each in TextArea.BINDINGS if isinstance(each, Binding)]
    kept = [each for each in found if not {"ctrl+c", "ctrl+z"} & set(each.key.split(","))]
    without_alt = Binding("ctrl+delete", "delete_word_right", "Delete the next word", show=False)
    return [*kept, without_alt, Binding("ctrl+underscore", "undo", "Undo", show=False)]


class SqlEditor(TextArea, inherit_bindings=False):
    """A few lines of SQL; the screen decides what enter, tab, esc, ↑ and ↓ do."""

    BINDINGS = _editing()
    DEFAULT_CSS = """
    SqlEditor { height: 2; border: none; padding: 0 1; background: $background; color: $foreground; }
    SqlEditor:focus { border: none; }
    SqlEditor .text-area--matching-bracket { background: transparent; text-style: underline; }
    """

    class Wanted(Message):
        """A key was pressed that is an action's, not a character."""

        def __init__(self, action: str) -> None:
            super().__init__()
            self.action = action

    def __init__(self, actions: Callable[[], dict[str, str]], look: Callable[[], Look]) -> None:
        super().__init__(
            placeholder="select name, status from run limit 20", highlight_cursor_line=False, id="sql-editor"
        )
        self.cursor_blink = False
        self._keyed = actions
        """Actions by key."""
        self._sql_look = look
        self._wrong: tuple[int, int] | None = None
        self._cycle: tuple[Completion, int] | None = None

    # Typing

    async def _on_key(self, event: events.Key) -> None:
        """Hand the keys of actions on; ↑ and ↓ only where there is no line to go to."""
        action = self._keyed().get(event.key)
        row = self.cursor_location[0]
        inside = (action == "earlier" and row > 0) or (action == "later" and row < self.document.line_count - 1)
        if action != "complete":
            self._cycle = None
        if action is None or inside:
            await super()._on_key(event)
            return
        event.stop()
        event.prevent_default()
        self.post_message(self.Wanted(action))

    async def _on_paste(self, event: events.Paste) -> None:
        """Pasted text may hold what steers a terminal."""
        event.text = plain(event.text, limit=_LONGEST, multiline=True)
        await super()._on_paste(event)

    def write(self, text: str) -> None:
        """Hold another statement, the cursor at its end."""
        self.load_text(plain(text, limit=_LONGEST, multiline=True))
        self.move_cursor(self.document.end)
        self.fit()

    def fit(self) -> None:
        """Be as high as what is written, within reason."""
        most = max(2, min(MOST_LINES, self.app.size.height // 3))
        self.styles.height = max(2, min(most, self.wrapped_document.height))

    # Completing

    def offered(self, schema: Schema) -> Completion:
        """What the word before the cursor may become."""
        row, column = self.cursor_location
        return completions(self.document.get_line(row)[:column], self.text, schema)

    def complete(self, schema: Schema) -> tuple[Completion, int]:
        """Put the first name in the word's place, or the next one when this is pressed again."""
        found, place = self._cycle or (self.offered(schema), -1)
        if found.names:
            place = (place + 1) % len(found.names)
            row, column = self.cursor_location
            self.replace(found.names[place], (row, found.start), (row, column), maintain_selection_offset=False)
            self.move_cursor((row, found.start + len(found.names[place])))
            self._cycle = found, place
        return found, place

    # Drawing

    def mark(self, line: int | None, column: int | None) -> None:
        """Underline the word that is wrong; both count from 1."""
        self._wrong = None if line is None or column is None else (line - 1, column - 1)
        self.notify_style_update()

    def get_line(self, line_index: int) -> Text:
        """A line with the words of the language, texts and remarks told apart."""
        shown = super().get_line(line_index)
        look = self._sql_look()
        inks = {
            "word": Style(bold=True),
            "text": _ink(look.good),
            "number": _ink(look.accent),
            "remark": _ink(look.dim),
        }
        for start, end, kind in tokens(shown.plain):
            shown.stylize(inks[kind], start, end)
        if self._wrong is not None and self._wrong[0] == line_index:
            start = self._wrong[1]
            length = len(shown.plain[start:].split(" ")[0]) or 1
            shown.stylize(_ink(look.bad) + Style(underline=True, bold=True), start, start + length)
        return shown


def _ink(style: Style) -> Style:
    """A style without its ground, which is the editor's."""
    return Style(color=style.color, bold=style.bold, dim=style.dim, underline=style.underline)
