"""`plugins`: what is installed, read from metadata without importing any of it."""

from __future__ import annotations

import click

from workbench.cli.project import format_option


@click.group()
def plugins() -> None:
    """Panels and readers that other packages add."""


@plugins.command("list")
@format_option
def list_plugins(form: str) -> None:
    """List installed plugins; none is imported."""
    from workbench.cli.output import print_listing
    from workbench.core.blocks import Block, Cell, Column, Empty, Table
    from workbench.plugin.discovery import listed

    names = ("group", "name", "distribution", "version", "target")
    rows = [{name: getattr(item, name) for name in names} for item in listed()]
    block: Block = Table([Column(name, name) for name in names], [[Cell(row[name]) for name in names] for row in rows])
    if not rows:
        block = Empty("No plugins installed", "A package adds one with the entry point group workbench.panels")
    print_listing(form, lambda: block, lambda: rows)
