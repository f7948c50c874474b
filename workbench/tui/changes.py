"""Which cells of a line came out different: only those are sent to the terminal, which may be at the end of an SSH."""

from __future__ import annotations

from collections.abc import Iterator

from rich.segment import Segment
from textual.geometry import Region
from textual.strip import Strip

_GAP = 6
"""Equal cells between two changes that cost no more to send than a jump over them."""


def changed_regions(before: Strip | None, now: Strip, y: int, width: int) -> list[Region]:
    """Where a line differs from what was there before, left to right; all of it where that is not known."""
    if before is None or before.cell_length != now.cell_length:
        return [Region(0, y, width, 1)]
    found: list[Region] = []
    for start, end in _spans(list(before), list(now)):
        if found and start - found[-1].right < _GAP:
            start = found.pop().x  # noqa: PLW2901 - one span with the one before it
        found.append(Region(start, y, end - start, 1))
    return found


def _spans(before: list[Segment], now: list[Segment]) -> Iterator[tuple[int, int]]:
    """Cells from and to which differ, a segment the least there is."""
    at = 0
    while before and now and before[0].cell_length == now[0].cell_length:
        old, new = before.pop(0), now.pop(0)
        if old != new:
            yield at, at + new.cell_length
        at += new.cell_length
    if now:
        end = at + sum(segment.cell_length for segment in now)
        while before and now and before[-1] == now[-1]:
            end -= now.pop().cell_length
            before.pop()
        yield at, end
