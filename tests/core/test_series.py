"""Fewer points, smoother lines and sparklines tell no lies: spikes, gaps and order survive."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.core.series import smooth, sparkline, thin


def test_one_bad_step_among_a_million_survives_thinning():
    steps = np.arange(1_000_000)
    values = np.sin(steps / 1e5)
    values[123_456], values[123_460], values[777_777] = 100.0, -100.0, np.nan
    step, value = thin(steps, values, 240)
    assert len(step) <= 3 * 240 + 2
    assert {(123_456.0, 100.0), (123_460.0, -100.0)} <= set(zip(step.tolist(), value.tolist(), strict=True))
    assert step[np.isnan(value)].tolist() == [777_777.0]
    assert (np.diff(step) > 0).all()


def test_few_points_stay_as_they_are():
    step, value = thin([1, 2, 3], [5.0, math.inf, 7.0], 480)
    assert (step.tolist(), value.tolist()) == ([1, 2, 3], [5.0, math.inf, 7.0])


def test_a_resumed_run_whose_steps_go_back_keeps_its_order():
    steps = np.concatenate([np.arange(5000), np.arange(3000, 8000)])
    step, value = thin(steps, steps * 2.0, 50)
    assert (np.diff(step) < 0).sum() == 1
    assert value.tolist() == (step * 2).tolist()


@given(
    st.lists(st.floats(allow_nan=True, allow_infinity=True, width=32), min_size=1, max_size=300),
    st.integers(1, 20),
)
def test_thinning_keeps_extremes_and_ends_of_any_series(values, buckets):
    _, kept = thin(np.arange(len(values)), values, buckets)
    finite = [value for value in values if math.isfinite(value)]
    if finite:
        assert {min(finite), max(finite)} <= set(kept.tolist())
    assert np.isfinite(kept).all() == (len(finite) == len(values))
    np.testing.assert_array_equal(kept[[0, -1]], [values[0], values[-1]])


def debiased_average(values, weight):
    """The textbook recurrence, point by point."""
    state, seen, averages = 0.0, 0, []
    for value in values:
        if not math.isfinite(value):
            averages.append(value)
            continue
        state, seen = weight * state + (1 - weight) * value, seen + 1
        averages.append(state / (1 - weight**seen))
    return averages


@pytest.mark.parametrize("weight", [0.001, 0.3, 0.9, 0.99, 0.9999])
def test_smoothing_is_the_debiased_moving_average(weight):
    values = np.random.default_rng(0).normal(5, 2, 4000)
    values[[0, 17, 18, 3999]] = [np.nan, np.inf, np.nan, -np.inf]
    np.testing.assert_allclose(smooth(values, weight), debiased_average(values, weight), rtol=1e-9)


def test_no_smoothing_changes_nothing_and_a_weight_of_1_is_refused():
    assert smooth([1.0, 5.0], 0).tolist() == [1.0, 5.0]
    with pytest.raises(ValueError, match="0 <= weight < 1"):
        smooth([1.0], 1.0)


@pytest.mark.parametrize(
    ("values", "width", "drawn"),
    [
        ([1, 2, 3, 4, 5, 6, 7, 8], 8, "▁▂▃▄▅▆▇█"),
        ([3, 3, 3], 8, "▄▄▄"),
        ([1, math.nan, 3], 8, "▁×█"),
        ([math.nan], 8, "×"),
        ([], 8, ""),
        ([0] * 50 + [9] + [0] * 49, 10, "▁▁▁▁▁█▁▁▁▁"),
        ([-1.7e308, 1.7e308], 4, "▁█"),
    ],
)
def test_sparklines_rise_with_values_and_keep_spikes(values, width, drawn):
    assert sparkline(values, width) == drawn


def test_sparklines_have_an_ascii_form():
    assert sparkline([1, 2, 3, math.inf], 4, ascii_only=True) == "_=^x"
