"""Curves of what devices were like, as this plugin saw them and as a run logged them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from workbench.plugin.api import Block, Columns, Line, Lines, Note, Stack
from workbench_gpu.model import Device, GpuData, Logged


@dataclass(frozen=True, slots=True)
class _Figure:
    """One figure: its name in samples and logs, the chart's title, its unit, and what a sample is multiplied by."""

    name: str
    title: str
    unit: str
    scale: float = 1.0


_FIGURES = (
    _Figure("utilization", "busy, %", "%", 100.0),
    _Figure("memory", "memory, %", "%", 100.0),
    _Figure("temperature", "temperature, °C", "°C"),
    _Figure("power", "power, W", "W"),
)


def history_blocks(data: GpuData, devices: Sequence[Device]) -> list[Block]:
    """Two charts a row, of figures that were told at two moments at least."""
    charts = [_history(data, devices, figure) for figure in _FIGURES]
    return _in_pairs([chart for chart in charts if chart.lines])


def logged_blocks(logged: Logged | None) -> list[Block]:
    """What a run logged itself, under its name."""
    if logged is None:
        return []
    charts = [_logged(logged, figure) for figure in _FIGURES if figure.name in logged.series]
    drawn = _in_pairs([chart for chart in charts if chart.lines])
    source = f"As {logged.run.name} logged it, which may have been on another machine."
    return [Stack([*drawn, Note(source, "dim")], f"GPUs of {logged.run.name}")] if drawn else []


def _in_pairs(charts: Sequence[Lines]) -> list[Block]:
    pairs = [charts[at : at + 2] for at in range(0, len(charts), 2)]
    return [pair[0] if len(pair) == 1 else Columns(pair) for pair in pairs]


def _history(data: GpuData, devices: Sequence[Device], figure: _Figure) -> Lines:
    """One curve a device that has at least two values; hours without a look break it."""
    lines = []
    for device in devices:
        samples = data.history.get(device.id, ())
        y = np.asarray([figure.scale * getattr(sample, figure.name) for sample in samples], np.float64)
        if np.isfinite(y).sum() > 1:
            x = np.asarray([sample.at for sample in samples], np.float64)
            gaps = np.flatnonzero(np.diff(x) > _GAP) + 1
            x, y = np.insert(x, gaps, x[gaps] - 1e-3), np.insert(y, gaps, np.nan)
            lines.append(Line(f"GPU {device.index}", x, y, color=device.index))
    return Lines(lines, figure.title, "time", figure.unit, x_kind="time")


_GAP = 120.0
"""Seconds between samples that are not bridged."""


def _logged(logged: Logged, figure: _Figure) -> Lines:
    lines = [
        Line(name, series.wall, series.value, color=at)
        for at, (name, series) in enumerate(logged.series[figure.name])
        if (np.isfinite(series.value) & np.isfinite(series.wall)).sum() > 1
    ]
    return Lines(lines, figure.title, "time", figure.unit, x_kind="time")
