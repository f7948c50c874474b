"""What an export's columns mean: roles guessed from names and values, the configuration over the guess."""

# ruff: noqa: S608 – SQL is put together from constants and quoted identifiers; values travel as parameters.
from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from workbench.core.config import ColumnRoles, MonitorConfig, nearest
from workbench.monitor.names import (
    LATENCY_UNITS,
    ROLES,
    latency_unit,
    names_context,
    names_event_time,
    names_row,
    names_time,
)
from workbench.monitor.session import Session, open_session, quoted
from workbench.monitor.tables import Column, DriftInputError, Table, open_table, parquet_complete, sniff_format

Readiness = Literal["ready", "empty", "being written"]
TimeUnit = Literal["auto", "iso", "s", "ms", "us", "ns"]

SAMPLE_ROWS = 20_000
"""Rows from the start of an export that a guess looks at."""
_EPOCH_FLOOR = 1e8
"""Smaller numbers are no times: as seconds this is March 1973."""
_MAGNITUDES: Sequence[tuple[float, TimeUnit]] = ((1e11, "s"), (1e14, "ms"), (1e17, "us"), (float("inf"), "ns"))
"""Upper bounds of present-day times counted in each unit; they lie a factor of 50 from either neighbour."""
_SINGLE = ("prediction", "probability", "label", "latency", "status", "business")


@dataclass(frozen=True, slots=True)
class ExportMapping:
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


@dataclass(frozen=True, slots=True)
class _Facts:
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
    features, ignore, unplaced = _sort_rest(free)
    unit = latency_unit(roles["latency"]) if "latency" in roles else None
    notes = []
    if "latency" in roles and unit is None:
        notes.append(f"{roles['latency']!r} names no unit: taken as milliseconds; set latency_unit if it is another")
    if timestamp is None:
        notes.append("no column of times found: windows can follow rows or files, not time")
    columns = ColumnRoles(latency_unit=unit or "auto", features=features, ignore=ignore, **roles)  # type: ignore[arg-type]
    return ExportMapping(
        path,
        table.format,
        timestamp.column.name if timestamp else None,
        _unit(timestamp),
        columns,
        unplaced,
        tuple(notes),
    )


def effective_mapping(config: MonitorConfig, proposed: ExportMapping, table: Table) -> ExportMapping:
    """The configuration over the guess: what is configured holds, what is not is guessed from the rest.

    Raises:
        DriftInputError: a configured column that the export lacks; a label may be missing, it often comes later.
    """
    asked = config.columns
    names = [column.name for column in table.columns]
    given = {role: getattr(asked, role) for role in _SINGLE if getattr(asked, role)}
    for role, name in (
        ("timestamp", config.timestamp),
        *given.items(),
        *(("features", name) for name in asked.features),
    ):
        if name and name not in names and role != "label":
            raise DriftInputError(f"[monitor.{config.name}] {role} = {name!r}: no such column{nearest(name, names)}")
    used = {config.timestamp, *given.values(), *asked.features, *asked.ignore}
    guessed = {role: getattr(proposed.columns, role) for role in _SINGLE}
    roles = {role: given.get(role) or (guessed[role] if guessed[role] not in used else None) for role in _SINGLE}
    timestamp = config.timestamp or (proposed.timestamp if proposed.timestamp not in used else None)
    taken = {timestamp, *roles.values(), *asked.ignore, *(set(proposed.columns.ignore) - set(given.values()))}
    features = asked.features or tuple(name for name in names if name not in taken)
    unit = asked.latency_unit
    if unit == "auto" and roles["latency"]:
        unit = latency_unit(roles["latency"]) or "ms"
    columns = dataclasses.replace(asked, features=features, latency_unit=unit, **roles)  # type: ignore[arg-type]
    time_unit = config.timestamp_unit
    if time_unit == "auto" and timestamp == proposed.timestamp:
        time_unit = proposed.timestamp_unit
    return dataclasses.replace(proposed, timestamp=timestamp, timestamp_unit=time_unit, columns=columns)


def mapping_toml(mapping: ExportMapping, name: str = "production") -> str:
    """The mapping as the `[monitor.NAME]` tables of `workbench.toml`, ready to paste."""
    key = name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else _toml(name)
    lines = [f"[monitor.{key}]", f"path = {_toml(mapping.path)}"]
    if mapping.timestamp:
        lines += [f"timestamp = {_toml(mapping.timestamp)}", f'timestamp_unit = "{mapping.timestamp_unit}"']
    lines += ["", f"[monitor.{key}.columns]"]
    for role in _SINGLE:
        if column := getattr(mapping.columns, role):
            lines.append(f"{role} = {_toml(column)}")
    if mapping.columns.latency:
        lines.append(f'latency_unit = "{mapping.columns.latency_unit}"')
    for role in ("features", "ignore"):
        if columns := getattr(mapping.columns, role):
            lines.append(f"{role} = [{', '.join(map(_toml, columns))}]")
    lines += [f"# {column!r} has no role: {why}" for column, why in mapping.unplaced]
    lines += [f"# {note}" for note in mapping.notes]
    return "\n".join(lines) + "\n"


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


def _toml(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
