"""Findings: what is worth attention in runs and in production, the worst first, each in one sentence."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from msgspec import Struct

from workbench.core import units
from workbench.core.model import Finding
from workbench.core.moments import moment
from workbench.core.query import Query
from workbench.panels.parts import that_fit
from workbench.panels.production import TONES, finding_note, next_step
from workbench.panels.run_findings import LIMIT, RunFindings, by_run, runs_table
from workbench.panels.shapes import finding_shape
from workbench.plugin.api import Block, Cell, Column, Empty, Fit, Focus, Note, Panel, Stack, Table

_COLUMNS = (
    Column("since", "since", priority=0),
    Column("until", "until", priority=1),
    Column("severity", "", priority=0),
    Column("kind", "kind", priority=1),
    Column("monitor", "monitor", priority=3),
    Column("subject", "what", priority=0),
    Column("change", "change", priority=2),
    Column("confidence", "sure", "share", "right", priority=4),
)
_OVER = 30


class FindingsData(Struct, frozen=True):
    """Findings of the focused monitor or run, or of all."""

    findings: Sequence[Finding] = ()
    monitors: Sequence[str] = ()
    windows: int = 0
    runs: Sequence[RunFindings] = ()
    """What is wrong with runs, the worst first."""
    run_count: int = 0
    now: float = 0.0


class FindingsPanel(Panel):
    """What is worth attention, now and before."""

    name = "findings"
    title = "Findings"
    key = "7"

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock

    def load(self, query: Query, focus: Focus) -> FindingsData:
        """What the ingester found."""
        names = query.monitors()
        wanted = [focus.monitor] if focus.monitor is not None else names
        count = sum(len(query.windows(name)) for name in wanted if name in names)
        found = query.findings(focus.monitor or "")
        production = [each for each in found if each.monitor or not each.run]
        runs = {} if focus.monitor is not None else {run.id: run for run in query.runs(focus.where)}
        return FindingsData(production, names, count, by_run(found, runs), len(runs), self._clock())

    def view(self, data: FindingsData, fit: Fit) -> Block:
        """Runs as a table; of production those that go on as sentences, the others as a table."""
        if not data.monitors and not data.run_count and not data.findings:
            return Empty(
                "Nothing was read that anything could be found in",
                "Runs are looked at as soon as they log, production as soon as a monitor is named: "
                "`workbench detect FILE` writes one for an export, `workbench sources` says what was read.",
            )
        blocks = _of_runs(data, fit)
        return Stack([*blocks, *_of_production(data, fit)] if data.monitors or data.findings else blocks, self.title)

    def to_json(self, data: FindingsData) -> Any:
        """A list of findings, each with its monitor or its run; those of runs first."""
        of_runs = [each for one in data.runs for each in one.findings]
        return [
            {"monitor": each.monitor, "run": each.run, **finding_shape(each)} for each in (*of_runs, *data.findings)
        ]


def _of_runs(data: FindingsData, fit: Fit) -> list[Block]:
    """Runs that something is wrong with as a table, or that there are none."""
    if not data.runs:
        nothing = f"nothing is worth attention in {data.run_count:,} {'run' if data.run_count == 1 else 'runs'}"
        return [Note(nothing, "good")] if data.run_count and not data.monitors else []
    more = len(data.runs) - LIMIT
    left_out = [Note(f"{more:,} more runs have findings; a filter narrows them", "dim")] if more > 0 else []
    return [runs_table(data.runs, data.now, fit), *left_out]


def _of_production(data: FindingsData, fit: Fit) -> list[Block]:
    """Those that go on as sentences, the others as a table."""
    going = [each for each in data.findings if each.until is None]
    over = [each for each in data.findings if each.until is not None][:_OVER]
    several = len({each.monitor for each in data.findings}) > 1
    blocks: list[Block] = []
    advised: set[str] = set()
    for at, each in enumerate(going):
        blocks.append(finding_note(each, whose=several))
        ends = at + 1 == len(going) or going[at + 1].kind != each.kind
        if ends and each.severity != "info" and each.kind not in advised:
            advised.add(each.kind)
            blocks.append(Note(f"Next: {next_step(each)}.", "dim"))
    if not going:
        blocks.append(Note(f"nothing is worth attention now, in {data.windows:,} windows", "good"))
    if over:
        blocks.append(_table(over, fit))
    return blocks


def _table(findings: Sequence[Finding], fit: Fit) -> Table:
    rows = [
        [
            Cell(_moment(each.since)), Cell(_moment(each.until)), Cell(each.severity, TONES[each.severity]),
            Cell(each.kind), Cell(each.monitor), Cell(each.subject), Cell(_change(each)), Cell(each.confidence),
        ]
        for each in findings
    ]  # fmt: skip
    kept = that_fit(_COLUMNS, rows, fit)
    return Table([_COLUMNS[at] for at in kept], [[row[at] for at in kept] for row in rows], "Over")


def _change(finding: Finding) -> str:
    """`40 ms → 90 ms`, in the metric's unit; of drift in thresholds."""
    before, after = finding.evidence.get("before"), finding.evidence.get("after")
    if not isinstance(before, int | float) or not isinstance(after, int | float):
        return ""
    unit = str(finding.evidence.get("unit", ""))
    return f"{units.value(before, unit)} → {units.value(after, unit)}"


def _moment(seconds: float | None) -> str:
    return "–" if seconds is None else moment(seconds, ())
