"""Findings on runs, as panels show them: one row a run in a list, sentences with their age in the run itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from workbench.core import units
from workbench.core.model import Finding, Run
from workbench.panels.production import TONES
from workbench.plugin.api import Block, Cell, Column, Fit, Lines, Note, Table

LIMIT = 50
"""Runs listed with their findings; the worst come first."""
_NAME = 28
_NEXT = {
    "not-finite": "lower the learning rate or clip gradients; look at the log around that step",
    "diverged": "stop it, go back to the checkpoint before that step, lower the learning rate",
    "overfitting": "take the checkpoint of that step, or stop earlier; more data or regularisation",
    "silent": "look at the log's end, then at the machine: out of memory, killed, waiting for data",
    "slow": "compare the machine and what else runs on it; look at data loading",
    "gpu-idle": "look at data loading, and whether the run still uses that GPU",
    "plateaued": "change the learning rate or stop it; never improved means that nothing is learned",
    "spiked": "look at the batch of that step; clip gradients",
}


class RunFindings(Struct, frozen=True):
    """Findings of one run, the worst first."""

    run: Run
    findings: Sequence[Finding]


def by_run(findings: Sequence[Finding], runs: Mapping[str, Run]) -> list[RunFindings]:
    """Findings on runs that are there and not hidden, in the order of their worst."""
    grouped: dict[str, list[Finding]] = {}
    for each in findings:
        run = runs.get(each.run)
        if run is not None and not each.monitor and not run.hidden:
            grouped.setdefault(each.run, []).append(each)
    return [RunFindings(runs[run], found) for run, found in grouped.items()]


def runs_table(found: Sequence[RunFindings], now: float, fit: Fit) -> Table:
    """A row a run: how bad, since when, and the worst finding in a sentence."""
    shown = found[:LIMIT]
    name = min(max((len(each.run.name) for each in shown), default=3), _NAME, max(10, fit.columns // 5))
    room = max(24, fit.columns - name - 4 - 6 - 4 * 2 - 3)
    columns = [
        Column("severity", "", priority=0),
        Column("run", "run", priority=0, width=name),
        Column("since", "since", align="right", priority=1),
        Column("finding", "what", priority=0, width=room),
    ]
    rows = [
        [
            Cell(each.findings[0].severity, TONES[each.findings[0].severity]),
            Cell(each.run.name),
            Cell(None, "dim", text=_ago(each.findings[0], now)),
            Cell(each.findings[0].sentence, text=_with_more(each, room)),
        ]
        for each in shown
    ]
    return Table(columns, rows, "Runs", [each.run.id for each in shown])


def _with_more(found: RunFindings, room: int) -> str:
    """The worst sentence, and how many others there are where that can still be read."""
    said, more = found.findings[0].sentence, len(found.findings) - 1
    if not more:
        return said
    tail = f" (+{more})"
    return (said if len(said) + len(tail) <= room else said[: room - len(tail) - 1] + "…") + tail


def finding_notes(findings: Sequence[Finding], now: float) -> list[Block]:
    """Each finding as a paragraph with its age; the next step under the worst."""
    blocks: list[Block] = []
    for at, each in enumerate(findings):
        ago = _ago(each, now)
        since = f" ({ago} ago, {units.timestamp(each.since, None)[:16]})" if ago != units.UNKNOWN else ""
        over = " – over" if each.until is not None else ""
        blocks.append(Note(f"{each.sentence}{since}{over}", TONES[each.severity] if not over else ""))
        if at == 0 and each.severity != "info" and not over and each.kind in _NEXT:
            blocks.append(Note(f"Next: {_NEXT[each.kind]}.", "dim"))
    return blocks


def _ago(finding: Finding, now: float) -> str:
    return units.UNKNOWN if finding.since is None else units.age(max(now - finding.since, 0.0))


def with_marks(chart: Lines, keys: Sequence[str], findings: Sequence[Finding]) -> Lines:
    """A chart of some metrics with a mark at each step where something was found in one of them."""
    marks: list[tuple[float, str]] = []
    for each in findings:
        at = each.evidence.get("step") if chart.x_kind == "number" else each.since
        if each.subject in keys and isinstance(at, int | float) and chart.x_kind != "duration":
            marks.append((float(at), each.kind))
    if not marks:
        return chart
    return replace(chart, marks=(*chart.marks, *sorted(dict(marks).items())))
