"""Points from the store: one series for a chart, thinned in SQL, and percentiles and sparklines of many."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.core.ids import series_id
from workbench.core.model import Series
from workbench.store.rows import first_row

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_LATEST_PER_STEP = """
    SELECT step, wall_time, value FROM visible_point WHERE series_id = $1
    QUALIFY row_number() OVER (PARTITION BY step ORDER BY wall_time DESC, generation DESC, byte_offset DESC) = 1
"""


def fetch_series(con: DuckDBPyConnection, run: str, key: str, points: int = 0) -> Series:
    """One series by step, the latest point where a step was written twice.

    With `points`, steps are cut into half as many buckets and each keeps its lowest and highest value, besides every
    value that is not finite, the first and the last: a spike of one point survives any thinning.
    """
    series = series_id(run, key)
    row = first_row(con, "SELECT count(*) FROM visible_point WHERE series_id = ?", [series])
    n = int(row[0]) if row else 0
    if points and n > points:
        found = con.execute(_thinned(), [series, max(1, points // 2)]).fetchnumpy()
    else:
        found = con.execute(f"{_LATEST_PER_STEP} ORDER BY step", [series]).fetchnumpy()
    return Series(
        run, key, _floats(found["step"]).astype(np.int64), _floats(found["wall_time"]), _floats(found["value"]), n
    )


def _thinned() -> str:
    return f"""
    WITH latest AS ({_LATEST_PER_STEP}),
    reach AS (SELECT min(step) AS low, max(step) AS high FROM latest),
    placed AS (
        SELECT *, CASE WHEN high = low THEN 0 ELSE ((step - low)::DOUBLE * $2 / (high - low + 1))::BIGINT END AS bucket,
            isfinite(value) AS finite, step IN (low, high) AS edge
        FROM latest, reach)
    SELECT step, wall_time, value FROM placed
    QUALIFY edge OR NOT finite
        OR row_number() OVER (PARTITION BY bucket, finite ORDER BY value, step) = 1
        OR row_number() OVER (PARTITION BY bucket, finite ORDER BY value DESC, step) = 1
    ORDER BY step"""


def fetch_percentiles(
    con: DuckDBPyConnection, runs: Sequence[str], keys: Sequence[str], qs: Sequence[float]
) -> dict[tuple[str, str], list[float]]:
    """Exact percentiles of finite values by (run, key)."""
    pairs = {series_id(run, key): (run, key) for run in runs for key in keys}
    if not pairs:
        return {}
    _register(con, pairs)
    shares = ", ".join(str(q / 100) for q in qs)
    rows = con.execute(
        f"SELECT series_id, quantile_cont(value, [{shares}]) FROM visible_point SEMI JOIN wanted USING (series_id)"
        " WHERE isfinite(value) GROUP BY series_id"
    ).fetchall()
    con.unregister("wanted")
    return {pairs[series]: list(values) for series, values in rows}


def fetch_sparks(con: DuckDBPyConnection, runs: Sequence[str], key: str, points: int) -> dict[str, list[float]]:
    """A series of many runs, about `points` values each by step: the value farthest from the bucket's mean is kept."""
    wanted = {series_id(run, key): run for run in runs}
    if not wanted:
        return {}
    _register(con, wanted)
    rows = con.execute(
        """SELECT series_id, bucket, arg_max(value, far) FROM (
            SELECT series_id, bucket, value, abs(value - avg(value) OVER (PARTITION BY series_id, bucket)) AS far FROM (
                SELECT series_id, value, ntile($1) OVER (PARTITION BY series_id ORDER BY step, byte_offset) AS bucket
                FROM visible_point SEMI JOIN wanted USING (series_id) WHERE isfinite(value)))
        GROUP BY series_id, bucket ORDER BY series_id, bucket""",
        [points],
    ).fetchall()
    con.unregister("wanted")
    sparks: dict[str, list[float]] = {}
    for series, _, value in rows:
        sparks.setdefault(wanted[series], []).append(value)
    return sparks


def _register(con: DuckDBPyConnection, wanted: Mapping[int, Any]) -> None:
    con.register("wanted", {"series_id": np.fromiter(wanted, dtype=np.uint64, count=len(wanted))})


def _floats(column: Any) -> Any:
    """A DuckDB column as float64 with NaN for NULL."""
    return np.ma.filled(np.ma.asarray(column, dtype=np.float64), np.nan)
