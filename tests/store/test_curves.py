"""Curves as they are judged: by step with the latest point of each, and in buckets where they are long."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tests.support.ingest import Project, line
from workbench.store.run_findings import BUCKETS, LONG, CurveRows, fetch_curves, fetch_states

pytestmark = pytest.mark.duckdb15


def curves(project: Project) -> dict[str, CurveRows]:
    """Of every series of the project, by its key."""
    project.read()
    with project.store.read() as con:
        runs = [run for (run,) in con.execute("SELECT DISTINCT run_id FROM series_log").fetchall()]
        states = {state.series_id: state.key for state in fetch_states(con, runs)}
        found = fetch_curves(con, fetch_states(con, runs))
    return {states[series]: rows for series, rows in found.items()}


@pytest.mark.parametrize("more", [0, 1, 9])
def test_steps_come_in_order_and_the_latest_of_those_written_twice(project: Project, more: int) -> None:
    steps = [0, 1, 4, 5, 2, 3, 3, 6]
    others = [f"other/{place}" for place in range(more)]
    rows = [line(step, loss=at, **dict.fromkeys(others, step)) for at, step in enumerate(steps)]
    project.write("a/log.jsonl", "".join(rows))
    found = curves(project)
    assert found["loss"].step.tolist() == [0, 1, 2, 3, 4, 5, 6]
    assert found["loss"].value.tolist() == [0, 1, 4, 6, 2, 3, 7]
    for key in others:
        assert found[key].value.tolist() == found[key].step.tolist() == [0, 1, 2, 3, 4, 5, 6]


def test_long_series_come_in_buckets_with_their_extremes_and_where_they_broke(project: Project) -> None:
    n = 2 * LONG
    value = np.sin(np.arange(n) / 50)
    value[3000] = 40.0
    short, late = np.arange(n) % 3, value.copy()
    late[n - 5 :] = math.nan
    rows = [line(step, long=value[step], late=late[step], few=int(short[step])) for step in range(n)]
    project.write("a/log.jsonl", "".join(rows))
    project.write("b/log.jsonl", "".join(line(step, brief=float(step)) for step in range(50)))
    found = curves(project)
    whole, broken = found["long"], found["late"]
    assert whole.high is not None and whole.low is not None
    assert len(whole.step) <= BUCKETS + 1 and (np.diff(whole.step) > 0).all()
    assert whole.high.max() == 40.0 and whole.low.min() == value.min()
    at = int(np.searchsorted(whole.step, 3000, side="right")) - 1
    assert whole.high[at] == 40.0, "the extreme is in the bucket of its own step"
    assert whole.broken_from is None
    assert broken.broken_from == n - 5
    assert broken.step[-1] >= n - 5 and math.isnan(broken.value[-1])
    assert found["few"].value.mean() == pytest.approx(short.mean(), abs=0.01)
    assert found["brief"].high is None and found["brief"].value.tolist() == list(range(50))
