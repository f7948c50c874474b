"""`tracking`: the logging API as one file for environments without workbench."""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.option("--copy", "folder", type=click.Path(file_okay=False, path_type=Path), required=True, metavar="DIR",
              help="Where to put the file.")  # fmt: skip
def tracking(folder: Path) -> None:
    """Copy the logging API, one file that needs only Python, into DIR."""
    from workbench.tracking import copy_to

    click.echo(copy_to(str(folder)))
