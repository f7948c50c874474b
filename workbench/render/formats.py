"""The one door to all formats: a document in, the text of a file out."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, tzinfo
from typing import Literal, get_args

from workbench.core.blocks import Note
from workbench.core.gates import GateResult, failing_first
from workbench.core.query import Fit
from workbench.core.text import plain, wrap
from workbench.render.document import Document, byline, gates_table, verdict
from workbench.render.spans import Row, Span, cells, crop, row
from workbench.render.table import table_rows
from workbench.render.text import block_rows, write

Format = Literal["text", "md", "html", "json", "junit"]
FORMATS: tuple[Format, ...] = get_args(Format)
_WIDEST_RULE = 100


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
