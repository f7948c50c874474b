"""Comparing runs with a baseline."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.memory_query import MemoryQuery, series, with_points
from workbench.core.compare import (
    Delta,
    baseline_of,
    delta,
    latency_percentiles,
    metric_rows,
    param_differences,
    percentiles,
    with_percentiles,
)
from workbench.core.model import Run, Summary
from workbench.core.roles import guess


def run(name: str, *, baseline: bool = False, params: dict[str, object] | None = None, **metrics: float) -> Run:
    summaries = {key.replace("__", "/"): Summary(3, value, 2, value, value) for key, value in metrics.items()}
    return Run(name, name, "csv", name, "finished", "", params=params or {}, metrics=summaries, baseline=baseline)


@pytest.mark.parametrize(
    ("value", "base", "direction", "expected"),
    [
        (0.45, 0.5, "lower", Delta(-0.05, -0.1, True)),
        (0.55, 0.5, "lower", Delta(0.05, 0.1, False)),
        (0.55, 0.5, "higher", Delta(0.05, 0.1, True)),
        (0.55, 0.5, None, Delta(0.05, 0.1, None)),
        (0.5, 0.5, "higher", Delta(0.0, 0.0, None)),
        (-1.0, -2.0, "higher", Delta(1.0, 0.5, True)),
        (3.0, 0.0, "lower", Delta(3.0, None, False)),
        (0.0, 0.0, "lower", Delta(0.0, 0.0, None)),
    ],
)
def test_a_change_says_how_much_and_whether_it_is_better(
    value: float, base: float, direction: str, expected: Delta
) -> None:
    found = delta(value, base, direction)  # type: ignore[arg-type]
    assert found is not None
    assert found.absolute == pytest.approx(expected.absolute)
    assert found.relative == (None if expected.relative is None else pytest.approx(expected.relative))
    assert found.better is expected.better


@pytest.mark.parametrize("value", [None, math.nan, math.inf])
def test_what_is_unknown_has_no_change(value: float | None) -> None:
    assert delta(value, 1.0, "lower") is None
    assert delta(1.0, value, "lower") is None


def test_the_chosen_baseline_comes_before_the_marked_one() -> None:
    runs = [run("new"), run("rule", baseline=True)]
    assert baseline_of(runs) is runs[1]
    assert baseline_of(runs, "new") is runs[0]
    assert baseline_of(runs, "gone") is runs[1]
    assert baseline_of(runs[:1]) is None


def test_metrics_stand_in_rows_over_runs_with_their_changes() -> None:
    rule, tree = run("rule", baseline=True, val__loss=0.5, lr=1.0), run("tree", val__loss=0.4, extra=7.0)
    rows = {row.key: row for row in metric_rows([rule, tree], guess, rule)}
    assert rows["val/loss"].values == (0.5, 0.4)
    assert rows["val/loss"].deltas[0] is None, "the baseline is not compared with itself"
    change = rows["val/loss"].deltas[1]
    assert change is not None and change.better is True and change.relative == pytest.approx(-0.2)
    assert rows["lr"].values == (1.0, None)
    assert rows["extra"].deltas == (None, None), "the baseline has no such metric"
    assert metric_rows([rule, tree], guess, rule, keys=["lr"])[0].key == "lr"


def test_only_parameters_that_differ_are_listed() -> None:
    one = run("one", params={"lr": 0.1, "depth": 3, "seed": 1, "amp": True, "model": {"a": 1}, "bad": math.nan})
    two = run("two", params={"lr": 0.2, "depth": 3.0, "amp": 1, "model": {"a": 1}, "bad": math.nan})
    rows = {row.key: row for row in param_differences([one, two])}
    assert sorted(rows) == ["amp", "lr", "seed"]
    assert rows["lr"].values == (0.1, 0.2)
    assert rows["seed"].present == (True, False)
    assert param_differences([one]) == ()


def test_a_latency_series_brings_its_percentiles_along() -> None:
    latencies = list(range(1, 101))
    query = MemoryQuery(
        all_runs=[run("tree")],
        points=with_points(series("tree", "latency_ms", latencies), series("tree", "val/loss", [0.5, 0.4])),
    )
    found = latency_percentiles(query, query.runs())
    assert found == {("tree", "latency_ms"): pytest.approx((50.5, 95.05, 99.01))}
    metrics = with_percentiles(query.runs()[0], found)
    assert list(metrics) == ["latency_ms", "latency_ms.p50", "latency_ms.p95", "latency_ms.p99", "val/loss"]
    assert metrics["latency_ms.p95"].last == pytest.approx(95.05)


@given(st.lists(st.floats(allow_nan=True, allow_infinity=True, width=32), max_size=40))
def test_percentiles_are_those_of_the_finite_values(values: list[float]) -> None:
    finite = [value for value in values if math.isfinite(value)]
    found = percentiles(values, [0, 50, 100])
    if not finite:
        assert found is None
    else:
        assert found == pytest.approx((min(finite), float(np.median(finite)), max(finite)))
