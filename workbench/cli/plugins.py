"""`plugins`: what is installed, read from metadata without importing any of it, or loaded and checked."""

from __future__ import annotations

from typing import Any

import click

from workbench.cli.project import format_option

_NAMES = ("group", "name", "distribution", "version", "target")


@click.group()
def plugins() -> None:
    """Panels and readers that other packages add."""


@plugins.command("list")
@click.option("--check", is_flag=True, help="Load each, and say which fail and why; exit 2 when one does.")
@format_option
@click.pass_context
def list_plugins(ctx: click.Context, check: bool, form: str) -> None:
    """List installed plugins; none is imported without --check."""
    from workbench.cli.output import print_listing
    from workbench.cli.project import tell
    from workbench.core.blocks import Block, Cell, Column, Empty, Table
    from workbench.plugin.discovery import SAFE, listed, safe_mode

    rows: list[dict[str, Any]] = [{name: getattr(item, name) for name in _NAMES} for item in listed()]
    if safe_mode():
        tell(f"{SAFE} is set: none of them is loaded")
    why = _problems() if check and not safe_mode() else []
    if check and not safe_mode():
        rows = [row | {"state": "ok", "why": ""} for row in rows if row not in [plugin for plugin, _ in why]]
        rows = [*(plugin | {"state": "failed", "why": words} for plugin, words in why), *rows]
    names = list(rows[0]) if rows else []
    table = [[Cell(row[name], "bad" if row[name] == "failed" else "") for name in names] for row in rows]
    block: Block = Table([Column(name, name) for name in names], table)
    if not rows:
        block = Empty("No plugins installed", "A package adds one with the entry point group workbench.panels")
    print_listing(form, lambda: block, lambda: rows)
    if why:
        ctx.exit(2)


def _problems() -> list[tuple[dict[str, Any], str]]:
    """Plugins that fail, as rows of the listing, each with its reason."""
    from workbench.panels.registry import plugin_problems

    return [({name: getattr(one.plugin, name) for name in _NAMES}, one.error) for one in plugin_problems()]
