"""Blocks as lines: every strip is as wide as the room, at any size, whatever the block holds."""

from __future__ import annotations

import numpy as np
import pytest

from workbench.core.blocks import (
    Bars,
    Cell,
    Column,
    Columns,
    Empty,
    Heat,
    Line,
    Lines,
    Note,
    Stack,
    Stat,
    Table,
)
from workbench.tui.draw import draw
from workbench.tui.drawing import Room
from workbench.tui.look import look_of

X = np.arange(50.0)
HOSTILE = "[/]\x1b]0;x\x07漢字\u202e"
BLOCKS = {
    "table": Table(
        [Column("a", HOSTILE), Column("b", align="right", priority=2)],
        [[Cell(HOSTILE), Cell(0.5, "bad", -0.2)]],
        "T",
        ["1"],
    ),
    "empty-table": Table([Column("a")], []),
    "lines": Lines([Line(HOSTILE, X, np.sin(X)), Line("nan", X, np.full(50, np.nan))], log_y=True),
    "no-lines": Lines([]),
    "upright-bars": Bars([str(n) for n in range(10)], [("a", [*range(9), float("nan")]), ("b", [1.0] * 10)]),
    "lying-bars": Bars([HOSTILE, "y"], [("a", [1.0, 0.0])]),
    "heat": Heat(
        [HOSTILE, "r"], [f"c{n}" for n in range(40)], [[None, *[n / 9 for n in range(39)]]] * 2, threshold=2.0
    ),
    "stats": Columns([Stat(HOSTILE, 0.5, "ms", 0.1, "good", [1, 2, 3]), Stat("none", None), Stat("words", "x" * 80)]),
    "note": Note(f"{HOSTILE} " * 30, "warn"),
    "nothing": Empty(HOSTILE, "hint\nsecond line"),
}
BLOCKS["all"] = Stack([*BLOCKS.values(), Columns([BLOCKS["lines"], BLOCKS["table"]], [2, 1])], HOSTILE)


@pytest.mark.parametrize("columns", [12, 40, 78, 158])
@pytest.mark.parametrize("name", BLOCKS)
def test_every_line_is_as_wide_as_the_room_and_safe(name, columns):
    drawing = draw(BLOCKS[name], Room(columns, 20, look_of({}, dark=True)))
    assert {strip.cell_length for strip in drawing.strips} <= {columns}
    assert not any(char in strip.text for strip in drawing.strips for char in "\x1b\x07\u202e\n")
    assert all(0 <= target.y < len(drawing.strips) for target in drawing.targets)


def test_what_does_not_fit_beside_is_put_below():
    wide = draw(Columns([Note("left"), Note("right")]), Room(80, 0, look_of({}, dark=True)))
    narrow = draw(Columns([Note("left"), Note("right")]), Room(40, 0, look_of({}, dark=True)))
    assert [strip.text.split() for strip in wide.strips] == [["left", "right"]]
    assert [strip.text.split() for strip in narrow.strips] == [["left"], ["right"]]


def test_flagged_cells_of_a_heat_map_are_seen_without_colour():
    drawing = draw(
        Heat(["a"], ["w1", "w2", "w3"], [[0.1, 3.0, None]], threshold=1.0), Room(40, 0, look_of({}, dark=True))
    )
    assert "◆" in drawing.strips[1].text and "·" in drawing.strips[1].text
    assert [target.from_end for target in drawing.targets] == [-3, -2, -1]


def test_without_shades_curves_differ_and_without_colours_the_bad_is_underlined():
    plain, few = look_of({}, dark=True), look_of({}, dark=True, shades=False)
    assert len({few.curve(index) for index in range(6)}) == 6
    assert len({few.heat(step / 4) for step in range(5)}) == 5
    assert not plain.bad.underline
    assert look_of({}, dark=True, colors=False).bad.underline
