"""What was written down in this sitting, how to take it back, and how to do it again."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct
from textual import on
from textual.message import Message

from workbench.tui.annotator import Annotator
from workbench.tui.background import Lane
from workbench.tui.feed import posting
from workbench.tui.messages import Said
from workbench.tui.settings_app import SettingsApp

Write = Callable[[Annotator], None]


class Entry(Struct, frozen=True):
    """One thing that was written down: in words, how, and how it is taken back."""

    words: str
    write: Write
    take_back: Write


class JournalApp(SettingsApp, inherit_bindings=False):
    """Has words about runs written, and takes them back in the order they were written, the last first."""

    _annotator: Annotator
    _done: list[Entry]
    _undone: list[Entry]

    def annotate(self, done: str, write: Write, take_back: Write | None = None) -> None:
        """Have something written down about a run; what was done is said, and can be undone, when it is on disk."""
        if self.read_only:
            self.say(f"read-only, so not written: {done}", bad=True)
            return
        if take_back is None:
            self._write(done, write, lambda: None)
            return
        entry = Entry(done, write, take_back)

        def kept() -> None:
            self._done.append(entry)
            self._undone.clear()

        self._write(f"{done} · {self.key_for('undo')} takes it back", write, kept)

    def _write(
        self, said: str, write: Write, then: Callable[[], None], failed: Callable[[], None] | None = None
    ) -> None:
        def job() -> Said:
            try:
                write(self._annotator)
                return Said(said, then=then)
            except Exception as error:  # noqa: BLE001 - a disk that is full is no reason to go down
                return Said(f"not written: {error}", bad=True, then=failed)

        self._lanes["notes"].submit(posting(self.post_message, job))

    def in_background(self, job: Callable[[], Message]) -> None:
        """Have something done off the event loop, one after the other; its answer comes back as a message."""
        lane = self._lanes.setdefault("commands", Lane("commands", keep_all=True))
        lane.submit(posting(self.post_message, job))

    @on(Said)
    def _said(self, event: Said) -> None:
        if event.then is not None:
            event.then()
        self.say(event.words, bad=event.bad)

    def action_undo(self) -> None:
        """Take back what was written down last."""
        if not self._done:
            self.say("nothing to take back")
            return
        entry = self._done.pop()
        self._write(
            f"taken back: {entry.words} · {self.key_for('redo')} does it again",
            entry.take_back,
            lambda: self._undone.append(entry),
            lambda: self._done.append(entry),
        )

    def action_redo(self) -> None:
        """Do again what was taken back last."""
        if not self._undone:
            self.say("nothing to do again")
            return
        entry = self._undone.pop()
        self._write(
            f"done again: {entry.words} · {self.key_for('undo')} takes it back",
            entry.write,
            lambda: self._done.append(entry),
            lambda: self._undone.append(entry),
        )
