"""A small project in memory: a baseline and two models that predict late flights, and a monitor over production."""

from __future__ import annotations

import numpy as np
from msgspec.structs import replace

from tests.support.memory_query import MemoryQuery, series, with_points
from workbench.core.model import ColumnDrift, Distribution, Run, Source, Stage, Window

NOW = 1_767_614_400.0
"""2026-01-05 12:00:00 UTC."""
DAY = 86_400.0

RULE = Run(
    id="aaaa00000001", name="rule", format="workbench", path="runs/rule", status="finished",
    status_reason="ended by itself", started_at=NOW - 7200, ended_at=NOW - 7000, updated_at=NOW - 7000,
    params={"model": "rule", "threshold": 10}, tags={"main": ""}, baseline=True,
)  # fmt: skip
TREE = Run(
    id="bbbb00000002", name="tree", format="csv", path="runs/tree", status="running",
    status_reason="data is coming in", started_at=NOW - 600, updated_at=NOW - 5,
    params={"model": "gbdt", "threshold": 10, "depth": 6}, tags={"owner": "ann", "candidate": ""},
    notes=("deeper than before",), environment={"git": {"commit": "c0ffee", "dirty": False}, "host": "node7"},
)  # fmt: skip
LOGISTIC = Run(
    id="cccc00000003", name="logistic", format="tensorboard", path="runs/logistic", status="failed",
    status_reason="ValueError: singular matrix", started_at=NOW - 3600, ended_at=NOW - 3500, updated_at=NOW - 3500,
    params={"model": "logistic", "threshold": 10, "C": 1.0},
)  # fmt: skip
FORGOTTEN = Run(
    id="dddd00000004", name="forgotten", format="csv", path="old", status="quiet",
    status_reason="no new data since 2025-12-06T12:00:00Z; the format has no end marker",
    started_at=NOW - 30 * DAY, hidden=True,
)  # fmt: skip


def column(name: str, score: float | None, *, drifted: bool = False, status: str = "") -> ColumnDrift:
    return ColumnDrift(
        name, "num", status or ("drift" if drifted else "ok"),  # type: ignore[arg-type]
        "Wasserstein distance (normed)" if score is not None else None, score, 0.1, drifted, 27_004, 6_300,
    )  # fmt: skip


def window(week: int, dep_delay: float, p95: float, error_rate: float) -> Window:
    start = NOW - NOW % DAY + (week - 5) * 7 * DAY
    columns = (
        column("dep_delay", dep_delay, drifted=dep_delay >= 0.1),
        column("distance", 0.02),
        ColumnDrift("carrier", "cat", "ok", "Jensen-Shannon distance", 0.03, 0.1, False, 27_004, 6_300),
        column("tailnum", None, status="id-like"),
    )
    metrics = {"latency_ms.p50": p95 / 2, "latency_ms.p95": p95, "latency_ms.p99": p95 * 1.5, "error_rate": error_rate}
    return Window("flights", start, start + 7 * DAY, 6_300, metrics, columns)


WINDOWS = (
    window(0, 0.02, 20.0, 0.010),
    window(1, 0.04, 21.0, 0.011),
    window(2, 0.03, 20.5, 0.010),
    window(3, 0.22, 26.0, 0.012),
    window(4, 0.32, 41.0, 0.030),
)

SOURCES = (
    Source("1", "runs/rule/a.wb.jsonl", "workbench", 0, 9_000, 9_000, 300, 0, "live", "", NOW),
    Source("2", "runs/tree/metrics.csv", "csv", 1, 4_000, 3_990, 120, 2, "live", "E105 a cell is no number: x", NOW),
    Source("3", "exports/broken.parquet", "parquet", 0, 7, 0, 0, 0, "damaged", "E201 no footer", NOW),
)


def sample_project() -> MemoryQuery:
    """The whole project, as a store would answer for it."""
    steps = np.arange(40)
    latency = 10.0 + (steps % 10)
    return MemoryQuery(
        all_runs=(RULE, TREE, LOGISTIC, FORGOTTEN),
        points=with_points(
            series(RULE.id, "val/accuracy", [0.80] * 3),
            series(RULE.id, "latency_ms", [1.0] * 40),
            series(TREE.id, "val/accuracy", (0.70 + 0.005 * steps).tolist()),
            series(TREE.id, "train/loss", (0.7 * 0.97**steps).tolist()),
            series(TREE.id, "val/loss", (0.8 * 0.98**steps).tolist()),
            series(TREE.id, "latency_ms", latency.tolist()),
            series(TREE.id, "mystery", [3.0, 1.0]),
            series(LOGISTIC.id, "val/accuracy", [0.6, 0.75]),
            series(LOGISTIC.id, "train/loss", [0.7, float("nan")]),
        ),
        all_stages={
            TREE.id: (
                Stage("ingestion", NOW - 600, NOW - 590, 336_776, "finished"),
                Stage("training", NOW - 590, None, None, "running"),
            )
        },
        all_sources=SOURCES,
        all_windows={"flights": WINDOWS},
        distributions={
            ("flights", "dep_delay"): Distribution("dep_delay", ("<0", "0–15", ">15"), (0.5, 0.3, 0.2), (0.3, 0.3, 0.4))
        },
    )


def without_baseline(query: MemoryQuery) -> MemoryQuery:
    """The same project with no baseline chosen."""
    return replace(query, all_runs=tuple(replace(run, baseline=False) for run in query.all_runs))
