"""Axes with names: as long as they are many, whatever lies on them, and what is unknown there is no number gone bad."""

from __future__ import annotations

import numpy as np

from workbench.core.blocks import Line, Lines
from workbench.core.curves import curve_of, limits

X = np.arange(3.0)
VALUES = np.array([0.3, np.nan, 0.7])


def test_an_axis_with_names_shows_all_of_them() -> None:
    chart = Lines([Line("a", X, VALUES)], x_names=("lr", "depth", "auc", "loss"), y_names=("lowest", "highest"))
    curve = curve_of(chart.lines[0], VALUES, chart)
    x_low, x_high, y_low, y_high = limits([curve], chart, None, None)
    assert (x_low, x_high) == (0.0, 3.0)
    assert y_low <= 0.0 and y_high >= 1.0
    assert len(curve.bad_x) == 0


def test_an_axis_of_numbers_shows_what_is_there() -> None:
    chart = Lines([Line("a", X, VALUES)])
    curve = curve_of(chart.lines[0], VALUES, chart)
    _, _, y_low, y_high = limits([curve], chart, None, None)
    assert 0.28 < y_low <= 0.3 and 0.7 <= y_high < 0.72
    assert curve.bad_x.tolist() == [1.0]
