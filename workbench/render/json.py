"""Blocks, gates and documents as JSON-able values; text stays as it is, since JSON escapes what is not safe."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from workbench.core import units
from workbench.core.blocks import (
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
    Scatter,
    Stack,
    Stat,
    Table,
)
from workbench.core.gates import GateResult


def render_json(value: Any, indent: int | None = 2) -> str:
    """Any JSON-able value as pure ASCII, NaN and inf as strings; ends with a line end."""
    return json.dumps(clean(value), indent=indent, ensure_ascii=True, allow_nan=False) + "\n"


def clean(value: Any) -> Any:
    """The same value for strict JSON: NaN, Infinity and -Infinity as strings, no lone surrogates, arrays as lists."""
    match value:
        case bool() | int() | None:
            return value
        case float():
            return value if math.isfinite(value) else _not_finite(value)
        case str():
            return value if value.isascii() else value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        case bytes():
            return value.decode("utf-8", "replace")
        case np.ndarray():
            return clean(value.tolist())
        case np.generic():
            return clean(value.item())
        case Mapping():
            return {clean(str(key)): clean(item) for key, item in value.items()}
        case Sequence() | set() | frozenset():
            return [clean(item) for item in value]
    return clean(str(value))


def _not_finite(value: float) -> str:
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def to_json(block: Block) -> dict[str, Any]:
    """A block as a JSON-able object with its `type`."""
    match block:
        case Table():
            return _table(block)
        case Lines():
            return _lines(block)
        case Scatter():
            return _scatter(block)
        case Bars():
            series = [{"name": name, "values": clean(list(values))} for name, values in block.series]
            return _of("bars", title=block.title, unit=block.unit, labels=block.labels, series=series)
        case Heat():
            return _heat(block)
        case Stat():
            stat = {"label": block.label, "value": block.value, "unit": block.unit}
            return _of("stat", **stat, delta=block.delta, tone=block.tone)
        case Note():
            return _of("note", text=block.text, tone=block.tone)
        case Empty():
            return _of("empty", title=block.title, hint=block.hint)
        case Stack():
            return _of("stack", title=block.title, blocks=[to_json(part) for part in block.blocks])
        case Columns():
            return _of("columns", blocks=[to_json(part) for part in block.blocks])


def gates_json(gates: Sequence[GateResult]) -> list[dict[str, Any]]:
    """Gates as JSON-able objects, in their order."""
    keys = ("name", "check", "subject", "passed", "value", "limit", "message")
    return [{key: clean(getattr(gate, key)) for key in keys} for gate in gates]


def moment(seconds: float | None) -> str | None:
    """A time for JSON: ISO 8601 in UTC."""
    return None if seconds is None else units.timestamp(seconds)


def _of(kind: str, **values: Any) -> dict[str, Any]:
    return {"type": kind, **{key: clean(value) for key, value in values.items()}}


def _table(table: Table) -> dict[str, Any]:
    columns = [{"key": one.key, "title": one.title or one.key, "unit": one.unit} for one in table.columns]
    rows = [_row(table.columns, cells) for cells in table.rows]
    if len(table.ids) == len(rows):
        rows = [{"id": clean(name), **line} for name, line in zip(table.ids, rows, strict=True)]
    return _of("table", title=table.title, columns=columns, rows=rows)


def _row(columns: Sequence[Column], cells: Sequence[Cell]) -> dict[str, Any]:
    """Values by column key, and beside them what there is of deltas, tones and sparklines."""
    pairs = list(zip(columns, cells, strict=False))
    line: dict[str, Any] = {"values": {column.key: cell.value for column, cell in pairs}}
    deltas = {column.key: cell.delta for column, cell in pairs if cell.delta is not None}
    tones = {column.key: cell.tone for column, cell in pairs if cell.tone}
    sparks = {column.key: list(cell.spark) for column, cell in pairs if len(cell.spark)}
    return line | {name: part for name, part in (("deltas", deltas), ("tones", tones), ("sparks", sparks)) if part}


def _lines(chart: Lines) -> dict[str, Any]:
    lines = [{"name": line.name, "x": line.x, "y": line.y, "raw": line.raw, **_band(line)} for line in chart.lines]
    marks = [{"x": x, "label": label} for x, label in chart.marks]
    axes = {"x_label": chart.x_label, "y_label": chart.y_label, "x_kind": chart.x_kind, "log_y": chart.log_y}
    names = {name: each for name, each in (("x_names", chart.x_names), ("y_names", chart.y_names)) if each}
    return _of("lines", title=chart.title, **axes, **names, lines=lines, marks=marks)


def _band(line: Line) -> dict[str, Any]:
    """The edges of a band, where the line has one."""
    return {} if line.low is None else {"low": line.low, "high": line.high}


def _scatter(chart: Scatter) -> dict[str, Any]:
    axes = {
        name: {"label": axis.label, "kind": axis.kind, "log": axis.log, "names": axis.names}
        for name, axis in (("x", chart.x), ("y", chart.y))
    }
    points = [{"name": point.name, "x": point.x, "y": point.y, "tone": point.tone} for point in chart.points]
    return _of("scatter", title=chart.title, **axes, points=points)


def _heat(heat: Heat) -> dict[str, Any]:
    cells = {"rows": heat.rows, "columns": heat.columns, "values": heat.values, "flags": heat.flags}
    return _of("heat", title=heat.title, **cells, threshold=heat.threshold)
