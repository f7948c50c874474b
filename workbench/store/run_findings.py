"""Findings on runs: which runs have changed since they were judged, their curves, and what was found in them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.core.model import Finding
from workbench.store.points import among, floats, visible_points
from workbench.store.rows import first_row, insert_rows, next_commit
from workbench.store.schema import SERIES

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection
    from numpy.typing import NDArray

BUCKETS = 1024
"""Buckets of steps that a long series comes in."""
LONG = 4 * BUCKETS
"""Points from which a series comes in buckets."""
_TYPES = (
    "BIGINT", "VARCHAR", "INTEGER", "INTEGER", "VARCHAR", "VARCHAR", "VARCHAR", "VARCHAR", "DOUBLE", "DOUBLE",
    "DOUBLE", "VARCHAR",
)  # fmt: skip
_JUDGEMENT_TYPES = (
    "BIGINT", "VARCHAR", "BIGINT", "INTEGER", "BIGINT", "BIGINT", "VARCHAR", "VARCHAR", "DOUBLE", "DOUBLE",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class SeriesState:
    """One series of a run as its summary tells it."""

    series_id: int
    run: str
    key: str
    n: int
    not_finite: int
    first_step: int
    last_step: int
    last_wall: float | None


@dataclass(frozen=True, slots=True)
class CurveRows:
    """Points of one series by step; of a long one buckets, with the extremes of each."""

    step: NDArray[np.int64]
    wall: NDArray[np.float64]
    value: NDArray[np.float64]
    low: NDArray[np.float64] | None = None
    high: NDArray[np.float64] | None = None
    broken_from: int | None = None
    """First step of the newest stretch of values that are not finite, where buckets hide it."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What was found in a run, when its points up to a commit had been read."""

    run: str
    commit: int
    points: int
    """How many points its judged series had."""
    findings: Sequence[Finding] = ()
    gap: float | None = None
    pace: float | None = None


@dataclass(frozen=True, slots=True)
class Judged:
    """A run's newest judgement, without its findings."""

    run: str
    judgement: int
    commit: int
    engine: int
    points: int
    severity: str
    """Of the worst finding that goes on; empty where there is none."""
    headline: str
    """That finding's sentence."""
    gap: float | None
    pace: float | None


def changed_series(con: DuckDBPyConnection, since: int) -> dict[str, int]:
    """Runs whose series have changed in commits after `since`, with the newest of those commits."""
    rows = con.execute(
        "SELECT run_id, max(commit_id) FROM summary_log WHERE commit_id > ? AND run_id <> '' GROUP BY run_id", [since]
    ).fetchall()
    return {run: int(commit) for run, commit in rows}


def fetch_judged(con: DuckDBPyConnection, since: int = 0, runs: Sequence[str] | None = None) -> dict[str, Judged]:
    """The newest judgement of each run, of those judged after `since`, or of some runs."""
    where, given = "judgement > ?", [since]
    if runs is not None:
        where, given = f"run_id IN ({', '.join('?' * len(runs))})", [*runs]  # type: ignore[list-item]
        if not runs:
            return {}
    rows = con.execute(
        "SELECT run_id, judgement, commit_id, engine, points, severity, headline, gap, pace FROM run_judgement_log"
        f" WHERE {where} QUALIFY row_number() OVER (PARTITION BY run_id ORDER BY judgement DESC) = 1",
        given,
    ).fetchall()
    return {row[0]: Judged(*row) for row in rows}


def fetch_states(con: DuckDBPyConnection, runs: Sequence[str]) -> list[SeriesState]:
    """Every series that is shown of some runs."""
    con.register("wanted", {"run_id": np.array([*runs], dtype=object)})
    rows = con.execute(
        "SELECT series_id, run_id, key, n, not_finite, first_step, last_step, last_wall"
        f" FROM ({SERIES.format(where='SEMI JOIN wanted USING (run_id)')}) ORDER BY run_id, key"
    ).fetchall()
    con.unregister("wanted")
    return [SeriesState(*row) for row in rows]


def fetch_curves(con: DuckDBPyConnection, states: Sequence[SeriesState]) -> dict[int, CurveRows]:
    """Points of these series by id; one scan for the short ones, one for each long one."""
    short = [state for state in states if state.n <= LONG]
    found = _whole(con, short) if short else {}
    for state in states:
        if state.n > LONG:
            found[state.series_id] = _bucketed(con, state)
    return found


def _whole(con: DuckDBPyConnection, states: Sequence[SeriesState]) -> dict[int, CurveRows]:
    columns = con.execute(
        f"SELECT series_id, step, wall_time, value FROM {visible_points(con)}"
        f" WHERE {among(state.series_id for state in states)}"
        " ORDER BY series_id, step, wall_time NULLS FIRST, generation, byte_offset"
    ).fetchnumpy()
    series, step = np.asarray(columns["series_id"], np.uint64), np.asarray(columns["step"], np.int64)
    wall, value = floats(columns["wall_time"]), floats(columns["value"])
    if not len(step):
        return {}
    ends = np.append((series[1:] != series[:-1]) | (step[1:] != step[:-1]), True)
    series, step, wall, value = series[ends], step[ends], wall[ends], value[ends]
    starts = np.flatnonzero(np.append(True, series[1:] != series[:-1]))
    stops = np.append(starts[1:], len(series))
    return {
        int(series[start]): CurveRows(step[start:stop], wall[start:stop], value[start:stop])
        for start, stop in zip(starts.tolist(), stops.tolist(), strict=True)
    }


def _bucketed(con: DuckDBPyConnection, state: SeriesState) -> CurveRows:
    """Means and extremes of what is finite in each bucket of steps; a bucket without anything finite is NaN."""
    table = visible_points(con)
    found = con.execute(
        f"""SELECT min(step) AS step, min(wall_time) AS wall, avg(value) FILTER (isfinite(value)) AS value,
            min(value) FILTER (isfinite(value)) AS low, max(value) FILTER (isfinite(value)) AS high
        FROM {table} WHERE series_id = $1
        GROUP BY ((step::DOUBLE - $2) * $4 / ($3::DOUBLE - $2 + 1))::BIGINT ORDER BY 1""",
        [state.series_id, state.first_step, state.last_step, BUCKETS],
    ).fetchnumpy()
    step, value = np.asarray(found["step"], np.int64), floats(found["value"])
    broken_from = None
    if state.not_finite:
        row = first_row(
            con,
            f"""SELECT min(step) FROM {table} WHERE series_id = $1 AND NOT isfinite(value) AND step > coalesce(
                (SELECT max(step) FROM {table} WHERE series_id = $1 AND isfinite(value)), $2 - 1)""",
            [state.series_id, state.first_step],
        )
        broken_from = None if row is None or row[0] is None else int(row[0])
        if broken_from is None:
            row = first_row(
                con, f"SELECT min(step) FROM {table} WHERE series_id = ? AND NOT isfinite(value)", [state.series_id]
            )
            broken_from = None if row is None or row[0] is None else int(row[0])
        elif step[-1] < broken_from:  # the last bucket holds both
            step, value = np.append(step, broken_from), np.append(value, np.nan)
    more = len(step) - len(found["step"])
    columns = [np.append(floats(found[name]), np.full(more, np.nan)) for name in ("wall", "low", "high")]
    return CurveRows(step, columns[0], value, columns[1], columns[2], broken_from)


def append_judgements(con: DuckDBPyConnection, engine: int, judgements: Sequence[Judgement]) -> None:
    """Write what was found in runs, in the open transaction; none is written down as none."""
    if not judgements:
        return
    row = first_row(con, "SELECT coalesce(max(judgement), 0) + 1 FROM run_judgement_log")
    number = int(row[0]) if row else 1
    heads: list[tuple[Any, ...]] = []
    rows: list[tuple[Any, ...]] = []
    for each in judgements:
        worst = next((one for one in each.findings if one.until is None), None)
        severity, headline = (worst.severity, worst.sentence) if worst is not None else ("", "")
        heads.append(
            (number, each.run, each.commit, engine, each.points, len(each.findings), severity, headline, each.gap,
             each.pace)
        )  # fmt: skip
        rows += [
            (number, each.run, engine, at, one.kind, one.subject, one.severity, one.sentence, one.since, one.until,
             one.confidence, json.dumps(one.evidence, default=str)) for at, one in enumerate(each.findings)
        ]  # fmt: skip
    insert_rows(con, "run_judgement_log", _JUDGEMENT_TYPES, heads)
    insert_rows(con, "run_finding_log", _TYPES, rows)


def newest_commit(con: DuckDBPyConnection) -> int:
    """The number of the newest commit of points."""
    return next_commit(con) - 1
