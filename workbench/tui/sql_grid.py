"""The answer to a statement as a table that scrolls: a row is drawn when it comes into view."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from msgspec.structs import replace
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from workbench.core import text
from workbench.core.blocks import Column
from workbench.core.query import Rows
from workbench.report.tables import is_number, json_value, value_cell
from workbench.tui.cells import cell_segments, cell_width, header_segments
from workbench.tui.look import Look

GAP = 2
WIDEST = 48
"""Columns that one column takes at most; enter shows the whole row."""
NARROWEST = 8
"""Columns that a text which is cut still gets."""
MEASURED = 200
"""Rows looked at to measure a column."""


class SqlGrid(ScrollView, can_focus=False, inherit_bindings=False):
    """Rows under one header line, with a cursor on one of them."""

    DEFAULT_CSS = "SqlGrid { height: 1fr; width: 1fr; scrollbar-size-vertical: 1; overflow-x: hidden; }"

    class Opened(Message):
        """A row was asked for."""

    class Moved(Message):
        """The cursor is on another row, or other columns are shown."""

    def __init__(self, look: Callable[[], Look], *, id: str) -> None:
        super().__init__(id=id)
        self._look = look
        self._rows = Rows((), ())
        self._columns: Sequence[Column] = ()
        self.first = 0
        """Place of the first column shown."""
        self.cursor = 0
        """Place of the row under the cursor."""

    @property
    def rows(self) -> Rows:
        """What is shown."""
        return self._rows

    @property
    def hidden_columns(self) -> int:
        """Columns behind the right edge."""
        return len(self._columns) - self.first - len(self._shown)

    def show(self, rows: Rows) -> None:
        """Show another answer; the cursor stays on its line where there is one."""
        same = rows.columns == self._rows.columns
        self._rows = rows
        self._columns = [_column(rows, place) for place in range(len(rows.columns))]
        self.cursor = min(self.cursor, max(0, len(rows.rows) - 1)) if same else 0
        self.first = self.first if same else 0
        self.virtual_size = Size(self.size.width, len(rows.rows) + 1)
        self.move(0)
        self.refresh()

    @property
    def _page(self) -> int:
        return max(1, self.size.height - 1)

    def move(self, rows: int) -> None:
        """Move the cursor by rows, stopping at both ends."""
        self.cursor = max(0, min(len(self._rows.rows) - 1, self.cursor + rows))
        top = int(self.scroll_offset.y)
        if self.cursor < top:
            self.scroll_to(y=self.cursor, animate=False)
        elif self.cursor >= top + self._page:
            self.scroll_to(y=self.cursor - self._page + 1, animate=False)
        self.refresh()
        self.post_message(self.Moved())

    def move_page(self, pages: int) -> None:
        """Move by pages."""
        self.move(pages * self._page)

    def scroll_columns(self, columns: int) -> None:
        """Show the columns further left or right."""
        behind = self.hidden_columns
        if columns < 0 or behind:
            self.first = max(0, min(len(self._columns) - 1, self.first + columns))
            self.refresh()
            self.post_message(self.Moved())

    def record(self) -> str:
        """The row under the cursor, a column a line."""
        if not self._rows.rows:
            return ""
        row = self._rows.rows[self.cursor]
        wide = max((text.width(text.plain(name)) for name in self._rows.columns), default=0)
        said = ((text.fit(text.plain(name), wide), json_value(value)) for name, value in self._named(row))
        return "\n".join(f"{name}  {'–' if value is None else value}" for name, value in said)

    def _named(self, row: Sequence[object]) -> list[tuple[str, object]]:
        return list(zip(self._rows.columns, row, strict=True))

    def render_line(self, y: int) -> Strip:
        """The header, or a row."""
        look = self._look()
        if y == 0:
            return self._line([header_segments(each, each.width or 1, "", look) for each in self._shown], look.header)
        place = int(self.scroll_offset.y) + y - 1
        if place >= len(self._rows.rows):
            return Strip.blank(self.size.width, look.base)
        over = look.cursor if place == self.cursor else Style.null()
        shown = self._shown
        row = self._rows.rows[place][self.first : self.first + len(shown)]
        cells = [
            cell_segments(value_cell(value), column, column.width or 1, look, over)
            for value, column in zip(row, shown, strict=True)
        ]
        return self._line(cells, look.base + over, look.accent + over if place == self.cursor else None)

    @property
    def _shown(self) -> Sequence[Column]:
        """Columns that fit beside the scroll bar; the last one may be cut if it is text, a number never is."""
        room = max(1, self.size.width - 2)
        shown: list[Column] = []
        for column in self._columns[self.first :]:
            width = column.width or 1
            if width > room and shown and (column.align == "right" or room < NARROWEST):
                break
            shown.append(replace(column, width=min(width, room)))
            room -= width + GAP
            if room <= 0:
                break
        return shown

    def _line(self, cells: Sequence[Sequence[Segment]], ground: Style, bar: Style | None = None) -> Strip:
        segments = [Segment("▌" if bar is not None else " ", bar or ground)]
        for cell in cells:
            segments += [*cell, Segment(" " * GAP, ground)]
        return Strip(segments).adjust_cell_length(self.size.width, ground)

    def on_resize(self, event: events.Resize) -> None:
        """Keep the cursor in view."""
        self.virtual_size = Size(event.size.width, len(self._rows.rows) + 1)
        self.move(0)

    def on_click(self, event: events.Click) -> None:
        """Go to the row; a second click opens it."""
        place = int(self.scroll_offset.y) + event.y - 1
        if event.y == 0 or place >= len(self._rows.rows):
            return
        self.move(place - self.cursor)
        if event.chain > 1:
            self.post_message(self.Opened())


def _column(rows: Rows, place: int) -> Column:
    name = rows.columns[place]
    head = text.width(text.plain(name, limit=80))
    content = max((cell_width(value_cell(row[place])) for row in rows.rows[:MEASURED]), default=0)
    number = is_number(rows.rows, place)
    return Column(name, name, align="right" if number else "left", width=max(1, min(WIDEST, max(head, content))))
