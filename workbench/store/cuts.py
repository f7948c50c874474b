"""Superseded rows: they stay in the store, and no view shows them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct

from workbench.store.incoming import as_columns, insert

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

EVERYWHERE = 2**63 - 1
"""An offset that no file reaches."""
ALL_STEPS = -(2**63)
"""From this step on everything is superseded: facts and refused lines of the generation as well as its points."""


class Cut(Struct, frozen=True):
    """Rows of a source's generation that were superseded: points from a step on, before a byte offset."""

    source_id: int
    generation: int
    from_step: int
    before_offset: int = EVERYWHERE


def insert_cuts(
    con: DuckDBPyConnection, commit: int, cuts: Sequence[Cut], grown: Mapping[tuple[int, int], int]
) -> None:
    """Write cuts; superseded points leave the summaries too, which are made anew from what stays visible.

    `grown` is the lowest byte offset that this transaction added points at, by (source id, generation): where an
    earlier cut reaches beyond it, the new points' own summary says too much.
    """
    names = ("source_id", "generation", "from_step", "before_offset")
    rows = [(cut.source_id, cut.generation, cut.from_step, cut.before_offset) for cut in cuts]
    insert(con, "cut_log", as_columns(names, rows, {"source_id"}))
    reaching = con.execute(
        f"SELECT source_id, generation, max(before_offset) FROM cut_log WHERE from_step > {ALL_STEPS} GROUP BY ALL"
    ).fetchall()
    reached = {
        (source, generation) for source, generation, end in reaching if grown.get((source, generation), end) < end
    }
    gone = {(cut.source_id, cut.generation) for cut in cuts if cut.from_step == ALL_STEPS}
    touched = {(cut.source_id, cut.generation) for cut in cuts} | reached
    for source, generation in sorted(touched):
        con.execute("DELETE FROM summary_log WHERE source_id = ? AND generation = ?", [source, generation])
        if (source, generation) in gone:
            continue
        con.execute(
            """INSERT INTO summary_log
            SELECT ?, p.series_id, any_value(s.run_id), p.source_id, p.generation, count(*),
                count(*) FILTER (NOT isfinite(value)), arg_min(value, (step, byte_offset)), min(step), min(wall_time),
                arg_max(value, (step, byte_offset)), max(step), arg_max_null(wall_time, (step, byte_offset)),
                arg_max(byte_offset, (step, byte_offset)),
                min(value) FILTER (isfinite(value)), max(value) FILTER (isfinite(value))
            FROM visible_point p JOIN (SELECT DISTINCT * FROM series_log) s USING (series_id)
            WHERE p.source_id = ? AND p.generation = ? GROUP BY p.series_id, p.source_id, p.generation""",
            [commit, source, generation],
        )
