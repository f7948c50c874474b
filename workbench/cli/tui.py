"""`tui`: open the terminal interface, with an ingester behind it."""

from __future__ import annotations

from pathlib import Path

import click

from workbench.cli.project import root_argument, teaches


@click.command()
@root_argument
@teaches
def tui(root: Path) -> None:
    """Open the terminal interface on ROOT."""
    from workbench.cli.vocabulary import vocabulary
    from workbench.tui.start import start

    start(root, words=vocabulary)
