"""Windows of monitors: written whole by the ingester, read back as records."""

from __future__ import annotations

import json
import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from msgspec.structs import asdict

from workbench.core.model import ColumnDrift, ColumnFinding, Distribution, Window
from workbench.store.rows import first_row, insert_rows, next_commit

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

RULE = "rule:"
"""How the names begin under which rules are kept beside monitors."""

_Place = tuple[int, str, float]
"""Commit, segment and start of a window."""
_COLUMN = (
    "column_name",
    "type",
    "status",
    "method",
    "score",
    "threshold",
    "drifted",
    "n_reference",
    "n_current",
    "reason",
    "noise_p95",
    "p_value",
    "effect",
    "findings",
)


def monitor_inputs(con: DuckDBPyConnection) -> dict[str, tuple[str, str]]:
    """What each monitor was last evaluated with: (specification, fingerprint of its files)."""
    return {row[0]: (row[1], row[2]) for row in con.execute("SELECT monitor, spec, inputs FROM monitor").fetchall()}


def append_windows(
    con: DuckDBPyConnection, monitor: str, spec: str, inputs: str, message: str,
    windows: Sequence[tuple[Window, Sequence[Distribution]]], slots: Sequence[int] | None = None,
    gone: Sequence[tuple[str, int]] = (),
) -> None:  # fmt: skip
    """Write an evaluation of a monitor in the open transaction; windows of another specification stop showing.

    slots: what each window is known by, over all evaluations; its start in ms by default. gone: segments and slots of
    windows that are no more.
    """
    commit = next_commit(con, "monitor_log")
    con.execute("INSERT INTO monitor_log VALUES (?, ?, ?, ?, ?)", [commit, monitor, spec, inputs, message])
    rows: list[tuple[Any, ...]] = []
    metrics: list[tuple[Any, ...]] = []
    columns: list[tuple[Any, ...]] = []
    profiles: list[tuple[Any, ...]] = []
    known_by = slots if slots is not None else [round(window.start * 1000) for window, _ in windows]
    for (window, distributions), slot in zip(windows, known_by, strict=True):
        place = (commit, monitor, spec, window.segment, window.start)
        rows.append((*place, window.end, window.rows, slot))
        metrics += [(*place, key, value) for key, value in window.metrics.items()]
        columns += [_column_row(place, i, item) for i, item in enumerate(window.columns)]
        profiles += [
            (*place, item.column, list(item.labels), list(item.reference), list(item.current)) for item in distributions
        ]
    rows += [(commit, monitor, spec, segment, None, None, None, slot) for segment, slot in gone]
    written = {
        "window_log": rows, "window_metric_log": metrics, "window_column_log": columns, "profile_log": profiles,
    }  # fmt: skip
    for table, found in written.items():
        insert_rows(con, table, _TYPES[table], found)


def _column_row(place: tuple[Any, ...], position: int, item: ColumnDrift) -> tuple[Any, ...]:
    return (
        *place, position, item.column, item.type, item.status, item.method, item.score, item.threshold, item.drifted,
        item.n_reference, item.n_current, item.reason, item.noise_p95, item.p_value, item.effect,
        json.dumps([asdict(finding) for finding in item.findings]) if item.findings else None,
    )  # fmt: skip


_TYPES = {
    "window_log": ("BIGINT", "VARCHAR", "VARCHAR", "VARCHAR", "DOUBLE", "DOUBLE", "BIGINT", "BIGINT"),
    "window_metric_log": ("BIGINT", "VARCHAR", "VARCHAR", "VARCHAR", "DOUBLE", "VARCHAR", "DOUBLE"),
    "window_column_log": (
        "BIGINT", "VARCHAR", "VARCHAR", "VARCHAR", "DOUBLE", "INTEGER", "VARCHAR", "VARCHAR", "VARCHAR", "VARCHAR",
        "DOUBLE", "DOUBLE", "BOOLEAN", "BIGINT", "BIGINT", "VARCHAR", "DOUBLE", "DOUBLE", "DOUBLE", "VARCHAR",
    ),
    "profile_log": (
        "BIGINT", "VARCHAR", "VARCHAR", "VARCHAR", "DOUBLE", "VARCHAR", "VARCHAR[]", "DOUBLE[]", "DOUBLE[]",
    ),
}  # fmt: skip
"""Types of the tables' columns, in their order."""


def fetch_windows(con: DuckDBPyConnection, monitor: str) -> list[Window]:
    """Windows of a monitor, oldest first."""
    metrics: dict[_Place, dict[str, float | None]] = defaultdict(dict)
    for commit, segment, start, key, value in con.execute(
        "SELECT commit_id, segment, window_start, key, value FROM window_metric WHERE monitor = ?", [monitor]
    ).fetchall():
        metrics[commit, segment, start][key] = None if value is None or math.isnan(value) else value
    columns: dict[_Place, list[ColumnDrift]] = defaultdict(list)
    for commit, segment, start, *values, noted in con.execute(
        f"""SELECT commit_id, segment, window_start, {", ".join(_COLUMN)} FROM window_column WHERE monitor = ?
            ORDER BY position""",
        [monitor],
    ).fetchall():
        found = tuple(ColumnFinding(**finding) for finding in json.loads(noted or "[]"))
        columns[commit, segment, start].append(ColumnDrift(*[*values, found]))
    rows = con.execute(
        """SELECT commit_id, segment, window_start, window_end, rows FROM "window" WHERE monitor = ?
            ORDER BY window_start, segment, slot""",
        [monitor],
    ).fetchall()
    places = [(row[0], row[1], row[2]) for row in rows]
    return [
        Window(monitor, start, end, count, metrics[place], tuple(columns[place]), segment)
        for place, (_, segment, start, end, count) in zip(places, rows, strict=True)
    ]


def window_slots(con: DuckDBPyConnection, monitor: str) -> list[tuple[str, int, float]]:
    """Segment, slot and start of the windows of a monitor."""
    return con.execute('SELECT segment, slot, window_start FROM "window" WHERE monitor = ?', [monitor]).fetchall()


def fetch_distributions(
    con: DuckDBPyConnection, monitor: str, places: Sequence[tuple[str, float]]
) -> dict[tuple[str, float], list[Distribution]]:
    """The distributions kept of some windows, each known by its segment and start."""
    found: dict[tuple[str, float], list[Distribution]] = {place: [] for place in places}
    for segment, start, *shape in con.execute(
        "SELECT segment, window_start, column_name, labels, reference, current FROM profile WHERE monitor = ?",
        [monitor],
    ).fetchall():
        if (segment, start) in found:
            found[segment, start].append(Distribution(shape[0], *map(tuple, shape[1:])))
    return found


def fetch_distribution(con: DuckDBPyConnection, monitor: str, column: str, start: float | None) -> Distribution | None:
    """A column's two shapes in one window, the newest by default."""
    row = first_row(
        con,
        """SELECT labels, reference, current FROM profile WHERE monitor = $1 AND column_name = $2
        AND segment = '' AND ($3 IS NULL OR window_start = $3) ORDER BY window_start DESC LIMIT 1""",
        [monitor, column, start],
    )
    return None if row is None else Distribution(column, tuple(row[0]), tuple(row[1]), tuple(row[2]))


def monitor_names(con: DuckDBPyConnection) -> Iterable[str]:
    """Monitors that were evaluated; rules, which are kept beside them, are none."""
    found = con.execute("SELECT monitor FROM monitor WHERE NOT starts_with(monitor, ?) ORDER BY monitor", [RULE])
    return [row[0] for row in found.fetchall()]


def newest_spans(con: DuckDBPyConnection, monitor: str = "") -> list[tuple[str, float, float]]:
    """Monitors, when their newest window with rows ended and how long their windows last; those without times not."""
    return con.execute(
        """SELECT monitor, max(window_end), median(window_end - window_start) FROM "window"
            WHERE ($1 = '' OR monitor = $1) AND NOT starts_with(monitor, $2)
            AND segment = '' AND rows > 0 AND window_end - window_start <> rows
            GROUP BY monitor ORDER BY monitor""",
        [monitor, RULE],
    ).fetchall()
