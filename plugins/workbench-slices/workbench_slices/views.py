"""Reports as blocks, and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from workbench.plugin.api import Block, Cell, Column, Empty, Fit, Note, Stack, Table
from workbench_slices.model import Condition, Ranking, Report, Slice, SlicesData

_TITLES = {"wrong": "Worst by error", "absolute": "Worst by absolute error", "slow": "Slowest"}
_TESTS = {
    "wrong": "Fisher's exact test", "absolute": "tests of ranks and of means, both", "slow": "Fisher's exact test",
}  # fmt: skip


def slices_block(data: SlicesData, fit: Fit) -> Block:
    """Every report, or where predictions are looked for."""
    if not data.reports:
        return Empty("No predictions to slice", data.hint)
    return Stack([part for report in data.reports for part in _report(report, fit)], "Slices")


def slices_shape(data: SlicesData) -> list[dict[str, Any]]:
    """Reports as JSON: files stay out of it, a report may be published."""
    return [
        {"subject": each.subject.name, "kind": each.subject.kind, "what": each.subject.what, **asdict(each.answer)}
        for each in data.reports
    ]


def condition_words(condition: Condition, *, unicode: bool = True) -> str:
    """A condition as one would write it: `distance ≥ 2,586`, `month 3 to 5`, `carrier = EV`, `age missing`."""
    name, low, high = condition.feature, condition.low, condition.high
    least = "≥" if unicode else ">="
    if condition.missing:
        return f"{name} missing"
    if condition.value is not None:
        return f"{name} = {condition.value}"
    if condition.closed:
        return f"{name} = {_number(low)}" if low == high else f"{name} {_number(low)} to {_number(high)}"
    if low is None:
        return f"{name} < {_number(high)}"
    return f"{name} {least} {_number(low)}" if high is None else f"{name} {_number(low)} to {_number(high)}"


def slice_words(found: Slice, *, unicode: bool = True) -> str:
    """Both conditions of a slice."""
    return (" ∧ " if unicode else " and ").join(condition_words(each, unicode=unicode) for each in found.conditions)


def _report(report: Report, fit: Fit) -> list[Block]:
    subject, answer = report.subject, report.answer
    title = f"{subject.name}: {subject.what}"
    if answer.problem:
        return [Stack([Note(f"Cannot be sliced: {answer.problem}.", "warn")], title)]
    blocks: list[Block] = [Note(_facts(report), "dim")]
    blocks += [_ranking(ranking, fit) for ranking in (answer.error, answer.latency) if ranking is not None]
    blocks += [Note(note, "dim") for note in answer.notes]
    return [Stack(blocks, title)]


def _facts(report: Report) -> str:
    answer = report.answer
    parts = [f"{answer.rows:,} rows", f"{len(answer.features)} features"]
    if answer.labelled != answer.read:
        parts.insert(1, f"{answer.labelled:,} labelled")
    return ", ".join(parts) + "."


def _ranking(ranking: Ranking, fit: Fit) -> Block:
    head = f"{_TITLES[ranking.loss]}: {_overall(ranking)}"
    if not ranking.slices:
        words = f"No slice is worse than the rest beyond chance; {ranking.tested:,} were compared."
        return Stack([Note(words, "good")], head)
    rows = [_row(each, ranking, fit) for each in ranking.slices]
    return Stack([Table(_columns(ranking), rows), Note(_method(ranking), "dim")], head)


def _overall(ranking: Ranking) -> str:
    if ranking.loss == "slow":
        return f"{ranking.overall:.1%} of rows take more than {_number(ranking.limit)} ms"
    if ranking.loss == "wrong":
        return f"{ranking.overall:.1%} of all rows are wrong"
    return f"{_number(ranking.overall)} over all rows"


def _columns(ranking: Ranking) -> Sequence[Column]:
    unit = "" if ranking.loss == "absolute" else "share"
    name = {"wrong": "wrong", "absolute": "error", "slow": "slow"}[ranking.loss]
    columns = [
        Column("slice", "slice", priority=0),
        Column("rows", "rows", "", "right", priority=1),
        Column("share", "of all", "share", "right", priority=4),
        Column("loss", name, unit, "right", priority=0),
        Column("rest", "others", unit, "right", priority=3),
        Column("excess", "worse by at least", unit, "right", priority=0),
        Column("high", "at most", unit, "right", priority=2),
    ]
    if ranking.loss == "slow":
        columns.append(Column("typical", "median", "ms", "right", priority=3))
    return columns


def _row(found: Slice, ranking: Ranking, fit: Fit) -> list[Cell]:
    tone = "bad" if found.low >= 0.5 * found.rest else "warn"
    cells = [
        Cell(slice_words(found, unicode=fit.unicode)),
        Cell(found.rows),
        Cell(found.share),
        Cell(found.loss),
        Cell(found.rest),
        Cell(found.low, tone),  # type: ignore[arg-type]
        Cell(found.high),
    ]
    return [*cells, Cell(found.typical)] if ranking.loss == "slow" else cells


def _method(ranking: Ranking) -> str:
    return (
        f"{ranking.tested:,} slices were compared with all other rows ({_TESTS[ranking.loss]}); of those shown, at "
        "most 5 % are expected to be chance (Benjamini-Hochberg). Limits are 95 % intervals, widened for the choice."
    )


def _number(value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:,.0f}" if float(value).is_integer() and abs(value) < 1e9 else f"{value:,.4g}"
