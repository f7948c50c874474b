"""The run table: state, name, age, the main metric with its sparkline and change to the baseline, p95 latency."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from msgspec import Struct, field

from workbench.core import units
from workbench.core.compare import (
    Percentiles,
    baseline_of,
    delta,
    latency_keys,
    latency_percentiles,
    param_differences,
    with_percentiles,
)
from workbench.core.model import Roles, Run
from workbench.core.order import in_order
from workbench.core.progress import share_done, under_way, words
from workbench.core.query import Query
from workbench.core.roles import main_metric, percentile_key, split_percentile
from workbench.core.where import WhereError, parse, unknown_keys
from workbench.panels.parts import metric_order, param_cell, state_cell, that_fit, value_cell
from workbench.panels.shapes import paces_of, run_shape
from workbench.plugin.api import Block, Cell, Column, Empty, Fit, Focus, Note, Panel, Stack, Table

LIMIT = 100
"""Rows shown unless the option `limit` says otherwise."""
_EXTRA = 12


class RunsData(Struct, frozen=True):
    """The runs that match, the first `len(shown)` of them with what their rows need."""

    shown: Sequence[Run] = ()
    total: int = 0
    now: float = 0.0
    main: str | None = None
    latency: str | None = None
    baseline: Run | None = None
    found: Percentiles = field(default_factory=dict)
    sparks: Mapping[str, Sequence[float]] = field(default_factory=dict)
    roles: Mapping[str, Roles] = field(default_factory=dict)
    paces: Mapping[str, float] = field(default_factory=dict)
    """Steps a second of the runs whose time left can be told."""
    columns: Sequence[str] | None = None
    """Metrics, params and tags beside the main metric, `metric:KEY` and so on; None lets the view choose."""
    where: str = ""
    problem: str = ""
    """Why the filter shows nothing, where it is the filter's fault."""


class RunsPanel(Panel):
    """All runs that match the filter, newest first."""

    name = "runs"
    title = "Runs"
    key = "1"

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock

    def load(self, query: Query, focus: Focus) -> RunsData:
        """Runs of the filter with sparklines and percentiles of those shown."""
        now = self._clock()
        try:
            runs = query.runs(focus.where, hidden=bool(focus.options.get("hidden")))
        except WhereError as error:
            return RunsData(now=now, where=focus.where, problem=str(error))
        if not runs:
            return RunsData(now=now, where=focus.where, problem=_why_none(query, focus.where))
        shown = ordered(query, runs, focus)[: _limit(focus)]
        main = focus.metric or main_metric(runs, query.roles)
        latency = next(iter(latency_keys(shown, query.roles)), None)
        baseline = baseline_of(runs, focus.baseline) or baseline_of(query.runs(hidden=True), focus.baseline)
        measured = [*shown, baseline] if baseline is not None and baseline not in shown else shown
        keys = {key for run in measured for key in run.metrics}
        return RunsData(
            shown=shown,
            total=len(runs),
            now=now,
            main=main,
            latency=latency,
            baseline=baseline,
            found=latency_percentiles(query, measured),
            sparks=query.sparks([run.id for run in shown], main) if main else {},
            roles={key: query.roles(key) for key in keys},
            paces=paces_of(query, shown),
            columns=focus.options.get("columns"),
            where=focus.where,
        )

    def view(self, data: RunsData, fit: Fit) -> Block:
        """A table of as many columns as there is room for."""
        if not data.shown:
            return _empty(data)
        columns = _columns(data)
        rows = [_row(run, data, fit, columns) for run in data.shown]
        kept = that_fit(columns, rows, fit)
        table = Table(
            [columns[index] for index in kept],
            [[row[index] for index in kept] for row in rows],
            self.title,
            [run.id for run in data.shown],
        )
        if len(data.shown) == data.total:
            return table
        return Stack([table, Note(f"{len(data.shown):,} of {data.total:,} runs shown", "dim")])

    def to_json(self, data: RunsData) -> list[dict[str, Any]]:
        """The shape of `runs --format json`."""
        return [run_shape(run, data.found, data.paces.get(run.id)) for run in data.shown]


def _limit(focus: Focus) -> int:
    limit = focus.options.get("limit", LIMIT)
    return limit if isinstance(limit, int) and limit > 0 else LIMIT


def _why_none(query: Query, where: str) -> str:
    """What the filter asks for that no run has, with the nearest that some run has."""
    if not where:
        return ""
    unknown = unknown_keys(parse(where), query.runs())
    return "; ".join(
        f"no run has {key!r}" + (f" – did you mean {near!r}?" if near else "") for key, near in unknown.items()
    )


def _empty(data: RunsData) -> Empty:
    if data.where:
        return Empty("No run matches the filter", data.problem or f"Filter: {data.where}")
    return Empty(
        "No runs yet",
        "Start a training that logs here, read existing logs with `workbench watch --once`, or try `workbench demo`.",
    )


def ordered(query: Query, runs: Sequence[Run], focus: Focus) -> Sequence[Run]:
    """Runs by the options `sort` and `descending`, unknown values last; newest first without them."""
    key, descending = str(focus.options.get("sort") or "age"), bool(focus.options.get("descending"))
    if key in ("main", "spark", "delta"):
        key = f"metric:{focus.metric or main_metric(runs, query.roles)}"
    measured = split_percentile("latency.p95" if key == "p95" else key)
    found = latency_percentiles(query, runs) if measured is not None else {}
    if key == "p95":
        key = percentile_key(next(iter(latency_keys(runs, query.roles)), ""), 95)
    return in_order(runs, key, descending, found)


def _columns(data: RunsData) -> list[Column]:
    """State, name, main metric and latency first; metrics and differing parameters as room permits."""
    columns = [
        Column("state", "state", priority=0),
        Column("name", "name", priority=0),
        Column("age", "age", "age", "right", priority=2),
    ]
    if data.main:
        unit = data.roles[data.main].unit if data.main in data.roles else ""
        columns += [
            Column("spark", "trend", priority=3),
            Column(data.main, data.main, unit, "right", priority=1),
        ]
    if data.latency:
        p95 = percentile_key(data.latency, 95)
        columns.append(Column(p95, p95, data.roles[data.latency].unit, "right", priority=2))
    if under_way(data.shown):
        columns.append(Column("progress", "progress", align="right", priority=3))
    return [*columns, *(_extra_columns(data) if data.columns is None else _chosen_columns(data, data.columns))]


def _chosen_columns(data: RunsData, keys: Sequence[str]) -> list[Column]:
    """Columns that were asked for, in that order; they give way to none but the name."""
    units_of = {f"metric:{key}": roles.unit for key, roles in data.roles.items()}
    return [Column(key, key.partition(":")[2], units_of.get(key, ""), "right", priority=1) for key in keys]


def _extra_columns(data: RunsData) -> list[Column]:
    taken = {data.main, data.latency}
    keys = metric_order(data.shown, lambda key: data.roles[key])
    metrics = [
        Column(f"metric:{key}", key, data.roles[key].unit, "right", priority=4 + index)
        for index, key in enumerate(key for key in keys if key not in taken)
    ]
    params = [
        Column(f"param:{row.key}", row.key, align="right", priority=4 + index)
        for index, row in enumerate(param_differences(data.shown))
    ]
    return [*metrics[:_EXTRA], *params[:_EXTRA]]


def _row(run: Run, data: RunsData, fit: Fit, columns: Sequence[Column]) -> list[Cell]:
    own = with_percentiles(run, data.found)
    base = with_percentiles(data.baseline, data.found) if data.baseline and data.baseline.id != run.id else {}
    return [_cell(run, column.key, own=own, base=base, data=data, fit=fit) for column in columns]


def _cell(run: Run, key: str, *, own: Mapping[str, Any], base: Mapping[str, Any], data: RunsData, fit: Fit) -> Cell:
    if key == "state":
        return state_cell(run, fit)
    if key == "name":
        mark = (" ◆" if fit.unicode else " (baseline)") if data.baseline and data.baseline.id == run.id else ""
        return Cell(run.name, text=f"{run.name}{mark}" if mark else "")
    if key == "age":
        return Cell(None if run.started_at is None else max(data.now - run.started_at, 0.0), "dim")
    if key == "progress":
        return Cell(share_done(run), "dim", text=words(run, data.paces.get(run.id)))
    if key == "spark":
        values = data.sparks.get(run.id, ())
        return Cell(None, "accent", spark=values, text="" if values else units.UNKNOWN)
    kind, _, rest = key.partition(":")
    if kind == "param" and key not in own:
        return param_cell(run.params.get(rest))
    if kind == "tag":
        return Cell(None, text=run.tags[rest] or "yes") if rest in run.tags else Cell(None)
    wanted = rest if kind == "metric" and key not in own else key
    summary = own.get(wanted)
    value = None if summary is None else summary.last
    reference = base.get(wanted)
    direction = data.roles[wanted].direction if wanted in data.roles else "lower" if wanted != data.main else None
    change = delta(value, None if reference is None else reference.last, direction)
    return value_cell(value, change)
