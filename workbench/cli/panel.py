"""`panel`: one view of the interface on the command line, with the filter, runs and options it was looked at with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from workbench.cli.project import fail, find_run, format_option, open_project, root_option, teaches, where_option

if TYPE_CHECKING:
    from workbench.core.blocks import Block, Cell, Table
    from workbench.core.config import Config
    from workbench.core.query import Focus
    from workbench.plugin.api import Panel
    from workbench.store.query import StoreQuery


@click.command()
@click.argument("name", required=False)
@root_option
@where_option
@click.option("--run", default=None, metavar="RUN", help="The run it is about.")
@click.option("--mark", "marks", multiple=True, metavar="RUN", help="A marked run; repeat it.")
@click.option("--baseline", default=None, metavar="RUN", help="Compare with this run instead of the chosen baseline.")
@click.option("--metric", default=None, metavar="KEY", help="The main metric.")
@click.option("--monitor", default=None, metavar="NAME", help="The monitor it is about.")
@click.option("--column", default=None, metavar="NAME", help="The column that is open.")
@click.option("--window", type=float, default=None, metavar="SECONDS", help="Start of the window that is open.")
@click.option("--option", "options", multiple=True, metavar="NAME=VALUE", help="An option of the view; repeat it.")
@format_option
@teaches
def panel(
    name: str | None, root: Path, where: str, run: str | None, marks: tuple[str, ...], baseline: str | None,
    metric: str | None, monitor: str | None, column: str | None, window: float | None, options: tuple[str, ...],
    form: str,
) -> None:  # fmt: skip
    """Print panel NAME as the interface shows it, plugins' panels too; without NAME, list the panels.

    The key that shows a view's command in the interface gives the options. JSON is the panel's own form of its data,
    or the blocks it is made of; CSV has the rows of its tables.
    """
    from workbench.cli.output import print_listing, screen_fit
    from workbench.core.prose import keyed
    from workbench.core.query import Focus
    from workbench.render.json import to_json

    project = open_project(root)
    query = project.query
    if name is None:
        _list_panels(form, project.config)
        return
    found = _panel(name, project.config)
    runs = {word: find_run(query, word).id for word in (*marks, *filter(None, (run, baseline)))}
    focus = Focus(
        runs.get(run or ""), tuple(runs[mark] for mark in marks), runs.get(baseline or "") or _baseline(query), where,
        metric, monitor, column, window, dict(map(_option, options)),
    )  # fmt: skip
    data = _loaded(found, query, focus)

    def view() -> Block:
        return keyed(found.view(data, screen_fit()))

    def shape() -> Any:
        own = found.to_json(data)
        return to_json(view()) if own is None else own

    print_listing(form, view, shape, lambda: _rows(found.to_json(data), view()))


def _list_panels(form: str, config: Config) -> None:
    from workbench.cli.output import print_listing
    from workbench.core.blocks import Cell, Column, Table
    from workbench.panels.registry import all_panels

    known = [(each.name, each.title, each.key) for each in all_panels(config)]
    names = ("name", "title", "key")
    table = Table([Column(each, each) for each in names], [[Cell(value) for value in row] for row in known])
    print_listing(form, lambda: table, lambda: [dict(zip(names, row, strict=True)) for row in known])


def _panel(name: str, config: Config) -> Panel:
    from workbench.core.config import nearest
    from workbench.panels.registry import all_panels
    from workbench.tui.source_panel import SourcePanel

    known = {each.name: each for each in (*all_panels(config), SourcePanel())}
    if name not in known:
        raise fail(f"no panel {name!r}{nearest(name, known)}\n  next: workbench panel", 2)
    return known[name]


def _loaded(panel: Panel, query: StoreQuery, focus: Focus) -> Any:
    """The panel's data; whatever it raises is told in words, as the interface tells it."""
    from workbench.plugin.box import reason_of

    try:
        return panel.load(query, focus)
    except Exception as error:
        words, place = reason_of(error)
        raise fail(f"panel {panel.name} failed: {words}" + (f"\n  in {place}" if place else ""), 3) from error


def _baseline(query: StoreQuery) -> str | None:
    from workbench.core.compare import baseline_of

    found = baseline_of(query.runs(hidden=True))
    return None if found is None else found.id


def _option(text: str) -> tuple[str, Any]:
    """NAME=VALUE with VALUE as JSON where it is some, else as a text."""
    import json

    name, equals, value = text.partition("=")
    if not name or not equals:
        raise fail(f"--option: {text!r} is not NAME=VALUE", 2)
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value


def _rows(own: Any, block: Block) -> list[dict[str, Any]]:
    """The rows of a CSV: the panel's own where they are a list of objects, else those of its tables."""
    if isinstance(own, Sequence) and own and all(isinstance(row, Mapping) for row in own):
        return [dict(row) for row in own]
    return [
        {column.title or column.key: _plain_value(cell) for column, cell in zip(table.columns, row, strict=True)}
        for table in _tables(block)
        for row in table.rows
    ]


def _tables(block: Block) -> Iterator[Table]:
    from workbench.core.blocks import Columns, Stack, Table

    if isinstance(block, Table):
        yield block
    elif isinstance(block, Stack | Columns):
        for part in block.blocks:
            yield from _tables(part)


def _plain_value(cell: Cell) -> Any:
    return cell.text or None if cell.value is None else cell.value
