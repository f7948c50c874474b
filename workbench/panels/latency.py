"""Latency: percentiles of the response time by window, with errors and throughput, and the slowest segments."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from workbench.core.compare import delta
from workbench.core.model import Window
from workbench.core.query import Query
from workbench.core.roles import split_percentile
from workbench.panels import production
from workbench.panels.monitors import NO_MONITOR, no_windows
from workbench.panels.parts import delta_tone, that_fit
from workbench.panels.production import MonitorData
from workbench.panels.shapes import finding_shape, number
from workbench.panels.shapes import moment as iso_moment
from workbench.plugin.api import Block, Cell, Column, Columns, Empty, Fit, Focus, Panel, Stack, Stat, Table

_PERCENTILES = (99.0, 95.0, 50.0)
_BESIDE = ("error_rate", "throughput")
_SEGMENTS = 8


class LatencyPanel(Panel):
    """How fast the model answers, how often it fails, and where."""

    name = "latency"
    title = "Latency"
    key = "8"

    def load(self, query: Query, focus: Focus) -> MonitorData:
        """The focused monitor's windows."""
        return production.load_monitor(query, focus)

    def view(self, data: MonitorData, fit: Fit) -> Block:
        """Figures of the newest window, the timeline, findings, and the slowest segments."""
        if data.monitor is None:
            return NO_MONITOR
        if not data.windows:
            return no_windows(data.monitor, data.monitors)
        base = _base(data)
        if base is None:
            return Empty(
                f"{data.monitor} has no latency",
                f'Name its column: [monitor.{data.monitor}.columns] latency = "duration", latency_unit = "ms"; '
                "`workbench detect FILE` proposes it.",
            )
        keys = production.percentiles_of(data, base, _PERCENTILES)
        told = [each for each in data.findings if each.kind in ("latency", "errors")]
        blocks: list[Block] = [
            Columns([_stat(data, key) for key in (*keys, *(key for key in _BESIDE if key in data.roles))]),
            *(production.finding_note(each) for each in told[:3]),
            production.timeline(data, keys, base, with_band=False, findings=told),
        ]
        segments = _segments(data, keys)
        if segments is not None:
            blocks.append(_fitted(segments, fit))
        return Stack(blocks, f"{self.title}: {data.monitor}")

    def to_json(self, data: MonitorData) -> Any:
        """Latency, errors and throughput by window."""
        if data.monitor is None:
            return None
        base = _base(data)
        keys = [key for key in data.roles if key in _BESIDE or (base is not None and key.startswith(f"{base}."))]
        told = [each for each in data.findings if each.kind in ("latency", "errors")]
        return {
            "monitor": data.monitor,
            "windows": [
                {"start": iso_moment(window.start), "rows": window.rows,
                 "metrics": {key: number(window.metrics.get(key)) for key in keys}}
                for window in data.windows
            ],
            "findings": [finding_shape(each) for each in told],
        }  # fmt: skip


def _base(data: MonitorData) -> str | None:
    """The series whose percentiles the windows have."""
    found = [split[0] for key in data.keys("latency") if (split := split_percentile(key)) is not None]
    return found[0] if found else None


def _stat(data: MonitorData, key: str) -> Stat:
    now = next(
        (each for window in reversed(data.windows) if (each := production.value_of(window, key)) is not None), None
    )
    change = delta(
        now, production.usual(production.before_it(data, key, data.findings), key), data.roles[key].direction
    )
    direction = "lower" if key == "error_rate" else data.roles[key].direction
    change = delta(now, production.usual(data.windows[:-1], key), direction) if change is None else change
    return Stat(
        key, now, data.unit(key), None if change is None else change.relative, delta_tone(change),
        [each for window in data.windows[-24:] if (each := production.value_of(window, key)) is not None],
    )  # fmt: skip


def _segments(data: MonitorData, keys: Sequence[str]) -> Table | None:
    """The newest window of each segment, the slowest first."""
    newest: dict[str, Window] = {}
    for window in data.segments:
        newest[window.segment] = window
    if not newest or not keys:
        return None
    lead = keys[1] if len(keys) > 1 else keys[0]
    slowest = sorted(newest.values(), key=lambda window: -(production.value_of(window, lead) or 0.0))[:_SEGMENTS]
    shown = [*keys, *(key for key in ("error_rate",) if key in data.roles)]
    columns = [Column("segment", "segment", priority=0), Column("rows", "rows", "count", "right", priority=1)]
    columns += [Column(key, key, data.unit(key), "right", priority=at + 1) for at, key in enumerate(shown)]
    rows = [
        [
            Cell(window.segment),
            Cell(window.rows),
            *(Cell(production.value_of(window, key)) for key in shown),
        ]
        for window in slowest
    ]
    return Table(columns, rows, "Slowest segments, newest window", [window.segment for window in slowest])


def _fitted(table: Table, fit: Fit) -> Table:
    kept = that_fit(table.columns, table.rows, fit)
    return Table(
        [table.columns[at] for at in kept], [[row[at] for at in kept] for row in table.rows], table.title, table.ids
    )
