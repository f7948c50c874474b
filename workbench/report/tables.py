"""The answer to a query in SQL as a table, as JSON, and as a file."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TextIO

from workbench.core.blocks import Cell, Column, Table
from workbench.core.query import Rows
from workbench.core.text import plain
from workbench.core.units import logged
from workbench.core.written import remember

FORMATS = ("csv", "parquet", "json", "md")
"""Endings of files that an answer can be written to."""


class FormatError(ValueError):
    """A file's ending says of no format; the message says which there are."""


def rows_table(rows: Rows) -> Table:
    """The answer as a block: all digits, since ids and steps are no quantities."""
    columns = [
        Column(name, name, align="right" if is_number(rows.rows, place) else "left")
        for place, name in enumerate(rows.columns)
    ]
    return Table(columns, [[value_cell(value) for value in row] for row in rows.rows])


def rows_shape(rows: Rows) -> list[dict[str, Any]]:
    """The answer in JSON's terms, a dict a row; a name that comes again gets a number."""
    names = distinct(rows.columns)
    return [dict(zip(names, map(json_value, row), strict=True)) for row in rows.rows]


def is_number(rows: Sequence[Sequence[Any]], place: int) -> bool:
    """Whether a column holds numbers, as far as its first hundred rows tell."""
    return all(isinstance(row[place], int | float | None) for row in rows[:100])


def value_cell(value: Any) -> Cell:
    """A value with all its digits."""
    return Cell(
        value if isinstance(value, str | float | int | bool | None) else str(json_value(value)), text=logged(value)
    )


def json_value(value: Any) -> Any:
    """A DuckDB value in JSON's terms."""
    from workbench.panels.shapes import plain_json

    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, str | float | int | bool | None | list | tuple | dict):
        return plain_json(value)
    return str(value)


def distinct(names: Sequence[str]) -> list[str]:
    """The names, those that come again with a number: `n`, `n_2`."""
    made: list[str] = []
    for name in names:
        number, candidate = 1, name
        while candidate in made:
            number += 1
            candidate = f"{name}_{number}"
        made.append(candidate)
    return made


def format_of(path: Path) -> str:
    """The format that a file's ending says.

    Raises:
        FormatError: it says of none.
    """
    ending = path.suffix.lower().removeprefix(".")
    found = {"markdown": "md", "pq": "parquet"}.get(ending, ending)
    if found not in FORMATS:
        raise FormatError(f"{path.name}: write one of {', '.join(f'.{each}' for each in FORMATS)} at its end")
    return found


def write_rows(rows: Rows, path: Path, *, replace: bool = True) -> None:
    """Write the answer to a file, in the format that its ending says; it appears when it is whole.

    Raises:
        FormatError: the ending says of no format.
        FileExistsError: it is there, and not to be replaced.
        OSError: it cannot be written.
    """
    write = _WRITERS[format_of(path)]
    if not replace and path.exists():
        raise FileExistsError(f"{path} is there already")
    target = path.resolve()
    temporary = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    try:
        write(rows, temporary)
        remember(temporary, target)
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)


def _text(write: Callable[[Rows, TextIO], None]) -> Callable[[Rows, Path], None]:
    def written(rows: Rows, path: Path) -> None:
        with path.open("w", encoding="utf-8", newline="", errors="replace") as stream:
            write(rows, stream)

    return written


def _csv(rows: Rows, stream: TextIO) -> None:
    """Texts are made safe for terminals and spreadsheets; None is an empty cell."""
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow([_csv_value(name) for name in rows.columns])
    writer.writerows([_csv_value(value) for value in row] for row in rows.rows)


def _csv_value(value: Any) -> Any:
    if value is None or isinstance(value, int | float):
        return value
    shown = json_value(value)
    text = plain(shown if isinstance(shown, str) else json.dumps(shown), limit=1_000_000, multiline=True)
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text


def _json(rows: Rows, stream: TextIO) -> None:
    json.dump(rows_shape(rows), stream, indent=2, ensure_ascii=True, allow_nan=False)
    stream.write("\n")


def _markdown(rows: Rows, stream: TextIO) -> None:
    from workbench.render.markdown import render_markdown

    stream.write(render_markdown(rows_table(rows)))


def _parquet(rows: Rows, path: Path) -> None:
    """Columns of one type each, found from all rows; what Parquet has no type for becomes text."""
    import polars as pl

    columns = {name: [row[place] for row in rows.rows] for place, name in enumerate(distinct(rows.columns))}
    pl.DataFrame({name: _series(name, values) for name, values in columns.items()}).write_parquet(path)


def _series(name: str, values: list[Any]) -> Any:
    import polars as pl

    if not any(value is not None for value in values):
        return pl.Series(name, values, dtype=pl.String)
    try:
        made = pl.Series(name, values, strict=True)
        if made.dtype != pl.Object:
            return made
    except (TypeError, OverflowError, pl.exceptions.PolarsError):
        pass
    return pl.Series(name, [None if value is None else str(json_value(value)) for value in values])


_WRITERS: dict[str, Callable[[Rows, Path], None]] = {
    "csv": _text(_csv),
    "json": _text(_json),
    "md": _text(_markdown),
    "parquet": _parquet,
}
