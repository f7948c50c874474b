"""Production by windows: rows, latency percentiles, error rate, performance and drift, a window a row."""

from __future__ import annotations

import fnmatch
import statistics
from collections.abc import Sequence
from typing import Any

from workbench.core.model import Finding, Roles, Window
from workbench.core.query import Query
from workbench.core.roles import split_percentile
from workbench.core.strength import drift_share
from workbench.panels import production
from workbench.panels.monitors import NO_MONITOR, no_windows, share_tone, window_labels
from workbench.panels.parts import that_fit
from workbench.panels.production import MonitorData
from workbench.panels.shapes import monitor_shape
from workbench.plugin.api import Block, Cell, Column, Fit, Focus, Note, Panel, Stack, Table, Tone

_EARLIER = 3
"""Windows needed before one to say that it is worse than usual."""
_CHARTED = 4
"""Windows from which on a line says more than their numbers."""
_WIDE = 72
"""Columns that each of several charts has at least."""
_FIXED = 3
"""Columns before those of the metrics."""
_KIND_ORDER = {"latency": 0, "performance": 1, "business": 2}


_LEADING = ("*.p95", "error_rate", "auc", "accuracy", "mae", "business.mean", "*.p50", "*.p99")
_SHOWN_ALREADY = frozenset({"rows", "drift.share", "drift.columns"})


class WindowsPanel(Panel):
    """One row a window, newest first."""

    name = "windows"
    title = "Windows"
    key = "4"

    def load(self, query: Query, focus: Focus) -> MonitorData:
        """The monitor's windows and what their metrics mean."""
        return production.load_monitor(query, focus)

    def view(self, data: MonitorData, fit: Fit) -> Block:
        """One metric as a timeline, then as many metrics as there is room for; what is worse than usual is toned."""
        if data.monitor is None:
            return NO_MONITOR
        if not data.windows:
            return no_windows(data.monitor, data.monitors)
        keys = _metric_keys(data)
        columns = _columns(data, keys)
        labels = window_labels(data.windows)
        rows = [_row(data, at, labels[at], keys) for at in range(len(data.windows))]
        rows.reverse()
        kept = that_fit(columns, rows, fit)
        table = Table(
            [columns[at] for at in kept],
            [[row[at] for at in kept] for row in rows],
            ids=[f"{window.start}" for window in reversed(data.windows)],
        )
        toned = any(cell.tone for row in rows for cell in row[_FIXED:])
        legend = [Note("! worse than the median of the windows before it by 20 %, ✗ by 50 %", "dim")]
        charts = _timelines(data, keys, fit) if len(data.windows) >= _CHARTED else []
        return Stack([*charts, table, *(legend if toned else [])], f"{self.title}: {data.monitor}")

    def to_json(self, data: MonitorData) -> dict[str, Any] | None:
        """The shape of a monitor, None where there is none."""
        return None if data.monitor is None else monitor_shape(data.monitor, _every(data), data.findings)


def _every(data: MonitorData) -> Sequence[Window]:
    """Windows of the population and of its segments, oldest first."""
    return sorted((*data.windows, *data.segments), key=lambda window: (window.start, window.segment))


def _charted(data: MonitorData, keys: Sequence[str]) -> str | None:
    """The metric asked for, else that of the worst open finding, else the first one."""
    told = (each.subject for each in data.findings if each.until is None and each.subject in data.roles)
    return data.metric or next(told, keys[0] if keys else None)


def _timelines(data: MonitorData, keys: Sequence[str], fit: Fit) -> list[Block]:
    """The metric that matters most, and where the room is wide one of each other kind beside it; findings below."""
    lead = _charted(data, keys)
    if lead is None:
        return []
    shown = {data.roles[lead].kind: lead}
    for key in keys:
        shown.setdefault(data.roles[key].kind, key)
    charts: list[Block] = []
    notes: list[Finding] = []
    for key in list(shown.values())[: max(fit.columns // _WIDE, 1)]:
        about = [each for each in data.findings if not each.segment and production.is_about(each, key)]
        charts.append(production.timeline(data, [key], key, with_band=True, findings=about))
        notes += [each for each in about[:1] if each not in notes]
    return [*charts, *(production.finding_note(each) for each in notes)]


def _metric_keys(data: MonitorData) -> list[str]:
    """One figure of each of the four kinds first, as they are to be seen at any width; then the rest of each kind."""

    def place(key: str) -> tuple[int, int, str, float]:
        split = split_percentile(key)
        base, q = split if split is not None else (key, 0.0)
        lead = next((at for at, pattern in enumerate(_LEADING) if fnmatch.fnmatch(key, pattern)), len(_LEADING))
        return lead, _KIND_ORDER.get(data.roles[key].kind, 3), base, q

    return sorted(
        (key for key in data.roles if key not in _SHOWN_ALREADY and not key.startswith("quality.")), key=place
    )


def _columns(data: MonitorData, keys: Sequence[str]) -> list[Column]:
    columns = [
        Column("window", "window", priority=0),
        Column("rows", "rows", "count", "right", priority=1),
        Column("drift", "drift", "share", "right", priority=1),
    ]
    for index, key in enumerate(keys):
        columns.append(Column(key, key, data.unit(key), "right", priority=2 + index))
    return columns


def _row(data: MonitorData, at: int, label: str, keys: Sequence[str]) -> list[Cell]:
    window = data.windows[at]
    share = drift_share(window)
    before = [each for each in data.windows[:at] if each.segment == window.segment]
    cells = [Cell(window.metrics.get(key), _tone(key, window, before, data.roles[key])) for key in keys]
    return [Cell(label), Cell(window.rows), Cell(share, share_tone(share)), *cells]


def _tone(key: str, window: Window, before: Sequence[Window], roles: Roles) -> Tone:
    """Whether a value is worse than usual; nothing is said without a direction or a few windows before."""
    value = window.metrics.get(key)
    usual = [each for earlier in before if (each := earlier.metrics.get(key)) is not None]
    if value is None or roles.direction is None or len(usual) < _EARLIER:
        return ""
    median = statistics.median(usual)
    worse = (value - median if roles.direction == "lower" else median - value) / (abs(median) or 1.0)
    return "bad" if worse >= 0.5 else "warn" if worse >= 0.2 else ""
