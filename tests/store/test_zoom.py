"""A chart that is zoomed in asks for the points of that stretch anew, and gets every one of them."""

from __future__ import annotations

import numpy as np
import pytest

from tests.support.ingest import Project
from workbench.store.points import FEW

pytestmark = pytest.mark.duckdb15

N = 3 * FEW
SPIKE = 40_001


def long_run(project: Project) -> str:
    """A run of many points, all 1.0 but one."""
    rows = [f'{{"step": {step}, "loss": {99.0 if step == SPIKE else 1.0}}}\n' for step in range(N)]
    project.write("run/metrics.jsonl", "".join(rows))
    project.read(final=True)
    return project.query.runs()[0].id


def test_a_spike_of_one_point_is_there_at_any_zoom_and_a_short_stretch_comes_whole(project: Project) -> None:
    run = long_run(project)
    whole = project.query.series(run, "loss", 1000)
    assert whole.n == N and len(whole.value) <= 1002
    for stretch in ((0, N), (SPIKE - 25_000, SPIKE + 15_000), (SPIKE - 12_000, SPIKE + 10_000), (SPIKE, SPIKE)):
        found = project.query.series(run, "loss", 1000, stretch)
        assert found.value.max() == 99.0 and SPIKE in found.step, stretch
        assert found.step.min() >= stretch[0] and found.step.max() <= stretch[1]
    near = project.query.series(run, "loss", 1000, (SPIKE - 100, SPIKE + 100))
    assert near.n == len(near.value) == 201
    np.testing.assert_array_equal(near.step, np.arange(SPIKE - 100, SPIKE + 101))


def test_a_stretch_without_points_is_empty(project: Project) -> None:
    run = long_run(project)
    found = project.query.series(run, "loss", 1000, (N + 1, N + 50))
    assert (found.n, len(found.value)) == (0, 0)
    assert len(project.query.series(run, "loss", 0, (-(2**63), 2**63 - 1)).value) == N
