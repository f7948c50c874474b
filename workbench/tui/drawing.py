"""What is drawn: lines of one width, what in them can be selected or read, and the room they were drawn for."""

from __future__ import annotations

import math
from collections.abc import Sequence

from msgspec import Struct
from msgspec.structs import replace
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from workbench.core import text
from workbench.tui.look import Look

LOWEST_CHART = 9


class Target(Struct, frozen=True):
    """Something the cursor can be on: a row of a table, or a cell of a heat map."""

    y: int
    x: int
    width: int
    row: str
    """The row's id, or its label in a heat map."""
    column: int | None = None
    """Place in a heat map's row; None for a table."""
    from_end: int | None = None
    """That place counted from the right: -1 is the last column, whichever are shown."""


class Plotted(Struct, frozen=True):
    """A chart among the lines: where it stands, and the x values that a crosshair can be on, ascending."""

    y: int
    height: int
    x: int
    width: int
    low: float
    high: float
    steps: Sequence[float]
    kind: str
    """`number`, `time` or `duration`, as in `Lines.x_kind`."""
    log: bool = False

    def x_at(self, column: int) -> float:
        """The x that a column from the left is drawn for."""
        share = column / (self.width - 1)
        if self.log:
            return math.exp(math.log(self.low) + (math.log(self.high) - math.log(self.low)) * share)
        return self.low + (self.high - self.low) * share

    def beside(self, x: float, columns: int) -> float:
        """The x so many columns further on."""
        if self.log:
            return float(x * (self.high / self.low) ** (columns / (self.width - 1)))
        return x + columns * (self.high - self.low) / (self.width - 1)


class Drawing(Struct, frozen=True):
    """Lines of one width, what can be selected in them, and the charts among them."""

    strips: Sequence[Strip]
    targets: Sequence[Target] = ()
    plots: Sequence[Plotted] = ()

    def moved(self, x: int, y: int) -> Drawing:
        """The same at another place, for the drawing that it becomes a part of."""
        targets = [replace(target, x=target.x + x, y=target.y + y) for target in self.targets]
        return Drawing(self.strips, targets, [replace(plot, x=plot.x + x, y=plot.y + y) for plot in self.plots])


class Room(Struct, frozen=True):
    """The columns, the rows (0 is unlimited) and the look that a block is drawn with."""

    width: int
    rows: int
    look: Look
    crosshair: float | None = None
    """The x at which every chart is read."""

    def blank(self) -> Strip:
        """An empty line."""
        return Strip.blank(self.width, self.look.base)

    def line(self, segments: Sequence[Segment]) -> Strip:
        """A line of exactly this width."""
        return Strip(segments).adjust_cell_length(self.width, self.look.base)

    def text(self, words: str, style: Style) -> Strip:
        """One styled text, cut to the width."""
        return self.line([Segment(text.cut(words, self.width), style)])


def title(words: str, room: Room) -> list[Strip]:
    """A heading with a rule to the right edge; nothing for no words."""
    if not words:
        return []
    shown = text.cut(text.plain(words), room.width - 2)
    rule = "─" * max(0, room.width - text.width(shown) - 1)
    return [room.line([Segment(f"{shown} ", room.look.strong), Segment(rule, room.look.rule)])]
