"""SQL on a snapshot of the store: a statement above, what it gives below, tables and columns beside or instead."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from msgspec.structs import replace
from textual import events, on
from textual.containers import Horizontal
from textual.widget import Widget

from workbench.core import units
from workbench.report.tables import rows_table
from workbench.tui.action import Action
from workbench.tui.bars import Bar, Piece
from workbench.tui.dialogs import Chooser, Option, Reader
from workbench.tui.drawing import Drawing, Room
from workbench.tui.feed import posting
from workbench.tui.keys import bindings
from workbench.tui.lines_view import LinesView
from workbench.tui.pages import text_page
from workbench.tui.prompt import Verdict
from workbench.tui.run_actions import ListActions
from workbench.tui.run_words import count
from workbench.tui.sql_asking import one_line
from workbench.tui.sql_editor import SqlEditor
from workbench.tui.sql_feed import write
from workbench.tui.sql_grid import SqlGrid
from workbench.tui.sql_pages import nothing_page, refusal_page, schema_page
from workbench.tui.sql_writing import SqlWriting
from workbench.tui.telling import Shown, Spoken

BESIDE = 130
"""Columns of a terminal from which tables and columns stand beside the result."""
MOST_SHOWN = 400
"""Characters of a statement in the list of those that were run."""


class SqlScreen(ListActions, SqlWriting):
    """Typing goes to the statement while that has the focus; else keys are actions, as everywhere."""

    SCOPES = ("sql", "list")
    BINDINGS = bindings(*SCOPES)
    AUTO_FOCUS = ""  # a dialog that closes leaves the focus where it was
    DEFAULT_CSS = """
    SqlScreen #sql-hint { height: 1; }
    SqlScreen #sql-body { height: 1fr; }
    SqlScreen #sql-schema { display: none; width: 44; border-left: solid $border; padding: 0 0 0 1; }
    SqlScreen.-beside #sql-schema { display: block; }
    SqlScreen #sql-grid, SqlScreen.-grid #sql-page { display: none; }
    SqlScreen.-grid #sql-grid { display: block; }
    """

    def content(self) -> Sequence[Widget]:
        """Statement, a line of help, the result or a page, and the schema where there is room."""
        return (
            SqlEditor(self._keyed, lambda: self.look),
            Bar(lambda: self.look, id="sql-hint"),
            Horizontal(
                SqlGrid(lambda: self.look, id="sql-grid"),
                LinesView(self._draw_page, lambda: self.look, id="sql-page"),
                LinesView(self._draw_schema, lambda: self.look, id="sql-schema"),
                id="sql-body",
            ),
        )

    def on_mount(self) -> None:
        """Begin to write at once."""
        self.editor.focus()
        self._load_schema()

    def look_changed(self) -> None:
        """Draw in the new colours."""
        super().look_changed()
        self.editor.notify_style_update()
        self.grid.refresh()
        for view in self.query(LinesView):
            view.redraw()

    def on_resize(self, event: events.Resize) -> None:
        """The schema beside the result where there is room."""
        self._put_schema(event.size.width)
        self.call_after_refresh(self.editor.fit)

    def _put_schema(self, width: int) -> None:
        """Tables and columns beside the result where there is room, unless they stand in its place."""
        self.set_class(width >= BESIDE and not self._reading_schema, "-beside")

    # Drawing

    def show_body(self) -> None:
        """Show the result, or why there is none."""
        answered = self._answer is not None and self._refused is None and bool(self._answer.rows.rows)
        self.set_class(answered and not self._reading_schema, "-grid")
        self._put_schema(self.app.size.width)
        for view in self.query(LinesView):
            view.redraw()
        self.show_hint()
        self.show_bars()

    def _draw_page(self, room: Room) -> Drawing:
        run = self.workbench.key_for("submit", "sql_edit")
        if not self._reading_schema and self._refused is not None:
            return refusal_page(self._refused, self._asked, room, run)
        if not self._reading_schema and self._answer is not None:
            return nothing_page(self._answer.rows, room, run)
        return self._draw_schema(room)

    def _draw_schema(self, room: Room) -> Drawing:
        return schema_page(self._schema, self._about, room)

    def state_line(self) -> tuple[Sequence[Piece], Sequence[Piece]]:
        """What the result is, and of when; or how long it is being waited for."""
        left = [Piece(" SQL", "strong")]
        answer = self._answer
        if self._stop is not None:
            seconds = time.monotonic() - self._since
            words = (
                "stopping …"
                if self._stop.asked
                else f"running {seconds:.0f} s · {self.workbench.key_for('back')} stops it"
            )
            return [*left, Piece(f"  {words}", "warn")], ()
        if self._refused is not None:
            left.append(Piece(f"  ✗ {units.duration(self._refused.seconds)}", "bad"))
        elif answer is not None:
            rows = answer.rows
            more = " (the first, there are more)" if rows.more else ""
            left.append(Piece(f"  {count(len(rows.rows), 'row')}{more} in {units.duration(answer.seconds)}"))
            left.append(Piece(f" · the store as of {units.timestamp(answer.taken_at, None)[11:19]}", "dim", keep=2))
        return left, self._place_pieces()

    def _place_pieces(self) -> list[Piece]:
        """Which row, and that there are more columns."""
        if not self.has_class("-grid"):
            return []
        grid = self.grid
        behind = grid.hidden_columns
        words = [f"← {grid.first}"] * bool(grid.first) + [f"{behind} →"] * (behind > 0)
        more = [Piece(f"more columns {'  '.join(words)}   ", "dim", keep=3)] if words else []
        return [*more, Piece(f"row {grid.cursor + 1:,} ", "dim", keep=1)]

    def spoken(self) -> Sequence[Spoken]:
        """The command that gives the same."""
        return [Spoken("this answer", ["sql", one_line(self._asked)])] if self._asked else []

    def shown(self) -> Shown:
        """The row under the cursor, and the whole answer."""
        if not self.has_class("-grid"):
            return Shown()
        rows = self.grid.rows
        row = rows_table(replace(rows, rows=rows.rows[self.grid.cursor : self.grid.cursor + 1]))
        return Shown(lambda: [rows_table(rows)], row.columns, row.rows[0])

    def offered(self) -> list[Action]:
        """While a statement is written, its keys and no other."""
        if not self.writing:
            return super().offered()
        return [each for each in self.workbench.actions if each.scope == "sql_edit"]

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Only what does something here is offered."""
        if not self.is_mounted:
            return True
        if action in ("open", "scroll_columns"):
            return self.has_class("-grid")
        if action == "export":
            return self._answer is not None
        if action == "history":
            return bool(self._history.statements)
        return action != "run" or bool(self._asked)

    # The result

    def move(self, rows: int) -> None:
        """Move the cursor by rows."""
        if self.has_class("-grid"):
            self.grid.move(rows)
        else:
            self.page.move(rows)

    def move_page(self, pages: int) -> None:
        """Move the cursor by pages."""
        if self.has_class("-grid"):
            self.grid.move_page(pages)
        else:
            self.page.move_page(pages)

    def move_to_end(self, last: bool) -> None:
        """To the first or the last row."""
        self.move(10_000_000 if last else -10_000_000)

    @on(SqlGrid.Moved)
    def _moved(self, event: SqlGrid.Moved) -> None:
        event.stop()
        self.show_bars()

    @on(SqlGrid.Opened)
    def _clicked_open(self, event: SqlGrid.Opened) -> None:
        event.stop()
        self.action_open()

    def action_scroll_columns(self, columns: int) -> None:
        """Show other columns."""
        self.grid.scroll_columns(columns)

    def action_open(self) -> None:
        """The whole row under the cursor."""
        if self.has_class("-grid"):
            self.app.push_screen(Reader(f"Row {self.grid.cursor + 1:,}", text_page(self.grid.record())))

    def action_schema(self) -> None:
        """Tables and columns, or the result again."""
        self._reading_schema = not self._reading_schema
        self.show_body()

    def action_history(self) -> None:
        """Choose a statement that was run before."""
        kept = list(enumerate(self._history.statements))
        options = [Option(str(place), " ".join(each.split())[:MOST_SHOWN]) for place, each in reversed(kept)]
        self.app.push_screen(Chooser("History", lambda: options), self._chosen)

    def _chosen(self, place: str | None) -> None:
        if place is not None:
            self._recall(int(place))
            self.editor.focus()

    def action_export(self) -> None:
        """Write the result to a file."""
        if self.workbench.read_only:
            self.workbench.say("read-only: no file is written", bad=True)
            return
        self.ask("result.csv, .parquet, .json or .md", "result.csv", _judge_file, self._export)

    def _export(self, name: str | None) -> None:
        answer = self._answer
        if name is not None and answer is not None and name.strip():
            path = Path(name.strip()).expanduser().absolute()
            self._files.submit(posting(self.app.post_message, lambda: write(answer.rows, path)))

    def go_back(self) -> None:
        """Esc: what runs is stopped first, then this screen is left."""
        if self._stop is not None:
            self._stop()
            self.show_bars()
        else:
            self.app.switch_mode("runs")


def _judge_file(name: str) -> Verdict:
    """Which format a name says, or that it says none."""
    from workbench.report.tables import FormatError, format_of

    try:
        return Verdict(f"written as {format_of(Path(name.strip()))} where workbench was started, never over a file")
    except FormatError as error:
        return Verdict(str(error), len(name))
