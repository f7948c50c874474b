"""Quality: what is missing, new, out of range, of another type, twice or stale in the rows a model was asked about."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from msgspec import Struct

from workbench.core.model import Window
from workbench.core.query import Query
from workbench.panels import production
from workbench.panels.monitors import NO_MONITOR, no_windows, window_labels
from workbench.panels.parts import that_fit
from workbench.panels.production import MonitorData
from workbench.panels.shapes import finding_shape, number
from workbench.plugin.api import Block, Cell, Column, Fit, Focus, Heat, Note, Panel, Stack, Table, Tone

_KINDS = ("missing", "schema", "quality", "volume")
_QUALITY = "quality."
_STATES = ("schema-changed", "no-data", "id-like", "unsupported", "too-few")
_LABEL, _NARROWEST = 20, 3
_FAULT: Tone = "warn"
_COMMON = 0.05


class _Faults(Struct, frozen=True):
    """One column's faults in the newest window, by name, with the missing share of each window."""

    column: str
    shares: dict[str, float | None]
    usual: dict[str, float | None]
    missing: Sequence[float | None]
    status: str
    reason: str


class QualityPanel(Panel):
    """What is wrong with the rows themselves."""

    name = "quality"
    title = "Quality"
    key = "9"

    def load(self, query: Query, focus: Focus) -> MonitorData:
        """The focused monitor's windows."""
        return production.load_monitor(query, focus)

    def view(self, data: MonitorData, fit: Fit) -> Block:
        """Findings, faults by column in the newest window, and what was missing by window."""
        if data.monitor is None:
            return NO_MONITOR
        if not data.windows:
            return no_windows(data.monitor, data.monitors)
        told = [each for each in data.findings if each.kind in _KINDS]
        columns = sorted(_columns(data), key=_worst_first)
        going = [each for each in told if each.until is None]
        blocks: list[Block] = [production.finding_note(each) for each in going[:4]]
        if not blocks:
            blocks.append(Note(f"no open finding on the rows of {data.monitor}", "good"))
        blocks.append(_table(data, columns, fit))
        heat = _heat(data, columns, fit)
        if heat is not None:
            blocks.append(heat)
        return Stack(blocks, f"{self.title}: {data.monitor}")

    def to_json(self, data: MonitorData) -> Any:
        """Faults by column in the newest window, and the findings."""
        if data.monitor is None or not data.windows:
            return None
        told = [each for each in data.findings if each.kind in _KINDS]
        return {
            "monitor": data.monitor,
            "columns": [
                {"column": each.column, "status": each.status, "reason": each.reason,
                 "shares": {name: number(value) for name, value in each.shares.items()}}
                for each in _columns(data)
            ],
            "findings": [finding_shape(each) for each in told],
        }  # fmt: skip


def _newest(data: MonitorData) -> Window:
    return next((window for window in reversed(data.windows) if window.rows), data.windows[-1])


def _columns(data: MonitorData) -> Iterator[_Faults]:
    """Every column with its faults; the missing share is taken from the verdicts where it was not measured."""
    newest, earlier = _newest(data), data.windows[:-1]
    faults: dict[str, list[str]] = {}
    for key in data.roles:
        if key.startswith(_QUALITY) and key.count(".") >= 2:
            _, fault, column = key.split(".", 2)
            faults.setdefault(column, []).append(fault)
    verdicts = {column.column: column for column in newest.columns}
    for name in dict.fromkeys([*verdicts, *faults]):
        verdict = verdicts.get(name)
        keys = {fault: f"{_QUALITY}{fault}.{name}" for fault in faults.get(name, ())}
        missing = [_missing(window, name) for window in data.windows]
        shares = {fault: production.value_of(newest, key) for fault, key in keys.items()}
        shares.setdefault("missing", _missing(newest, name))
        yield _Faults(
            name, shares, {fault: production.usual(earlier, key) for fault, key in keys.items()}, missing,
            verdict.status if verdict is not None else "", verdict.reason if verdict is not None else "",
        )  # fmt: skip


def _missing(window: Window, column: str) -> float | None:
    measured = production.value_of(window, f"{_QUALITY}missing.{column}")
    if measured is not None or not window.rows:
        return measured
    verdict = next((each for each in window.columns if each.column == column), None)
    return max(0.0, 1.0 - verdict.n_current / window.rows) if verdict is not None else None


def _worst_first(faults: _Faults) -> tuple[bool, float, str]:
    wrong = faults.status in ("schema-changed", "no-data")
    return not wrong, -max((value for value in faults.shares.values() if value is not None), default=0.0), faults.column


def _table(data: MonitorData, columns: Sequence[_Faults], fit: Fit) -> Table:
    names = sorted({name for each in columns for name in each.shares}, key=lambda name: (name != "missing", name))
    heads = [
        Column("column", "column", priority=0),
        *(Column(name, name.replace("_", " "), "share", "right", priority=at) for at, name in enumerate(names)),
        Column("trend", "missing, by window", priority=3),
        Column("status", "state", priority=1),
        Column("reason", "why", priority=5),
    ]
    rows = [
        [
            Cell(each.column),
            *(Cell(each.shares.get(name), _tone(each, name)) for name in names),
            Cell(None, spark=[value for value in each.missing[-24:] if value is not None]),
            Cell(each.status, _FAULT if each.status in _STATES[:2] else ""),
            Cell(each.reason),
        ]
        for each in columns
    ]
    kept = that_fit(heads, rows, fit)
    title = f"Columns, window {window_labels([_newest(data)])[0]}"
    return Table(
        [heads[at] for at in kept], [[row[at] for at in kept] for row in rows], title, [each.column for each in columns]
    )


def _tone(faults: _Faults, name: str) -> Tone:
    """A fault that is common, and more common than it usually is."""
    value, usual = faults.shares.get(name), faults.usual.get(name) or 0.0
    return _FAULT if value is not None and value >= _COMMON and value > 2 * usual else ""


def _heat(data: MonitorData, columns: Sequence[_Faults], fit: Fit) -> Heat | None:
    """Missing shares by window of the columns that lack some."""
    shown = [each for each in columns if any(each.missing)][:12]
    if not shown:
        return None
    room = max((fit.columns - _LABEL) // _NARROWEST, 4)
    labels = window_labels(data.windows)[-room:]
    return Heat([each.column for each in shown], labels, [list(each.missing[-room:]) for each in shown],
                "missing share, columns by windows", 0.0, None)  # fmt: skip
