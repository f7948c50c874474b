"""`tag`, `note`, `baseline`, `hide`: what a person says about runs, appended and undone by its inverse."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from workbench.cli.project import find_run, open_project, read_news, root_option, teaches, tell

if TYPE_CHECKING:
    from workbench.cli.project import Project
    from workbench.ingest.annotate import Annotator


def _annotator(root: Path) -> tuple[Project, Annotator]:
    from workbench.ingest.annotate import Annotator

    project = open_project(root)
    return project, Annotator(project.root)


@click.command()
@click.argument("run")
@click.argument("tags", nargs=-1, required=True)
@click.option("--remove", is_flag=True, help="Take the tags away.")
@root_option
@teaches
def tag(run: str, tags: tuple[str, ...], remove: bool, root: Path) -> None:
    """Tag RUN with words or key=value pairs."""
    project, annotator = _annotator(root)
    found = find_run(project.query, run)
    for item in tags:
        annotator.tag(found.id, item, on=not remove)
    read_news(project, None)
    tell(f"{found.name}: {'removed' if remove else 'tagged'} {', '.join(tags)}")


@click.command()
@click.argument("run")
@click.argument("text")
@root_option
@teaches
def note(run: str, text: str, root: Path) -> None:
    """Add a note TEXT to RUN."""
    project, annotator = _annotator(root)
    found = find_run(project.query, run)
    annotator.note(found.id, text)
    read_news(project, None)
    tell(f"{found.name}: noted")


@click.command()
@click.argument("run")
@click.option("--clear", is_flag=True, help="It is the baseline no more.")
@root_option
@teaches
def baseline(run: str, clear: bool, root: Path) -> None:
    """Make RUN the baseline that others are compared with."""
    project, annotator = _annotator(root)
    found = find_run(project.query, run)
    annotator.baseline(found.id, on=not clear)
    read_news(project, None)
    tell(f"{found.name}: {'no baseline any more' if clear else 'is the baseline now'}")


@click.command()
@click.argument("runs", nargs=-1, required=True)
@click.option("--undo", is_flag=True, help="Show them again.")
@root_option
@teaches
def hide(runs: tuple[str, ...], undo: bool, root: Path) -> None:
    """Leave RUNS out of listings; nothing is deleted."""
    project, annotator = _annotator(root)
    found = [find_run(project.query, run) for run in runs]
    for item in found:
        annotator.hide(item.id, on=not undo)
    read_news(project, None)
    tell(f"{', '.join(item.name for item in found)}: {'shown again' if undo else 'hidden'}")
