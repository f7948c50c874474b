"""How far a run is, and how long it still takes at its own pace."""

from __future__ import annotations

import numpy as np
import pytest

from workbench.core.model import Run, Status, Summary
from workbench.core.progress import pace, seconds_left, share_done


def run(last: int | None, total: int | None, status: Status = "running") -> Run:
    metrics = {} if last is None else {"loss": Summary(1, 0.5, last, 0.5, 0.5), "auc": Summary(1, 0.5, 1, 0.5, 0.5)}
    return Run("1", "n", "csv", "p", status, "", metrics=metrics, total_steps=total)


@pytest.mark.parametrize(
    ("last", "total", "status", "share"),
    [
        (250, 1000, "running", 0.25),
        (None, 1000, "running", 0.0),
        (250, None, "running", None),
        (250, 0, "running", None),
        (1200, 1000, "running", 1.0),
        (999, 1000, "running", 0.999),
        (999, 1000, "finished", 1.0),
        (400, 1000, "finished", 0.4),
    ],
)
def test_the_share_done_is_of_the_furthest_metric(
    last: int | None, total: int | None, status: Status, share: float | None
) -> None:
    assert share_done(run(last, total, status)) == share


def test_time_left_is_told_at_the_runs_own_pace_while_it_runs() -> None:
    assert seconds_left(run(250, 1000), 2.5) == 300.0
    assert seconds_left(run(250, 1000, "quiet"), 2.5) is None
    assert seconds_left(run(250, None), 2.5) is None
    assert seconds_left(run(250, 1000), None) is None
    assert seconds_left(run(1001, 1000), 2.5) == 0.0


def test_a_pace_leaves_out_the_night_between_two_sittings() -> None:
    step = np.arange(0, 100, 10)
    wall = 1e9 + step / 2.0
    wall[5:] += 12 * 3600
    assert pace(step, wall) == pytest.approx(2.0)


def test_a_pace_counts_regular_evaluations() -> None:
    wall = np.cumsum([1.0, 1.0, 1.0, 5.0] * 4)
    assert pace(np.arange(16), wall) == pytest.approx(15 / (wall[-1] - wall[0]))


@pytest.mark.parametrize(
    ("step", "wall"),
    [([], []), ([3], [1.0]), ([3, 3], [1.0, 2.0]), ([1, 2], [np.nan, 5.0]), ([1, 2], [5.0, 5.0]), ([1, 2], [6.0, 5.0])],
)
def test_a_pace_is_unknown_without_two_steps_at_two_times(step: list[int], wall: list[float]) -> None:
    assert pace(np.array(step, np.int64), np.array(wall)) is None
