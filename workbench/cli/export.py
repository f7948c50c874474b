"""`export`: points in files that others can read."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from workbench.cli.project import explain_none, open_project, root_option, teaches, where_option, writing

_SUFFIXES = {".csv": "csv", ".parquet": "parquet", ".json": "json"}


@click.group()
def export() -> None:
    """Write what the store holds as CSV, Parquet or JSON."""


@export.command(short_help="Every point of the runs that match.")
@root_option
@where_option
@click.option("--format", "form", type=click.Choice(["csv", "parquet", "json"]), default=None,
              help="What to write; what the name of --out ends in, else csv.")  # fmt: skip
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), default=None, metavar="FILE",
              help="A file, replaced when it is whole; stdout by default.")  # fmt: skip
@teaches
def points(root: Path, where: str, form: str | None, out: Path | None) -> None:
    """Write every point of the runs that match, hidden ones too.

    Columns: run_id, run, key, step, wall_time, value; in file order within each series. JSON is a list of such objects;
    NaN and infinities are the texts "NaN", "Infinity" and "-Infinity" in it.
    """
    from workbench.store.export import export_points

    if form is None:
        form = _SUFFIXES.get(out.suffix.lower(), "csv") if out else "csv"
    if form == "parquet" and out is None and sys.stdout.isatty():
        raise click.UsageError("Parquet is binary: give --out FILE")
    project = open_project(root)
    runs = project.query.runs(where, hidden=True)
    if not runs:
        explain_none(project.query, where)
    with writing(out):
        export_points(project.store.snapshot(), runs, form, out, sys.stdout.buffer)
