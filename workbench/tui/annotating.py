"""What is written about runs, each with how it is taken back: the same for keys, for the mouse and for commands."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from workbench.core.model import Run
from workbench.tui.annotator import Annotator

if TYPE_CHECKING:
    from workbench.tui.desk import Desk


def set_baseline(desk: Desk, run: Run, on: bool) -> None:
    """Make a run the baseline, or no longer."""
    words = f"baseline is now {run.name}" if on else f"{run.name} is no longer the baseline"
    desk.annotate(words, lambda to: to.baseline(run.id, on=on), lambda to: to.baseline(run.id, on=run.baseline))


def hide(desk: Desk, runs: Sequence[Run], on: bool) -> None:
    """Hide runs, or show them again."""
    about = _about(runs)

    def write(to: Annotator) -> None:
        for run in runs:
            to.hide(run.id, on=on)

    def take_back(to: Annotator) -> None:
        for run in runs:
            to.hide(run.id, on=run.hidden)

    desk.annotate(
        f"{about} hidden, {desk.key_for('show_hidden', 'runs')} shows hidden runs" if on else f"{about} shown again",
        write,
        take_back,
    )


def tag(desk: Desk, runs: Sequence[Run], tags: Sequence[str], on: bool = True) -> None:
    """Tag runs, or take tags away; a tag that had another value gets it back when this is undone."""

    def write(to: Annotator) -> None:
        for run in runs:
            for each in tags:
                to.tag(run.id, each, on=on)

    def take_back(to: Annotator) -> None:
        for run in runs:
            for each in tags:
                _as_it_was(to, run, each)

    words = f"tag for {_about(runs)}" if on else f"tag taken from {_about(runs)}"
    desk.annotate(f"{words}: {', '.join(tags)}", write, take_back)


def _as_it_was(to: Annotator, run: Run, tag: str) -> None:
    key = tag.partition("=")[0].strip()
    old = run.tags.get(key)
    if old is None:
        to.tag(run.id, tag, on=False)
    else:
        to.tag(run.id, f"{key}={old}")


def note(desk: Desk, run: Run, words: str) -> None:
    """Write a note on a run."""
    desk.annotate(
        f"note on {run.name}: {words}",
        lambda to: to.note(run.id, words),
        lambda to: to.note(run.id, words, on=False),
    )


def rename(desk: Desk, run: Run, name: str) -> None:
    """Show a run by another name."""
    desk.annotate(
        f"{run.name} is shown as {name}", lambda to: to.rename(run.id, name), lambda to: to.rename(run.id, run.name)
    )


def _about(runs: Sequence[Run]) -> str:
    return f"{len(runs)} marked runs" if len(runs) > 1 else runs[0].name
