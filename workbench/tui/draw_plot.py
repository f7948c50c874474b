"""Charts as lines: curves by the raster, bars and heat maps by block characters."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from workbench.core import raster, text, units
from workbench.core.blocks import Bars, Heat, Lines, Scatter
from workbench.tui.drawing import LOWEST_CHART, Drawing, Plotted, Room, Target, title
from workbench.tui.look import Look

HIGHEST_BARS = 12
EIGHTHS = " ▁▂▃▄▅▆▇█"
SIDEWAYS = " ▏▎▍▌▋▊▉█"


def run_style(index: int, look: Look) -> Style:
    """The colour of a palette index on the look's ground."""
    return Style(color=look.curve(index), bgcolor=look.background)


def faint_style(index: int, look: Look) -> Style:
    """The colour of the raw line behind a smoothed one."""
    return Style(color=look.faint(index), bgcolor=look.background)


def lines(block: Lines, room: Room) -> Drawing:
    """Curves in the rows there are, remarks below them."""
    rows = max(LOWEST_CHART, room.rows) if room.rows else 14
    if block.x_kind != "number" and block.lines and not steps_of(block, -math.inf, math.inf):
        words = room.text("no times are known of these points; an x axis by step shows them", room.look.dim)
        return Drawing([*title(block.title, room), words, *[room.blank()] * (rows - 2)])
    marker = room.look.marker
    frame = raster.draw(block, room.width, rows, marker=marker, crosshair=room.crosshair, zone=None)
    if frame.notes:
        frame = raster.draw(block, room.width, rows - 1, marker=marker, crosshair=room.crosshair, zone=None)
    inks = Inks(room.look)
    inked = [[Segment(words, inks[ink]) for words, ink in frame.runs(y)] for y in range(len(frame.chars))]
    strips = [room.line(segments) for segments in inked]
    if frame.notes:
        strips.append(room.text(" · ".join(frame.notes), room.look.warn))
    steps = () if block.x_names else steps_of(block, frame.x_low, frame.x_high)
    place = (frame.top, frame.height, frame.left, frame.width)
    plotted = Plotted(*place, frame.x_low, frame.x_high, steps, block.x_kind, frame.log_x)
    return Drawing(strips, plots=[plotted] if len(steps) and frame.width > 1 else [])


def scatter(block: Scatter, room: Room) -> Drawing:
    """Named points in the rows there are, remarks below them."""
    from workbench.core.scatter import draw_scatter

    rows = max(LOWEST_CHART, room.rows) if room.rows else 18
    ascii_only = room.look.marker == "ascii"
    frame = draw_scatter(block, room.width, rows, ascii_only=ascii_only, zone=None)
    if frame.notes:
        frame = draw_scatter(block, room.width, rows - 1, ascii_only=ascii_only, zone=None)
    inks = Inks(room.look)
    strips = [
        room.line([Segment(words, inks[color]) for words, color in frame.runs(y)]) for y in range(len(frame.chars))
    ]
    return Drawing([*strips, *(room.text(note, room.look.warn) for note in frame.notes)])


def steps_of(block: Lines, low: float, high: float) -> Sequence[float]:
    """Every x at which some curve has a value, ascending."""
    known = [line.x[np.isfinite(line.x) & np.isfinite(line.y)] for line in block.lines]
    if not known:
        return ()
    every = np.unique(np.concatenate(known))
    found: list[float] = every[(every >= low) & (every <= high)].tolist()
    return found


class Inks(dict[int, Style]):
    """Styles of cells by the raster's colour codes; each is made once, however many cells have it."""

    def __init__(self, look: Look) -> None:
        super().__init__({raster.TEXT: look.base, raster.DIM: look.dim, raster.WARN: look.warn})
        self._look = look

    def __missing__(self, color: int) -> Style:
        faint = color >= raster.FAINT
        made = faint_style(color - raster.FAINT, self._look) if faint else run_style(color, self._look)
        self[color] = made
        return made


def bars(block: Bars, room: Room) -> Drawing:
    """Upright bars where many labels fit side by side, lying ones where labels are few."""
    strips = title(block.title, room) + _bars_legend(block, room)
    if not block.labels or not block.series:
        return Drawing([*strips, room.text("no values", room.look.dim)])
    if len(block.labels) > 8 and len(block.labels) * (len(block.series) + 1) <= room.width - 8:
        return Drawing(strips + _upright(block, room))
    return Drawing(strips + _lying(block, room))


def _bars_legend(block: Bars, room: Room) -> list[Strip]:
    if len(block.series) < 2:
        return []
    segments = []
    for place, (name, _) in enumerate(block.series):
        segments += [Segment("■ ", _series_style(place, room.look)), Segment(f"{text.plain(name)}   ", room.look.dim)]
    return [room.line(segments)]


def _series_style(place: int, look: Look) -> Style:
    """The first series is the reference: grey; the others have colours."""
    return look.dim if place == 0 else run_style(place - 1, look)


def _lying(block: Bars, room: Room) -> list[Strip]:
    """One line a label and series: label, bar, value."""
    peak = max((value for _, values in block.series for value in values if math.isfinite(value)), default=0.0) or 1.0
    labels = [text.plain(label, limit=60) for label in block.labels]
    left = min(max(map(text.width, labels)), room.width // 3)
    length = max(4, room.width - left - 12)
    strips = []
    for place, label in enumerate(labels):
        for which, (_, values) in enumerate(block.series):
            value = values[place] if place < len(values) else math.nan
            style = _series_style(which, room.look) if len(block.series) > 1 else room.look.accent
            head = text.fit(label if not which else "", left)
            bar = text.fit(_bar(value / peak, length), length)
            parts = [Segment(f"{head} ", room.look.base), Segment(bar, style)]
            strips.append(room.line([*parts, Segment(f" {units.value(value, block.unit)}", room.look.dim)]))
    return strips


def _bar(share: float, length: int) -> str:
    """A lying bar in eighths of a cell; anything above 0 is seen."""
    if not math.isfinite(share) or share <= 0:
        return ""
    eighths = max(1, round(min(share, 1.0) * length * 8))
    return "█" * (eighths // 8) + SIDEWAYS[eighths % 8].strip()


def _upright(block: Bars, room: Room) -> list[Strip]:
    """Groups of bars over their labels, the scale at the left."""
    height = min(HIGHEST_BARS, max(4, room.rows - 4)) if room.rows else 8
    peak = max((value for _, values in block.series for value in values if math.isfinite(value)), default=0.0) or 1.0
    across = len(block.series)
    scale = units.value(peak, block.unit)
    left = text.width(scale) + 1
    wide = max(1, ((room.width - left) // len(block.labels) - 1) // across)
    strips = []
    for row in range(height):
        head = scale if row == 0 else "0" if row == height - 1 else ""
        segments = [Segment(f"{text.fit(head, left - 1, 'right')} ", room.look.dim)]
        for place in range(len(block.labels)):
            for which, (_, values) in enumerate(block.series):
                style = _series_style(which, room.look) if across > 1 else room.look.accent
                segments.append(Segment(_level(values[place] / peak, row, height) * wide, style))
            segments.append(Segment(" ", room.look.base))
        strips.append(room.line(segments))
    group = wide * across + 1
    return [*strips, room.line([Segment(_labels_below(block.labels, left, group, room.width), room.look.dim)])]


def _level(share: float, row: int, height: int) -> str:
    """One cell of an upright bar, row 0 on top."""
    if not math.isfinite(share) or share <= 0:
        return " "
    filled = max(1, round(min(share, 1.0) * height * 8)) - (height - 1 - row) * 8
    return EIGHTHS[max(0, min(8, filled))]


def _labels_below(labels: Sequence[str], left: int, group: int, width: int) -> str:
    """As many labels under their groups as do not touch."""
    line, free = "", left
    for place, label in enumerate(labels):
        shown = text.plain(label, limit=40)
        x = left + place * group
        if x >= free and x + text.width(shown) <= width:
            line += " " * (x - text.width(line)) + shown
            free = x + text.width(shown) + 2
    return line


def heat(block: Heat, room: Room) -> Drawing:
    """A matrix of coloured cells; flagged ones carry a mark, so that they are seen without colour."""
    strips = title(block.title, room)
    if not block.rows or not block.columns:
        return Drawing([*strips, room.text("no values", room.look.dim)])
    labels = [text.plain(label, limit=60) for label in block.rows]
    left = min(max(map(text.width, labels)), max(8, room.width // 3))
    cell = max(2, min(8, (room.width - left - 1) // len(block.columns)))
    most = max(1, (room.width - left - 1) // cell)
    first = max(0, len(block.columns) - most)
    shown = range(first, len(block.columns))
    names = [block.columns[index] for index in shown]
    strips.append(room.line([Segment(_labels_below(names, left + 1, cell, room.width), room.look.dim)]))
    targets = []
    for place, label in enumerate(labels):
        segments = [Segment(f"{text.fit(label, left)} ", room.look.base)]
        for x, index in enumerate(shown):
            from_end = index - len(block.columns)
            targets.append(Target(len(strips), left + 1 + x * cell, cell, block.rows[place], index, from_end))
            segments.append(_heat_cell(block, place, index, cell, room.look))
        strips.append(room.line(segments))
    strips.append(_heat_legend(block, first, room))
    return Drawing(strips, targets)


def heat_limits(block: Heat) -> tuple[float, float]:
    """The values at both ends of the scale."""
    known = [value for row in block.values for value in row if value is not None and math.isfinite(value)]
    low = block.low if block.low is not None else min(known, default=0.0)
    high = block.high if block.high is not None else max(known, default=1.0)
    return low, high if high > low else low + 1.0


def _flagged(block: Heat, row: int, column: int) -> bool:
    if block.flags:
        return row < len(block.flags) and column < len(block.flags[row]) and block.flags[row][column]
    value = block.values[row][column]
    return value is not None and block.threshold is not None and value >= block.threshold


def _heat_cell(block: Heat, row: int, column: int, width: int, look: Look) -> Segment:
    value = block.values[row][column]
    if value is None or not math.isfinite(value):
        return Segment(text.fit("·", width, "center"), look.dim)
    low, high = heat_limits(block)
    share = (value - low) / (high - low)
    ground, flagged = look.heat(share), _flagged(block, row, column)
    words = text.fit("◆" if flagged else "", width, "center").replace(" ", look.shade(share))
    return Segment(words, Style(color=look.ink_on(ground), bgcolor=ground))


def _heat_legend(block: Heat, first: int, room: Room) -> Strip:
    """The scale from low to high, what the mark means, and how much is not shown."""
    low, high = heat_limits(block)
    segments = [Segment(f"{units.number(low, 3)} ", room.look.dim)]
    look = room.look
    segments += [Segment(look.shade(step / 5) * 2, Style(bgcolor=look.heat(step / 5))) for step in range(6)]
    words = f" {units.number(high, 3)}   ◆ over the threshold   · no value"
    if first:
        words += f"   {first} earlier not shown"
    return room.line([*segments, Segment(words, room.look.dim)])
