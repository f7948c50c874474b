"""`runs`, `show`, `sources`, `monitor`: what the panels show, on the command line."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from workbench.cli.ordering import order_of, order_options
from workbench.cli.project import (
    explain_none,
    fail,
    find_run,
    format_option,
    open_project,
    root_argument,
    root_option,
    teaches,
    where_option,
)

if TYPE_CHECKING:
    from workbench.core.blocks import Block
    from workbench.core.model import Window


@click.command()
@root_argument
@where_option
@click.option("--all", "hidden", is_flag=True, help="Hidden runs too.")
@click.option(
    "--limit", type=click.IntRange(1), metavar="N", default=None, help="At most N, the first ones; all by default."
)
@order_options
@format_option
@teaches
def runs(
    root: Path, where: str, hidden: bool, limit: int | None, sort: str, desc: bool, columns: str | None,
    metric: str | None, form: str,
) -> None:  # fmt: skip
    """List the runs of the project at ROOT (the current folder by default), newest first.

    The table shows state, name, age, the main metric with its trend and its change to the baseline, p95 latency, and
    what differs. JSON is a list of {id, name, format, path, status, status_reason, started_at, ended_at, params, tags,
    metrics: {key: {last, best, min, max, n, last_step}}}; best is null while it is unknown which way is better.
    """
    from workbench.cli.output import print_listing, screen_fit
    from workbench.core.query import Focus
    from workbench.panels.runs import RunsPanel, ordered
    from workbench.panels.shapes import runs_shape

    query, panel = open_project(root).query, RunsPanel()
    order = order_of(query.runs(hidden=True), sort, desc, columns, metric)
    focus = Focus(where=where, metric=metric, options={"limit": limit or 1_000_000, "hidden": hidden, **order})

    def shape() -> list[dict[str, Any]]:
        found = ordered(query, query.runs(where, hidden=hidden), focus)[:limit]
        if not found:
            explain_none(query, where)
        return runs_shape(query, found)

    print_listing(form, lambda: panel.view(panel.load(query, focus), screen_fit()), shape)


@click.command()
@click.argument("run")
@root_option
@click.option("--metric", metavar="KEY", default=None, help="The metric to list first.")
@format_option
@teaches
def show(run: str, root: Path, metric: str | None, form: str) -> None:
    """Everything about one RUN: an id, a name, a path, or a part of one that no other run has.

    JSON is the object that `runs` lists, with updated_at, total_steps, hidden, baseline, notes, stages and environment.
    """
    from workbench.cli.output import print_listing, screen_fit
    from workbench.core.query import Focus
    from workbench.panels.run import RunPanel
    from workbench.panels.shapes import show_shape

    query = open_project(root).query
    found = find_run(query, run)
    panel = RunPanel()
    print_listing(
        form,
        lambda: panel.view(panel.load(query, Focus(run=found.id, metric=metric)), screen_fit()),
        lambda: show_shape(query, found),
    )


@click.command()
@root_argument
@click.option("--problems", is_flag=True, help="Only sources with refused lines or a trouble.")
@format_option
@teaches
def sources(root: Path, problems: bool, form: str) -> None:
    """Files read below ROOT (the current folder by default), how far, what was refused, and what went wrong.

    JSON is a list of {path, format, generation, bytes, accepted, rejected, status, message}; the generation counts how
    often a file was rewritten. What every refused line was: workbench sql 'select * from reject'.
    """
    from workbench.cli.output import print_listing, screen_fit
    from workbench.core.blocks import Empty
    from workbench.core.query import Focus
    from workbench.panels.shapes import source_shape
    from workbench.panels.sources import SourcesPanel, has_problem

    query = open_project(root).query
    panel, focus = SourcesPanel(), Focus(options={"problems": problems})

    def view() -> Block:
        found = panel.load(query, focus)
        if problems and not found.sources and query.sources():
            return Empty("No source has a problem", "`workbench sources` lists all of them.")
        return panel.view(found, screen_fit())

    print_listing(
        form,
        view,
        lambda: [source_shape(item) for item in query.sources() if has_problem(item) or not problems],
    )


@click.command()
@click.argument("name", required=False)
@root_option
@format_option
@teaches
def monitor(name: str | None, root: Path, form: str) -> None:
    """Windows of monitor NAME (the first by default): rows, latency, errors, performance, drift.

    JSON is {monitor, windows: [{start, end, segment, rows, metrics, columns}], findings}, windows oldest first; CSV has
    a row for each window.
    """
    from workbench.cli.output import print_listing, screen_fit
    from workbench.core.config import nearest
    from workbench.core.query import Focus
    from workbench.panels.shapes import monitor_shape
    from workbench.panels.windows import WindowsPanel

    query = open_project(root).query
    known = query.monitors()
    if not known:
        raise fail('no monitor here\n  next: add [monitor.NAME] with path = "exports/*.parquet" to workbench.toml', 2)
    name = name or known[0]
    if name not in known:
        raise fail(f"no monitor {name!r}{nearest(name, known)}", 2)
    panel = WindowsPanel()
    print_listing(
        form,
        lambda: panel.view(panel.load(query, Focus(monitor=name)), screen_fit()),
        lambda: monitor_shape(name, query.windows(name), query.findings(name)),
        lambda: [_window_row(window) for window in query.windows(name)],
    )


def _window_row(window: Window) -> dict[str, Any]:
    """A window in one row: its columns counted, not listed."""
    from workbench.core.strength import drift_share
    from workbench.panels.shapes import number, window_shape

    made = window_shape(window)
    tested = [column for column in window.columns if column.status in ("ok", "drift")]
    drift = {"drifted": sum(column.drifted for column in tested), "tested": len(tested)}
    return {**{key: made[key] for key in ("start", "end", "segment", "rows")},
            "drift": {"share": number(drift_share(window)), **drift}, "metrics": made["metrics"]}  # fmt: skip
