"""Evidently's snapshots, read as verdicts: the full form of `dumps()` and the short form of `json()`.

The short form names no verdict but in its tests, which are off by default; then a column's follows from its method,
score and threshold by the rule that Evidently itself uses. Distributions are only in the full form.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal

from msgspec import Struct, structs

from workbench.core.model import ColumnDrift, DatasetDrift, Distribution
from workbench.core.units import number
from workbench.monitor.registry import BY_NAME, METHODS
from workbench.monitor.tables import DriftInputError

_VALUE_DRIFT = "ValueDrift"
_COUNT = "DriftedColumnsCount"
_MOST_BYTES = 512 << 20


class SnapshotTest(Struct, frozen=True):
    """One of the snapshot's tests, as Evidently judged it."""

    name: str
    status: str
    sentence: str


class SnapshotMetric(Struct, frozen=True):
    """A figure of the snapshot that is no column's drift."""

    name: str
    value: float


class Snapshot(Struct, frozen=True):
    """What a snapshot says: the drift of its columns, its other figures and its tests."""

    path: str
    form: Literal["full", "short"]
    timestamp: str
    drift: DatasetDrift
    metrics: Sequence[SnapshotMetric] = ()
    tests: Sequence[SnapshotTest] = ()
    distributions: Sequence[Distribution] = ()


def read_snapshot(path: Path) -> Snapshot:
    """Read a snapshot in either form.

    Raises:
        DriftInputError: no JSON, or not Evidently's.
    """
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise DriftInputError(f"{path}: larger than {_MOST_BYTES >> 20} MB; save the short form with save_json()")
        data = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise DriftInputError(f"{path}: {error.strerror or error}") from error
    except (ValueError, RecursionError) as error:
        raise DriftInputError(f"{path}: not JSON ({error}); save a snapshot with snapshot.save_json(path)") from error
    full = isinstance(data, dict) and isinstance(data.get("metric_results"), dict)
    if not full and not (isinstance(data, dict) and isinstance(data.get("metrics"), list)):
        raise DriftInputError(
            f"{path}: not a snapshot of Evidently 0.7: neither `metric_results` (dumps) nor `metrics` (json) is in it"
        )
    entries = list(_full_entries(data) if full else _short_entries(data))
    return _snapshot(str(path), data, full, entries)


class _Entry(Struct, frozen=True):
    kind: str
    name: str
    config: Mapping[str, Any]
    value: Any
    tests: Sequence[Mapping[str, Any]]


def _full_entries(data: Mapping[str, Any]) -> Iterator[_Entry]:
    for result in data["metric_results"].values():
        if isinstance(result, dict):
            place = _mapping(_mapping(result.get("metric_value_location")).get("metric"))
            config = _mapping(place.get("params"))
            # A count keeps its two figures beside each other, each a result of its own.
            shares = {key: _mapping(result[key]).get("value") for key in ("count", "share") if key in result}
            value = result.get("value", shares)
            yield _Entry(_kind(config), str(result.get("display_name", "")), config, value, _list(result.get("tests")))


def _short_entries(data: Mapping[str, Any]) -> Iterator[_Entry]:
    tests: dict[str, list[Mapping[str, Any]]] = {}
    for test in _list(data.get("tests")):
        tests.setdefault(str(_mapping(test.get("metric_config")).get("metric_id")), []).append(test)
    for metric in _list(data["metrics"]):
        config = _mapping(metric.get("config"))
        name = str(metric.get("metric_name", ""))
        yield _Entry(_kind(config), name, config, metric.get("value"), tests.get(str(metric.get("id")), ()))


def _snapshot(path: str, data: Mapping[str, Any], full: bool, entries: Sequence[_Entry]) -> Snapshot:
    shown = {row.get("column_name"): row for row in _table_rows(data)}
    columns = [
        _column(entry, shown.get(entry.config.get("column"), {})) for entry in entries if entry.kind == _VALUE_DRIFT
    ]
    count = next((entry for entry in entries if entry.kind == _COUNT), None)
    metrics = [
        SnapshotMetric(entry.name + label, value)
        for entry in entries
        if entry.kind not in {_VALUE_DRIFT, _COUNT}
        for label, value in _figures(entry.value)
    ]
    tests = [
        SnapshotTest(
            str(test.get("name", "")), str(test.get("status", "")).rpartition(".")[2], str(test.get("description", ""))
        )
        for entry in entries
        for test in entry.tests
    ]
    shapes = [shape for row in shown.values() if (shape := _distribution(row))]
    timestamp = str(data.get("timestamp") or "")
    return Snapshot(path, "full" if full else "short", timestamp, _dataset(columns, count), metrics, tests, shapes)


def _dataset(columns: Sequence[ColumnDrift], count: _Entry | None) -> DatasetDrift:
    """The count as Evidently gives it, which includes columns that its table of columns may leave out."""
    figures = dict(_figures(count.value)) if count else {}
    drifted = int(figures.get(" count", sum(column.drifted for column in columns)))
    share = figures.get(" share", drifted / len(columns) if columns else 0.0)
    least = float(count.config.get("drift_share", 0.5)) if count else 0.5
    tested = round(drifted / share) if drifted and share else len(columns)
    verdict: Literal["ok", "drift", "no-data"] = "no-data" if not columns else "drift" if share >= least else "ok"
    return DatasetDrift(tuple(columns), share, drifted, tested, verdict)


def _column(entry: _Entry, shown: Mapping[str, Any]) -> ColumnDrift:
    name, given = str(entry.config.get("column", "")), str(entry.config.get("method", ""))
    method = METHODS.get(given) or BY_NAME.get(given)
    score = float(entry.value) if isinstance(entry.value, int | float) else math.nan
    threshold = entry.config.get("threshold")
    threshold = float(threshold) if isinstance(threshold, int | float) else method.threshold if method else None
    told = next((str(test.get("status", "")) for test in entry.tests if test.get("id") == "drift"), "")
    detected = str(shown.get("data_drift", ""))
    reason = ""
    if told:
        drifted = told.endswith("FAIL")
    elif detected:
        drifted = detected == "Detected"
    elif method is not None and threshold is not None and math.isfinite(score):
        drifted = structs.replace(method, threshold=threshold).drifted(score)
        reason = "no verdict in the snapshot: by Evidently's rule for this method"
    else:
        drifted, reason = False, f"no verdict in the snapshot, and method {given!r} is not known"
    kind = {"num": "num", "cat": "cat", "text": "text"}.get(str(shown.get("column_type")), "other")
    if not math.isfinite(score):
        return ColumnDrift(name, kind, "unsupported", given, None, threshold, False, 0, 0, "no score in the snapshot")  # type: ignore[arg-type]
    status: Literal["ok", "drift"] = "drift" if drifted else "ok"
    title = method.name if method else given
    return ColumnDrift(name, kind, status, title, score, threshold, drifted, 0, 0, reason)  # type: ignore[arg-type]


def _table_rows(data: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Rows of the table that Evidently shows of all columns, wherever it stands among the widgets."""
    stack: list[Any] = [data.get("widgets"), data.get("metric_results")]
    while stack:
        part = stack.pop()
        if isinstance(part, dict):
            if part.get("type") == "big_table":
                for row in _list(_mapping(part.get("params")).get("data")):
                    if "column_name" in row:
                        yield row
            else:
                stack += part.values()
        elif isinstance(part, list):
            stack += [item for item in part if isinstance(item, dict | list)]


def _distribution(row: Mapping[str, Any]) -> Distribution | None:
    """Shares on both sides, where Evidently's two histograms share their bins; their densities are made shares."""
    sides = [_mapping(row.get(f"{side}_distribution")) for side in ("reference", "current")]
    places = [side.get("x") for side in sides]
    heights = [side.get("y") for side in sides]
    if not all(isinstance(part, list) and part for part in (*places, *heights)) or places[0] != places[1]:
        return None
    try:
        shares = [tuple(float(value) / total for value in side) for side in heights if (total := math.fsum(side))]  # type: ignore[arg-type, union-attr]
    except (TypeError, ValueError):
        return None
    labels = [number(place) if isinstance(place, int | float) else str(place) for place in places[0]]  # type: ignore[union-attr]
    if len(shares) != 2 or len(shares[0]) != len(shares[1]):
        return None
    if len(labels) == len(shares[0]) + 1:
        labels = [f"{low} – {high}" for low, high in pairwise(labels)]
    return Distribution(str(row["column_name"]), labels, *shares) if len(labels) == len(shares[0]) else None


def _figures(value: Any, label: str = "") -> Iterator[tuple[str, float]]:
    if isinstance(value, bool):
        return
    if isinstance(value, int | float):
        yield label, float(value)
    elif isinstance(value, dict):
        for key, part in value.items():
            yield from _figures(part, f"{label} {key}")


def _kind(config: Mapping[str, Any]) -> str:
    return str(config.get("type", "")).rpartition(":")[2]


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> Sequence[Mapping[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else ()
