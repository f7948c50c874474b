"""SQL on a snapshot of the store: asking, and what comes back; the interface goes on meanwhile."""

from __future__ import annotations

import time

from textual import on
from textual.timer import Timer

from workbench.core.query import Limits, Stop
from workbench.tui.background import Lane
from workbench.tui.chrome import WorkbenchScreen
from workbench.tui.feed import posting
from workbench.tui.lines_view import LinesView
from workbench.tui.spoken import line
from workbench.tui.sql_complete import Schema, is_open
from workbench.tui.sql_editor import SqlEditor
from workbench.tui.sql_feed import Answered, Refused, SchemaLoaded, ask, load_schema
from workbench.tui.sql_grid import SqlGrid
from workbench.tui.sql_history import SqlHistory


class SqlAsking(WorkbenchScreen):
    """One statement at a time; a newer one stops the one before."""

    def __init__(self, history: SqlHistory) -> None:
        super().__init__()
        self._history = history
        self._recalled: int | None = None
        """Place in the history of what stands in the editor."""
        self._draft = ""
        self._lane, self._files = Lane("sql"), Lane("sql-files", keep_all=True)
        self._number = 0
        self._stop: Stop | None = None
        self._since = 0.0
        self._ticking: Timer | None = None
        self._waits = ""
        """A statement that runs once the store is open."""
        self._asked = ""
        """The statement that the result is of."""
        self._answer: Answered | None = None
        self._refused: Refused | None = None
        self._reading_schema = True
        """Tables and columns are shown in the result's place."""
        self._schema: Schema | None = None
        self._about: dict[str, str] = {}

    @property
    def editor(self) -> SqlEditor:
        """Where the statement is written."""
        return self.query_one(SqlEditor)

    @property
    def grid(self) -> SqlGrid:
        """The result."""
        return self.query_one(SqlGrid)

    @property
    def page(self) -> LinesView:
        """What stands in the result's place."""
        return self.query_one("#sql-page", LinesView)

    @property
    def writing(self) -> bool:
        """Whether keys go to the statement."""
        return self.is_mounted and self.focused is self.editor

    @property
    def busy(self) -> bool:
        """Something is being asked or written."""
        return self._lane.busy or self._files.busy or self._stop is not None

    @property
    def command(self) -> str:
        """The command that gives the same."""
        return line(["sql", one_line(self._asked)])

    def show_body(self) -> None:
        """Show the result, or why there is none."""
        raise NotImplementedError

    def on_unmount(self) -> None:
        """Take no more jobs, and let none run on."""
        if self._stop is not None:
            self._stop()
        self._lane.close()

    def data_changed(self) -> None:
        """The store can be asked now, if it could not before."""
        if self._schema is None:
            self._load_schema()
        if self._waits:
            self._run(self._waits)
        self.show_bars()

    # Asking

    def _load_schema(self) -> None:
        query = self.workbench.query_or_none
        if query is not None and not self._lane.busy:
            self._lane.submit(posting(self.post_message, lambda: load_schema(query)))

    def action_submit(self) -> None:
        """Run it, or begin a new line where something is still open."""
        text = self.editor.text
        if not text.strip():
            return
        if is_open(text) and self.editor.cursor_location == self.editor.document.end:
            self.action_newline()
        else:
            self._run(text)

    def action_newline(self) -> None:
        """A new line where the cursor is."""
        self.editor.insert("\n")

    def put(self, statement: str) -> None:
        """Write this statement, and run it."""
        self.editor.write(statement)
        self._run(self.editor.text)

    def action_run(self) -> None:
        """Run it again on the store as it is now."""
        if self._asked:
            self._run(self._asked)

    def _run(self, text: str) -> None:
        query = self.workbench.query_or_none
        if query is None:
            self._waits = text
            self.workbench.say("runs as soon as the store is open")
            return
        self._waits = ""
        if self._stop is not None:
            self._stop()
        self._number += 1
        self._asked, self._recalled, self._stop, self._since = text, None, Stop(), time.monotonic()
        self._history.add(text, self.workbench.clock())
        self.editor.mark(None, None)
        number, now, settings = self._number, self.workbench.clock(), self.workbench.settings
        limits = Limits(settings.whole("sql_rows"), settings.whole("sql_seconds"), self._stop)
        self._lane.submit(posting(self.post_message, lambda: ask(query, number, text, limits, now)))
        if self._ticking is None:
            self._ticking = self.set_interval(0.5, self.show_bars)
        self.show_bars()

    def _ended(self, number: int) -> bool:
        """Whether this is the end of what was asked last; an older statement was stopped for it."""
        if number != self._number:
            return False
        self._stop = None
        if self._ticking is not None:
            self._ticking.stop()
            self._ticking = None
        self._reading_schema = False
        return True

    @on(Answered)
    def _answered(self, event: Answered) -> None:
        if self._ended(event.number):
            self._answer, self._refused = event, None
            self.grid.show(event.rows)
            if event.rows.rows:
                self.set_focus(None)
            self.show_body()

    @on(Refused)
    def _refusal(self, event: Refused) -> None:
        if self._ended(event.number):
            self._refused = event
            self.editor.mark(event.line, event.column)
            if event.line is not None and event.column is not None and self.editor.text == self._asked:
                self.editor.move_cursor((event.line - 1, event.column - 1))
            self.editor.focus()
            self.show_body()

    @on(SchemaLoaded)
    def _schema_loaded(self, event: SchemaLoaded) -> None:
        self._schema, self._about = event.schema or None, event.about
        self.show_body()


def one_line(text: str) -> str:
    """A statement on one line, where that means the same: in quotes every space counts, and a remark ends its line."""
    plain_words = not any(mark in text for mark in ("'", '"', "--", "$$"))
    return " ".join(text.split()) if plain_words else text.strip()
