"""The column chooser: which params, metrics and tags are columns, in which order, and how wide each is."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from msgspec import Struct
from rich.segment import Segment
from textual import events, on
from textual.app import ComposeResult
from textual.containers import Vertical

from workbench.core import text
from workbench.core.blocks import Column
from workbench.tui.bars import Bar, Piece
from workbench.tui.dialogs import Narrowed
from workbench.tui.drawing import Drawing, Room, Target
from workbench.tui.keys import bindings
from workbench.tui.lines_view import LinesView

NARROWEST, WIDEST = 4, 60
"""Columns of a terminal that a column of the table may take."""
_BUTTONS = (("▲", "shift(-1)"), ("▼", "shift(1)"), ("−", "resize(-1)"), ("+", "resize(1)"))
_BUTTON_WIDTH = 3


class Chosen(Struct, frozen=True):
    """Columns in their order, None where the table chooses, and widths that differ from its own."""

    columns: tuple[str, ...] | None
    widths: Mapping[str, int]


class ColumnChooser(Narrowed[None]):
    """Every column there is, those that are shown first and in their order; each change is seen at once behind it."""

    BINDINGS = bindings("columns")
    KEYS = "<>"
    DEFAULT_CSS = """
    ColumnChooser { align: center middle; background: $background 50%; }
    ColumnChooser Vertical { width: 76; max-width: 96%; height: auto; max-height: 90%; background: $background;
                             border: round $border; padding: 0 1; }
    ColumnChooser LinesView { height: 1; }
    """

    def __init__(self, columns: Sequence[Column], chosen: Chosen, changed: Callable[[Chosen], None]) -> None:
        super().__init__()
        self._columns = {column.key: column for column in columns}
        self._chosen = chosen
        self._changed = changed

    def compose(self) -> ComposeResult:
        """Title with what was typed, the columns, the keys."""
        with Vertical():
            yield Bar(lambda: self.look, id="typed")
            yield LinesView(self._draw, lambda: self.look, id="options")
            yield self.keys_bar("columns", "columns-keys")

    def on_mount(self) -> None:
        """Show the columns."""
        self._show()

    @property
    def _shown(self) -> tuple[str, ...]:
        columns = self._chosen.columns
        return tuple(self._columns) if columns is None else tuple(key for key in columns if key in self._columns)

    @property
    def _found(self) -> list[str]:
        words = self._typed.casefold().split()
        order = [*self._shown, *(key for key in self._columns if key not in self._shown)]
        return [key for key in order if all(word in key.casefold() for word in words)]

    def _show(self) -> None:
        how = "chosen by the table" if self._chosen.columns is None else f"{len(self._shown)} chosen"
        self._show_list("Columns", "type to narrow", len(self._found), 0.9, [Piece(how, "dim")])

    def _draw(self, room: Room) -> Drawing:
        found, shown, look = self._found, self._shown, room.look
        if not found:
            return Drawing([room.text("nothing by that name", look.dim)])
        strips, targets = [], []
        buttons = "".join(f" {sign} " for sign, _ in _BUTTONS)
        for place, key in enumerate(found):
            on = key in shown
            width = f"{self._width(key):>3} wide" if on else ""
            head = Segment(f" {'✓' if on else '·'} ", look.accent if on else look.dim)
            room_left = room.width - 3 - 9 - len(buttons)
            name = Segment(text.fit(text.plain(key.replace(":", " ", 1)), room_left), look.base if on else look.dim)
            tail = Segment(buttons if on else " " * len(buttons), look.key)
            strips.append(room.line([head, name, Segment(f"{width:>8} ", look.dim), tail]))
            targets.append(Target(place, 0, room.width, key))
        return Drawing(strips, targets)

    def _width(self, key: str) -> int:
        return self._chosen.widths.get(key, self._columns[key].width or NARROWEST)

    def _change(self, columns: tuple[str, ...] | None, widths: Mapping[str, int] | None = None) -> None:
        kept = self._target
        self._chosen = Chosen(columns, self._chosen.widths if widths is None else widths)
        self._changed(self._chosen)
        self._show()
        if kept is not None:
            self.query_one(LinesView).select(kept)

    @property
    def _target(self) -> str | None:
        target = self.query_one(LinesView).target
        return None if target is None else target.row

    # Keys

    def action_accept(self) -> None:
        """Turn the column on or off."""
        key = self._target
        if key is not None:
            shown = self._shown
            self._change(tuple(each for each in shown if each != key) if key in shown else (*shown, key))

    def action_shift(self, places: int) -> None:
        """Put the column further left or right."""
        key, shown = self._target, list(self._shown)
        if key in shown:
            place = shown.index(key)
            shown.insert(max(0, min(len(shown) - 1, place + places)), shown.pop(place))
            self._change(tuple(shown))

    def action_resize(self, cells: int) -> None:
        """Make the column wider or narrower."""
        key = self._target
        if key is not None and key in self._shown:
            width = max(NARROWEST, min(WIDEST, self._width(key) + cells))
            self._change(self._chosen.columns, {**self._chosen.widths, key: width})

    def action_usual(self) -> None:
        """Leave columns, order and widths to the table again."""
        self._change(None, {})

    def action_cancel(self) -> None:
        """Close; what was changed holds."""
        self.dismiss(None)

    # Mouse

    def on_click(self, event: events.Click) -> None:
        """The sign in front turns a column on or off, those behind it move and resize it."""
        view = self.query_one(LinesView)
        if not view.region.contains(event.screen_x, event.screen_y) or self._target is None:
            return
        x = event.screen_x - view.region.x
        first = view.size.width - _BUTTON_WIDTH * len(_BUTTONS)
        if x < _BUTTON_WIDTH:
            self.action_accept()
        elif x >= first:
            _, action = _BUTTONS[min(len(_BUTTONS) - 1, (x - first) // _BUTTON_WIDTH)]
            self.call_later(self.run_action, action)

    @on(LinesView.Opened)
    def _opened(self, event: LinesView.Opened) -> None:
        event.stop()
        self.action_accept()

    @on(LinesView.Highlighted)
    def _highlighted(self, event: LinesView.Highlighted) -> None:
        event.stop()
