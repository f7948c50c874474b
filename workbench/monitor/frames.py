"""Exports as one frame: sorted by window, roles under their own names, features numbered; staged as Parquet once."""

# ruff: noqa: S608 – SQL is put together from constants and quoted identifiers; values travel as parameters.
from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workbench.core.config import ColumnRoles, WindowSpec
from workbench.monitor.exports import ExportMapping, TimeUnit, time_sql, unit_by_magnitude
from workbench.monitor.session import Session, quoted
from workbench.monitor.tables import ORIGIN, Column, DriftInputError, Kind, Table

WEEK = 604_800.0
MONDAY = 345_600.0
"""The first Monday after 1970 began, on a Thursday: weeks are counted from here."""
_ROLES = ("prediction", "probability", "label", "latency", "status", "business")


@dataclass(frozen=True, slots=True)
class Frame:
    """A staged export: where it is, what its role columns hold, and its features as columns of the frame."""

    source: str
    parameters: Sequence[Any]
    roles: ColumnRoles
    kinds: Mapping[str, Kind]
    """By role, for the roles the export has a column for."""
    features: Sequence[Column]
    """Their names are the export's, their SQL names the frame's."""
    untimed: int = 0
    """Rows left out because no time could be read."""

    def windows_by_file(self, session: Session) -> dict[Path, frozenset[int]]:
        """The windows that each file has rows in, where the tables were opened with their origin."""
        found: dict[Path, set[int]] = {}
        for file, window in session.rows(f"SELECT DISTINCT file, w FROM {self.source}", self.parameters):
            found.setdefault(Path(file), set()).add(window)
        return {file: frozenset(windows) for file, windows in found.items()}

    def only(self, windows: Collection[int]) -> Frame:
        """The rows of some windows, at least one."""
        listed = ", ".join(map(str, sorted(windows)))
        return dataclasses.replace(self, source=f"(SELECT * FROM {self.source} WHERE w IN ({listed}))")


def stage_frame(
    session: Session, tables: Sequence[Table], mapping: ExportMapping, spec: WindowSpec, *, origin: bool = False
) -> Frame:
    """Cut tables into windows: all together by time or by count, else each table is a window.

    origin: the tables have the file of each row, and the frame keeps it.

    Raises:
        DriftInputError: windows follow time, and no row has one.
    """
    aliases = {name: f"f{i}" for i, name in enumerate(mapping.columns.features)}
    paths = []
    for number, table in enumerate(tables):
        paths.append(_copy(session, table, mapping, aliases, spec, number, origin))
    source, parameters = "read_parquet(?, union_by_name=true)", [paths]
    described = {str(row[0]): str(row[1]) for row in session.rows(f"DESCRIBE SELECT * FROM {source}", parameters)}
    kinds = {role: Column(role, role, described[role]).kind for role in _ROLES if role in described}
    features = [Column(name, alias, described[alias]) for name, alias in aliases.items() if alias in described]
    kept = int(session.rows(f"SELECT count(*) FROM {source}", parameters)[0][0])
    untimed = sum(table.rows for table in tables) - kept if spec.every else 0
    if untimed and not kept:
        raise DriftInputError(f"{mapping.path}: no row has a time in {mapping.timestamp!r}; set `timestamp_unit`")
    return Frame(source, parameters, mapping.columns, kinds, features, untimed)


def window_start(spec: WindowSpec, window: int) -> float:
    """Where a window of time begins, in seconds since 1970."""
    assert spec.every is not None
    return window * spec.every + _origin(spec.every)


def _origin(every: float) -> float:
    return MONDAY if every % WEEK == 0 else 0.0


def _window_sql(spec: WindowSpec, number: int) -> str:
    if spec.every:
        return f"floor((t - {_origin(spec.every)!r}) / {spec.every!r})::BIGINT"
    if spec.rows:
        return f"(row_number() OVER (ORDER BY t NULLS LAST, n) - 1) // {int(spec.rows)}"
    return f"{number}::BIGINT"


def _copy(
    session: Session,
    table: Table,
    mapping: ExportMapping,
    aliases: Mapping[str, str],
    spec: WindowSpec,
    number: int,
    origin: bool,
) -> str:
    select = [f"{quoted(ORIGIN)} AS file"] if origin else []
    for role in _ROLES:
        column = table.column(getattr(mapping.columns, role) or "")
        if column:
            select.append(f"{quoted(column.sql)} AS {role}")
    found = [(table.column(name), alias) for name, alias in aliases.items()]
    select += [f"{quoted(column.sql)} AS {alias}" for column, alias in found if column]
    time = table.column(mapping.timestamp or "")
    at = time_sql(time, _time_unit(session, table, time, mapping.timestamp_unit)) if time else "NULL::DOUBLE"
    some = " OR ".join(f"{quoted(column.sql)} IS NOT NULL" for column in table.columns) or "false"
    target = session.folder / f"frame-{len(list(session.folder.glob('frame-*')))}.parquet"
    literal = str(target).replace("'", "''")
    # Rows are numbered before anything is filtered or sorted: that is their order in the files.
    session.rows(
        f"""COPY (
              SELECT {_window_sql(spec, number)} AS w, t, * EXCLUDE (t, n) FROM (
                SELECT {at} AS t, row_number() OVER () AS n{"".join(", " + item for item in select)}
                FROM {table.source} WHERE {some})
              {"WHERE isfinite(t)" if spec.every else ""}
              ORDER BY w
            ) TO '{literal}' (FORMAT parquet)""",
        table.parameters,
    )
    return str(target)


def _time_unit(session: Session, table: Table, column: Column, unit: TimeUnit) -> TimeUnit:
    if unit != "auto" or column.kind not in {"int", "float"}:
        return unit
    middle = session.rows(f"SELECT median({quoted(column.sql)}) FROM {table.source}", table.parameters)[0][0]
    return unit_by_magnitude(abs(float(middle))) if middle is not None else "s"


def are_scores(session: Session, frame: Frame) -> bool | None:
    """Whether a prediction of fractions between 0 and 1, made for two classes, is a probability; None if undecided.

    Without a label that has come nothing can be told but that it is none.
    """
    if frame.kinds.get("prediction") != "float" or "probability" in frame.kinds or "label" not in frame.kinds:
        return False
    low, high, whole, classes, flags = session.rows(
        f"""SELECT min(prediction), max(prediction), bool_and(prediction = floor(prediction)), count(DISTINCT label),
              bool_and(label::VARCHAR IN ('0', '1', '0.0', '1.0', 'true', 'false')) FROM {frame.source}""",
        frame.parameters,
    )[0]
    if low is None or (0 <= low <= high <= 1 and flags is None):
        return None
    return not (low < 0 or high > 1 or whole or classes > 2 or not flags)


def scores_apart(frame: Frame) -> Frame:
    """The frame with its predictions taken for what they are: probabilities."""
    kinds = {role: kind for role, kind in frame.kinds.items() if role != "prediction"} | {"probability": "float"}
    source = f"(SELECT *, prediction AS probability FROM {frame.source})"
    return dataclasses.replace(frame, source=source, kinds=kinds)
