"""The mapping a monitor is read with: the configuration over the guess, and the same as text for `workbench.toml`."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence

from msgspec import structs

from workbench.core.config import CONFIG_NAME, ColumnRoles, MonitorConfig, nearest
from workbench.core.expressions import ExpressionError, Kind, Node, columns_of, parse_expression
from workbench.core.expressions import expression_sql as compiled
from workbench.monitor.exports import ExportMapping
from workbench.monitor.names import latency_unit
from workbench.monitor.session import quoted
from workbench.monitor.tables import DriftInputError, Table

SINGLE = ("prediction", "probability", "label", "latency", "status", "version")
"""Roles that are one column; the others are expressions or lists."""
_EXPRESSIONS = ("error", "weight", "business")
_LISTS = ("features", "categorical", "segments", "redact")


def effective_mapping(config: MonitorConfig, proposed: ExportMapping, table: Table) -> ExportMapping:
    """The configuration over the guess: what is configured holds, what is not is guessed from the rest.

    Raises:
        DriftInputError: a configured column that the export lacks; a label may be missing, it often comes later.
    """
    asked = config.columns
    _check(config, table)
    given = {role: getattr(asked, role) for role in SINGLE if getattr(asked, role)}
    used = {config.timestamp, config.id, *given.values(), *asked.features, *asked.ignore}
    used |= {name for text in _written(asked).values() for name in needed(text, table)}

    def free(name: str | None) -> str | None:
        return None if name in used else name

    roles = {role: given.get(role) or free(getattr(proposed.columns, role)) for role in SINGLE}
    timestamp = config.timestamp or free(proposed.timestamp)
    row_id = config.id or free(proposed.id)
    business = asked.business or (None if asked.measures else free(proposed.columns.business))
    guessed_weight = proposed.columns.weight
    weight = asked.weight or (
        guessed_weight if guessed_weight and not used & set(needed(guessed_weight, table)) else None
    )
    columns = structs.replace(asked, business=business, weight=weight, **roles)
    taken = {timestamp, row_id, *roles.values(), *asked.ignore, *(set(proposed.columns.ignore) - set(given.values()))}
    taken |= {name for text in _written(columns).values() for name in needed(text, table)}
    taken -= set(asked.segments)
    features = asked.features or tuple(column.name for column in table.columns if column.name not in taken)
    unit = asked.latency_unit
    if unit == "auto" and roles["latency"]:
        unit = latency_unit(roles["latency"]) or "ms"
    columns = structs.replace(columns, features=features, latency_unit=unit)
    time_unit = config.timestamp_unit
    if time_unit == "auto" and timestamp == proposed.timestamp:
        time_unit = proposed.timestamp_unit
    return structs.replace(proposed, timestamp=timestamp, timestamp_unit=time_unit, columns=columns, id=row_id)


def _written(columns: ColumnRoles) -> Mapping[str, str]:
    """Expressions by the key they are configured under."""
    single = {name: getattr(columns, name) for name in _EXPRESSIONS if getattr(columns, name)}
    return single | {f"business.{measure.name}": measure.value for measure in columns.measures}


def _check(config: MonitorConfig, table: Table) -> None:
    """Every configured name is a column; each is told with its key and the nearest right name."""
    asked, names = config.columns, [column.name for column in table.columns]
    single = {f"columns.{role}": getattr(asked, role) for role in SINGLE if role != "label" and getattr(asked, role)}
    wanted = [("id", config.id), ("timestamp", config.timestamp), *single.items()]
    wanted += [(f"columns.{role}", name) for role in _LISTS for name in getattr(asked, role)]
    for key, text in _written(asked).items():
        try:
            wanted += [(f"columns.{key}", name) for name in needed(text, table)]
        except ExpressionError as error:
            raise DriftInputError(f"{CONFIG_NAME}: monitor.{config.name}.columns.{key}: {error}") from error
    later = {asked.label}
    for key, name in wanted:
        if name and name not in names and name not in later:
            where = f"{CONFIG_NAME}: monitor.{config.name}.{key}"
            raise DriftInputError(f"{where}: {config.path} has no column {name!r}{nearest(name, names)}")


def needed(text: str, table: Table) -> Sequence[str]:
    """Columns that a column's name or an expression stands for.

    Raises:
        ExpressionError: neither a column of the table nor an expression.
    """
    return columns_of(_node(text, table))


def expression_sql(text: str, table: Table) -> tuple[str, Kind]:
    """SQL of a column or expression over a table, null where a column is missing, and the kind of its value."""
    kinds: Mapping[str, Kind] = {"int": "number", "float": "number", "bool": "bool", "string": "text"}

    def column(name: str) -> tuple[str, Kind]:
        found = table.column(name)
        if found is None:
            return "NULL", "null"
        sql = quoted(found.sql)
        kind = kinds.get(found.kind, "text")
        return {"number": f"{sql}::DOUBLE", "text": f"{sql}::VARCHAR"}.get(kind, sql), kind

    return compiled(_node(text, table), column)


def _node(text: str, table: Table) -> Node:
    return Node("column", text) if table.column(text) else parse_expression(text)


def mapping_toml(mapping: ExportMapping, name: str = "production") -> str:
    """The mapping as the `[monitor.NAME]` tables of `workbench.toml`, ready to paste."""
    key = name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else _toml(name)
    lines = [f"[monitor.{key}]", f"path = {_toml(mapping.path)}"]
    if mapping.id:
        lines.append(f"id = {_toml(mapping.id)}")
    if mapping.timestamp:
        lines += [f"timestamp = {_toml(mapping.timestamp)}", f'timestamp_unit = "{mapping.timestamp_unit}"']
    lines += ["", f"[monitor.{key}.columns]"]
    for role in (*SINGLE, "weight", "business"):
        if column := getattr(mapping.columns, role):
            lines.append(f"{role} = {_toml(column)}")
    if mapping.columns.latency:
        lines.append(f'latency_unit = "{mapping.columns.latency_unit}"')
    for role in ("segments", "features", "ignore"):
        if columns := getattr(mapping.columns, role):
            lines.append(f"{role} = [{', '.join(map(_toml, columns))}]")
    lines += [f"# {column!r} has no role: {why}" for column, why in mapping.unplaced]
    lines += [f"# {note}" for note in mapping.notes]
    return "\n".join(lines) + "\n"


def _toml(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
