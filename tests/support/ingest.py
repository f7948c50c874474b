"""A project in a folder, read by the real engine into a real store, with a clock that stands still."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from workbench.core.config import load_config
from workbench.core.model import Source
from workbench.ingest.engine import Engine, Outcome
from workbench.ingest.readers import all_readers, flush_intervals
from workbench.store.place import place_of
from workbench.store.query import StoreQuery
from workbench.store.store import Store

NOW = 1_800_000_000.0


class Project:
    """Writes logs and reads them; each `read` is an ingester started anew, as after a crash."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.now = NOW
        self.store = Store(place_of(root))
        self.store.create()

    def write(self, name: str, text: str | bytes, *, at: float | None = None) -> Path:
        """Append to a file; its modification time is the project's clock, or `at`."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("ab") as file:
            file.write(text.encode() if isinstance(text, str) else text)
        self.touch(path, at)
        return path

    def touch(self, path: Path, at: float | None = None) -> None:
        moment = int((self.now if at is None else at) * 1e9)
        os.utime(path, ns=(moment, moment))

    def engine(self) -> Engine:
        return Engine(self.root, load_config(self.root), self.store, all_readers(), clock=lambda: self.now)

    def read(self, *, final: bool = False) -> Outcome:
        """One pass by a new ingester."""
        engine = self.engine()
        try:
            return engine.read_all(engine.scan(), final=final)
        finally:
            engine.close()

    @property
    def query(self) -> StoreQuery:
        return StoreQuery(self.store, load_config(self.root), flush_intervals(all_readers()), clock=lambda: self.now)

    def points(self, key: str | None = None) -> list[tuple[Any, ...]]:
        """(key, step, value) that the store shows, by key and step."""
        with self.store.read() as con:
            rows = con.execute("SELECT key, step, value FROM point ORDER BY key, step, byte_offset").fetchall()
        return [row for row in rows if key is None or row[0] == key]

    def stored(self) -> int:
        """Points in the store, superseded ones included."""
        with self.store.read() as con:
            return int(con.execute("SELECT count(*) FROM point_log").fetchall()[0][0])

    def rejects(self) -> list[tuple[Any, ...]]:
        """(path, byte offset, reason) of refused lines."""
        with self.store.read() as con:
            return con.execute("SELECT path, byte_offset, reason FROM reject ORDER BY path, byte_offset").fetchall()

    def source(self, path: str) -> Source:
        return next(source for source in self.query.sources() if source.path == path)


def line(step: int, **values: Any) -> str:
    """One line of a JSONL log."""
    return json.dumps({"step": step, **values}) + "\n"
