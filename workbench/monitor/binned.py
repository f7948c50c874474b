"""Divergences of two samples over bins or categories: PSI, Kullback-Leibler, Jensen-Shannon and Hellinger."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from workbench.monitor.joint import Joint
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


def _filled_shares(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    shares = counts / counts.sum()
    least = float(shares[shares != 0].min())
    shares[shares == 0] = least / 10**6 if least <= 0.0001 else 0.0001
    return np.asarray(shares)


def binned(method: Method, joint: Joint) -> Tally:
    """The counts that Evidently compares for a column of numbers."""
    distinct = 0
    reference_distinct = 0
    for block in joint.blocks():
        distinct += len(block.values)
        reference_distinct += int(np.count_nonzero(block.left))
    if method.key == HELLINGER.key:
        return count_in(joint, sturges_edges(joint, distinct))
    if reference_distinct > FEW_VALUES:
        return count_in(joint, sturges_edges(joint, joint.n + joint.m))
    parts = list(joint.blocks())
    left = np.concatenate([part.left for part in parts]).astype(np.int64)
    return Tally(left, np.concatenate([part.right for part in parts]).astype(np.int64))


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
