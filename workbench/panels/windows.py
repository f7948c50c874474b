"""Production by windows: rows, latency percentiles, error rate, performance and drift, a window a row."""

from __future__ import annotations

import fnmatch
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from workbench.core.model import Roles, Window
from workbench.core.query import Query
from workbench.core.roles import split_percentile
from workbench.core.strength import drift_share
from workbench.panels.monitors import NO_MONITOR, chosen_monitor, no_windows, share_tone, window_labels
from workbench.panels.parts import that_fit
from workbench.panels.shapes import monitor_shape
from workbench.plugin.api import Block, Cell, Column, Fit, Focus, Note, Panel, Stack, Table, Tone

_EARLIER = 3
"""Windows needed before one to say that it is worse than usual."""
_FIXED = 3
"""Columns before those of the metrics."""
_KIND_ORDER = {"latency": 0, "performance": 1, "business": 2}


_LEADING = ("*.p95", "error_rate", "auc", "accuracy", "mae", "business.mean", "*.p50", "*.p99")
_SHOWN_ALREADY = frozenset({"rows", "drift.share", "drift.columns"})


@dataclass(frozen=True, slots=True)
class WindowsData:
    """One monitor's windows, oldest first, with the roles of their metrics."""

    monitor: str | None = None
    monitors: Sequence[str] = ()
    windows: Sequence[Window] = ()
    roles: Mapping[str, Roles] = field(default_factory=dict)


class WindowsPanel(Panel):
    """One row a window, newest first."""

    name = "windows"
    title = "Windows"
    key = "4"

    def load(self, query: Query, focus: Focus) -> WindowsData:
        """The monitor's windows and what their metrics mean."""
        names, monitor = chosen_monitor(query, focus)
        if monitor is None:
            return WindowsData()
        windows = query.windows(monitor) if monitor in names else []
        keys = {key for window in windows for key in window.metrics}
        return WindowsData(monitor, names, windows, {key: query.roles(key) for key in keys})

    def view(self, data: WindowsData, fit: Fit) -> Block:
        """A table of as many metrics as there is room for; what is worse than usual is toned."""
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
        legend = [Note("Marked: worse than the median of the windows before it by 20 %, or by 50 %.", "dim")]
        return Stack([table, *(legend if toned else [])], f"{self.title}: {data.monitor}")

    def to_json(self, data: WindowsData) -> dict[str, Any] | None:
        """The shape of a monitor, None where there is none."""
        return None if data.monitor is None else monitor_shape(data.monitor, data.windows)


def _metric_keys(data: WindowsData) -> list[str]:
    """One figure of each of the four kinds first, as they are to be seen at any width; then the rest of each kind."""

    def place(key: str) -> tuple[int, int, str, float]:
        split = split_percentile(key)
        base, q = split if split is not None else (key, 0.0)
        lead = next((at for at, pattern in enumerate(_LEADING) if fnmatch.fnmatch(key, pattern)), len(_LEADING))
        return lead, _KIND_ORDER.get(data.roles[key].kind, 3), base, q

    return sorted((key for key in data.roles if key not in _SHOWN_ALREADY), key=place)


def _columns(data: WindowsData, keys: Sequence[str]) -> list[Column]:
    columns = [
        Column("window", "window", priority=0),
        Column("rows", "rows", "count", "right", priority=1),
        Column("drift", "drift", "share", "right", priority=1),
    ]
    for index, key in enumerate(keys):
        unit = data.roles[key].unit or ("share" if _is_share(data, key) else "")
        columns.append(Column(key, key, unit, "right", priority=2 + index))
    return columns


def _is_share(data: WindowsData, key: str) -> bool:
    """Whether a rate or share is to be shown in percent: all its values lie in 0 to 1."""
    if not key.endswith(("rate", "share")):
        return False
    values = [window.metrics.get(key) for window in data.windows]
    return all(value is None or 0 <= value <= 1 for value in values)


def _row(data: WindowsData, at: int, label: str, keys: Sequence[str]) -> list[Cell]:
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
