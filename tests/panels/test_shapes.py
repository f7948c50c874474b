"""The JSON shapes that others script against, field by field."""

from __future__ import annotations

import json

import pytest

from tests.support.sample_project import LOGISTIC, RULE, SOURCES, TREE, WINDOWS, sample_project
from workbench.core.compare import latency_percentiles, metric_rows, param_differences
from workbench.core.model import DatasetDrift, Run, Summary
from workbench.panels.shapes import (
    compare_shape,
    drift_shape,
    moment,
    monitor_shape,
    plain_json,
    run_shape,
    runs_shape,
    show_shape,
    source_shape,
)

PROJECT = sample_project()


def test_runs_are_listed_newest_first_in_the_documented_shape() -> None:
    listed = runs_shape(PROJECT, PROJECT.runs())
    assert [run["name"] for run in listed] == ["tree", "logistic", "rule"]
    tree = listed[0]
    assert list(tree) == [
        "id", "name", "format", "path", "status", "status_reason", "started_at", "ended_at",
        "progress", "seconds_left", "params", "tags", "attention", "diagnosis", "metrics",
    ]  # fmt: skip
    assert tree["started_at"] == "2026-01-05T11:50:00.000Z"
    assert tree["ended_at"] is None
    assert tree["tags"] == ["owner=ann", "candidate"]
    assert tree["params"] == {"model": "gbdt", "threshold": 10, "depth": 6}
    assert tree["metrics"]["val/accuracy"] == {
        "last": pytest.approx(0.895), "best": pytest.approx(0.895), "min": 0.7, "max": pytest.approx(0.895),
        "n": 40, "last_step": 39,
    }  # fmt: skip


def test_latency_percentiles_stand_among_the_metrics() -> None:
    metrics = runs_shape(PROJECT, PROJECT.runs())[0]["metrics"]
    assert [metrics[f"latency_ms.{q}"]["last"] for q in ("p50", "p95", "p99")] == [14.5, 19.0, 19.0]
    assert metrics["latency_ms.p95"]["n"] == 40


def test_best_is_null_while_the_direction_is_unknown_and_nan_is_null() -> None:
    listed = {run["name"]: run["metrics"] for run in runs_shape(PROJECT, PROJECT.runs())}
    assert listed["tree"]["mystery"]["best"] is None
    assert listed["logistic"]["train/loss"]["last"] is None
    json.dumps(listed, allow_nan=False)


def test_show_adds_stages_notes_and_environment() -> None:
    shape = show_shape(PROJECT, PROJECT.runs()[0])
    assert shape["notes"] == ["deeper than before"]
    assert shape["stages"][0] == {
        "name": "ingestion", "start": "2026-01-05T11:50:00.000Z", "end": "2026-01-05T11:50:10.000Z",
        "rows": 336_776, "status": "finished",
    }  # fmt: skip
    assert shape["environment"]["git"] == {"commit": "c0ffee", "dirty": False}


def test_compare_gives_values_and_deltas_by_run() -> None:
    by_id = {run.id: run for run in PROJECT.runs()}
    runs, rule = [by_id[RULE.id], by_id[TREE.id], by_id[LOGISTIC.id]], by_id[RULE.id]
    found = latency_percentiles(PROJECT, runs)
    shape = compare_shape(runs, rule, metric_rows(runs, PROJECT.roles, rule, found), param_differences(runs), found)
    assert shape["baseline"] == RULE.id
    rows = {row["key"]: row for row in shape["metrics"]}
    assert rows["val/accuracy"]["direction"] == "higher"
    assert rows["val/accuracy"]["deltas"][TREE.id] == {
        "absolute": pytest.approx(0.095), "relative": pytest.approx(0.11875), "better": True,
    }  # fmt: skip
    assert rows["val/accuracy"]["deltas"][RULE.id] is None
    assert rows["latency_ms.p95"]["values"][LOGISTIC.id] is None
    assert {row["key"]: row["values"] for row in shape["params"]}["C"] == {LOGISTIC.id: 1.0}


def test_sources_monitors_and_drift_keep_their_shapes() -> None:
    assert source_shape(SOURCES[1]) == {
        "path": "runs/tree/metrics.csv", "format": "csv", "generation": 1, "bytes": 4000, "accepted": 120,
        "rejected": 2, "status": "live", "message": "E105 a cell is no number: x",
    }  # fmt: skip
    shape = monitor_shape("flights", WINDOWS[-1:])
    assert list(shape) == ["monitor", "windows", "findings"]
    assert list(shape["windows"][0]) == ["start", "end", "segment", "rows", "metrics", "columns"]
    assert shape["windows"][0]["start"] == "2025-12-29T00:00:00.000Z"
    drift = drift_shape(DatasetDrift(WINDOWS[-1].columns, 1 / 3, 1, 3, "ok"))
    assert drift["dataset"] == {
        "drifted": 1, "share": pytest.approx(1 / 3), "columns": 3, "verdict": "ok", "mode": "evidently",
    }  # fmt: skip
    assert drift["columns"][0] == {
        "column": "dep_delay", "type": "num", "status": "drift", "method": "Wasserstein distance (normed)",
        "score": 0.32, "threshold": 0.1, "drifted": True, "n_reference": 27_004, "n_current": 6_300, "reason": "",
        "noise_p95": None, "p_value": None, "effect": None,
    }  # fmt: skip


def test_what_json_cannot_say_is_null_or_text() -> None:
    run = Run(
        "1", "n", "f", "p", "failed", "", started_at=1e300,
        params={"inf": float("inf"), "nested": {"a": [1, float("nan")]}, "odd": {1}},
        metrics={"x": Summary(0, None, None, None, None)},
    )  # fmt: skip
    shape = run_shape(run)
    assert shape["started_at"] is None
    assert shape["params"] == {"inf": None, "nested": {"a": [1, None]}, "odd": "{1}"}
    assert moment(None) is None
    assert plain_json(True) is True
