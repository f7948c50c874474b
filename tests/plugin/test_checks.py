"""What a panel gives is looked at before it is drawn: nothing that passes makes a renderer fail."""

from __future__ import annotations

import json
from collections import deque
from typing import Any

import numpy as np
import pytest

from workbench.plugin.api import (
    Axis,
    Bars,
    Cell,
    Column,
    Columns,
    Empty,
    Fit,
    Heat,
    Line,
    Lines,
    Note,
    Point,
    Scatter,
    Stack,
    Stat,
    Table,
)
from workbench.plugin.checks import BlockError, check_block
from workbench.render.document import Document, Section
from workbench.render.formats import FORMATS, render

XY = np.arange(3.0)
A, B = Column("a"), Column("b")
ITSELF: list[Any] = []
ITSELF.append(Stack(ITSELF))

GOOD = {
    "an empty table": Table([], []),
    "a table without rows": Table([A], []),
    "numbers of numpy": Table([A, B], [[Cell(np.int64(3)), Cell(np.float32(0.5), delta=np.float64(0.1))]]),  # type: ignore[arg-type]
    "a spark of every kind": Table([A, B], [[Cell(None, spark=XY), Cell(None, spark=deque([1.0, float("nan")]))]]),  # type: ignore[arg-type]
    "more ids than rows": Table([A], [[Cell("x")]], ids=("1", "2")),
    "a chart without lines": Lines([]),
    "a line without points": Lines([Line("l", XY[:0], XY[:0])]),
    "whole numbers": Lines([Line("l", np.arange(3), np.arange(3), np.arange(3))], marks=[(1.0, "here")]),  # type: ignore[arg-type]
    "nothing finite": Lines([Line("l", XY, XY * np.nan)], log_y=True),
    "times": Lines([Line("l", XY * 1e300, XY)], x_kind="time"),
    "bars of nothing": Bars([], []),
    "bars": Bars(["x"], [("s", [np.float64("nan")]), ("t", (1,))], unit="ms"),
    "a heat map of nothing": Heat([], [], []),
    "a heat map": Heat(["r"], ["c", "d"], [[None, float("inf")]], low=0, high=0, threshold=1, flags=[[True, False]]),
    "a matrix of numpy": Heat(["r", "s"], ["c", "d"], np.eye(2)),  # type: ignore[arg-type]
    "a scatter of nothing": Scatter([]),
    "a scatter": Scatter([Point("p", np.float64(1), float("nan"), "good")], Axis("x", log=True), Axis(names=["a"])),
    "figures": Columns([Stat("s", None), Stat("t", float("inf"), "share", spark=[1]), Stat("u", "words")]),
    "weights": Columns([Note("a"), Note("b")], weights=(1, 2)),
    "columns of nothing": Columns([]),
    "a stack of nothing": Stack([]),
    "hostile text": Stack([Note("\x1b[31m[/]\x00\ud800"), Empty("<script>", "\u202e")], "\x9b"),
}

BAD = {
    "None instead of a Cell": Table([A], [[None]]),  # type: ignore[list-item]
    "row 2 has 1 of 2 cells": Table([A, B], [[Cell(1), Cell(2)], [Cell(1)]]),
    "the value is a list": Table([A], [[Cell([1])]]),  # type: ignore[arg-type]
    "the value is a complex": Table([A], [[Cell(1j)]]),  # type: ignore[arg-type]
    "tone 'red' is none of good, bad": Table([A], [[Cell(1, "red")]]),  # type: ignore[arg-type]
    "rows: a generator": Table([A], ([Cell(i)] for i in range(2))),  # type: ignore[arg-type]
    "columns: a dict": Table({"a": A}, []),  # type: ignore[arg-type]
    "`title` is None": Table([A], [], None),  # type: ignore[arg-type]
    "among the ids is a int": Table([A], [[Cell(1)]], ids=[1]),  # type: ignore[list-item]
    "x of 'l' is a list": Lines([Line("l", [1, 2], XY)]),  # type: ignore[arg-type]
    "x and y of 'l' differ in length": Lines([Line("l", XY, XY[:2])]),
    "x and raw of 'l' differ in length": Lines([Line("l", XY, XY, XY[:2])]),
    "y of 'l' is a ndarray": Lines([Line("l", XY, np.array(["a", "b", "c"]))]),  # type: ignore[arg-type]
    "the color of 'l'": Lines([Line("l", XY, XY, color=-1)]),
    "x_kind 'date'": Lines([], x_kind="date"),  # type: ignore[arg-type]
    "a mark is (1,)": Lines([], marks=[(1,)]),  # type: ignore[list-item]
    "'s' has 1 values for 2 labels": Bars(["x", "y"], [("s", [1.0])]),
    "values of 's' are not all numbers": Bars(["x"], [("s", [None])]),  # type: ignore[list-item]
    "values are not 1 rows by 2 columns": Heat(["r"], ["c", "d"], [[1.0]]),
    "flags are not 1 rows by 1 columns": Heat(["r"], ["c"], [[1.0]], flags=[[True], [False]]),
    "labels: a str": Bars("xy", []),
    "among the points is a Note": Scatter([Note("x")]),  # type: ignore[list-item]
    "x and y of 'p' are not both numbers": Scatter([Point("p", 1.0, None)]),  # type: ignore[arg-type]
    "an axis is a str": Scatter([], "x"),  # type: ignore[arg-type]
    "the kind 'date' of an axis": Scatter([], Axis(kind="date")),  # type: ignore[arg-type]
    "the color of 'p'": Scatter([Point("p", 1.0, 1.0, color=-1)]),
    "x and low of 'l' differ in length": Lines([Line("l", XY, XY, low=XY[:2], high=XY)]),
    "`text` is a int": Note(3),  # type: ignore[arg-type]
    "`hint` is a bytes": Empty("x", b"y"),  # type: ignore[arg-type]
    "block 1 gave the class Stat itself; a block is one of": Stack([Stat]),  # type: ignore[list-item]
    "view(), block 2, block 1: `text`": Stack([Note("fine"), Columns([Note(None)])]),  # type: ignore[arg-type]
    "weights of Columns": Columns([Note("a")], weights=(0,)),
    "more than 20 deep": Stack(ITSELF),
}


@pytest.mark.parametrize("block", GOOD.values(), ids=GOOD.keys())
def test_what_passes_is_drawn_in_every_format_at_every_width(block: Any) -> None:
    check_block(block)
    document = Document("t", sections=[Section("s", block, "s")])
    for form in FORMATS:
        page = render(document, form)
        assert "\x1b" not in page
        if form == "json":
            json.loads(page)
    for columns in (20, 40, 160):
        for unicode in (True, False):
            assert render(document, "text", Fit(columns, unicode=unicode))


@pytest.mark.parametrize(("words", "block"), BAD.items(), ids=BAD.keys())
def test_what_cannot_be_drawn_is_refused_in_words(words: str, block: Any) -> None:
    with pytest.raises(BlockError) as refused:
        check_block(block)
    assert words in str(refused.value)


@pytest.mark.parametrize("nonsense", [None, "text", 3, [], {}, object, Note], ids=repr)
def test_what_is_no_block_is_told_what_a_block_is(nonsense: object) -> None:
    with pytest.raises(BlockError, match="a block is one of Table, Lines, Bars, Heat, Stat, Note, Empty"):
        check_block(nonsense)
