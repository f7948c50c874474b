"""Divergences of two samples over bins or categories: PSI, Kullback-Leibler, Jensen-Shannon and Hellinger."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from workbench.monitor.joint import Joint, tally_joint
from workbench.monitor.methods import Method, Tally, jensen_shannon
from workbench.monitor.registry import HELLINGER, KULLBACK_LEIBLER, PSI

FEW_VALUES = 20
"""Numbers of which the reference has up to this many distinct ones are compared value by value, not in bins."""


def divergence(method: Method, tally: Tally) -> float:
    """PSI, Kullback-Leibler, Jensen-Shannon or Hellinger of counts, by the method's key."""
    if method.key == PSI.key:
        return psi(tally)
    if method.key == KULLBACK_LEIBLER.key:
        return kullback_leibler(tally)
    return hellinger(tally) if method.key == HELLINGER.key else jensen_shannon(tally)


def psi(tally: Tally) -> float:
    """Population stability index, empty bins filled as Evidently fills them."""
    left, right = _filled_shares(tally.reference), _filled_shares(tally.current)
    return float(np.sum((left - right) * np.log(left / right)))


def kullback_leibler(tally: Tally) -> float:
    """Divergence of the current shares from the reference's in nats; filled, then brought to a sum of 1 again."""
    left, right = _filled_shares(tally.reference), _filled_shares(tally.current)
    left, right = left / left.sum(), right / right.sum()
    return float(np.sum(left * np.log(left / right)))


def hellinger(tally: Tally) -> float:
    """Hellinger distance, 0..1."""
    left, right = tally.reference / tally.reference.sum(), tally.current / tally.current.sum()
    return math.sqrt(1 - min(1.0, float(np.sum(np.sqrt(left * right)))))


def hellinger_in_bins(tally: Tally, edges: NDArray[np.float64], *, single: bool) -> float:
    """The same of densities, summed in the precision of the values as Evidently does: the widths cancel but for it."""
    kind = np.float32 if single else np.float64
    cut = edges.astype(kind)
    widths = np.diff(cut).astype(np.float64)
    left, right = (side / widths / side.sum() for side in (tally.reference, tally.current))
    width = (cut[-1] - cut[0]) / kind(len(widths))
    overlap = np.cumsum(np.sqrt(left * right).astype(kind) * width, dtype=kind)[-1]
    return math.sqrt(float(kind(1) - min(kind(1), overlap)))


def _filled_shares(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    shares = counts / counts.sum()
    least = float(shares[shares != 0].min())
    shares[shares == 0] = least / 10**6 if least <= 0.0001 else 0.0001
    return np.asarray(shares)


def divergence_of_numbers(method: Method, joint: Joint) -> float:
    """The same of a column of numbers, in the bins that Evidently compares.

    Raises:
        OverflowError: the range cannot be cut that finely in the precision of its values.
    """
    distinct = reference_distinct = 0
    for block in joint.blocks():
        distinct += len(block.values)
        reference_distinct += int(np.count_nonzero(block.left))
    if method.key == HELLINGER.key:
        edges = sturges_edges(joint, distinct)
        return hellinger_in_bins(count_in(joint, edges), edges, single=joint.single)
    if reference_distinct > FEW_VALUES:
        return divergence(method, count_in(joint, sturges_edges(joint, joint.n + joint.m)))
    return divergence(method, tally_joint(joint))


def sturges_edges(joint: Joint, size: int) -> NDArray[np.float64]:
    """Edges of equal width over both sides, as many as numpy's rule gives for `size` values, in their precision.

    Raises:
        OverflowError: the range cannot be cut that finely in the precision of its values.
    """
    kind = np.float32 if joint.single else np.float64
    low, high = (kind(end) for end in joint.ends())
    width = float(high - low) / (math.log2(size) + 1.0)
    if low == high:
        low, high = kind(low - kind(0.5)), kind(high + kind(0.5))
    if width and joint.integers:
        width = max(width, 1.0)
    bins = math.ceil(float(high - low) / width) if width else 1
    edges = np.linspace(low, high, bins + 1, dtype=kind).astype(np.float64)
    if np.any(np.diff(edges) <= 0):
        raise OverflowError(f"the range cannot be cut into {bins} bins")
    return np.asarray(edges)


def count_in(joint: Joint, edges: NDArray[np.float64]) -> Tally:
    """Counts of both sides between edges: each bin with its lower edge, the last with its upper one too."""
    below = np.zeros((2, len(edges)), np.int64)
    for block in joint.blocks():
        at = np.append(np.searchsorted(block.values, edges[:-1]), np.searchsorted(block.values, edges[-1], "right"))
        for side, counts in enumerate((block.left, block.right)):
            below[side] += np.concatenate(([0.0], np.cumsum(counts)))[at].astype(np.int64)
    counts = np.diff(below, axis=1)
    return Tally(counts[0], counts[1])
