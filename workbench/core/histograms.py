"""Histograms of several steps on common bins, so that they can stand side by side."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from workbench.core.model import StepHistogram

_FARTHEST = 1e300
"""Writers close their outermost bins with the largest number there is; nothing was counted out there."""


def common_edges(histograms: Sequence[StepHistogram], bins: int) -> NDArray[np.float64]:
    """`bins` + 1 even edges around everything that was counted; empty where nothing was."""
    spans = [span for each in histograms if (span := _counted(each)) is not None]
    if not spans:
        return np.empty(0)
    low, high = min(low for low, _ in spans), max(high for _, high in spans)
    if low == high:
        margin = max(abs(low) * 1e-3, 1e-6)
        low, high = low - margin, high + margin
    return np.linspace(low, high, bins + 1)


def shares(histogram: StepHistogram, edges: NDArray[np.float64]) -> NDArray[np.float64]:
    """Shares of the counts between other edges, evenly spread within each old bin; they sum to 1, of nothing to 0."""
    own, counts = _tidy(histogram)
    total = counts.sum()
    if not total:
        return np.zeros(len(edges) - 1)
    flat = own[1:] == own[:-1]  # a bin of one value: all of it lies at once in the new bin around it
    below = np.interp(edges, own, np.concatenate(([0.0], np.cumsum(np.where(flat, 0.0, counts)))))
    spread: NDArray[np.float64] = np.diff(below)
    places = np.clip(np.searchsorted(edges, own[:-1][flat], side="right") - 1, 0, len(edges) - 2)
    np.add.at(spread, places, counts[flat])
    spread /= total
    return spread


def _tidy(histogram: StepHistogram) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Ascending edges without the endless outer ones, and counts of at least 0."""
    n = min(len(histogram.edges) - 1, len(histogram.counts))
    if n < 1:
        return np.zeros(1), np.zeros(0)
    edges, counts = histogram.edges[: n + 1].astype(float), np.nan_to_num(histogram.counts[:n], posinf=0.0, neginf=0.0)
    if np.isnan(edges).any():
        return np.zeros(1), np.zeros(0)
    near = np.abs(edges) < _FARTHEST
    if not near.any():
        return np.zeros(1), np.zeros(0)
    edges = np.clip(edges, edges[near].min(), edges[near].max())
    return np.maximum.accumulate(edges), np.maximum(counts, 0.0)


def _counted(histogram: StepHistogram) -> tuple[float, float] | None:
    """Where the first and last bin with a count begin and end."""
    edges, counts = _tidy(histogram)
    filled = np.flatnonzero(counts)
    return (float(edges[filled[0]]), float(edges[filled[-1] + 1])) if len(filled) else None
