"""Blocks as GitHub-flavoured Markdown: tables and notes as Markdown, charts as fenced text."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, tzinfo

from workbench.core import units
from workbench.core.blocks import Block, Cell, Column, Columns, Empty, Note, Stack, Stat, Table
from workbench.core.palette import GLYPHS
from workbench.core.query import Fit
from workbench.core.series import sparkline
from workbench.core.text import plain
from workbench.render.cells import cell_text, header, is_numeric, stat_words
from workbench.render.document import Document, byline, gates_table, verdict
from workbench.render.text import render_text

_CHART = Fit(columns=88, rows=14, colors=0)
# What means something anywhere in a line, an underscore beside a letter aside; then what does at a line's start.
_SPECIAL = re.compile(r"([\\`*\[\]<>|~$]|(?<!\w)_|_(?!\w)|&(?=#?\w+;)|:(?=[a-z+-][\w+-]*:))")
_LEADING = re.compile(r"^(\s*\d+)([.)])(?=\s|$)|^(\s*)([#+=-])(?=[\s#+=-]|$)")
# GitHub turns these into links even when they are escaped; a zero-width space parts them.
_LINKED = re.compile(r"(@(?=\w)|\bwww(?=\.)|#(?=\d)|:(?=//))", re.ASCII | re.IGNORECASE)
_MARKER = "\ue000"


def render_markdown(block: Block, zone: tzinfo | None = UTC) -> str:
    """A block as Markdown; ends with a line end."""
    return "\n\n".join(_parts(block, zone)) + "\n"


def render_document_markdown(document: Document, zone: tzinfo | None = UTC) -> str:
    """A report as Markdown: the gates first, then each section under its heading."""
    parts = [f"# {escape(document.title)}"]
    if line := byline(document, zone):
        parts.append(escape(line))
    if sentence := verdict(document.gates):
        parts += [*_note(sentence), *_table(gates_table(document.gates))]
    for section in document.sections:
        parts += [f"## {escape(section.title)}", *_parts(section.block, zone)]
    return "\n\n".join(part for part in parts if part) + "\n"


def escape(text: object) -> str:
    """Text that Markdown shows as it is: no markup, HTML, mention, link or image comes of it, and no new line."""
    parted = _LINKED.sub(rf"\1{_MARKER}", plain(text).replace(_MARKER, ""))
    escaped = _LEADING.sub(r"\1\3\\\2\4", _SPECIAL.sub(r"\\\1", parted))
    return escaped.replace(_MARKER, "&#8203;")


def fence(text: str) -> str:
    """Text as a code block, whatever runs of backticks it holds."""
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    ticks = "`" * max(3, longest + 1)
    return f"{ticks}text\n{text.rstrip()}\n{ticks}"


def _parts(block: Block, zone: tzinfo | None) -> list[str]:
    match block:
        case Table():
            return _table(block)
        case Stat():
            return _stats([block])
        case Note():
            return _note(block)
        case Empty():
            return [f"*{escape(block.title)}*" + (f" {escape(block.hint)}" if block.hint else "")]
        case Stack():
            head = [f"**{escape(block.title)}**"] if block.title else []
            return [*head, *_several(block.blocks, zone)]
        case Columns():
            return _several(block.blocks, zone)
        case _:
            return [fence(render_text(block, _CHART, zone=zone))]


def _several(blocks: Sequence[Block], zone: tzinfo | None) -> list[str]:
    """Blocks one after another; figures in a row become one table."""
    parts: list[str] = []
    waiting: list[Stat] = []
    for block in blocks:
        if isinstance(block, Stat):
            waiting.append(block)
            continue
        parts += _stats(waiting)
        waiting = []
        parts += _parts(block, zone)
    return parts + _stats(waiting)


def _stats(stats: Sequence[Stat]) -> list[str]:
    if not stats:
        return []
    lines = ["| figure | value | to baseline |", "| --- | ---: | --- |"]
    for stat in stats:
        value, change = stat_words(stat)
        lines.append(f"| {escape(stat.label)} | {escape(value)} | {escape(change)} |")
    return ["\n".join(lines)]


def _note(note: Note) -> list[str]:
    lines = [escape(line) for line in plain(note.text, multiline=True).split("\n")]
    mark = GLYPHS[note.tone]
    lines = [*(f"{line}\\" for line in lines[:-1]), lines[-1]]  # a backslash keeps the line's end
    return ["\n".join(f"> {mark} {line}" if index == 0 and mark else f"> {line}" for index, line in enumerate(lines))]


def _table(table: Table) -> list[str]:
    head = [f"**{escape(table.title)}**"] if table.title else []
    if not table.columns:
        return head
    titles = [escape(header(column)) for column in table.columns]
    rules = ["---:" if is_numeric(one, table.rows, index) else "---" for index, one in enumerate(table.columns)]
    lines = [_line(titles), _line(rules)]
    for cells in table.rows:
        padded = [*cells, *[Cell("")] * (len(table.columns) - len(cells))]
        lines.append(_line([_cell(cell, column) for cell, column in zip(padded, table.columns, strict=False)]))
    return [*head, "\n".join(lines)]


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cell(cell: Cell, column: Column) -> str:
    if len(cell.spark) and not cell.text:
        return sparkline(cell.spark, 16)
    text = escape(cell_text(cell, column))
    if cell.delta is not None:
        text += f" ({escape(units.delta(cell.delta))})"
    mark = GLYPHS[cell.tone]
    own = text[:1] in {"", mark} or not (text[0].isalnum() or text[0] == "\\")
    return text if own or not mark else f"{mark} {text}"
