"""`export`: points in files that others can read."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from workbench.cli.project import open_project, root_option, teaches, where_option


@click.group()
def export() -> None:
    """Write what the store holds as CSV, Parquet or JSON."""


@export.command()
@root_option
@where_option
@click.option("--format", "form", type=click.Choice(["csv", "parquet", "json"]), default="csv")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), default=None, help="A file; stdout by default.")
@teaches
def points(root: Path, where: str, form: str, out: Path | None) -> None:
    """Points of all runs, or of those that match: run_id, run, key, step, wall_time, value, in file order."""
    from workbench.store.export import export_points

    if form == "parquet" and out is None and sys.stdout.isatty():
        raise click.UsageError("Parquet is binary: give --out FILE")
    project = open_project(root)
    runs = project.query.runs(where, hidden=True)
    export_points(project.store.snapshot(), runs, form, out, sys.stdout.buffer)
