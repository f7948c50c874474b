"""`tag`, `note`, `baseline`, `hide`, `rename`: what a person says about runs, appended and undone by its inverse."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from workbench.cli.project import (
    FRESH_SECONDS,
    fail,
    find_run,
    open_project,
    read_news,
    root_option,
    teaches,
    tell,
)

if TYPE_CHECKING:
    from workbench.cli.project import Project
    from workbench.core.model import Run
    from workbench.ingest.annotate import Annotator

_PATIENCE = 5.0
"""Seconds that another process's ingester has for reading what was said."""


def _settle(project: Project, annotator: Annotator) -> None:
    """Have what was just said read, by this command or by the ingester that runs, so that the next command knows it."""
    from workbench.store.append import latest_cursors

    read_news(project, time.monotonic() + FRESH_SECONDS)
    deadline = time.monotonic() + _PATIENCE
    path, size = str(annotator.path.relative_to(project.root)), annotator.path.stat().st_size
    while time.monotonic() < deadline:
        with project.store.read() as con:
            if any(cursor.path == path and cursor.to_offset >= size for cursor in latest_cursors(con)):
                return
        time.sleep(0.05)
    tell(f"written, and not read yet by the process that reads the logs: {annotator.path}")


def _annotator(root: Path) -> tuple[Project, Annotator]:
    from workbench.ingest.annotate import Annotator

    project = open_project(root)
    return project, Annotator(project.root)


@click.command()
@click.argument("run")
@click.argument("tags", nargs=-1, required=True)
@click.option("--remove", is_flag=True, help="Take the TAGS away.")
@root_option
@teaches
def tag(run: str, tags: tuple[str, ...], remove: bool, root: Path) -> None:
    """Tag RUN (an id, a name, a path, or a unique part of one) with words or key=value pairs.

    Find tagged runs again: workbench runs --where 'tag:good'.
    """
    project, annotator = _annotator(root)
    found = find_run(project.query, run)
    for item in tags:
        annotator.tag(found.id, item, on=not remove)
    _settle(project, annotator)
    tell(f"{found.name}: {'removed' if remove else 'tagged'} {', '.join(tags)}")


@click.command()
@click.argument("run")
@click.argument("text")
@click.option("--remove", is_flag=True, help="Take the note with this TEXT away.")
@root_option
@teaches
def note(run: str, text: str, remove: bool, root: Path) -> None:
    """Add a note TEXT to RUN: an id, a name, a path, or a unique part of one."""
    project, annotator = _annotator(root)
    found = find_run(project.query, run)
    if remove:
        _remove_note(project, annotator, found, text)
    else:
        annotator.note(found.id, text)
    _settle(project, annotator)
    tell(f"{found.name}: {'note removed' if remove else 'noted'}")


def _remove_note(project: Project, annotator: Annotator, run: Run, text: str) -> None:
    import json

    from workbench.core.config import nearest

    if text not in run.notes:
        raise fail(f"{run.name} has no note {text!r}{nearest(text, run.notes)}", 2)
    rows = project.query.sql("SELECT key, value FROM fact WHERE kind = 'note' AND run_id = ?", [run.id]).rows
    for key, value in rows:
        if str(json.loads(value)) == text:
            annotator.take_back_note(run.id, key)


@click.command()
@click.argument("run")
@click.option("--clear", is_flag=True, help="RUN is the baseline no more.")
@root_option
@teaches
def baseline(run: str, clear: bool, root: Path) -> None:
    """Make RUN (an id, a name, a path, or a unique part of one) the baseline that others are compared with.

    There is one at a time; the last one chosen holds.
    """
    project, annotator = _annotator(root)
    found = find_run(project.query, run)
    annotator.baseline(found.id, on=not clear)
    _settle(project, annotator)
    tell(f"{found.name}: {'no baseline any more' if clear else 'is the baseline now'}")


@click.command()
@click.argument("runs", nargs=-1, required=True, metavar="RUN…")
@click.option("--undo", is_flag=True, help="Show them again.")
@root_option
@teaches
def hide(runs: tuple[str, ...], undo: bool, root: Path) -> None:
    """Leave RUNs out of listings and gates; nothing is deleted, and runs --all shows them.

    Each is an id, a name, a path, or a unique part of one.
    """
    project, annotator = _annotator(root)
    found = [find_run(project.query, run) for run in runs]
    for item in found:
        annotator.hide(item.id, on=not undo)
    _settle(project, annotator)
    tell(f"{', '.join(item.name for item in found)}: {'shown again' if undo else 'hidden'}")


@click.command()
@click.argument("run")
@click.argument("name", required=False)
@click.option("--undo", is_flag=True, help="Show it by the name its log gives again.")
@root_option
@teaches
def rename(run: str, name: str | None, undo: bool, root: Path) -> None:
    """Show RUN (an id, a name, a path, or a unique part of one) under NAME; its log and its id stay as they are."""
    wanted = (name or "").strip()
    if undo == bool(wanted):
        raise fail("give the new NAME, or --undo for the name its log gives\n  next: workbench rename RUN NAME", 2)
    project, annotator = _annotator(root)
    found = find_run(project.query, run)
    annotator.rename(found.id, wanted or logged_name(project, found.id))
    _settle(project, annotator)
    tell(f"{found.name}: {f'is shown as {wanted}' if wanted else 'has the name its log gives again'}")


def logged_name(project: Project, run_id: str) -> str:
    """The name that a run's own log gives it; empty where it gives none, and the path serves."""
    from workbench.store.facts import logged_name

    with project.store.read() as con:
        return logged_name(con, run_id)
