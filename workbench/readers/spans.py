"""Many spans of bytes looked at at once, whatever the format."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_MIX = np.uint64(0x9E3779B97F4A7C15)


def unaligned(data: bytes, dtype: str) -> NDArray[Any]:
    """A view of `data` whose item i is the `dtype` that begins at byte i."""
    size = np.dtype(dtype).itemsize
    return np.ndarray((max(len(data) - size + 1, 0),), dtype, data, strides=(1,))


def kinds(words: list[NDArray[np.uint64]]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """For each item its kind by equal words, and for each kind one item of it; two may fall together, hardly ever."""
    mixed = np.zeros(len(words[0]), np.uint64)
    for word in words:
        mixed ^= word
        mixed *= _MIX
        mixed ^= mixed >> np.uint64(32)
    distinct = np.unique(mixed)
    kind = np.searchsorted(distinct, mixed)
    first = np.empty(len(distinct), np.intp)
    first[kind[::-1]] = np.arange(len(kind) - 1, -1, -1)
    return kind, first
