"""A scrolling view of drawn lines, with a cursor over what can be selected in them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rich.segment import Segment
from textual import events
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from workbench.tui import crosshair
from workbench.tui.changes import changed_regions
from workbench.tui.drawing import Drawing, Room, Target
from workbench.tui.look import Look


class LinesView(ScrollView, can_focus=False, inherit_bindings=False):
    """Draws by a function of the room it has, again at every size; redraws only lines that differ."""

    DEFAULT_CSS = """
    LinesView { height: 1fr; width: 1fr; scrollbar-size-vertical: 1; overflow-x: hidden; }
    """

    class Highlighted(Message):
        """The cursor is on another target."""

        def __init__(self, view: LinesView, target: Target | None) -> None:
            super().__init__()
            self.view = view
            self.target = target

    class Opened(Message):
        """A target was asked for."""

        def __init__(self, view: LinesView, target: Target) -> None:
            super().__init__()
            self.view = view
            self.target = target

    class Read(Message):
        """The crosshair was put somewhere."""

    def __init__(self, draw: Callable[[Room], Drawing], look: Callable[[], Look], *, id: str) -> None:
        super().__init__(id=id)
        self._draw = draw
        self._look = look
        self._drawing = Drawing(())
        self._cursor: tuple[str, int | None] | None = None
        self.crosshair: float | None = None
        """The x at which every chart is read."""

    @property
    def target(self) -> Target | None:
        """What the cursor is on; until it is moved the first row, and in a heat map its last column, the newest."""
        targets = self._drawing.targets
        found = next((each for each in targets if (each.row, each.column) == self._cursor), None)
        if found is not None or not targets:
            return found
        return max((each for each in targets if each.row == targets[0].row), key=lambda each: each.column or 0)

    @property
    def targets(self) -> Sequence[Target]:
        """Everything the cursor can be on."""
        return self._drawing.targets

    def place(self, row: str, column: int | None = None) -> None:
        """Start with the cursor on a target, wherever it will be drawn."""
        self._cursor = (row, column)

    @property
    def has_cells(self) -> bool:
        """Whether some target is the cell of a heat map."""
        return any(target.column is not None for target in self._drawing.targets)

    @property
    def has_plots(self) -> bool:
        """Whether there is a chart that a crosshair could be on."""
        return bool(self._drawing.plots)

    @property
    def crosshair_words(self) -> str:
        """Where the crosshair is; empty while it is off."""
        return "" if self.crosshair is None else crosshair.words(self._drawing.plots, self.crosshair)

    def toggle_crosshair(self) -> None:
        """Read every chart at its newest value, or no longer."""
        self.crosshair = crosshair.first_place(self._drawing.plots) if self.crosshair is None else None
        self.redraw()

    def read_at(self, x: float, chart: int = 0) -> bool:
        """Read every chart at the value nearest to x, with that chart on the screen; False where there is none."""
        plots = self._drawing.plots
        if not plots:
            return False
        shown = plots[min(chart, len(plots) - 1)]
        self.crosshair = min(shown.steps, key=lambda step: abs(step - x))
        self.redraw()
        self.scroll_to(y=max(0, shown.y - 2), animate=False)
        return True

    def move_crosshair(self, columns: int) -> None:
        """To the next value that way."""
        if self.crosshair is not None:
            self.crosshair = crosshair.moved(self._drawing.plots, self.crosshair, columns)
            self.redraw()

    def redraw(self) -> None:
        """Draw again, and refresh the lines that came out different."""
        size = self.size
        if not size.width or not size.height:
            return
        before = self._drawing
        self._drawing = self._draw(Room(size.width, size.height, self._look(), self.crosshair))
        height = len(self._drawing.strips)
        if height != len(before.strips):
            self.virtual_size = Size(size.width, height)
        if height != len(before.strips) or before.targets != self._drawing.targets:
            self.refresh()
            return
        top = int(self.scroll_offset.y)
        for y in range(top, min(height, top + size.height)):
            old, new = before.strips[y], self._drawing.strips[y]
            if old != new:
                self.refresh(*changed_regions(old, new, y - top, size.width))

    def render_line(self, y: int) -> Strip:
        """One line, the cursor laid over it."""
        place = int(self.scroll_offset.y) + y
        if place >= len(self._drawing.strips):
            return Strip.blank(self.size.width, self._look().base)
        strip = self._drawing.strips[place].adjust_cell_length(self.size.width, self._look().base)
        target = self.target
        if target is None or target.y != place:
            return strip
        return self._under_cursor(strip, target)

    def _under_cursor(self, strip: Strip, target: Target) -> Strip:
        """A row gets a bar and a ground; a cell of a heat map gets brackets, so that its colour still shows."""
        look, end = self._look(), target.x + target.width
        inside = strip.crop(target.x, end)
        if target.column is None:
            segments = [Segment("▌", look.accent + look.cursor), *self._shaded(inside.crop(1))]
            inside = Strip(segments)
        else:
            words = inside.text
            style = next(iter(inside)).style or look.base
            inside = Strip([Segment(f"[{words[1:-1]}]" if len(words) > 1 else "▣", style + look.on_cell)])
        return Strip.join([strip.crop(0, target.x), inside, strip.crop(end)])

    def _shaded(self, strip: Strip) -> list[Segment]:
        over = self._look().cursor
        return [Segment(each.text, (each.style or self._look().base) + over) for each in strip]

    def move(self, rows: int, columns: int = 0) -> None:
        """Move the cursor to the nearest target that way, or scroll where nothing can be selected."""
        here = self.target
        if here is None:
            self.scroll_to(y=self.scroll_offset.y + rows, animate=False)
            return
        if columns:
            found = [t for t in self._drawing.targets if t.row == here.row and t.column is not None]
            wanted = (here.column or 0) + columns
            self._select(next((t for t in found if t.column == wanted), here))
        elif rows:
            lane = [t for t in self._drawing.targets if _beside(t, here)]
            place = lane.index(here) + rows
            if not 0 <= place < len(lane):
                self.scroll_to(y=self.scroll_offset.y + rows, animate=False)
            self._select(lane[max(0, min(len(lane) - 1, place))])

    def move_page(self, pages: int) -> None:
        """Move by pages."""
        self.move(pages * max(1, self.size.height - 2))

    def _select(self, target: Target) -> None:
        changed = self._cursor != (target.row, target.column)
        self._cursor = (target.row, target.column)
        self._bring_in_sight(target)
        self.refresh()
        if changed:
            self.post_message(self.Highlighted(self, target))

    def _bring_in_sight(self, target: Target) -> None:
        """As little as it takes to see it."""
        top = int(self.scroll_offset.y)
        if target.y < top:
            self.scroll_to(y=0 if target.y < self.size.height // 2 else target.y, animate=False)
        elif target.y >= top + self.size.height:
            self.scroll_to(y=target.y - self.size.height + 1, animate=False)

    def select(self, row: str, column: int | None = None) -> None:
        """Put the cursor on a row by its id, or on a cell of it; nothing happens where there is none."""
        targets = (target for target in self._drawing.targets if target.row == row)
        found = next((target for target in targets if column is None or target.column == column), None)
        if found is not None:
            self._select(found)

    def on_resize(self, event: events.Resize) -> None:
        """Draw for the new size, with what the cursor was put on in sight."""
        self.virtual_size = Size(event.size.width, len(self._drawing.strips))
        self.redraw()
        if self._cursor is not None and self.target is not None:
            self._bring_in_sight(self.target)
        self.refresh()

    def on_click(self, event: events.Click) -> None:
        """Select what was clicked; a second click opens it."""
        y = int(self.scroll_offset.y) + event.y
        found = next((t for t in self._drawing.targets if t.y == y and t.x <= event.x < t.x + t.width), None)
        if found is None:
            self._read(event.x, y)
            return
        self._select(found)
        if event.chain > 1:
            self.post_message(self.Opened(self, found))

    def _read(self, x: int, y: int) -> None:
        """Put the crosshair where a chart was clicked."""
        place = crosshair.at_column(self._drawing.plots, x, y)
        if place is not None:
            self.crosshair = place
            self.redraw()
            self.post_message(self.Read())


def _beside(target: Target, here: Target) -> bool:
    """Whether a target lies in the same column of the cursor's way up and down."""
    return target.column == here.column or target.column is None or here.column is None
