"""When a series changed: what noise never looks like, when it was, and in which way."""

from __future__ import annotations

import numpy as np
import pytest

from workbench.core.changes import find_changes

HOW_MANY = 500


def noise(random: np.random.Generator, n: int, *, rho: float = 0.0, outliers: bool = False) -> np.ndarray:
    """A quiet series, as autocorrelated as asked, with heavier tails than the normal where asked."""
    values = random.standard_t(5, n) if outliers else random.normal(size=n)
    for i in range(1, n):
        values[i] = rho * values[i - 1] + np.sqrt(1 - rho * rho) * values[i]
    return values


@pytest.mark.parametrize("outliers", [False, True], ids=["normal", "outliers"])
@pytest.mark.parametrize("rho", [0.0, 0.3], ids=["independent", "correlated"])
def test_of_500_series_in_which_nothing_happens_at_most_one_in_a_hundred_is_said_to_change(
    rho: float, outliers: bool
) -> None:
    random = np.random.default_rng(4)
    lengths = [5, 8, 12, 26, 52]
    alarms = [find_changes(noise(random, lengths[i % 5], rho=rho, outliers=outliers)) for i in range(HOW_MANY)]
    assert sum(map(bool, alarms)) <= HOW_MANY // 100


def test_weeks_with_unequal_rows_are_no_reason_for_alarm() -> None:
    random = np.random.default_rng(5)
    alarms = 0
    for _ in range(100):
        rows = random.integers(50, 5_000, 30).astype(float)
        alarms += bool(find_changes(random.normal(size=30) / np.sqrt(rows), rows))
    assert alarms <= 1


@pytest.mark.parametrize(("n", "size"), [(12, 10.0), (26, 5.0), (52, 4.0)])
def test_a_known_break_is_dated_within_a_window_and_its_interval_holds_it(n: int, size: float) -> None:
    random = np.random.default_rng(6)
    dated = covered = 0
    for _ in range(200):
        values, at = random.normal(size=n), int(random.integers(4, n - 4))
        values[at:] -= size
        steps = [change for change in find_changes(values) if change.shape == "shift"]
        dated += any(abs(change.at - at) <= 1 for change in steps)
        covered += any(change.low <= at <= change.high for change in steps)
    assert min(dated, covered) >= 190


def test_the_change_is_dated_and_not_the_first_breach() -> None:
    values = np.array([1.0, 1.1, 0.9, 1.0, 1.6, 1.1, 0.9, 1.0, 1.1, 0.9, 3.0, 3.1, 2.9, 3.0, 3.1])
    (change,) = [change for change in find_changes(values) if change.shape == "shift"]
    assert change.at == 10
    assert (change.before, change.after) == (pytest.approx(1.0, abs=0.07), pytest.approx(3.02))


@pytest.mark.parametrize(
    ("shape", "values"),
    [
        ("shift", [0.0] * 12 + [9.0] * 12),
        ("slope", [0.0] * 12 + [1.5 * i for i in range(12)]),
        ("spike", [0.0] * 12 + [20.0] + [0.0] * 11),
    ],
)
def test_a_step_a_slope_and_one_bad_window_are_told_apart(shape: str, values: list[float]) -> None:
    found = find_changes(np.array(values) + np.random.default_rng(7).normal(size=24))
    assert [change.shape for change in found] == [shape]
    assert abs(found[0].at - 12) <= 1
    assert found[0].confidence > 0.95


def test_a_bad_window_does_not_hide_the_step_beside_it() -> None:
    values = np.random.default_rng(8).normal(size=30)
    values[18:] += 7
    values[9] += 40
    assert [(change.shape, change.at) for change in find_changes(values)] == [("spike", 9), ("shift", 18)]


def test_two_steps_are_both_found() -> None:
    values = np.random.default_rng(9).normal(size=40)
    values[12:26] += 8
    assert [(change.shape, change.at) for change in find_changes(values)] == [("shift", 12), ("shift", 26)]


def test_gaps_are_passed_over_and_places_stay_those_of_the_windows() -> None:
    values = np.random.default_rng(10).normal(size=24)
    values[14:] += 9
    values[[3, 4, 15, 20]] = np.nan
    (change,) = find_changes(values)
    assert (change.at, change.low <= 14 <= change.high) == (14, True)


def test_a_window_with_few_rows_counts_for_little() -> None:
    random = np.random.default_rng(11)
    rows = np.full(20, 1_000.0)
    rows[-2:] = 5
    values = random.normal(size=20)
    values[-2:] += 5
    assert find_changes(values) and not find_changes(values, rows)


@pytest.mark.parametrize("values", [[], [1.0], [1.0, 2.0, 9.0, 9.0], [3.0] * 40, [np.nan] * 9, [np.inf, 1, 1, 1, 1]])
def test_too_little_to_say_anything_is_said_to_be_nothing(values: list[float]) -> None:
    assert find_changes(np.array(values)) == []


def test_the_same_series_always_gives_the_same_answer_at_any_scale() -> None:
    values = np.random.default_rng(12).normal(size=30)
    values[17:] += 6
    first = find_changes(values)
    assert find_changes(values) == first
    scaled = find_changes(1e-9 * values + 5e-9)
    assert [(c.shape, c.at, c.low, c.high) for c in scaled] == [(c.shape, c.at, c.low, c.high) for c in first]
