"""What every command needs: the project's configuration, store and query, brought up to date first."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass  # msgspec is not needed for help
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

import click

if TYPE_CHECKING:
    from workbench.core.config import Config
    from workbench.ingest.run_findings import RunFindingWatch
    from workbench.store.place import Place
    from workbench.store.query import StoreQuery
    from workbench.store.store import Store

FRESH_SECONDS = 2.0
"""How long a command may read logs before it answers."""
JUDGING = 0.3
"""Seconds it may judge runs then."""

Result = TypeVar("Result")


@dataclass(frozen=True)
class Project:
    """A folder with its configuration and an open store."""

    root: Path
    config: Config
    place: Place
    store: Store
    query: StoreQuery


def tell(text: str) -> None:
    """Narrate on stderr, made safe to show."""
    from workbench.core.text import plain

    click.echo(plain(text, multiline=True), err=True)


def fail(text: str, code: int) -> click.ClickException:
    """An error to raise that ends the command with an exit code."""
    from workbench.core.text import plain

    error = click.ClickException(plain(text, multiline=True))
    vars(error)["exit_code"] = code
    return error


def explain_none(query: StoreQuery, where: str) -> None:
    """Say on stderr which key of a filter no run has, for listings whose data is an empty list."""
    from workbench.core.where import parse, unknown_keys

    for key, near in unknown_keys(parse(where), query.runs(hidden=True)).items():
        tell(f"--where: no run has {key!r}" + (f" – did you mean {near!r}?" if near else ""))


def teaches(command: Callable[..., Result]) -> Callable[..., Result]:
    """Turn the errors that users can mend into a message and the right exit code."""

    @wraps(command)
    def guarded(*args: Any, **kwargs: Any) -> Result:
        from workbench.core.config import ConfigError
        from workbench.core.where import WhereError
        from workbench.store.console import SqlError
        from workbench.store.errors import StoreError

        try:
            return command(*args, **kwargs)
        except (ConfigError, WhereError, SqlError) as error:
            raise fail(str(error), 2) from error
        except StoreError as error:
            raise fail(str(error), 3) from error
        except BrokenPipeError:
            raise
        except OSError as error:
            raise fail(f"{error.filename or 'files'}: {error.strerror or error}", 2) from error

    return guarded


def open_project(root: Path, *, fresh: bool = True, place: Place | None = None) -> Project:
    """Open a project, reading what is new in its logs first when no ingester does.

    Raises:
        ConfigError: its configuration cannot be used.
        StoreError: its store cannot be used.
    """
    from workbench.core.ahead import Begun
    from workbench.core.config import load_config
    from workbench.plugin.discovery import loaded_metrics, use_project
    from workbench.store.place import place_of
    from workbench.store.store import Store

    root = root.resolve()
    config = load_config(root)
    place = place or place_of(root)
    if place.remark:
        tell(place.remark)
    store = Store(place)
    import duckdb  # noqa: F401 - before the thread, so that all that is left of it there is work without Python's lock

    use_project(root, config.plugins, config.path)
    making = Begun(store.create)
    try:
        from workbench.ingest.readers import all_readers, flush_intervals
        from workbench.plugin.derived import with_metrics
        from workbench.store.query import StoreQuery

        readers = all_readers()
    finally:
        making.wait()
    making.result()
    query = with_metrics(StoreQuery(store, config, flush_intervals(readers)), loaded_metrics(), config.metrics)
    project = Project(root, config, place, store, cast("StoreQuery", query))
    if fresh:
        read_news(project, time.monotonic() + FRESH_SECONDS)
    return project


def use_plugins(root: Path) -> None:
    """Have the plugins of a folder's project too, where a command opens no project.

    Raises:
        ConfigError: its configuration cannot be used.
    """
    from workbench.core.config import load_config
    from workbench.plugin.discovery import use_project

    config = load_config(root)
    use_project(root.resolve(), config.plugins, config.path)


def read_news(project: Project, deadline: float | None, *, final: bool = False, spoken: bool = False) -> int:
    """Read what is new when no ingester runs; the bytes that are still unread are told and returned."""
    from workbench.core.units import size
    from workbench.ingest.election import Election

    election = Election(project.place)
    if not election.win():
        return 0
    try:
        with ingesting(project, spoken=spoken, patience=None if deadline is None else JUDGING) as watch:
            outcome = watch.once(final=final, deadline=deadline)
    finally:
        election.resign()
    unread = int(outcome.unread)
    if unread:
        tell(f"{size(unread)} of logs are still unread; workbench watch --once reads them all")
    return unread


@contextmanager
def ingesting(
    project: Project, *, spoken: bool = False, hints: bool = False, patience: float | None = 0.1
) -> Iterator[Any]:
    """An ingester's loop over the project; the caller holds its lock.

    `patience` are the seconds that judging runs may take after each look; None judges all of them.
    """
    from workbench.ingest.engine import Engine
    from workbench.ingest.hints import Hints
    from workbench.ingest.progress import JudgingProgress, Progress, SpokenProgress
    from workbench.ingest.readers import all_readers
    from workbench.ingest.run_findings import RunFindingWatch
    from workbench.ingest.watch import Watch

    reading, judging = (SpokenProgress(), JudgingProgress()) if spoken else (Progress(), Progress())
    runs = RunFindingWatch(project.config, project.store, tell, patience=patience, progress=judging)
    engine = Engine(project.root, project.config, project.store, all_readers(), progress=reading, judge=runs)
    after = _judging(project, runs, spoken)
    try:
        yield Watch(engine, hints=Hints(project.root) if hints else None, after=after, tell=tell)
    finally:
        engine.close()


@contextmanager
def writing(out: Path | None) -> Iterator[None]:
    """Whatever keeps an output file from being written ends the command with exit code 2."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        raise fail(f"{out or error.filename or 'stdout'}: cannot be written: {error.strerror or error}", 2) from error


def _judging(project: Project, runs: RunFindingWatch, spoken: bool) -> Callable[[], object]:
    """What is done with news: monitors are evaluated, runs and monitors are judged, rules of plugins are asked."""
    from workbench.ingest.rules import rule_watch

    monitors = _monitors(project, spoken) if project.config.monitors else None
    rules = rule_watch(project.query, project.store, tell)

    def update() -> bool:
        if monitors is not None:
            monitors()
        if rules is not None:
            rules.update()
        return runs.update()

    return update


def _monitors(project: Project, spoken: bool) -> Callable[[], None]:
    from workbench.ingest.findings import FindingWatch
    from workbench.ingest.monitors import MonitorWatch

    said = tell if spoken else None
    monitors = MonitorWatch(project.root, project.config, project.store, said)
    findings = FindingWatch(project.config, project.store, said)

    def update() -> None:
        monitors.update()
        findings.update()

    return update


def root_argument(command: Callable[..., Any]) -> Callable[..., Any]:
    """The optional `ROOT` of a command."""
    kind = click.Path(exists=True, file_okay=False, path_type=Path)
    return click.argument("root", type=kind, default=".", required=False)(command)


def root_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """`--root DIR` of a command whose arguments are something else."""
    kind = click.Path(exists=True, file_okay=False, path_type=Path)
    return click.option(
        "--root", type=kind, default=".", metavar="DIR", help="The project's folder; the current one by default."
    )(command)


def format_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """`--format` of a listing."""
    kinds = click.Choice(["table", "json", "csv", "md"])
    return click.option("--format", "form", type=kinds, default="table", show_default=True, help="How to print it.")(
        command
    )


def where_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """`--where EXPR` of a listing, checked before anything is opened or read."""
    return click.option(
        "--where", default="", metavar="EXPR", callback=_checked_where,
        help="Only runs that match, such as: lr>1e-3 tag:x not (state:failed or val/loss>0.4).",
    )(command)  # fmt: skip


def _checked_where(_ctx: click.Context, _parameter: click.Parameter, value: str) -> str:
    from workbench.core.where import WhereError, parse

    try:
        parse(value)
    except WhereError as error:
        raise fail(f"--where: {error}", 2) from error
    return value


def find_run(query: StoreQuery, name: str) -> Any:
    """The run of an id, the start of one, a name, a path, or a part of a name that no other has.

    Raises:
        ClickException: none or several; the message lists the nearest.
    """
    from workbench.core.config import nearest
    from workbench.core.find import runs_called

    runs = query.runs(hidden=True)
    found = runs_called(runs, name)
    if len(found) == 1:
        return found[0]
    if found:
        listed = "\n".join(f"  {run.id}  {run.name}" for run in found[:10])
        raise fail(f"{len(found)} runs are called {name!r}; use an id:\n{listed}", 2)
    raise fail(f"no run {name!r}{nearest(name, [run.name for run in runs])}\n  next: workbench runs", 2)
