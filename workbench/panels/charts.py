"""Every metric of several runs as charts, in groups by prefix: the grid of the interface, for a page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from msgspec import Struct, field

from workbench.core.compare import baseline_of
from workbench.core.model import Roles, Run, Series
from workbench.core.query import Query
from workbench.core.series_axes import axis_key, axis_kind, axis_label, x_of
from workbench.core.series_charts import CURVES, Chart, Group, cells, charts_of, grouped
from workbench.panels.logged import STEPS, histogram_heat
from workbench.panels.parts import CHART_POINTS, labels_of, line_of, metric_order, run_colors
from workbench.plugin.api import Block, Columns, Empty, Fit, Focus, Heat, Line, Lines, Note, Panel, Stack

RUNS = 8
"""Runs on one chart; more cannot be told apart on paper."""
UNMARKED = 4
"""Newest runs that are charted while none is marked."""
CHARTS = 12
"""Charts of one page: what goes beyond is for the interface."""
NARROWEST = 56
"""Columns of a chart beside another."""


class ChartsData(Struct, frozen=True):
    """Runs with the series of their charts, by run id and key."""

    runs: Sequence[Run] = ()
    groups: Sequence[Group] = ()
    series: Mapping[tuple[str, str], Series] = field(default_factory=dict)
    histograms: Mapping[str, tuple[str, Any]] = field(default_factory=dict)
    """Histograms of the first run that has them, with its name, by key."""
    roles: Mapping[str, Roles] = field(default_factory=dict)
    left_out: int = 0
    focus: Focus = field(default_factory=Focus)
    axis_key: str | None = None


class ChartsPanel(Panel):
    """Charts of the marked runs, else of the one under the cursor, else of the newest few; the baseline comes first."""

    name = "charts"
    title = "Charts"
    key = "c"

    def load(self, query: Query, focus: Focus) -> ChartsData:
        """The runs, and the series of every chart that has room."""
        runs = chosen_runs(query.runs(hidden=True), focus)
        names = labels_of(runs)
        histograms: dict[str, tuple[str, str]] = {}
        for run, name in zip(runs, names, strict=True):
            for key in query.histogram_keys(run.id):
                histograms.setdefault(key, (name, run.id))
        keys = metric_order(runs, query.roles, [focus.metric] if focus.metric else [])
        every = charts_of(keys, histograms)
        shown = every[:CHARTS]
        over = axis_key(str(focus.options.get("x", "step")), keys)
        wanted = dict.fromkeys([*(key for chart in shown for key in chart.keys), *([over] if over else [])])
        pairs = [(run, key) for run in runs for key in wanted if key in run.metrics]
        return ChartsData(
            runs,
            grouped(shown),
            {(run.id, key): query.series(run.id, key, CHART_POINTS) for run, key in pairs},
            _histograms(query, [chart.title for chart in shown if chart.kind == "histogram"], histograms),
            {key: query.roles(key) for key in wanted},
            len(every) - len(shown),
            focus,
            over,
        )

    def view(self, data: ChartsData, fit: Fit) -> Block:
        """Groups below each other, their charts side by side as far as there is room."""
        if not data.runs:
            return Empty("No run to chart", "Read logs with `workbench watch --once`, or try `workbench demo`.")
        if not data.groups:
            return Empty("No metrics yet", "These runs have logged no numbers.")
        across = max(1, fit.columns // NARROWEST)
        blocks: list[Block] = []
        for group in data.groups:
            charts = [block for chart in group.charts for block in _blocks(data, chart, fit, across)]
            rows = [charts[start : start + across] for start in range(0, len(charts), across)]
            inner = [Columns(row) if len(row) > 1 else row[0] for row in rows]
            bare = len(data.groups) == 1 and not group.id
            blocks += inner if bare else [Stack(inner, group.title)]
        if data.left_out:
            blocks.append(Note(f"{data.left_out:,} more charts are left out; c in `workbench` shows all", "dim"))
        return Stack(blocks, self.title)

    def to_json(self, data: ChartsData) -> dict[str, Any]:
        """Charts with the last value of each run; `export` has every point."""
        return {
            "runs": [{"id": run.id, "name": run.name} for run in data.runs],
            "charts": [
                {"title": chart.title, "kind": chart.kind, "keys": list(chart.keys)}
                for group in data.groups
                for chart in group.charts
            ],
        }


def chosen_runs(runs: Sequence[Run], focus: Focus) -> list[Run]:
    """Whom to chart, the baseline first."""
    by_id = {run.id: run for run in runs}
    baseline = baseline_of(runs, focus.baseline)
    chosen = [by_id[run_id] for run_id in focus.marked if run_id in by_id]
    if not chosen and focus.run in by_id:
        chosen = [by_id[focus.run]]
    chosen = chosen or [run for run in runs if not run.hidden][:UNMARKED]
    first = [baseline] if baseline is not None and chosen else []
    return list({run.id: run for run in [*first, *chosen]}.values())[:RUNS]


def _histograms(query: Query, keys: Sequence[str], owners: Mapping[str, tuple[str, str]]) -> dict[str, tuple[str, Any]]:
    """Name of the owner, and histograms by step, of each key."""
    return {key: (owners[key][0], query.histograms(owners[key][1], key, STEPS)) for key in keys}


def _blocks(data: ChartsData, chart: Chart, fit: Fit, across: int) -> list[Block]:
    """The blocks of one chart; none where nothing was logged of it."""
    if chart.kind == "histogram":
        name, found = data.histograms[chart.title]
        room = Fit(fit.columns // across, fit.rows, fit.colors, fit.unicode)
        heat = histogram_heat(f"{chart.title}, {name}", found, room)
        return [heat] if heat.rows else []
    if chart.kind == "confusion":
        return [block for run in data.runs for block in _matrix(data, chart, run)]
    lines = _curve(data, chart) if chart.kind == "curve" else _metric(data, chart)
    return [lines] if lines.lines else []


def _metric(data: ChartsData, chart: Chart) -> Lines:
    """A metric of every run that has it."""
    options, key = data.focus.options, chart.keys[0]
    axis = str(options.get("x", "step"))
    colors, lines = run_colors(data.runs), []
    for run, name in zip(data.runs, labels_of(data.runs), strict=True):
        series = data.series.get((run.id, key))
        over = data.series.get((run.id, data.axis_key)) if data.axis_key else None
        if series is None or not len(series.value) or (data.axis_key and over is None):
            continue
        x = x_of(series, axis, over, run.started_at)
        lines.append(line_of(name, x, series.value, colors[run.id], options))
    kind = axis_kind(axis)
    log_x = bool(options.get("log_x")) and kind == "number"
    unit, label = data.roles[key].unit, axis_label(axis, data.axis_key)
    return Lines(lines, chart.title, label, unit, bool(options.get("log_y")), kind, log_x=log_x)


def _curve(data: ChartsData, chart: Chart) -> Lines:
    """One metric over another at equal steps, such as the rates of a ROC curve."""
    x_key, y_key = chart.keys
    colors, lines = run_colors(data.runs), []
    for run, name in zip(data.runs, labels_of(data.runs), strict=True):
        x, y = data.series.get((run.id, x_key)), data.series.get((run.id, y_key))
        if x is not None and y is not None:
            _, left, right = np.intersect1d(x.step, y.step, return_indices=True)
            if len(left):
                lines.append(Line(name, x.value[left], y.value[right], None, colors[run.id]))
    x_label, y_label = next(ends for ends in CURVES.values() if y_key.endswith(f"/{ends[1]}"))
    return Lines(lines, chart.title, x_label, y_label)


def _matrix(data: ChartsData, chart: Chart, run: Run) -> list[Block]:
    """A confusion matrix as shares of the true class."""
    true, predicted = cells(chart)
    last = {key: data.series[run.id, key].value for key in chart.keys if (run.id, key) in data.series}
    if not last:
        return []
    ends = {key: float(values[-1]) for key, values in last.items() if len(values)}
    counts = [[ends.get(f"{chart.title}/{row}/{column}", 0.0) for column in predicted] for row in true]
    shares = [[value / (sum(row) or 1.0) for value in row] for row in counts]
    return [Heat(true, predicted, shares, f"{chart.title}, {run.name}: share of the true class", 0.0, 1.0)]
