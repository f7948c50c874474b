"""Two samples as one ascending run of distinct values with how often each side has them, in blocks of any size.

Every score of numbers but the default ones is computed from these: held whole it is one block, out of core many.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from workbench.monitor.methods import Numbers, Tally

_STEP = 1 << 18


class Block(Struct, frozen=True):
    """Distinct values, ascending, and how many reference and current values equal each."""

    values: NDArray[np.float64]
    left: NDArray[np.float64]
    right: NDArray[np.float64]


class Joint(Struct, frozen=True):
    """Two samples: `blocks` reads them from the smallest value to the greatest, as often as it is called."""

    n: int
    m: int
    blocks: Callable[[], Iterable[Block]]
    integers: bool = False
    """Both sides hold integers and no nulls: numpy bins those no finer than 1."""
    single: bool = False
    """Both sides hold 32-bit floats: numpy cuts their bins in that precision."""

    def ends(self) -> tuple[float, float]:
        """The least and the greatest value of both sides."""
        low, high = np.inf, -np.inf
        for block in self.blocks():
            low, high = min(low, float(block.values[0])), max(high, float(block.values[-1]))
        return low, high


def join_numbers(reference: Numbers, current: Numbers) -> Joint:
    """Two samples that are held in memory."""
    integers = reference.integers and current.integers

    def blocks() -> Iterator[Block]:
        bounds = np.concatenate((reference.values[::_STEP], current.values[::_STEP]))
        cuts = [*np.unique(bounds).tolist()[1:], np.inf]
        at_left = at_right = 0
        for cut in cuts:
            to_left, to_right = (int(np.searchsorted(side.values, cut)) for side in (reference, current))
            if to_left > at_left or to_right > at_right:
                yield join_sorted(reference.values[at_left:to_left], current.values[at_right:to_right])
            at_left, at_right = to_left, to_right

    return Joint(len(reference), len(current), blocks, integers, reference.single and current.single)


def join_sorted(left: NDArray[np.float64], right: NDArray[np.float64]) -> Block:
    """One block of two sorted arrays, at least one of them not empty."""
    both = np.concatenate((left, right))
    both.sort(kind="stable")
    values = both[np.concatenate(([True], both[1:] != both[:-1]))]
    counts = [np.searchsorted(side, values, "right") - np.searchsorted(side, values, "left") for side in (left, right)]
    return Block(values, counts[0].astype(np.float64), counts[1].astype(np.float64))


def order_statistics(joint: Joint, ranks: NDArray[np.int64]) -> NDArray[np.float64]:
    """Values of the pooled sample at ascending ranks, 0 being the least."""
    found = np.empty(len(ranks))
    before, at = 0.0, 0
    for block in joint.blocks():
        upto = before + np.cumsum(block.left + block.right)
        end = int(np.searchsorted(ranks, upto[-1]))
        if end > at:
            found[at:end] = block.values[np.searchsorted(upto, ranks[at:end], "right")]
            at = end
        before = float(upto[-1])
    return found


def tally_joint(joint: Joint) -> Tally:
    """Counts by value, for columns known to hold few."""
    parts = list(joint.blocks())
    left, right = (np.concatenate([getattr(part, side) for part in parts]) for side in ("left", "right"))
    keys = np.concatenate([part.values for part in parts]).tolist()
    return Tally(left.astype(np.int64), right.astype(np.int64), keys)
