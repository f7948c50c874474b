"""What is done to the run table as a whole: filter, sort, columns, marks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workbench.core.where import WhereError
from workbench.tui.dialogs import Chooser, Option, Prompt, Verdict
from workbench.tui.run_actions import RunActions
from workbench.tui.run_words import count

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

    def show_columns(self) -> None:
        """Lay the columns out again."""
        raise NotImplementedError

    def action_mark_all(self) -> None:
        """Mark all that is shown, or clear every mark."""
        marks = () if self.workbench.view.marks else tuple(self.grid.ids[:MOST_MARKED])
        self.workbench.change_view(marks=marks)

    def action_filter(self) -> None:
        """Type a filter with the table following."""
        self.app.push_screen(
            Prompt("lr>1e-3 tag:x state:running val/loss<0.4", self.workbench.view.where, self._judge), self._filtered
        )

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
        """Choose the columns."""
        self.app.push_screen(Chooser("Columns", self.workbench.column_options, self.workbench.toggle_column))

    def action_scroll_columns(self, columns: int) -> None:
        """Show other columns."""
        most = max(0, self.workbench.rows.extra_count(self.workbench.view) - 1)
        self._first_column = max(0, min(most, self._first_column + columns))
        self.show_columns()
