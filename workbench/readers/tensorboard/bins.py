"""Histograms in event files: TensorFlow 1's message of buckets, and TensorFlow 2's matrix of left, right and count."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from workbench.readers.protobuf import BYTES, Field, double, fields, unsigned

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

_TYPES = {1: "<f4", 2: "<f8"}
_LEFT, _RIGHT, _COUNT = 0, 1, 2


def histogram_bins(data: bytes, whole: Field) -> tuple[Floats, Floats] | None:
    """Edges and counts of a HistogramProto, None when its lists do not fit together.

    Its outermost buckets reach to the ends of float64; the least and greatest value say where they really end.
    """
    low = high = 0.0
    limits = counts = np.empty(0)
    for field in fields(data, whole.lo, whole.hi):
        match field.number, field.wire:
            case 1, 1:
                low = double(data, field)
            case 2, 1:
                high = double(data, field)
            case ((6 | 7), (1 | 2)):
                numbers = _doubles(data, field, "<f8")
                if field.number == 6:
                    limits = np.concatenate([limits, numbers])
                else:
                    counts = np.concatenate([counts, numbers])
    if not len(limits) or len(limits) != len(counts) or not np.isfinite([low, high]).all() or low > high:
        return None
    return np.clip(np.concatenate([[low], limits]), low, high), counts


def matrix_bins(data: bytes, whole: Field) -> tuple[Floats, Floats] | None:
    """Edges and counts of a tensor of shape (n, 3), None for any other."""
    dtype, shape = 0, []
    cells: Floats | None = None
    for field in fields(data, whole.lo, whole.hi):
        match field.number, field.wire:
            case 1, 0:
                dtype = unsigned(data, field)
            case 2, 2:
                shape = [_size(data, dim) for dim in fields(data, field.lo, field.hi) if dim[:2] == (2, BYTES)]
            case 4, 2 if dtype in _TYPES:
                cells = _doubles(data, field, _TYPES[dtype])
            case 5, 2:
                cells = _doubles(data, field, "<f4")
            case 6, 2:
                cells = _doubles(data, field, "<f8")
    if cells is None or len(shape) != 2 or shape[1] != 3 or not len(cells) or len(cells) != 3 * shape[0]:
        return None
    rows = cells.reshape(-1, 3)
    return np.append(rows[:, _LEFT], rows[-1, _RIGHT]), rows[:, _COUNT]


def _size(data: bytes, dim: Field) -> int:
    return next((unsigned(data, part) for part in fields(data, dim.lo, dim.hi) if part[:2] == (1, 0)), 0)


def _doubles(data: bytes, field: Field, dtype: str) -> Floats:
    """The numbers of a packed list; bytes left over are no number."""
    width = np.dtype(dtype).itemsize
    return np.frombuffer(data, dtype, (field.hi - field.lo) // width, field.lo).astype(np.float64)
