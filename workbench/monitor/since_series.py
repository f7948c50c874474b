"""Windows as series: one for each metric, for each column's drift, for each segment, with what they mean."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Literal

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from workbench.core.model import Direction, Roles, Window
from workbench.core.strength import strength

Floats = NDArray[np.float64]
Kind = Literal["drift", "performance", "estimated", "latency", "errors", "business", "volume", "missing", "quality"]

MISSING = "quality.missing."
ESTIMATED = "estimated."
_LABELLED = "labelled.share"
_NOT_SERIES = (_LABELLED, "drift.share", "drift.columns")
_STRONGEST = 1e4
_TESTED = ("ok", "drift")
_SEASONS = {86_400.0: 7, 3_600.0: 24}
"""By the length of a window in seconds: how many make a season, a week or a day."""
_SEASONS_NEEDED = 3
_EXPLAINED = 0.5


class WindowSeries(Struct, frozen=True):
    """One number a window, with where each window begins and ends."""

    kind: Kind
    subject: str
    windows: Sequence[Window]
    values: Floats
    """NaN where a window has too few rows, or none of it."""
    weights: Floats
    direction: Direction | None
    unit: str = ""
    logarithmic: bool = False
    """Whether changes are told as ratios: of latencies and of counts."""

    @property
    def segment(self) -> str:
        """The segment all its windows are of."""
        return self.windows[0].segment if self.windows else ""

    @property
    def judged(self) -> Floats:
        """The values as changes are sought in them: logarithms of ratios, without a season where there is one."""
        values = self.values
        if self.logarithmic:
            values = np.where(values > 0, np.log(np.where(values > 0, values, 1.0)), np.nan)
        return _without_season(values, self.windows)

    @property
    def newest(self) -> int | None:
        """The place of the newest window with a value."""
        found = np.flatnonzero(np.isfinite(self.values))
        return int(found[-1]) if len(found) else None


def metric_series(windows: Sequence[Window], roles: Callable[[str], Roles], min_rows: int) -> Iterator[WindowSeries]:
    """A series for each metric of one segment's windows that can turn better or worse."""
    keys = dict.fromkeys(key for window in windows for key in window.metrics)
    for key in keys:
        told = _meaning(key, roles, keys)
        if told is None:
            continue
        kind, direction, unit = told
        weights = np.array([_weight(window, kind) for window in windows])
        values = np.array([_finite(window.metrics.get(key)) for window in windows])
        values[weights < min_rows] = math.nan
        logarithmic = kind == "latency" and bool((values[np.isfinite(values)] > 0).all())
        yield WindowSeries(kind, key, windows, values, weights, direction, unit, logarithmic)


def _meaning(key: str, roles: Callable[[str], Roles], keys: object) -> tuple[Kind, Direction | None, str] | None:
    """Kind, direction and unit of a metric; None for what says nothing by itself."""
    if key in _NOT_SERIES or key == "rows":
        return None
    if key.startswith(MISSING):
        return "missing", "lower", "share"
    if key.startswith("quality."):
        return "quality", "lower", "share"
    if key == "error_rate":
        return "errors", "lower", "share"
    if key.startswith(ESTIMATED):
        told = roles(key.removeprefix(ESTIMATED))
        return ("estimated", told.direction, told.unit) if told.kind == "performance" else None
    told = roles(key)
    if key.startswith("business."):
        # A sum follows the number of rows, which is watched by itself.
        counted = key.endswith(".sum") and isinstance(keys, dict) and f"{key.removesuffix('.sum')}.mean" in keys
        return None if counted else ("business", told.direction, told.unit)
    if told.kind in ("performance", "latency", "business"):
        return told.kind, told.direction, told.unit
    return None


def _weight(window: Window, kind: Kind) -> float:
    """The rows behind a value: those with a label where labels are needed."""
    share = window.metrics.get(_LABELLED) if kind == "performance" else None
    return window.rows * (1.0 if share is None else share)


def volume_series(windows: Sequence[Window]) -> WindowSeries | None:
    """Rows a window, where that is not how windows were cut; the first and the last one may not be whole."""
    rows = np.array([float(window.rows) for window in windows])
    if len(rows) < 3 or len(set(rows[:-1].tolist())) == 1:
        return None
    values = np.where(rows > 0, rows, math.nan)
    values[0] = values[-1] = math.nan
    return WindowSeries("volume", "rows", windows, values, np.ones(len(rows)), None, "count", logarithmic=True)


def drift_series(windows: Sequence[Window]) -> Iterator[WindowSeries]:
    """How strongly each column drifts, 1 being on its threshold."""
    names = dict.fromkeys(column.column for window in windows for column in window.columns)
    by_window = [{column.column: column for column in window.columns} for window in windows]
    for name in names:
        found = [columns.get(name) for columns in by_window]
        values = np.array([
            _finite(strength(column, _STRONGEST)) if column is not None and column.status in _TESTED else math.nan
            for column in found
        ])  # fmt: skip
        weights = np.array([float(column.n_current) if column is not None else 0.0 for column in found])
        yield WindowSeries("drift", name, windows, values, weights, "lower")


def _finite(value: float | None) -> float:
    return value if value is not None and math.isfinite(value) else math.nan


def _without_season(values: Floats, windows: Sequence[Window]) -> Floats:
    """Hours without their time of day and days without their day of the week, where that explains half of it all."""
    length = windows[0].end - windows[0].start if windows else 0.0
    season = _SEASONS.get(length)
    if season is None or int(np.isfinite(values).sum()) < _SEASONS_NEEDED * season:
        return values
    phase = np.array([round(window.start / length) % season for window in windows])
    trend = _rolling_median(values, season)
    usual = np.zeros(len(values))
    for place in range(season):
        own = (values - trend)[phase == place]
        if np.isfinite(own).any():
            usual[phase == place] = np.nanmedian(own)
    flat = values - usual
    before, after = np.nanvar(values - trend), np.nanvar(flat - trend)
    return flat if after <= (1 - _EXPLAINED) * before else values


def _rolling_median(values: Floats, width: int) -> Floats:
    """The median of the windows around each."""
    half = width // 2
    padded = np.concatenate([np.full(half, math.nan), values, np.full(width - 1 - half, math.nan)])
    views = np.lib.stride_tricks.sliding_window_view(padded, width)
    empty = ~np.isfinite(views).any(axis=1)
    filled = np.where(empty[:, None], 0.0, views)
    return np.asarray(np.where(empty, math.nan, np.nanmedian(filled, axis=1)))
