"""A source as the ingester holds it: its cursor, its reader, and the step from a stretch of bytes to a delta."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.core.batch import Batch, Fact, Points
from workbench.core.ids import run_id, series_id
from workbench.ingest.identity import Mark
from workbench.plugin.api import Reader
from workbench.store.append import Cursor, Cut, Delta, PointRows

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(slots=True)
class Tracked:
    """One source; `cursor` is ahead of the store while its last delta waits to be committed."""

    path: PurePath
    reader: Reader
    cursor: Cursor
    run_path: str
    makes_run: bool = True
    """False for parameter files: they describe a run but do not make one."""
    seen: tuple[int, int, int] | None = None
    """(inode, size, mtime) when it was last read to its end."""
    seen_settled: bool = False
    """It was read then with its unfinished last line taken for complete, where that can be."""
    inode: int = 0
    """The file that the last listing found under its name."""

    @property
    def mark(self) -> Mark:
        """What the content up to the cursor looked like."""
        return Mark(self.cursor.head_length, self.cursor.head_hash, self.cursor.tail_hash)

    @property
    def state(self) -> dict[str, Any]:
        """The reader's state at the cursor."""
        return dict(json.loads(self.cursor.state)) if self.cursor.state else {}

    def next_generation(self, message: str) -> None:
        """Go back to byte 0: what was read before is kept, marked by its generation."""
        self.cursor = replace(
            self.cursor, generation=self.cursor.generation + 1, from_offset=0, to_offset=0, head_length=0, head_hash="",
            tail_hash="", accepted=0, rejected=0, state="", first_step=None, message=message,
        )  # fmt: skip


@dataclass(slots=True)
class Known:
    """Ids the store has already, so that each is announced once."""

    runs: set[str]
    series: set[int]


def delta_of(
    source: Tracked, batch: Batch, cursor: Cursor, known: Known, earlier: Sequence[tuple[int, int]] = ()
) -> Delta:
    """What a batch adds to the store, with the cursor moved behind it; `source.cursor` becomes that cursor.

    `earlier` are (source id, generation) of the files of the run that a purge in this one reaches back to.
    """
    points = batch.points
    rows, new_series = _point_rows(source, points, known)
    runs = {cursor.run_id, *(rows.runs if rows else ())} | {_run_of(source, fact.run) for fact in batch.facts}
    facts = [(_run_of(source, fact.run), fact) for fact in batch.facts]
    first_step = _lowest(source.cursor.first_step, points.step)
    cursor = replace(cursor, first_step=first_step, **_rhythm(source.cursor, points.wall, cursor.mtime_ns / 1e9))
    cuts = [
        Cut(cursor.source_id, generation, first_step)
        for generation in range(cursor.generation)
        if first_step is not None and first_step != source.cursor.first_step
    ]
    for purge in batch.purges:
        cuts.append(Cut(cursor.source_id, cursor.generation, purge.step, purge.offset))
        cuts += [Cut(*other, purge.step) for other in earlier]
    source.cursor = cursor
    return Delta(
        cursor,
        rows,
        new_series,
        _new_runs(source, runs, facts, known),
        facts,
        batch.rejects,
        cuts,
    )


def _run_of(source: Tracked, name: str) -> str:
    """Id of the run a reader named: its own, one by id (`#…`), or one by native id."""
    if not name:
        return source.cursor.run_id
    return name[1:] if name.startswith("#") else run_id(name)


def _new_runs(
    source: Tracked, runs: set[str], facts: Sequence[tuple[str, Fact]], known: Known
) -> list[tuple[str, str, str]]:
    if not source.makes_run:
        return []
    new = sorted(run for run in runs if run and run not in known.runs)
    known.runs.update(new)
    return [(run, source.run_path, source.reader.name) for run in new]


def _point_rows(
    source: Tracked, points: Points, known: Known
) -> tuple[PointRows | None, list[tuple[int, str, str, str]]]:
    """The points with their series named by id, and the series seen for the first time."""
    if not len(points):
        return None, []
    codes = points.key if points.run is None else points.run.astype(np.int64) * len(points.keys) + points.key
    used = np.flatnonzero(np.bincount(codes))
    kind = np.uint16 if len(used) < 1 << 16 else np.int64
    dense: NDArray[Any] = np.zeros(int(used[-1]) + 1, kind)
    dense[used] = np.arange(len(used))
    runs: list[str] = []
    ids: list[int] = []
    new: list[tuple[int, str, str, str]] = []
    for code in used.tolist():
        run = _run_of(source, points.runs[code // len(points.keys)] if points.run is not None else "")
        key = source.cursor.key_prefix + points.keys[code % len(points.keys)]
        series = series_id(run, key, source.reader.name)
        runs.append(run)
        ids.append(series)
        if series not in known.series:
            known.series.add(series)
            new.append((series, run, key, source.reader.name))
    series_ids = np.array(ids, dtype=np.uint64)
    return PointRows(series_ids, runs, dense[codes], points.offset, points.step, points.wall, points.value), new


def _lowest(known: int | None, step: NDArray[np.int64]) -> int | None:
    if not len(step):
        return known
    lowest = int(step.min())
    return lowest if known is None else min(known, lowest)


def _rhythm(before: Cursor, wall: NDArray[np.float64], modified: float) -> Mapping[str, Any]:
    """When data last came, and the two longest pauses between arrivals, in seconds."""
    times = wall[np.isfinite(wall)]
    if not len(times):
        times = np.array([modified])
    if before.data_at is not None:
        times = np.concatenate(([before.data_at], times))
    times = np.maximum.accumulate(times)
    gaps = np.diff(times)
    longest = sorted([before.longest_gap, before.second_gap, *np.sort(gaps)[-2:].tolist()])[-2:]
    return {"data_at": float(times[-1]), "longest_gap": longest[1], "second_gap": longest[0]}
