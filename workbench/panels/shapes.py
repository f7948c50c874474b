"""The JSON that others script against: one function a shape, used by every listing and report.

Times are ISO 8601 in UTC with milliseconds; what JSON cannot say (NaN, infinity, unknown) is null.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from workbench.core.compare import Delta, MetricRow, ParamRow, Percentiles, latency_percentiles, with_percentiles
from workbench.core.compare_values import LAST, ValueAt
from workbench.core.model import ColumnDrift, DatasetDrift, Finding, Run, Source, Stage, Summary, Window
from workbench.core.progress import seconds_left, share_done, under_way
from workbench.core.query import Query


def run_shape(run: Run, found: Percentiles | None = None, pace: float | None = None) -> dict[str, Any]:
    """A run as `runs --format json` lists it.

    `found` adds `latency_ms.p95` and the like to its metrics; `pace`, in steps a second, tells the time left.
    """
    return {
        "id": run.id,
        "name": run.name,
        "format": run.format,
        "path": run.path,
        "status": run.status,
        "status_reason": run.status_reason,
        "started_at": moment(run.started_at),
        "ended_at": moment(run.ended_at),
        "progress": share_done(run),
        "seconds_left": seconds_left(run, pace),
        "params": plain_json(run.params),
        "tags": [f"{key}={value}" if value else key for key, value in run.tags.items()],
        "attention": run.attention or None,
        "diagnosis": run.diagnosis,
        "metrics": {key: summary_shape(each) for key, each in with_percentiles(run, found or {}).items()},
    }


def runs_shape(query: Query, runs: Sequence[Run]) -> list[dict[str, Any]]:
    """Runs in their order, with the percentiles of their latencies, asked for in one query."""
    found, paces = latency_percentiles(query, runs), paces_of(query, runs)
    return [run_shape(run, found, paces.get(run.id)) for run in runs]


def paces_of(query: Query, runs: Iterable[Run]) -> Mapping[str, float]:
    """Steps a second of those runs whose time left can be told."""
    timed = under_way(runs)
    return query.paces(timed) if timed else {}


def show_shape(query: Query, run: Run) -> dict[str, Any]:
    """All that is known of one run: the listing's shape, with stages, notes and environment."""
    return {
        **run_shape(run, latency_percentiles(query, [run]), paces_of(query, [run]).get(run.id)),
        "updated_at": moment(run.updated_at),
        "total_steps": run.total_steps,
        "hidden": run.hidden,
        "baseline": run.baseline,
        "group": run.group,
        "parent": run.parent,
        "formats": list(run.formats),
        "aliases": {key: list(names) for key, names in run.aliases.items()},
        "notes": list(run.notes),
        "stages": [stage_shape(stage) for stage in query.stages(run.id)],
        "findings": [finding_shape(finding) for finding in query.findings(run=run.id)],
        "environment": plain_json(run.environment),
    }


def summary_shape(summary: Summary) -> dict[str, Any]:
    """One series in figures; `best` is null while it is unknown which way is better."""
    return {
        "last": number(summary.last),
        "best": number(summary.best),
        "min": number(summary.min),
        "max": number(summary.max),
        "n": summary.n,
        "last_step": summary.last_step,
    }


def stage_shape(stage: Stage) -> dict[str, Any]:
    """One stage of a run's pipeline."""
    return {
        "name": stage.name,
        "start": moment(stage.start),
        "end": moment(stage.end),
        "rows": stage.rows,
        "status": stage.status,
    }


def compare_shape(
    runs: Sequence[Run],
    baseline: Run | None,
    metrics: Sequence[MetricRow],
    params: Sequence[ParamRow],
    found: Percentiles | None = None,
    at: ValueAt = LAST,
) -> dict[str, Any]:
    """Runs side by side: values and deltas by run id, what is noise, and the parameters that differ."""
    ids = [run.id for run in runs]
    return {
        "baseline": None if baseline is None else baseline.id,
        "value": at.option,
        "runs": [run_shape(run, found) for run in runs],
        "metrics": [
            {
                "key": row.key,
                "direction": row.roles.direction,
                "unit": row.roles.unit,
                "kind": row.roles.kind,
                "values": {run: number(value) for run, value in zip(ids, row.values, strict=True)},
                "deltas": {run: delta_shape(change) for run, change in zip(ids, row.deltas, strict=True)},
                "best": None if row.best is None else ids[row.best],
                "noise": noise_shape(row),
            }
            for row in metrics
        ],
        "params": [
            {
                "key": row.key,
                "values": {
                    run: plain_json(value)
                    for run, value, there in zip(ids, row.values, row.present, strict=True)
                    if there
                },
            }
            for row in params
        ],
    }


def noise_shape(row: MetricRow) -> dict[str, Any] | None:
    """What the seed alone does to a metric, and which of the runs change by no more; null without repeated seeds."""
    if row.noise is None:
        return None
    return {
        "threshold": number(row.noise.threshold),
        "deviation": number(row.noise.deviation),
        "freedom": row.noise.freedom,
        "groups": row.noise.groups,
        "within": list(row.within_noise),
    }


def delta_shape(change: Delta | None) -> dict[str, Any] | None:
    """A change from the baseline."""
    if change is None:
        return None
    return {"absolute": number(change.absolute), "relative": number(change.relative), "better": change.better}


def source_shape(source: Source) -> dict[str, Any]:
    """A source as `sources --format json` lists it."""
    return {
        "path": source.path,
        "format": source.format,
        "generation": source.generation,
        "bytes": source.bytes,
        "accepted": source.accepted,
        "rejected": source.rejected,
        "status": source.status,
        "message": source.message,
    }


def monitor_shape(monitor: str, windows: Sequence[Window], findings: Sequence[Finding] = ()) -> dict[str, Any]:
    """A monitor with its windows, oldest first, and what is worth attention in them, the worst first."""
    return {
        "monitor": monitor,
        "windows": [window_shape(window) for window in windows],
        "findings": [finding_shape(finding) for finding in findings],
    }


def finding_shape(finding: Finding) -> dict[str, Any]:
    """A finding: what, about what, how bad, since when, and the numbers behind it."""
    return {
        "kind": finding.kind,
        "subject": finding.subject,
        "segment": finding.segment,
        "severity": finding.severity,
        "since": moment(finding.since),
        "until": moment(finding.until),
        "confidence": number(finding.confidence),
        "sentence": finding.sentence,
        "evidence": plain_json(finding.evidence),
    }


def window_shape(window: Window) -> dict[str, Any]:
    """One window: its metrics by key, and every column exactly once."""
    return {
        "start": moment(window.start),
        "end": moment(window.end),
        "segment": window.segment,
        "rows": window.rows,
        "metrics": {key: number(value) for key, value in window.metrics.items()},
        "columns": [column_shape(column) for column in window.columns],
    }


def drift_shape(drift: DatasetDrift) -> dict[str, Any]:
    """The verdict on a table, as `drift --format json` prints it."""
    return {
        "dataset": {
            "drifted": drift.drifted,
            "share": number(drift.share),
            "columns": drift.tested,
            "verdict": drift.verdict,
            "mode": drift.mode,
        },
        "columns": [column_shape(column) for column in drift.columns],
    }


def column_shape(column: ColumnDrift) -> dict[str, Any]:
    """The verdict on one column."""
    return {
        "column": column.column,
        "type": column.type,
        "status": column.status,
        "method": column.method,
        "score": number(column.score),
        "threshold": number(column.threshold),
        "drifted": column.drifted,
        "n_reference": column.n_reference,
        "n_current": column.n_current,
        "reason": column.reason,
        "noise_p95": number(column.noise_p95),
        "p_value": number(column.p_value),
        "effect": number(column.effect),
    }


def moment(seconds: float | None) -> str | None:
    """Seconds since 1970 as `2026-01-05T08:00:00.000Z`; None for what is no date."""
    if seconds is None or not math.isfinite(seconds):
        return None
    try:
        return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    except (OverflowError, OSError, ValueError):
        return None


def number(value: float | None) -> float | None:
    """A finite number, else None."""
    return value if value is not None and math.isfinite(value) else None


def plain_json(value: Any) -> Any:
    """A value of strings, finite numbers, lists and dicts only; anything else as its text."""
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float):
        return number(value)
    if isinstance(value, Mapping):
        return {str(key): plain_json(item) for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, bytes | bytearray):
        return [plain_json(item) for item in value]
    return str(value)
