"""Parameters of many runs: those that differ, how often each value occurs, and how the metric stands with it."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from typing import Any

from msgspec import Struct, field

from workbench.core import units
from workbench.core.compare import ParamRow, param_differences
from workbench.core.compare_columns import RunColumn, column_of
from workbench.core.compare_noise import is_own_place, is_seed
from workbench.core.query import Query
from workbench.panels.chosen import Chosen, choose, read_column, value_choice
from workbench.panels.compare_tables import params_table
from workbench.panels.parts import that_fit
from workbench.panels.shapes import number, plain_json
from workbench.plugin.api import Block, Cell, Choice, Column, Empty, Fit, Focus, Note, Panel, Stack, Table

_SIDE_BY_SIDE = 12
_VALUES = 8


class ParamsData(Struct, frozen=True):
    """Parameters that differ, and the metric they are seen against."""

    chosen: Chosen = field(default_factory=Chosen)
    params: Sequence[ParamRow] = ()
    columns: Sequence[RunColumn] = ()
    metric: RunColumn | None = None
    same: int = 0
    """Parameters that all runs share."""


class ParamsPanel(Panel):
    """Options: `value` is what stands for the metric."""

    name = "params"
    title = "Params"
    key = "d"
    follows_metric = True
    in_report = False  # the comparison of the report has them

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock

    def load(self, query: Query, focus: Focus) -> ParamsData:
        """What differs among the marked runs, else among all that match."""
        chosen = choose(query, focus)
        params = param_differences(chosen.runs)
        columns = [column_of(f"param:{row.key}", chosen.runs, {}, query.roles) for row in params]
        metric = read_column(query, chosen, f"metric:{chosen.metric}", self._clock()) if chosen.metric else None
        same = len({key for run in chosen.runs for key in run.params}) - len(params)
        return ParamsData(chosen, params, columns, metric, same)

    def view(self, data: ParamsData, fit: Fit) -> Block:
        """A row for each value of each parameter; few runs also side by side."""
        if len(data.chosen.runs) < 2:
            return Empty(
                "No parameters to compare yet",
                "It takes two runs: mark them with `[[runs.mark]]`, or take away the filter.",
            )
        shared = f"the same in all of these runs: {data.same} more parameters" if data.same else ""
        if not data.params:
            return Empty("The parameters of these runs are the same.", shared)
        blocks: list[Block] = []
        if len(data.chosen.runs) <= _SIDE_BY_SIDE:
            blocks.append(params_table(data.chosen.runs, data.chosen.baseline, data.params, fit))
        blocks.append(_values_table(data, fit))
        blocks.append(Note(" · ".join(filter(None, (data.chosen.words, data.chosen.at.words, shared))), "dim"))
        return Stack(blocks, self.title)

    def choices(self, data: ParamsData) -> Sequence[Choice]:
        """What stands for the metric."""
        return (value_choice(data.chosen.at, data.chosen.runs),)

    def to_json(self, data: ParamsData) -> dict[str, Any]:
        """Each parameter that differs, with its values by run id, and each value's runs and mean of the metric."""
        return {
            "metric": data.chosen.metric,
            "value": data.chosen.at.option,
            "runs": {run.id: run.name for run in data.chosen.runs},
            "same": data.same,
            "params": [
                {
                    "key": row.key,
                    "values": {
                        run.id: plain_json(value)
                        for run, value, there in zip(data.chosen.runs, row.values, row.present, strict=True)
                        if there
                    },
                    "levels": [
                        {"value": name, "runs": len(places), "mean": number(_mean(data.metric, places))}
                        for name, places in _levels(column)
                    ],
                }
                for row, column in zip(data.params, data.columns, strict=True)
            ],
        }


def _values_table(data: ParamsData, fit: Fit) -> Table:
    """Values of each parameter with how many runs have them and how those did."""
    unit = data.metric.unit if data.metric is not None else ""
    title = data.metric.title if data.metric is not None else ""
    columns = [
        Column("param", "parameter", priority=0),
        Column("value", "value", align="right", priority=0),
        Column("runs", "runs", align="right", priority=0),
        *([Column("mean", f"mean {title}", unit, "right", priority=0)] if title else []),
        *(
            [Column("best", f"best {title}", unit, "right", priority=1)]
            if title and data.metric and data.metric.direction
            else []
        ),
    ]
    rows: list[list[Cell]] = []
    ids: list[str] = []
    for column in data.columns:
        if is_seed(column.title) or is_own_place(column.title):
            continue
        levels = _levels(column)
        for place, (name, places) in enumerate(levels[:_VALUES]):
            cells = [
                Cell(column.title if not place else "", text=column.title if not place else " "),
                Cell(name),
                Cell(len(places)),
            ]
            if title:
                cells.append(Cell(_mean(data.metric, places)))
            if len(columns) > 4:
                cells.append(Cell(_best(data.metric, places)))
            rows.append(cells)
            ids.append(column.key if not place else "")
        if len(levels) > _VALUES:
            left = [f"… {len(levels) - _VALUES} more values", *[" "] * (len(columns) - 2)]
            ids.append("")
            rows.append([Cell("", text=" "), *(Cell(None, "dim", text=text) for text in left)])
    kept = that_fit(columns, rows, fit)
    title = "Values and how their runs did"
    return Table([columns[at] for at in kept], [[row[at] for at in kept] for row in rows], title, ids)


def _levels(column: RunColumn) -> list[tuple[str, list[int]]]:
    """Values in order, each with the places of its runs; runs without one come last."""
    found: dict[float | str | None, list[int]] = {}
    for at, value in enumerate(column.values):
        found.setdefault(value, []).append(at)
    known = sorted((value for value in found if value is not None), key=lambda value: (isinstance(value, str), value))
    levels = [(value if isinstance(value, str) else units.logged(_whole(value)), found[value]) for value in known]
    return [*levels, ("not set", found[None])] if None in found else levels


def _whole(value: float) -> float | int:
    """A number as it was most likely written."""
    return int(value) if value.is_integer() and abs(value) < 1e15 else value


def _known(metric: RunColumn | None, places: Sequence[int]) -> list[float]:
    if metric is None:
        return []
    return [value for at in places if isinstance(value := metric.values[at], float) and math.isfinite(value)]


def _mean(metric: RunColumn | None, places: Sequence[int]) -> float | None:
    known = _known(metric, places)
    return math.fsum(known) / len(known) if known else None


def _best(metric: RunColumn | None, places: Sequence[int]) -> float | None:
    known = _known(metric, places)
    if metric is None or not known:
        return None
    return max(known) if metric.direction == "higher" else min(known)
