"""Columns as people write them become slices with words that can be read."""

from __future__ import annotations

import numpy as np
from workbench_slices.features import features_of
from workbench_slices.model import Condition
from workbench_slices.views import condition_words


def words_of(columns, min_rows=1):
    return {
        feature.name: [condition_words(each) for each in feature.selectors]
        for feature in features_of(columns, min_rows)
    }


def test_numbers_are_cut_at_round_quantiles_that_hold_the_rows_they_name():
    values = np.random.default_rng(0).uniform(0, 1000, 5000)
    (feature,) = features_of({"x": values}, 30)
    for at, condition in enumerate(feature.selectors):
        low = -np.inf if condition.low is None else condition.low
        high = np.inf if condition.high is None else condition.high
        assert (feature.rows_of(at) == ((values >= low) & (values < high))).all()
    assert "x < 62" in [condition_words(each) for each in feature.selectors]


def test_a_few_distinct_numbers_are_values_and_stretches_of_them():
    told = words_of({"month": np.array([1.0, 2.0, 3.0] * 50)})["month"]
    assert told == ["month = 1", "month 1 to 2", "month = 2", "month 2 to 3", "month = 3"]


def test_nearly_all_rows_with_one_value_leave_that_value_and_the_rest():
    values = np.zeros(1000)
    values[:40] = np.arange(1, 41)
    assert words_of({"rain": values})["rain"] == ["rain < 1", "rain ≥ 1"]


def test_missing_is_a_slice_of_its_own_and_infinite_is_missing():
    values = np.array([1.0, 2.0, np.nan, np.inf] * 30)
    (feature,) = features_of({"x": values}, 1)
    assert feature.selectors[-1] == Condition("x", missing=True)
    assert feature.rows_of(len(feature.selectors) - 1).tolist() == [False, False, True, True] * 30


def test_numbers_that_an_export_wrote_as_text_are_numbers():
    assert "x = 2" in words_of({"x": ["1", "2", None, "3"] * 50})["x"]


def test_text_is_its_common_values_and_what_names_rows_is_left_out():
    carriers = ["EV"] * 60 + ["UA"] * 40 + ["rare"] * 3
    assert words_of({"carrier": carriers}, 30)["carrier"] == ["carrier = EV", "carrier = UA"]
    assert words_of({"id": [f"row-{at}" for at in range(500)]}) == {}
    assert words_of({"same": np.ones(100), "nothing": np.full(100, np.nan)}) == {}
