"""`sql`: one SELECT over a snapshot of the store."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from workbench.cli.project import format_option, open_project, root_option, teaches

if TYPE_CHECKING:
    from workbench.core.blocks import Cell


@click.command()
@click.argument("text", metavar="SELECT")
@root_option
@format_option
@teaches
def sql(text: str, root: Path, form: str) -> None:
    """One SELECT over a snapshot of the store: no files, network, ATTACH or SET, at most 100,000 rows and 60 s.

    Tables: run, param, tag, series, point, source, reject, fact, monitor, window, window_metric, window_column and
    profile; their columns: workbench sql 'describe point'.
    """
    from workbench.cli.output import print_listing
    from workbench.core.blocks import Column, Table

    rows = open_project(root).query.sql(text)
    columns = [
        Column(name, name, align="right" if _is_number(rows.rows, i) else "left") for i, name in enumerate(rows.columns)
    ]
    table = Table(columns, [[_cell(value) for value in row] for row in rows.rows])
    print_listing(
        form, lambda: table, lambda: [dict(zip(rows.columns, map(_json, row), strict=True)) for row in rows.rows]
    )


def _is_number(rows: Any, position: int) -> bool:
    return all(isinstance(row[position], int | float | None) for row in rows[:100])


def _cell(value: Any) -> Cell:
    """A value with all its digits: ids and steps are no quantities."""
    from workbench.core.blocks import Cell
    from workbench.core.units import logged

    return Cell(value if isinstance(value, str | float | int | bool | None) else str(_json(value)), text=logged(value))


def _json(value: Any) -> Any:
    """A DuckDB value in JSON's terms."""
    from workbench.panels.shapes import plain_json

    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, str | float | int | bool | None | list | tuple | dict):
        return plain_json(value)
    return str(value)
