"""Where charts stand: groups below each other, tiles of one size side by side, cut into pages."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from msgspec import Struct
from msgspec.structs import replace

from workbench.core.series_charts import Chart, Group

GAP = 2
LOWEST = 9
"""Rows of the lowest tile: a title, the values, five rows of curve, an axis and its labels."""
TILE = 40
"""Columns a tile would like to have."""
HIGHEST = 16
"""Rows of the highest tile where there are several pages."""


class Slot(Struct, frozen=True):
    """A chart, or the heading of a group, at its place on a page."""

    group: Group
    chart: Chart | None
    x: int
    width: int
    y: int = 0
    height: int = 1

    @property
    def id(self) -> str:
        """What the cursor remembers: `chart:…` or `group:…`."""
        return f"group:{self.group.id}" if self.chart is None else f"chart:{self.chart.title}"

    def holds(self, x: int, y: int) -> bool:
        """Whether a cell of the page is in it."""
        return self.x <= x < self.x + self.width and self.y <= y < self.y + self.height


Row = tuple[Slot, ...]
Page = tuple[Row, ...]


def pages_of(groups: Sequence[Group], folded: Collection[str], width: int, height: int) -> list[Page]:
    """Rows of slots on pages of this size; a heading never stands alone at the foot of one."""
    rows = list(_rows(groups, folded, _across(groups, folded, width), width))
    pages: list[list[Row]] = []
    free = 0
    for place, row in enumerate(rows):
        heading = row[0].chart is None
        follower = rows[place + 1] if place + 1 < len(rows) else ()
        with_next = 1 + LOWEST if heading and follower and follower[0].chart is not None else 0
        needed = max(with_next, 1 if heading else LOWEST)
        if not pages or needed > free:
            pages.append([])
            free = height
        pages[-1].append(row)
        free -= 1 if heading else LOWEST
    return [_placed(page, height, alone=len(pages) == 1) for page in pages]


def _across(groups: Sequence[Group], folded: Collection[str], width: int) -> int:
    """Tiles side by side."""
    most = max((len(group.charts) for group in groups if group.id not in folded), default=1)
    return max(1, min(most, round(width / TILE)))


def _rows(groups: Sequence[Group], folded: Collection[str], across: int, width: int) -> Iterator[Row]:
    tile = (width - GAP * (across - 1)) // across
    bare = len(groups) == 1 and not groups[0].id
    for group in groups:
        if not bare:
            yield (Slot(group, None, 0, width),)
        if group.id in folded and not bare:
            continue
        for start in range(0, len(group.charts), across):
            members = group.charts[start : start + across]
            yield tuple(Slot(group, chart, at * (tile + GAP), tile) for at, chart in enumerate(members))


def _placed(page: Sequence[Row], height: int, *, alone: bool) -> Page:
    """Rows below each other; tiles share what headings leave, up to a limit where there are several pages."""
    tiles = sum(row[0].chart is not None for row in page)
    room = max(height - (len(page) - tiles), LOWEST)
    high = room // max(tiles, 1)
    high, spare = (high, room - high * tiles) if alone or high <= HIGHEST else (HIGHEST, 0)
    placed: list[Row] = []
    y = 0
    for row in page:
        own = 1
        if row[0].chart is not None:
            own, spare = high + (spare > 0), spare - 1
        placed.append(tuple(replace(slot, y=y, height=own) for slot in row))
        y += own
    return tuple(placed)


def slots_of(page: Page) -> list[Slot]:
    """Every slot of a page, in the order they are read."""
    return [slot for row in page for slot in row]


def page_of(pages: Sequence[Page], id: str) -> int:
    """The page that a slot is on; the first where there is none."""
    return next((at for at, page in enumerate(pages) for slot in slots_of(page) if slot.id == id), 0)


def beside(pages: Sequence[Page], id: str, rows: int) -> str:
    """The slot so many rows below, or above, in the same column as near as can be; the last one there is."""
    lanes = [row for page in pages for row in page]
    if not lanes:
        return id
    here, slot = next(((at, slot) for at, lane in enumerate(lanes) for slot in lane if slot.id == id), (0, lanes[0][0]))
    lane = lanes[max(0, min(len(lanes) - 1, here + rows))]
    middle = slot.x + (slot.width // 2 if slot.chart is not None else 0)
    return min(lane, key=lambda each: abs(each.x + each.width // 2 - middle)).id


def turned(pages: Sequence[Page], id: str, by: int, *, charts_only: bool = False) -> str:
    """The slot so many places further on, or back."""
    order = [slot for page in pages for slot in slots_of(page) if slot.chart is not None or not charts_only]
    ids = [slot.id for slot in order]
    if not ids:
        return id
    here = ids.index(id) if id in ids else 0
    return ids[max(0, min(len(ids) - 1, here + by))]
