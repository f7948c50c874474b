"""Pages to read: the keys that work on a screen, and plain text."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rich.segment import Segment
from textual.strip import Strip

from workbench.core import text
from workbench.tui.action import Action
from workbench.tui.drawing import Drawing, Room, Target


def help_page(
    sections: Sequence[tuple[str, Sequence[Action]]], footnote: str, commands: Sequence[str] = ()
) -> Callable[[Room], Drawing]:
    """The page of every key that works on a screen, by scope, and of the commands that print the same.

    Each action is a target, so that it can be done from here.
    """

    def page(room: Room) -> Drawing:
        strips: list[Strip] = []
        targets: list[Target] = []
        for title, actions in sections:
            strips += [*([room.blank()] if strips else []), room.text(title, room.look.strong)]
            for action in actions:
                keys = text.fit(action.shown_keys, 12)
                targets.append(Target(len(strips), 0, room.width, action.id))
                for place, line in enumerate(text.wrap(text.plain(action.help), room.width - 15)):
                    head = Segment(f"  {keys} " if not place else " " * 15, room.look.key)
                    strips.append(room.line([head, Segment(line, room.look.base)]))
        if commands:
            strips += [room.blank(), room.text("The same on the command line", room.look.strong)]
            wrapped = [line for words in commands for line in text.wrap(words, room.width - 2)]
            strips += [room.text(f"  {line}", room.look.base) for line in wrapped]
        strips += [room.blank(), *(room.text(line, room.look.dim) for line in text.wrap(footnote, room.width))]
        return Drawing(strips, targets)

    return page


def text_page(words: str) -> Callable[[Room], Drawing]:
    """A page of plain text, long lines wrapped."""

    def page(room: Room) -> Drawing:
        lines = text.wrap(text.plain(words, multiline=True), room.width)
        return Drawing([room.text(line, room.look.base) for line in lines])

    return page
