"""What the interface writes: words about runs, appended to a log by whoever is given as annotator."""

from __future__ import annotations

from typing import Protocol


class Annotator(Protocol):
    """Writes down what a person says of a run, to be read back like any other log."""

    def baseline(self, run_id: str, *, on: bool = True) -> None:
        """Make a run the baseline, or no longer."""

    def tag(self, run_id: str, tag: str, *, on: bool = True) -> None:
        """Tag a run with `key=value` or a bare word, or take the tag away."""

    def note(self, run_id: str, text: str, *, on: bool = True) -> None:
        """Add a note to a run, or take away one that was added here."""

    def hide(self, run_id: str, *, on: bool = True) -> None:
        """Hide a run, or show it again."""

    def rename(self, run_id: str, name: str) -> None:
        """Show a run by another name; its log and its id stay."""
