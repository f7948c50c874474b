"""A database or folder followed by its reader the way the ingester does it, without a store."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path, PurePath
from typing import Any

from workbench.core.batch import Batch, Chunk, Fact, Reject
from workbench.plugin.api import Reader

Row = tuple[int, float, float, int]
"""(step, wall time, value, offset)."""


class PathSource:
    """What a reader has told so far; each call is a new reader with the state of the last, out of JSON."""

    def __init__(self, make: Callable[[], Reader], place: Path) -> None:
        self.make = make
        self.place = place
        self.restarts = 0
        self.messages: list[str] = []
        self._forget()

    def _forget(self) -> None:
        self.state: dict[str, Any] = {}
        self.start = 0
        self.facts: dict[tuple[str, str, str], Fact] = {}
        self.points: dict[tuple[str, str], list[Row]] = {}
        self.rejects: list[Reject] = []

    def read(self, *, modified: float = 0.0) -> int:
        """Read to the end; how many facts, points and refused lines were new."""
        news = 0
        for _ in range(1_000):
            batch = self._ask(modified)
            news += len(batch.facts) + len(batch.points) + len(batch.rejects)
            if not batch.consumed or not batch.more:
                return news
        raise AssertionError("never comes to an end")

    def _ask(self, modified: float) -> Batch:
        state = json.loads(json.dumps(self.state))
        batch = self.make().read(
            Chunk(PurePath(self.place.name), b"", self.start, state, modified=modified, place=str(self.place))
        )
        if batch.message:
            self.messages.append(batch.message)
        if batch.restart:
            assert self.start, "asks to start over at the start"
            self.restarts += 1
            self._forget()
            return self._ask(modified)
        if not batch.consumed:
            assert not len(batch.points) and not batch.facts and not batch.rejects
            return batch
        assert batch.accepted >= len(batch.points)
        self._take(batch)
        return batch

    def _take(self, batch: Batch) -> None:
        self.state, self.start = dict(batch.state), self.start + batch.consumed
        self.facts.update({(fact.run, fact.kind, fact.key): fact for fact in batch.facts})
        self.rejects += batch.rejects
        points = batch.points
        runs = [""] * len(points) if points.run is None else [points.runs[i] for i in points.run]
        columns = (points.key, points.step, points.wall, points.value, points.offset)
        for run, key, *row in zip(runs, *(column.tolist() for column in columns), strict=True):
            self.points.setdefault((run, points.keys[key]), []).append(tuple(row))

    def said(self, kind: str, run: str = "") -> dict[str, Any]:
        """Values of the facts of a kind, by key."""
        return {key: fact.value for (of, what, key), fact in self.facts.items() if (of, what) == (run, kind)}

    def series(self, run: str = "") -> dict[str, list[Row]]:
        """Points of a run by metric, in the order they came."""
        return {key: rows for (of, key), rows in self.points.items() if of == run}

    def spelled(self) -> dict[tuple[str, str], str]:
        """All points as text, so that NaN equals itself."""
        return {key: repr(rows) for key, rows in self.points.items()}


def as_mlflow(source: PathSource, run: str = "") -> dict[str, Any]:
    """What was read of a run, in the shape of `tests/fixtures/mlflow/expected_*.json`."""
    one = {kind: source.said(kind, run).get("") for kind in ("name", "hidden", "started", "ended", "group")}
    return {
        "name": one["name"],
        "status": next(iter(source.said("status", run).values())),
        "stage": "deleted" if one["hidden"] else "active",
        "start": _milliseconds(one["started"]),
        "end": _milliseconds(one["ended"]),
        "experiment": one["group"],
        "params": {key: str(value) for key, value in source.said("param", run).items()},
        "tags": source.said("tag", run),
        "metrics": {
            key: sorted((step, round(wall * 1000), repr(value)) for step, wall, value, _ in rows)
            for key, rows in source.series(run).items()
        },
        "datasets": sorted(value["digest"] for value in source.said("data", run).values()),
        "models": sorted(source.said("artifact", run)),
    }


def _milliseconds(seconds: float | None) -> int | None:
    return None if seconds is None else round(seconds * 1000)
