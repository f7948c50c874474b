"""Slabs of text as tables: every value read as text, then given the type its column was found to have."""

# ruff: noqa: S608 – SQL is put together from constants and quoted identifiers; values travel as parameters.
from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import unquote

from msgspec.structs import replace

from workbench.monitor.session import Session, quoted
from workbench.monitor.slabs import Header
from workbench.monitor.tables import NULLS, Column, DriftInputError, Kind, Table

MOST_COLUMNS = 4_000
"""Columns of one table; with more, keys are values."""
_TYPES: Mapping[Kind, str] = {"int": "BIGINT", "float": "DOUBLE", "bool": "BOOLEAN"}


def csv_slab(session: Session, data: bytes, header: Header, label: str, kinds: Mapping[str, Kind]) -> tuple[Table, int]:
    """Records of a CSV as a typed table, and how many lines are no row of it."""
    import duckdb

    file = session.folder / "slab.csv"
    file.write_bytes(data)
    columns = ", ".join(f"'c{i}': 'VARCHAR'" for i in range(len(header.names)))
    options = (
        f"auto_detect=false, header=false, delim=?, quote='\"', escape='\"', nullstr=?, columns={{{columns}}}, "
        "encoding='utf-8'"
    )
    parameters = [str(file), header.delimiter, NULLS]
    create = "CREATE OR REPLACE TEMP TABLE slab AS SELECT * FROM read_csv(?, "
    refused = False
    try:
        session.rows(f"{create}{options})", parameters)
    except duckdb.Error:
        # Something in it is no row of this table: the others are.
        session.rows(f"{create}{options}, ignore_errors=true)", parameters)
        refused = True
    file.unlink()
    table = _typed(session, label, "csv", header.names, kinds)
    return table, max(1, _lines(data) - table.rows) if refused else 0


def json_slab(session: Session, data: bytes, label: str, kinds: Mapping[str, Kind]) -> tuple[Table, int]:
    """Records of a JSON-lines file as a typed table with a column for every key, and how many lines are no record.

    Raises:
        DriftInputError: there are more keys than a table can have.
    """
    file = session.folder / "slab.jsonl"
    file.write_bytes(data)
    session.rows(
        """CREATE OR REPLACE TEMP TABLE records AS SELECT json FROM
             read_ndjson_objects(?, ignore_errors=true, maximum_object_size=16777216)
           WHERE json_type(json) = 'OBJECT'""",
        [str(file)],
    )
    file.unlink()
    found = session.rows(
        f"""SELECT key FROM (SELECT n, unnest(keys) AS key, generate_subscripts(keys, 1) AS i
                             FROM (SELECT json_keys(json) AS keys, row_number() OVER () AS n FROM records))
            GROUP BY key ORDER BY min({{'n': n, 'i': i}}) LIMIT {MOST_COLUMNS + 1}"""
    )
    if len(found) > MOST_COLUMNS:
        raise DriftInputError(
            f"more than {MOST_COLUMNS:,} different keys: a table has a column for each thing measured"
        )
    names = [str(row[0]) for row in found]
    paths = ["/" + name.replace("~", "~0").replace("/", "~1") for name in names]
    select = ", ".join(f"v[{i + 1}] AS c{i}" for i in range(len(names))) or "NULL::VARCHAR AS c0"
    session.rows(
        f"""CREATE OR REPLACE TEMP TABLE slab AS
            SELECT {select} FROM (SELECT json_extract_string(json, ?) AS v FROM records)""",
        [paths or ["/c0"]],
    )
    session.rows("DROP TABLE records")
    table = _typed(session, label, "jsonl", names, kinds)
    return table, 0 if data.count(b"\n") == table.rows else max(0, _lines(data) - table.rows)


def _lines(data: bytes) -> int:
    """Lines that are not blank."""
    return sum(bool(line.strip()) for line in data.split(b"\n"))


def _typed(session: Session, label: str, form: str, names: Sequence[str], kinds: Mapping[str, Kind]) -> Table:
    """The slab with each column as the type of its kind, where all of its values are; text where they are not."""
    select = ["count(*)"]
    for i, name in enumerate(names):
        select += [
            f"count(c{i})",
            f"count({_cast(f'c{i}', kinds.get(name, 'string'))})",
            f"count(try_cast(c{i} AS DOUBLE))",
        ]
    rows, *counts = session.rows(f"SELECT {', '.join(select)} FROM slab")[0]
    columns = []
    for i, name in enumerate(names):
        values, typed, numbers = counts[3 * i : 3 * i + 3]
        kind = kinds.get(name, "string")
        if kind in _TYPES and values != typed:
            kind = "float" if kind == "int" and values == numbers else "string"
        columns.append((Column(name, f"c{i}", _TYPES.get(kind, "VARCHAR")), f"{_cast(f'c{i}', kind)} AS c{i}"))
    source = f"(SELECT {', '.join(sql for _, sql in columns) or '1'} FROM slab)"
    return Table(label, form, source, (), tuple(column for column, _ in columns), rows)


def _cast(sql: str, kind: Kind) -> str:
    if kind == "int":  # a cast alone would round 1.5
        return f"CASE WHEN regexp_full_match({sql}, '\\s*[-+]?[0-9]+\\s*') THEN try_cast({sql} AS BIGINT) END"
    return f"try_cast({sql} AS {_TYPES[kind]})" if kind in _TYPES else sql


def inferred(session: Session, table: Table) -> Table:
    """A slab of text with each column as the narrowest type that all of its values have; nested values stay JSON."""
    select = []
    for column in table.columns:
        select += [f"count({column.sql})", f"count({_cast(column.sql, 'int')})", f"count({_cast(column.sql, 'float')})",
                   f"count(*) FILTER (lower({column.sql}) IN ('true', 'false'))",
                   f"count(*) FILTER (left({column.sql}, 1) IN ('{{', '['))"]  # fmt: skip
    counts = session.rows(f"SELECT {', '.join(select) or '1'} FROM {table.source}")[0]
    columns, casts = [], []
    for i, column in enumerate(table.columns):
        values, integers, numbers, flags, nested = counts[5 * i : 5 * i + 5]
        fitting: tuple[tuple[Kind, int], ...] = (("int", integers), ("float", numbers), ("bool", flags))
        kind: Kind = next((kind for kind, fit in fitting if values and fit == values), "string")
        form = "JSON" if table.format == "jsonl" and values and nested == values else _TYPES.get(kind, "VARCHAR")
        columns.append(Column(column.name, column.sql, form))
        casts.append(f"{_cast(column.sql, kind)} AS {column.sql}")
    return replace(table, source=f"(SELECT {', '.join(casts) or '1'} FROM {table.source})", columns=tuple(columns))


def hive_columns(path: Path | str) -> Mapping[str, str | None]:
    """Values that the folders of a partitioned export carry: `country=DE/` is a column."""
    found: dict[str, str | None] = {}
    for folder in Path(path).parent.parts:
        name, mark, value = folder.partition("=")
        if mark and name.isidentifier():
            found[name] = None if value == "__HIVE_DEFAULT_PARTITION__" else unquote(value)
    return found


def with_constants(table: Table, constants: Mapping[str, str | None]) -> Table:
    """A table with a column of one value each; a column it already has stays as it is."""
    new = {name: value for name, value in constants.items() if table.column(name) is None}
    if not new:
        return table
    select = ", ".join(f"?::VARCHAR AS {quoted(f'p{i}')}" for i in range(len(new)))
    columns = [Column(name, f"p{i}", "VARCHAR") for i, name in enumerate(new)]
    return Table(
        table.label, table.format, f"(SELECT *, {select} FROM {table.source})", (*new.values(), *table.parameters),
        (*table.columns, *columns), table.rows,
    )  # fmt: skip
