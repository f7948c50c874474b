"""Rows of an export as the monitor keeps them: roles under their own names, features beside them, one Parquet file a
stretch of a source. Nothing is kept of a row that is neither.

A part of rows has: `t` seconds since 1970 · `n` number of the row in its source · `src` the source · `slot` of the
source as a window · `id`, `version`, `s0`… segments · `prediction`, `probability`, `label` · `latency` in ms · `status`,
`failed` · `weight` · `b0`… business values · a column `f_…` for each feature. A part of labels has `t`, `n`, `src`,
`id`, `label`.
"""

# ruff: noqa: S608 – SQL is put together from constants and quoted identifiers; values travel as parameters.
from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from workbench.core.config import LabelSpec, nearest
from workbench.core.ids import hash64
from workbench.monitor.exports import ExportMapping, time_sql, unit_by_magnitude
from workbench.monitor.mapping import expression_sql
from workbench.monitor.names import LATENCY_UNITS, ROLES, names_row, names_time, plain_name
from workbench.monitor.session import Session, quoted
from workbench.monitor.tables import Column, DriftInputError, Kind, Table

PartKind = Literal["rows", "labels"]
MOST_NEW = 100
"""Columns of one part that were not there before; with more, keys are values."""
ROW_GROUP = 24_576
"""Rows of a row group: a few of them are held at a time, whatever the size of a part."""
_ERROR_WORDS = r"error|fail|timeout|timed.?out|exception|unavailable|deadline|crash|abort|refused|rejected"


@dataclass(frozen=True, slots=True)
class Plan:
    """How rows become parts, decided once: the mapping, what kind of values each column holds, and the project's key."""

    mapping: ExportMapping
    kinds: Mapping[str, Kind] = field(default_factory=dict)
    labels: LabelSpec | None = None
    key: str = ""
    """Hex digits; hashes what is to be redacted."""
    fixed: bool = False
    """The features are as configured: a column that comes later is none."""
    sampled: int = field(default=0, compare=False)
    """Rows that it was decided from."""


@dataclass(frozen=True, slots=True)
class Part:
    """One stretch of one source, as it is kept in `file` of the monitor's folder."""

    kind: PartKind
    source: str
    generation: int
    start: int
    """Bytes of text, decompressed, or rows of a Parquet file."""
    end: int
    first_row: int
    rows: int
    file: str
    begins: float | None = None
    ends: float | None = None
    """The span of its rows' times."""
    untimed: int = 0
    columns: tuple[tuple[str, str, str], ...] = ()
    """Features: name in the export, name in the part, type."""
    scored: bool = False
    """Its windows are closed: the features are gone."""


def feature_alias(name: str) -> str:
    """The column that a feature has in a part: names of exports differ in case only, or are no names."""
    return "f_" + hashlib.blake2b(name.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


def slot_of(source: str) -> int:
    """The number of a source as a window."""
    return hash64("window", source) >> 1


def write_rows(session: Session, table: Table, plan: Plan, part: Part, target: Path) -> Part:
    """Write the rows of a table as a part; the answer says what it holds."""
    select, columns = _selected(table, plan)
    some = " OR ".join(f"{quoted(column.sql)} IS NOT NULL" for column in table.columns) or "false"
    return _copy(session, table, part, select, columns, some, target)


def write_labels(session: Session, table: Table, plan: Plan, part: Part, target: Path) -> Part:
    """Write a table of labels as a part.

    Raises:
        DriftInputError: no column of ids, or none of labels.
    """
    spec = plan.labels
    assert spec is not None
    names = [column.name for column in table.columns]
    row_id = _named(spec.id or plan.mapping.id, names) or next((name for name in names if names_row(name)), None)
    if row_id is None or (spec.id and row_id != spec.id):
        raise DriftInputError(_lacks(table, "id", spec.id or plan.mapping.id or "id", names))
    label = _named(spec.label or plan.mapping.columns.label, names) or _label(names, row_id)
    if label is None or (spec.label and label != spec.label):
        raise DriftInputError(_lacks(table, "label", spec.label or "label", names))
    if spec.timestamp and spec.timestamp not in names:
        raise DriftInputError(_lacks(table, "timestamp", spec.timestamp, names))
    at = spec.timestamp or next((name for name in names if names_time(name) and name not in (row_id, label)), None)
    found, told = table.column(row_id), table.column(label)
    assert found is not None
    assert told is not None
    select = [
        f"{_hidden(_id_text(found), row_id, plan, mapped=plan.mapping.id)} AS id",
        f"{_hidden(_plain(told), label, plan, mapped=plan.mapping.columns.label)} AS label",
        f"{_time(session, table, at)} AS t",
    ]
    return _copy(session, table, part, select, (), "id IS NOT NULL AND label IS NOT NULL", target, outer=True)


def _copy(
    session: Session, table: Table, part: Part, select: Sequence[str], columns: Sequence[tuple[str, str, str]],
    where: str, target: Path, *, outer: bool = False,
) -> Part:  # fmt: skip
    source = part.source.replace("'", "''")
    inner = f"SELECT {', '.join(select)}, row_number() OVER () + {part.first_row - 1} AS n FROM {table.source}"
    inner += "" if outer else f" WHERE {where}"
    partial = target.with_suffix(".partial")
    session.rows(
        f"""COPY (SELECT *, '{source}' AS src, {slot_of(part.source)}::BIGINT AS slot FROM ({inner})
                  {f"WHERE {where}" if outer else ""})
            TO '{_literal(partial)}' (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE {ROW_GROUP})""",
        table.parameters,
    )
    rows, begins, ends, timed = session.rows(
        f"""SELECT count(*), min(t) FILTER (isfinite(t)), max(t) FILTER (isfinite(t)), count(*) FILTER (isfinite(t))
            FROM read_parquet('{_literal(partial)}')"""
    )[0]
    partial.rename(target)
    return Part(
        part.kind, part.source, part.generation, part.start, part.end, part.first_row, rows, target.name, begins, ends,
        rows - timed, tuple(columns),
    )  # fmt: skip


def _selected(table: Table, plan: Plan) -> tuple[list[str], list[tuple[str, str, str]]]:
    roles, mapping = plan.mapping.columns, plan.mapping
    time = table.column(mapping.timestamp or "")
    select = [f"{time_sql(time, mapping.timestamp_unit) if time else 'NULL::DOUBLE'} AS t"]
    row_id = table.column(mapping.id or "")
    if row_id:
        select.append(f"{_hidden(_id_text(row_id), row_id.name, plan)} AS id")
    for alias, name in (("version", roles.version), *((f"s{i}", name) for i, name in enumerate(roles.segments))):
        if name:
            column = table.column(name)
            value = _hidden(f"{quoted(column.sql)}::VARCHAR", name, plan) if column else "NULL::VARCHAR"
            select.append(f"{value} AS {alias}")
    for role in ("prediction", "label"):
        if column := table.column(getattr(roles, role) or ""):
            select.append(f"{_hidden(_plain(column), column.name, plan)} AS {role}")
    if column := table.column(roles.probability or ""):
        select.append(f"{_number(column)} AS probability")
    if column := table.column(roles.latency or ""):
        scale = LATENCY_UNITS.get(roles.latency_unit, 1e-3) / LATENCY_UNITS["ms"]
        select.append(f"({_number(column)} * {scale!r}) AS latency")
    select += _status(table, plan)
    if roles.weight:
        select.append(f"({_value(roles.weight, table)}) AS weight")
    values = [roles.business] if roles.business else [measure.value for measure in roles.measures]
    select += [f"({_value(value, table)}) AS b{i}" for i, value in enumerate(values)]
    columns = []
    for name in dict.fromkeys((*roles.features, *_new_columns(table, plan))):
        if column := table.column(name):
            redacted = name in roles.redact
            select.append(f"{_hidden(quoted(column.sql), name, plan)} AS {feature_alias(name)}")
            columns.append((name, feature_alias(name), "VARCHAR" if redacted else column.type))
    return select, columns


def _new_columns(table: Table, plan: Plan) -> list[str]:
    """Columns that were not there when the plan was made."""
    new = [column.name for column in table.columns if column.name not in plan.kinds]
    return [] if plan.fixed else new[:MOST_NEW]


def _status(table: Table, plan: Plan) -> list[str]:
    roles = plan.mapping.columns
    select = []
    column = table.column(roles.status or "")
    if column:
        select.append(f"{_hidden(f'{quoted(column.sql)}::VARCHAR', column.name, plan)} AS status")
    if roles.error:
        sql, kind = expression_sql(roles.error, table)
        failed = {"text": f"try_cast({sql} AS BOOLEAN)", "number": f"({sql} <> 0)"}.get(kind, f"({sql})::BOOLEAN")
        select.append(f"{failed} AS failed")
    elif column:
        select.append(f"{_failed(column)} AS failed")
    return select


def _failed(column: Column) -> str:
    """Whether a row failed, by its status.

    Numbers from 100 on are HTTP: 400 and above failed. Smaller ones and booleans follow the column's name: true
    `success` is no failure, anything else (an exit code, an `error` flag) failed unless it is 0. Words fail by what
    they say; a word that is a number counts as one.
    """
    good = plain_name(column.name).split("_")[-1] in {"success", "succeeded", "ok"}
    status = quoted(column.sql)
    number = f"try_cast({status} AS DOUBLE)" if column.kind == "string" else f"{status}::DOUBLE"
    flag = f"{number} = 0" if good else f"{number} <> 0"
    failed = f"CASE WHEN {number} >= 100 THEN {number} >= 400 WHEN {number} IS NOT NULL THEN {flag} END"
    if column.kind == "string":
        words = f"regexp_matches(lower({status}), '{_ERROR_WORDS}')"
        truth = f"lower({status}) = '{'false' if good else 'true'}'"
        failed = f"coalesce({failed}, CASE WHEN {status} IS NOT NULL THEN {words} OR {truth} END)"
    return f"({failed})"


def _hidden(sql: str, name: str, plan: Plan, *, mapped: str | None = None) -> str:
    """A value, or its keyed hash where the column, or the one of the export it belongs to, is to be redacted."""
    if not {name, mapped or name} & set(plan.mapping.columns.redact):
        return sql
    return f"left(sha256('{plan.key}' || ({sql})::VARCHAR), 16)"


def redacted_table(table: Table, plan: Plan) -> Table:
    """A table whose columns under `redact` are hashed like those of the exports, so that they can be compared."""
    redact = set(plan.mapping.columns.redact) & {column.name for column in table.columns}
    if not redact:
        return table
    hidden = {
        column.sql: _hidden(quoted(column.sql), column.name, plan) for column in table.columns if column.name in redact
    }
    select = ", ".join(f"{sql} AS {quoted(name)}" for name, sql in hidden.items())
    columns = [Column(c.name, c.sql, "VARCHAR" if c.name in redact else c.type) for c in table.columns]
    source = f"(SELECT * REPLACE ({select}) FROM {table.source})"
    return Table(table.label, table.format, source, table.parameters, tuple(columns), table.rows)


def _id_text(column: Column) -> str:
    """An id as text; one that a float column holds reads as the whole number it is."""
    name = quoted(column.sql)
    if column.kind == "float":
        return (
            f"coalesce(CASE WHEN {name} = floor({name}) THEN try_cast({name} AS HUGEINT)::VARCHAR END, {name}::VARCHAR)"
        )
    return f"{name}::VARCHAR"


def _plain(column: Column) -> str:
    return f"{quoted(column.sql)}::VARCHAR" if column.kind == "other" else quoted(column.sql)


def _number(column: Column) -> str:
    name = quoted(column.sql)
    return f"{name}::DOUBLE" if column.kind in {"int", "float", "bool"} else f"try_cast({name} AS DOUBLE)"


def _value(text: str, table: Table) -> str:
    sql, kind = expression_sql(text, table)
    return {"text": f"try_cast({sql} AS DOUBLE)", "bool": f"({sql})::INTEGER::DOUBLE"}.get(kind, f"({sql})::DOUBLE")


def _time(session: Session, table: Table, name: str | None) -> str:
    column = table.column(name or "")
    if column is None:
        return "NULL::DOUBLE"
    if column.kind not in {"int", "float"}:
        number = f"try_cast({quoted(column.sql)}::VARCHAR AS DOUBLE)"
        sized = f"{number} / CASE WHEN {number} < 1e11 THEN 1 WHEN {number} < 1e14 THEN 1e3 WHEN {number} < 1e17 THEN 1e6 ELSE 1e9 END"
        return f"coalesce({sized}, {time_sql(column, 'iso')})"
    middle = session.rows(f"SELECT median({quoted(column.sql)}) FROM {table.source}", table.parameters)[0][0]
    return time_sql(column, unit_by_magnitude(abs(float(middle))) if middle is not None else "s")


def _named(name: str | None, names: Sequence[str]) -> str | None:
    return name if name in names else None


def _label(names: Sequence[str], row_id: str) -> str | None:
    others = [name for name in names if name != row_id and not names_time(name)]
    return next((name for name in others if ROLES["label"](name)), others[0] if len(others) == 1 else None)


def _lacks(table: Table, key: str, name: str, names: Sequence[str]) -> str:
    return f"{table.label}: labels.{key}: no column {name!r}{nearest(name, names)}"


def _literal(path: Path) -> str:
    return str(path).replace("'", "''")
