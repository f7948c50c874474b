"""`watch`: read logs into the store, once or for as long as it runs."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from workbench.cli.project import Project, fail, ingesting, open_project, teaches, tell

if TYPE_CHECKING:
    from workbench.ingest.election import Election
    from workbench.ingest.engine import Outcome
    from workbench.ingest.watch import Watch

PATIENCE = 600.0
"""Seconds `--once` waits for another process's ingester."""


@click.command()
@click.argument("roots", nargs=-1, metavar="[ROOT]…", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--once", is_flag=True, help="Read all there is, then exit 0.")
@click.option("--parent", type=int, default=None, hidden=True, help="End when this process does.")
@teaches
def watch(roots: tuple[Path, ...], once: bool, parent: int | None) -> None:
    """Read the logs below each ROOT (the current folder by default) into its store, and follow them.

    One process a project reads: a second one waits and takes over when the first ends. ctrl+c or SIGTERM ends it
    cleanly. Other commands and the interface read what is new by themselves when nobody watches.
    """
    projects = [
        open_project(root, fresh=False) for root in dict.fromkeys(root.resolve() for root in roots or (Path(),))
    ]
    if once:
        for project in projects:
            _once(project)
        return
    following = _Following(_living(parent), quiet=parent is not None)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: following.stop())
    following.run(projects)


def _once(project: Project) -> None:
    """Read to the end; where an ingester runs already, wait until it has read what is there now."""
    from workbench.ingest.election import Election

    election = Election(project.place)
    if not election.win():
        if _read_by_another(project, election):
            return
        raise fail(f"{project.root}: PID {election.holder()} reads the logs and did not finish in {PATIENCE:.0f} s", 3)
    try:
        with ingesting(project, spoken=True, patience=None) as loop:
            loop.once(final=True, said=lambda outcome: tell(f"{project.root}: {_summary(outcome)}"))
    finally:
        election.resign()


def _summary(outcome: Outcome) -> str:
    from workbench.core.units import count

    return f"{count(outcome.points)} points, {outcome.accepted:,} lines read, {outcome.rejected:,} refused"


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


class _Following:
    """Follows the logs of several projects, each on a thread of its own, until stopped or one of them fails."""

    def __init__(self, alive: Callable[[], bool], *, quiet: bool) -> None:
        self._alive = alive
        self._quiet = quiet
        self._stopped = threading.Event()
        self._loops: list[Watch] = []
        self._failure: BaseException | None = None

    def stop(self) -> None:
        """End after the current pass; may be called from a signal handler."""
        self._stopped.set()
        for loop in self._loops:
            loop.stop()

    def run(self, projects: Sequence[Project]) -> None:
        """Follow until stopped; what made one project fail is raised here."""
        threads = [threading.Thread(target=self._guard, args=(project,)) for project in projects]
        for thread in threads:
            thread.start()
        for thread in threads:
            while thread.is_alive():
                thread.join(0.5)
        if self._failure is not None:
            raise self._failure

    def _guard(self, project: Project) -> None:
        try:
            self._follow(project)
        except BaseException as error:  # noqa: BLE001 - raised again on the main thread
            self._failure = error
            self.stop()

    def _goes_on(self) -> bool:
        return self._alive() and not self._stopped.is_set()

    def _follow(self, project: Project) -> None:
        """Become the ingester as soon as there is none, and stay it."""
        from workbench.ingest.election import Election

        election = Election(project.place)
        told = self._quiet
        while self._goes_on() and not election.win():
            if not told:
                tell(f"{project.root}: PID {election.holder()} reads the logs already; taking over when it ends")
                told = True
            self._stopped.wait(1.0)
        if not self._goes_on():
            return
        try:
            with ingesting(project, spoken=not self._quiet, hints=True) as loop:
                self._loops.append(loop)
                if not self._quiet:
                    tell(f"{project.root}: watching; ctrl+c ends it")
                loop.run(self._goes_on)
        finally:
            election.resign()


def _living(parent: int | None) -> Callable[[], bool]:
    return (lambda: True) if parent is None else (lambda: os.getppid() == parent)
