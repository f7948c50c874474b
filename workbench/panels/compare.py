"""Runs side by side: metrics with their changes to the baseline, parameters that differ, curves overlaid."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from workbench.core.compare import (
    MetricRow,
    ParamRow,
    Percentiles,
    baseline_of,
    latency_percentiles,
    metric_rows,
    param_differences,
)
from workbench.core.model import Run, Series
from workbench.core.query import Query
from workbench.core.roles import main_metric
from workbench.panels.parts import (
    CHART_POINTS,
    curve,
    labels_of,
    lines_of,
    metric_order,
    param_cell,
    run_colors,
    that_fit,
    value_cell,
)
from workbench.panels.shapes import compare_shape
from workbench.plugin.api import Block, Cell, Column, Empty, Fit, Focus, Note, Panel, Stack, Table

MOST = 12
"""Runs side by side at the most; more are for the run table."""
_UNMARKED = 4


@dataclass(frozen=True, slots=True)
class CompareData:
    """Runs with the baseline first, and what is compared of them."""

    runs: Sequence[Run] = ()
    left_out: int = 0
    baseline: Run | None = None
    metric: str | None = None
    unit: str = ""
    metrics: Sequence[MetricRow] = ()
    params: Sequence[ParamRow] = ()
    found: Percentiles = field(default_factory=dict)
    curves: Mapping[str, Series] = field(default_factory=dict)
    focus: Focus = field(default_factory=Focus)


class ComparePanel(Panel):
    """The marked runs against the baseline; without marks, the run under the cursor, else the newest few.

    Without a baseline the first marked run is the reference, unless the option `reference` says False: that is for
    runs that nobody marked, of which none is meant to be measured by.
    """

    name = "compare"
    title = "Compare"
    key = "2"

    def load(self, query: Query, focus: Focus) -> CompareData:
        """The runs, their metrics by rows, and one series of each for the chart."""
        everything = query.runs(hidden=True)
        baseline = baseline_of(everything, focus.baseline)
        chosen = _chosen(everything, focus, baseline)
        runs = chosen[:MOST]
        if len(runs) < 2:
            return CompareData(runs, focus=focus)
        first = runs[0] if focus.marked and focus.options.get("reference", True) else None
        reference = baseline if baseline is not None else first
        metric = main_metric(runs, query.roles, focus.metric)
        found = latency_percentiles(query, runs)
        order = metric_order(runs, query.roles, [metric] if metric else [])
        drawn = {run.id: query.series(run.id, metric, CHART_POINTS) for run in runs} if metric else {}
        return CompareData(
            runs,
            len(chosen) - len(runs),
            reference,
            metric,
            query.roles(metric).unit if metric else "",
            _in_order(metric_rows(runs, query.roles, reference, found), order),
            param_differences(runs),
            found,
            drawn,
            focus,
        )

    def view(self, data: CompareData, fit: Fit) -> Block:
        """The overlaid curves, metrics by runs, then the parameters that differ."""
        if len(data.runs) < 2:
            return Empty(
                "Nothing to compare yet" if not data.runs else "One run is not enough to compare",
                "Mark runs with space in the run table, set one as baseline with `b`, "
                "or name them: `workbench compare RUN RUN`.",
            )
        blocks = [block for block in (_overlay(data), _metrics(data, fit), _params(data, fit)) if block is not None]
        if data.left_out:
            blocks.append(Note(f"{data.left_out} more marked runs are left out; {MOST} fit side by side", "dim"))
        return Stack(blocks, self.title)

    def to_json(self, data: CompareData) -> dict[str, Any]:
        """The shape of `compare --format json`."""
        return compare_shape(data.runs, data.baseline, data.metrics, data.params, data.found)


def _chosen(runs: Sequence[Run], focus: Focus, baseline: Run | None) -> list[Run]:
    """Whom to compare, the baseline first."""
    by_id = {run.id: run for run in runs}
    visible = [run for run in runs if not run.hidden]
    if focus.marked:
        chosen = [by_id[run_id] for run_id in focus.marked if run_id in by_id]
    elif focus.run in by_id and baseline is not None and focus.run != baseline.id:
        chosen = [by_id[focus.run]]
    else:
        chosen = [run for run in visible if run is not baseline][:_UNMARKED]
    if baseline is None:
        return chosen
    return [baseline, *(run for run in chosen if run.id != baseline.id)]


def _in_order(rows: Sequence[MetricRow], order: Sequence[str]) -> tuple[MetricRow, ...]:
    """Rows by the order of their series, percentiles behind theirs."""
    place = {key: index for index, key in enumerate(order)}
    return tuple(sorted(rows, key=lambda row: place.get(row.key, place.get(row.key.rsplit(".p", 1)[0], len(place)))))


def _overlay(data: CompareData) -> Block | None:
    colors, names = run_colors(data.runs), labels_of(data.runs)
    lines = [
        curve(data.curves[run.id], name, colors[run.id], data.focus.options, run.started_at)
        for run, name in zip(data.runs, names, strict=True)
        if run.id in data.curves and len(data.curves[run.id].value)
    ]
    return lines_of(lines, data.metric or "", data.unit, data.focus) if lines else None


def _header(data: CompareData, first: str) -> list[Column]:
    """The name column and one a run; those on the right give way first."""
    names = labels_of(data.runs)
    marks = [" ◆" if data.baseline is not None and run.id == data.baseline.id else "" for run in data.runs]
    return [
        Column("key", first, priority=0),
        *(
            Column(run.id, f"{name}{mark}", align="right", priority=at)
            for at, (run, name, mark) in enumerate(zip(data.runs, names, marks, strict=True))
        ),
    ]


def _metrics(data: CompareData, fit: Fit) -> Block | None:
    if not data.metrics:
        return Empty("No metrics yet", "These runs have logged no numbers; their parameters are below.")
    rows = [
        [
            Cell(row.key),
            *(value_cell(value, change, row.roles.unit) for value, change in zip(row.values, row.deltas, strict=True)),
        ]
        for row in data.metrics
    ]
    return _table(_header(data, "metric"), rows, "Metrics", fit)


def _params(data: CompareData, fit: Fit) -> Block:
    if not data.params:
        return Note("The parameters of these runs are the same.", "dim")
    rows = [[Cell(row.key), *(param_cell(value) for value in row.values)] for row in data.params]
    return _table(_header(data, "parameter"), rows, "Parameters that differ", fit)


def _table(columns: Sequence[Column], rows: Sequence[Sequence[Cell]], title: str, fit: Fit) -> Table:
    kept = that_fit(columns, rows, fit)
    return Table([columns[at] for at in kept], [[row[at] for at in kept] for row in rows], title)
