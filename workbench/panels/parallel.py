"""Parallel coordinates twice: lines through the axes for the best runs, and a strip per axis with a row per run.

In characters, more than a few lines that cross cannot be told apart: the lines show which ways lead to good runs.
Sorted by the metric, the dots below each other say of any number of runs where the good ones lie on each axis, and
where the bad ones.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from typing import Any

from msgspec import Struct, field

from workbench.core.compare_columns import RunColumn, column_key, varying_params
from workbench.core.compare_ranks import relation
from workbench.core.compare_values import ChoiceError
from workbench.core.config import nearest
from workbench.core.query import Query
from workbench.core.scatter import Scale, scale_of
from workbench.core.text import cut, plain, width
from workbench.core.units import number as short
from workbench.panels.chosen import (
    Chosen,
    better_first,
    choose,
    metric_values,
    option,
    read_column,
    value_choice,
)
from workbench.panels.parallel_lines import MOST_LINES, axes_that_fit, polylines
from workbench.panels.parts import labels_of
from workbench.panels.shapes import number
from workbench.plugin.api import Axis, Block, Cell, Choice, Column, Empty, Fit, Focus, Note, Panel, Stack, Table, Tone

MOST_AXES = 12
_NARROWEST, _WIDEST = 10, 36
_NAME = 20
_ROWS = 60
_LEAST = 3
_LOW = 15
"""Rows below which the strips, which say more, have them all."""
LINES = ("best", "all", "none")
"""Which runs have a line."""


class ParallelData(Struct, frozen=True):
    """The metric's column and the axes, the most telling first."""

    chosen: Chosen = field(default_factory=Chosen)
    metric: RunColumn | None = None
    axes: Sequence[RunColumn] = ()
    left_out: int = 0
    lines: str = LINES[0]
    problems: Sequence[str] = ()


class ParallelPanel(Panel):
    """Options: `axes` are columns, parted by commas, `value` what stands for a metric, `lines` which runs have one."""

    name = "parallel"
    title = "Parallel"
    key = "A"
    follows_metric = True

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock

    def load(self, query: Query, focus: Focus) -> ParallelData:
        """The main metric, and the parameters that differ, those first that go with it most."""
        chosen = choose(query, focus, _LEAST)
        problems = [chosen.problem] if chosen.problem else []
        if chosen.metric is None or len(chosen.runs) < _LEAST:
            return ParallelData(chosen, problems=problems)
        now = self._clock()
        metric = read_column(query, chosen, f"metric:{chosen.metric}", now)
        axes: list[RunColumn] = []
        for asked in filter(None, (part.strip() for part in str(option(focus, "axes") or "").split(","))):
            try:
                axes.append(read_column(query, chosen, column_key(asked, chosen.runs), now))
            except ChoiceError as error:
                problems.append(str(error))
        if not axes:
            found = varying_params(chosen.runs, metric_values(query, chosen), query.roles)
            axes = sorted(found, key=lambda column: -relation(column, metric))
        lines = str(option(focus, "lines") or LINES[0])
        if lines not in LINES:
            problems.append(f"lines: no {lines!r}{nearest(lines, LINES)}")
        return ParallelData(chosen, metric, axes[:MOST_AXES], max(len(axes) - MOST_AXES, 0), lines, problems)

    def view(self, data: ParallelData, fit: Fit) -> Block:
        """Lines of the best runs, then the strips of all; as many axes as there is room for."""
        if data.metric is None or not data.metric.known:
            return Empty(
                "Too few runs for axes",
                f"It takes {_LEAST} runs with a metric; there {'are' if data.chosen.runs else 'is'} "
                f"{len(data.chosen.runs) or 'none'}. Mark more with `[[runs.mark]]`, or take away the filter.",
            )
        if not data.axes:
            return Empty("No parameter differs", "These runs were all made with the same settings, the seed aside.")
        notes = [Note(text, "warn") for text in data.problems]
        return Stack([*notes, *_lines(data, fit), *_strips(data, fit)], self.title)

    def choices(self, data: ParallelData) -> Sequence[Choice]:
        """What stands for a metric, the axes, and which runs have a line."""
        current = ",".join(axis.title for axis in data.axes)
        return (
            value_choice(data.chosen.at, data.chosen.runs),
            Choice("axes", "axes", [axis.title for axis in data.axes], current, "lr,depth,duration"),
            Choice("lines", "lines", LINES, data.lines),
        )

    def to_json(self, data: ParallelData) -> dict[str, Any] | None:
        """The metric, the axes, and each run's values on them, the best run first."""
        if data.metric is None:
            return None
        columns = [data.metric, *data.axes]
        return {
            "metric": data.chosen.metric,
            "direction": data.metric.direction,
            "value": data.chosen.at.option,
            "axes": [
                {
                    "key": axis.key,
                    "log": axis.is_log,
                    "names": list(axis.names),
                    "relation": relation(axis, data.metric),
                }
                for axis in data.axes
            ],
            "runs": [
                {
                    "run_id": data.chosen.runs[at].id,
                    "run": data.chosen.runs[at].name,
                    "values": {column.key: _json(column.values[at]) for column in columns},
                }
                for at in better_first(data.metric)
            ],
        }


def _lines(data: ParallelData, fit: Fit) -> list[Block]:
    """The chart of the runs that have a line, and how many have none."""
    assert data.metric is not None
    order = [at for at in better_first(data.metric) if data.metric.places[at] is not None]
    drawn = order if data.lines == "all" else order[:MOST_LINES]
    if data.lines == "none" or len(drawn) < 2 or (0 < fit.rows < _LOW and data.lines == LINES[0]):
        return []
    axes = axes_that_fit(data.axes, fit.columns)
    chart = polylines(data.metric, axes, labels_of(data.chosen.runs), drawn)
    left = len(order) - len(drawn)
    return [chart, *([Note(f"lines: the best {len(drawn)} of {len(order)} runs", "dim")] if left else [])]


def _strips(data: ParallelData, fit: Fit) -> list[Block]:
    """A row of scales, a row where the best quarter lies, then the runs."""
    assert data.metric is not None
    labels = [cut(plain(label), _NAME) for label in labels_of(data.chosen.runs)]
    order = better_first(data.metric)
    values = [_shown(data.metric, at) for at in range(len(labels))]
    left = max(map(width, [*labels, "best quarter"])) + max(map(width, [*values, data.metric.title])) + 6
    size, axes = _layout(data.axes, fit.columns - left)
    strips = [_Strip(axis, size, fit.unicode) for axis in axes]
    known, best = data.metric.places, data.metric.best
    top = [at for at in order if known[at] is not None]
    top = top[: max(2, math.ceil(len(top) / 4))]
    columns = [
        Column("run", "run", priority=0),
        Column("metric", data.metric.title, align="right", priority=0),
        *(Column(strip.axis.key, cut(plain(strip.axis.title), size), width=size, priority=1) for strip in strips),
    ]
    rows = [
        [Cell("scale", "dim"), Cell(None, text=" "), *(Cell(None, "dim", text=strip.scale_line()) for strip in strips)],
        [
            Cell("best quarter", "accent"), Cell(None, text=" "),
            *(Cell(None, "accent", text=strip.span(top)) for strip in strips),
        ],
    ]  # fmt: skip
    for at in order[:_ROWS]:
        tone: Tone = "good" if best == at else ""
        rows.append(
            [
                Cell(labels[at], tone), Cell(data.metric.values[at], tone, text=values[at]),
                *(Cell(strip.axis.values[at], text=strip.dot(at)) for strip in strips),
            ]
        )  # fmt: skip
    ids = ["", "", *(data.chosen.runs[at].id for at in order[:_ROWS])]
    return [Table(columns, rows, "", ids), Note(_legend(data, len(axes)), "dim")]


def _layout(axes: Sequence[RunColumn], room: int) -> tuple[int, Sequence[RunColumn]]:
    """How wide a strip is, and which axes there is room for."""
    most = max(1, room // (_NARROWEST + 2))
    kept = axes[:most]
    return max(_NARROWEST, min(_WIDEST, room // len(kept) - 2)), kept


def _legend(data: ParallelData, shown: int) -> str:
    assert data.metric is not None
    better = {"higher": "highest", "lower": "lowest"}.get(data.metric.direction or "", "")
    parts = [data.chosen.words, f"{data.chosen.at.words}, {better} first" if better else data.chosen.at.words]
    hidden = len(data.axes) - shown + data.left_out
    if hidden:
        names = ", ".join(axis.title for axis in data.axes[shown : shown + 4])
        parts.append(f"no room for {hidden} more axes: {names}" + (" …" if hidden > 4 else ""))
    if len(data.chosen.runs) > _ROWS:
        parts.append(f"{len(data.chosen.runs) - _ROWS} more runs below these")
    parts.append("axes that go with the metric most come first")
    return " · ".join(parts)


class _Strip:
    """One axis as so many cells: where a value lies, and what stands at its ends."""

    def __init__(self, axis: RunColumn, size: int, unicode: bool) -> None:
        self.axis, self._size = axis, size
        self._ground, self._spot, self._fill = ("·", "●", "▒") if unicode else (".", "o", "#")
        self._places = axis.places
        known = [place for place in self._places if place is not None]
        self._scale: Scale = scale_of(Axis(log=axis.is_log, names=axis.names), known)
        self._low, self._high = (self._scale.share(min(known)), self._scale.share(max(known))) if known else (0.0, 1.0)

    def _cell(self, at: int) -> int | None:
        """The cell of a run's value: the lowest value is in the first, the highest in the last."""
        place = self._places[at]
        if place is None:
            return None
        span = self._high - self._low
        share = (self._scale.share(place) - self._low) / span if span > 0 else 0.5
        return round(share * (self._size - 1))

    def dot(self, at: int) -> str:
        """A run's value as a dot on the strip; a name stands in its place itself."""
        cell, value = self._cell(at), self.axis.values[at]
        if cell is None:
            return "–".center(self._size).rstrip()
        if isinstance(value, str):
            name = cut(plain(value), self._size)
            start = round(cell / max(self._size - 1, 1) * (self._size - width(name)))
            return " " * start + name
        return self._ground * cell + self._spot + self._ground * (self._size - cell - 1)

    def span(self, runs: Sequence[int]) -> str:
        """Where these runs lie; of names those that occur, with how often."""
        cells = [cell for at in runs if (cell := self._cell(at)) is not None]
        if not cells:
            return "–"
        if self.axis.names:
            found = [self.axis.values[at] for at in runs if self.axis.values[at] is not None]
            common = sorted({str(name) for name in found}, key=lambda name: (-found.count(name), name))
            return cut(" ".join(f"{plain(name)} {found.count(name)}" for name in common), self._size)
        low, high = min(cells), max(cells)
        return self._ground * low + self._fill * (high - low + 1) + self._ground * (self._size - high - 1)

    def scale_line(self) -> str:
        """The values at both ends."""
        known = [place for place in self._places if place is not None]
        if self.axis.names:
            return self._names_line()
        low, high = short(min(known), 3), short(max(known), 3)
        middle = "log" if self.axis.is_log and len(low) + len(high) + 5 <= self._size else ""
        gap = self._size - len(low) - len(high)
        return f"{low}{middle.center(gap)}{high}" if gap > 0 else cut(f"{low}…{high}", self._size)

    def _names_line(self) -> str:
        """The names where they lie, if all have room beside each other; else how many there are."""
        line = ""
        for at, name in enumerate(self.axis.names):
            share = at / max(len(self.axis.names) - 1, 1)
            start = round(share * (self._size - width(plain(name))))
            if start < width(line) + bool(line):
                return f"{len(self.axis.names)} values"
            line = f"{line}{' ' * (start - width(line))}{plain(name)}"
        return line


def _shown(column: RunColumn, at: int) -> str:
    from workbench.core import units

    value = column.values[at]
    return units.value(value if isinstance(value, float) else None, column.unit)


def _json(value: float | str | None) -> float | str | None:
    return value if isinstance(value, str) else number(value)
