"""A comparison of two tables in words: what drifted, why that is said, what else was found, and what to do next."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from msgspec import to_builtins
from msgspec.structs import asdict

from workbench.core import units
from workbench.core.model import ColumnDrift, ColumnFinding, DatasetDrift
from workbench.core.strength import is_p_value, strength
from workbench.panels.drift import verdict_table
from workbench.plugin.api import Bars, Block, Cell, Column, Columns, Fit, Note, Stack, Stat, Table, Tone

if TYPE_CHECKING:
    from workbench.monitor.domain import DomainDrift
    from workbench.monitor.snapshots import Snapshot

_MOST_SENTENCES = 12
_MOST_SHAPES = 4
_TONES: dict[str, Tone] = {"drift": "bad", "ok": "good", "no-data": "warn"}
_NEXT = {
    "too-few": "gather more rows or compare a longer span: a verdict on {names} would be noise",
    "no-data": "find out why {names} holds nothing on a side: the export, or the step that fills it",
    "schema-changed": "settle the schema of {names} with whoever writes the export, then compare again",
    "unsupported": "{names} was not tested: see why, or leave it out with --ignore",
    "id-like": "{names} names rows: leave it out with --ignore",
}


def comparison_block(result: DatasetDrift, fit: Fit, together: DomainDrift | None = None) -> Block:
    """Everything there is to say about two tables."""
    by_name = {column.column: column for column in result.columns}
    blocks: list[Block] = [_figures(result), Note(verdict_sentence(result), _TONES[result.verdict])]
    worst = sorted(
        (column for column in result.columns if column.drifted), key=lambda column: -(strength(column) or 0.0)
    )
    blocks += _listed([why_sentence(column) for column in worst], "bad")
    if together is not None:
        blocks.append(Note(together.sentence, "bad" if together.drifted else "good"))
        if together.columns:
            names, losses = (
                [item.column for item in together.columns[:10]],
                [item.loss for item in together.columns[:10]],
            )
            blocks.append(Bars(names, [("AUC lost without it", losses)], "What gives the current rows away"))
    blocks.append(verdict_table(by_name, list(by_name), "Columns", fit))
    if result.findings:
        blocks += [Note("Beside the shape of its values:"), *_findings(result.findings)]
    return Stack([*blocks, *_listed([f"Next: {step}." for step in next_steps(result, together)], "")])


def verdict_sentence(result: DatasetDrift) -> str:
    """The verdict on the table in one sentence, with what it rests on."""
    if result.verdict == "no-data":
        return "Nothing could be tested: no column holds enough comparable values on both sides."
    count = f"{result.drifted:,} of {result.tested:,} tested columns"
    if result.mode == "evidently":
        words = "The data has drifted" if result.verdict == "drift" else "No drift of the data as a whole"
        return f"{words}: {count} passed their thresholds ({units.percent(result.share)})."
    if not result.drifted:
        return f"No drift: {count} differ by more than threshold, noise and chance allow."
    words = "The data has drifted" if result.verdict == "drift" else "Less has drifted than was asked for"
    return f"{words}: {count} differ by more than threshold, noise and chance allow."


def why_sentence(column: ColumnDrift) -> str:
    """Why a column is said to have drifted."""
    assert column.score is not None
    assert column.threshold is not None
    score = units.p_value(column.score) if is_p_value(column) else units.number(column.score, 3)
    parts = [f"{column.column}: {column.method} {score}, threshold {units.number(column.threshold)}"]
    if column.noise_p95:
        parts.append(f"{units.number(column.score / column.noise_p95, 2)} x what chance reaches")
    if column.p_value is not None:
        mark = "" if column.p_value < 1e-16 else "= "
        parts.append(f"p {mark}{units.p_value(column.p_value)}")
    if column.reason:
        parts.append(column.reason)
    return "; ".join(parts) + "."


def next_steps(result: DatasetDrift, together: DomainDrift | None = None) -> list[str]:
    """What to do about it, the most pressing first."""
    steps = []
    if result.drifted:
        first = max((column for column in result.columns if column.drifted), key=lambda column: strength(column) or 0.0)
        steps.append(
            f"look at {first.column} first: --column {first.column} on narrower files, or see since when with a "
            "[monitor.NAME] in workbench.toml"
        )
    elif together is not None and together.drifted:
        steps.append("columns drift only together: look at how the most telling ones go with each other")
    for status, words in _NEXT.items():
        names = [column.column for column in result.columns if column.status == status]
        if names and status != "id-like":
            steps.append(words.format(names=_names(names)))
    if any(finding.kind == "missing" and finding.severity == "bad" for finding in result.findings):
        steps.append("find where the missing values come from before anything is retrained on them")
    return steps or ["nothing; keep a gate on it: workbench report --gate 'drift(MONITOR).share < 0.3'"]


def snapshot_block(snapshot: Snapshot, fit: Fit) -> Block:
    """A snapshot that Evidently wrote: its verdicts, its tests, its other figures, and distributions that drifted."""
    drift = snapshot.drift
    by_name = {column.column: column for column in drift.columns}
    when = f", made {snapshot.timestamp[:19]}" if snapshot.timestamp else ""
    blocks: list[Block] = [Note(f"Evidently's snapshot {snapshot.path} ({snapshot.form} form{when})")]
    if drift.columns:
        blocks += [_figures(drift), Note(verdict_sentence(drift), _TONES[drift.verdict])]
        blocks.append(verdict_table(by_name, list(by_name), "Columns", fit))
    else:
        blocks.append(Note("The snapshot holds no drift of columns.", "warn"))
    shapes = [shape for shape in snapshot.distributions if by_name.get(shape.column) and by_name[shape.column].drifted]
    for shape in shapes[:_MOST_SHAPES]:
        series = [("reference", shape.reference), ("current", shape.current)]
        blocks.append(Bars(shape.labels, series, shape.column, "share"))
    if snapshot.metrics:
        rows = [[Cell(metric.name), Cell(metric.value)] for metric in snapshot.metrics]
        blocks.append(Table([Column("metric", "metric"), Column("value", "value", align="right")], rows, "Metrics"))
    if failed := [test for test in snapshot.tests if test.status not in {"SUCCESS", "SKIPPED"}]:
        columns = [Column("status", "status"), Column("name", "test"), Column("sentence", "why", priority=2)]
        rows = [[Cell(test.status, "bad"), Cell(test.name), Cell(test.sentence)] for test in failed]
        blocks.append(Table(columns, rows, f"{len(failed)} of {len(snapshot.tests)} tests did not pass"))
    return Stack(blocks)


def snapshot_shape(snapshot: Snapshot) -> dict[str, Any]:
    """The JSON form of a snapshot beside that of its drift."""
    return {
        "snapshot": {"path": snapshot.path, "form": snapshot.form, "timestamp": snapshot.timestamp or None},
        "metrics": [asdict(metric) for metric in snapshot.metrics],
        "tests": [asdict(test) for test in snapshot.tests],
        "distributions": [asdict(shape) for shape in snapshot.distributions],
    }


def domain_shape(found: DomainDrift) -> dict[str, Any]:
    """The JSON form of drift of all columns together."""
    return {**to_builtins(found), "sentence": found.sentence}


def _figures(result: DatasetDrift) -> Block:
    return Columns(
        [
            Stat("drifted columns", result.drifted),
            Stat("tested", result.tested),
            Stat("share", result.share, "share"),
        ]
    )


def _findings(findings: Sequence[ColumnFinding]) -> list[Block]:
    """Findings in words, the worst first."""
    tones: dict[str, Tone] = {"bad": "bad", "warn": "warn", "info": ""}
    notes: list[Block] = [Note(f"{item.sentence}.", tones[item.severity]) for item in findings[:_MOST_SENTENCES]]
    if len(findings) > _MOST_SENTENCES:
        notes.append(Note(f"and {len(findings) - _MOST_SENTENCES:,} more: --format json has all."))
    return notes


def _listed(sentences: Sequence[str], tone: Tone) -> list[Block]:
    notes: list[Block] = [Note(sentence, tone) for sentence in sentences[:_MOST_SENTENCES]]
    if len(sentences) > _MOST_SENTENCES:
        notes.append(Note(f"and {len(sentences) - _MOST_SENTENCES:,} more, in the table."))
    return notes


def _names(names: Sequence[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
