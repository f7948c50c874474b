"""Sends the cells that changed and no others: Textual's own update of a line begins at its widget's left edge."""

from __future__ import annotations

from rich.console import Console
from rich.control import Control
from textual._compositor import ChopsUpdate, Compositor


class FrugalUpdate(ChopsUpdate):
    """Spans of lines, each sent from its first cell to its last."""

    def render_segments(self, console: Console) -> str:
        """The update as escape sequences."""
        found: list[str] = []
        for y, left, right in self.spans:
            for end, (x, strip) in zip(self.chop_ends[y], self.chops[y].items(), strict=False):
                if strip is None or x >= right or end <= left:
                    continue
                first, last = max(x, left), min(end, right)
                part = strip if (first, last) == (x, end) else strip.crop(first - x, last - x)
                found += [Control.move_to(first, y).segment.text, part.simplify().render(console)]
        return "".join(found)


class FrugalCompositor(Compositor):
    """The compositor of every screen here."""

    def render_partial_update(self) -> ChopsUpdate | None:
        """The regions that are due."""
        update = super().render_partial_update()
        return update and FrugalUpdate(update.chops, update.spans, update.chop_ends)
