"""`tui`: open the terminal interface, with an ingester behind it."""

from __future__ import annotations

from pathlib import Path

import click

from workbench.cli.project import root_argument, teaches
from workbench.core.settings import BY_NAME


def _theme(_ctx: click.Context, _parameter: click.Parameter, value: str | None) -> str | None:
    """A theme that there is."""
    if value is not None and value not in BY_NAME["theme"].choices:
        from workbench.core.config import nearest

        raise click.BadParameter(f"there is no theme {value!r}{nearest(value, BY_NAME['theme'].choices)}")
    return value


@click.command()
@root_argument
@click.option("--read-only", is_flag=True, help="Write nothing: no tags, notes or baseline, no logs read.")
@click.option("--safe", is_flag=True, help="Leave all plugins out.")
@click.option("--theme", metavar="NAME", callback=_theme, help="Colours for this time; workbench settings lists them.")
@teaches
def tui(root: Path, read_only: bool, safe: bool, theme: str | None) -> None:
    """Open the terminal interface on ROOT.

    Its settings are in ~/.config/workbench/settings.toml and, for a project, in [tui] of workbench.toml.
    """
    from workbench.cli.vocabulary import vocabulary
    from workbench.tui.start import start

    given: dict[str, str | bool | int] = {}
    if read_only:
        given["read_only"] = True
    if safe:
        given["safe"] = True
    if theme is not None:
        given["theme"] = theme
    start(root, given=given, words=vocabulary)
