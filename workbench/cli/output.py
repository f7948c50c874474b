"""Prints a listing: a table for people, JSON, CSV and Markdown for everything else."""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import click

from workbench.core.blocks import Block
from workbench.core.prose import keyed
from workbench.core.query import Fit


def print_listing(
    form: str,
    view: Callable[[], Block],
    shape: Callable[[], Any],
    rows: Callable[[], list[dict[str, Any]]] | None = None,
) -> None:
    """Print blocks (`table`, `md`) or the JSON-able shape (`json`, `csv`) of one listing; only one is made.

    `rows` are those of the CSV where the shape is no list of them.
    """
    if form == "json":
        click.echo(json.dumps(shape(), indent=2, ensure_ascii=True, allow_nan=False))
    elif form == "csv":
        made = shape() if rows is None else rows()
        click.echo(_csv(made if isinstance(made, list) else [made]), nl=False)
    elif form == "md":
        from workbench.render.markdown import render_markdown

        click.echo(render_markdown(keyed(view())), nl=False)
    else:
        click.echo(_on_screen(keyed(view())), nl=False)


def screen_fit() -> Fit:
    """The room of the terminal, 120 columns where output is not one."""
    asked = os.environ.get("COLUMNS", "")
    if asked.isdigit() and int(asked):
        return Fit(max(20, int(asked)))
    return Fit(max(20, shutil.get_terminal_size((120, 40)).columns) if sys.stdout.isatty() else 120)


def colors_wanted() -> bool:
    """Whether stdout is a terminal and nobody asked for no colour."""
    return sys.stdout.isatty() and "NO_COLOR" not in os.environ


def flatten(row: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested objects as `a.b` columns, lists as JSON."""
    flat: dict[str, Any] = {}
    for key, value in row.items():
        if isinstance(value, Mapping):
            flat |= flatten(value, f"{prefix}{key}.")
        else:
            flat[prefix + key] = json.dumps(value) if isinstance(value, list) else value
    return flat


def csv_text(value: Any) -> Any:
    """A cell that no spreadsheet takes for a formula and no terminal for a command."""
    if not isinstance(value, str):
        return value
    from workbench.core.text import plain

    text = plain(value, multiline=True)
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text


def _on_screen(block: Block) -> str:
    from workbench.render.text import render_text

    return render_text(block, screen_fit(), color=colors_wanted())


def _csv(nested: Sequence[Mapping[str, Any]]) -> str:
    """Rows under the union of their columns; those of one nested object stand together, in order of appearance."""
    rows = [flatten(row) for row in nested]
    place = {name: at for at, name in enumerate(dict.fromkeys(key for row in nested for key in row))}
    names = list(dict.fromkeys(name for row in rows for name in row))
    names.sort(key=lambda name: place.get(name, place.get(name.partition(".")[0], len(place))))
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([csv_text(name) for name in names])
    writer.writerows([csv_text(row.get(name)) for name in names] for row in rows)
    return out.getvalue()
