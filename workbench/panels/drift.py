"""Drift: a heat map of columns by windows, the newest verdicts, and a column's two distributions when it is opened."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct

from workbench.core import units
from workbench.core.model import ColumnDrift, Distribution, Finding, Window
from workbench.core.query import Query
from workbench.core.strength import drift_share, is_p_value, strength
from workbench.panels.monitors import NO_MONITOR, chosen_monitor, no_windows, share_tone, window_labels
from workbench.panels.parts import that_fit
from workbench.panels.production import finding_note
from workbench.panels.shapes import monitor_shape
from workbench.plugin.api import (
    Bars,
    Block,
    Cell,
    Column,
    Columns,
    Empty,
    Fit,
    Focus,
    Heat,
    Note,
    Panel,
    Stack,
    Stat,
    Table,
)

_LABEL = 20
_FINDINGS = 2
_NARROWEST = 3


class DriftData(Struct, frozen=True):
    """One monitor's windows, and the column that is open."""

    monitor: str | None = None
    monitors: Sequence[str] = ()
    windows: Sequence[Window] = ()
    column: str | None = None
    window: float | None = None
    distribution: Distribution | None = None
    findings: Sequence[Finding] = ()
    """Those on drift."""


class DriftPanel(Panel):
    """How each column of a monitor stands to its reference, window by window."""

    name = "drift"
    title = "Drift"
    key = "3"

    def load(self, query: Query, focus: Focus) -> DriftData:
        """Windows of the whole population, and the open column's distribution."""
        names, monitor = chosen_monitor(query, focus)
        if monitor is None:
            return DriftData()
        windows = [window for window in query.windows(monitor) if not window.segment] if monitor in names else []
        findings = [each for each in query.findings(monitor) if each.kind == "drift"] if windows else []
        found = query.distribution(monitor, focus.column, focus.window) if focus.column and windows else None
        return DriftData(monitor, names, windows, focus.column, focus.window, found, findings)

    def view(self, data: DriftData, fit: Fit) -> Block:
        """The open column first, then the heat map and the newest window's verdicts."""
        if data.monitor is None:
            return NO_MONITOR
        if not data.windows:
            return no_windows(data.monitor, data.monitors)
        if not any(window.columns for window in data.windows):
            return Empty(
                f"{data.monitor} is compared with nothing yet",
                f'Say what it looked like in training: [monitor.{data.monitor}.reference] path = "train.parquet".',
            )
        blocks: list[Block] = [_headline(data)]
        if data.column is not None:
            blocks.append(_opened(data))
        blocks += [finding_note(each) for each in data.findings if each.until is None][:_FINDINGS]
        blocks += [_heat(data, fit), _verdicts(data, fit)]
        return Stack(blocks, f"{self.title}: {data.monitor}")

    def to_json(self, data: DriftData) -> dict[str, Any] | None:
        """The shape of a monitor, None where there is none."""
        return None if data.monitor is None else monitor_shape(data.monitor, data.windows, data.findings)


def _headline(data: DriftData) -> Block:
    window = data.windows[-1]
    share = drift_share(window)
    shares = [value for each in data.windows if (value := drift_share(each)) is not None]
    label = window_labels(data.windows)[-1]
    return Columns(
        [
            Stat(f"drifted, {label}", share, "share", tone=share_tone(share), spark=shares),
            Stat("rows", window.rows, "count"),
            Stat("windows", len(data.windows)),
            Stat("drifting since", _since(data)),
        ]
    )


def _since(data: DriftData) -> str:
    """The first of the windows at the end that all have a drifted column."""
    labels = window_labels(data.windows)
    since = units.UNKNOWN
    for window, label in zip(reversed(data.windows), reversed(labels), strict=True):
        if not drift_share(window):
            break
        since = label
    return since


def _columns_by_strength(windows: Sequence[Window]) -> list[str]:
    """Every column once: those that drift now and most strongly first, then by name."""
    now = {column.column: column for column in windows[-1].columns}
    names = {column.column for window in windows for column in window.columns}

    def place(name: str) -> tuple[bool, float, str]:
        column = now.get(name)
        return (
            not (column is not None and column.drifted),
            -(strength(column) or 0.0) if column is not None else 0.0,
            name,
        )

    return sorted(names, key=place)


def _heat(data: DriftData, fit: Fit) -> Heat:
    """The newest windows there is room for."""
    room = max((fit.columns - _LABEL) // _NARROWEST, 4)
    windows = data.windows[-room:]
    names = _columns_by_strength(windows)
    tables = [{column.column: column for column in window.columns} for window in windows]
    return Heat(
        names,
        window_labels(windows),
        [[strength(table[name]) if name in table else None for table in tables] for name in names],
        "score ÷ threshold, columns by windows",
        low=0.0,
        high=2.0,
        flags=[[name in table and table[name].drifted for table in tables] for name in names],
    )


def _opened(data: DriftData) -> Block:
    """The reference's and the window's distribution of one column side by side."""
    assert data.column is not None
    window = _window_at(data)
    label = window_labels([window])[0]
    verdict = next((column for column in window.columns if column.column == data.column), None)
    if data.distribution is None:
        known = sorted({column.column for each in data.windows for column in each.columns})
        if data.column not in known:
            return Empty(f"No column {data.column!r}", f"{data.monitor} has: {', '.join(known)}.")
        return Empty(f"No distribution of {data.column} was kept", verdict.reason if verdict is not None else "")
    bars = Bars(
        data.distribution.labels,
        [("reference", data.distribution.reference), (label, data.distribution.current)],
        data.column,
        "share",
    )
    return Stack([bars, Note(_in_words(verdict), "bad" if verdict.drifted else "")]) if verdict is not None else bars


def _window_at(data: DriftData) -> Window:
    return next((window for window in data.windows if window.start == data.window), data.windows[-1])


def _in_words(column: ColumnDrift) -> str:
    """One column's verdict as a sentence."""
    if column.score is None or column.threshold is None:
        return f"{column.column}: {column.status}. {column.reason}".rstrip(". ") + "."
    score = units.p_value(column.score) if is_p_value(column) else units.number(column.score)
    verdict = "drifted" if column.drifted else "no drift"
    reason = f" {column.reason}" if column.reason else ""
    return (
        f"{column.column}: {verdict}; {column.method} {score}, threshold {units.number(column.threshold)}, "
        f"{column.n_reference:,} reference values against {column.n_current:,}.{reason}"
    )


def _verdicts(data: DriftData, fit: Fit) -> Table:
    """Every column of the opened window, else of the newest."""
    window = _window_at(data)
    by_name = {column.column: column for column in window.columns}
    names = [name for name in _columns_by_strength([window]) if name in by_name]
    return verdict_table(by_name, names, f"Columns, window {window_labels([window])[0]}", fit)


def verdict_table(by_name: Mapping[str, ColumnDrift], names: Sequence[str], title: str, fit: Fit) -> Table:
    """Verdicts on columns, as many of their figures as there is room for."""
    columns = [
        Column("column", "column", priority=0),
        Column("status", "status", priority=0),
        Column("score", "score", align="right", priority=1),
        Column("threshold", "threshold", align="right", priority=2),
        Column("noise_p95", "noise", align="right", priority=3),
        Column("p_value", "p", align="right", priority=4),
        Column("method", "method", priority=3),
        Column("type", "type", priority=4),
        Column("n_reference", "reference", "count", "right", priority=5),
        Column("n_current", "current", "count", "right", priority=5),
        Column("reason", "why", priority=6),
    ]
    rows = [_verdict_row(by_name[name]) for name in names]
    kept = that_fit(columns, rows, fit)
    return Table(
        [columns[at] for at in kept],
        [[row[at] for at in kept] for row in rows],
        title,
        names,
    )


def _verdict_row(column: ColumnDrift) -> list[Cell]:
    tone = "bad" if column.drifted else "good" if column.status == "ok" else "warn"
    score = units.p_value(column.score) if is_p_value(column) and column.score is not None else ""
    return [
        Cell(column.column),
        Cell(column.status, tone),  # type: ignore[arg-type]
        Cell(column.score, text=score),
        Cell(column.threshold),
        Cell(column.noise_p95),
        Cell(column.p_value, text="" if column.p_value is None else units.p_value(column.p_value)),
        Cell(column.method),
        Cell(column.type),
        Cell(column.n_reference),
        Cell(column.n_current),
        Cell(column.reason),
    ]
