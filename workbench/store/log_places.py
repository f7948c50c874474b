"""Where in a run's text logs its points stand: from a step to a line, and from a line to a step."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.core.model import Source
from workbench.core.run_logs import LogPlace
from workbench.store.rows import first_row

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

SOURCE = """SELECT lower(hex(source_id)), path, format, generation, bytes, to_offset, accepted, rejected, status,
    message, seen_at FROM source"""
"""Sources as records."""


def fetch_run_sources(con: DuckDBPyConnection, run: str) -> list[Source]:
    """The files a run was read from, by path."""
    rows = con.execute(f"{SOURCE} WHERE run_id = ? ORDER BY path", [run]).fetchall()
    return [Source(*row) for row in rows]


def place_of_step(con: DuckDBPyConnection, run: str, step: int) -> LogPlace | None:
    """The line of a run's text log that held the newest point at a step, or at the last one before it."""
    row = first_row(
        con,
        """SELECT s.path, lower(hex(p.source_id)), p.generation, p.byte_offset, p.step
        FROM (SELECT DISTINCT source_id, path, generation FROM source WHERE format = 'text' AND run_id = $1) s
            JOIN point_log p ON p.source_id = s.source_id AND p.generation = s.generation
        WHERE p.step <= $2 ORDER BY p.step DESC, p.byte_offset DESC LIMIT 1""",
        [run, step],
    )
    return None if row is None else LogPlace(*row)


def step_of_place(con: DuckDBPyConnection, source: str, offset: int) -> LogPlace | None:
    """The newest point of a text log's newest generation that stands at a byte or before it."""
    row = first_row(
        con,
        """SELECT s.path, lower(hex(p.source_id)), p.generation, p.byte_offset, p.step
        FROM (SELECT source_id, path, generation FROM source WHERE source_id = $1) s
            JOIN point_log p ON p.source_id = s.source_id AND p.generation = s.generation
        WHERE p.source_id = $1 AND p.byte_offset <= $2 ORDER BY p.byte_offset DESC, p.step DESC LIMIT 1""",
        [int(source, 16), offset],
    )
    return None if row is None else LogPlace(*row)
