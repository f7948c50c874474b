"""What is done to the run table as a whole: filter, sort, columns, marks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from workbench.core.model import Run
from workbench.core.where import WhereError
from workbench.tui.bars import Piece
from workbench.tui.dialogs import Chooser, Option
from workbench.tui.places import Place, bar_places, grid_places
from workbench.tui.prompt import Verdict
from workbench.tui.run_actions import RunActions
from workbench.tui.run_words import count
from workbench.tui.spoken import Names, compare_words, runs_words
from workbench.tui.telling import Shown, Spoken

if TYPE_CHECKING:
    from workbench.tui.grid import RunGrid

MOST_MARKED = 20
"""Runs marked at once: more curves cannot be told apart."""


class TableActions(RunActions):
    """Filter, sort, columns and marks of the run table."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._first_column = 0
        self._preview: str | None = None

    @property
    def grid(self) -> RunGrid:
        """The table."""
        raise NotImplementedError

    @property
    def where(self) -> str:
        """The filter as it stands, or as it is being typed."""
        return self.workbench.view.where if self._preview is None else self._preview

    def show_columns(self) -> None:
        """Lay the columns out again."""
        raise NotImplementedError

    def current_run(self) -> Run | None:
        """The run under the cursor."""
        return self.workbench.rows.by_id.get(self.grid.cursor or "")

    def move(self, rows: int) -> None:
        """Move the cursor by rows."""
        self.grid.move(rows)

    def move_page(self, pages: int) -> None:
        """Move the cursor by pages."""
        self.grid.move_page(pages)

    def move_to_end(self, last: bool) -> None:
        """To the first or the last row."""
        if self.grid.ids:
            self.grid.move_to(self.grid.ids[-1 if last else 0])

    def action_open(self) -> None:
        """Open the run under the cursor."""
        if self.grid.cursor is not None and self.workbench.live:
            self.workbench.open_run(self.grid.cursor)

    def action_mark(self) -> None:
        """Mark the run and go one down, so that a row of them is marked by holding the key."""
        run = self.current_run()
        if run is not None:
            self.workbench.toggle_mark(run.id)
            self.grid.move(1)

    def action_mark_all(self) -> None:
        """Mark all that is shown, or clear every mark."""
        marks = () if self.workbench.view.marks else tuple(self.grid.ids[:MOST_MARKED])
        self.workbench.change_view(marks=marks)

    def action_filter(self) -> None:
        """Type a filter with the table following."""
        self.ask("lr>1e-3 tag:x state:running val/loss<0.4", self.workbench.view.where, self._judge, self._filtered)

    def _judge(self, where: str) -> Verdict:
        app = self.workbench
        try:
            shown = app.rows.arrange(app.view, where)
        except WhereError as error:
            return Verdict(error.message, error.position)
        if self._preview != where:
            self._preview = where
            self.data_changed()
        missing = app.rows.unknown_keys(where)
        return Verdict(f"{count(len(shown), 'run')} {'match' if len(shown) != 1 else 'matches'}{missing}")

    def _filtered(self, where: str | None) -> None:
        self._preview = None
        if where is not None and where.strip() != self.workbench.view.where:
            self.workbench.change_view(where=where.strip())
        else:
            self.data_changed()

    def action_sort(self) -> None:
        """Choose what to sort by."""
        rows, view = self.workbench.rows, self.workbench.view
        options = [
            Option(
                choice.key,
                choice.title,
                ("▼" if view.descending else "▲") * (choice.key == view.sort),
                choice.key == view.sort,
            )
            for choice in rows.choices()
        ]
        self.app.push_screen(Chooser("Sort by", lambda: options), self._sorted)

    def _sorted(self, key: str | None) -> None:
        if key is not None:
            self.workbench.sort_by(key)

    def action_reverse(self) -> None:
        """Turn the order."""
        self.workbench.change_view(descending=not self.workbench.view.descending)

    def action_columns(self) -> None:
        """Choose the columns, their order and their widths."""
        from workbench.tui.column_chooser import Chosen, ColumnChooser

        app = self.workbench
        changed = lambda chosen: app.change_view(columns=chosen.columns, widths=dict(chosen.widths))  # noqa: E731
        chosen = Chosen(app.view.columns, app.view.widths)
        self.app.push_screen(ColumnChooser(app.rows.extra_columns, chosen, changed))

    # What it tells of itself

    def spoken(self) -> Sequence[Spoken]:
        """The table as it is filtered and sorted, and the marked runs side by side."""
        app = self.workbench
        said = [Spoken("these runs", runs_words(app.view, app.rows.sort_key(app.view.sort)))]
        if app.view.marks:
            words = compare_words(app.view.marks, app.focus, Names(app.rows.by_id))
            said.append(Spoken("the marked runs side by side", words))
        return said

    def shown(self) -> Shown:
        """The run under the cursor, and every row of the table."""
        run, rows, view = self.current_run(), self.workbench.rows, self.workbench.view
        if run is None or not self.workbench.live:
            return Shown()
        one = rows.table(view, [run.id])
        return Shown(lambda: [rows.table(view, self.grid.ids)], one.columns, one.rows[0], None, run.id, run.path)

    def places(self) -> list[Place]:
        """Titles and rows of the table, and the tabs."""
        return [*grid_places(self.grid), *bar_places(self)] if self.grid.ids else bar_places(self)

    def action_go_to(self, run_id: str) -> None:
        """Put the cursor on a run."""
        self.grid.move_to(run_id)

    def action_open_at(self, run_id: str) -> None:
        """Open a run."""
        self.grid.move_to(run_id)
        self.workbench.open_run(run_id)

    def action_sort_by(self, key: str) -> None:
        """Sort by a column, as a click on its title does."""
        self.workbench.sort_by({"spark": "main"}.get(key, key))

    def action_scroll_columns(self, columns: int) -> None:
        """Show other columns, or move the crosshair while it is on."""
        if self.reading:
            self.action_cross(columns)
            return
        most = max(0, self.workbench.rows.extra_count(self.workbench.view) - 1)
        self._first_column = max(0, min(most, self._first_column + columns))
        self.show_columns()
        self.show_bars()

    def column_pieces(self) -> list[Piece]:
        """That there are more columns than fit, and the key that shows them."""
        extras = self.workbench.rows.extra_count(self.workbench.view)
        shown = len(self.grid.layout_now.columns) - self.workbench.rows.fixed_count
        behind = extras - self._first_column - shown
        words = [f"← {self._first_column}"] * bool(self._first_column) + [f"{behind} →"] * (behind > 0)
        return [Piece(f"more columns {'  '.join(words)}   ", "dim", keep=6)] if words else []
