"""The formulas themselves, against scipy and against what must not change them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.spatial import distance

from workbench.monitor.drift import compare, sorted_numbers
from workbench.monitor.methods import (
    Numbers,
    Tally,
    _wasserstein_merged,
    _wasserstein_sparse,
    chi_square,
    default_method,
    jensen_shannon,
    tally_numbers,
    wasserstein,
    z_test,
)

VALUES = st.floats(-1e6, 1e6).map(lambda x: round(x, 3))
SAMPLES = st.lists(VALUES, min_size=1, max_size=60).map(lambda values: np.sort(np.asarray(values)))
COUNTS = st.lists(st.tuples(st.integers(0, 500), st.integers(0, 500)), min_size=2, max_size=9).filter(
    lambda pairs: all(left + right for left, right in pairs) and all(sum(side) for side in zip(*pairs, strict=True))
)


def as_tally(pairs):
    return Tally(*np.asarray(pairs, np.int64).T)


@settings(deadline=None)
@given(SAMPLES, SAMPLES)
def test_all_ways_to_the_wasserstein_distance_meet_scipys(left, right):
    expected = pytest.approx(stats.wasserstein_distance(left, right), rel=1e-9, abs=1e-9)
    assert wasserstein(Numbers(left), Numbers(right)) == expected
    assert _wasserstein_merged(left, right) == expected
    assert _wasserstein_sparse(Numbers(left), right) == expected


@pytest.mark.parametrize(("n", "m"), [(300_001, 70_000), (1001, 250_000), (200_000, 37), (150_000, 149_999)])
def test_large_samples_of_unequal_size_meet_scipys_wasserstein_distance(n, m):
    r = np.random.default_rng(n)
    left, right = np.sort(r.lognormal(1, 1, n)), np.sort(r.gamma(2, 2, m))
    expected = stats.wasserstein_distance(left, right)
    assert wasserstein(Numbers(left), Numbers(right)) == pytest.approx(expected, rel=1e-11)


@settings(deadline=None)
@given(COUNTS)
def test_jensen_shannon_and_chi_square_meet_scipys(pairs):
    left, right = np.asarray(pairs).T
    assert jensen_shannon(as_tally(pairs)) == pytest.approx(distance.jensenshannon(left, right), abs=1e-7)
    if all(left):
        expected = stats.chisquare(right, left * (right.sum() / left.sum())).pvalue
        assert chi_square(as_tally(pairs)) == pytest.approx(expected, rel=1e-9, abs=1e-300)


@settings(deadline=None)
@given(COUNTS, st.randoms())
def test_the_order_of_values_and_the_doubling_of_rows_leave_distances_alone(pairs, random):
    shuffled = list(pairs)
    random.shuffle(shuffled)
    doubled = [(2 * left, 2 * right) for left, right in pairs]
    score = jensen_shannon(as_tally(pairs))
    assert jensen_shannon(as_tally(shuffled)) == pytest.approx(score, abs=1e-7)
    assert jensen_shannon(as_tally(doubled)) == pytest.approx(score, abs=1e-7)


@settings(deadline=None)
@given(SAMPLES, SAMPLES)
def test_doubled_rows_leave_the_wasserstein_distance_alone(left, right):
    score = wasserstein(Numbers(left), Numbers(right))
    doubled = wasserstein(Numbers(np.repeat(left, 2)), Numbers(np.repeat(right, 2)))
    assert doubled == pytest.approx(score, rel=1e-9, abs=1e-9)


@given(st.integers(1, 400), st.integers(1, 400), st.integers(1, 400), st.integers(1, 400))
def test_the_z_test_is_the_same_whichever_of_two_values_is_counted(a, b, c, d):
    left, right = Tally(np.array([a, b]), np.array([c, d])), Tally(np.array([b, a]), np.array([d, c]))
    assert z_test(left) == pytest.approx(z_test(right), abs=1e-12)
    pooled = (a + c) / (a + b + c + d)
    z = (a / (a + b) - c / (c + d)) / np.sqrt(pooled * (1 - pooled) * (1 / (a + b) + 1 / (c + d)))
    assert z_test(left) == pytest.approx(2 * stats.norm.sf(abs(z)), abs=1e-12)


def test_rows_in_any_order_give_the_same_verdicts(table, kinds_of_columns):
    frame, other = kinds_of_columns(1500, 1, 0), kinds_of_columns(900, 2, 0.3)
    result = compare(table("a.parquet", frame), table("b.parquet", other), mode="evidently")
    shuffled = compare(
        table("c.parquet", frame.sample(fraction=1, shuffle=True, seed=5)),
        table("d.parquet", other.sample(fraction=1, shuffle=True, seed=6)),
        mode="evidently",
    )
    for one, two in zip(result.columns, shuffled.columns, strict=True):
        assert (one.column, one.status, one.method, one.reason) == (two.column, two.status, two.method, two.reason)
        assert one.score == pytest.approx(two.score, rel=1e-12)


def test_missing_and_infinite_values_are_counted_apart():
    numbers = sorted_numbers(np.array([3, np.nan, -np.inf, 1, np.inf, np.nan, np.inf, 2.0]))
    assert (numbers.values.tolist(), numbers.missing, numbers.infinite) == ([1, 2, 3], 2, 3)


def test_counts_of_equal_numbers_are_in_order_of_value():
    tally = tally_numbers(Numbers(np.array([1.0, 1, 3])), Numbers(np.array([-0.0, 0, 3, 3])))
    assert (list(tally.keys), tally.reference.tolist(), tally.current.tolist()) == ([0, 1, 3], [0, 2, 1], [2, 0, 2])


@pytest.mark.parametrize(
    ("numeric", "rows", "distinct", "name"),
    [
        (True, 1000, 6, "K-S p_value"),
        (True, 1000, 5, "chi-square p_value"),
        (True, 1000, 2, "Z-test p_value"),
        (True, 1001, 6, "Wasserstein distance (normed)"),
        (True, 1001, 5, "Jensen-Shannon distance"),
        (False, 1000, 3, "chi-square p_value"),
        (False, 1000, 1, "Z-test p_value"),
        (False, 1001, 2, "Jensen-Shannon distance"),
    ],
)
def test_the_method_follows_the_size_of_the_reference_and_the_number_of_values(numeric, rows, distinct, name):
    assert default_method(numeric, rows, distinct).name == name


@pytest.mark.parametrize(("n", "m"), [(3000, 900), (700, 12_000)], ids=["distances", "p-values"])
def test_columns_too_long_to_hold_get_the_same_verdicts(n, m, table, kinds_of_columns, monkeypatch):
    left = table("a.parquet", kinds_of_columns(n, 1, 0))
    right = table("b.parquet", kinds_of_columns(m, 2, 0.3))
    held = compare(left, right, mode="evidently")
    monkeypatch.setattr("workbench.monitor.drift.LARGE_ROWS", 500)
    monkeypatch.setattr("workbench.monitor.large.SLICE_ROWS", 170)
    for one, two in zip(held.columns, compare(left, right, mode="evidently").columns, strict=True):
        assert (one.column, one.status, one.method, one.reason) == (two.column, two.status, two.method, two.reason)
        assert (one.drifted, one.n_reference, one.n_current) == (two.drifted, two.n_reference, two.n_current)
        assert one.score == pytest.approx(two.score, rel=1e-9, abs=1e-12)
