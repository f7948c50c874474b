"""A column of numbers as it was read, made into a sorted sample."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from workbench.monitor.methods import Numbers


def sorted_numbers(values: NDArray[np.float64], *, single: bool = False, integers: bool = False) -> Numbers:
    """A sample with NaN for missing values, sorted; the array given is left alone."""
    ordered = np.sort(values)
    end = int(np.searchsorted(ordered, np.nan))
    low = int(np.searchsorted(ordered, -np.inf, "right"))
    high = int(np.searchsorted(ordered[:end], np.inf))
    rising = integers and bool(np.all(values[1:] >= values[:-1]))
    whole = integers and end == len(values)
    return Numbers(ordered[low:high], len(values) - end, low + end - high, single, whole, rising)
