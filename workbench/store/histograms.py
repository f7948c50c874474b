"""Histograms and console lines of a run, from the store."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from workbench.core.batch import ConsoleLine
from workbench.core.model import StepHistogram

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


def fetch_histogram_keys(con: DuckDBPyConnection, run: str) -> list[str]:
    """Keys that a run logged histograms of, sorted."""
    rows = con.execute(
        """SELECT DISTINCT key FROM series_log s SEMI JOIN histogram_log h ON h.series_id = s.series_id
        WHERE run_id = ? ORDER BY key""",
        [run],
    ).fetchall()
    return [key for (key,) in rows]


def fetch_histograms(con: DuckDBPyConnection, run: str, key: str, steps: int = 0) -> list[StepHistogram]:
    """Histograms by step, the latest where a step was written twice; with `steps`, evenly thinned to that many."""
    rows = con.execute(
        """WITH latest AS (
            SELECT step, wall_time, edges, counts FROM histogram WHERE run_id = $1 AND key = $2
            QUALIFY row_number() OVER (
                PARTITION BY step ORDER BY wall_time DESC NULLS LAST, generation DESC, byte_offset DESC) = 1),
        placed AS (SELECT *, row_number() OVER (ORDER BY step) AS place, count(*) OVER () AS n FROM latest)
        SELECT step, wall_time, edges, counts FROM placed
        WHERE $3 = 0 OR n <= $3 OR place * $3 // n <> (place - 1) * $3 // n ORDER BY step""",
        [run, key, steps],
    ).fetchall()
    return [
        StepHistogram(step, wall, np.array(edges, float), np.array(counts, float)) for step, wall, edges, counts in rows
    ]


def fetch_console(con: DuckDBPyConnection, run: str, last: int) -> list[ConsoleLine]:
    """The last lines of a run's output: its logs one after another by their first time, each in its own order."""
    rows = con.execute(
        """SELECT text, wall_time, stream, byte_offset FROM (
            SELECT c.*, c.rowid AS place, min(wall_time) OVER (PARTITION BY c.source_id) AS began
            FROM console_log c ANTI JOIN replaced r ON r.source_id = c.source_id AND r.generation = c.generation
            WHERE c.run_id = ?)
        ORDER BY began DESC NULLS FIRST, source_id, generation DESC, byte_offset DESC, place DESC LIMIT ?""",
        [run, last],
    ).fetchall()
    return [
        ConsoleLine(text, wall, "err" if stream == "err" else "out", at) for text, wall, stream, at in reversed(rows)
    ]
