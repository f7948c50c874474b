"""From what a reader answered to what the store is given: rows with ids, and the cursor behind them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from msgspec import Struct
from msgspec.structs import replace

from workbench.core.batch import Batch, Fact, Histogram, Points
from workbench.core.ids import run_id, series_id
from workbench.ingest.own import encode_state
from workbench.ingest.paths import to_text
from workbench.ingest.tracked import Tracked
from workbench.store.append import ConsoleRow, Cursor, Delta, HistogramRow, PointRows
from workbench.store.cuts import ALL_STEPS, Cut

if TYPE_CHECKING:
    from numpy.typing import NDArray

_FEW = 200
"""Points up to which plain Python is quicker than numpy."""


class Known(Struct):
    """Ids the store has already, so that each is announced once."""

    runs: set[str]
    series: set[int]


def delta_of(
    source: Tracked,
    batch: Batch,
    moved: Mapping[str, Any],
    modified: float,
    known: Known,
    earlier: Sequence[tuple[int, int]] = (),
) -> Delta:
    """What a batch adds to the store, with the cursor moved behind it; `source.cursor` becomes that cursor.

    `moved` are the fields of the cursor that its move changes, `modified` is when the file was, in seconds since 1970.
    `earlier` are (source id, generation) of the files of the run that a purge in this one reaches back to.
    """
    points, cursor = batch.points, source.cursor
    rows, new_series = _point_rows(source, points, known)
    runs = {cursor.run_id, *(rows.runs if rows else ())} | {_run_of(source, fact.run) for fact in batch.facts}
    facts = [(_run_of(source, fact.run), _named(source, fact)) for fact in batch.facts]
    histograms, more_series = _histogram_rows(source, batch.histograms, known)
    console = [
        ConsoleRow(_run_of(source, item.run), item.offset, item.wall, item.stream, item.text) for item in batch.console
    ]
    runs |= {_run_of(source, item.run) for item in batch.histograms} | {item.run_id for item in console}
    new_runs = _new_runs(source, runs, facts, known)
    first_step = _lowest(source.cursor.first_step, points.step)
    cuts, rhythm = _cuts(source, first_step), _rhythm(source, points.wall, modified)
    cursor = replace(cursor, **moved, **rhythm, first_step=first_step, state=encode_state(batch.state, source.own))
    for purge in batch.purges:
        cuts.append(Cut(cursor.source_id, cursor.generation, purge.step, purge.offset))
        cuts += [Cut(*other, purge.step) for other in earlier]
    source.cursor = cursor
    return Delta(
        cursor,
        rows,
        [*new_series, *more_series],
        new_runs,
        facts,
        batch.rejects,
        cuts,
        histograms,
        console,
    )


def _named(source: Tracked, fact: Fact) -> Fact:
    """A file that the run made is named like its metrics: `samples` of `train/` is another than that of `val/`."""
    before, after = source.cursor.key_prefix, source.own.key_suffix
    if fact.kind != "artifact" or not (before or after):
        return fact
    return replace(fact, key=before + fact.key + after)


def given_up(source: Tracked, alone: bool) -> Delta:
    """The last delta of a source at its next generation: nothing of it counts any more, nor its run if it was alone."""
    cuts = _cuts(source, None)
    source.cursor = replace(source.cursor, state=encode_state({}, source.own))
    run = source.cursor.run_id
    return Delta(source.cursor, facts=[(run, Fact("hidden", True))] if alone and run else (), cuts=cuts)


def _cuts(source: Tracked, first_step: int | None) -> list[Cut]:
    """What the first points of a new generation supersede: everything, or the steps that it goes over again."""
    own, source_id = source.own, source.cursor.source_id
    older = range(own.since, source.cursor.generation)
    starts_over = first_step is not None and own.before is not None and first_step <= own.before
    if older and (own.replaces or starts_over):
        source.own = replace(own, since=source.cursor.generation, replaces=False, before=None)
        return [Cut(source_id, generation, ALL_STEPS) for generation in older]
    if first_step is None or first_step == source.cursor.first_step:
        return []
    return [Cut(source_id, generation, first_step) for generation in older]


def _histogram_rows(
    source: Tracked, histograms: Sequence[Histogram], known: Known
) -> tuple[list[HistogramRow], list[tuple[int, str, str, str]]]:
    """Histograms with their series named by id, and the series seen for the first time."""
    rows: list[HistogramRow] = []
    new: list[tuple[int, str, str, str]] = []
    for item in histograms:
        run, key = _run_of(source, item.run), source.cursor.key_prefix + item.key + source.own.key_suffix
        series = series_id(run, key, source.reader.name)
        if series not in known.series:
            known.series.add(series)
            new.append((series, run, key, source.reader.name))
        edges, counts = item.edges.tolist(), item.counts.tolist()
        rows.append(HistogramRow(series, item.offset, item.step, item.wall, edges, counts))
    return rows, new


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
    if source.own.run_path and source.cursor.run_id in known.runs:
        source.own = replace(source.own, run_path="")
    return [(run, to_text(source.run_path), source.reader.name) for run in new]


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
        key = source.cursor.key_prefix + points.keys[code % len(points.keys)] + source.own.key_suffix
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


def _rhythm(source: Tracked, wall: NDArray[np.float64], modified: float) -> Mapping[str, Any]:
    """When data last came, and the two longest pauses between arrivals, in seconds.

    Where points carry times, those alone count: a file may be copied long after it was written.
    """
    known = np.isfinite(wall)
    before, times = source.cursor, wall if known.all() else wall[known]
    if len(times) and not source.own.timed:
        source.own = replace(source.own, timed=True)
        before = replace(before, data_at=None, longest_gap=0.0, second_gap=0.0)
    elif not len(times):
        times = np.array([] if source.own.timed else [modified])
    if len(times) > _FEW:
        return _long_rhythm(before, times)
    at, longest, second = before.data_at, before.longest_gap, before.second_gap
    for time in times.tolist():
        gap = 0.0 if at is None else time - at
        if gap >= 0.0:
            at = time
        if gap > longest:
            longest, second = gap, longest
        elif gap > second:
            second = gap
    return {"data_at": at, "longest_gap": longest, "second_gap": second}


def _long_rhythm(before: Cursor, times: NDArray[np.float64]) -> Mapping[str, Any]:
    if before.data_at is not None:
        times = np.concatenate(([before.data_at], times))
    times = np.maximum.accumulate(times)
    gaps = np.diff(times)
    most = int(gaps.argmax())
    others = np.maximum(gaps[:most].max(initial=0.0), gaps[most + 1 :].max(initial=0.0))
    longest = sorted([before.longest_gap, before.second_gap, float(gaps[most]), float(others)])[-2:]
    return {"data_at": float(times[-1]), "longest_gap": longest[1], "second_gap": longest[0]}
