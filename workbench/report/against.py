"""What changed against a pack: metrics, latency and drift of the newest run to what the main branch had."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct, field

from workbench.core import units
from workbench.core.blocks import Block, Cell, Column, Empty, Note, Stack, Table
from workbench.core.compare import Delta, delta, latency_percentiles, with_percentiles
from workbench.core.model import Direction, Run
from workbench.core.query import Fit, Focus, Query
from workbench.core.roles import PERCENTILES, main_metric, percentile_key
from workbench.core.strength import drift_share
from workbench.panels.parts import metric_order, that_fit, value_cell
from workbench.panels.shapes import delta_shape
from workbench.render.document import Section
from workbench.report.pack import Pack, PackedRun


class Change(Struct, frozen=True):
    """One figure then and now."""

    key: str
    unit: str
    direction: Direction | None
    before: float | None
    now: float | None

    @property
    def delta(self) -> Delta | None:
        """The change, None where either is unknown."""
        return delta(self.now, self.before, self.direction)


class Against(Struct, frozen=True):
    """The newest visible run against one of the pack's, and each monitor's newest window against the pack's."""

    run: Run | None
    reference: PackedRun | None
    metrics: Sequence[Change] = ()
    monitors: Mapping[str, Sequence[Change]] = field(default_factory=dict)


def compare_with(query: Query, pack: Pack, where: str = "", metric: str | None = None) -> Against:
    """Compare the newest visible run, or the newest that matches `where`, and every monitor with a pack."""
    run = next(iter(query.runs(where)), None)
    reference = None if run is None else _reference(run, pack, query, metric)
    changes = () if run is None or reference is None else _metric_changes(query, run, reference, metric)
    return Against(run, reference, changes, {name: _window_changes(query, pack, name) for name in query.monitors()})


def against_section(query: Query, focus: Focus, pack: Pack, fit: Fit) -> Section:
    """The comparison as a section of the report."""
    found = compare_with(query, pack, focus.where, focus.metric)
    return Section("Against main", _view(found, pack, fit), "against", against_shape(found, pack))


def against_shape(found: Against, pack: Pack) -> dict[str, Any]:
    """The comparison for scripts."""
    reference = found.reference
    return {
        "commit": pack.commit,
        "run": None if found.run is None else {"id": found.run.id, "name": found.run.name},
        "reference": None if reference is None else {"id": reference.id, "name": reference.name},
        "metrics": [_change_shape(change) for change in found.metrics],
        "monitors": {name: [_change_shape(change) for change in changes] for name, changes in found.monitors.items()},
    }


def _change_shape(change: Change) -> dict[str, Any]:
    return {"key": change.key, "before": change.before, "now": change.now, "delta": delta_shape(change.delta)}


def _reference(run: Run, pack: Pack, query: Query, metric: str | None) -> PackedRun | None:
    """The pack's run to compare with: of those with the same name, else a common tag, else all.

    The baseline among them, else the best by the main metric, else the newest.
    """
    named = [each for each in pack.runs if each.name == run.name]
    tagged = [each for each in pack.runs if any(run.tags.get(key) == value for key, value in each.tags.items())]
    candidates = named or tagged or pack.runs
    baseline = next((each for each in candidates if each.baseline), None)
    if baseline is not None or not candidates:
        return baseline
    main = main_metric([run], query.roles, metric)
    direction = query.roles(main).direction if main else None
    scored = [(value, each) for each in candidates if main and (value := _best(each, main)) is not None]
    if not scored or direction is None:
        return max(candidates, key=lambda each: each.started_at or 0.0)
    pick = max if direction == "higher" else min
    return pick(scored, key=lambda pair: pair[0])[1]


def _best(run: PackedRun, key: str) -> float | None:
    metric = run.metrics.get(key)
    return None if metric is None else metric.best if metric.best is not None else metric.last


def _metric_changes(query: Query, run: Run, reference: PackedRun, metric: str | None) -> tuple[Change, ...]:
    """Last values of what either run has, percentiles behind their series."""
    own = {key: each.last for key, each in with_percentiles(run, latency_percentiles(query, [run])).items()}
    before = {key: each.last for key, each in reference.metrics.items()}
    for key, values in reference.percentiles.items():
        before |= {percentile_key(key, q): value for q, value in zip(PERCENTILES, values, strict=False)}
    order = metric_order([run], query.roles, [metric] if metric else [])
    place = {key: index for index, key in enumerate(order)}

    def rank(key: str) -> tuple[int, str]:
        return place.get(key, place.get(key.rsplit(".p", 1)[0], len(place))), key

    return tuple(_change(query, key, before.get(key), own.get(key)) for key in sorted({*own, *before}, key=rank))


def _change(query: Query, key: str, before: float | None, now: float | None) -> Change:
    roles = query.roles(key)
    return Change(key, roles.unit, roles.direction, before, now)


def _window_changes(query: Query, pack: Pack, name: str) -> tuple[Change, ...]:
    """Drift share, latency and other metrics of the newest window, then the score of each column."""
    window = next((each for each in reversed(query.windows(name)) if not each.segment), None)
    packed = pack.monitors.get(name)
    if window is None or packed is None:
        return ()
    share = Change("drifted share", "share", "lower", packed.share, drift_share(window))
    metrics = [_change(query, key, packed.metrics.get(key), value) for key, value in sorted(window.metrics.items())]
    columns = []
    for column in window.columns:
        before = packed.columns.get(column.column)
        if column.score is None or before is None or before.method != column.method:
            continue  # scores of different methods are not on one scale
        direction: Direction = "higher" if "p_value" in (column.method or "") else "lower"
        columns.append(Change(f"drift of {column.column}", "", direction, before.score, column.score))
    return (share, *metrics, *columns)


def _view(found: Against, pack: Pack, fit: Fit) -> Block:
    commit = f", commit {pack.commit[:12]}" if pack.commit else ""
    if found.run is None or found.reference is None:
        missing = "this project has no visible run" if found.run is None else "the pack has no run"
        first: Block = Empty("Nothing to compare", f"Main is {pack.project}{commit}; {missing}.")
    else:
        first = Note(f"{found.run.name} against {found.reference.name} of {pack.project}{commit}", "dim")
    tables = [_table(found.metrics, "Metrics and latency", fit)] if found.metrics else []
    tables += [_table(changes, f"Monitor {name}", fit) for name, changes in found.monitors.items() if changes]
    return Stack([first, *tables])


def _table(changes: Sequence[Change], title: str, fit: Fit) -> Table:
    columns = [
        Column("key", "", priority=0),
        Column("before", "main", align="right", priority=1),
        Column("now", "now", align="right", priority=0),
        Column("absolute", "difference", align="right", priority=2),
    ]
    rows = [
        [
            Cell(change.key),
            value_cell(change.before, unit=change.unit),
            value_cell(change.now, change.delta, change.unit),
            _difference(change),
        ]
        for change in changes
    ]
    kept = that_fit(columns, rows, fit)
    return Table([columns[at] for at in kept], [[row[at] for at in kept] for row in rows], title)


def _difference(change: Change) -> Cell:
    found = change.delta
    if found is None:
        return Cell(None)
    sign = "+" if found.absolute > 0 else ""
    return Cell(found.absolute, text=f"{sign}{units.value(found.absolute, change.unit)}")
