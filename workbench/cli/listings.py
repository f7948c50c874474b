"""`runs`, `show`, `compare`, `sources`, `monitor`: what the panels show, on the command line."""

from __future__ import annotations

from pathlib import Path

import click

from workbench.cli.project import (
    fail,
    find_run,
    format_option,
    open_project,
    root_argument,
    root_option,
    teaches,
    where_option,
)


@click.command()
@root_argument
@where_option
@click.option("--all", "hidden", is_flag=True, help="Hidden runs too.")
@click.option("--limit", type=click.IntRange(1), default=None, help="At most that many, the newest.")
@format_option
@teaches
def runs(root: Path, where: str, hidden: bool, limit: int | None, form: str) -> None:
    """List runs, newest first."""
    from workbench.cli.output import print_listing, screen_fit
    from workbench.core.query import Focus
    from workbench.panels.runs import RunsPanel
    from workbench.panels.shapes import runs_shape

    query, panel = open_project(root).query, RunsPanel()
    focus = Focus(where=where, options={"limit": limit or 1_000_000, "hidden": hidden})
    print_listing(
        form,
        lambda: panel.view(panel.load(query, focus), screen_fit()),
        lambda: runs_shape(query, query.runs(where, hidden=hidden)[:limit]),
    )


@click.command()
@click.argument("run")
@root_option
@format_option
@teaches
def show(run: str, root: Path, form: str) -> None:
    """Everything about one RUN: an id, the start of one, a name or a path."""
    from workbench.cli.output import print_listing, screen_fit
    from workbench.core.query import Focus
    from workbench.panels.run import RunPanel
    from workbench.panels.shapes import show_shape

    query = open_project(root).query
    found = find_run(query, run)
    panel = RunPanel()
    print_listing(
        form,
        lambda: panel.view(panel.load(query, Focus(run=found.id)), screen_fit()),
        lambda: show_shape(query, found),
    )


@click.command()
@click.argument("names", metavar="RUN…", nargs=-1)
@root_option
@where_option
@click.option("--baseline", default=None, metavar="RUN", help="Compare with this run instead of the chosen baseline.")
@click.option("--metric", default=None, help="The metric to draw.")
@format_option
@teaches
def compare(
    names: tuple[str, ...], root: Path, where: str, baseline: str | None, metric: str | None, form: str
) -> None:
    """Runs side by side: metrics with deltas to the baseline, differing params, one metric's curves."""
    from workbench.cli.output import print_listing, screen_fit
    from workbench.core.query import Focus
    from workbench.panels.compare import ComparePanel

    query = open_project(root).query
    marked = [find_run(query, name).id for name in names] if names else [run.id for run in query.runs(where)][:8]
    if not marked:
        raise fail("no run to compare\n  next: workbench runs", 2)
    chosen = find_run(query, baseline).id if baseline else None
    panel = ComparePanel()
    data = panel.load(query, Focus(run=marked[0], marked=tuple(marked), baseline=chosen, where=where, metric=metric))
    print_listing(form, lambda: panel.view(data, screen_fit()), lambda: panel.to_json(data))


@click.command()
@root_argument
@click.option("--problems", is_flag=True, help="Only sources with refused lines or a trouble.")
@format_option
@teaches
def sources(root: Path, problems: bool, form: str) -> None:
    """Files read, how far, what was refused, and what no reader understood."""
    from workbench.cli.output import print_listing, screen_fit
    from workbench.core.query import Focus
    from workbench.panels.shapes import source_shape
    from workbench.panels.sources import SourcesPanel, has_problem

    query = open_project(root).query
    panel, focus = SourcesPanel(), Focus(options={"problems": problems})
    print_listing(
        form,
        lambda: panel.view(panel.load(query, focus), screen_fit()),
        lambda: [source_shape(item) for item in query.sources() if has_problem(item) or not problems],
    )


@click.command()
@click.argument("name", required=False)
@root_option
@format_option
@teaches
def monitor(name: str | None, root: Path, form: str) -> None:
    """Windows of monitor NAME: rows, latency, errors, performance, drift."""
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
        lambda: monitor_shape(name, query.windows(name)),
    )
