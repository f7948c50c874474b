"""The figures of windows: everything that is told of one but the drift of its columns."""

# ruff: noqa: S608 – SQL is put together from constants and quoted identifiers; values travel as parameters.
from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct, field

from workbench.core.config import WindowSpec
from workbench.monitor.estimate import Calibration, estimates
from workbench.monitor.frames import Frame, window_start
from workbench.monitor.performance import Metrics, performance_sql, ranked_metrics, text_sql
from workbench.monitor.quality import Usual, column_quality, quality_sql
from workbench.monitor.session import Session
from workbench.monitor.traffic import traffic_sql, weight_sql

MOST_SEGMENTS = 20
"""Values of a column that are segments of their own; the others together are one more."""
OTHER, UNKNOWN = "other", "unknown"


class WindowFigures(Struct, frozen=True):
    """One window's number, its segment, its rows, the span of their times, and its metrics."""

    window: int
    rows: int
    start: float | None
    end: float | None
    metrics: Metrics
    segment: str = ""


class Segmentation(Struct, frozen=True):
    """One way to part the rows: all together, or by a column's values."""

    column: str = ""
    """The column's name in the export; empty for all together."""
    sql: str = "''"
    values: Sequence[str] = ()

    def where(self, segment: str) -> str:
        """The rows of a segment."""
        return f"{self.sql} = {text_sql(segment)}" if self.column else "true"


class Beside(Struct, frozen=True):
    """What figures are seen against: the reference's values and what its probabilities meant."""

    usual: Mapping[str, Usual] = field(default_factory=dict)
    calibration: Calibration | None = None


def segmentations(
    session: Session, frame: Frame, known: Mapping[str, Sequence[str]]
) -> tuple[list[Segmentation], dict[str, Sequence[str]]]:
    """All rows, then those of each segment column; and the values that are segments now, none of them forgotten.

    Values become segments in the order of windows, the most frequent of a window first, until there are enough.
    """
    found, values = [Segmentation()], dict(known)
    for i, name in enumerate(frame.plan.mapping.columns.segments):
        if f"s{i}" not in frame.columns:
            continue
        chosen = list(values.get(name, ()))
        rows = session.rows(
            f"""SELECT v FROM (
                  SELECT s{i} AS v, w, count(*) AS n FROM {frame.source} WHERE s{i} IS NOT NULL GROUP BY ALL)
                GROUP BY v ORDER BY min(w), arg_min(n, w) DESC, v LIMIT {10 * MOST_SEGMENTS}""",
            frame.parameters,
        )
        chosen += [row[0] for row in rows if row[0] not in chosen][: max(0, MOST_SEGMENTS - len(chosen))]
        values[name] = tuple(chosen)
        listed = ", ".join(map(text_sql, chosen)) or "NULL"
        label = text_sql(f"{name}=")
        sql = f"""({label} || CASE WHEN s{i} IN ({listed}) THEN s{i} WHEN s{i} IS NULL THEN '{UNKNOWN}'
            ELSE '{OTHER}' END)"""
        found.append(Segmentation(name, sql, tuple(chosen)))
    return found, values


def window_figures(
    session: Session, frame: Frame, segmentation: Segmentation, spec: WindowSpec, beside: Beside
) -> list[WindowFigures]:
    """The figures of every window and segment that has rows, in order of segments, then of windows.

    Keys: rows, throughput (per second), requests (weighted), latency_ms.p50|p90|p95|p99|max, error_rate,
    business[.NAME].mean|sum, labelled.share and what the task is measured by, estimated.auc|accuracy|f1,
    quality.duplicates, quality.missing|unseen|out_of_range|infinite|constant.COLUMN, staleness_s. None is unknown.
    """
    group = segmentation.sql
    wanted = {**traffic_sql(frame), **performance_sql(frame), **quality_sql(frame)}
    select = "".join(f", {sql} AS m{i}" for i, sql in enumerate(wanted.values()))
    rows = session.rows(
        f"""SELECT w, {group} AS g, count(*), min(t), max(t), sum({weight_sql(frame)}){select}
            FROM {frame.source} GROUP BY w, g ORDER BY g, w""",
        frame.parameters,
    )
    more = [ranked_metrics(session, frame, group), column_quality(session, frame, group, beside.usual)]
    if beside.calibration:
        more.insert(1, estimates(session, frame, group, beside.calibration))
    figures = []
    for window, segment, n, start, end, requests, *values in rows:
        metrics: Metrics = {"rows": float(n)}
        metrics["throughput"] = _throughput(spec, start, end, requests)
        metrics |= {key: finite(value) for key, value in zip(wanted, values, strict=True)}
        for found in more:
            metrics |= found.get((window, segment), {})
        if spec.every:
            metrics["staleness_s"] = None if end is None else window_start(spec, window + 1) - end
        figures.append(WindowFigures(window, n, start, end, metrics, segment))
    return figures


def _throughput(spec: WindowSpec, start: float | None, end: float | None, requests: Any) -> float | None:
    """Requests a second, over the whole of a window of time, else between its first row and its last."""
    if start is None or end is None or requests is None:
        return None
    seconds = spec.every or end - start
    return finite(requests / seconds) if seconds > 0 else None


def finite(value: Any) -> float | None:
    """A number as a float, None where it is none."""
    return float(value) if value is not None and math.isfinite(value) else None
