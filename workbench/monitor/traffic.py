"""Latency, throughput, errors and business value of each window, as SQL over a frame."""

from __future__ import annotations

from collections.abc import Mapping

from workbench.monitor.frames import Frame

PERCENTILES = {"p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99}


def traffic_sql(frame: Frame) -> Mapping[str, str]:
    """Aggregates by key: requests, latency_ms.p50|p90|p95|p99|max, error_rate, business[.NAME].mean|sum."""
    return {**_requests(frame), **_latency(frame), **_errors(frame), **_business(frame)}


def weight_sql(frame: Frame) -> str:
    """How many requests a row stands for; one whose weight cannot be told stands for itself."""
    return "CASE WHEN isfinite(weight) THEN weight ELSE 1 END" if "weight" in frame.columns else "1"


def _requests(frame: Frame) -> dict[str, str]:
    return {"requests": f"sum({weight_sql(frame)})"} if "weight" in frame.columns else {}


def _latency(frame: Frame) -> dict[str, str]:
    """Percentiles of the rows themselves: weights count requests, and a percentile needs none."""
    if "latency" not in frame.columns:
        return {}
    finite = "FILTER (isfinite(latency))"
    found = {f"latency_ms.{name}": f"quantile_cont(latency, {q}) {finite}" for name, q in PERCENTILES.items()}
    return found | {"latency_ms.max": f"max(latency) {finite}"}


def _errors(frame: Frame) -> dict[str, str]:
    """The share of requests that failed, among those of which it is known."""
    if "failed" not in frame.columns:
        return {}
    weight = weight_sql(frame)
    known = f"nullif(sum({weight}) FILTER (failed IS NOT NULL), 0)"
    return {"error_rate": f"coalesce(sum({weight}) FILTER (failed), 0) / {known}"}


def _business(frame: Frame) -> dict[str, str]:
    roles = frame.plan.mapping.columns
    names = ["business"] if roles.business else [f"business.{measure.name}" for measure in roles.measures]
    return {
        f"{name}.{way}": f"{function}(b{i}) FILTER (isfinite(b{i}))"
        for i, name in enumerate(names)
        if f"b{i}" in frame.columns
        for way, function in (("mean", "avg"), ("sum", "sum"))
    }
