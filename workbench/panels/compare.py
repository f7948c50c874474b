"""Runs side by side: metrics with their changes to the baseline, parameters that differ, curves overlaid."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any

from msgspec import Struct, field

from workbench.core.compare import (
    MetricRow,
    ParamRow,
    Percentiles,
    baseline_of,
    latency_percentiles,
    metric_rows,
    param_differences,
)
from workbench.core.compare_noise import repeats_of
from workbench.core.compare_values import LAST, ChoiceError, ValueAt, values_of
from workbench.core.model import Run, Series
from workbench.core.query import Query
from workbench.core.roles import PERCENTILES, main_metric, percentile_key
from workbench.panels.chosen import asked_value, value_choice
from workbench.panels.compare_tables import SAME, fits_upright, lying, params_table, upright
from workbench.panels.parts import CHART_POINTS, curve, labels_of, lines_of, metric_order, run_colors
from workbench.panels.shapes import compare_shape
from workbench.plugin.api import Block, Choice, Empty, Fit, Focus, Note, Panel, Stack, Table

MOST = 500
"""Runs compared at the most; more are for the run table."""
DRAWN = 12
"""Runs whose curves are overlaid: more are for their groups' bands."""
_UNMARKED = 4
_NEIGHBOURS = 2_000
"""Runs among which repeated seeds are looked for."""


class CompareData(Struct, frozen=True):
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
    at: ValueAt = LAST
    problem: str = ""


class ComparePanel(Panel):
    """The marked runs against the baseline; without marks, the run under the cursor, else the newest few.

    Without a baseline the first marked run is the reference, unless the option `reference` says False: that is for
    runs that nobody marked, of which none is meant to be measured by. The option `value` says what stands for a series.
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
        at, problem = _value(focus)
        repeats = repeats_of(everything[:_NEIGHBOURS])
        measured = {run.id: run for run in (*runs, *chain.from_iterable(repeats))}
        values = values_of(query, list(measured.values()), at)
        shown = {run.id for run in runs}
        near = [run for group in repeats if any(run.id in shown for run in group) for run in group]
        found = latency_percentiles(query, list({run.id: run for run in (*runs, *near)}.values()))
        values = {**values, **_of_percentiles(found)}
        order = metric_order(runs, query.roles, [metric] if metric else [])
        rows = metric_rows(runs, query.roles, reference, found, values=values, repeats=repeats)
        drawn = {run.id: query.series(run.id, metric, CHART_POINTS) for run in runs[:DRAWN]} if metric else {}
        return CompareData(
            runs, len(chosen) - len(runs), reference, metric, query.roles(metric).unit if metric else "",
            _in_order(rows, order), param_differences(runs), found, drawn, focus, at, problem,
        )  # fmt: skip

    def view(self, data: CompareData, fit: Fit) -> Block:
        """The overlaid curves, metrics by runs, then the parameters that differ."""
        if len(data.runs) < 2:
            return Empty(
                "Nothing to compare yet" if not data.runs else "One run is not enough to compare",
                "Mark runs with `[[runs.mark]]` in the run table, set one as baseline with `[[runs.baseline]]`, "
                "or name them: `workbench compare RUN RUN`.",
            )
        parts = (_overlay(data), *_metrics(data, fit), _params(data, fit))
        blocks: list[Block] = [Note(data.problem, "warn")] if data.problem else []
        blocks += [block for block in parts if block is not None]
        if data.left_out:
            blocks.append(Note(f"{data.left_out:,} more marked runs are left out; {MOST} are compared at once", "dim"))
        return Stack(blocks, self.title)

    def choices(self, data: CompareData) -> Sequence[Choice]:
        """What stands for a series."""
        return (value_choice(data.at, data.runs),)

    def to_json(self, data: CompareData) -> dict[str, Any]:
        """The shape of `compare --format json`."""
        return compare_shape(data.runs, data.baseline, data.metrics, data.params, data.found, data.at)


def _of_percentiles(found: Percentiles) -> dict[tuple[str, str], float]:
    """Percentiles under the names of their rows, so that their noise can be told."""
    return {
        (run_id, percentile_key(key, q)): value
        for (run_id, key), values in found.items()
        for q, value in zip(PERCENTILES, values, strict=False)
    }


def _value(focus: Focus) -> tuple[ValueAt, str]:
    try:
        return asked_value(focus), ""
    except ChoiceError as error:
        return LAST, str(error)


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
    runs = data.runs[:DRAWN]
    colors, names = run_colors(runs), labels_of(runs)
    lines = [
        curve(data.curves[run.id], name, colors[run.id], data.focus.options, run.started_at)
        for run, name in zip(runs, names, strict=True)
        if run.id in data.curves and len(data.curves[run.id].value)
    ]
    return lines_of(lines, data.metric or "", data.unit, data.focus) if lines else None


def _metrics(data: CompareData, fit: Fit) -> list[Block]:
    """The table, runs below each other where they have no room side by side, and what its marks mean."""
    if not data.metrics:
        return [Empty("No metrics yet", "These runs have logged no numbers; their parameters are below.")]
    across = fits_upright(data.runs, data.metrics, fit)
    if across:
        table = upright(data.runs, data.baseline, data.metrics, fit)
    else:
        order = _best_first(data)
        rows = [_reordered(row, order) for row in data.metrics]
        table = lying([data.runs[at] for at in order], data.baseline, rows, fit)
    title = "Metrics" if data.at == LAST else f"Metrics, {data.at.words}"
    legend = _legend(data, table, across)
    return [Table(table.columns, table.rows, title, table.ids), *([Note(legend, "dim")] if legend else [])]


def _best_first(data: CompareData) -> list[int]:
    """Places of the runs by the first metric, the baseline before all."""
    row = data.metrics[0]
    sign = {"higher": -1.0, "lower": 1.0}.get(row.roles.direction or "", 0.0)

    def rank(at: int) -> tuple[bool, float]:
        value = row.values[at]
        is_other = data.baseline is None or data.runs[at].id != data.baseline.id
        return is_other, math.inf if value is None or not math.isfinite(value) else sign * value

    return sorted(range(len(data.runs)), key=rank)


def _reordered(row: MetricRow, order: Sequence[int]) -> MetricRow:
    return MetricRow(
        row.key, row.roles, tuple(row.values[at] for at in order), tuple(row.deltas[at] for at in order), row.noise
    )


def _legend(data: CompareData, table: Table, across: bool) -> str:
    """What is marked, and what had no room."""
    parts = []
    noises = [row.noise for row in data.metrics if row.noise is not None and any(row.within_noise)]
    if noises:
        groups = max(noise.groups for noise in noises)
        seeds = max(noise.freedom + noise.groups for noise in noises)
        parts.append(f"{SAME} within noise: another seed may change as much ({seeds} seeds of {groups} settings, 95 %)")
    shown = {column.key for column in table.columns}
    hidden = [] if across else [row.key for row in data.metrics if row.key not in shown]
    if hidden:
        parts.append(f"no room for {', '.join(hidden[:4])}{' …' if len(hidden) > 4 else ''}")
    if len(data.runs) > DRAWN:
        parts.append(f"curves of the first {DRAWN} runs; Groups shows bands of all")
    return " · ".join(parts)


def _params(data: CompareData, fit: Fit) -> Block:
    if not data.params:
        return Note("The parameters of these runs are the same.", "dim")
    return params_table(data.runs, data.baseline, data.params, fit)
