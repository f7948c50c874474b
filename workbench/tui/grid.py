"""The run table's widget: virtual rows, one cached strip a row, and a selection that follows the run, not the row."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from msgspec import Struct
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from workbench.core.blocks import Cell
from workbench.tui.cells import cell_segments, header_segments
from workbench.tui.changes import changed_regions
from workbench.tui.drawing import Drawing, Room
from workbench.tui.look import Look
from workbench.tui.run_columns import GUTTER, GridColumns

MARK = "■"


class _Drawn(Struct, frozen=True):
    """A row as it was last drawn, and from what."""

    cells: Sequence[Cell]
    mark: Style | None
    cursor: bool
    strip: Strip


class RunGrid(ScrollView, can_focus=False, inherit_bindings=False):
    """Rows named by id under one header line; cells are asked for when a row comes into view."""

    DEFAULT_CSS = """
    RunGrid { height: 1fr; scrollbar-size-vertical: 1; overflow-x: hidden; }
    """

    class Highlighted(Message):
        """The cursor is on another run, or on none."""

        def __init__(self, run_id: str | None) -> None:
            super().__init__()
            self.run_id = run_id

    class Opened(Message):
        """A run was asked for."""

        def __init__(self, run_id: str) -> None:
            super().__init__()
            self.run_id = run_id

    class Marked(Message):
        """A run's mark was asked to turn."""

        def __init__(self, run_id: str) -> None:
            super().__init__()
            self.run_id = run_id

    class Viewed(Message):
        """Other rows have come into view."""

    class SortBy(Message):
        """A column's title was clicked."""

        def __init__(self, key: str) -> None:
            super().__init__()
            self.key = key

    def __init__(
        self,
        cells: Callable[[str], Sequence[Cell]],
        look: Callable[[], Look],
        nothing: Callable[[Room], Drawing],
        *,
        id: str,
    ) -> None:
        super().__init__(id=id)
        self._cells = cells
        self._look = look
        self._nothing = nothing
        """What to draw where there is no row."""
        self._shown_columns = GridColumns(())
        self._ids: Sequence[str] = ()
        self._index: dict[str, int] = {}
        self._marks: dict[str, Style] = {}
        self._sorted: tuple[str, bool] = ("", False)
        self._cursor: str | None = None
        self._cache: dict[str, _Drawn] = {}
        self._verified: set[str] = set()
        self._painted: dict[int, Strip] = {}

    @property
    def ids(self) -> Sequence[str]:
        """Ids of the rows, in order."""
        return self._ids

    @property
    def layout_now(self) -> GridColumns:
        """The columns as they are drawn."""
        return self._shown_columns

    @property
    def cursor(self) -> str | None:
        """Id of the row under the cursor."""
        return self._cursor

    @property
    def visible_ids(self) -> Sequence[str]:
        """Ids of the rows on the screen."""
        return self._ids[self._top : self._top + self._page]

    @property
    def _top(self) -> int:
        return int(self.scroll_offset.y)

    @property
    def _page(self) -> int:
        return max(1, self.size.height - 1)

    def show_columns(self, layout: GridColumns, sorted_by: str, descending: bool) -> None:
        """Draw other columns, or other widths of them."""
        if layout == self._shown_columns and self._sorted == (sorted_by, descending):
            return
        self._shown_columns = layout
        self._sorted = (sorted_by, descending)
        self.redraw()

    def show_rows(self, ids: Sequence[str], *, cursor: str | None = None, follow: bool = True) -> None:
        """Draw other rows, or the same ones with new cells; the cursor stays on its run, and on its line.

        From the first page it moves down with its run, so that what is new is seen above it.
        """
        line = self._index.get(self._cursor or "", -1) - self._top
        self._ids = ids
        self._index = {run_id: place for place, run_id in enumerate(ids)}
        wanted = cursor if cursor in self._index else self._cursor
        before = self._cursor
        self._cursor = wanted if wanted in self._index else (ids[min(len(ids) - 1, max(0, line))] if ids else None)
        self._make_room(len(ids) + 1)
        if follow and self._cursor is not None and 0 <= line < self._page:
            place = self._index[self._cursor]
            at_top = self._top == 0 and place < self._page
            self.scroll_to(y=0 if at_top else max(0, place - line), animate=False)
        self.repaint()
        if before != self._cursor:
            self.post_message(self.Highlighted(self._cursor))

    def _make_room(self, lines: int) -> None:
        """Be so many lines long; the screen is laid out again only where the scroll bar comes or goes."""
        wanted, height = Size(self.size.width, lines), self.size.height
        if (lines > height) != (self.virtual_size.height > height):
            self.virtual_size = wanted
        elif wanted != self.virtual_size:
            self.set_reactive(RunGrid.virtual_size, wanted)
            self.vertical_scrollbar.window_virtual_size = lines
            self.scroll_y = self.validate_scroll_y(self.scroll_y)

    def show_marks(self, marks: dict[str, Style]) -> None:
        """Mark these runs, each in the colour of its curve."""
        if marks != self._marks:
            self._marks = marks
            self.repaint()

    def repaint(self) -> None:
        """Ask again for the cells of the rows on the screen and redraw the lines that differ."""
        self._verified.clear()
        for y in range(self.size.height):
            line, painted = self._line(y), self._painted.get(y)
            if line != painted:
                self.refresh(*changed_regions(painted, line, y, self.size.width))

    def redraw(self) -> None:
        """Forget every strip: the theme, the width or the columns changed."""
        self._cache.clear()
        self._verified.clear()
        self.refresh()

    def move(self, rows: int) -> None:
        """Move the cursor by rows, stopping at both ends."""
        if self._ids:
            place = self._index.get(self._cursor or "", 0)
            self.move_to(self._ids[max(0, min(len(self._ids) - 1, place + rows))])

    def move_page(self, pages: int) -> None:
        """Move the cursor by pages."""
        self.move(pages * max(1, self._page - 1))

    def move_to(self, run_id: str) -> None:
        """Put the cursor on a run and bring it into view."""
        if run_id not in self._index:
            return
        changed = run_id != self._cursor
        self._cursor = run_id
        place = self._index[run_id]
        if place < self._top:
            self.scroll_to(y=place, animate=False)
        elif place >= self._top + self._page:
            self.scroll_to(y=place - self._page + 1, animate=False)
        self.repaint()
        if changed:
            self.post_message(self.Highlighted(run_id))

    def render_line(self, y: int) -> Strip:
        """The strip of one line: titles on the first, then rows."""
        strip = self._line(y)
        self._painted[y] = strip
        return strip

    def _line(self, y: int) -> Strip:
        if y == 0:
            return self._header()
        place = self._top + y - 1
        if place >= len(self._ids):
            return self._blank(place)
        return self._row(self._ids[place])

    def _blank(self, place: int) -> Strip:
        look = self._look()
        if not self._ids:
            words = self._nothing(Room(self.size.width, max(1, self.size.height - 1), look)).strips
            if place < len(words):
                return words[place]
        return Strip.blank(self.size.width, look.base)

    def _row(self, run_id: str) -> Strip:
        drawn = self._cache.get(run_id)
        cursor, mark = run_id == self._cursor, self._marks.get(run_id)
        fresh = drawn is not None and run_id in self._verified
        if drawn is not None and fresh and drawn.cursor == cursor and drawn.mark == mark:
            return drawn.strip
        cells = drawn.cells if drawn is not None and fresh else self._cells(run_id)
        self._verified.add(run_id)
        if drawn is not None and drawn.cells == cells and drawn.cursor == cursor and drawn.mark == mark:
            return drawn.strip
        strip = self._draw(cells, mark, cursor)
        if len(self._cache) > 500:
            self._cache.clear()
        self._cache[run_id] = _Drawn(cells, mark, cursor, strip)
        return strip

    def _draw(self, cells: Sequence[Cell], mark: Style | None, cursor: bool) -> Strip:
        look = self._look()
        over = look.cursor if cursor else Style.null()
        segments = [
            Segment("▌" if cursor else " ", look.accent + over),
            Segment(f"{MARK} " if mark is not None else "  ", look.base + (mark or Style.null()) + over),
        ]
        gap = Segment(" " * self._shown_columns.gap, look.base + over)
        for column, cell in zip(self._shown_columns.columns, cells, strict=True):
            segments.extend(cell_segments(cell, column, column.width or 0, look, over))
            segments.append(gap)
        return Strip(segments).adjust_cell_length(self.size.width, look.base + over)

    def _header(self) -> Strip:
        look = self._look()
        segments = [Segment(" " * GUTTER, look.header)]
        key, descending = self._sorted
        for column in self._shown_columns.columns:
            arrow = "" if column.key != key else ("▼" if descending else "▲")
            segments.extend(header_segments(column, column.width or 0, arrow, look))
            segments.append(Segment(" " * self._shown_columns.gap, look.header))
        return Strip(segments).adjust_cell_length(self.size.width, look.header)

    def on_resize(self, event: events.Resize) -> None:
        """Keep the cursor in view in the new size."""
        self.virtual_size = Size(event.size.width, len(self._ids) + 1)
        self._painted.clear()
        self.redraw()
        if self._cursor is not None:
            self.move_to(self._cursor)
        self.post_message(self.Viewed())

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Other rows are in view."""
        super().watch_scroll_y(old_value, new_value)
        if round(old_value) != round(new_value):
            self.post_message(self.Viewed())

    def on_click(self, event: events.Click) -> None:
        """Title: sort. Left edge: mark. Row: move there; a second click opens it."""
        if event.y == 0:
            self._click_title(event.x)
            return
        place = self._top + event.y - 1
        if place >= len(self._ids):
            return
        run_id = self._ids[place]
        if event.x < GUTTER:
            self.post_message(self.Marked(run_id))
        elif event.chain > 1:
            self.post_message(self.Opened(run_id))
        self.move_to(run_id)

    def _click_title(self, x: int) -> None:
        for column, start in zip(self._shown_columns.columns, self._shown_columns.starts(), strict=True):
            if start <= x < start + (column.width or 0):
                self.post_message(self.SortBy(column.key))
