"""Histograms as they are kept: few bins, ascending edges, no count lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

MOST_BINS = 64
"""Bins kept of one histogram."""

_SHARE = MOST_BINS // 2
_LARGEST = 1e300


def compact(
    edges: NDArray[np.float64], counts: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
    """Edges (n + 1) and counts (n) with at most `MOST_BINS` bins, neighbours merged; None when they are no histogram.

    Empty bins at the ends go. Of many bins those are merged that together hold little of the mass and of the width, so
    that neither a peak nor a long tail is lost.
    """
    if len(edges) != len(counts) + 1 or not len(counts) or not np.isfinite(counts).all() or (counts < 0).any():
        return None
    filled = np.flatnonzero(counts)
    if not len(filled) or np.isnan(edges).any():
        return None
    edges = np.clip(edges[filled[0] : filled[-1] + 2], -_LARGEST, _LARGEST)
    counts = counts[filled[0] : filled[-1] + 1]
    edges = np.maximum.accumulate(edges) if (np.diff(edges) < 0).any() else edges
    edges, counts = _without_points(edges, counts)
    return (edges, counts) if len(counts) <= MOST_BINS else _merged(edges, counts)


def _without_points(
    edges: NDArray[np.float64], counts: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Bins without width join their neighbour; when all have none, one narrow bin around the value is left."""
    wide = np.diff(edges) > 0
    if wide.all():
        return edges, counts
    if not wide.any():
        value = float(edges[0])
        half = max(abs(value) * 1e-6, 1e-12)
        return np.array([value - half, value + half]), np.array([float(counts.sum())])
    owner = np.maximum(np.cumsum(wide) - 1, 0)
    return np.append(edges[:-1][wide], edges[-1]), np.bincount(owner, counts, int(wide.sum())).astype(np.float64)


def _merged(edges: NDArray[np.float64], counts: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    mass = (np.cumsum(counts) - counts) / counts.sum()
    width = (edges[:-1] / 2 - edges[0] / 2) / (edges[-1] / 2 - edges[0] / 2)
    group = np.minimum(np.floor((mass + width) * _SHARE), MOST_BINS - 1)
    first = np.flatnonzero(np.diff(group, prepend=-1.0))
    return np.append(edges[first], edges[-1]), np.add.reduceat(counts, first)
