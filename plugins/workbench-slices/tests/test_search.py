"""Planted slices are found first; noise is not reported."""

from __future__ import annotations

import numpy as np
import pytest
from workbench_slices.features import features_of
from workbench_slices.search import rows_of, smallest_slice, worst_slices
from workbench_slices.stats import Size, YesNo
from workbench_slices.views import slice_words

N = 3000


def is_in(columns, name, value):
    return np.array([each == value for each in columns[name]])


PLANTED = {
    "a choice": lambda c: is_in(c, "carrier", "c3"),
    "two choices": lambda c: is_in(c, "carrier", "c3") & is_in(c, "origin", "o0"),
    "a range": lambda c: (c["age"] >= 60) & (c["age"] < 72),
    "a range and a choice": lambda c: (c["age"] >= 64) & is_in(c, "device", "d2"),
    "what is missing": lambda c: np.isnan(c["x3"]),
}


def losses(rng, bad, kind):
    """Twice to four times as bad inside as outside."""
    if kind == "wrong":
        return YesNo.of(rng.random(len(bad)) < np.where(bad, 0.6, 0.12))
    return Size.of(np.abs(rng.standard_t(4, len(bad)) * np.where(bad, 2.2, 1.0)))


@pytest.mark.parametrize("kind", ["wrong", "absolute"])
@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_slice_is_found_first(make_table, name, kind):
    for seed in range(5):
        rng, columns = make_table(seed, N)
        bad = PLANTED[name](columns)
        features = features_of(columns, smallest_slice(N))
        _, found = worst_slices(features, losses(rng, bad, kind))
        assert found, f"seed {seed}"
        rows = rows_of(features, found[0])
        overlap = (rows & bad).sum() / (rows | bad).sum()
        assert overlap > 0.6, f"seed {seed}: {slice_words(found[0])}"
        assert found[0].rows == rows.sum() and found[0].low > 0
        assert found[0].low <= found[0].excess <= found[0].high


def test_two_planted_slices_are_both_told_and_nothing_else_is_told_twice(make_table):
    rng, columns = make_table(1, N)
    both = [is_in(columns, "carrier", "c3"), columns["x1"] > 1.2]
    features = features_of(columns, smallest_slice(N))
    _, found = worst_slices(features, YesNo.of(rng.random(N) < np.where(both[0] | both[1], 0.5, 0.1)))
    told = [rows_of(features, each) for each in found]
    assert {each.conditions[0].feature for each in found} == {"carrier", "x1"}
    for planted in both:
        assert max((rows & planted).sum() / (rows | planted).sum() for rows in told) > 0.55
    covered = np.zeros(N, dtype=bool)
    for rows in told:
        assert (rows & covered).sum() <= 0.5 * rows.sum()
        covered |= rows


@pytest.mark.parametrize("kind", ["wrong", "rarely wrong", "normal", "heavy tails"])
def test_of_pure_noise_nothing_is_told_in_95_of_100_draws(make_table, kind):
    draws, told = 30, 0
    for seed in range(draws):
        rng, columns = make_table(1000 + seed, 1000)
        loss = {
            "wrong": lambda rng=rng: YesNo.of(rng.random(1000) < 0.3),
            "rarely wrong": lambda rng=rng: YesNo.of(rng.random(1000) < 0.02),
            "normal": lambda rng=rng: Size.of(np.abs(rng.normal(size=1000))),
            "heavy tails": lambda rng=rng: Size.of(np.abs(rng.standard_t(2, size=1000))),
        }[kind]()
        tested, found = worst_slices(features_of(columns, smallest_slice(1000)), loss)
        assert tested > 1000
        told += bool(found)
    assert told <= 1


def test_a_pair_has_to_be_worse_than_both_of_its_slices(make_table):
    """Everything of carrier c3 is bad: that it is also bad from o1 is no news."""
    rng, columns = make_table(3, N)
    features = features_of(columns, smallest_slice(N))
    _, found = worst_slices(features, YesNo.of(rng.random(N) < np.where(is_in(columns, "carrier", "c3"), 0.5, 0.1)))
    assert [slice_words(each) for each in found] == ["carrier = c3"]


def test_slices_are_neither_tiny_nor_nearly_everything(make_table):
    rng, columns = make_table(4, N)
    columns["rare"] = ["yes" if at < 20 else "no" for at in range(N)]
    wrong = np.arange(N) < 20
    _, found = worst_slices(features_of(columns, smallest_slice(N)), YesNo.of(wrong | (rng.random(N) < 0.1)))
    assert not found, "20 rows are no slice, and the other 2,980 are not one either"


@pytest.mark.parametrize("n", [0, 1, 2, 29, 60])
def test_hardly_any_rows(n):
    columns = {"x": np.arange(n, dtype=float), "c": ["a"] * n}
    assert worst_slices(features_of(columns, smallest_slice(n)), YesNo.of(np.ones(n, dtype=bool)))[1] == []


def test_no_loss_at_all_is_no_slice(make_table):
    _, columns = make_table(0, 500)
    features = features_of(columns, 30)
    assert worst_slices(features, YesNo.of(np.zeros(500, dtype=bool)))[1] == []
    assert worst_slices(features, Size.of(np.full(500, 2.5)))[1] == []
