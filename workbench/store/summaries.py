"""Summaries of points, appended as deltas beside them and folded together now and then."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.store.rows import first_row
from workbench.store.schema import FIRST, LAST

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection
    from numpy.typing import NDArray

SUMMARY_COLUMNS = (
    "n", "not_finite", "first", "first_step", "first_wall", "last", "last_step", "last_wall", "last_offset",
    "min", "max",
)  # fmt: skip
COMPACT_AT = 20_000
"""Log rows beyond what compaction would leave, before it is worth it."""


def summarize(
    code: NDArray[np.integer[Any]], step: NDArray[np.int64], wall: NDArray[np.float64], value: NDArray[np.float64],
    offset: NDArray[np.int64],
) -> dict[str, NDArray[Any]]:  # fmt: skip
    """One row a series of points in file order: all arrays of length n in, of the number of series out.

    `code` numbers the series 0, 1, 2 … without a gap; sixteen bits of it are sorted in linear time.

    `last` is the value at the highest step, the later one where a step repeats; extremes are of finite values and NaN
    where there is none.
    """
    table = _turns(code, step)
    if table is None:
        return _of_any(code, step, wall, value, offset)
    step, offset, wall, value = step.reshape(table), offset.reshape(table), wall.reshape(table), value.reshape(table)
    finite = np.isfinite(value)
    visible = value if finite.all() else np.where(finite, value, np.nan)
    return {
        "n": np.full(table[1], table[0]),
        "not_finite": table[0] - finite.sum(axis=0),
        "first": value[0],
        "first_step": step[0],
        "first_wall": np.fmin.reduce(wall, axis=0),
        "last": value[-1],
        "last_step": step[-1],
        "last_wall": wall[-1],
        "last_offset": offset[-1],
        "min": np.fmin.reduce(visible, axis=0),
        "max": np.fmax.reduce(visible, axis=0),
    }


def _turns(code: NDArray[np.integer[Any]], step: NDArray[np.int64]) -> tuple[int, int] | None:
    """The shape of a table where every row has all series in the same order, and steps never go back; else None."""
    width = int(code.max()) + 1
    if len(code) % width or not (code.reshape(-1, width) == np.arange(width, dtype=code.dtype)).all():
        return None
    steps = step.reshape(-1, width)
    return steps.shape if bool((steps[1:] >= steps[:-1]).all()) else None


def _of_any(
    code: NDArray[np.integer[Any]], step: NDArray[np.int64], wall: NDArray[np.float64], value: NDArray[np.float64],
    offset: NDArray[np.int64],
) -> dict[str, NDArray[Any]]:  # fmt: skip
    """The same of points in any order."""
    order = np.argsort(code, kind="stable")
    code, step, value, wall, offset = code[order], step[order], value[order], wall[order], offset[order]
    same = code[1:] == code[:-1]
    if np.any(same & (step[1:] < step[:-1])):
        order = np.lexsort((step, code))
        code, step, value, wall, offset = code[order], step[order], value[order], wall[order], offset[order]
    starts = np.flatnonzero(np.concatenate(([True], code[1:] != code[:-1])))
    ends = np.append(starts[1:], len(code)) - 1
    finite = np.isfinite(value)
    visible = np.where(finite, value, np.nan)
    return {
        "n": np.diff(np.append(starts, len(code))),
        "not_finite": np.add.reduceat((~finite).astype(np.int64), starts),
        "first": value[starts],
        "first_step": step[starts],
        "first_wall": np.fmin.reduceat(wall, starts),
        "last": value[ends],
        "last_step": step[ends],
        "last_wall": wall[ends],
        "last_offset": offset[ends],
        "min": np.fmin.reduceat(visible, starts),
        "max": np.fmax.reduceat(visible, starts),
    }


def compact(con: DuckDBPyConnection) -> bool:
    """Fold summary deltas and cursors into one row each when enough have gathered; True when it did.

    Runs inside a write transaction. Cursors keep their latest row, summaries are added up per source and generation;
    what is one row already is left alone, so that the lease is as long as the news, not as the store.
    """
    found = first_row(con, "SELECT (SELECT count(*) FROM summary_log), (SELECT count(*) FROM source_log)")
    rows = 0 if found is None else int(found[0] + found[1])
    if rows < COMPACT_AT:
        return False
    found = first_row(
        con,
        "SELECT (SELECT count(*) FROM (SELECT DISTINCT series_id, source_id, generation FROM summary_log)),"
        " (SELECT count(DISTINCT source_id) FROM source_log)",
    )
    least = 0 if found is None else int(found[0] + found[1])
    if rows - least < max(COMPACT_AT, least // 4):
        return False
    con.execute(
        f"""CREATE TEMP TABLE folded AS
        SELECT max(commit_id), series_id, any_value(run_id), source_id, generation, sum(n)::BIGINT,
            sum(not_finite)::BIGINT, arg_min(first, {FIRST}), min(first_step), min(first_wall),
            arg_max(last, {LAST}), max(last_step), arg_max_null(last_wall, {LAST}), arg_max(last_offset, {LAST}),
            min(min), max(max)
        FROM summary_log GROUP BY series_id, source_id, generation HAVING count(*) > 1"""
    )
    con.execute(
        "DELETE FROM summary_log s USING folded f"
        " WHERE s.series_id = f.series_id AND s.source_id = f.source_id AND s.generation = f.generation"
    )
    con.execute("INSERT INTO summary_log SELECT * FROM folded")
    con.execute("DROP TABLE folded")
    con.execute(
        """DELETE FROM source_log USING (
            SELECT source_id AS id, max(commit_id) AS latest FROM source_log GROUP BY source_id HAVING count(*) > 1)
        WHERE source_id = id AND commit_id < latest"""
    )
    return True
