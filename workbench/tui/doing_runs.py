"""Typed commands that write about runs: which run is meant, and what is written."""

from __future__ import annotations

from collections.abc import Sequence

from workbench.core.model import Run
from workbench.tui import annotating
from workbench.tui.commands import Here, Prepared, run_called
from workbench.tui.words import Call, Refused, Token


def _about(call: Call, here: Here, least: int) -> tuple[Run | None, Sequence[Token]]:
    """The run that is named first, where more is given than `least`, and the other words."""
    tokens = call.arguments
    if len(tokens) > least and tokens:
        exact = [run for run in here.runs if tokens[0].text in (run.id, run.name, run.path)]
        if len(exact) == 1:
            return exact[0], tokens[1:]
    return None, tokens


def _whom(run: Run | None, here: Here, call: Call) -> Run:
    found = run or here.current
    if found is None:
        raise Refused("about which run? name it first", call.end)
    return found


def tag(call: Call, here: Here) -> Prepared:
    """Tag them, or take tags away."""
    run, words = _about(call, here, 1)
    runs, tags = [run] if run is not None else list(here.meant), [token.text for token in words]
    if not tags:
        raise Refused("which tag? a word, or key=value", call.end, unfinished=True)
    if not runs:
        raise Refused("tag which run? name it first", call.end)
    on = "--remove" not in call.options
    about = runs[0].name if len(runs) == 1 else f"{len(runs)} marked runs"
    said = "tag" if on else "take from"
    return Prepared(f"{said} {about}: {', '.join(tags)}", lambda: annotating.tag(here.desk, runs, tags, on))


def note(call: Call, here: Here) -> Prepared:
    """Write a note."""
    run, words = _about(call, here, 1)
    whom, text = _whom(run, here, call), " ".join(token.text for token in words).strip()
    if not text:
        raise Refused(f"note on {whom.name}: which words?", call.end, unfinished=True)
    return Prepared(f"note on {whom.name}", lambda: annotating.note(here.desk, whom, text))


def baseline(call: Call, here: Here) -> Prepared:
    """Make it the baseline, or no longer."""
    run = run_called(here, call.rest, call.arguments[0].start) if call.arguments else None
    whom, on = _whom(run, here, call), "--clear" not in call.options
    words = f"compare with {whom.name}" if on else f"{whom.name} is the baseline no more"
    return Prepared(words, lambda: annotating.set_baseline(here.desk, whom, on))


def hide(call: Call, here: Here) -> Prepared:
    """Hide them, or show them again."""
    named = [run_called(here, token.text, token.start) for token in call.arguments]
    runs, on = named or list(here.meant), "--undo" not in call.options
    if not runs:
        raise Refused("which run? name it", call.end)
    words = f"{'hide' if on else 'show again'} {', '.join(run.name for run in runs[:4])}"
    return Prepared(words, lambda: annotating.hide(here.desk, runs, on))


def rename(call: Call, here: Here) -> Prepared:
    """Show it by another name."""
    run, words = _about(call, here, 1)
    whom, name = _whom(run, here, call), " ".join(token.text for token in words).strip()
    if not name:
        raise Refused(f"which name for {whom.name}?", call.end, unfinished=True)
    return Prepared(f"show {whom.name} as {name}", lambda: annotating.rename(here.desk, whom, name))
