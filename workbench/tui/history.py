"""Lines typed before, in a plain file of the project's state folder, the newest at the end."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from workbench.tui.session import write_whole

MOST = 500


def history_path(root: Path) -> Path:
    """Where the commands typed in a project are kept."""
    return root / ".workbench" / "history"


class History:
    """Commands typed in this project; walking through it starts at what is being typed and comes back to it."""

    def __init__(self, path: Path, *, writes: bool = True) -> None:
        self._path = path
        self._writes = writes
        self._lines: list[str] | None = None
        self._at = 0
        self._typed = ""

    @property
    def lines(self) -> Sequence[str]:
        """The commands, oldest first; an unreadable file counts as none."""
        if self._lines is None:
            try:
                text = self._path.read_bytes().decode("utf-8", "replace")
            except OSError:
                text = ""
            self._lines = [line for line in text.splitlines() if line.strip()][-MOST:]
        return self._lines

    def begin(self) -> None:
        """A line begins to be typed."""
        self._at, self._typed = len(self.lines), ""

    def step(self, back: int, typed: str) -> str | None:
        """The line `back` steps before the one that is shown, of those that begin as what was typed; None at an end."""
        if self._at == len(self.lines):
            self._typed = typed
        place = self._at
        while 0 <= place - back <= len(self.lines):
            place -= back
            if place == len(self.lines):
                self._at = place
                return self._typed
            if self.lines[place].startswith(self._typed):
                self._at = place
                return self.lines[place]
        return None

    def add(self, typed: str) -> None:
        """Keep a line that was done; the same one again moves to the end. A file that cannot be written is no harm."""
        line = " ".join(typed.splitlines()).strip()
        kept = [each for each in self.lines if each != line]
        self._lines = [*kept, line][-MOST:]
        if not self._writes:
            return
        with suppress(OSError):
            write_whole(self._path, "\n".join(self._lines) + "\n")
