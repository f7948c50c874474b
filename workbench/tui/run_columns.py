"""Which columns the run table has room for, and how wide each is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct, field
from msgspec.structs import replace

from workbench.core.blocks import Column
from workbench.core.model import Roles, Run

GUTTER = 3
"""Cells left of the first column: the cursor's bar and the mark."""

ROOMY = 96
"""Columns from which a table is not narrow."""
WIDEST_NAME = 28
"""Columns a name gets before other columns; it grows further only into what they leave."""


class GridColumns(Struct, frozen=True):
    """Columns that fit, each with its width; the first `fixed` stay when the others scroll."""

    columns: Sequence[Column]
    gap: int = 1

    def starts(self) -> list[int]:
        """Where each column begins."""
        places, x = [], GUTTER
        for column in self.columns:
            places.append(x)
            x += (column.width or 0) + self.gap
        return places


class Snapshot(Struct, frozen=True):
    """Everything the table is made from, as one load of the store gave it."""

    runs: Sequence[Run] = ()
    telling: Sequence[Run] = ()
    """Some of them that between them have every key there is."""
    whole: bool = True
    """Whether these are all runs, or the newest of a store that has never been read before."""
    roles: Mapping[str, Roles] = field(default_factory=dict)
    main: str | None = None
    """The metric in the sparkline."""
    latency: str | None = None
    """The series whose p95 is shown."""
    baseline: str | None = None


def telling_runs(runs: Sequence[Run]) -> Sequence[Run]:
    """One run for each set of keys, so that what keys there are need not be asked of every run."""
    found: dict[tuple[str, tuple[str, ...]], Run] = {}
    for run in runs:
        for kind, keys in (("metric", run.metrics), ("param", run.params), ("tag", run.tags)):
            found.setdefault((kind, tuple(keys)), run)
    return tuple({run.id: run for run in found.values()}.values())


def fixed_columns(snapshot: Snapshot, width: int) -> list[Column]:
    """The columns that are always there, as wide as the grid allows."""
    roomy = width >= ROOMY
    marked = any(run.attention in ("warn", "bad") for run in snapshot.runs)
    columns = [Column("state", "state", width=12 if marked else 10), Column("name", "name", width=16 if roomy else 12)]
    columns.append(Column("age", "age", align="right", width=4))
    if snapshot.main is not None:
        unit = snapshot.roles.get(snapshot.main, Roles()).unit
        spark = 16 if roomy else 12 if width >= 76 else 8
        columns.append(Column("spark", snapshot.main, width=spark))
        columns.append(Column("main", "last", unit, "right", 9))
    if snapshot.baseline is not None and snapshot.main is not None:
        columns.append(Column("delta", "Δ base", align="right", width=9))
    if snapshot.latency is not None:
        unit = snapshot.roles.get(snapshot.latency, Roles()).unit
        columns.append(Column("p95", "p95", unit, "right", 8))
    return _most_telling(columns, width)


def _most_telling(columns: list[Column], width: int) -> list[Column]:
    """The columns that fit whole: values and their changes before curves, which the chart shows larger."""
    for key in ("p95", "spark", "age"):
        if GUTTER + sum((column.width or 0) + 1 for column in columns) - 1 <= width:
            break
        metric = next((column.title for column in columns if column.key == "spark"), "")
        columns = [column for column in columns if column.key != key]
        if key == "spark" and metric:
            columns = [replace(each, title=metric, width=12) if each.key == "main" else each for each in columns]
    return columns


def fitting(fixed: Sequence[Column], extras: Sequence[Column], width: int, longest_name: int) -> GridColumns:
    """The fixed columns, as many of the extra ones as fit, and the name as long as that allows."""
    gap = 1 if width < ROOMY else 2
    columns = list(fixed)
    name = next(place for place, column in enumerate(columns) if column.key == "name")
    own = columns[name].width or 0
    room = width - GUTTER - sum((column.width or 0) + gap for column in columns)
    grown = max(0, min(room, min(longest_name, WIDEST_NAME) - own))
    room -= grown
    shown: list[Column] = []
    for column in extras:
        needed = (column.width or 0) + gap
        if room < needed:
            break
        shown.append(column)
        room -= needed
    grown += max(0, min(room, longest_name - own - grown))
    columns[name] = replace(columns[name], width=own + grown)
    return GridColumns((*columns, *shown), gap)
