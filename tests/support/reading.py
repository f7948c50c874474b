"""Drives a reader as the ingester does, with the state through JSON, and keeps what it said by run."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePath
from typing import Any

from workbench.plugin.api import Batch, Chunk, Head, Histogram, Reader, Reject

Row = tuple[int, float | None, float]


@dataclass
class Reading:
    """One source and all that was read of it."""

    reader: Reader
    path: PurePath
    place: str = ""
    series: dict[tuple[str, str], list[Row]] = field(default_factory=dict)
    """(step, wall, value) by run and key."""
    facts: dict[tuple[str, str, str], Any] = field(default_factory=dict)
    """Value by run, kind and key; the latest."""
    rejects: list[Reject] = field(default_factory=list)
    histograms: list[Histogram] = field(default_factory=list)
    messages: list[str] = field(default_factory=list)
    purges: list[int] = field(default_factory=list)
    state: dict[str, Any] = field(default_factory=dict)
    offset: int = 0
    generation: int = 0

    def look(self) -> Reading:
        """Read a `path` source until it has nothing more; a generation that begins anew forgets the one before."""
        for _ in range(1000):
            batch = self.reader.read(
                Chunk(self.path, b"", self.offset, self.state, False, 1_800_000_000.0, self.place)
            )  # fmt: skip
            if batch.restart:
                assert self.offset, "a reader asked to start over at the start"
                self.__init__(self.reader, self.path, self.place, generation=self.generation + 1)  # type: ignore[misc]
                continue
            self.take(batch)
            if not batch.more:
                return self
        raise AssertionError("there is always more")

    def feed(self, data: bytes, cuts: Sequence[int] = (), *, final: bool = False) -> Reading:
        """Let a file of lines grow to each of the cuts and at last to its whole length."""
        for end in (*sorted(cuts), len(data)):
            stretch = data[self.offset : end]
            stretch = stretch if final and end == len(data) else stretch[: stretch.rfind(b"\n") + 1]
            if stretch:
                self.take(self.reader.read(Chunk(self.path, stretch, self.offset, self.state, final, 0.0)))
        return self

    def take(self, batch: Batch) -> None:
        points = batch.points
        runs = points.run.tolist() if points.run is not None else [0] * len(points)
        columns = (points.key, points.step, points.wall, points.value)
        for run, key, step, wall, value in zip(runs, *(column.tolist() for column in columns), strict=True):
            row = (step, None if math.isnan(wall) else wall, value)
            self.series.setdefault((points.runs[run], points.keys[key]), []).append(row)
        for fact in batch.facts:
            json.dumps(fact.value, allow_nan=False)
            self.facts[fact.run, fact.kind, fact.key] = fact.value
        self.rejects += batch.rejects
        self.histograms += batch.histograms
        self.messages += [batch.message] if batch.message else []
        self.purges += [purge.step for purge in batch.purges]
        if batch.consumed:
            self.state = json.loads(json.dumps(batch.state))
            self.offset += batch.consumed

    def fact(self, kind: str, key: str = "", run: str = "") -> Any:
        """The latest fact of a kind, None where nothing was said."""
        return self.facts.get((run, kind, key))

    def of_kind(self, kind: str, run: str = "") -> dict[str, Any]:
        """All facts of a kind by key."""
        return {key: value for (name, its, key), value in self.facts.items() if (name, its) == (run, kind)}

    def values(self, key: str, run: str = "") -> list[tuple[int, float]]:
        """(step, value) of a series."""
        return [(step, value) for step, _, value in self.series.get((run, key), [])]

    @property
    def told(self) -> str:
        """All of it in one text, NaN and all, for comparing two readings."""
        series = {f"{run}|{key}": rows for (run, key), rows in self.series.items()}
        facts = {"|".join(name): value for name, value in self.facts.items()}
        return json.dumps([series, facts, len(self.rejects), len(self.histograms)], sort_keys=True)


def at(reader: Reader, place: Path, root: Path | None = None) -> Reading:
    """A source at a place, with its path relative to `root`."""
    return Reading(reader, PurePath(place.relative_to(root)) if root else PurePath(place.name), str(place))


def head_of(place: Path, root: Path | None = None) -> Head:
    """What detection shows a reader of a file."""
    siblings = frozenset(item.name for item in place.parent.iterdir() if item.is_file())
    path = PurePath(place.relative_to(root)) if root else PurePath(place.name)
    data = place.read_bytes()
    return Head(path, data[:65536], len(data), siblings, str(place))


def rounded(rows: list[tuple[int, float]], digits: int = 12) -> list[tuple[int, str]]:
    """(step, value in words), so that NaN equals NaN."""
    return [(step, f"{value:.{digits}g}") for step, value in rows]
