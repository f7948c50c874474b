"""Writing a statement: completion, history, new lines, and the line of help below."""

from __future__ import annotations

from textual import on
from textual.widgets import TextArea

from workbench.tui.bars import Bar, Piece
from workbench.tui.sql_asking import SqlAsking
from workbench.tui.sql_editor import SqlEditor


class SqlWriting(SqlAsking):
    """What keys do while the statement has the focus."""

    def show_hint(self) -> None:
        """What the word may become while something is written; else the command that gives the same."""
        if not self.is_mounted:
            return
        pieces = [Piece(f" $ {self.command}", "dim")] if self._asked else [Piece(" tables: ", "dim")]
        if not self._asked:
            pieces += [Piece(f"{name}  ", "dim", keep=2 + at) for at, name in enumerate(self._schema or ())]
        if self.writing and (names := self.editor.offered(self._schema or {}).names):
            complete = self.workbench.key_for("complete", "sql_edit")
            pieces = [
                Piece(f" {complete}: ", "dim"),
                *(Piece(f"{each}  ", "accent", keep=at) for at, each in enumerate(names)),
            ]
        self.query_one("#sql-hint", Bar).show(pieces)

    def _keyed(self) -> dict[str, str]:
        mine = (each for each in self.workbench.actions if each.scope == "sql_edit" and each.id != "quit")
        return {key: each.id for each in mine for key in each.keys}

    @on(SqlEditor.Wanted)
    async def _wanted(self, event: SqlEditor.Wanted) -> None:
        event.stop()
        await self.perform(event.action)

    @on(TextArea.Changed)
    def _typed(self, event: TextArea.Changed) -> None:
        event.stop()
        self.editor.fit()
        self.show_hint()

    def on_descendant_focus(self) -> None:
        """Other keys work now."""
        self.show_hint()
        self.show_bars()

    def on_descendant_blur(self) -> None:
        """Other keys work now."""
        self.show_hint()
        self.show_bars()

    def action_edit(self) -> None:
        """Write the statement."""
        self.editor.focus()

    def action_complete(self) -> None:
        """Complete the word before the cursor."""
        found, chosen = self.editor.complete(self._schema or {})
        if not found.names:
            self.workbench.say("nothing begins so")
            return
        pieces = [
            Piece(f"{name}  ", "strong" if at == chosen else "accent", keep=0 if at == chosen else 1 + at)
            for at, name in enumerate(found.names)
        ]
        complete = self.workbench.key_for("complete", "sql_edit")
        self.call_after_refresh(self.query_one("#sql-hint", Bar).show, [Piece(f" {complete}: ", "dim"), *pieces])

    def action_earlier(self) -> None:
        """The statement before the one that is shown."""
        statements = self._history.statements
        place = len(statements) if self._recalled is None else self._recalled
        if self._recalled is None:
            self._draft = self.editor.text
            place -= bool(statements and statements[-1] == self._draft.strip())
        if place > 0:
            self._recall(place - 1)

    def action_later(self) -> None:
        """The statement after it, at last the one that was being written."""
        if self._recalled is None:
            return
        if self._recalled + 1 < len(self._history.statements):
            self._recall(self._recalled + 1)
        else:
            self._recalled = None
            self.editor.write(self._draft)

    def _recall(self, place: int) -> None:
        self._recalled = place
        self.editor.write(self._history.statements[place])

    def action_leave(self) -> None:
        """Stop what runs, else leave the statement for the result."""
        if self._stop is not None:
            self.go_back()
        else:
            self.set_focus(None)
