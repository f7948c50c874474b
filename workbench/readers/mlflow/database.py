"""One look at MLflow's database: the next metric rows by rowid, and the runs that changed."""

from __future__ import annotations

import sys
import zlib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from msgspec import Struct, field

from workbench.core.batch import Batch, Chunk, Claim, Fact, Head, Points, Reject, no_points
from workbench.readers.mlflow import tables
from workbench.readers.mlflow.facts import LONGEST_KEY, NATIVE_ID, facts_of
from workbench.readers.sqlite import NOT_SQLITE, Database, UnreadableDatabaseError, is_sqlite, opened

if TYPE_CHECKING:
    from numpy.typing import NDArray

_ROWS = 100_000
"""Metric rows that one call reads."""
_RUNS = 500
"""Runs that one call describes."""
_REMEMBERED = 320
"""Runs whose facts are known by their fingerprint; more than share a stretch of rows with a new run."""
_LARGE = 64
"""Stretches of rows that take some milliseconds to look at: of about 1,500 runs."""
_LOOK_SECONDS = 2.0
_METRIC = ("rowid", "key", "run_uuid", "value", "timestamp", "step", "is_nan")
_NONE: tuple[Reject, ...] = ()
_LARGEST = sys.float_info.max
"""What MLflow writes for infinity."""


def claim_of(head: Head) -> Claim:
    """Certain when MLflow's tables are there; one that cannot be opened now is judged by its name."""
    if not is_sqlite(head.data):
        return Claim(0.0, NOT_SQLITE)
    try:
        with opened(head.place) as database:
            lacking = tables.lacking(database)
    except UnreadableDatabaseError as error:
        why = f"an SQLite database that cannot be read now: {error}"
        named = head.name.lower().startswith(("mlflow", "mlruns"))
        return Claim(0.6 if named else 0.0, why, many_runs=named)
    if lacking:
        return Claim(0.0, f"an SQLite database, but no MLflow store: {lacking}")
    return Claim(1.0, "an SQLite database with MLflow's tables", many_runs=True)


def read_database(chunk: Chunk) -> Batch:
    """The next metric rows, and what is said anew of runs; a database that is busy is left for the next look."""
    try:
        with opened(chunk.place) as database:
            missing = tables.lacking(database)
            if missing:
                return Batch(state=chunk.state, message=f"not MLflow's any more: {missing}")
            return _read(database, chunk.state, chunk.modified)
    except UnreadableDatabaseError as error:
        hint = "; its writer is at work, tried again" if error.later else ""
        return Batch(state=chunk.state, message=f"{error}{hint}", more=error.later)


def _read(database: Database, before: Mapping[str, Any], modified: float) -> Batch:
    last, mark = before.get("metrics", (0, 0))
    if last and _mark(database, last) != mark:
        return Batch(restart=True, message="not the rows that were read before; read again from the start")
    state = dict(before)
    rows = list(database.select("metrics", _METRIC, "WHERE rowid > ? ORDER BY rowid LIMIT ?", last, _ROWS))
    telling = _Telling(database, state)
    telling.look(modified, busy=bool(rows), behind=len(rows) == _ROWS)
    points, rejects = no_points(), _NONE
    if rows:
        has_nan, has_step = ("is_nan" in database.columns("metrics"), "step" in database.columns("metrics"))
        points, rejects = _points(rows, has_nan=has_nan, has_step=has_step)
        end = int(rows[-1][0])
        state["metrics"] = (end, _mark(database, end))
    moved = {**state, "looked": 0} != {**before, "looked": 0}
    return Batch(
        points, telling.facts, rejects, accepted=len(points) + telling.told,
        consumed=len(rows) + len(telling.facts) or int(moved), state=state, message=database.remark,
        more=len(rows) == _ROWS or "at" in state,
    )  # fmt: skip


class _Telling(Struct):
    """What is said anew of runs; `state` is changed as it is found."""

    database: Database
    state: dict[str, Any]
    facts: list[Fact] = field(default_factory=list)
    told: int = 0

    def look(self, modified: float, *, busy: bool, behind: bool) -> None:
        """Go on with a pass over all runs, else tell of those that changed; that waits while there are rows to read.

        The tables are looked at before a pass begins: what changes during it is found by the next look. While metrics
        come in, a large store is looked at now and then; the ingester looks once more when it has fallen silent.
        """
        changed: set[str] | None = set()
        seen = self.state.get("seen")
        if seen is None or not ("at" in self.state or behind or (busy and self._was_just_seen(seen, modified))):
            watch = tables.Watch(self.database)
            now = watch.now()
            changed = None if seen is None else watch.changed(seen, now, _RUNS)
            self.state |= {"seen": now, "looked": modified}
        if changed is None:
            self.state["at"] = tables.FIRST_ROW
        if "at" in self.state:
            changed = self._next_runs()
        self._tell(changed or ())

    def _was_just_seen(self, seen: Mapping[str, Any], modified: float) -> bool:
        large = len(seen["runs"]) + len(seen["tags"]) > _LARGE
        return large and 0 <= modified - self.state.get("looked", 0.0) < _LOOK_SECONDS

    def _next_runs(self) -> set[str]:
        """The next runs of a pass; the last ones end it."""
        tail = "WHERE rowid >= ? ORDER BY rowid LIMIT ?"
        rows = list(self.database.select("runs", ("rowid", "run_uuid"), tail, self.state["at"], _RUNS))
        if len(rows) < _RUNS:
            del self.state["at"]
        else:
            self.state["at"] = int(rows[-1][0]) + 1
        return {uuid for _, uuid in rows if isinstance(uuid, str) and NATIVE_ID.fullmatch(uuid)}

    def _tell(self, ids: Sequence[str] | set[str]) -> None:
        """Facts of runs that say something else than the last time, as far as that is remembered."""
        remembered: dict[str, int] = dict(self.state.get("told", {}))
        for run in tables.runs(self.database, ids):
            facts = facts_of(run, run.uuid)
            said = zlib.crc32(repr([(fact.kind, fact.key, fact.value) for fact in facts]).encode("utf-8", "replace"))
            if remembered.pop(run.uuid[:8], None) != said:
                self.facts += facts
                self.told += 1
            remembered[run.uuid[:8]] = said
        self.state["told"] = dict(list(remembered.items())[-_REMEMBERED:])


def _mark(database: Database, rowid: int) -> int:
    """A checksum of a metric row, 0 where it is gone; VACUUM renumbers rows and a deletion frees their numbers."""
    row = next(database.select("metrics", _METRIC[1:], "WHERE rowid = ?", rowid), None)
    return 0 if row is None else zlib.crc32(repr(row).encode("utf-8", "replace"))


def _points(rows: Sequence[tuple[Any, ...]], *, has_nan: bool, has_step: bool) -> tuple[Points, tuple[Reject, ...]]:
    """Rows as columns; those with a value of another type than MLflow's are refused one by one."""
    wanted = (int, str, str, (int, float), int, int if has_step else object, int if has_nan else object)
    rejects = _NONE
    columns = list(zip(*rows, strict=True))
    if not all(_all_are(column, kind) for column, kind in zip(columns, wanted, strict=True)) or not _named(
        *columns[1:3]
    ):
        rejects = tuple(_refused(row) for row in rows if not _fits(row, wanted))
        columns = list(zip(*(row for row in rows if _fits(row, wanted)), strict=True)) or [()] * len(_METRIC)
    offset, names, uuids, values, stamps, steps, nans = columns
    keys, key = _coded(names)
    runs, run = _coded(uuids)
    value = np.array(values, np.float64)
    value[np.abs(value) == _LARGEST] *= np.inf
    if has_nan:
        value[np.array(nans, np.int64) != 0] = np.nan
    step = np.array(steps, np.int64) if has_step else np.zeros(len(value), np.int64)
    wall = np.array(stamps, np.float64) / 1000
    return Points(keys, key, step, wall, value, np.array(offset, np.int64), runs, run), rejects


def _all_are(column: Sequence[Any], kind: Any) -> bool:
    return kind is object or all(issubclass(found, kind) for found in set(map(type, column)))


def _named(keys: Sequence[str], uuids: Sequence[str]) -> bool:
    """Whether every metric and run has a name that can be one."""
    return all(0 < len(key) <= LONGEST_KEY for key in set(keys)) and all(map(NATIVE_ID.fullmatch, set(uuids)))


def _fits(row: Sequence[Any], wanted: Sequence[Any]) -> bool:
    right = all(isinstance(value, kind) for value, kind in zip(row, wanted, strict=True))
    return right and _named(row[1:2], row[2:3])


def _coded(texts: Sequence[str]) -> tuple[tuple[str, ...], NDArray[np.int32]]:
    """The distinct texts, and the place of each text among them."""
    codes: dict[str, int] = {}
    coded = np.fromiter((codes.setdefault(text, len(codes)) for text in texts), np.int32, len(texts))
    return tuple(codes), coded


def _refused(row: Sequence[Any]) -> Reject:
    shown = repr(tuple(value[:200] if isinstance(value, (str, bytes)) else value for value in row[1:]))
    return Reject(
        int(row[0]),
        len(shown),
        "E131 not a row of MLflow's metrics: a value of another type, or no name",
        shown.encode(),
    )
