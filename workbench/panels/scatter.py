"""Two columns of the runs against each other: a parameter, a metric, a tag, the duration, in any pair."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from msgspec import Struct, field

from workbench.core import units
from workbench.core.compare_columns import RunColumn, column_keys, varying_params
from workbench.core.compare_ranks import front_of, rank_correlation, relation
from workbench.core.query import Query
from workbench.panels.chosen import (
    Chosen,
    asked_column,
    better_first,
    choose,
    column_choice,
    metric_values,
    option,
    read_column,
    value_choice,
)
from workbench.panels.parts import labels_of, run_colors, that_fit
from workbench.panels.shapes import number
from workbench.plugin.api import (
    Axis,
    Block,
    Cell,
    Choice,
    Column,
    Empty,
    Fit,
    Focus,
    Note,
    Panel,
    Point,
    Scatter,
    Stack,
    Table,
)

_COLORED = 10
"""Runs that can be told apart by their colours."""
_LISTED = 50


class ScatterData(Struct, frozen=True):
    """The two columns over the chosen runs."""

    chosen: Chosen = field(default_factory=Chosen)
    x: RunColumn | None = None
    y: RunColumn | None = None
    problems: Sequence[str] = ()

    @property
    def best(self) -> int | None:
        """Place of the run that is best in y."""
        return None if self.y is None else self.y.best

    @property
    def front(self) -> frozenset[int]:
        """Runs than which none is better in both columns; empty unless both have a better way."""
        return frozenset() if self.x is None or self.y is None else front_of(self.x, self.y)


class ScatterPanel(Panel):
    """Options: `x` and `y` are columns (as `scatter_x`, `scatter_y`), `value` what stands for a metric."""

    name = "scatter"
    title = "Scatter"
    key = "C"
    follows_metric = True

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock

    def load(self, query: Query, focus: Focus) -> ScatterData:
        """Both columns; by default the main metric over the parameter that goes with it most."""
        chosen = choose(query, focus)
        metric = f"metric:{chosen.metric}" if chosen.metric else None
        y, wrong = asked_column(query, chosen, option(focus, "scatter_y"), metric or "duration")
        x, also = asked_column(query, chosen, option(focus, "scatter_x"), None)
        x = x or _usual_x(query, chosen, y)
        now = self._clock()
        columns = [None if key is None or not chosen.runs else read_column(query, chosen, key, now) for key in (x, y)]
        return ScatterData(chosen, columns[0], columns[1], [text for text in (chosen.problem, wrong, also) if text])

    def view(self, data: ScatterData, fit: Fit) -> Block:
        """The points with their names, then the runs from the best to the worst."""
        if data.x is None or data.y is None or len(data.chosen.runs) < 2:
            return Empty(
                "Nothing to scatter yet",
                "It takes two runs with a metric: mark them with `[[runs.mark]]`, or take away the filter.",
            )
        notes = [Note(text, "warn") for text in data.problems]
        blocks: list[Block] = [*notes, _chart(data), Note(_legend(data), "dim"), _table(data, fit)]
        return Stack(blocks, self.title)

    def choices(self, data: ScatterData) -> Sequence[Choice]:
        """Both axes and what stands for a metric."""
        keys = column_keys(data.chosen.runs)
        return (
            value_choice(data.chosen.at, data.chosen.runs),
            column_choice("scatter_x", "x axis", keys, data.x.key if data.x else None),
            column_choice("scatter_y", "y axis", keys, data.y.key if data.y else None),
        )

    def to_json(self, data: ScatterData) -> dict[str, Any] | None:
        """x, y, what stands for a metric, and a point for each run."""
        if data.x is None or data.y is None:
            return None
        front, best = data.front, data.best
        return {
            "x": data.x.key,
            "y": data.y.key,
            "value": data.chosen.at.option,
            "points": [
                {
                    "run_id": run.id, "run": run.name, "x": _json(x), "y": _json(y), "best": at == best,
                    "on_front": at in front,
                }
                for at, (run, x, y) in enumerate(zip(data.chosen.runs, data.x.values, data.y.values, strict=True))
            ],
        }  # fmt: skip


def _usual_x(query: Query, chosen: Chosen, y: str | None) -> str | None:
    """The parameter of numbers whose ranks go with y's most, else one of names; without one, how long the runs took."""
    if y is None:
        return None
    target = read_column(query, chosen, y, 0.0)
    values = metric_values(query, chosen)
    found = varying_params(chosen.runs, values, query.roles)
    ranked = sorted(found, key=lambda column: (bool(column.names), -relation(column, target)))
    return ranked[0].key if ranked else "duration"


def _chart(data: ScatterData) -> Scatter:
    assert data.x is not None and data.y is not None
    runs = data.chosen.runs
    colors = run_colors(runs) if len(runs) <= _COLORED else {}
    front, best = data.front, data.best
    points = [
        Point(
            name,
            float("nan") if a is None else a,
            float("nan") if b is None else b,
            "good" if at == best else "accent" if at in front else "",
            colors.get(run.id, 0),
        )
        for at, (run, name, a, b) in enumerate(zip(runs, labels_of(runs), data.x.places, data.y.places, strict=True))
    ]
    return Scatter(points, _axis(data.x), _axis(data.y), f"{_label(data.y)} over {_label(data.x)}")


def _axis(column: RunColumn) -> Axis:
    kind = {"time": "time", "duration": "duration"}.get(column.unit, "number")
    return Axis(_label(column), kind, column.is_log, column.names)  # type: ignore[arg-type]


def _label(column: RunColumn) -> str:
    unit = f" ({column.unit})" if column.unit and column.unit not in ("time", "duration") else ""
    return f"{column.title}{unit}{', log' if column.is_log else ''}"


def _legend(data: ScatterData) -> str:
    """Which runs these are, and what the marks mean."""
    assert data.x is not None and data.y is not None
    parts = [data.chosen.words]
    best = data.best
    if best is not None:
        parts.append(f"★ {labels_of(data.chosen.runs)[best]} is best in {data.y.title}")
    if len(data.front) > 1:
        parts.append("◆ no run is better in both")
    parts += [f"{data.chosen.at.words}"] if any(_is_metric(c) for c in (data.x, data.y)) else []
    alike = None if data.x.names or data.y.names else rank_correlation(data.x.places, data.y.places)
    if alike is not None:
        parts.append(f"rank correlation {units.number(alike, 2)}")
    return " · ".join(parts)


def _is_metric(column: RunColumn) -> bool:
    return column.key.startswith("metric:")


def _table(data: ScatterData, fit: Fit) -> Table:
    assert data.x is not None and data.y is not None
    runs, names = data.chosen.runs, labels_of(data.chosen.runs)
    order = better_first(data.y)[:_LISTED]
    columns = [
        Column("run", "run", priority=0),
        Column(data.y.key, data.y.title, data.y.unit, "right", priority=0),
        Column(data.x.key, data.x.title, data.x.unit, "right", priority=0),
        Column("mark", "", priority=1),
    ]
    front, best = data.front, data.best
    rows = [
        [
            Cell(names[at]), _value(data.y, at), _value(data.x, at),
            Cell("best", "good") if at == best else Cell("on the front" if at in front else ""),
        ]
        for at in order
    ]  # fmt: skip
    kept = that_fit(columns, rows, fit)
    return Table(
        [columns[at] for at in kept], [[row[at] for at in kept] for row in rows], "", [runs[at].id for at in order]
    )


def _value(column: RunColumn, at: int) -> Cell:
    value = column.values[at]
    if isinstance(value, float) and column.key.startswith("param:"):
        return Cell(value, text=f"{value:g}")
    return Cell(value)


def _json(value: float | str | None) -> float | str | None:
    return value if isinstance(value, str) else number(value)
