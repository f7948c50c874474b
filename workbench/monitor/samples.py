"""A column of numbers as it was read, made into a sorted sample."""

# ruff: noqa: S608 – SQL is put together from constants and quoted identifiers; values travel as parameters.
from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from workbench.monitor.methods import Numbers
from workbench.monitor.session import Session, filled
from workbench.monitor.tables import Column, Table


def sorted_numbers(values: NDArray[np.float64], *, single: bool = False, integers: bool = False) -> Numbers:
    """A sample with NaN for missing values, sorted; the array given is left alone."""
    ordered = np.sort(values)
    end = int(np.searchsorted(ordered, np.nan))
    low = int(np.searchsorted(ordered, -np.inf, "right"))
    high = int(np.searchsorted(ordered[:end], np.inf))
    rising = integers and bool(np.all(values[1:] >= values[:-1]))
    whole = integers and end == len(values)
    return Numbers(ordered[low:high], len(values) - end, low + end - high, single, whole, rising)


def read_column(session: Session, table: Table, column: Column) -> NDArray[np.float64]:
    """A column as numbers in the order of its table, nulls as NaN."""
    return filled(session.arrays(f"SELECT {column.number} AS x FROM {table.source}", table.parameters)[0])
