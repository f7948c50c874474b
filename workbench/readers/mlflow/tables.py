"""The tables of MLflow's SQLite store: runs with all that is said of them, and which runs changed."""

from __future__ import annotations

import zlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from workbench.readers.mlflow.facts import (
    GOAL_TAGS,
    LONGEST_KEY,
    LONGEST_TEXT,
    MOST_ENTRIES,
    NATIVE_ID,
    Dataset,
    Experiment,
    MlflowRun,
)
from workbench.readers.sqlite import Database

FIRST_ROW, _LAST_ROW = -(1 << 63), (1 << 63) - 1
"""What a rowid may be, in a database that somebody made for the purpose; MLflow's begin at 1."""
_AT_ONCE = 250
"""Ids in one query."""
_STRETCHES = 10_000
"""Digests of one table at most: beyond 640,000 runs or 2.5 million tags, changes in place are not seen."""
RUN_COLUMNS = (
    "run_uuid", "name", "user_id", "status", "start_time", "end_time", "lifecycle_stage", "artifact_uri",
    "experiment_id",
)  # fmt: skip
_NEEDED = {
    "alembic_version": {"version_num"}, "experiments": {"experiment_id", "name"}, "runs": {"run_uuid", "status"},
    "metrics": {"key", "value", "timestamp", "run_uuid"},
}  # fmt: skip
_WATCHED = {
    "runs": (6, ("run_uuid", "name", "status", "start_time", "end_time", "lifecycle_stage", "experiment_id")),
    "tags": (8, ("run_uuid", "key", "value")),
}
"""Tables whose rows are changed in place: bits of rowid that a digest spans, and the columns it is of."""
_GROWING = {"params": ("run_uuid",), "inputs": ("source_id", "destination_id"), "logged_models": ("source_run_id",)}
"""Tables that only gain rows, and their columns that may name the run."""


def lacking(database: Database) -> str:
    """What an MLflow store needs and the database has not, in words; empty when it has all.

    Raises:
        UnreadableDatabaseError: busy, damaged, or out of time.
    """
    for table, columns in _NEEDED.items():
        found = database.columns(table)
        if not found:
            return f"has no table {table}"
        if columns - found:
            return f"its table {table} has no column {min(columns - found)}"
        if "rowid" in found:
            return f"its table {table} has a column rowid, which MLflow's has not"
    return ""


class Watch:
    """What of the tables was seen at a look, as JSON, and the runs that changed since."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def now(self) -> dict[str, Any]:
        """Digests of what changes in place and the last rows of what only grows."""
        seen: dict[str, Any] = {table: dict(self._digests(table)) for table in _WATCHED}
        seen |= {table: self._last(table) for table in _GROWING}
        seen["experiments"] = {
            key: zlib.crc32(repr((item.name, sorted(item.tags.items()))).encode("utf-8", "replace"))
            for key, item in experiments(self._database).items()
        }
        return seen

    def changed(self, before: dict[str, Any], now: dict[str, Any], most: int) -> set[str] | None:
        """Ids of runs that something new is said of; None where they are more than `most`."""
        runs: set[str] = set()
        for table, (bits, _) in _WATCHED.items():
            old = before.get(table, {})
            for bucket in (key for key, value in now[table].items() if old.get(key) != value):
                first, last = _span(int(bucket), bits)
                runs |= self._ids(table, ("run_uuid",), "WHERE rowid BETWEEN ? AND ?", first, last)
                if len(runs) > most:
                    return None
        for table, columns in _GROWING.items():
            last = before.get(table, 0)
            if now[table] > last:
                runs |= self._ids(table, columns, "WHERE rowid > ? LIMIT ?", last, 8 * most)
        renamed = [key for key, value in now["experiments"].items() if before["experiments"].get(key, value) != value]
        for key in renamed:
            runs |= self._ids("runs", ("run_uuid",), "WHERE CAST(experiment_id AS TEXT) = ? LIMIT ?", key, most + 1)
        return runs if len(runs) <= most else None

    def _ids(self, table: str, columns: Sequence[str], tail: str, *values: Any) -> set[str]:
        rows = self._database.select(table, columns, tail, *values)
        return {value for row in rows for value in row if isinstance(value, str) and NATIVE_ID.fullmatch(value)}

    def _digests(self, table: str) -> Iterator[tuple[str, int]]:
        """A checksum of each stretch of rows, by its place; stretches without rows are passed over."""
        bits, wanted = _WATCHED[table]
        found = self._database.columns(table)
        names = [f"coalesce(\"{name}\", '')" for name in wanted if name in found]
        if not names or "rowid" in found:
            return
        said = " || char(31) || ".join(names)
        stretch = f'SELECT group_concat({said}, char(30)) FROM "{table}" WHERE rowid BETWEEN ? AND ?'  # noqa: S608
        following = f'SELECT min(rowid) FROM "{table}" WHERE rowid >= ?'  # noqa: S608 - names from constants above
        last = FIRST_ROW - 1
        for _ in range(_STRETCHES):
            first = next(self._database.rows(following, last + 1))[0] if last < _LAST_ROW else None
            if not isinstance(first, int):
                return
            bucket = first >> bits
            first, last = _span(bucket, bits)
            text = str(next(self._database.rows(stretch, first, last))[0])
            yield str(bucket), zlib.crc32(text.encode("utf-8", "replace"))

    def _last(self, table: str) -> int:
        found = self._database.columns(table)
        if not found or "rowid" in found:
            return 0
        last = next(self._database.rows(f'SELECT max(rowid) FROM "{table}"'))[0]  # noqa: S608 - a constant above
        return last if isinstance(last, int) else 0


def _span(bucket: int, bits: int) -> tuple[int, int]:
    """The first and last rowid of a stretch."""
    return bucket << bits, ((bucket + 1) << bits) - 1


def experiments(database: Database) -> dict[str, Experiment]:
    """Experiments by id, with those of their tags that name a goal."""
    tags: dict[str, dict[str, str]] = defaultdict(dict)
    marks = ", ".join("?" * len(GOAL_TAGS))
    columns = ("experiment_id", "key", "value")
    for key, name, value in database.select("experiment_tags", columns, f"WHERE key IN ({marks})", *GOAL_TAGS):
        tags[text(key)][text(name)] = text(value)
    rows = database.select("experiments", ("experiment_id", "name"), "LIMIT ?", 100_000)
    return {text(key): Experiment(text(name), tags.get(text(key), {})) for key, name in rows}


def runs(database: Database, ids: Iterable[str]) -> list[MlflowRun]:
    """Runs of these ids with all that is said of them, in the order of their rows.

    Raises:
        UnreadableDatabaseError: busy, damaged, or out of time.
    """
    wanted = sorted(ids)
    known = experiments(database) if wanted else {}
    found: list[MlflowRun] = []
    for first in range(0, len(wanted), _AT_ONCE):
        found += _runs(database, wanted[first : first + _AT_ONCE], known)
    return found


def _runs(database: Database, ids: Sequence[str], known: dict[str, Experiment]) -> Iterator[MlflowRun]:
    params, tags = (_entries(database, table, ids) for table in ("params", "tags"))
    datasets, models = _datasets(database, ids), _models(database, ids)
    for row in list(_by_id(database, "runs", "run_uuid", RUN_COLUMNS[1:], ids)):
        uuid, name, user, status, start, end, stage, artifacts, experiment = row
        yield MlflowRun(
            text(uuid), text(name), text(status), start, end, text(stage) == "deleted", text(user), text(artifacts),
            known.get(text(experiment), Experiment()), params[text(uuid)], tags[text(uuid)],
            sorted(datasets[text(uuid)], key=lambda item: (item.name, item.digest, item.context)), models[text(uuid)],
        )  # fmt: skip


def _entries(database: Database, table: str, ids: Sequence[str]) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = defaultdict(dict)
    for uuid, key, value in _by_id(database, table, "run_uuid", ("key", "value"), ids):
        entries, name = found[text(uuid)], text(key)
        if len(entries) < MOST_ENTRIES and 0 < len(name) <= LONGEST_KEY:
            entries[name] = text(value)
    return found


def _datasets(database: Database, ids: Sequence[str]) -> dict[str, list[Dataset]]:
    links = [
        (text(uuid), text(source), text(input_id))
        for uuid, kind, source, input_id in _by_id(
            database, "inputs", "destination_id", ("source_type", "source_id", "input_uuid"), ids
        )
        if kind == "DATASET"
    ]
    columns = ("name", "digest", "dataset_source", "dataset_profile")
    sources = {text(row[0]): row[1:] for row in _by_id(database, "datasets", "dataset_uuid", columns, _second(links))}
    roles = {
        text(row[0]): text(row[2])
        for row in _by_id(database, "input_tags", "input_uuid", ("name", "value"), [link[2] for link in links])
        if row[1] == "mlflow.data.context"
    }
    found: dict[str, list[Dataset]] = defaultdict(list)
    for uuid, source, input_id in links:
        if source in sources:
            found[uuid].append(Dataset(*map(text, (*sources[source], roles.get(input_id)))))
    return found


def _models(database: Database, ids: Sequence[str]) -> dict[str, list[tuple[str, str]]]:
    """Logged models of each run: those it made, and those it named as its output."""
    columns = ("model_id", "name", "artifact_location")
    found: dict[str, dict[str, str]] = defaultdict(dict)
    for uuid, _, name, place in _by_id(database, "logged_models", "source_run_id", columns, ids):
        found[text(uuid)][text(name)] = text(place)
    linked = ("source_type", "destination_id")
    links = [
        (text(uuid), text(model))
        for uuid, kind, model in _by_id(database, "inputs", "source_id", linked, ids)
        if kind == "RUN_OUTPUT"
    ]
    named = {text(row[0]): row[2:] for row in _by_id(database, "logged_models", "model_id", columns, _second(links))}
    for uuid, model in links:
        if model in named:
            name, place = named[model]
            found[uuid].setdefault(text(name), text(place))
    return defaultdict(list, {uuid: sorted(models.items()) for uuid, models in found.items()})


def _second(links: Iterable[tuple[str, ...]]) -> list[str]:
    return [link[1] for link in links]


def _by_id(
    database: Database, table: str, by: str, columns: Sequence[str], ids: Sequence[str]
) -> Iterator[tuple[Any, ...]]:
    """Rows whose column `by` is one of some ids, that column first; none where the table has no such column."""
    if by not in database.columns(table):
        return
    for first in range(0, len(ids), _AT_ONCE):
        some = ids[first : first + _AT_ONCE]
        marks = ", ".join("?" * len(some))
        yield from database.select(table, (by, *columns), f'WHERE "{by}" IN ({marks})', *some)


def text(value: Any) -> str:
    """A value as text of bounded length, whatever type the database has it in."""
    if isinstance(value, bytes):
        value = value[: 4 * LONGEST_TEXT].decode("utf-8", "replace")
    return "" if value is None else str(value)[:LONGEST_TEXT]
