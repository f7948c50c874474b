"""Charts as lines of a terminal: a tile of the grid, and a chart that fills the screen."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from msgspec import Struct
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from workbench.core import raster, text, units
from workbench.core.axes import LETTERS
from workbench.core.strokes import ASCII_GLYPHS, Marker
from workbench.tui.chart_lines import Curves
from workbench.tui.chart_manner import Manner
from workbench.tui.draw_plot import Inks, run_style
from workbench.tui.look import Look

TALL = 11
"""Rows from which a tile has two for the values."""


class Canvas(Struct, frozen=True):
    """The room of a chart, how it is drawn, and where it is read."""

    width: int
    height: int
    look: Look
    manner: Manner
    crosshair: float | None = None
    selected: bool = False
    waits: str = "reading …"
    """What stands where values are still to come."""

    def line(self, segments: Sequence[Segment]) -> Strip:
        """A line of exactly this width."""
        return Strip(segments).adjust_cell_length(self.width, self.look.base)

    def words(self, words: str, style: Style | None = None) -> Strip:
        """One styled text, cut to the width."""
        return self.line([Segment(text.cut(words, self.width), style or self.look.base)])

    def blank(self) -> Strip:
        """An empty line."""
        return Strip.blank(self.width, self.look.base)


class Picture:
    """The curves of one chart as they were last drawn, so that a crosshair over them costs no other drawing."""

    def __init__(self) -> None:
        self._key: tuple[object, ...] = ()
        self._curves: Curves | None = None
        self.frame = raster.Frame((), raster.no_colors())
        """The last drawing, without a crosshair."""
        self._inks: Mapping[int, Style] = {}
        self._strips: list[Strip] = []

    def strips(self, curves: Curves, canvas: Canvas, height: int) -> list[Strip]:
        """Axes and curves in so many rows, the crosshair laid over them."""
        manner, look = canvas.manner, canvas.look
        key = (canvas.width, height, manner.span, manner.marker, look)
        if curves is not self._curves or key != self._key:
            self._curves, self._key = curves, key
            self.frame = raster.draw(
                curves.block, canvas.width, height,
                marker=manner.marker, x_range=manner.span, zone=None, legend=False, letters=len(curves.block.lines) > 1,
            )  # fmt: skip
            self._inks = Inks(look)
            self._strips = [self._strip(self.frame, row, canvas) for row in range(len(self.frame.chars))]
        if canvas.crosshair is None:
            return self._strips
        ruled = self.frame.with_rule(canvas.crosshair, ":" if manner.marker == "ascii" else "│")
        if ruled is self.frame:
            return self._strips
        first, last = ruled.top, ruled.top + ruled.height
        return [
            self._strip(ruled, row, canvas) if first <= row < last else strip for row, strip in enumerate(self._strips)
        ]

    def _strip(self, frame: raster.Frame, row: int, canvas: Canvas) -> Strip:
        return canvas.line([Segment(words, self._inks[ink]) for words, ink in frame.runs(row)])


def heading(title: str, right: Sequence[Segment], canvas: Canvas) -> Strip:
    """A title that keeps its end where it is long, remarks at the right; the one the cursor is on stands out."""
    look = canvas.look
    used = sum(text.width(each.text) for each in right)
    room = max(canvas.width - 2 - used, 4)
    shown = text.fit(cut_left(text.plain(title, limit=300), room), room)
    if not canvas.selected:
        return canvas.line([Segment(" ", look.base), Segment(shown, look.base), Segment(" ", look.base), *right])
    over = look.cursor
    marked = [Segment("▌", look.accent + over), Segment(shown, look.strong + over), Segment(" ", look.base + over)]
    return canvas.line([*marked, *(Segment(each.text, (each.style or look.base) + over) for each in right)])


def cut_left(words: str, columns: int) -> str:
    """The end of a plain text that takes at most `columns` cells, with an ellipsis where something is missing."""
    if text.width(words) <= columns:
        return words
    while words and text.width(words) > columns - 1:
        words = words[1:]
    return f"…{words}"


def remarks(curves: Curves, canvas: Canvas) -> list[Segment]:
    """What of a chart cannot be drawn, in a word or two."""
    return [Segment(f"{curves.bad:,} NaN/inf ", canvas.look.warn)] if curves.bad else []


def figures(curves: Curves, canvas: Canvas) -> list[str]:
    """The value of each line at the crosshair, else its last one, with its unit."""
    values = curves.last if canvas.crosshair is None else curves.at(canvas.crosshair)
    unit = curves.block.y_label if units.has_format(curves.block.y_label) else ""
    about = ["≈" if canvas.crosshair is not None and thin else "" for thin in curves.thinned]
    return [
        sign * (value is not None) + units.value(value, unit) for sign, value in zip(about, values, strict=True)
    ]  # fmt: skip


def tile(title: str, curves: Curves, picture: Picture, canvas: Canvas) -> list[Strip]:
    """Title, the values of every run, and the curves."""
    shown = figures(curves, canvas)
    if len(shown) == 1:
        own = Segment(f"{shown[0]} ", run_style(curves.block.lines[0].color, canvas.look))
        head = [heading(title, [*remarks(curves, canvas), own], canvas)]
    else:
        rows = 2 if canvas.height >= TALL else 1
        head = [heading(title, remarks(curves, canvas), canvas), *values_lines(curves, shown, canvas, rows)]
    return [*head, *body(curves, picture, canvas, canvas.height - len(head))]


def body(curves: Curves, picture: Picture, canvas: Canvas, height: int) -> list[Strip]:
    """The curves, or why there are none yet."""
    if curves.extent is None and curves.missing:
        return message(canvas.waits, canvas, height)
    if curves.extent is None and not curves.bad:
        return message("no values on this x axis", canvas, height)
    return picture.strips(curves, canvas, height)


def message(words: str, canvas: Canvas, height: int) -> list[Strip]:
    """Words in the middle of a chart's room."""
    lines = [canvas.blank() for _ in range(height)]
    if lines:
        lines[height // 2] = canvas.words(text.fit(words, canvas.width, "center"), canvas.look.dim)
    return lines


def values_lines(curves: Curves, shown: Sequence[str], canvas: Canvas, rows: int) -> list[Strip]:
    """Letter and value of each run, in as few rows as hold them, and as many values as fit."""
    for form in _FORMS:
        parts = [form(letter_of(place), value) for place, value in enumerate(shown)]
        wide = [len(letter) + text.width(words) for letter, words in parts]
        if sum(wide) + (rows - 1) * max(wide) + rows <= rows * canvas.width:
            break
    lines, used = [[Segment(" ", canvas.look.base)]], 1
    for place, (letter, words) in enumerate(parts):
        last = len(lines) == rows
        more = f"+{len(parts) - place}" if last and place < len(parts) - 1 else ""
        if used + len(letter) + text.width(words.rstrip()) + len(more) > canvas.width:
            if last:
                lines[-1].append(Segment(f"+{len(parts) - place}", canvas.look.dim))
                break
            lines, used = [*lines, [Segment(" ", canvas.look.base)]], 1
        style = run_style(curves.block.lines[place].color, canvas.look)
        lines[-1] += [Segment(letter, style), Segment(words, canvas.look.base)]
        used += len(letter) + text.width(words)
    return [canvas.line(line) for line in lines]


def letter_of(place: int) -> str:
    """The letter of a line; lines beyond the alphabet have none."""
    return LETTERS[place] if place < len(LETTERS) else "·"


_FORMS: tuple[Callable[[str, str], tuple[str, str]], ...] = (
    lambda letter, value: (letter, f" {value}  "),
    lambda letter, value: (letter, f" {value} "),
    lambda letter, value: (letter, f"{value} "),
)
"""From airy to close."""


def mark_of(place: int, marker: Marker) -> str:
    """What stands before a run's name in a legend: its letter, and what its line is made of."""
    stroke = chr(ASCII_GLYPHS[place % len(ASCII_GLYPHS)]) if marker == "ascii" else "━"
    return f"{letter_of(place)}{stroke} "


def legend(
    names: Sequence[str], colors: Sequence[int], canvas: Canvas, values: Sequence[str] = (), rows: int = 1
) -> list[Strip]:
    """Runs by letter and name, with their values where there are some; what has no room is counted."""
    entries = [
        (
            mark_of(place, canvas.manner.marker),
            text.cut(text.plain(name, limit=200), 32),
            values[place] if values else "",
            color,
        )
        for place, (name, color) in enumerate(zip(names, colors, strict=True))
    ]
    longest = max((text.width(name) for _, name, _, _ in entries), default=0)
    lines: list[list[Segment]] = [[]]
    used = 0
    for place, (mark, name, value, color) in enumerate(entries):
        shown = text.fit(name, longest) if values and len(entries) > 2 else name
        words = f"{shown} {value:<9}  " if value else f"{shown}   "
        wide = text.width(mark) + text.width(words)
        last = place == len(entries) - 1
        if used and used + wide - 2 + (0 if last or len(lines) < rows else 4) > canvas.width:
            if len(lines) == rows:
                lines[-1].append(Segment(f"+{len(entries) - place}", canvas.look.dim))
                break
            lines.append([])
            used = 0
        style = run_style(color, canvas.look)
        lines[-1] += [Segment(mark, style), Segment(words, canvas.look.base)]
        used += wide
    return [canvas.line([Segment(" ", canvas.look.base), *line]) for line in lines]


def full(curves: Curves, picture: Picture, canvas: Canvas) -> list[Strip]:
    """One chart in all the room there is: every run with its value, the curves, what cannot be drawn."""
    names, colors = [line.name for line in curves.block.lines], [line.color for line in curves.block.lines]
    head = legend(names, colors, canvas, figures(curves, canvas), max(1, canvas.height // 4))
    noted = bool(curves.bad) or canvas.manner.log_x or canvas.manner.log_y
    drawn = body(curves, picture, canvas, canvas.height - len(head) - noted)
    notes = [canvas.words(f" {' · '.join(picture.frame.notes)}", canvas.look.warn)] * noted
    return [*head, *drawn, *notes]
