"""Lying bars with their values, for few labels or long ones; plotext draws the many and short ones upright."""

from __future__ import annotations

import math

from workbench.core import units
from workbench.core.blocks import Bars
from workbench.core.query import Fit
from workbench.core.text import cut, fit, plain, width
from workbench.render.spans import Row, Span, row

_EIGHTHS = " ▏▎▍▌▋▊▉"
_UPRIGHT_FROM = 8


def bars_rows(bars: Bars, room: Fit) -> list[Row]:
    """Bars as rows: lying ones with values, or upright ones where two sides of a distribution are compared."""
    lines: list[Row] = [row(plain(bars.title), bold=True)] if bars.title else []
    if not bars.labels or not bars.series:
        return [*lines, row("no values", "dim")]
    legend = _legend(bars, room)
    short = max(width(plain(label)) for label in bars.labels) <= 12
    needed = len(bars.labels) * (len(bars.series) + 1) + 8
    if room.unicode and len(bars.series) > 1 and len(bars.labels) >= _UPRIGHT_FROM and short and needed <= room.columns:
        from workbench.render.plot import bar_rows

        return [*lines, *legend, *bar_rows(bars, room.columns, min(room.rows or 12, 12))]
    return [*lines, *legend, *_lying(bars, room)]


def _legend(bars: Bars, room: Fit) -> list[Row]:
    if len(bars.series) < 2:
        return []
    mark = "█▒░▓" if room.unicode else "#=-+"
    spans: list[Span] = []
    for index, (name, _) in enumerate(bars.series):
        spans += [Span(mark[index % 4] + " ", f"run:{index}"), Span(cut(plain(name), 30) + "  ")]
    return [tuple(spans)]


def _lying(bars: Bars, room: Fit) -> list[Row]:
    labels = [plain(label) for label in bars.labels]
    label_size = min(max(map(width, labels)), max(room.columns // 3, 6))
    known = [value for _, values in bars.series for value in values if math.isfinite(value)]
    longest = max((abs(value) for value in known), default=0.0) or 1.0
    texts = [[cut(plain(units.value(value, bars.unit)), 24) for value in values] for _, values in bars.series]
    value_size = max((width(text) for values in texts for text in values), default=1)
    space = max(room.columns - label_size - value_size - 2, 1)
    lines: list[Row] = []
    for index, label in enumerate(labels):
        for number, (_, values) in enumerate(bars.series):
            head = fit(label if number == 0 else "", label_size) + " "
            if index >= len(values):
                continue
            length = min(abs(values[index]) / longest, 1.0) * space if math.isfinite(values[index]) else 0.0
            bar = _bar(length, number, room.unicode)
            lines.append((Span(head), Span(bar, f"run:{number}"), Span(f" {texts[number][index]}", "dim")))
    return lines


def _bar(length: float, series: int, unicode: bool) -> str:
    if not unicode:
        return "#=-+"[series % 4] * round(length)
    if series % 4:
        return "█▒░▓"[series % 4] * round(length)
    full = int(length)
    return "█" * full + _EIGHTHS[int((length - full) * 8)].strip()
