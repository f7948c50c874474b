"""A report as a whole: sections of blocks and the verdicts of gates, rendered to one format."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, tzinfo
from typing import Any, Literal, get_args

from workbench.core import units
from workbench.core.blocks import Block, Cell, Column, Note, Table
from workbench.core.gates import GateResult, failing_first
from workbench.core.query import Fit
from workbench.core.text import plain, wrap
from workbench.render.spans import Row, Span, cells, crop, row
from workbench.render.table import table_rows
from workbench.render.text import block_rows, write

Format = Literal["text", "md", "html", "json", "junit"]
FORMATS: tuple[Format, ...] = get_args(Format)
_WIDEST_RULE = 100


@dataclass(frozen=True, slots=True)
class Section:
    """One part of a report; `anchor` names it in links."""

    title: str
    block: Block
    anchor: str = ""
    data: Any = None
    """What JSON shows instead of the block: the panel's own data."""


@dataclass(frozen=True, slots=True)
class Document:
    """A report: title, sections in order, and the gates it was judged by."""

    title: str
    subtitle: str = ""
    sections: Sequence[Section] = ()
    gates: Sequence[GateResult] = ()
    generated_at: float | None = None
    """Seconds since 1970; None leaves the time out, so that the same data give the same report."""


def render(
    document: Document, format: str, fit: Fit | None = None, color: bool = False, zone: tzinfo | None = UTC
) -> str:
    """A report in one format; `fit` and `color` matter to text alone.

    Raises:
        ValueError: the format is not one of FORMATS.
    """
    if format == "text":
        return _text(document, fit or Fit(100), color, zone)
    if format == "md":
        from workbench.render.markdown import render_document_markdown

        return render_document_markdown(document, zone)
    if format == "html":
        from workbench.render.html import render_document_html

        return render_document_html(document, zone)
    if format == "json":
        return _json(document)
    if format == "junit":
        from workbench.render.junit import render_junit

        return render_junit(document.gates, document.title, document.generated_at)
    raise ValueError(f"unknown report format {format!r}; known: {', '.join(FORMATS)}")


def verdict(gates: Sequence[GateResult]) -> Note | None:
    """The gates in one sentence, or None where there are none."""
    failed = sum(not gate.passed for gate in gates)
    if not gates:
        return None
    if failed:
        return Note(f"{failed} of {len(gates)} gates failed" if len(gates) > 1 else "the gate failed", "bad")
    return Note(f"all {len(gates)} gates passed" if len(gates) > 1 else "the gate passed", "good")


def gates_table(gates: Sequence[GateResult]) -> Table:
    """Gates as a table, failing ones first."""
    columns = (
        Column("verdict"), Column("name", "gate"), Column("message", "why"), Column("value", align="right"),
        Column("check"), Column("subject", "judged"),
    )  # fmt: skip
    rows = [
        (
            Cell("passed" if gate.passed else "FAILED", "good" if gate.passed else "bad"), Cell(gate.name),
            Cell(gate.message), Cell(gate.value), Cell(gate.check), Cell(gate.subject),
        )
        for gate in failing_first(gates)
    ]  # fmt: skip
    return Table(columns, rows)


def byline(document: Document, zone: tzinfo | None) -> str:
    """Subtitle and time of making, in one line."""
    parts = [document.subtitle] if document.subtitle else []
    if document.generated_at is not None:
        parts.append(units.timestamp(document.generated_at, zone))
    return "  ·  ".join(parts)


def _text(document: Document, fit: Fit, color: bool, zone: tzinfo | None) -> str:
    rows = [crop(row(document.title, "accent", bold=True), fit.columns)]
    if line := byline(document, zone):
        rows.append(crop(row(line, "dim"), fit.columns))
    sentence = verdict(document.gates)
    if sentence:
        rows += [(), *block_rows(sentence, fit, zone), (), *_gate_rows(document.gates, fit)]
    rule = ("─" if fit.unicode else "-") * min(fit.columns, _WIDEST_RULE)
    for section in document.sections:
        rows += [(), crop(row(section.title, "accent", bold=True), fit.columns), row(rule, "dim")]
        rows += block_rows(section.block, Fit(fit.columns, 0, fit.colors, fit.unicode), zone)
    return write(rows, fit, color)


def _gate_rows(gates: Sequence[GateResult], fit: Fit) -> list[Row]:
    """Gates as a table; where that is too wide, each in lines of its own, so that no reason is cut."""
    rows = table_rows(gates_table(gates), Fit(10_000, 0, fit.colors, fit.unicode))
    if all(cells(line) <= fit.columns for line in rows):
        return rows
    rows = []
    for gate in failing_first(gates):
        head = f"{gate.name} {'passed' if gate.passed else 'FAILED'}: {gate.message}"
        rows += block_rows(Note(head, "good" if gate.passed else "bad"), fit)
        check = f"{gate.check}  ·  {gate.subject}" if gate.subject else gate.check
        rows += [(Span("  "), Span(line, "dim")) for line in wrap(plain(check), fit.columns - 2)]
    return rows


def _json(document: Document) -> str:
    from workbench.render.json import gates_json, moment, render_json, to_json

    sections = [
        {
            "title": section.title,
            "anchor": section.anchor,
            **({"data": section.data} if section.data is not None else {"block": to_json(section.block)}),
        }
        for section in document.sections
    ]
    whole = {
        "title": document.title,
        "subtitle": document.subtitle,
        "generated_at": moment(document.generated_at),
        "passed": all(gate.passed for gate in document.gates),
        "gates": gates_json(failing_first(document.gates)),
        "sections": sections,
    }
    return render_json(whole)
