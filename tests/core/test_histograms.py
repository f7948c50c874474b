"""Histograms of several steps on common bins."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from workbench.core.histograms import common_edges, shares
from workbench.core.model import StepHistogram


def histogram(edges: list[float], counts: list[float]) -> StepHistogram:
    return StepHistogram(0, None, np.array(edges, float), np.array(counts, float))


def test_common_edges_span_what_was_counted_and_no_more() -> None:
    wide = histogram([-sys.float_info.max, -1, 0, 1, 2, sys.float_info.max], [0, 5, 3, 0, 0])
    narrow = histogram([0.5, 1.5], [2])
    assert common_edges([wide, narrow], 5).tolist() == pytest.approx([-1.0, -0.5, 0.0, 0.5, 1.0, 1.5])


def test_shares_are_split_evenly_within_a_bin_and_sum_to_one() -> None:
    found = shares(histogram([0, 2, 4], [6, 2]), np.array([0.0, 1.0, 2.0, 3.0, 4.0]))
    assert found.tolist() == pytest.approx([0.375, 0.375, 0.125, 0.125])


def test_the_same_bins_give_the_same_shares() -> None:
    rng = np.random.default_rng(3)
    counts, edges = np.histogram(rng.normal(size=1000), 20)
    found = shares(StepHistogram(0, None, edges, counts.astype(float)), edges)
    assert found == pytest.approx(counts / 1000)


def test_counts_of_a_single_value_are_kept() -> None:
    constant = histogram([3, 3], [7])
    edges = common_edges([constant], 4)
    assert shares(constant, edges).tolist() == [0.0, 0.0, 1.0, 0.0]
    assert shares(histogram([0, 1, 1, 2], [1, 8, 1]), np.array([0.0, 1.0, 2.0])).tolist() == pytest.approx([0.1, 0.9])


@pytest.mark.parametrize(
    ("edges", "counts"),
    [
        ([], []),
        ([0, 1], [0]),
        ([0, 1, 2], [1]),
        ([2, 1, 0], [1, 1]),
        ([0, float("nan")], [1]),
        ([0, 1], [float("nan")]),
        ([-sys.float_info.max, sys.float_info.max], [4]),
        ([float("-inf"), 0, float("inf")], [1, 1]),
        ([0, 1], [-4]),
    ],
)
def test_odd_histograms_are_drawn_as_far_as_they_make_sense(edges: list[float], counts: list[float]) -> None:
    odd = histogram(edges, counts)
    found = common_edges([odd], 3)
    values = shares(odd, np.array([0.0, 1.0, 2.0, 3.0]))
    assert np.isfinite(found).all()
    assert np.isfinite(values).all()
    assert (values >= 0).all()
