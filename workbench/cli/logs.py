"""`logs`: a run's console output and text logs, read in place."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import click

from workbench.cli.project import Project, fail, find_run, open_project, root_option, teaches, tell

if TYPE_CHECKING:
    from workbench.core.log_file import Bytes, LogLine
    from workbench.core.log_search import Wanted
    from workbench.core.model import Run
    from workbench.core.run_logs import RunLog

TAIL = 200
"""Lines shown unless told otherwise."""
_LOOK = 0.2
"""Seconds between looks at a log that is followed."""


@click.command()
@click.argument("run")
@root_option
@click.option("--follow", "-f", is_flag=True, help="Go on printing what is written, until ctrl+c.")
@click.option("--grep", "text", default="", metavar="TEXT", help="Only lines with TEXT; capitals in it count.")
@click.option(
    "--level", type=click.Choice(["error", "warning", "info"]), default="info", show_default=True,
    help="Only lines as bad as that, by the usual words.",
)  # fmt: skip
@click.option(
    "--tail", type=click.IntRange(0), default=TAIL, show_default=True, metavar="N", help="The last N lines; 0 is all."
)
@click.option("--file", "part", default="", metavar="NAME", help="Which log, by a part of its name.")
@click.option("--step", type=int, default=None, metavar="STEP", help="The lines around the one that tells of a step.")
@teaches
def logs(run: str, root: Path, follow: bool, text: str, level: str, tail: int, part: str, step: int | None) -> None:
    """The log of RUN: an id, a name, a path, or a part of one that no other run has.

    Text logs are read where they are, whatever their size; what a run's own log carries of its output comes from the
    store and is called `output`. Colours are taken out, progress bars are shown at their last state.
    """
    from workbench.core.log_search import Wanted
    from workbench.core.log_text import LEVELS

    project = open_project(root)
    found = find_run(project.query, run)
    log = _chosen(project, found, part)
    wanted = Wanted(text, LEVELS[LEVELS.index(level)])
    source = _opened(project, found, log)
    if step is not None:
        _print(_around(project, found, log, source, step, tail))
        return
    end = source.size
    _print(_tail(source, wanted, tail, end))
    if follow:
        _follow(project, found, log, source, wanted, end)


def _chosen(project: Project, run: Run, part: str) -> RunLog:
    """The log that was asked for, or the first; the others are named."""
    from workbench.core.run_logs import logs_of

    query = project.query
    every = logs_of(project.root, run, query.run_sources(run.id), bool(query.console(run.id, 1)))
    if not every:
        raise fail(
            f"{run.name}: no text log beside it and no output in its own log\n"
            f"  next: write one into {run.path}, such as python train.py > {run.path}/train.log 2>&1", 2,
        )  # fmt: skip
    found = [log for log in every if part in log.name]
    if not found:
        raise fail(f"--file: {run.name} has no log {part!r}; it has {', '.join(log.name for log in every)}", 2)
    others = [log.name for log in every if log is not found[0]]
    tell(found[0].name + (f"; also {', '.join(others)} (--file)" if others else ""))
    return found[0]


def _opened(project: Project, run: Run, log: RunLog) -> Bytes:
    from workbench.core.log_file import FileBytes, MemoryBytes

    if log.place is None:
        return MemoryBytes(output_of(project.query.console(run.id, 1_000_000)))
    return FileBytes(log.place)


def output_of(lines: Iterable[object]) -> bytes:
    """Console lines as one text."""
    return b"".join(str(getattr(line, "text", "")).encode("utf-8", "replace") + b"\n" for line in lines)


def _tail(source: Bytes, wanted: Wanted, tail: int, end: int) -> Iterator[LogLine]:
    from workbench.core.log_search import found_after, found_before

    if tail == 0:
        yield from (line for line in found_after(source, 0, wanted) if line.offset < end)
    else:
        yield from reversed(list(islice(found_before(source, end, wanted), tail)))


def _around(project: Project, run: Run, log: RunLog, source: Bytes, step: int, tail: int) -> Sequence[LogLine]:
    """Lines before and after the one that tells of a step."""
    from workbench.core.log_file import lines_after, lines_before

    place = project.query.log_place(run.id, step)
    if place is None or place.source != log.source:
        where = f"; {place.path} does (--file)" if place is not None else ""
        raise fail(f"--step: no point of {log.name} tells of step {step:,} or an earlier one{where}", 2)
    many = min(tail or TAIL, TAIL) // 2
    tell(f"step {place.step:,} stands at byte {place.offset:,}")
    return [*lines_before(source, place.offset, many // 2), *lines_after(source, place.offset, max(many // 2, 1))]


def _print(lines: Iterable[LogLine]) -> None:
    from workbench.core.text import plain

    for line in lines:
        click.echo(plain(line.text, limit=100_000))


def _follow(project: Project, run: Run, log: RunLog, source: Bytes, wanted: Wanted, end: int) -> None:
    """Print complete lines as they come; a log that begins anew is said and read from its start."""
    from workbench.core.log_file import MemoryBytes, line_start, lines_after
    from workbench.core.log_follow import Followed

    followed, place = Followed(source), end
    followed.known, revision = end, project.query.revision()
    place = line_start(source, end)
    tell("following; ctrl+c ends it")
    while True:
        if isinstance(source, MemoryBytes) and project.query.revision() != revision:
            revision = project.query.revision()
            source.content = output_of(project.query.console(run.id, 1_000_000))
        news = followed.look()
        source = followed.source
        if news.began_anew:
            tell(f"{log.name} begins anew")
            place = 0
        while fresh := [line for line in lines_after(source, place, 1000) if _is_whole(source, line)]:
            _print(line for line in fresh if wanted.matches(line.text))
            place = fresh[-1].end
        sys.stdout.flush()
        time.sleep(_LOOK)


def _is_whole(source: Bytes, line: LogLine) -> bool:
    return source.read(line.end - 1, 1) == b"\n"
