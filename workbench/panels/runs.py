"""The run table: state, name, age, the main metric with its sparkline and change to the baseline, p95 latency."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

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
from workbench.core.progress import share_done, under_way, words
from workbench.core.query import Query
from workbench.core.roles import main_metric, percentile_key
from workbench.core.where import WhereError, parse, unknown_keys
from workbench.panels.parts import metric_order, param_cell, state_cell, that_fit, value_cell
from workbench.panels.shapes import paces_of, run_shape
from workbench.plugin.api import Block, Cell, Column, Empty, Fit, Focus, Note, Panel, Stack, Table

LIMIT = 100
"""Rows shown unless the option `limit` says otherwise."""
_EXTRA = 12


@dataclass(frozen=True, slots=True)
class RunsData:
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
        shown = _sorted(runs, focus)[: _limit(focus)]
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


def _sorted(runs: Sequence[Run], focus: Focus) -> Sequence[Run]:
    """Runs by the option `sort`, unknown values last; newest first without one."""
    key = str(focus.options.get("sort") or "age")
    if key == "age":
        return list(reversed(runs)) if focus.options.get("descending") else list(runs)
    values = [(run, _sort_value(run, key)) for run in runs]
    known = [(value, index) for index, (_, value) in enumerate(values) if value is not None]
    known.sort(key=lambda item: item[0], reverse=bool(focus.options.get("descending")))
    return [*(runs[index] for _, index in known), *(run for run, value in values if value is None)]


def _sort_value(run: Run, key: str) -> tuple[int, float, str] | None:
    """Numbers before texts, so that a column of both can be ordered."""
    kind, _, rest = key.partition(":")
    if key in ("name", "state", "format", "path"):
        return 1, 0.0, str(run.status if key == "state" else getattr(run, key)).casefold()
    wanted = rest if kind in ("param", "metric") else key
    summary = None if kind == "param" else run.metrics.get(wanted)
    value = run.params.get(wanted) if summary is None else summary.last
    if value is None or value != value:  # noqa: PLR0124 - NaN is sorted with the unknown
        return None
    return (0, float(value), "") if isinstance(value, int | float) else (1, 0.0, str(value).casefold())


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
    return [*columns, *_extra_columns(data)]


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
    wanted = rest if kind == "metric" and key not in own else key
    summary = own.get(wanted)
    value = None if summary is None else summary.last
    reference = base.get(wanted)
    direction = data.roles[wanted].direction if wanted in data.roles else "lower" if wanted != data.main else None
    change = delta(value, None if reference is None else reference.last, direction)
    return value_cell(value, change)
