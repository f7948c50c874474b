"""Console output as W&B records it: pieces of two streams, put together to lines."""

from __future__ import annotations

from typing import Literal

from workbench.core.batch import ConsoleLine
from workbench.readers.protobuf import Field, fields, text, unsigned
from workbench.readers.wandb.items import timestamp

LONGEST = 16_384
"""Characters of a line that are kept."""
_HELD = 4096
"""Characters of an unfinished line that a state carries."""

Stream = Literal["out", "err"]


def piece_of(data: bytes, whole: Field) -> tuple[Stream, float | None, str]:
    """Stream, time and text of an output record."""
    stream: Stream = "err"
    wall: float | None = None
    words = ""
    for field in fields(data, whole.lo, whole.hi):
        match field.number, field.wire:
            case 1, 0:
                stream = "out" if unsigned(data, field) == 1 else "err"
            case 2, 2:
                wall = timestamp(data, field)
            case 3, 2:
                words = text(data, field)
    return stream, wall, words


def visible(line: str) -> str:
    """What stands on the line at its end: carriage returns, as progress bars print them, go back to its start."""
    return next((part for part in reversed(line.split("\r")) if part), "")


class Console:
    """Lines out of pieces; an unfinished line is carried on in `held`."""

    def __init__(self, held: dict[str, str]) -> None:
        self.held = held
        self.lines: list[ConsoleLine] = []

    def add(self, stream: Stream, wall: float | None, words: str, offset: int) -> None:
        """Take in a piece; the lines it completes carry its time."""
        *complete, rest = (self.held.pop(stream, "") + words).split("\n")
        self.lines += [ConsoleLine(visible(line)[:LONGEST], wall, stream, offset) for line in complete]
        rest = rest[rest.rstrip("\r").rfind("\r") + 1 :]
        if rest:
            self.held[stream] = rest[:_HELD]

    def add_line(self, words: str, offset: int) -> None:
        """Take in a line that came by itself."""
        self.lines.append(ConsoleLine(visible(words)[:LONGEST], None, "out", offset))

    def finish(self, wall: float | None, offset: int) -> None:
        """Complete what was left unfinished."""
        streams: tuple[Stream, ...] = ("out", "err")
        for stream in streams:
            rest = visible(self.held.pop(stream, ""))
            if rest:
                self.lines.append(ConsoleLine(rest[:LONGEST], wall, stream, offset))
