"""Sources: every file being read, how far, what was refused, and why."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from msgspec import Struct

from workbench.core.model import Source
from workbench.core.query import Query
from workbench.panels.parts import that_fit
from workbench.panels.shapes import source_shape
from workbench.plugin.api import Block, Cell, Column, Columns, Empty, Fit, Focus, Panel, Stack, Stat, Table, Tone

_BAD = frozenset({"damaged", "unreadable", "error", "failed"})


class SourcesData(Struct, frozen=True):
    """Every source, those with problems first."""

    sources: Sequence[Source] = ()


class SourcesPanel(Panel):
    """What is read and what could not be."""

    name = "sources"
    title = "Sources"
    key = "5"

    def load(self, query: Query, focus: Focus) -> SourcesData:
        """Every source, those with problems first, otherwise by path; the option `problems` leaves out the others."""
        only = bool(focus.options.get("problems"))
        sources = [source for source in query.sources() if not only or has_problem(source)]
        return SourcesData(sorted(sources, key=lambda source: (not has_problem(source), source.path)))

    def view(self, data: SourcesData, fit: Fit) -> Block:
        """Totals, then a row a source."""
        if not data.sources:
            return Empty(
                "No sources yet",
                "Nothing here looks like a log or an export: `workbench detect FILE` says what a file is taken for.",
            )
        rejected = sum(source.rejected for source in data.sources)
        totals = Columns(
            [
                Stat("sources", len(data.sources)),
                Stat("bytes", sum(source.bytes for source in data.sources), "bytes"),
                Stat("accepted", sum(source.accepted for source in data.sources), "count"),
                Stat("rejected", rejected, "count", tone="warn" if rejected else "good"),
            ]
        )
        return Stack([totals, sources_table(data.sources, fit)])

    def to_json(self, data: SourcesData) -> list[dict[str, Any]]:
        """The shape of `sources --format json`."""
        return [source_shape(source) for source in sorted(data.sources, key=lambda source: source.path)]


def has_problem(source: Source) -> bool:
    """Whether something of a source was refused or it could not be read."""
    return source.rejected > 0 or source.status in _BAD


def sources_table(sources: Sequence[Source], fit: Fit) -> Table:
    """A row a source, in the given order."""
    columns = [
        Column("path", "path", priority=0),
        Column("format", "format", priority=2),
        Column("bytes", "size", "bytes", "right", priority=3),
        Column("accepted", "accepted", "count", "right", priority=2),
        Column("rejected", "rejected", "count", "right", priority=1),
        Column("status", "status", priority=1),
        Column("message", "message", priority=4),
    ]
    rows = [_row(source) for source in sources]
    kept = that_fit(columns, rows, fit)
    return Table(
        [columns[at] for at in kept],
        [[row[at] for at in kept] for row in rows],
        "Sources",
        [source.id for source in sources],
    )


def _row(source: Source) -> list[Cell]:
    tone: Tone = "bad" if source.status in _BAD else ""
    return [
        Cell(source.path),
        Cell(source.format),
        Cell(source.bytes),
        Cell(source.accepted),
        Cell(source.rejected, "warn" if source.rejected else ""),
        Cell(source.status, tone),
        Cell(source.message, text=source.message or " "),
    ]
