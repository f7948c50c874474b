"""What a screen tells of itself: the command that prints it, and what can be copied from it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct

from workbench.core.blocks import Cell, Column, Columns, Heat, Stack, Table

if TYPE_CHECKING:
    from workbench.tui.drawing import Target
    from workbench.tui.yank import Copied


class Spoken(Struct, frozen=True):
    """A command that prints what is seen, and what of it."""

    about: str
    words: Sequence[str]


class Shown(Struct, frozen=True):
    """What can be copied from a screen."""

    tables: Callable[[], Sequence[Table]] = tuple
    """Asked for when they are copied: a table of thousands of runs is long."""
    columns: Sequence[Column] = ()
    row: Sequence[Cell] = ()
    """The row the cursor is on, by `columns`."""
    value: Cell | None = None
    """The one value the cursor is on, where it is on a value rather than on a row."""
    id: str = ""
    path: str = ""
    block: object = None
    """The whole view, where it is more than tables."""

    @property
    def values(self) -> list[tuple[str, str]]:
        """The values of the row by the titles of their columns."""
        from workbench.tui.yank import cell_words  # none of what copying needs is wanted before the first paint

        if self.value is not None:
            return [("", cell_words(self.value))]
        return [
            (column.title or column.key, cell_words(cell))
            for column, cell in zip(self.columns, self.row, strict=True)
            if column.key != "spark"
        ]

    def offers(self) -> list[str]:
        """What there is to copy, by the words for it; the command goes without saying."""
        there = {
            "value": bool(self.values), "row": bool(self.row), "id": bool(self.id), "path": bool(self.path),
            "markdown": bool(self.row or self.block), "csv": bool(self.row or (self.block and self.tables())),
        }  # fmt: skip
        return [what for what, is_there in there.items() if is_there]

    def copied(self, what: str) -> Copied:
        """One of what it offers, as text; of a row's values the first one."""
        from workbench.tui.yank import Copied, row_words, table_csv

        if what == "value":
            title, words = self.values[0]
            return Copied(title or "value", words)
        if what == "row":
            return Copied("row", row_words(self.columns, self.row))
        if what == "csv":
            return Copied("CSV", table_csv(self.tables()))
        if what == "markdown":
            return Copied("Markdown", self._markdown())
        return Copied(what, getattr(self, what))

    def _markdown(self) -> str:
        from workbench.render.markdown import render_markdown

        return render_markdown(self.block or Stack(list(self.tables())))  # type: ignore[arg-type]


def tables_of(block: object) -> list[Table]:
    """Every table in a block, in order."""
    if isinstance(block, Table):
        return [block]
    if isinstance(block, Stack | Columns):
        return [table for part in block.blocks for table in tables_of(part)]
    return []


def row_of(tables: Sequence[Table], target: Target | None) -> tuple[Sequence[Column], Sequence[Cell]]:
    """The columns and cells of the row a cursor is on; nothing where it is on no row of a table."""
    for table in tables:
        if target is not None and target.row in table.ids:
            return table.columns, table.rows[list(table.ids).index(target.row)]
    return (), ()


def value_at(block: object, target: Target | None) -> Cell | None:
    """The value of the heat map's cell a cursor is on."""
    if target is None or target.column is None:
        return None
    for heat in _heats(block):
        if target.row in heat.rows:
            values = heat.values[list(heat.rows).index(target.row)]
            return Cell(values[target.column]) if target.column < len(values) else None
    return None


def _heats(block: object) -> list[Heat]:
    if isinstance(block, Heat):
        return [block]
    return [heat for part in block.blocks for heat in _heats(part)] if isinstance(block, Stack | Columns) else []
