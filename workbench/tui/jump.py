"""Jumping: letters on everything that can be gone to, and the letter goes there; a capital letter opens it."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.strip import Strip
from textual.widget import Widget

from workbench.tui.dialogs import Dialog
from workbench.tui.places import Place

LETTERS = "asdfghjklqwertyuiopzxcvbnm"
"""In the order they are given out: those under the fingers first."""


def labels_for(count: int) -> list[str]:
    """So many labels, none the beginning of another: single letters while they last, else pairs for all."""
    if count <= len(LETTERS):
        return list(LETTERS[:count])
    return ["".join(pair) for pair in product(LETTERS, LETTERS)][:count]


class Jump(Dialog[tuple[Place, bool] | None]):
    """The screen with letters on it; gives the place, and whether to open it, or None."""

    DEFAULT_CSS = """
    Jump { background: $background 40%; layers: letters; }
    Jump _Letters { position: absolute; height: 1; layer: letters; }
    """

    def __init__(self, places: Sequence[Place]) -> None:
        super().__init__()
        shown = places[: len(LETTERS) ** 2]
        self._by_label = dict(zip(labels_for(len(shown)), shown, strict=True))
        self._typed = ""
        self._opens = False

    def compose(self):  # type: ignore[no-untyped-def]  # noqa: ANN201 - as Textual declares it
        """A label at every place."""
        for label, place in self._by_label.items():
            yield _Letters(label, place)

    def on_key(self, event: events.Key) -> None:
        """A letter goes there, or narrows; any other key leaves."""
        event.stop()
        letter = (event.character or "").casefold()
        if event.key == "ctrl+c":
            self.app.call_later(self.app.run_action, "quit")
            return
        if not letter or letter not in LETTERS:
            self.dismiss(None)
            return
        self._typed += letter
        self._opens |= (event.character or "").isupper()
        place = self._by_label.get(self._typed)
        if place is not None:
            self.dismiss((place, self._opens))
            return
        left = [each for each in self.query(_Letters) if each.label.startswith(self._typed)]
        if not left:
            self.dismiss(None)
        for each in self.query(_Letters):
            each.narrow(self._typed)

    def on_click(self, event: events.Click) -> None:
        """A click on a letter goes there, one beside them leaves."""
        found = [place for place in self._by_label.values() if (place.x, place.y) == (event.screen_x, event.screen_y)]
        self.dismiss((found[0], False) if found else None)


class _Letters(Widget, can_focus=False):
    """One label, over the cell it stands for."""

    def __init__(self, label: str, place: Place) -> None:
        super().__init__()
        self.label = label
        self.place = place
        self._typed = ""
        self.styles.width = len(label)
        self.styles.offset = (place.x, place.y)

    def narrow(self, typed: str) -> None:
        """Show what is left to type, or nothing where another letter was typed."""
        self._typed = typed
        self.display = self.label.startswith(typed)
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """The letters, as keys stand elsewhere, turned round."""
        jump = self.screen
        assert isinstance(jump, Jump)
        style = jump.look.key + Style(reverse=True, bold=True)
        words = self.label[len(self._typed) :].ljust(len(self.label))
        return Strip([Segment(words, style)])
