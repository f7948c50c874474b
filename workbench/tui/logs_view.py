"""Lines of a log on the screen, one of them under the cursor."""

from __future__ import annotations

from collections.abc import Callable

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from workbench.core import text
from workbench.core.log_text import Level
from workbench.tui.logs_page import LogPage, Row
from workbench.tui.look import Look

MARKS: dict[Level, str] = {"error": "✗", "warning": "!", "info": " "}
"""What stands before a line besides its colour."""
WHEEL = 3
"""Lines that the wheel moves by."""
SIDEWAYS = 16
"""Columns that a key moves by."""


class LogView(Widget, can_focus=False, inherit_bindings=False):
    """A window on a page of lines; long ones are cut, and moved sideways."""

    DEFAULT_CSS = "LogView { height: 1fr; width: 1fr; }"

    class Moved(Message):
        """The cursor is on another line."""

    class Opened(Message):
        """A line was asked for."""

    def __init__(self, look: Callable[[], Look], *, id: str) -> None:
        super().__init__(id=id)
        self._look = look
        self.page = LogPage()
        self.cursor = 0
        self.top = 0
        self.column = 0
        self.sought = ""
        """Text that is marked where it stands."""

    @property
    def row(self) -> Row | None:
        """The line under the cursor."""
        return self.page.rows[self.cursor] if self.cursor < len(self.page.rows) else None

    @property
    def at_end(self) -> bool:
        """Whether the cursor is on the last line there is."""
        return self.page.is_end and self.cursor >= len(self.page.rows) - 1

    def show(self, page: LogPage, *, at: int | None = None) -> None:
        """Show another page; the line under the cursor stays, or the one that holds the byte `at` gets it."""
        here, below = self.row, self.cursor - self.top
        first = self.page.rows[self.top].offset if self.top < len(self.page.rows) else -1
        self.page = page
        self.cursor = page.place_of(at if at is not None else here.offset if here is not None else page.size)
        if at is not None:
            top = page.place_of(first)
            is_seen = 0 <= self.cursor - top < self.size.height and page.rows and page.rows[top].offset == first
            below = self.cursor - top if is_seen else self.size.height // 3
        self.top = self.cursor - below
        self._keep_inside()
        self.refresh()

    def show_end(self, page: LogPage) -> None:
        """Show a page with the cursor on its last line."""
        self.page = page
        self.cursor = max(len(page.rows) - 1, 0)
        self.top = self.cursor - self.size.height + 1
        self._keep_inside()
        self.refresh()

    def move(self, rows: int) -> None:
        """Move the cursor by lines."""
        self.cursor += rows
        self._keep_inside()
        self.refresh()
        self.post_message(self.Moved())

    def move_to_end(self, last: bool) -> None:
        """To the first or last line that is known."""
        self.move(len(self.page.rows) if last else -len(self.page.rows))

    def sideways(self, steps: int) -> None:
        """Show what stands further right, or left."""
        widest = max((len(row.text) for row in self.page.rows[self.top : self.top + self.size.height]), default=0)
        self.column = max(0, min(self.column + steps * SIDEWAYS, max(widest - SIDEWAYS, 0)))
        self.refresh()

    def _keep_inside(self) -> None:
        count, height = len(self.page.rows), max(self.size.height, 1)
        self.cursor = max(0, min(self.cursor, count - 1))
        self.top = max(0, min(self.top, self.cursor, count - height))
        self.top = max(self.top, self.cursor - height + 1)

    def render_line(self, y: int) -> Strip:
        """One line with its mark; the text is made safe here."""
        place, look = self.top + y, self._look()
        if place >= len(self.page.rows):
            return Strip.blank(self.size.width, look.base)
        row, here = self.page.rows[place], place == self.cursor
        over = look.cursor if here else Style.null()
        tone = {"error": look.bad, "warning": look.warn, "info": look.base}[row.level]
        gutter = [Segment("▌" if here else " ", look.accent + over), Segment(f"{MARKS[row.level]} ", tone + over)]
        shown = text.cut(text.plain(row.text)[self.column :], self.size.width - 3)
        segments = [*gutter, *self._marked(shown, tone + over)]
        return Strip(segments).adjust_cell_length(self.size.width, look.base + over)

    def _marked(self, shown: str, style: Style) -> list[Segment]:
        """A text with what was sought turned over."""
        sought = self.sought
        if not sought:
            return [Segment(shown, style)]
        where = shown if sought != sought.lower() else shown.lower()
        segments, place = [], 0
        while (found := where.find(sought, place)) >= 0:
            segments += [
                Segment(shown[place:found], style),
                Segment(shown[found : found + len(sought)], style + self._look().on_cell),
            ]
            place = found + len(sought)
        return [*segments, Segment(shown[place:], style)]

    def on_resize(self, event: events.Resize) -> None:
        """Keep the cursor on the screen."""
        self._keep_inside()
        self.refresh()

    def on_click(self, event: events.Click) -> None:
        """Select a line; a second click opens it."""
        if self.top + event.y < len(self.page.rows):
            self.move(self.top + event.y - self.cursor)
            if event.chain > 1:
                self.post_message(self.Opened())

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """The wheel."""
        event.stop()
        self.move(-WHEEL)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """The wheel."""
        event.stop()
        self.move(WHEEL)
