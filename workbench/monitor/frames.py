"""Parts as one frame: the rows of some windows, sorted by window, each with its label; staged as Parquet once.

In a frame `w` is the window, `yhat` and `y` are classes as text, `guess` and `truth` numbers; the other columns are
those of the parts.
"""

# ruff: noqa: S608 – SQL is put together from constants and quoted identifiers; values travel as parameters.
from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from msgspec import Struct

from workbench.core.config import WindowSpec
from workbench.monitor.parts import ROW_GROUP, Part, Plan, feature_alias, slot_of
from workbench.monitor.session import Session
from workbench.monitor.tables import Column, Kind, Table
from workbench.monitor.task import Seen, Task, class_sql, look

WEEK = 604_800.0
MONDAY = 345_600.0
"""The first Monday after 1970 began, on a Thursday: weeks are counted from here."""


class Frame(Struct, frozen=True):
    """Staged rows: where they are, which columns they have, and their features."""

    source: str
    parameters: Sequence[Any]
    columns: frozenset[str]
    features: Sequence[Column]
    """Their names are the export's, their SQL names the frame's."""
    plan: Plan
    task: Task
    partial: frozenset[str] = frozenset()
    """Features that some of its parts lack."""


class Kept(Struct, frozen=True):
    """The parts of a monitor, in their folder."""

    folder: Path
    rows: Sequence[Part]
    labels: Sequence[Part] = ()

    def files(self, parts: Sequence[Part]) -> list[str]:
        """Their files, as DuckDB takes them."""
        return [str(self.folder / part.file) for part in parts]


def window_start(spec: WindowSpec, window: int) -> float:
    """Where a window of time begins, in seconds since 1970."""
    assert spec.every is not None
    return window * spec.every + _origin(spec.every)


def window_of(spec: WindowSpec, moment: float) -> int:
    """The window of time that a moment is in."""
    assert spec.every is not None
    return int((moment - _origin(spec.every)) // spec.every)


def _origin(every: float) -> float:
    return MONDAY if every % WEEK == 0 else 0.0


_TYPES: Mapping[Kind | None, str] = {"int": "BIGINT", "float": "DOUBLE", "bool": "BOOLEAN"}
_READ = "read_parquet(?, union_by_name=true)"


def window_numbers(session: Session, kept: Kept, spec: WindowSpec, parts: Sequence[Part]) -> set[int]:
    """Windows that have rows of some parts, those behind a row that came late included where windows follow counts."""
    if not parts:
        return set()
    if spec.rows is None:
        sql = f"SELECT DISTINCT {_number(spec)} AS w FROM {_READ} WHERE w IS NOT NULL"
        return {int(row[0]) for row in session.rows(sql, [kept.files(parts)])}
    first, last = session.rows(
        f"""SELECT min(w) FILTER (list_contains(?, parse_filename(filename))), max(w) FROM (
              SELECT filename, {_number(spec)} AS w
              FROM read_parquet(?, union_by_name=true, filename=true))""",
        [[part.file for part in parts], kept.files(kept.rows)],
    )[0]
    return set() if first is None else set(range(first, last + 1))


def batches(session: Session, kept: Kept, spec: WindowSpec, windows: Collection[int], most: int) -> list[list[int]]:
    """Windows in their order, in groups of at most so many rows, a larger window by itself."""
    counted = dict(
        session.rows(
            f"SELECT w, count(*) FROM (SELECT {_number(spec)} AS w FROM {_READ}) GROUP BY w", [kept.files(kept.rows)]
        )
    )
    found: list[list[int]] = []
    rows = most
    for window in sorted(windows):
        rows += counted.get(window, 0)
        if rows > most or not found:
            found.append([])
            rows = counted.get(window, 0)
        found[-1].append(window)
    return found


def last_windows(session: Session, kept: Kept, spec: WindowSpec) -> dict[str, int]:
    """The last window that has rows of each part, by its file."""
    return {
        str(file): int(last)
        for file, last in session.rows(
            f"""SELECT parse_filename(filename), max(w) FROM (
                  SELECT filename, {_number(spec)} AS w FROM read_parquet(?, union_by_name=true, filename=true))
                GROUP BY ALL""",
            [kept.files(kept.rows)],
        )
    }


def labelled_windows(session: Session, kept: Kept, spec: WindowSpec, fresh: Sequence[Part]) -> set[int]:
    """Windows whose rows are named by new labels."""
    if not fresh or "id" not in columns_of(session, kept, kept.rows):
        return set()
    found = session.rows(
        f"""SELECT DISTINCT w FROM (SELECT id, {_number(spec)} AS w FROM {_READ})
            SEMI JOIN {_READ} l USING (id) WHERE w IS NOT NULL""",
        [kept.files(kept.rows), kept.files(fresh)],
    )
    return {int(row[0]) for row in found}


def columns_of(session: Session, kept: Kept, parts: Sequence[Part]) -> dict[str, str]:
    """Columns of some parts and their types."""
    if not parts:
        return {}
    rows = session.rows(f"DESCRIBE SELECT * FROM {_READ}", [kept.files(parts)])
    return {str(row[0]): str(row[1]) for row in rows}


def look_at(session: Session, kept: Kept, rows: Sequence[Part], labels: Sequence[Part], seen: Seen) -> Seen:
    """What new parts tell about labels and predictions, beside what was seen before."""
    for parts in (rows, labels):
        if parts:
            seen = look(session, _READ, [kept.files(parts)], list(columns_of(session, kept, parts)), seen)
    return seen


def _number(spec: WindowSpec) -> str:
    if spec.every:
        return f"CASE WHEN isfinite(t) THEN floor((t - {_origin(spec.every)!r}) / {spec.every!r})::BIGINT END"
    if spec.rows:
        return f"(row_number() OVER (ORDER BY t NULLS LAST, src, n) - 1) // {int(spec.rows)}"
    return "slot"


def stage_frame(
    session: Session, kept: Kept, spec: WindowSpec, plan: Plan, task: Task, windows: Collection[int]
) -> Frame:
    """Gather the rows of some windows, with the latest label of each."""
    parts = [part for part in kept.rows if _touches(part, spec, windows)] if spec.rows is None else list(kept.rows)
    found = columns_of(session, kept, parts)
    session.rows("CREATE OR REPLACE TEMP TABLE wanted AS SELECT unnest(?::BIGINT[]) AS w", [sorted(windows)])
    target = session.folder / "frame.parquet"
    select = [name for name in found if name not in {"label", "prediction", "probability", "src", "slot"}]
    label, joined = _joined(kept, found)
    aliases = {feature_alias(name): name for name in plan.mapping.columns.features}
    absent = [
        f"NULL::{_TYPES.get(plan.kinds.get(name), 'VARCHAR')} AS {a}" for a, name in aliases.items() if a not in found
    ]
    rows, files = _rows_of(spec, windows), kept.files(parts)
    sql = f"""
        COPY (
          SELECT {", ".join([*(f"r.{name}" for name in ("w", *select)), *_outcome(found, label, task), *absent])}
          FROM ({rows}) r SEMI JOIN wanted USING (w)
            {joined.format(rows=rows) if joined else ""}
          ORDER BY r.w, r.src, r.n
        ) TO '{str(target).replace("'", "''")}' (FORMAT parquet, ROW_GROUP_SIZE {ROW_GROUP})"""
    reads = rows.count("?")
    session.rows(sql, [*[files] * reads, *([kept.files(kept.labels), *[files] * reads] if joined else [])])
    described = {
        str(row[0]): str(row[1]) for row in session.rows("DESCRIBE SELECT * FROM read_parquet(?)", [[str(target)]])
    }
    names = aliases | {alias: name for part in parts for name, alias, _ in part.columns}
    order = {name: i for i, name in enumerate(plan.mapping.columns.features)}
    features = [_feature(plan, name, alias, described[alias]) for alias, name in names.items() if alias in described]
    features.sort(key=lambda column: order.get(column.name, len(order)))
    having = [{name for name, _, _ in part.columns} for part in parts if not part.scored]
    partial = frozenset(column.name for column in features if any(column.name not in names for names in having))
    return Frame("read_parquet(?)", [[str(target)]], frozenset(described), features, plan, task, partial)


def _rows_of(spec: WindowSpec, windows: Collection[int]) -> str:
    """Rows with the number of their window, as SQL; more of them than asked for."""
    if spec.every:
        first, last = window_start(spec, min(windows)), window_start(spec, max(windows) + 1)
        return f"SELECT *, {_number(spec)} AS w FROM {_READ} WHERE t >= {first!r} AND t < {last!r}"
    if spec.rows:
        # Numbered by themselves: ordering whole rows would take their whole size.
        return f"SELECT * FROM {_READ} JOIN (SELECT src, n, {_number(spec)} AS w FROM {_READ}) USING (src, n)"
    return f"SELECT *, {_number(spec)} AS w FROM {_READ}"


def _touches(part: Part, spec: WindowSpec, windows: Collection[int]) -> bool:
    if spec.every is None:
        return slot_of(part.source) in windows
    if part.begins is None or part.ends is None or not windows:
        return False
    return part.ends >= window_start(spec, min(windows)) and part.begins < window_start(spec, max(windows) + 1)


def _joined(kept: Kept, found: Collection[str]) -> tuple[str, str]:
    """The label of a row, and the join that brings those that came later: the last one said holds."""
    own = "r.label" if "label" in found else ""
    if not kept.labels or "id" not in found:
        return own, ""
    latest = f"""LEFT JOIN (
          SELECT id, label AS late FROM {_READ} SEMI JOIN ({{rows}}) USING (id)
          QUALIFY row_number() OVER (PARTITION BY id ORDER BY t DESC NULLS LAST, src DESC, n DESC) = 1) l
        ON l.id = r.id"""
    return (f"coalesce(l.late::VARCHAR, {own}::VARCHAR)" if own else "l.late"), latest


def _outcome(found: Collection[str], label: str, task: Task) -> list[str]:
    """What was predicted and what came true, as classes and as numbers."""
    positive, negative = ("'" + name.replace("'", "''") + "'" for name in (task.positive, task.negative))
    probability = "r.probability" if "probability" in found else "NULL::DOUBLE"
    guess = "try_cast(r.prediction AS DOUBLE)" if "prediction" in found else "NULL::DOUBLE"
    if task.score:
        probability, guess = guess, "NULL::DOUBLE"
    if "prediction" in found and not task.score:
        yhat = class_sql("r.prediction")
    else:
        yhat = f"CASE WHEN {probability} >= 0.5 THEN {positive} WHEN {probability} IS NOT NULL THEN {negative} END"
    truth = label or "NULL::VARCHAR"
    return [
        f"{yhat} AS yhat", f"{class_sql(truth)} AS y", f"{guess} AS guess", f"try_cast({truth} AS DOUBLE) AS truth",
        f"{probability} AS probability",
    ]  # fmt: skip


def _feature(plan: Plan, name: str, alias: str, kind: str) -> Column:
    nested = plan.kinds.get(name) == "other" and kind == "VARCHAR" and name not in plan.mapping.columns.redact
    return Column(name, alias, "JSON" if nested else kind)


def frame_table(frame: Frame, where: str) -> Table:
    """The features of some rows of a frame as a table."""
    return Table(
        "production", "parquet", f"(SELECT * FROM {frame.source} WHERE {where})", frame.parameters, frame.features, 0
    )
