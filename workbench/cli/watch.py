"""`watch`: read logs into the store, once or for as long as it runs."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from workbench.cli.project import Project, fail, ingesting, open_project, teaches, tell

if TYPE_CHECKING:
    from workbench.ingest.election import Election

PATIENCE = 600.0
"""Seconds `--once` waits for another process's ingester."""


@click.command()
@click.argument("roots", nargs=-1, type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--once", is_flag=True, help="Read all there is, then end.")
@click.option("--parent", type=int, default=None, hidden=True, help="End when this process does.")
@teaches
def watch(roots: tuple[Path, ...], once: bool, parent: int | None) -> None:
    """Read the logs below each ROOT (the current folder by default) into its store."""
    projects = [open_project(root, fresh=False) for root in roots or (Path(),)]
    if once:
        for project in projects:
            _once(project)
        return
    alive = _living(parent)
    stops: list[Callable[[], None]] = []
    threads = [
        threading.Thread(target=_follow, args=(project, alive, parent is not None, stops)) for project in projects
    ]
    for thread in threads:
        thread.start()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: [stop() for stop in stops])
    for thread in threads:
        while thread.is_alive():
            thread.join(0.5)


def _once(project: Project) -> None:
    """Read to the end; where an ingester runs already, wait until it has read what is there now."""
    from workbench.core.units import count
    from workbench.ingest.election import Election

    election = Election(project.place)
    if not election.win():
        if _read_by_another(project, election):
            return
        raise fail(f"{project.root}: PID {election.holder()} reads the logs and did not finish in {PATIENCE:.0f} s", 3)
    try:
        with ingesting(project, spoken=True) as loop:
            outcome = loop.once(final=True)
    finally:
        election.resign()
    tell(
        f"{project.root}: {count(outcome.points)} points, {outcome.accepted:,} lines read, {outcome.rejected:,} refused"
    )


def _read_by_another(project: Project, election: Election) -> bool:
    """Wait for another process's ingester; False when it takes too long."""
    from workbench.ingest.catching_up import CatchingUp
    from workbench.ingest.readers import all_readers

    waiting = CatchingUp(project.root, project.config, project.store, all_readers())
    deadline = time.monotonic() + PATIENCE
    while waiting.left():
        if time.monotonic() > deadline:
            return False
        if election.win():
            election.resign()
            _once(project)
            return True
        time.sleep(0.1)
    tell(f"{project.root}: all is read, by PID {election.holder()}")
    return True


def _follow(project: Project, alive: Callable[[], bool], quiet: bool, stops: list[Callable[[], None]]) -> None:
    """Become the ingester as soon as there is none, and stay it."""
    from workbench.ingest.election import Election

    election = Election(project.place)
    stopped = threading.Event()
    stops.append(stopped.set)
    told = False
    while alive() and not stopped.is_set() and not election.win():
        if not told and not quiet:
            tell(f"{project.root}: PID {election.holder()} reads the logs already; taking over when it ends")
            told = True
        stopped.wait(1.0)
    if stopped.is_set() or not alive():
        return
    try:
        with ingesting(project, spoken=not quiet, hints=True) as loop:
            stops.append(loop.stop)
            if not quiet:
                tell(f"{project.root}: watching; ctrl+c ends it")
            loop.run(lambda: alive() and not stopped.is_set())
    finally:
        election.resign()


def _living(parent: int | None) -> Callable[[], bool]:
    return (lambda: True) if parent is None else (lambda: os.getppid() == parent)
