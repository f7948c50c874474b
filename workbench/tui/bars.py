"""One-line bars: the tabs on top, the state below them, the keys at the bottom; what has an action can be clicked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal, cast

from msgspec import Struct
from msgspec.structs import replace
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from workbench.core import text
from workbench.core.blocks import Tone
from workbench.tui.action import Action, Scope
from workbench.tui.actions import ACTIONS, footer_actions
from workbench.tui.look import Look

Ink = Tone | Literal["strong", "rule", "header", "tab", "key"]


class Piece(Struct, frozen=True):
    """A stretch of a bar; raw text, made safe when it is drawn."""

    text: str
    ink: Ink = ""
    action: str = ""
    keep: int = 0
    """Pieces with the highest number give way first when there is no room."""


class Bar(Widget, can_focus=False, inherit_bindings=False):
    """One line of pieces, left and right."""

    DEFAULT_CSS = "Bar { height: 1; width: 1fr; }"

    class Clicked(Message):
        """A piece with an action was clicked."""

        def __init__(self, action: str) -> None:
            super().__init__()
            self.action = action

    def __init__(self, look: Callable[[], Look], *, id: str) -> None:
        super().__init__(id=id)
        self._look = look
        self._left: Sequence[Piece] = ()
        self._right: Sequence[Piece] = ()
        self._places: list[tuple[int, int, str]] = []

    def show(self, left: Sequence[Piece], right: Sequence[Piece] = ()) -> None:
        """Draw these pieces, if they differ from what is drawn."""
        if (left, right) != (self._left, self._right):
            self._left, self._right = left, right
            self.refresh()

    @property
    def actions(self) -> Sequence[tuple[int, str]]:
        """Where what can be clicked begins, and what it does; each once."""
        found: dict[str, int] = {}
        for start, _, action in self._places:
            found.setdefault(action, start)
        return [(start, action) for action, start in found.items()]

    def render_line(self, y: int) -> Strip:
        """The bar as a strip; remembers where each piece stands."""
        look, room = self._look(), self.size.width
        left, right = self._fitting(room)
        used = sum(text.width(words) for words, _ in (*left, *right))
        segments, self._places, x = [], [], 0
        gap = [(" " * max(0, room - used), Piece(""))]
        for words, piece in (*left, *gap, *right):
            segments.append(Segment(words, self._style(piece.ink, look)))
            if piece.action:
                self._places.append((x, x + text.width(words), piece.action))
            x += text.width(words)
        return Strip(segments).adjust_cell_length(room, look.base)

    def _fitting(self, room: int) -> tuple[list[tuple[str, Piece]], list[tuple[str, Piece]]]:
        """Texts that fit, the least important pieces left out, the last one cut."""
        left = [(text.plain(piece.text, limit=300), piece) for piece in self._left]
        right = [(text.plain(piece.text, limit=300), piece) for piece in self._right]
        while sum(text.width(words) for words, _ in (*left, *right)) > room:
            loose = max((*left, *right), key=lambda pair: pair[1].keep, default=None)
            if loose is None or loose[1].keep == 0:
                break
            gone = loose[1].keep
            left, right = ([pair for pair in side if pair[1].keep != gone] for side in (left, right))
        spare = room - sum(text.width(words) for words, _ in right)
        cut: list[tuple[str, Piece]] = []
        for words, piece in left:
            shown = text.cut(words, max(0, spare))
            spare -= text.width(shown)
            cut.append((shown, piece))
        return cut, right

    @staticmethod
    def _style(ink: Ink, look: Look) -> Style:
        others = {"strong": look.strong, "rule": look.rule, "header": look.header, "tab": look.tab, "key": look.key}
        return others[ink] if ink in others else look.tone(cast("Tone", ink))

    def on_click(self, event: events.Click) -> None:
        """Do what was clicked."""
        for start, end, action in self._places:
            if start <= event.x < end:
                self.post_message(self.Clicked(action))


def key_pieces(actions: Sequence[Action]) -> list[Piece]:
    """Key and label of each action, as they stand in a footer; where there is no room the last ones go first."""
    pieces = [Piece(" ")]
    for place, action in enumerate(actions):
        keep = 0 if action.footer >= 90 else place + 1
        pieces.append(Piece(action.key, "key", action.id, keep))
        pieces.append(Piece(f" {action.label}   ", "dim", action.id, keep))
    return pieces


def keys_bar(scope: Scope, look: Callable[[], Look], id: str, among: Sequence[Action] = ACTIONS, **labels: str) -> Bar:
    """A bar with the keys of a dialog; `labels` say in other words what an action does here."""
    bar = Bar(look, id=id)
    actions = footer_actions([action for action in among if action.scope == scope])
    bar.show(key_pieces([replace(each, label=labels.get(each.id, each.label)) for each in actions]))
    return bar
