"""Runs by a parameter, a tag or their settings: mean and span of a metric's curve in each group, and of its values."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from msgspec import Struct, field
from msgspec.structs import replace

from workbench.core import units
from workbench.core.compare import delta
from workbench.core.compare_columns import CONFIG, RunColumn, column_keys, varying_params
from workbench.core.compare_groups import Band, Group, band_of, differ, groups_of
from workbench.core.compare_noise import repeats_of
from workbench.core.compare_ranks import relation
from workbench.core.model import Roles, Run
from workbench.core.query import Query
from workbench.core.units import number as short
from workbench.panels.chosen import (
    Chosen,
    asked_column,
    by_id,
    choose,
    column_choice,
    metric_values,
    option,
    read_column,
    value_choice,
)
from workbench.panels.parts import CHART_POINTS, curve, delta_tone, lines_of, that_fit
from workbench.panels.shapes import delta_shape, number
from workbench.plugin.api import Block, Cell, Choice, Column, Empty, Fit, Focus, Line, Note, Panel, Stack, Table

MOST_GROUPS = 30
DRAWN = 6
"""Groups whose bands are drawn: more cannot be told apart."""
_A_GROUP = 40
_LEVELS = 8
_PARTS = 4


class GroupsData(Struct, frozen=True):
    """Groups, the reference first, then from the best mean to the worst; bands by the group's name."""

    chosen: Chosen = field(default_factory=Chosen)
    by: str = ""
    roles: Roles = field(default_factory=Roles)
    groups: Sequence[Group] = ()
    reference: Group | None = None
    bands: Mapping[str, Band] = field(default_factory=dict)
    focus: Focus = field(default_factory=Focus)
    problems: Sequence[str] = ()
    keys: Sequence[str] = ()


class GroupsPanel(Panel):
    """Options: `by` is a column or several parted by commas, `value` what stands for a metric."""

    name = "groups"
    title = "Groups"
    key = "B"
    follows_metric = True

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock

    def load(self, query: Query, focus: Focus) -> GroupsData:
        """The groups with their values, and a band for each of the first few."""
        chosen, focus = choose(query, focus), _on_shared_axis(focus)
        problems = [chosen.problem] if chosen.problem else []
        if chosen.metric is None or len(chosen.runs) < 2:
            return GroupsData(chosen, focus=focus, problems=problems)
        columns = self._columns(query, chosen, focus, problems)
        keys = column_keys(chosen.runs)
        roles = query.roles(chosen.metric)
        if not columns:
            return GroupsData(chosen, "", roles, focus=focus, problems=problems, keys=keys)
        values = by_id(chosen.runs, metric_values(query, chosen, f"metric:{chosen.metric}"), chosen.metric)
        found = groups_of(_names(columns), chosen.runs, values)
        reference = _reference(found, chosen.baseline)
        ordered = _ordered(found, reference, roles)[:MOST_GROUPS]
        bands = {group.name: band for group in ordered[:DRAWN] if (band := _band(query, group, chosen, focus))}
        by = ", ".join(column.key for column in columns)
        return GroupsData(chosen, by, roles, ordered, reference, bands, focus, problems, keys)

    def _columns(self, query: Query, chosen: Chosen, focus: Focus, problems: list[str]) -> list[RunColumn]:
        """What to group by: as asked, else what the runs suggest."""
        columns = []
        for asked in filter(None, (part.strip() for part in str(option(focus, "by") or "").split(","))):
            key, problem = asked_column(query, chosen, asked, None)
            problems += [problem] if problem else []
            columns += [read_column(query, chosen, key, self._clock())] if key else []
        if columns:
            return columns
        usual = _usual(query, chosen)
        return [usual] if usual is not None else []

    def view(self, data: GroupsData, fit: Fit) -> Block:
        """The bands over the steps, then a row for each group."""
        if not data.groups:
            return Empty(
                "No groups among these runs",
                "Groups need runs with a metric that share a parameter, a tag or all settings but the seed. "
                "`workbench compare --by KEY` groups by any of them.",
            )
        blocks: list[Block] = [Note(text, "warn") for text in data.problems]
        lines = [
            _line(group.name, data.bands[group.name], at)
            for at, group in enumerate(data.groups)
            if group.name in data.bands
        ]
        if any(len(line.x) > 1 for line in lines):
            blocks.append(lines_of(lines, data.chosen.metric or "", data.roles.unit, data.focus))
        return Stack([*blocks, _table(data, fit), Note(_legend(data), "dim")], self.title)

    def choices(self, data: GroupsData) -> Sequence[Choice]:
        """What to group by, and what stands for a metric."""
        keys = [key for key in data.keys if not key.startswith("metric:") and key != "started"]
        return (
            column_choice("by", "group by", keys, data.by),
            value_choice(data.chosen.at, data.chosen.runs),
        )

    def to_json(self, data: GroupsData) -> dict[str, Any] | None:
        """The groups with their values, and their bands over the steps."""
        if not data.groups:
            return None
        return {
            "by": data.by,
            "metric": data.chosen.metric,
            "direction": data.roles.direction,
            "value": data.chosen.at.option,
            "reference": None if data.reference is None else data.reference.name,
            "groups": [_group_shape(group, data) for group in data.groups],
        }


def _on_shared_axis(focus: Focus) -> Focus:
    """The x axis that runs of different days share: what asks for the time of day gets that since the start."""
    return replace(focus, options={**focus.options, "x": "relative"}) if focus.options.get("x") == "wall" else focus


def _usual(query: Query, chosen: Chosen) -> RunColumn | None:
    """All settings but the seed, where several seeds were run; else the parameter that tells most, of few values."""
    repeated = repeats_of(chosen.runs)
    if repeated and sum(map(len, repeated)) * 2 >= len(chosen.runs):
        return read_column(query, chosen, CONFIG, 0.0)
    target = read_column(query, chosen, f"metric:{chosen.metric}", 0.0)
    found = [
        column
        for column in varying_params(chosen.runs, metric_values(query, chosen), query.roles)
        if 2 <= len(set(column.values) - {None}) <= min(_LEVELS, column.known - 1)
    ]
    return max(found, key=lambda column: relation(column, target), default=None)


def _names(columns: Sequence[RunColumn]) -> list[str | None]:
    """A name for each run's group; None where a run lacks one of the columns."""
    parts = [_column_names(column) for column in columns]
    if len(columns) == 1:
        return parts[0]
    titles = [column.title for column in columns]
    return [
        None if None in row else " ".join(f"{title}={name}" for title, name in zip(titles, row, strict=True))
        for row in zip(*parts, strict=True)
    ]


def _column_names(column: RunColumn) -> list[str | None]:
    """Names as they are; many different numbers become four ranges that hold as many runs each."""
    known = sorted({value for value in column.values if isinstance(value, float)})
    if column.names or len(known) <= _LEVELS:
        return [f"{value:g}" if isinstance(value, float) else value for value in column.values]
    numbers = np.array([value for value in column.values if isinstance(value, float)])
    edges = np.unique(np.quantile(numbers, np.linspace(0, 1, _PARTS + 1)))
    return [None if not isinstance(value, float) else _range(edges, value, column.unit) for value in column.values]


def _range(edges: np.ndarray[Any, Any], value: float, unit: str) -> str:
    place = int(np.clip(np.searchsorted(edges, value, side="right") - 1, 0, len(edges) - 2))
    low, high = (units.value(float(edge), unit) if unit else short(float(edge), 3) for edge in edges[place : place + 2])
    return f"{low} – {high}"


def _reference(groups: Sequence[Group], baseline: Run | None) -> Group | None:
    """The group of the baseline; without a baseline nothing is measured by another."""
    return next((group for group in groups if baseline is not None and baseline.id in {r.id for r in group.runs}), None)


def _ordered(groups: Sequence[Group], reference: Group | None, roles: Roles) -> list[Group]:
    """The reference first, then the better mean first; in the order of the runs while nobody knows which is better."""
    rest = [group for group in groups if group is not reference]
    if roles.direction is not None:
        sign = -1.0 if roles.direction == "higher" else 1.0
        rest.sort(key=lambda group: float("inf") if group.mean is None else sign * group.mean)
    return [*([reference] if reference is not None else []), *rest]


def _band(query: Query, group: Group, chosen: Chosen, focus: Focus) -> Band | None:
    """The group's curves on one axis, of its newest runs."""
    lines = []
    for run in group.runs[:_A_GROUP]:
        series = query.series(run.id, chosen.metric or "", CHART_POINTS)
        line = curve(series, run.name, 0, focus.options, run.started_at)
        lines.append((line.x, line.y))
    return band_of(lines)


def _line(name: str, band: Band, at: int) -> Line:
    several = bool((band.count > 1).any())
    return Line(name, band.x, band.mean, None, at, band.low if several else None, band.high if several else None)


def _table(data: GroupsData, fit: Fit) -> Table:
    columns = [
        Column("group", data.by.replace("param:", ""), priority=0),
        Column("n", "n", align="right", priority=0),
        Column("mean", "mean", align="right", priority=0),
        Column("deviation", "± std", align="right", priority=3),
        Column("span", "min – max", align="right", priority=2),
        Column("runs", "runs", priority=5),
    ]
    rows = [_row(group, data) for group in data.groups]
    kept = that_fit(columns, rows, fit)
    title = f"{data.chosen.metric}, {data.chosen.at.words}"
    ids = [f"group:{group.name}" for group in data.groups]
    return Table([columns[at] for at in kept], [[row[at] for at in kept] for row in rows], title, ids)


def _row(group: Group, data: GroupsData) -> list[Cell]:
    unit = data.roles.unit
    reference = data.reference
    change = (
        None if reference is None or group is reference else delta(group.mean, reference.mean, data.roles.direction)
    )
    certain = None if reference is None or group is reference else differ(group, reference)
    mark = "≈ " if certain is False else ""
    mean = f"{mark}{units.value(group.mean, unit)}"
    tone = "dim" if certain is False else delta_tone(change)
    low, high = (
        (units.value(edge, unit) for edge in (min(group.values), max(group.values))) if group.values else ("–", "–")
    )
    span = low if len(group.values) == 1 else f"{low} – {high}"
    name = group.name + (" ◆" if group is reference else "")
    return [
        Cell(group.name, text=name), Cell(len(group.runs), text=_count(group)),
        Cell(group.mean, tone, None if change is None else change.relative, text=mean),
        Cell(group.deviation, text=short(group.deviation, 2)), Cell(None, text=span),
        Cell(", ".join(run.name for run in group.runs[:8]), "dim"),
    ]  # fmt: skip


def _count(group: Group) -> str:
    """How many runs, and how many of them have a value where not all do."""
    n, known = len(group.runs), len(group.values)
    return str(n) if n == known else f"{known} of {n}"


def _legend(data: GroupsData) -> str:
    parts = [f"{data.chosen.words} in {len(data.groups)} groups"]
    if data.bands:
        parts.append("line: mean, faint lines: lowest and highest run")
    if len(data.groups) > DRAWN:
        parts.append(f"the first {DRAWN} groups are drawn")
    if data.reference is not None:
        parts.append("◆ baseline's group; ≈ no difference beyond chance (Welch, 95 %)")
    return " · ".join(parts)


def _group_shape(group: Group, data: GroupsData) -> dict[str, Any]:
    reference, band = data.reference, data.bands.get(group.name)
    compared = reference is not None and group is not reference
    change = delta(group.mean, reference.mean, data.roles.direction) if reference is not None and compared else None
    return {
        "group": group.name,
        "runs": [run.id for run in group.runs],
        "n": len(group.values),
        "mean": number(group.mean),
        "deviation": number(group.deviation),
        "min": number(min(group.values, default=None)),
        "max": number(max(group.values, default=None)),
        "delta": delta_shape(change),
        "differs": differ(group, reference) if reference is not None and compared else None,
        "band": None if band is None else _band_shape(band),
    }


def _band_shape(band: Band) -> dict[str, Any]:
    return {
        "x": band.x.tolist(), "mean": band.mean.tolist(), "low": band.low.tolist(), "high": band.high.tolist(),
        "n": band.count.tolist(),
    }  # fmt: skip
