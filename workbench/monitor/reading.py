"""Exports become parts, a bounded stretch at a time: what was read once is never read again."""

# ruff: noqa: S608 – SQL is put together from constants and quoted identifiers; values travel as parameters.
from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from msgspec import Struct, structs

from workbench.core.config import MonitorConfig
from workbench.monitor.exports import SAMPLE_ROWS, TimeUnit, propose, unit_by_magnitude
from workbench.monitor.labels import write_labels
from workbench.monitor.mapping import effective_mapping
from workbench.monitor.parts import Part, Plan, write_rows
from workbench.monitor.session import Session, quoted
from workbench.monitor.slabs import Header, csv_header, next_slab
from workbench.monitor.tables import Column, DriftInputError, Format, Kind, Table, first_line, open_files
from workbench.monitor.typed import MOST_COLUMNS, csv_slab, hive_columns, inferred, json_slab, with_constants

PARQUET_ROWS = 500_000
"""Rows of a Parquet file read at a time."""
_MEANT_FOR_TIME = frozenset({"date", "day", "dt", "hour", "month", "year", "minute", "week"})
"""Folders of a partitioned export that say when, not what."""


class Export(Struct, frozen=True):
    """A file of production rows, or of labels, open for reading."""

    source: str
    """Its path relative to the project."""
    path: Path
    format: Format
    descriptor: int
    """The bytes of text, decompressed; -1 for Parquet."""
    final: bool = True
    """Nobody writes to it any more: a last record without its line end is whole."""
    problem: str = ""
    """Why it ends early, such as a compressed stream that was cut off."""

    @property
    def folders(self) -> Mapping[str, str | None]:
        """Values that the folders of a partitioned export carry."""
        return hive_columns(self.source)


class Step(Struct, frozen=True):
    """What one stretch gave: a part where it had rows, how far it went, and whether there is more."""

    part: Part | None
    end: int
    rejected: int = 0
    unended: bool = False
    more: bool = False


def sample_rows(session: Session, export: Export) -> Table | None:
    """The first rows of an export as a table, None where it has none yet.

    Raises:
        DriftInputError: it cannot be read.
    """
    if export.format == "parquet":
        table = open_files(session, [export.path], export.source, "parquet")
        return with_constants(table, export.folders) if table.rows else None
    header = csv_header(export.descriptor) if export.format == "csv" else None
    if export.format == "csv" and header is None:
        return None
    slab = next_slab(export.descriptor, header.end if header else 0, quotes=header is not None, final=export.final)
    if not slab.data:
        return None
    table, _ = _slab_table(session, export, slab.data, header, {})
    if not table.rows:
        return None
    # A table of its own: the next slab takes the name.
    name = f"sample_{len(session.rows('SHOW TABLES'))}"
    session.rows(f"CREATE TEMP TABLE {name} AS SELECT * FROM {table.source} LIMIT {SAMPLE_ROWS}")
    sample = structs.replace(table, source=name, rows=min(table.rows, SAMPLE_ROWS))
    return with_constants(inferred(session, sample), export.folders)


def make_plan(
    session: Session, config: MonitorConfig, samples: Sequence[Table], partitions: Collection[str] = (),
    reference: Table | None = None, key: str = "",
) -> Plan:  # fmt: skip
    """Decide what the columns of exports mean, from samples of them; the first decides where they differ.

    partitions: columns that folders tell. key: hashes what is to be redacted.

    Raises:
        DriftInputError: a configured column is missing.
    """
    columns = {column.name: column for table in reversed(samples) for column in table.columns}
    union = structs.replace(samples[0], columns=tuple(columns.values()))
    mapping = effective_mapping(config, propose(session, samples[0], config.path), union)
    time = samples[0].column(mapping.timestamp or "")
    if time and mapping.timestamp_unit == "auto":
        mapping = structs.replace(mapping, timestamp_unit=_unit(session, samples[0], time))
    when = set(partitions) & _MEANT_FOR_TIME - set(config.columns.features)
    features = tuple(name for name in mapping.columns.features if name not in when)
    ignore = (*mapping.columns.ignore, *sorted(when))
    mapping = structs.replace(
        mapping, columns=structs.replace(mapping.columns, features=features, ignore=ignore), unplaced=(), notes=()
    )
    kinds = {column.name: column.kind for column in reference.columns} if reference else {}
    kinds |= {name: _kind(column, reference.column(name) if reference else None) for name, column in columns.items()}
    return Plan(mapping, kinds, config.labels, key, bool(config.columns.features), sum(table.rows for table in samples))


def _unit(session: Session, table: Table, time: Column) -> TimeUnit:
    if time.kind not in {"int", "float"}:
        return "iso"
    middle = session.rows(f"SELECT median({quoted(time.sql)}) FROM {table.source}", table.parameters)[0][0]
    return unit_by_magnitude(abs(float(middle))) if middle is not None else "s"


def _kind(column: Column, reference: Column | None) -> Kind:
    """What values a column of text holds: as the reference has them where both are numbers."""
    if reference and {column.kind, reference.kind} <= {"int", "float"}:
        return reference.kind
    return column.kind


def read_step(session: Session, export: Export, plan: Plan, at: Part, folder: Path) -> Step:
    """Read the next stretch of an export into a part below `folder`; `at` says of what, and where it begins.

    Raises:
        DriftInputError: the file cannot be read from here on; the message says why.
    """
    import duckdb

    read = _parquet_step if export.format == "parquet" else _text_step
    try:
        return read(session, export, plan, at, folder)
    except duckdb.Error as error:
        told = "cannot be read" if plan.mapping.columns.redact else first_line(error)
        raise DriftInputError(f"{export.source}: {told}") from error


def _parquet_step(session: Session, export: Export, plan: Plan, at: Part, folder: Path) -> Step:
    table = open_files(session, [export.path], str(export.path), "parquet")
    if len(table.columns) > MOST_COLUMNS:
        raise DriftInputError(f"{export.source}: {len(table.columns):,} columns; at most {MOST_COLUMNS:,} are read")
    start, end = at.start, min(table.rows, at.start + PARQUET_ROWS)
    if end <= start:
        return Step(None, start)
    source = "read_parquet(?, union_by_name=true, hive_partitioning=false, file_row_number=true)"
    rows = (
        f"SELECT * EXCLUDE (file_row_number) FROM {source} WHERE file_row_number >= {start} AND file_row_number < {end}"
    )
    stretch = structs.replace(table, source=f"({rows})", rows=end - start)
    part = _written(session, stretch, export, plan, structs.replace(at, end=end, first_row=start), folder)
    read = part.rows + (_all_null(session, stretch) if part.rows < end - start else 0)
    if at.kind == "rows" and read != end - start:
        raise DriftInputError(f"{export.source}: E161 holds {read:,} rows of the {end - start:,} its footer promises")
    return Step(part, end, more=end < table.rows)


def _all_null(session: Session, table: Table) -> int:
    """Rows without any value, which no part keeps."""
    none = " AND ".join(f"{quoted(column.sql)} IS NULL" for column in table.columns)
    return int(session.rows(f"SELECT count(*) FROM {table.source} WHERE {none}", table.parameters)[0][0])


def _text_step(session: Session, export: Export, plan: Plan, at: Part, folder: Path) -> Step:
    kinds: Mapping[str, Kind] = plan.kinds if at.kind == "rows" else {}
    header = csv_header(export.descriptor) if export.format == "csv" else None
    if export.format == "csv" and header is None:
        return Step(None, at.start)
    begin = max(at.start, header.end) if header else at.start
    slab = next_slab(export.descriptor, begin, quotes=header is not None, final=export.final)
    if slab.unended and not _whole(slab.data, header):
        return Step(None, at.start)
    if not slab.data:
        return Step(None, slab.end if slab.end > begin else at.start, slab.skipped, more=slab.end > begin)
    table, refused = _slab_table(session, export, slab.data, header, kinds)
    part = _written(session, table, export, plan, structs.replace(at, end=slab.end), folder)
    return Step(part, slab.end, refused + slab.skipped, slab.unended, more=not slab.unended)


def _slab_table(
    session: Session, export: Export, data: bytes, header: Header | None, kinds: Mapping[str, Kind]
) -> tuple[Table, int]:
    if header:
        return csv_slab(session, data, header, export.source, kinds)
    return json_slab(session, data.removeprefix(b"\xef\xbb\xbf"), export.source, kinds)


def _whole(data: bytes, header: Header | None) -> bool:
    """Whether a last record without its line end lacks nothing but that."""
    if header:
        return True
    import msgspec

    last = data.rstrip().rsplit(b"\n", 1)[-1]
    try:
        return isinstance(msgspec.json.decode(last), dict)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False


def _written(session: Session, table: Table, export: Export, plan: Plan, part: Part, folder: Path) -> Part:
    whole = with_constants(table, export.folders)
    name = f"{part.kind}-{_digest(part)}-{part.generation}-{part.start}.parquet"
    write = write_rows if part.kind == "rows" else write_labels
    return write(session, whole, plan, part, folder / name)


def _digest(part: Part) -> str:
    import hashlib

    return hashlib.blake2b(part.source.encode("utf-8", "surrogateescape"), digest_size=8).hexdigest()
