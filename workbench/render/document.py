"""A report as a whole: sections of blocks, and the gates it was judged by."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import tzinfo
from typing import Any

from msgspec import Struct

from workbench.core import units
from workbench.core.blocks import Block, Cell, Column, Note, Table
from workbench.core.gates import GateResult, failing_first


class Section(Struct, frozen=True):
    """One part of a report; `anchor` names it in links."""

    title: str
    block: Block
    anchor: str = ""
    data: Any = None
    """What JSON shows instead of the block: the panel's own data."""


class Document(Struct, frozen=True):
    """A report: title, sections in order, and the gates it was judged by."""

    title: str
    subtitle: str = ""
    sections: Sequence[Section] = ()
    gates: Sequence[GateResult] = ()
    generated_at: float | None = None
    """Seconds since 1970; None leaves the time out, so that the same data give the same report."""


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
