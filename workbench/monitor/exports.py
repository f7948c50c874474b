"""What an export's columns seem to mean, guessed from their names and the first rows."""

# ruff: noqa: S608 – SQL is put together from constants and quoted identifiers; values travel as parameters.
from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from msgspec import Struct

from workbench.core.config import ColumnRoles
from workbench.monitor.names import (
    LATENCY_UNITS,
    ROLES,
    latency_unit,
    names_context,
    names_event_time,
    names_row,
    names_sampling,
    names_segment,
    names_time,
    names_version,
    plain_name,
)
from workbench.monitor.session import Session, open_session, quoted
from workbench.monitor.tables import Column, Table, open_table, parquet_complete, sniff_format

Readiness = Literal["ready", "empty", "being written"]
TimeUnit = Literal["auto", "iso", "s", "ms", "us", "ns"]

SAMPLE_ROWS = 20_000
"""Rows from the start of an export that a guess looks at."""
_EPOCH_FLOOR = 1e8
"""Smaller numbers are no times: as seconds this is March 1973."""
_MAGNITUDES: Sequence[tuple[float, TimeUnit]] = ((1e11, "s"), (1e14, "ms"), (1e17, "us"), (float("inf"), "ns"))
"""Upper bounds of present-day times counted in each unit; they lie a factor of 50 from either neighbour."""
_UNIQUE = 0.9
"""Share of distinct values, estimated to a few per cent, from which values do not repeat."""
_MOST_SEGMENTS = 20
"""Values of a column that is proposed as a segment."""


class ExportMapping(Struct, frozen=True):
    """Which column of an export plays which role, and which could not be placed."""

    path: str
    format: str
    timestamp: str | None
    timestamp_unit: TimeUnit
    columns: ColumnRoles
    unplaced: Sequence[tuple[str, str]] = ()
    """Columns without a role, each with the reason."""
    notes: Sequence[str] = ()
    """What was assumed, in words."""
    id: str | None = None
    """The column that names a row."""


class _Facts(Struct, frozen=True):
    """What a column holds in the sample: `low` and `high` of finite numbers, `times` as the share of readable times."""

    column: Column
    values: int
    distinct: int
    low: float | None
    high: float | None
    times: float

    @property
    def number(self) -> bool:
        return self.column.kind in {"int", "float"}

    @property
    def time(self) -> bool:
        epoch = self.number and self.low is not None and self.low >= _EPOCH_FLOOR
        return epoch or self.times >= 0.9


def readiness(path: Path) -> Readiness:
    """Whether an export can be read now; a Parquet file without its closing mark is still being written.

    Raises:
        DriftInputError: the file is no Parquet although its name says so.
    """
    if not path.stat().st_size:
        return "empty"
    if sniff_format(path) != "parquet" or parquet_complete(path):
        return "ready"
    return "being written"


def propose_mapping(path: Path | str) -> ExportMapping:
    """Guess the roles of an export's columns from their names and its first rows.

    Raises:
        DriftInputError: the file cannot be read.
    """
    with open_session() as session:
        table = open_table(session, path, limit=SAMPLE_ROWS)
        return propose(session, table, str(path))


def propose(session: Session, table: Table, path: str) -> ExportMapping:
    """Guess the roles of an open table's columns."""
    facts = _facts(session, table)
    timestamp = _timestamp(facts)
    free = [fact for fact in facts if fact is not timestamp]
    roles: dict[str, str] = {}
    for role, pattern in ROLES.items():
        matching = [fact for fact in free if pattern(fact.column.name) and _fits(role, fact)]
        if matching:
            chosen = min(matching, key=lambda fact: len(fact.column.name))
            roles[role] = chosen.column.name
            free.remove(chosen)
    row_id = _row_id(free)
    version = next((fact for fact in free if names_version(fact.column.name) and fact is not row_id), None)
    weight = next((fact for fact in free if names_sampling(fact.column.name) and fact.number), None)
    placed = [row_id, version, weight]
    free = [fact for fact in free if not any(fact is other for other in placed)]
    features, ignore, unplaced = _sort_rest(free)
    segments = [fact.column.name for fact in free if names_segment(fact.column.name) and _splits(fact)]
    unit = latency_unit(roles["latency"]) if "latency" in roles else None
    notes = []
    if "latency" in roles and unit is None:
        notes.append(f"{roles['latency']!r} names no unit: taken as milliseconds; set latency_unit if it is another")
    if timestamp is None:
        notes.append("no column of times found: windows can follow rows or files, not time")
    columns = ColumnRoles(
        latency_unit=unit or "auto",
        features=features,
        ignore=ignore,
        weight=f"1 / {_as_written(weight.column.name)}" if weight else None,
        segments=tuple(segments),
        version=version.column.name if version else None,
        **roles,  # type: ignore[arg-type]
    )
    return ExportMapping(
        path,
        table.format,
        timestamp.column.name if timestamp else None,
        _unit(timestamp),
        columns,
        unplaced,
        tuple(notes),
        row_id.column.name if row_id else None,
    )


def _row_id(facts: Sequence[_Facts]) -> _Facts | None:
    """The column whose name speaks of a row and whose values do not repeat; the most telling name first."""
    named = [fact for fact in facts if names_row(fact.column.name) and fact.column.kind in {"int", "string"}]
    unique = [fact for fact in named if fact.values and fact.distinct > _UNIQUE * fact.values]
    order = ("prediction", "inference", "request", "event", "correlation", "transaction", "trace")

    def place(fact: _Facts) -> tuple[int, int]:
        words = plain_name(fact.column.name).split("_")
        return next((i for i, word in enumerate(order) if word in words), len(order)), len(words)

    return min(unique, key=place, default=None)


def _splits(fact: _Facts) -> bool:
    return fact.column.kind in {"string", "bool", "int"} and 2 <= fact.distinct <= _MOST_SEGMENTS


def _as_written(name: str) -> str:
    """A column's name as an expression takes it."""
    return name if name.isidentifier() else '"' + name.replace('"', '""') + '"'


def time_sql(column: Column, unit: TimeUnit) -> str:
    """An expression for a column of times as seconds since 1970; NULL where a text is no time.

    Times without a zone are taken as UTC.
    """
    name = quoted(column.sql)
    if column.kind in {"int", "float"}:
        return f"{name}::DOUBLE / {1 / LATENCY_UNITS.get(unit, 1.0)!r}"
    if column.kind == "string" and unit in LATENCY_UNITS:
        return f"try_cast({name} AS DOUBLE) / {1 / LATENCY_UNITS[unit]!r}"
    return f"epoch(try_cast({name} AS TIMESTAMP))" if column.kind == "string" else f"epoch({name})"


def unit_by_magnitude(value: float) -> TimeUnit:
    """The unit in which a present-day time has this size."""
    return next(unit for bound, unit in _MAGNITUDES if value < bound)


def _facts(session: Session, table: Table) -> list[_Facts]:
    if not table.columns:
        return []
    select = []
    for column in table.columns:
        name = quoted(column.sql)
        select += [f"count({name})", f"approx_count_distinct({name})"]
        number = f"{name}::DOUBLE" if column.kind in {"int", "float"} else "NULL::DOUBLE"
        select += [f"{way}({number}) FILTER (isfinite({number}))" for way in ("min", "max")]
        time = f"try_cast({name} AS TIMESTAMP)" if column.kind == "string" else "NULL"
        select.append(f"count({time})")
    sample = f"(SELECT * FROM {table.source} LIMIT {SAMPLE_ROWS})"
    row = session.rows(f"SELECT {', '.join(select)} FROM {sample}", table.parameters)[0]
    facts = []
    for i, column in enumerate(table.columns):
        values, distinct, low, high, times = row[5 * i : 5 * i + 5]
        stamped = column.type.startswith("TIMESTAMP") or column.type == "DATE"
        share = 1.0 if stamped else times / values if values else 0.0
        facts.append(_Facts(column, values, distinct, low, high, share))
    return facts


def _timestamp(facts: Sequence[_Facts]) -> _Facts | None:
    times = [fact for fact in facts if fact.time]
    named = [fact for fact in times if names_time(fact.column.name)]
    if named:
        return min(
            named, key=lambda fact: (not names_event_time(fact.column.name), not fact.times, len(fact.column.name))
        )
    typed = [fact for fact in times if fact.times]
    return typed[0] if len(typed) == 1 else None


def _unit(fact: _Facts | None) -> TimeUnit:
    if fact is None:
        return "auto"
    return "iso" if fact.times or fact.low is None else unit_by_magnitude(fact.low)


def _fits(role: str, fact: _Facts) -> bool:
    """Whether a column holds what a role needs, its name aside."""
    if not fact.values or fact.column.kind == "other":
        return False
    if role == "probability":
        return fact.number and fact.low is not None and fact.low >= 0 and (fact.high or 0) <= 1
    if role in {"latency", "business"}:
        return fact.number or (role == "business" and fact.column.kind == "bool")
    return role != "status" or (fact.distinct <= 1000 and fact.column.kind != "float")


def _sort_rest(facts: Sequence[_Facts]) -> tuple[tuple[str, ...], tuple[str, ...], tuple[tuple[str, str], ...]]:
    """Columns without a role, as features, ignored ones, and ones that could not be placed with the reason."""
    features, ignore, unplaced = [], [], []
    for fact in facts:
        name = fact.column.name
        if names_row(name) or names_context(name) or (fact.time and not fact.times and names_time(name)):
            ignore.append(name)
        elif not fact.values:
            unplaced.append((name, "no values"))
        elif fact.time and fact.times:
            unplaced.append((name, "a time, and another column is the timestamp"))
        elif fact.column.kind == "other":
            unplaced.append((name, f"{fact.column.type} values are not tested"))
        elif fact.column.kind == "string" and fact.values > 20 and fact.distinct > 0.5 * fact.values:
            unplaced.append((name, "text that is mostly unique"))
        else:
            features.append(name)
    return tuple(features), tuple(ignore), tuple(unplaced)
