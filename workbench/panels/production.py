"""What the panels over production load and draw alike: one monitor's windows, findings and roles, as timelines."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
from msgspec import Struct, field

from workbench.core import units
from workbench.core.model import Finding, Roles, Window
from workbench.core.query import Query
from workbench.core.roles import percentile_key, split_percentile
from workbench.panels.monitors import chosen_monitor
from workbench.plugin.api import Focus, Line, Lines, Note, Tone

EARLIER = 3
"""Windows needed before a value can be called unusual."""
_BAND = 3.0
_MAD = 1.4826
TONES: dict[str, Tone] = {"bad": "bad", "warn": "warn", "info": ""}
_NEXT = {
    "drift": "open Drift for its two distributions, then look for what changed upstream on that day",
    "performance": "open Drift for the columns that moved, then retrain or roll back",
    "estimated": "check when labels arrive; open Drift for the columns that moved",
    "latency": "compare with the deployments and the traffic of that day",
    "errors": "look at the failing requests of that day",
    "business": "see in Windows whether the model or its input changed first",
    "volume": "check the export and the service that feeds it: `workbench sources`",
    "freshness": "check the export and the service that feeds it: `workbench sources`",
    "missing": "ask the owner of that column's source",
    "schema": "ask who changed the export; `workbench detect FILE` shows how it reads now",
    "quality": "open Quality for the column, then its source",
}  # fmt: skip


class MonitorData(Struct, frozen=True):
    """One monitor's windows, oldest first, what they mean, and what is worth attention in them."""

    monitor: str | None = None
    monitors: Sequence[str] = ()
    windows: Sequence[Window] = ()
    """Of the whole population."""
    segments: Sequence[Window] = ()
    findings: Sequence[Finding] = ()
    roles: Mapping[str, Roles] = field(default_factory=dict)
    metric: str | None = None
    """The metric asked for, if the windows have it."""

    def keys(self, *kinds: str) -> list[str]:
        """Metrics of these kinds, as they come."""
        return [key for key, roles in self.roles.items() if roles.kind in kinds]

    def unit(self, key: str) -> str:
        """A metric's unit; shares are written in percent."""
        return unit_of(key, self.roles.get(key, Roles()), self.windows)


def load_monitor(query: Query, focus: Focus) -> MonitorData:
    """The focused monitor, or the first that has windows."""
    names, monitor = chosen_monitor(query, focus)
    if monitor is None:
        return MonitorData()
    every = query.windows(monitor) if monitor in names else []
    keys = dict.fromkeys(key for window in every for key in window.metrics)
    return MonitorData(
        monitor,
        names,
        [window for window in every if not window.segment],
        [window for window in every if window.segment],
        query.findings(monitor) if every else (),
        {key: query.roles(key) for key in keys},
        focus.metric if focus.metric in keys else None,
    )


def unit_of(key: str, roles: Roles, windows: Sequence[Window]) -> str:
    """The unit that a metric's values are written in."""
    if key == "rows":
        return "count"
    if roles.unit:
        return roles.unit
    share = key.startswith(("quality.", "drift.share")) or key.endswith(("rate", "share"))
    values = [window.metrics.get(key) for window in windows] if share else []
    return "share" if share and all(value is None or 0 <= value <= 1 for value in values) else ""


def value_of(window: Window, key: str) -> float | None:
    """A window's metric, finite or unknown."""
    value = float(window.rows) if key == "rows" else window.metrics.get(key)
    return value if value is not None and math.isfinite(value) else None


def usual(windows: Sequence[Window], key: str) -> float | None:
    """The median of a metric over windows, None where there are fewer than three values."""
    values = [each for window in windows if (each := value_of(window, key)) is not None]
    return statistics.median(values) if len(values) >= EARLIER else None


def before_it(data: MonitorData, key: str, findings: Sequence[Finding]) -> Sequence[Window]:
    """The windows a metric's newest value is compared with: those before its oldest open finding, else all earlier."""
    since = [each.since for each in findings if each.until is None and each.since is not None and is_about(each, key)]
    earlier = [window for window in data.windows[:-1] if not since or window.start < min(since)]
    return earlier if len(earlier) >= EARLIER else data.windows[:-1]


def is_about(finding: Finding, key: str) -> bool:
    """Whether a finding tells of a metric, by itself or beside another."""
    also = finding.evidence.get("also", ())
    return finding.subject == key or any(isinstance(each, dict) and each.get("subject") == key for each in also)


def band(windows: Sequence[Window], key: str) -> tuple[float, float] | None:
    """Where a metric usually lies: its median and three robust deviations either way."""
    values = [each for window in windows if (each := value_of(window, key)) is not None]
    if len(values) < EARLIER:
        return None
    middle = statistics.median(values)
    spread = _BAND * _MAD * statistics.median([abs(value - middle) for value in values])
    return middle - spread, middle + spread


def timeline(
    data: MonitorData, keys: Sequence[str], title: str, *, with_band: bool = False, findings: Sequence[Finding] = ()
) -> Lines:
    """Metrics over the windows' starts; gaps break the line, changes are marked, the usual band is drawn."""
    x = np.array([window.start for window in data.windows])
    lines = [gapped(Line(_short(key, keys), x, _values(data.windows, key), None, at), data.windows)
             for at, key in enumerate(keys)]  # fmt: skip
    limits = band(before_it(data, keys[0], findings), keys[0]) if with_band and keys else None
    if limits is not None and len(x) > 1:
        ends = np.array([x[0], x[-1]])
        lines += [
            Line("usually above", ends, np.full(2, limits[0]), None, 7),
            Line("usually below", ends, np.full(2, limits[1]), None, 7),
        ]
    marks = sorted({(each.since, "since" if each.until is None else each.kind) for each in findings
                    if each.since is not None and any(is_about(each, key) for key in keys)})  # fmt: skip
    unit = data.unit(keys[0]) if keys else ""
    return Lines(lines, title, "", unit, False, axis(data.windows), marks[:4])


def axis(windows: Sequence[Window]) -> Literal["time", "number"]:
    """Windows by time, or by row where they have no times."""
    rows = bool(windows) and all(window.end - window.start == window.rows for window in windows)
    return "number" if rows else "time"


def gapped(line: Line, windows: Sequence[Window]) -> Line:
    """A line broken where windows do not follow one another."""
    starts = [at for at in range(1, len(windows))
              if windows[at].start - windows[at - 1].end > 0.5 * (windows[at].end - windows[at].start) > 0]  # fmt: skip
    if not starts:
        return line
    x = np.insert(line.x, starts, [windows[at - 1].end for at in starts])
    return Line(line.name, x, np.insert(line.y, starts, math.nan), None, line.color)


def _values(windows: Sequence[Window], key: str) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return np.array([math.nan if (each := value_of(window, key)) is None else each for window in windows])


def _short(key: str, keys: Sequence[str]) -> str:
    """`p95` beside other percentiles of one series, the whole name alone."""
    split = split_percentile(key)
    together = len(keys) > 1 and split is not None and all(split_percentile(each) for each in keys)
    return f"p{split[1]:g}" if together and split is not None else key


def percentiles_of(data: MonitorData, base: str, qs: Sequence[float]) -> list[str]:
    """Those percentiles of a series that the windows have."""
    return [key for q in qs if (key := percentile_key(base, q)) in data.roles]


def finding_note(finding: Finding, *, whose: bool = False) -> Note:
    """A finding as a paragraph."""
    owner = f"{finding.monitor}: " if whose and finding.monitor else ""
    return Note(f"{owner}{finding.sentence}", TONES[finding.severity])


def next_step(finding: Finding) -> str:
    """What to do about a finding."""
    return _NEXT.get(finding.kind, "open Windows for the numbers")


def shown(value: float | None, unit: str) -> str:
    """A value as it stands in a sentence."""
    return units.value(value, unit)
