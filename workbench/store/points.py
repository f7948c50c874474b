"""Points from the store: one series for a chart, thinned in SQL, and percentiles and sparklines of many."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from workbench.core.model import Series
from workbench.core.progress import RECENT, pace
from workbench.store.rows import first_row
from workbench.store.schema import SERIES
from workbench.store.shown import shown_series

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection
    from numpy.typing import NDArray

FEW = 20_000
"""Points that are fetched rather than thinned in SQL."""

_POINT = "step, coalesce(wall_time, 'NaN'::DOUBLE) AS wall, value"
"""Columns without NULLs, which would come as masked arrays."""
_WRITTEN_OUT = 4
"""Series up to which a condition is quicker than a join."""


def fetch_series(
    con: DuckDBPyConnection, run: str, key: str, points: int = 0, steps: tuple[int, int] | None = None
) -> Series:
    """One series by step, the latest point where a step was written twice; with `steps`, from one to the other alone.

    With `points`, a longer series is cut into half as many buckets of steps and each keeps its lowest and highest
    value, besides what is not finite: a spike of one point survives any thinning.
    """
    series, table = next(iter(shown_series(con, [run], [key])), None), visible_points(con)
    if series is None:
        return _none(run, key)
    if steps is not None:
        table = f"(SELECT * FROM {table} WHERE step BETWEEN {int(steps[0])} AND {int(steps[1])})"
    if points:
        row = first_row(con, f"SELECT count(*), min(step), max(step) FROM {table} WHERE series_id = ?", [series])
        n, low, high = row if row and row[0] else (0, 0, 0)
        if n > max(points, FEW):
            found = con.execute(
                _thinned(table, _has_repeats(con, table, series, n)), [series, low, high, points // 2]
            ).fetchnumpy()
            step = np.asarray(found["step"], dtype=np.int64)
            return Series(run, key, step, floats(found["wall_time"]), floats(found["value"]), n)
    whole = fetch_whole(con, [series], table).get(series)
    return _none(run, key) if whole is None else Series(run, key, whole.step, whole.wall, whole.value, whole.n)


def _none(run: str, key: str) -> Series:
    """A series without points."""
    return Series(run, key, np.empty(0, np.int64), np.empty(0), np.empty(0), 0)


def fetch_series_of(con: DuckDBPyConnection, runs: Sequence[str], keys: Sequence[str]) -> dict[tuple[str, str], Series]:
    """Whole series by (run, key), in one query; those that are not there are left out."""
    pairs = shown_series(con, runs, keys)
    if not pairs:
        return {}
    return {
        pairs[series]: Series(*pairs[series], whole.step, whole.wall, whole.value, whole.n)
        for series, whole in fetch_whole(con, pairs).items()
    }


class Whole(NamedTuple):
    """Every step of a series, the latest point where a step was written twice, and how many points it has."""

    step: NDArray[np.int64]
    wall: NDArray[np.float64]
    value: NDArray[np.float64]
    n: int

    def at(self, places: NDArray[Any]) -> Whole:
        """Its points at these places, or where these are true."""
        return Whole(self.step[places], self.wall[places], self.value[places], self.n)


def fetch_whole(con: DuckDBPyConnection, series: Iterable[int], table: str = "") -> dict[int, Whole]:
    """Whole series by id, in one scan; those without points are left out. `table` may narrow what there is to see."""
    ids, table = [*series], table or visible_points(con)
    made, unsorted = _scanned(con, ids, table)
    repeated = []
    for own in unsorted:
        made[own] = sorted_by_step = made[own].at(np.argsort(made[own].step, kind="stable"))
        if (sorted_by_step.step[1:] == sorted_by_step.step[:-1]).any():
            repeated.append(own)
    if repeated:
        latest = "ORDER BY step, wall_time NULLS FIRST, generation, byte_offset"
        for own, found in _scanned(con, repeated, table, latest)[0].items():
            made[own] = found.at(np.append(found.step[1:] != found.step[:-1], True))
    return made


def _scanned(
    con: DuckDBPyConnection, ids: Sequence[int], table: str, order_by: str = ""
) -> tuple[dict[int, Whole], list[int]]:
    """The points of each series in the order they were found, and the series whose steps do not rise all along."""
    found = _found(con, ids, table, order_by)
    step, value = np.asarray(found["step"], np.int64), floats(found["value"])
    return by_series(ids, np.asarray(found["place"]), step, found["wall"], value)


def by_series(
    ids: Sequence[int], place: NDArray[np.integer[Any]], step: NDArray[np.int64], wall: NDArray[np.float64],
    value: NDArray[np.float64],
) -> tuple[dict[int, Whole], list[int]]:  # fmt: skip
    """The points of each series in the order they come, and the series whose steps do not rise all along.

    `place` tells of each point where its series stands among `ids`.
    """
    order = np.argsort(place, kind="stable")
    place, step, wall, value = place[order], step[order], wall[order], value[order]
    alike = place[1:] == place[:-1]
    starts: list[int] = np.flatnonzero(np.append(True, ~alike)).tolist() if len(place) else []
    made = {
        ids[place[start]]: Whole(step[start:stop], wall[start:stop], value[start:stop], stop - start)
        for start, stop in zip(starts, [*starts[1:], len(place)], strict=False)
    }
    back = np.flatnonzero(alike & (step[1:] <= step[:-1]))
    return made, [ids[which] for which in dict.fromkeys(place[back].tolist())]


def _found(con: DuckDBPyConnection, ids: Sequence[int], table: str, order_by: str) -> dict[str, NDArray[Any]]:
    """Points of these series as columns, none of them with NULLs; `place` is where the series stands among them."""
    if len(ids) <= _WRITTEN_OUT:
        listed = ", ".join(map(str, ids))
        return con.execute(
            f"SELECT list_position([{listed}]::UBIGINT[], series_id) - 1 AS place, {_POINT}"
            f" FROM {table} WHERE {among(ids)} {order_by}"
        ).fetchnumpy()
    kind = np.uint16 if len(ids) < 1 << 16 else np.int64
    con.register("asked", {"series_id": np.array(ids, np.uint64), "place": np.arange(len(ids), dtype=kind)})
    try:
        return con.execute(f"SELECT place, {_POINT} FROM {table} JOIN asked USING (series_id) {order_by}").fetchnumpy()
    finally:
        con.unregister("asked")


def _has_repeats(con: DuckDBPyConnection, table: str, series: int, n: int) -> bool:
    """Whether a step was written twice, as after a resume."""
    row = first_row(con, f"SELECT count(DISTINCT step) FROM {table} WHERE series_id = ?", [series])
    return row is not None and row[0] < n


def _thinned(table: str, repeats: bool) -> str:
    """SQL for the extremes of each bucket of steps; `$1` series, `$2` and `$3` step range, `$4` buckets."""
    latest = f"SELECT step, wall_time, value FROM {table} WHERE series_id = $1"
    if repeats:
        latest += (
            " QUALIFY row_number() OVER (PARTITION BY step"
            " ORDER BY wall_time DESC NULLS LAST, generation DESC, byte_offset DESC) = 1"
        )
    return f"""
    WITH latest AS ({latest}),
    extremes AS (
        SELECT arg_min(step, value) AS s0, arg_min(wall_time, value) AS w0, min(value) AS v0,
            arg_max(step, value) AS s1, arg_max(wall_time, value) AS w1, max(value) AS v1
        FROM latest WHERE isfinite(value)
        GROUP BY ((step::DOUBLE - $2) * $4 / ($3::DOUBLE - $2 + 1))::BIGINT)
    SELECT DISTINCT * FROM (
        SELECT s0 AS step, w0 AS wall_time, v0 AS value FROM extremes UNION ALL SELECT s1, w1, v1 FROM extremes
        UNION ALL SELECT * FROM latest WHERE NOT isfinite(value) OR step IN ($2, $3))
    ORDER BY step"""


def fetch_percentiles(
    con: DuckDBPyConnection, runs: Sequence[str], keys: Sequence[str], qs: Sequence[float]
) -> dict[tuple[str, str], list[float]]:
    """Exact percentiles of finite values by (run, key)."""
    pairs = shown_series(con, runs, keys)
    if not pairs:
        return {}
    shares = ", ".join(str(q / 100) for q in qs)
    rows = con.execute(
        f"SELECT series_id, quantile_cont(value, [{shares}]) FROM {visible_points(con)}"
        f" WHERE {among(pairs)} AND isfinite(value) GROUP BY series_id"
    ).fetchall()
    return {pairs[series]: list(values) for series, values in rows}


def fetch_at_step(
    con: DuckDBPyConnection, runs: Sequence[str], keys: Sequence[str], step: int
) -> dict[tuple[str, str], float]:
    """The last value until a step by (run, key), the latest point where that step was written twice."""
    pairs = shown_series(con, runs, keys)
    if not pairs:
        return {}
    table, these = visible_points(con), among(pairs)
    rows = con.execute(
        f"""WITH reached AS (
            SELECT series_id, max(step) AS step FROM {table} WHERE {these} AND step <= ? GROUP BY series_id)
        SELECT p.series_id, p.value FROM (SELECT * FROM {table} WHERE {these}) p
        JOIN reached r ON r.series_id = p.series_id AND r.step = p.step
        QUALIFY row_number() OVER (PARTITION BY p.series_id
            ORDER BY p.wall_time DESC NULLS LAST, p.generation DESC, p.byte_offset DESC) = 1""",
        [step],
    ).fetchall()
    return {pairs[series]: float(value) for series, value in rows if value is not None}


def fetch_paces(con: DuckDBPyConnection, runs: Sequence[str]) -> dict[str, float]:
    """Steps a second of runs, by the newest points of the metric that is furthest in each."""
    if not runs:
        return {}
    con.register("wanted", {"run_id": np.array([*runs], dtype=object)})
    furthest = con.execute(
        f"SELECT series_id, run_id FROM ({SERIES.format(where='SEMI JOIN wanted USING (run_id)')})"
        " QUALIFY row_number() OVER (PARTITION BY run_id ORDER BY last_step DESC, n DESC, key) = 1"
    ).fetchall()
    con.unregister("wanted")
    wanted = dict(furthest)
    if not wanted:
        return {}
    found = con.execute(
        f"SELECT series_id, step, wall_time FROM {visible_points(con)} WHERE {among(wanted)} AND wall_time IS NOT NULL"
        " QUALIFY row_number() OVER (PARTITION BY series_id ORDER BY step DESC) <= ?",
        [RECENT],
    ).fetchnumpy()
    paces = {}
    for series, run in wanted.items():
        own = found["series_id"] == series
        steps_a_second = pace(np.asarray(found["step"][own], np.int64), floats(found["wall_time"][own]))
        if steps_a_second is not None:
            paces[run] = steps_a_second
    return paces


def fetch_sparks(con: DuckDBPyConnection, runs: Sequence[str], key: str, points: int) -> dict[str, list[float]]:
    """A series of many runs as lowest and highest values in the order they came, about `points` of each."""
    wanted = {series: run for series, (run, _) in shown_series(con, runs, [key]).items()}
    if not wanted:
        return {}
    rows = con.execute(
        f"""WITH reach AS (
            SELECT series_id, min(first_step) AS low, max(last_step) AS high
            FROM summary_log WHERE {among(wanted)} GROUP BY series_id)
        SELECT p.series_id, ((p.step::DOUBLE - r.low) * $1 / (r.high::DOUBLE - r.low + 1))::BIGINT AS bucket,
            min(p.value), max(p.value), arg_min(p.step, p.value) <= arg_max(p.step, p.value)
        FROM (SELECT series_id, step, value FROM {visible_points(con)} WHERE {among(wanted)} AND isfinite(value)) p
        JOIN reach r ON r.series_id = p.series_id
        GROUP BY ALL ORDER BY p.series_id, bucket""",
        [max(1, points // 2)],
    ).fetchall()
    sparks: dict[str, list[float]] = {}
    for series, _, low, high, rising in rows:
        values = [low, high] if rising else [high, low]
        sparks.setdefault(wanted[series], []).extend(values if low != high else [low])
    return sparks


def visible_points(con: DuckDBPyConnection) -> str:
    """Where to look for points: without the view's anti-join as long as nothing was ever superseded."""
    row = first_row(con, "SELECT count(*) FROM cut_log")
    return "visible_point" if row and row[0] else "point_log"


def among(series: Iterable[int]) -> str:
    """A condition on whole numbers; written out, the scan itself skips what is not among them."""
    return f"series_id IN ({', '.join(map(str, series))})"


def floats(column: Any) -> NDArray[np.float64]:
    """A DuckDB column as float64 with NaN for NULL."""
    if type(column) is np.ndarray:  # without a NULL; masked arrays take long to import
        return np.asarray(column, np.float64)
    filled: NDArray[np.float64] = np.ma.filled(np.ma.asarray(column, dtype=np.float64), np.nan)
    return filled
