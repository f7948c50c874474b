"""`sql`: one SELECT over a snapshot of the store."""

from __future__ import annotations

from pathlib import Path

import click

from workbench.cli.project import fail, format_option, open_project, root_option, teaches, tell, writing


@click.command()
@click.argument("text", metavar="SELECT")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Write to a .csv, .parquet, .json or .md.")
@root_option
@format_option
@teaches
def sql(text: str, out: Path | None, root: Path, form: str) -> None:
    """One SELECT over a snapshot of the store: no files, network, ATTACH or SET, at most 100,000 rows and 60 s.

    Tables: run, param, tag, series, point, source, reject, fact, monitor, window, window_metric, window_column and
    profile; their columns: workbench sql 'describe point'.
    """
    from workbench.cli.output import print_listing
    from workbench.report.tables import FormatError, format_of, rows_shape, rows_table, write_rows

    try:
        if out is not None:
            format_of(out)
    except FormatError as error:
        raise fail(f"--out: {error}", 2) from error
    rows = open_project(root).query.sql(text)
    if rows.more:
        tell(f"the first {len(rows.rows):,} rows; there are more")
    if out is None:
        print_listing(form, lambda: rows_table(rows), lambda: rows_shape(rows))
        return
    with writing(out):
        write_rows(rows, out)
    tell(f"{len(rows.rows):,} rows written to {out}")
