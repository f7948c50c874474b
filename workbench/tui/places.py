"""Where one can jump to: everything on the screen that can be gone to, opened or pressed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from workbench.tui.bars import Bar
from workbench.tui.lines_view import LinesView

if TYPE_CHECKING:
    from workbench.tui.chrome import WorkbenchScreen
    from workbench.tui.grid import RunGrid


class Place(Struct, frozen=True):
    """Something on the screen that can be gone to, by its cell, and what goes there or opens it."""

    x: int
    y: int
    go: str
    """An action."""
    open: str = ""
    """What a capital letter does instead."""


def bar_places(screen: WorkbenchScreen) -> list[Place]:
    """Everything in the tabs and the line of state that does something when it is clicked."""
    places = []
    for bar in screen.query(Bar):
        if bar.id in ("tabs", "state") and bar.display:
            places += [Place(bar.region.x + x, bar.region.y, action) for x, action in bar.actions]
    return places


def grid_places(grid: RunGrid) -> list[Place]:
    """The titles of a run table, which sort, and its rows."""
    region = grid.region
    layout = grid.layout_now
    titles = [
        Place(region.x + x, region.y, f"sort_by({column.key!r})")
        for column, x in zip(layout.columns, layout.starts(), strict=True)
        if x + 1 < region.width
    ]
    rows = [
        Place(region.x, region.y + 1 + place, f"go_to({run_id!r})", f"open_at({run_id!r})")
        for place, run_id in enumerate(grid.visible_ids)
        if 1 + place < region.height
    ]
    return [*rows, *titles]


def page_places(view: LinesView) -> list[Place]:
    """Everything in a page that the cursor can be on, as far as it is on the screen."""
    region, top = view.region, int(view.scroll_offset.y)
    return [
        Place(
            region.x + target.x,
            region.y + target.y - top,
            f"go_to({target.row!r}, {target.column!r})",
            f"open_at({target.row!r}, {target.column!r})",
        )
        for target in view.targets
        if top <= target.y < top + region.height
    ]
