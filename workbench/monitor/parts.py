"""Rows of an export as the monitor keeps them: roles under their own names, features beside them, one Parquet file a
stretch of a source. Nothing is kept of a row that is neither.

A part of rows has: `t` seconds since 1970 · `n` number of the row in its source · `src` the source · `slot` of the
source as a window · `id`, `version`, `s0`… segments · `prediction`, `probability`, `label` · `latency` in ms ·
`status`, `failed` · `weight` · `b0`… business values · a column `f_…` for each feature.
"""

# ruff: noqa: S608 – SQL is put together from constants and quoted identifiers; values travel as parameters.
from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

from msgspec import Struct, field
from msgspec.structs import asdict

from workbench.core.config import LabelSpec
from workbench.core.ids import hash64
from workbench.monitor.exports import ExportMapping, time_sql
from workbench.monitor.mapping import expression_sql
from workbench.monitor.names import LATENCY_UNITS, plain_name
from workbench.monitor.session import Session, quoted
from workbench.monitor.tables import Column, Kind, Table

PartKind = Literal["rows", "labels"]
MOST_NEW = 100
"""Columns of one part that were not there before; with more, keys are values."""
ROW_GROUP = 24_576
"""Rows of a row group: a few of them are held at a time, whatever the size of a part."""
_ERROR_WORDS = r"error|fail|timeout|timed.?out|exception|unavailable|deadline|crash|abort|refused|rejected"


class Plan(Struct, frozen=True, eq=False):
    """How rows become parts, decided once: the mapping, the kind of each column's values, and the project's key."""

    mapping: ExportMapping
    kinds: Mapping[str, Kind] = field(default_factory=dict)
    labels: LabelSpec | None = None
    key: str = ""
    """Hex digits; hashes what is to be redacted."""
    fixed: bool = False
    """The features are as configured: a column that comes later is none."""
    sampled: int = 0
    """Rows that it was decided from."""

    def __eq__(self, other: object) -> bool:
        """Whether they decide alike, from however many rows."""
        if not isinstance(other, Plan):
            return NotImplemented
        return asdict(self) | {"sampled": 0} == asdict(other) | {"sampled": 0}

    __hash__ = None  # type: ignore[assignment]


class Part(Struct, frozen=True):
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
    return copy_part(session, table, part, select, columns, some, target)


def copy_part(
    session: Session, table: Table, part: Part, select: Sequence[str], columns: Sequence[tuple[str, str, str]],
    where: str, target: Path, *, outer: bool = False,
) -> Part:  # fmt: skip
    """Write rows of a table as a part: those that `where` holds for, before or, with `outer`, after the selection."""
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
        select.append(f"{hidden(id_text(row_id), row_id.name, plan)} AS id")
    for alias, name in (("version", roles.version), *((f"s{i}", name) for i, name in enumerate(roles.segments))):
        if name:
            column = table.column(name)
            value = hidden(f"{quoted(column.sql)}::VARCHAR", name, plan) if column else "NULL::VARCHAR"
            select.append(f"{value} AS {alias}")
    for role in ("prediction", "label"):
        if column := table.column(getattr(roles, role) or ""):
            select.append(f"{hidden(plain(column), column.name, plan)} AS {role}")
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
            select.append(f"{hidden(quoted(column.sql), name, plan)} AS {feature_alias(name)}")
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
        select.append(f"{hidden(f'{quoted(column.sql)}::VARCHAR', column.name, plan)} AS status")
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


def hidden(sql: str, name: str, plan: Plan, *, mapped: str | None = None) -> str:
    """A value, or its keyed hash where the column, or the one of the export it belongs to, is to be redacted."""
    if not {name, mapped or name} & set(plan.mapping.columns.redact):
        return sql
    return f"left(sha256('{plan.key}' || ({sql})::VARCHAR), 16)"


def redacted_table(table: Table, plan: Plan) -> Table:
    """A table whose columns under `redact` are hashed like those of the exports, so that they can be compared."""
    redact = set(plan.mapping.columns.redact) & {column.name for column in table.columns}
    if not redact:
        return table
    hashed = {
        column.sql: hidden(quoted(column.sql), column.name, plan) for column in table.columns if column.name in redact
    }
    select = ", ".join(f"{sql} AS {quoted(name)}" for name, sql in hashed.items())
    columns = [Column(c.name, c.sql, "VARCHAR" if c.name in redact else c.type) for c in table.columns]
    source = f"(SELECT * REPLACE ({select}) FROM {table.source})"
    return Table(table.label, table.format, source, table.parameters, tuple(columns), table.rows)


def id_text(column: Column) -> str:
    """An id as text; one that a float column holds reads as the whole number it is."""
    name = quoted(column.sql)
    if column.kind == "float":
        return (
            f"coalesce(CASE WHEN {name} = floor({name}) THEN try_cast({name} AS HUGEINT)::VARCHAR END, {name}::VARCHAR)"
        )
    return f"{name}::VARCHAR"


def plain(column: Column) -> str:
    """A column as it is; nested values as text."""
    return f"{quoted(column.sql)}::VARCHAR" if column.kind == "other" else quoted(column.sql)


def _number(column: Column) -> str:
    name = quoted(column.sql)
    return f"{name}::DOUBLE" if column.kind in {"int", "float", "bool"} else f"try_cast({name} AS DOUBLE)"


def _value(text: str, table: Table) -> str:
    sql, kind = expression_sql(text, table)
    return {"text": f"try_cast({sql} AS DOUBLE)", "bool": f"({sql})::INTEGER::DOUBLE"}.get(kind, f"({sql})::DOUBLE")


def _literal(path: Path) -> str:
    return str(path).replace("'", "''")
