"""Labels that come later, in files of their own: parts with `t`, `n`, `src`, `id` and `label`."""

# ruff: noqa: S608 – SQL is put together from constants and quoted identifiers; values travel as parameters.
from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from workbench.core.config import nearest
from workbench.monitor.exports import time_sql, unit_by_magnitude
from workbench.monitor.names import ROLES, names_row, names_time
from workbench.monitor.parts import Part, Plan, copy_part, hidden, id_text, plain
from workbench.monitor.session import Session, quoted
from workbench.monitor.tables import DriftInputError, Table


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
        f"{hidden(id_text(found), row_id, plan, mapped=plan.mapping.id)} AS id",
        f"{hidden(plain(told), label, plan, mapped=plan.mapping.columns.label)} AS label",
        f"{_time(session, table, at)} AS t",
    ]
    return copy_part(session, table, part, select, (), "id IS NOT NULL AND label IS NOT NULL", target, outer=True)


def _time(session: Session, table: Table, name: str | None) -> str:
    column = table.column(name or "")
    if column is None:
        return "NULL::DOUBLE"
    if column.kind not in {"int", "float"}:
        number = f"try_cast({quoted(column.sql)}::VARCHAR AS DOUBLE)"
        unit = f"WHEN {number} < 1e11 THEN 1 WHEN {number} < 1e14 THEN 1e3 WHEN {number} < 1e17 THEN 1e6 ELSE 1e9"
        sized = f"{number} / CASE {unit} END"
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
