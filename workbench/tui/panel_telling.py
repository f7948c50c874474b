"""What a panel's screen tells of itself: its command, what can be copied from it, and where one can jump in it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from msgspec.structs import replace

from workbench.core.blocks import Block
from workbench.tui.drawing import Target
from workbench.tui.lines_view import LinesView
from workbench.tui.panel_loader import PanelLoader
from workbench.tui.places import Place, bar_places, page_places
from workbench.tui.spoken import Names, panel_words
from workbench.tui.telling import Shown, Spoken, row_of, tables_of, value_at


class PanelTelling(PanelLoader):
    """A panel's data with the page it is shown on."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.crumb = ""
        self._block: Block | None = None

    @property
    def page(self) -> LinesView:
        """The view of the panel's blocks."""
        return self.query_one("#panel", LinesView)

    def _open(self, target: Target | None) -> None:
        raise NotImplementedError

    def spoken(self) -> Sequence[Spoken]:
        """The command that prints this view, of the monitor it chose."""
        focus = self._focus if self._shown else self.focus_now
        chosen = getattr(self._data, "monitor", None)
        if focus.monitor is None and isinstance(chosen, str):
            focus = replace(focus, monitor=chosen)
        return [Spoken(self.panel.title, panel_words(self.panel.name, focus, Names(self.workbench.rows.by_id)))]

    def shown(self) -> Shown:
        """What the cursor is on, and the whole view."""
        if self._block is None or self._failure is not None:
            return Shown()
        tables, target = tables_of(self._block), self.page.target
        columns, row = row_of(tables, target)
        value = value_at(self._block, target)
        run = self.workbench.rows.by_id.get(self._own_focus.get("run", "") if target is None else target.row)
        run = run or self.workbench.rows.by_id.get(self._own_focus.get("run", ""))
        about = run.id if run is not None else "" if target is None else target.row
        path = run.path if run is not None else self.crumb if self.panel.name == "source" else ""
        return Shown(lambda: tables, columns, row, value, about, path, self._block)

    def places(self) -> list[Place]:
        """What the cursor can be on, and the tabs."""
        return [*page_places(self.page), *bar_places(self)]

    def action_go_to(self, row: str, column: int | None) -> None:
        """Put the cursor somewhere."""
        self.page.select(row, column)

    def action_open_at(self, row: str, column: int | None) -> None:
        """Open what is there."""
        self.page.select(row, column)
        self._open(self.page.target)
