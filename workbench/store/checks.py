"""What `doctor` asks of a store."""

from __future__ import annotations

from workbench.store.store import Store

_COUNTED = ("point_log", "run_log", "source_log", "reject_log")


def row_counts(store: Store) -> dict[str, int]:
    """Rows of the main tables."""
    with store.read() as con:
        return {name: int(con.execute(f"SELECT count(*) FROM {name}").fetchall()[0][0]) for name in _COUNTED}


def duplicate_points(store: Store) -> int:
    """Points of one series that share source, generation, byte offset and step: stored twice."""
    with store.read() as con:
        rows = con.execute(
            """SELECT coalesce(sum(n - 1), 0) FROM (
                SELECT count(*) AS n FROM point_log
                GROUP BY series_id, source_id, generation, byte_offset, step HAVING n > 1)"""
        ).fetchall()
    return int(rows[0][0])


def source_troubles(store: Store) -> list[tuple[str, str, str]]:
    """Sources that are damaged, unreadable or have refused lines: (path, status, message)."""
    with store.read() as con:
        rows = con.execute(
            """SELECT path, status, CASE WHEN rejected > 0 THEN rejected || ' lines refused; ' ELSE '' END || message
            FROM source WHERE status IN ('damaged', 'unreadable') OR rejected > 0 ORDER BY path LIMIT 20"""
        ).fetchall()
    return [(str(path), str(status), str(message)) for path, status, message in rows]
