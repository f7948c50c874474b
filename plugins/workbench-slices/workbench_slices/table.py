"""Files of predictions, read by DuckDB on its own: the rows that are asked for, their labels, and columns as arrays."""

# ruff: noqa: S608 - SQL is put together from constants and quoted identifiers; values travel as parameters.
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench_slices import names
from workbench_slices.features import Column
from workbench_slices.model import Columns, Question

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection
    from numpy.typing import NDArray

MOST_FEATURES = 60
_NUMBERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT",
            "UHUGEINT", "FLOAT", "DOUBLE", "DECIMAL")  # fmt: skip
_TEXTS = ("VARCHAR", "BOOLEAN", "ENUM", "UUID")
_READERS = {
    "parquet": "read_parquet(?, union_by_name=true, hive_partitioning=false)",
    "csv": "read_csv_auto(?, union_by_name=true, ignore_errors=true, hive_partitioning=false)",
    "jsonl": "read_json_auto(?, union_by_name=true, ignore_errors=true, format='newline_delimited')",
}
_ENDINGS = {
    ".parquet": "parquet", ".pq": "parquet", ".csv": "csv", ".tsv": "csv", ".csv.gz": "csv", ".tsv.gz": "csv",
    ".jsonl": "jsonl", ".ndjson": "jsonl", ".jsonl.gz": "jsonl", ".ndjson.gz": "jsonl",
}  # fmt: skip
_BY_SIZE = "CASE WHEN abs({0}) < 1e11 THEN 1 WHEN abs({0}) < 1e14 THEN 1e3 WHEN abs({0}) < 1e17 THEN 1e6 ELSE 1e9 END"
_SEED = 20_130


class TableError(ValueError):
    """The files cannot be read as predictions; the message says why, and what would be right."""


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """Rows that were asked for, as columns of one length."""

    rows: int
    """How many there are in the files; the columns may be a sample of them."""
    features: dict[str, Column]
    prediction: Column | None = None
    probability: NDArray[np.float64] | None = None
    label: Column | None = None
    latency: NDArray[np.float64] | None = None
    """Milliseconds."""
    roles: Columns = field(default_factory=Columns)
    notes: Sequence[str] = ()

    @property
    def read(self) -> int:
        """Rows in the columns."""
        column = next(iter(self.features.values()), self.prediction)
        return 0 if column is None else len(column)


def format_of(path: str) -> str | None:
    """How a file of this name is read, or None."""
    lower = path.lower()
    return next((kind for ending, kind in _ENDINGS.items() if lower.endswith(ending)), None)


def read_table(question: Question) -> Table:
    """Read what is asked for.

    Raises:
        TableError: no file, not one format, or columns that are not there.
    """
    import duckdb

    con = duckdb.connect()
    try:
        con.execute("SET autoinstall_known_extensions = false")
        con.execute("SET threads = 2")
        con.execute("SET TimeZone = 'UTC'")
        return _read(con, question)
    except duckdb.Error as error:
        raise TableError(str(error).split("\n", 1)[0][:500]) from error
    finally:
        con.close()


def _read(con: DuckDBPyConnection, question: Question) -> Table:
    source = _source(question.paths)
    kinds = _kinds(con, source, question.paths)
    roles = _roles(question, list(kinds))
    notes: list[str] = []
    features = _chosen(roles, kinds, notes)
    taken = [name for name in (roles.prediction, roles.probability, roles.label, roles.latency, roles.id) if name]
    wanted = list(dict.fromkeys([*features, *(name for name in taken if name in kinds)]))
    if not features:
        raise TableError(f"no column is a feature; columns are {', '.join(kinds)}")
    inner, parameters = _asked_rows(source, kinds, roles, question)
    rows = int(con.execute(f"SELECT count(*) FROM ({inner})", parameters).fetchall()[0][0])
    sample = ""
    if rows > question.most_rows:
        sample = f" USING SAMPLE reservoir({question.most_rows} ROWS) REPEATABLE ({_SEED})"
        con.execute("SET threads = 1")  # the same rows each time
        notes.append(f"a sample of {question.most_rows:,} of the {rows:,} rows, drawn evenly")
    texts = {roles.id: "VARCHAR"}  # an id is compared as it is written, and may be longer than a float is exact
    selected = ", ".join(
        f"{_expression(name, texts.get(name, kinds[name]))} AS c{at}" for at, name in enumerate(wanted)
    )
    con.execute(f"CREATE TEMP TABLE asked AS SELECT {selected} FROM ({inner}){sample}", parameters)
    found = dict(zip(wanted, _columns(con, len(wanted)), strict=True))
    label = found.get(roles.label or "")
    if question.labels is not None and label is None:
        label = _joined_labels(con, question, wanted.index(roles.id) if roles.id in wanted else None, notes)
    return Table(
        rows, {name: found[name] for name in features}, found.get(roles.prediction or ""),
        _numbers(found.get(roles.probability or "")), label, _latency(found.get(roles.latency or ""), roles),
        roles, notes,
    )  # fmt: skip


def _source(paths: Sequence[str]) -> str:
    formats = {format_of(path) for path in paths}
    if not paths:
        raise TableError("no file")
    kind = next(iter(formats))
    if len(formats) > 1 or kind is None:
        raise TableError(f"{paths[0]}: predictions are .parquet, .csv or .jsonl, all files of one kind")
    return _READERS[kind]


def _kinds(con: DuckDBPyConnection, source: str, paths: Sequence[str]) -> dict[str, str]:
    """Type by column, of those that can be read as numbers, text or times."""
    described = con.execute(f"DESCRIBE SELECT * FROM {source}", [list(paths)]).fetchall()
    found = {}
    for name, kind, *_ in described:
        base = str(kind).split("(")[0]
        if base in _NUMBERS or base in _TEXTS or base.startswith(("TIMESTAMP", "DATE")):
            found[str(name)] = base
    return found


def _roles(question: Question, columns: Sequence[str]) -> Columns:
    """The roles that are configured, the rest by name."""
    from dataclasses import replace

    given = question.columns
    single = ("prediction", "probability", "label", "latency", "timestamp", "id")
    taken = {getattr(given, role) for role in single} | set(given.features)
    found: dict[str, str | None] = {}
    for role in ("prediction", "probability", "label", "latency"):
        free = [name for name in columns if name not in taken]
        found[role] = getattr(given, role) or names.guess(role, free)
        taken.add(found[role])
    free = [name for name in columns if name not in taken]
    times = given.timestamp or (names.guess_time(free) if question.times else None)
    row_id = given.id or (question.labels.id if question.labels and question.labels.id in columns else None)
    row_id = row_id or (names.guess_id(free) if question.labels else None)
    missing = [name for role in ("prediction", "probability", "latency") if (name := getattr(given, role))
               and name not in columns]  # fmt: skip
    if missing:
        raise TableError(f"no column {missing[0]!r}; columns are {', '.join(columns)}")
    return replace(
        given, prediction=found["prediction"], probability=found["probability"], label=found["label"],
        latency=found["latency"], timestamp=times, id=row_id,
    )  # fmt: skip


def _chosen(roles: Columns, kinds: dict[str, str], notes: list[str]) -> list[str]:
    """The features: as configured, else all columns that are none of the roles."""
    taken = {roles.prediction, roles.probability, roles.label, roles.latency, roles.timestamp, roles.id, *roles.ignore}
    if roles.features:
        features = [name for name in roles.features if name in kinds and name not in roles.ignore]
    else:
        features = [name for name in kinds if name not in taken and not names.is_no_feature(name)]
    features = [name for name in features if not kinds[name].startswith(("TIMESTAMP", "DATE"))]
    if len(features) > MOST_FEATURES:
        notes.append(f"the first {MOST_FEATURES} of {len(features)} features; name others under `features`")
    return features[:MOST_FEATURES]


def _expression(name: str, kind: str) -> str:
    quoted = _quoted(name)
    if kind in _NUMBERS:
        return f"{quoted}::DOUBLE"
    return f"{quoted}::VARCHAR"


def _asked_rows(
    source: str, kinds: dict[str, str], roles: Columns, question: Question
) -> tuple[str, list[Any]]:  # fmt: skip
    """A query for the rows of the window, and its parameters."""
    paths = list(question.paths)
    if question.numbers is not None:
        numbered = f"(SELECT *, row_number() OVER () - 1 AS _place FROM {source})"
        first, last = question.numbers
        return f"SELECT * EXCLUDE (_place) FROM {numbered} WHERE _place >= ? AND _place < ?", [paths, first, last]
    if question.times is None:
        return f"SELECT * FROM {source}", [paths]
    if roles.timestamp not in kinds:
        told = f"timestamp {roles.timestamp!r} is" if roles.timestamp else "no timestamp was found: it is"
        raise TableError(f"{told} none of the columns {', '.join(kinds)}")
    moment = _seconds(roles.timestamp, kinds[roles.timestamp], roles.timestamp_unit)
    return f"SELECT * FROM {source} WHERE {moment} >= ? AND {moment} < ?", [paths, *question.times]


def _seconds(name: str, kind: str, unit: str) -> str:
    """Seconds since 1970 of a column of times; numbers by their size where no unit is configured."""
    quoted = _quoted(name)
    if kind in _NUMBERS:
        scale = {"s": "1", "ms": "1e3", "us": "1e6", "ns": "1e9"}.get(unit) or _BY_SIZE.format(quoted)
        return f"({quoted}::DOUBLE / ({scale}))"
    return f"epoch(try_cast({quoted} AS TIMESTAMP))" if kind == "VARCHAR" else f"epoch({quoted})"


def _joined_labels(
    con: DuckDBPyConnection, question: Question, place: int | None, notes: list[str]
) -> Column | None:  # fmt: skip
    """Labels from files of their own, found by the row's id; None for all of them where they cannot be."""
    labels = question.labels
    assert labels is not None
    if not labels.paths or place is None:
        notes.append("no file of labels yet" if not labels.paths else "labels need a column that names a row")
        return None
    source = _source(labels.paths)
    kinds = _kinds(con, source, labels.paths)
    key = labels.id or names.guess_id(list(kinds))
    value = (
        labels.label
        or names.guess("label", list(kinds))
        or next((name for name in kinds if name != key and not names.is_no_feature(name)), None)
    )
    if key not in kinds or value not in kinds:
        notes.append(f"labels have the columns {', '.join(kinds)}: neither an id nor a label is told")
        return None
    con.execute(
        f"""CREATE TEMP TABLE told AS
        WITH given AS (SELECT {_quoted(key)}::VARCHAR AS id, {_expression(value, kinds[value])} AS label FROM {source})
        SELECT a.rowid AS place, any_value(g.label) AS label
        FROM asked a LEFT JOIN given g ON g.id = a.c{place} GROUP BY a.rowid""",
        [list(labels.paths)],
    )
    return _column(con.execute("SELECT label AS c FROM told ORDER BY place").fetchnumpy()["c"])


def _columns(con: DuckDBPyConnection, n: int) -> list[Column]:
    arrays = con.execute("SELECT * FROM asked ORDER BY rowid").fetchnumpy()
    return [_column(arrays[f"c{at}"]) for at in range(n)]


def _column(values: Any) -> Column:
    """Numbers with NaN, or text with None."""
    if values.dtype.kind in "fiub":
        return np.asarray(np.ma.filled(np.ma.asarray(values, np.float64), np.nan), np.float64)
    missing = np.ma.getmaskarray(values)
    return [
        None if gone or value is None else str(value)
        for value, gone in zip(np.ma.getdata(values), missing, strict=True)
    ]


def _numbers(column: Column | None) -> NDArray[np.float64] | None:
    return column if isinstance(column, np.ndarray) else None


def _latency(column: Column | None, roles: Columns) -> NDArray[np.float64] | None:
    values = _numbers(column)
    return None if values is None else values * names.milliseconds(roles.latency or "", roles.latency_unit)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
