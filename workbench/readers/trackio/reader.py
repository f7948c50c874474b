"""trackio's SQLite databases, one a project: rows of every table are read on by their id."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePath
from typing import Any, ClassVar

from workbench.plugin.api import Batch, Chunk, Claim, Fact, Framing, Head, Reader
from workbench.readers.gathering import Gathering, mapping_of, utc_seconds, whole_of
from workbench.readers.sqlite import NOT_SQLITE, Database, UnreadableDatabaseError, is_sqlite, opened, tables_at
from workbench.readers.trackio.values import add_alert, add_config, add_values, json_object, native_id

_TABLES = frozenset({"metrics", "configs"})
MOST_ROWS = 20_000
"""Rows of one table taken in one look."""
_MOST_BYTES = 64 * 1024 * 1024


class TrackioReader(Reader):
    """Reads a project's database while trackio writes it; a run appears with its first row."""

    name: ClassVar[str] = "trackio"
    framing: ClassVar[Framing] = "path"
    names: ClassVar[tuple[str, ...]] = ("*.db",)

    def claim(self, head: Head) -> Claim:
        """Certain when the tables have trackio's columns."""
        if not is_sqlite(head.data):
            return Claim(0.0, NOT_SQLITE)
        if not tables_at(head.place) >= _TABLES:
            return Claim(0.0, "an SQLite database without the tables metrics and configs")
        try:
            with opened(head.place, seconds=1.0) as database:
                known = database.has("metrics", "run_name", "metrics") and database.has("configs", "config")
        except UnreadableDatabaseError as problem:
            return Claim(0.0, str(problem))
        if not known:
            return Claim(0.0, "has the tables metrics and configs, but not with trackio's columns", nearly=True)
        return Claim(1.0, "an SQLite database with trackio's tables", many_runs=True)

    def read(self, chunk: Chunk) -> Batch:
        """The rows that were added since the last look."""
        try:
            with opened(chunk.place) as database:
                return _Look(chunk, database).batch()
        except UnreadableDatabaseError as problem:
            return Batch(state=chunk.state, message=str(problem), more=problem.later)
        except (TypeError, ValueError, KeyError) as problem:
            return Batch(state=chunk.state, message=f"rows of a kind that trackio does not write: {problem}")


class _Look:
    """One look at the database, all of it of one state."""

    def __init__(self, chunk: Chunk, database: Database) -> None:
        self.database = database
        self.folder = chunk.path.parent
        self.project = chunk.path.stem
        self.found = Gathering()
        self.last: dict[str, int] = {name: int(row) for name, row in mapping_of(chunk.state.get("last")).items()}
        self.named: dict[str, str] = dict(mapping_of(chunk.state.get("named")))
        self.rows = 0
        self.more = False

    def batch(self) -> Batch:
        """What every table has gained."""
        for table, row in self.last.items():
            newest = self.database.select(table, ["id"], "ORDER BY id DESC LIMIT 1")
            if row > max((item[0] for item in newest), default=0):
                return Batch(restart=True, message="rows were deleted from the database; read again")
        self._metrics("metrics", "")
        self._metrics("system_metrics", "system/")
        self._configs()
        self._alerts()
        state: Mapping[str, Any] = {"last": self.last, "named": self.named}
        return self.found.batch(
            self.rows, state, message=self.database.remark, more=self.more, accepted=self.rows
        )  # fmt: skip

    def _metrics(self, table: str, prefix: str) -> None:
        columns = ["id", "run_id", "run_name", "timestamp", "step", "metrics"]
        for row, run_id, name, moment, step, metrics in self._new(table, columns):
            run, wall = self._run(run_id, name), utc_seconds(moment)
            values = json_object(metrics)
            add_values(
                self.found, values, prefix=prefix, step=row if step is None else step, wall=wall, run=run, row=row
            )

    def _configs(self) -> None:
        for row, run_id, name, config in self._new("configs", ["id", "run_id", "run_name", "config"]):
            add_config(self.found, json_object(config), run=self._run(run_id, name), row=row)

    def _alerts(self) -> None:
        columns = ["id", "run_id", "run_name", "timestamp", "title", "text", "level", "step", "alert_id"]
        for row, run_id, name, moment, *alert in self._new("alerts", columns):
            title, text, level, step, key = alert
            shown = {"title": title, "text": text, "level": level, "step": step, "alert_id": key or f"alert {row}"}
            add_alert(self.found, shown, run=self._run(run_id, name), wall=utc_seconds(moment), row=row)

    def _new(self, table: str, columns: list[str]) -> list[tuple[Any, ...]]:
        """The next rows of a table, bounded by number and by bytes; older databases lack some columns."""
        rows: list[tuple[Any, ...]] = []
        size = 0
        for row in self.database.select(
            table, columns, "WHERE id > ? ORDER BY id LIMIT ?", self.last.get(table, 0), MOST_ROWS
        ):
            rows.append(row)
            size += sum(len(item) for item in row if isinstance(item, (str, bytes)))
            if size > _MOST_BYTES:
                break
        if rows:
            if whole_of(rows[-1][0]) is None:
                raise TypeError(f"an id in {table} is no integer")
            self.last[table] = rows[-1][0]
            self.rows += len(rows)
            self.more = self.more or len(rows) == MOST_ROWS or size > _MOST_BYTES
        return rows

    def _run(self, run_id: Any, name: Any) -> str:
        """The native id of a row's run, which is named when it is met, or met under another name."""
        run = native_id(PurePath(self.folder), self.project, run_id, name)
        if self.named.get(run) != str(name):
            self.named[run] = str(name)
            self.found.facts.append(Fact("name", str(name), run=run))
            self.found.facts.append(Fact("tag", self.project, "project", run=run))
        return run
