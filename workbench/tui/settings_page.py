"""The page of settings: what each holds, who said so, and what is wrong in the files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from rich.segment import Segment
from textual.strip import Strip

from workbench.core import text
from workbench.core.settings import SETTINGS, Chosen, Problem, Remap, Settings, said_by, shown
from workbench.tui.action import key_name
from workbench.tui.drawing import Drawing, Room
from workbench.tui.keymap import key_of


def settings_page(settings: Settings, problems: Sequence[Problem], files: Sequence[Path]) -> Callable[[Room], Drawing]:
    """What is wrong first, then every setting, then the keys that were chosen."""

    def page(room: Room) -> Drawing:
        strips: list[Strip] = []
        for problem in problems:
            strips += _wrapped(f"✗ {problem}", room, "  ", bad=True)
        if problems:
            strips += [
                room.text("What is named there is left out; everything else holds.", room.look.dim),
                room.blank(),
            ]
        for setting in SETTINGS:
            chosen = settings.of(setting.name)
            strips.append(room.line(_entry(setting.name, shown(chosen.value), chosen, room)))
            strips += _wrapped(setting.help, room, "    ")
        if settings.keys:
            strips += [room.blank(), room.text("Keys of your own", room.look.strong)]
            refused = {problem.key for problem in problems}
            strips += [_key_line(remap, remap.key in refused, room) for remap in settings.keys]
        strips += [room.blank(), *_wrapped(f"Read from {' and '.join(str(path) for path in files)}", room, "")]
        return Drawing(strips)

    return page


def _entry(name: str, value: str, chosen: Chosen, room: Room) -> list[Segment]:
    look = room.look
    ink = look.dim if chosen.origin == "default" else look.strong
    words = text.plain(said_by(chosen))
    head = [Segment(f"  {name:<12} ", look.key), Segment(text.fit(text.plain(value), 22), ink)]
    return [*head, Segment(f"  {text.cut(words, max(0, room.width - 40))}", look.dim)]


def _key_line(remap: Remap, refused: bool, room: Room) -> Strip:
    keys = " ".join(remap.keys) if refused else " ".join(key_name(key_of(key)) for key in remap.keys)
    name = text.plain(".".join(filter(None, (remap.scope, remap.action))))
    verdict = Segment("  refused, see above", room.look.bad) if refused else Segment("", room.look.base)
    return room.line(
        [Segment(f"  {text.fit(text.plain(keys), 12)} ", room.look.key), Segment(name, room.look.base), verdict]
    )


def _wrapped(words: str, room: Room, margin: str, *, bad: bool = False) -> list[Strip]:
    ink = room.look.bad if bad else room.look.dim
    lines = text.wrap(text.plain(words), room.width - len(margin))
    return [
        room.line([Segment(margin if place or not bad else "", room.look.base), Segment(line, ink)])
        for place, line in enumerate(lines)
    ]
