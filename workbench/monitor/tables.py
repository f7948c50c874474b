"""Opening a table for reading: which files, which format, which columns; text formats are staged as Parquet once."""

# ruff: noqa: S608 – SQL is put together from constants and quoted identifiers; values travel as parameters.
from __future__ import annotations

import csv
import glob
import gzip
import re
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from msgspec import Struct

from workbench.core.config import nearest
from workbench.monitor.session import Session

if TYPE_CHECKING:
    from collections.abc import Iterable

Format = Literal["parquet", "csv", "jsonl"]
Kind = Literal["int", "float", "bool", "string", "other"]

_SUFFIXES: dict[str, Format] = {
    ".parquet": "parquet", ".pq": "parquet", ".csv": "csv", ".tsv": "csv", ".txt": "csv",
    ".jsonl": "jsonl", ".ndjson": "jsonl", ".json": "jsonl",
}  # fmt: skip
NULLS = [
    "", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN", "<NA>", "N/A", "NA",
    "NULL", "NaN", "None", "n/a", "nan", "null",
]  # fmt: skip
"""What pandas reads as missing in a CSV: the same text must mean the same here for the scores to agree."""
_TYPES = ["BOOLEAN", "BIGINT", "DOUBLE", "VARCHAR"]
"""Types looked for in a CSV; dates stay text there, as with pandas."""
_INTEGERS = re.compile(r"U?(TINYINT|SMALLINT|INTEGER|BIGINT|HUGEINT)")


class DriftInputError(ValueError):
    """A table given to the monitor cannot be used; the message names the file, what is wrong, and what to do."""


class Column(Struct, frozen=True):
    """A column of a table: its name in the file, the name DuckDB gave it, and DuckDB's type."""

    name: str
    sql: str
    type: str
    cast: str = ""
    """What text is turned into before it is read as a number, where all of it can be."""

    @property
    def number(self) -> str:
        """The column as SQL of numbers."""
        name = '"' + self.sql.replace('"', '""') + '"'
        return f"{name}::{self.cast}::DOUBLE" if self.cast else f"{name}::DOUBLE"

    @property
    def kind(self) -> Kind:
        """What family of values the column holds."""
        if self.type in {"DOUBLE", "FLOAT"} or self.type.startswith("DECIMAL"):
            return "float"
        if _INTEGERS.fullmatch(self.type):
            return "int"
        if self.type == "BOOLEAN":
            return "bool"
        return "string" if self.type == "VARCHAR" or self.type.startswith("ENUM") else "other"


class Table(Struct, frozen=True):
    """A table ready to be scanned: `SELECT … FROM {source}` with `parameters`."""

    label: str
    format: str
    source: str
    parameters: Sequence[Any]
    columns: Sequence[Column]
    rows: int

    def column(self, name: str) -> Column | None:
        """The column of that name in the file, or None."""
        return next((column for column in self.columns if column.name == name), None)


def open_table(
    session: Session, path: Path | str, fmt: str = "auto", *, tolerant: bool = False, limit: int | None = None
) -> Table:
    """Open a file, or the files a glob matches, as one table; columns are joined by name.

    tolerant: leave out lines of a JSONL file that cannot be parsed, such as a last one still being written.
    limit: rows of a text format that are enough.

    Raises:
        DriftInputError: nothing there, not a table, or a table that cannot be read; names the file and the place.
    """
    return open_files(session, expand(path), str(path), fmt, tolerant=tolerant, limit=limit)


def open_files(
    session: Session,
    files: Sequence[Path],
    label: str,
    fmt: str = "auto",
    *,
    tolerant: bool = False,
    limit: int | None = None,
) -> Table:
    """Open given files as one table; see `open_table`."""
    full = [file for file in files if file.stat().st_size]
    kind = _one_format(full or files, fmt)
    if not full:
        return Table(label, kind, "(SELECT 1 WHERE false)", (), (), 0)
    for file in full:
        if kind == "parquet" and not parquet_complete(file):
            raise DriftInputError(f"{file}: the Parquet file has no end: it is still being written, or was cut off")
    import duckdb

    try:
        source, parameters, names = _source(session, full, kind, tolerant, f"LIMIT {limit}" if limit else "")
        described = session.rows(f"DESCRIBE SELECT * FROM {source}", parameters)
        rows = int(session.rows(f"SELECT count(*) FROM {source}", parameters)[0][0])
    except duckdb.Error as error:
        raise DriftInputError(f"{label}: {first_line(error)}") from error
    names = names if len(names) == len(described) else [str(row[0]) for row in described]
    _refuse_duplicates(label, names)
    columns = tuple(Column(name, *row[:2]) for name, row in zip(names, described, strict=True))
    return Table(label, kind, source, parameters, columns, rows)


def parquet_complete(path: Path) -> bool:
    """Whether a Parquet file has its closing mark; without it, it is still being written or was cut off.

    Raises:
        DriftInputError: not a Parquet file at all.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(4)
        file.seek(max(0, size - 4))
        tail = file.read(4)
    if head == b"PARE":
        raise DriftInputError(f"{path}: encrypted Parquet is not read; export it without encryption")
    if not b"PAR1".startswith(head):
        raise DriftInputError(f"{path}: not a Parquet file, it starts with {head!r}; a CSV needs the suffix .csv")
    return size >= 12 and tail == b"PAR1"


def sniff_format(path: Path, head: bytes | None = None) -> Format:
    """The format of a file by its suffix, `.gz` and `.zst` aside, else by its first bytes."""
    suffixes = [suffix.lower() for suffix in path.suffixes if suffix.lower() not in {".gz", ".zst"}]
    if suffixes and suffixes[-1] in _SUFFIXES:
        return _SUFFIXES[suffixes[-1]]
    if head is None:
        with path.open("rb") as file:
            head = file.read(64)
    if head.startswith(b"PAR1"):
        return "parquet"
    return "jsonl" if head.lstrip()[:1] in {b"{", b"["} else "csv"


def expand(path: Path | str) -> list[Path]:
    """The file of that name, or those a glob matches, sorted.

    Raises:
        DriftInputError: there is none, or it is a folder.
    """
    plain = Path(path)
    if plain.is_file():
        return [plain]
    if plain.is_dir():
        raise DriftInputError(f"{path}: is a folder; name its files, such as '{plain / '*.parquet'}'")
    files = [Path(found) for found in sorted(glob.glob(str(path), recursive=True))]
    files = [file for file in files if file.is_file()]
    if not files:
        near = [entry.name for entry in plain.parent.iterdir()] if plain.parent.is_dir() else []
        raise DriftInputError(f"{path}: no such file{nearest(plain.name, near) if 0 < len(near) <= 1000 else ''}")
    return files


def _one_format(files: Sequence[Path], fmt: str) -> Format:
    if fmt in {"parquet", "csv", "jsonl"}:
        return fmt  # type: ignore[return-value]
    found = {sniff_format(file): file for file in files}
    if len(found) > 1:
        names = ", ".join(f"{file.name} ({kind})" for kind, file in found.items())
        raise DriftInputError(f"{files[0].parent}: several formats in one table: {names}; narrow the pattern")
    return next(iter(found))


def _source(
    session: Session, files: Sequence[Path], kind: Format, tolerant: bool, limit: str
) -> tuple[str, list[Any], list[str]]:
    """The FROM clause, its parameters, and the columns' names in the file where DuckDB would change them."""
    paths = [_literal(file) for file in files]
    if kind == "parquet":
        names = _parquet_names(session, paths[0]) if len(paths) == 1 else []
        return "read_parquet(?, union_by_name=true, hive_partitioning=false)", [paths], names
    if kind == "csv":
        return _stage_csv(session, files, limit)
    options = "union_by_name=true, hive_partitioning=false"
    if tolerant:
        options += ", ignore_errors=true, format='newline_delimited'"
    return (*_stage(session, f"read_json(?, {options}) {limit}", [paths]), [])


def _stage_csv(session: Session, paths: Sequence[Path], limit: str) -> tuple[str, list[Any], list[str]]:
    import duckdb

    names, delimiter = _csv_header(paths[0])
    options = "header=true, nullstr=?, auto_type_candidates=?, union_by_name=true, hive_partitioning=false"
    parameters: list[Any] = [[_literal(path) for path in paths], NULLS, _TYPES]
    if delimiter:
        options += ", delim=?"
        parameters.append(delimiter)
    names = names if len(paths) == 1 else []
    try:
        return (*_stage(session, f"read_csv(?, {options}) {limit}", parameters), names)
    except duckdb.ConversionException:
        # A type guessed from the first rows that later ones contradict: look at all of them.
        return (*_stage(session, f"read_csv(?, {options}, sample_size=-1) {limit}", parameters), names)


def _stage(session: Session, source: str, parameters: list[Any]) -> tuple[str, list[Any]]:
    """Parse a text format once into a Parquet file of the session, so that columns can be read one by one."""
    target = session.folder / f"staged-{len(list(session.folder.glob('staged-*')))}.parquet"
    quoted = str(target).replace("'", "''")
    session.rows(f"COPY (SELECT * FROM {source}) TO '{quoted}' (FORMAT parquet)", parameters)
    return "read_parquet(?)", [_literal(target)]


def _literal(path: Path) -> str:
    """A path that DuckDB takes as it is, wildcards in names included."""
    return re.sub(r"([*?\[])", r"[\1]", str(path))


def _parquet_names(session: Session, path: str) -> list[str]:
    rows = session.rows("SELECT name, num_children FROM parquet_schema(?)", [path])
    names: list[str] = []
    nested = 0
    for name, children in rows[1:]:
        if nested:
            nested += (children or 0) - 1
        else:
            names.append(name)
            nested = children or 0
    return names


def _csv_header(path: Path) -> tuple[list[str], str]:
    """The header as it stands in the file, which DuckDB would change, and its delimiter ('' for one column)."""
    if path.suffix == ".zst":
        return [], ""
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            line = file.readline(1 << 20).decode("utf-8-sig", errors="replace").rstrip("\r\n")
        fields = {mark: next(csv.reader([line], delimiter=mark), []) for mark in ",\t;|"}
    except (csv.Error, EOFError, OSError, zlib.error) as error:
        raise DriftInputError(f"{path}: not a table: its first line is no header ({error})") from error
    delimiter, names = max(fields.items(), key=lambda item: len(item[1]))
    return (names, delimiter) if len(names) > 1 else ([line.strip('"')], "")


def _refuse_duplicates(label: str, names: Iterable[str]) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise DriftInputError(f"{label}: column {name!r} occurs twice; rename one of them")
        seen.add(name)


def first_line(error: Exception) -> str:
    """What DuckDB says went wrong, without its advice."""
    if "sniffing" in str(error):
        return "not a table: rows differ in their number of columns from the header, or a quote is never closed"
    text = str(error).split("\n\n")[0].split("\nLINE ")[0].split("Try ")[0]
    return " ".join(text.replace("Invalid Input Error: ", "").split())[:400]
