"""Pages of the SQL screen: tables and their columns, why there is no answer, and an answer without rows."""

from __future__ import annotations

from collections.abc import Mapping

from rich.segment import Segment
from textual.strip import Strip

from workbench.core import text
from workbench.core.query import Rows
from workbench.tui.drawing import Drawing, Room
from workbench.tui.sql_complete import Schema
from workbench.tui.sql_feed import Refused


def schema_page(schema: Schema | None, about: Mapping[str, str], room: Room) -> Drawing:
    """Every table with what it holds, its columns with their types below."""
    if schema is None:
        return Drawing([room.text(" Reading tables and columns …", room.look.dim)])
    look, strips = room.look, []
    for name, columns in schema.items():
        words = text.cut(about.get(name, ""), max(0, room.width - len(name) - 4))
        strips.append(room.line([Segment(f" {name}", look.accent), Segment(f"  {words}", look.dim)]))
        line: list[Segment] = [Segment("  ", look.base)]
        used = 2
        for column, kind in columns:
            shown, said = text.plain(column), text.cut(text.plain(kind), 14)
            wide = text.width(shown) + text.width(said) + 3
            if used + wide > room.width and used > 2:
                strips.append(room.line(line))
                line, used = [Segment("  ", look.base)], 2
            line += [Segment(f" {shown}", look.base), Segment(f" {said} ", look.dim)]
            used += wide
        strips.append(room.line(line))
    return Drawing(strips)


def refusal_page(refused: Refused, asked: str, room: Room, run: str) -> Drawing:
    """What is wrong, and a caret under the place of it; `run` is the key that runs a statement."""
    look = room.look
    lines = text.wrap(text.plain(refused.reason, multiline=True), room.width - 4)
    strips: list[Strip] = [room.blank()]
    for place, words in enumerate(lines):
        strips.append(room.line([Segment(" ✗ " if not place else "   ", look.bad), Segment(words, look.bad)]))
    if refused.line is None or refused.column is None:
        return Drawing([*strips, room.blank(), room.text(f" {run} runs it again", room.look.dim)])
    source = (asked.split("\n") + [""] * refused.line)[refused.line - 1]
    first = max(0, refused.column - 1 - (room.width - 24))
    head = f"   line {refused.line}: {'…' if first else ''}"
    before = text.width(text.plain(source[first : refused.column - 1]))
    strips += [
        room.blank(),
        room.line([Segment(head, look.dim), Segment(text.cut(text.plain(source[first:]), room.width), look.base)]),
        room.line([Segment(" " * (len(head) + before), look.base), Segment("^", look.bad)]),
    ]
    return Drawing(strips)


def nothing_page(rows: Rows, room: Room, run: str) -> Drawing:
    """That no row matches, and which columns there would have been; `run` is the key that runs a statement."""
    names = ", ".join(text.plain(name) for name in rows.columns)
    lines = text.wrap(f"columns: {names}", room.width - 2)
    strips = [room.blank(), room.text(" No rows", room.look.strong)]
    strips += [room.text(f" {line}", room.look.dim) for line in lines]
    return Drawing([*strips, room.blank(), room.text(f" change the statement above, {run} runs it", room.look.dim)])
