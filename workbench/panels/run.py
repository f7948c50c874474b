"""One run: figures that matter, parameters, stages, every metric, charts of the main ones, environment and notes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from operator import itemgetter
from typing import Any

from msgspec import Struct, field

from workbench.core.compare import Percentiles, baseline_of, delta, latency_percentiles, with_percentiles
from workbench.core.model import Finding, Roles, Run, Series, Stage, StepHistogram
from workbench.core.progress import words
from workbench.core.query import Query
from workbench.core.roles import main_metric
from workbench.panels.logged import HISTOGRAMS, LINES, STEPS, console_block, histogram_heat
from workbench.panels.parts import (
    CHART_POINTS,
    chart_groups,
    curve,
    delta_tone,
    duration_of,
    lines_of,
    metric_order,
    param_cell,
    state_cell,
    that_fit,
    value_cell,
)
from workbench.panels.run_findings import finding_notes, with_marks
from workbench.panels.shapes import paces_of, show_shape
from workbench.plugin.api import (
    Block,
    Cell,
    Column,
    Columns,
    ConsoleLine,
    Empty,
    Fit,
    Focus,
    Note,
    Panel,
    Stack,
    Stat,
    Table,
)

CHARTS = 6
"""Charts of one run: what goes beyond has its row in the table of metrics."""
_NAMED = 4
"""Metrics named in a note."""


class RunData(Struct, frozen=True):
    """A run with the series of its charts; `run` is None where there is none."""

    run: Run | None
    now: float
    focus: Focus
    baseline: Run | None = None
    main: str | None = None
    stages: Sequence[Stage] = ()
    found: Percentiles = field(default_factory=dict)
    roles: Mapping[str, Roles] = field(default_factory=dict)
    charts: Sequence[tuple[str, Sequence[Series]]] = ()
    shape: Mapping[str, Any] = field(default_factory=dict)
    pace: float | None = None
    histograms: Sequence[tuple[str, Sequence[StepHistogram]]] = ()
    hidden_histograms: int = 0
    """Keys of histograms that are not shown."""
    console: Sequence[ConsoleLine] = ()
    findings: Sequence[Finding] = ()
    """What is wrong with it, the worst first."""


class RunPanel(Panel):
    """The run under the cursor, else the newest."""

    name = "run"
    title = "Run"
    key = ""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock

    def load(self, query: Query, focus: Focus) -> RunData:
        """The run, its stages, percentiles, and the series of its charts."""
        runs = query.runs(hidden=True)
        visible = [run for run in runs if not run.hidden]
        run = next((each for each in runs if each.id == focus.run), None) if focus.run else next(iter(visible), None)
        if run is None:
            return RunData(None, self._clock(), focus)
        baseline = baseline_of(runs, focus.baseline)
        baseline = None if baseline is not None and baseline.id == run.id else baseline
        keys = metric_order([run], query.roles, [focus.metric] if focus.metric else [])
        groups = chart_groups(keys)[:CHARTS]
        drawn = query.histogram_keys(run.id)
        return RunData(
            run,
            self._clock(),
            focus,
            baseline,
            main_metric([run], query.roles, focus.metric if focus.metric in run.metrics else None),
            query.stages(run.id),
            latency_percentiles(query, [run, *([baseline] if baseline else [])]),
            {key: query.roles(key) for key in keys},
            [(title, [query.series(run.id, key, CHART_POINTS) for key in group]) for title, group in groups],
            show_shape(query, run),
            paces_of(query, [run]).get(run.id),
            [(key, query.histograms(run.id, key, STEPS)) for key in drawn[:HISTOGRAMS]],
            max(len(drawn) - HISTOGRAMS, 0),
            query.console(run.id, LINES),
            query.findings(run=run.id),
        )

    def view(self, data: RunData, fit: Fit) -> Block:
        """Figures on top, then tables, then charts."""
        if data.run is None:
            if data.focus.run:
                return Empty("This run is gone", "It is no longer in the store; `workbench runs` lists those that are.")
            return Empty("No run to show", "Read logs with `workbench watch --once`, or try `workbench demo`.")
        blocks: list[Block] = [_headline(data, fit), *finding_notes(data.findings, data.now), _metrics(data, fit)]
        blocks += _charts(data)
        blocks += [histogram_heat(key, found, fit) for key, found in data.histograms]
        if data.hidden_histograms:
            blocks.append(Note(f"{data.hidden_histograms:,} more histograms are not shown", "dim"))
        tables = [table for table in (_params(data.run), _stages(data.stages)) if table is not None]
        blocks += [Columns(tables)] if len(tables) > 1 and fit.columns >= 100 else tables
        if data.run.notes:
            blocks.append(Stack([Note(note) for note in data.run.notes], "Notes"))
        if data.run.environment:
            blocks.append(_pairs(data.run.environment, "Environment"))
        if data.console:
            blocks.append(console_block(data.console))
        return Stack(blocks, data.run.name)

    def to_json(self, data: RunData) -> dict[str, Any] | None:
        """The shape of `show --format json`."""
        return dict(data.shape) or None


def _headline(data: RunData, fit: Fit) -> Block:
    """State and why, duration, the main metric with its best, and latency."""
    run = data.run
    assert run is not None
    state = state_cell(run, fit)
    marked = state.tone in ("good", "bad", "warn")  # whose glyph the renderer adds by itself
    stats: list[Block] = [
        Stat("state", run.status if marked else state.text, tone=state.tone),
        Stat("duration", duration_of(run, data.now), "duration"),
    ]
    progress = words(run, data.pace)
    if progress:
        stats.append(Stat("progress", progress))
    stats += _main_stats(data, run)
    said = [run.status_reason, " + ".join(run.formats or (run.format,)), run.path]
    if run.group:
        said.append(f"group {run.group}")
    notes = [Note(" · ".join(said), "dim")]
    if run.aliases:
        notes.append(Note(_aliases(run), "dim"))
    return Stack([Columns(stats), *notes])


def _aliases(run: Run) -> str:
    """Which metrics other formats have too, by those formats."""
    by_formats: dict[str, list[str]] = {}
    for key, names in run.aliases.items():
        by_formats.setdefault(" and ".join(names), []).append(key)
    parts = [
        f"{', '.join(keys[:_NAMED])}{f' and {len(keys) - _NAMED:,} more' if len(keys) > _NAMED else ''} also in {names}"
        for names, keys in by_formats.items()
    ]
    return f"Shown once: {'; '.join(parts)}"


def _main_stats(data: RunData, run: Run) -> list[Block]:
    own = with_percentiles(run, data.found)
    base = with_percentiles(data.baseline, data.found) if data.baseline else {}
    latency = next((key for key in own if key.endswith(".p95") and key[:-4] in data.roles), None)
    stats: list[Block] = []
    for key in (data.main, latency):
        if key is None or key not in own:
            continue
        roles = data.roles.get(key) or data.roles[key[:-4]]
        change = delta(own[key].last, base[key].last if key in base else None, roles.direction)
        stats.append(
            Stat(key, own[key].last, roles.unit, None if change is None else change.relative, delta_tone(change))
        )
        if key == data.main and own[key].best is not None:
            stats.append(Stat(f"best {key}", own[key].best, roles.unit))
    return stats


def _metrics(data: RunData, fit: Fit) -> Block:
    """Every metric a row; latencies have a row for each percentile."""
    run = data.run
    assert run is not None
    if not run.metrics:
        return Empty("No metrics yet", 'Log some: `run.log({"train/loss": loss}, step=step)`.')
    own = with_percentiles(run, data.found)
    base = with_percentiles(data.baseline, data.found) if data.baseline else {}
    columns = [
        Column("key", "metric", priority=0),
        Column("last", "last", align="right", priority=0),
        Column("best", "best", align="right", priority=1),
        Column("min", "min", align="right", priority=3),
        Column("max", "max", align="right", priority=3),
        Column("n", "points", "count", "right", priority=2),
        Column("last_step", "step", align="right", priority=2),
    ]
    rows: list[list[Cell]] = []
    for key in _with_their_percentiles(data.roles, own):
        summary = own[key]
        roles = data.roles.get(key) or data.roles[key.rsplit(".p", 1)[0]]
        change = delta(summary.last, base[key].last if key in base else None, roles.direction)
        figures = [value_cell(value, unit=roles.unit) for value in (summary.best, summary.min, summary.max)]
        last = value_cell(summary.last, change, roles.unit)
        rows.append([Cell(key), last, *figures, Cell(summary.n), Cell(summary.last_step)])
    kept = that_fit(columns, rows, fit)
    return Table([columns[at] for at in kept], [[row[at] for at in kept] for row in rows], "Metrics")


def _with_their_percentiles(order: Mapping[str, Roles], own: Mapping[str, Any]) -> list[str]:
    """Keys in order, each latency followed by its percentiles."""
    derived = [key for key in own if key not in order]
    return [each for key in order for each in (key, *(name for name in derived if name.rsplit(".p", 1)[0] == key))]


def _charts(data: RunData) -> list[Block]:
    """One chart a group; a curve of a single point says no more than its row."""
    charts: list[Block] = []
    for title, group in data.charts:
        drawn = [series for series in group if len(series.value) > 1]
        if not drawn:
            continue
        start = None if data.run is None else data.run.started_at
        lines = [curve(each, each.key, at, data.focus.options, start) for at, each in enumerate(drawn)]
        chart = lines_of(lines, title, data.roles[drawn[0].key].unit, data.focus)
        charts.append(with_marks(chart, [series.key for series in group], data.findings))
    return charts


def _params(run: Run) -> Table | None:
    return _pairs(run.params, "Parameters") if run.params else None


def _pairs(values: Mapping[str, Any], title: str) -> Table:
    rows = [[Cell(key), param_cell(value)] for key, value in sorted(_flat(values), key=itemgetter(0))]
    return Table([Column("key", "name", priority=0), Column("value", "value", priority=0)], rows, title)


def _flat(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Nested values under dotted names."""
    for key, value in values.items():
        if isinstance(value, Mapping) and value:
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def _stages(stages: Sequence[Stage]) -> Table | None:
    if not stages:
        return None
    tones = {"finished": "good", "failed": "bad", "running": "accent"}
    columns = [
        Column("name", "stage", priority=0),
        Column("status", "status", priority=0),
        Column("duration", "took", "duration", "right", priority=1),
        Column("rows", "rows", "count", "right", priority=2),
    ]
    rows = [
        [Cell(stage.name), Cell(stage.status, tones.get(stage.status, "")), Cell(_took(stage)), Cell(stage.rows)]  # type: ignore[arg-type]
        for stage in stages
    ]
    return Table(columns, rows, "Stages")


def _took(stage: Stage) -> float | None:
    return None if stage.start is None or stage.end is None else max(stage.end - stage.start, 0.0)
