"""Curves to dots to characters: the arithmetic of the chart raster, free of axes and text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]


Marker = Literal["braille", "block", "dot", "ascii"]

DOTS: dict[Marker, tuple[int, int]] = {"braille": (2, 4), "block": (2, 2), "dot": (1, 1), "ascii": (1, 1)}
"""Dots per cell, across and down."""

_BRAILLE_BITS = ((0x01, 0x02, 0x04, 0x40), (0x08, 0x10, 0x20, 0x80))
_BLOCK_BITS = ((1, 4), (2, 8))
_BLOCKS = np.array([ord(char) for char in " ▘▝▀▖▌▞▛▗▚▐▜▄▙▟█"], np.uint32)
ASCII_GLYPHS = np.array([ord(char) for char in "*+o#x@%&"], np.uint32)
"""What draws each line in turn where only ASCII serves."""
_BULLETS = np.array([ord("•")], np.uint32)
_RAW_DOT = np.uint32(ord("."))
NOBODY = -1

_FAR = 1e9
"""Dots: farther than any drawing reaches, near enough to multiply without overflow."""


def owners(curves: Sequence[tuple[Floats, Floats]], columns: int, rows: int) -> NDArray[np.int16]:
    """Which curve owns each dot, int16 [columns, rows]: the last one that passes it, or NOBODY.

    A curve is x and y in dots, y downwards, NaN where it breaks.
    """
    grid = np.full((columns, rows), NOBODY, np.int16)
    flat = grid.reshape(-1)
    for index, (x, y) in enumerate(curves):
        column, first, last = stretches(x, y, columns, rows)
        height = last - first + 1
        total = int(height.sum())
        if total <= columns * rows // 4:
            begin = column * rows + first
            flat[np.arange(total) + np.repeat(begin - np.cumsum(height) + height, height)] = index
        else:
            grid[_covered(column, first, last, columns, rows)] = index
    return grid


def stretches(x: Floats, y: Floats, columns: int, rows: int) -> tuple[Ints, Ints, Ints]:
    """The vertical stretches (column, first dot, last dot) a curve covers, clipped to the grid."""
    known = np.isfinite(x) & np.isfinite(y)
    joined = known[:-1] & known[1:]
    xa, xb, ya, yb = x[:-1][joined], x[1:][joined], y[:-1][joined], y[1:][joined]
    back = xb < xa
    if back.any():
        xa, xb, ya, yb = np.where(back, xb, xa), np.where(back, xa, xb), np.where(back, yb, ya), np.where(back, ya, yb)
    column, top, bottom = _along(xa, xb, ya, yb, columns)
    alone = known.copy()
    alone[:-1] &= ~joined
    alone[1:] &= ~joined
    if alone.any():
        spots = np.floor(np.clip(x[alone], -2, columns + 1) + 0.5).astype(np.int64)
        column, top, bottom = (
            np.concatenate((column, spots)),
            np.concatenate((top, y[alone])),
            np.concatenate((bottom, y[alone])),
        )
    first = np.floor(np.clip(top, -2, rows + 1) + 0.5).astype(np.int64)
    last = np.floor(np.clip(bottom, -2, rows + 1) + 0.5).astype(np.int64)
    inside = (column >= 0) & (column < columns) & (last >= 0) & (first < rows)
    return column[inside], np.maximum(first[inside], 0), np.minimum(last[inside], rows - 1)


def _along(xa: Floats, xb: Floats, ya: Floats, yb: Floats, columns: int) -> tuple[Ints, Floats, Floats]:
    """Cut segments at the borders of columns: column, smallest and largest y within it."""
    first = np.maximum(np.floor(np.clip(xa, -2, columns + 1) + 0.5).astype(np.int64), 0)
    last = np.minimum(np.floor(np.clip(xb, -2, columns + 1) + 0.5).astype(np.int64), columns - 1)
    parts = np.maximum(last - first + 1, 0)
    segment = np.repeat(np.arange(len(parts)), parts)
    column = np.arange(len(segment)) - np.repeat(np.cumsum(parts) - parts - first, parts)
    run = xb - xa  # a step far below a dot is upright, and a height beyond any screen is as good as its border
    ya, yb = np.clip(ya, -_FAR, _FAR), np.clip(yb, -_FAR, _FAR)
    slope = np.divide(yb - ya, run, out=np.zeros_like(run), where=run > 1 / _FAR)[segment]
    xa, xb, ya, yb = xa[segment], xb[segment], ya[segment], yb[segment]
    enter = ya + slope * np.maximum(column - 0.5 - xa, 0)
    leave = yb - slope * np.maximum(xb - column - 0.5, 0)
    return column, np.minimum(enter, leave), np.maximum(enter, leave)


def _covered(column: Ints, first: Ints, last: Ints, columns: int, rows: int) -> NDArray[np.bool_]:
    """The dots of many long stretches: each adds 1 where it begins and takes it back behind its end."""
    height = rows + 1
    size = columns * height
    change = np.bincount(column * height + first, minlength=size)
    change -= np.bincount(column * height + last + 1, minlength=size)
    covered: NDArray[np.bool_] = np.cumsum(change).reshape(columns, height)[:, :rows] > 0
    return covered


def cells(grid: NDArray[np.int16], behind: int, marker: Marker) -> tuple[NDArray[np.uint32], NDArray[np.int16]]:
    """Characters, uint32 [rows, columns] with 0 where nothing is, and the owner of each cell.

    Of the curves in a cell the last one owns it. The first `behind` curves give their dots up to any other.
    """
    across, down = DOTS[marker]
    corners = [(i, j, grid[i::across, j::down]) for i in range(across) for j in range(down)]
    owner = corners[0][2].copy()
    for _, _, corner in corners[1:]:
        np.maximum(owner, corner, out=owner)
    if across == 1:
        glyphs = ASCII_GLYPHS if marker == "ascii" else _BULLETS
        codes = np.where(owner < behind, _RAW_DOT, glyphs[(owner - behind) % len(glyphs)])
        return np.where(owner >= 0, codes, 0).astype(np.uint32).T, owner.T
    least = np.where(owner >= behind, np.int16(behind), np.int16(0))
    bits = np.zeros(owner.shape, np.uint32)
    weights = _BRAILLE_BITS if marker == "braille" else _BLOCK_BITS
    for i, j, corner in corners:
        bits += (corner >= least) * np.uint32(weights[i][j])
    codes = np.where(bits > 0, bits + 0x2800, 0) if marker == "braille" else np.where(bits > 0, _BLOCKS[bits], 0)
    return codes.astype(np.uint32).T, owner.T
