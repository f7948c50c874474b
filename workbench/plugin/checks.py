"""Whether blocks are what they say they are: a renderer takes that for granted, a plugin may not have kept to it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from numbers import Real
from typing import Any, get_args

import numpy as np

from workbench.core.blocks import (
    Axis,
    Bars,
    Block,
    Cell,
    Column,
    Columns,
    Empty,
    Heat,
    Line,
    Lines,
    Note,
    Point,
    Scatter,
    Stack,
    Stat,
    Table,
    Tone,
)
from workbench.plugin.box import PluginError

_DEEPEST = 20
MOST_CELLS, MOST_POINTS, MOST_CHARACTERS = 300_000, 2_000_000, 1_000_000
"""Cells of a table or heat map, points of a chart, characters of a text: more than anybody can look at."""
_TONES = get_args(Tone)
_X_KINDS = ("number", "time", "duration")


class BlockError(PluginError):
    """What a panel gave cannot be drawn; the message names the part that is wrong, and what belongs there."""


def check_block(block: object, place: str = "view()", deep: int = 0) -> None:
    """Look at every part of a block before a renderer does.

    Raises:
        BlockError: it is no block, or a part of it is not what its type says.
    """
    _need(deep < _DEEPEST, place, f"blocks within blocks, more than {_DEEPEST} deep")
    match block:
        case Table():
            _check_table(block, place)
        case Lines():
            _check_lines(block, place)
        case Scatter():
            _check_scatter(block, place)
        case Bars():
            _check_bars(block, place)
        case Heat():
            _check_heat(block, place)
        case Stat():
            _texts(place, label=block.label, unit=block.unit)
            _check_value(block, place)
        case Note():
            _texts(place, text=block.text)
            _need(block.tone in _TONES, place, f"tone {block.tone!r} is none of {', '.join(filter(None, _TONES))}")
        case Empty():
            _texts(place, title=block.title, hint=block.hint)
        case Stack() | Columns():
            _check_parts(block, place, deep)
        case _:
            names = ", ".join(kind.__name__ for kind in get_args(Block))
            raise BlockError(f"{place} gave {_kind(block)}; a block is one of {names}")


def _check_parts(block: Stack | Columns, place: str, deep: int) -> None:
    if isinstance(block, Stack):
        _texts(place, title=block.title)
    else:
        good = all(_is_number(weight) and weight > 0 for weight in _items(block.weights, place, "weights"))
        _need(good, place, "weights of Columns are numbers above 0")
    for index, part in enumerate(_items(block.blocks, place, "blocks")):
        check_block(part, f"{place}, block {index + 1}", deep + 1)


def _check_table(table: Table, place: str) -> None:
    _texts(place, title=table.title)
    for column in _items(table.columns, place, "columns"):
        _need(isinstance(column, Column), place, f"among the columns is {_kind(column)} instead of a Column")
        _texts(place, key=column.key, title=column.title, unit=column.unit)
        _need(isinstance(column.priority, int), place, f"the priority of column {column.key!r} is no whole number")
        width = column.width
        _need(width is None or isinstance(width, int), place, f"the width of column {column.key!r} is no whole number")
    _few(len(_sized(table.rows, place, "rows")) * max(1, len(table.columns)), MOST_CELLS, "cells", place)
    for number, row in enumerate(table.rows, 1):
        cells = list(_items(row, place, f"row {number}"))
        _need(len(cells) == len(table.columns), place, f"row {number} has {len(cells)} of {len(table.columns)} cells")
        for cell in cells:
            _check_cell(cell, f"{place}, row {number}")
    for name in _items(table.ids, place, "ids"):
        _need(isinstance(name, str), place, f"among the ids is {_kind(name)} instead of text")


def _check_cell(cell: object, place: str) -> None:
    if not isinstance(cell, Cell):
        raise BlockError(f"{place}: {_kind(cell)} instead of a Cell")
    _texts(place, text=cell.text)
    _check_value(cell, place)


def _check_value(item: Cell | Stat, place: str) -> None:
    right = item.value is None or isinstance(item.value, str | bool | Real)
    _need(right, place, f"the value is {_kind(item.value)} instead of text, a number or None")
    _need(item.tone in _TONES, place, f"tone {item.tone!r} is none of {', '.join(filter(None, _TONES))}")
    _need(item.delta is None or _is_number(item.delta), place, f"the delta is {_kind(item.delta)}")
    _need(all(map(_is_number, _items(item.spark, place, "spark"))), place, "a spark holds numbers only")


def _check_lines(chart: Lines, place: str) -> None:
    _texts(place, title=chart.title, x_label=chart.x_label, y_label=chart.y_label)
    for axis, names in (("x_names", chart.x_names), ("y_names", chart.y_names)):
        _need(all(isinstance(name, str) for name in _items(names, place, axis)), place, f"{axis} holds texts only")
    _need(chart.x_kind in _X_KINDS, place, f"x_kind {chart.x_kind!r} is none of {', '.join(_X_KINDS)}")
    for line in _items(chart.lines, place, "lines"):
        _need(isinstance(line, Line), place, f"among the lines is {_kind(line)} instead of a Line")
        _texts(place, name=line.name)
        _need(isinstance(line.color, int) and line.color >= 0, place, f"the color of {line.name!r} is no palette index")
        for axis, values in (("x", line.x), ("y", line.y), ("raw", line.raw), ("low", line.low), ("high", line.high)):
            if axis in ("raw", "low", "high") and values is None:
                continue
            right = isinstance(values, np.ndarray) and values.ndim == 1 and values.dtype.kind in "fiu"
            _need(right, place, f"{axis} of {line.name!r} is {_kind(values)}, not an array of numbers in one dimension")
            _need(len(values) == len(line.x), place, f"x and {axis} of {line.name!r} differ in length")
    _few(sum(len(line.x) for line in chart.lines), MOST_POINTS, "points", place)
    for mark in _items(chart.marks, place, "marks"):
        right = isinstance(mark, tuple) and len(mark) == 2 and _is_number(mark[0]) and isinstance(mark[1], str)
        _need(right, place, f"a mark is {mark!r}, not (x, text)")


def _check_scatter(chart: Scatter, place: str) -> None:
    _texts(place, title=chart.title)
    for axis in (chart.x, chart.y):
        _need(isinstance(axis, Axis), place, f"an axis is {_kind(axis)} instead of an Axis")
        _texts(place, label=axis.label)
        _need(axis.kind in _X_KINDS, place, f"the kind {axis.kind!r} of an axis is none of {', '.join(_X_KINDS)}")
        _all_text(axis.names, place, "names of an axis")
    for point in _items(chart.points, place, "points"):
        _need(isinstance(point, Point), place, f"among the points is {_kind(point)} instead of a Point")
        _texts(place, name=point.name)
        _need(_is_number(point.x) and _is_number(point.y), place, f"x and y of {point.name!r} are not both numbers")
        _need(point.tone in _TONES, place, f"tone {point.tone!r} is none of {', '.join(filter(None, _TONES))}")
        right = isinstance(point.color, int) and point.color >= 0
        _need(right, place, f"the color of {point.name!r} is no palette index")


def _check_bars(bars: Bars, place: str) -> None:
    _texts(place, title=bars.title, unit=bars.unit)
    _few(len(_sized(bars.labels, place, "labels")), MOST_CELLS, "bars", place)
    labels = _all_text(bars.labels, place, "labels")
    for pair in _items(bars.series, place, "series"):
        right = isinstance(pair, tuple) and len(pair) == 2 and isinstance(pair[0], str)
        _need(right, place, f"among the series is {_kind(pair)} instead of (name, values)")
        values = list(_items(pair[1], place, f"values of {pair[0]!r}"))
        _need(all(map(_is_number, values)), place, f"values of {pair[0]!r} are not all numbers")
        _need(len(values) == len(labels), place, f"{pair[0]!r} has {len(values)} values for {len(labels)} labels")


def _check_heat(heat: Heat, place: str) -> None:
    _texts(place, title=heat.title)
    _few(
        len(_sized(heat.rows, place, "rows")) * len(_sized(heat.columns, place, "columns")), MOST_CELLS, "cells", place
    )
    rows, columns = _all_text(heat.rows, place, "rows"), _all_text(heat.columns, place, "columns")
    for name, limit in (("low", heat.low), ("high", heat.high), ("threshold", heat.threshold)):
        _need(limit is None or _is_number(limit), place, f"{name} is {_kind(limit)}")
    for name, matrix in (("values", heat.values), ("flags", heat.flags)):
        lines = [list(_items(line, place, name)) for line in _items(matrix, place, name)]
        if name == "flags" and not lines:
            continue
        right = len(lines) == len(rows) and all(len(line) == len(columns) for line in lines)
        _need(right, place, f"{name} are not {len(rows)} rows by {len(columns)} columns")
        known = all(item is None or isinstance(item, bool) or _is_number(item) for line in lines for item in line)
        _need(known, place, f"{name} are not all numbers or None")


def _need(true: bool, place: str, otherwise: str) -> None:
    if not true:
        raise BlockError(f"{place}: {otherwise}")


def _texts(place: str, **texts: object) -> None:
    for name, text in texts.items():
        _need(isinstance(text, str), place, f"`{name}` is {_kind(text)} instead of text")
        _few(len(str(text)), MOST_CHARACTERS, "characters", place)


def _all_text(items: object, place: str, name: str) -> Sequence[str]:
    found = list(_items(items, place, name))
    _need(all(isinstance(item, str) for item in found), place, f"{name} are not all text")
    return found


def _few(count: int, most: int, what: str, place: str) -> None:
    _need(count <= most, place, f"{count:,} {what}, more than {most:,}: show the first, or sum them up in load()")


def _sized(items: object, place: str, name: str) -> Any:
    """A list, told apart from what is none before its length is asked for."""
    return _items(items, place, name)


def _items(items: object, place: str, name: str) -> Iterable[Any]:
    """What a sequence or array holds; a text, a mapping or an iterator that can be read once is none."""
    right = isinstance(items, Sequence | np.ndarray) and not isinstance(items, str | bytes | Mapping)
    _need(right, place, f"{name}: {_kind(items)} instead of a list")
    assert isinstance(items, Sequence | np.ndarray)
    return items


def _is_number(value: object) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool)


def _kind(value: object) -> str:
    if isinstance(value, type):
        return f"the class {value.__name__} itself"
    return "None" if value is None else f"a {type(value).__name__}"
