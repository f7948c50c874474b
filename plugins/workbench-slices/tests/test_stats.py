"""Tests and intervals against scipy's own, and against draws."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from workbench_slices.stats import Size, YesNo, benjamini_hochberg, hypergeometric_tail, mean_ranks, wilson


def test_the_exact_test_is_fisher_s():
    rng = np.random.default_rng(0)
    for _ in range(30):
        size = int(rng.integers(50, 3000))
        n, all_bad = int(rng.integers(5, size // 2)), int(rng.integers(1, size))
        bad = int(rng.hypergeometric(all_bad, size - all_bad, n))
        found = hypergeometric_tail(*(np.array([float(each)]) for each in (bad, n, all_bad, size)))[0]
        square = [[bad, n - bad], [all_bad - bad, size - all_bad - n + bad]]
        assert found == pytest.approx(stats.fisher_exact(square, "greater").pvalue, rel=1e-7)


def test_many_slices_at_once_are_as_each_by_itself():
    inside = np.array([[50.0, 400.0, 100.0], [20.0, 44.0, 3.0]])
    total = np.array([2000.0, 210.0])
    loss = YesNo(inside)
    together = loss.p_values(inside, total[:, None] - inside)
    for at in range(3):
        alone = loss.p_values(inside[:, at : at + 1], total[:, None] - inside[:, at : at + 1])[0]
        assert together[at] == alone
    assert together[2] > 0.9, "better than the rest"


def test_means_are_compared_as_welch_does_and_ranks_as_a_permutation_would():
    rng = np.random.default_rng(2)
    first, second = rng.gamma(2, 1.3, 80), rng.gamma(2, 1.0, 900)
    loss = Size.of(np.concatenate([first, second]))
    inside, outside = (loss.moments[:, part].sum(axis=1)[:, None] for part in (slice(0, 80), slice(80, None)))
    welch = stats.ttest_ind(first, second, equal_var=False, alternative="greater")
    ranks = stats.mannwhitneyu(first, second, alternative="greater", use_continuity=False)
    assert loss.p_values(inside, outside)[0] == pytest.approx(max(welch.pvalue, ranks.pvalue), rel=1e-6)
    low, high = loss.interval(inside, outside, 0.05)
    limits = stats.ttest_ind(first, second, equal_var=False).confidence_interval(0.95)
    assert (low[0], high[0]) == pytest.approx((limits.low, limits.high))
    assert loss.mean(inside)[0] == pytest.approx(first.mean())


def test_a_few_outliers_alone_make_no_slice():
    rng = np.random.default_rng(3)
    values = np.abs(rng.normal(size=1000))
    values[:3] = 1e6
    loss = Size.of(values)
    inside, outside = (loss.moments[:, part].sum(axis=1)[:, None] for part in (slice(0, 50), slice(50, None)))
    assert loss.p_values(inside, outside)[0] > 0.05


def test_wilson_s_limits_and_shares_of_nothing():
    expected = stats.binomtest(7, 50).proportion_ci(0.95, "wilson")
    low, high = wilson(np.array([7.0]), np.array([50.0]), 1.959963984540054)
    assert (low[0], high[0]) == pytest.approx((expected.low, expected.high))


def test_the_interval_of_a_difference_covers_it():
    rng = np.random.default_rng(4)
    n, m, p, q, covered = 60, 940, 0.3, 0.1, 0
    for _ in range(400):
        inside = np.array([[float(n)], [float(rng.binomial(n, p))]])
        outside = np.array([[float(m)], [float(rng.binomial(m, q))]])
        low, high = YesNo(inside).interval(inside, outside, 0.05)
        covered += bool(low[0] <= p - q <= high[0])
    assert 0.925 <= covered / 400 <= 0.98


def test_benjamini_and_hochberg():
    p = np.array([0.001, 0.008, 0.039, 0.041, 0.042, 0.06, 0.074, 0.205, 0.212, 0.216])
    assert benjamini_hochberg(p, 0.05) == (0.008, 2)
    assert benjamini_hochberg(np.array([0.9, 0.5]), 0.05) == (0.0, 0)
    assert benjamini_hochberg(np.array([]), 0.05) == (0.0, 0)
    assert benjamini_hochberg(np.array([0.04, 0.05]), 0.05) == (0.05, 2)


def test_ranks_share_the_mean_where_values_are_equal():
    values = np.array([3.0, 1.0, 3.0, 2.0])
    assert mean_ranks(values).tolist() == stats.rankdata(values).tolist()
