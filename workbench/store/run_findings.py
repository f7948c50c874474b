"""Findings on runs: which runs have changed since they were judged, their curves, and what was found in them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from msgspec import Struct
from msgspec.structs import replace

from workbench.core.model import Finding
from workbench.store.points import among, fetch_whole, floats, visible_points
from workbench.store.rows import first_row, insert_rows, next_commit
from workbench.store.schema import SERIES
from workbench.store.settings import MEMORY

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


class SeriesState(Struct, frozen=True):
    """One series of a run as its summary tells it."""

    series_id: int
    run: str
    key: str
    n: int
    not_finite: int
    first_step: int
    last_step: int
    last_wall: float | None


class CurveRows(Struct, frozen=True):
    """Points of one series by step; of a long one buckets, with the extremes of each."""

    step: NDArray[np.int64]
    wall: NDArray[np.float64]
    value: NDArray[np.float64]
    low: NDArray[np.float64] | None = None
    high: NDArray[np.float64] | None = None
    broken_from: int | None = None
    """First step of the newest stretch of values that are not finite, where buckets hide it."""


class Judgement(Struct, frozen=True):
    """What was found in a run, when its points up to a commit had been read."""

    run: str
    commit: int
    points: int
    """How many points its judged series had."""
    findings: Sequence[Finding] = ()
    gap: float | None = None
    pace: float | None = None


class Judged(Struct, frozen=True):
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
    """Points of these series by id; one scan for the short ones, one for the long ones."""
    short = [state.series_id for state in states if state.n <= LONG]
    whole = fetch_whole(con, short) if short else {}
    found = {series: CurveRows(each.step, each.wall, each.value) for series, each in whole.items()}
    return found | _bucketed(con, [state for state in states if state.n > LONG])


def _bucketed(con: DuckDBPyConnection, states: Sequence[SeriesState]) -> dict[int, CurveRows]:
    """Means and extremes of what is finite in each bucket of steps; a bucket without anything finite is NaN."""
    if not states:
        return {}
    ids = [state.series_id for state in states]
    asked = {"series_id": np.array(ids, np.uint64)}
    asked |= {
        name: np.array([getattr(state, name) for state in states], np.float64) for name in ("first_step", "last_step")
    }
    query = f"""
        SELECT series_id, min(step) AS step, min(wall_time) AS wall, avg(value) FILTER (isfinite(value)) AS value,
            min(value) FILTER (isfinite(value)) AS low, max(value) FILTER (isfinite(value)) AS high
        FROM (SELECT * FROM {visible_points(con)} WHERE {among(ids)}) JOIN asked USING (series_id)
        GROUP BY series_id, ((step::DOUBLE - first_step) * {BUCKETS} / (last_step - first_step + 1))::BIGINT
        ORDER BY 1, 2"""
    try:
        con.register("asked", asked)
        con.execute("SET memory_limit = '128MB'")  # what is scanned once need not be kept
        found = con.execute(query).fetchnumpy()
    finally:
        con.unregister("asked")
        con.execute(f"SET memory_limit = '{MEMORY}'")
    series, step = np.asarray(found["series_id"], np.uint64), np.asarray(found["step"], np.int64)
    wall, value, low, high = (floats(found[name]) for name in ("wall", "value", "low", "high"))
    made = {}
    for state in states:
        bounds = np.array([state.series_id, state.series_id + 1], np.uint64)
        own = slice(*np.searchsorted(series, bounds).tolist())
        if own.start < own.stop:
            rows = CurveRows(step[own], wall[own], value[own], low[own], high[own])
            made[state.series_id] = _with_break(con, state.series_id, rows) if state.not_finite else rows
    return made


def _with_break(con: DuckDBPyConnection, series: int, rows: CurveRows) -> CurveRows:
    """Buckets with the first step of the newest stretch of values that are not finite, which they hide."""
    table = visible_points(con)
    last = f"SELECT max(step) FROM {table} WHERE series_id = $1 AND isfinite(value)"
    found = first_row(
        con,
        f"""SELECT min(step) FILTER (step > coalesce(({last}), step - 1)), min(step)
            FROM {table} WHERE series_id = $1 AND NOT isfinite(value)""",
        [series],
    )
    newest, first = found or (None, None)
    if newest is None or rows.step[-1] >= newest:
        return replace(rows, broken_from=first if newest is None else newest)
    nan = np.array([np.nan])  # the last bucket holds both
    low, high = (None if each is None else np.append(each, nan) for each in (rows.low, rows.high))
    step, wall = np.append(rows.step, np.int64(newest)), np.append(rows.wall, nan)
    return CurveRows(step, wall, np.append(rows.value, nan), low, high, int(newest))


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
