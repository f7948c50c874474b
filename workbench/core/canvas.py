"""A grid of terminal cells: one character and one colour each."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from workbench.core.text import width

if TYPE_CHECKING:
    from numpy.typing import NDArray

TEXT, DIM, WARN = -1, -2, -3
"""Colours that are no run's: text, axes and remarks, warnings."""

FAINT = 1000
"""Added to a run's colour where its raw line is drawn behind the smoothed one."""

_SPACE = 0x20
_TAKEN = "\uffff"  # the second cell of a wide character; `plain` lets no such character in


class Canvas:
    """Characters as code points, uint32 [rows, columns], and colours, int16 of the same shape."""

    def __init__(self, columns: int, rows: int) -> None:
        self.columns, self.rows = max(columns, 0), max(rows, 0)
        self.codes = np.full((self.rows, self.columns), _SPACE, np.uint32)
        self.colors = np.full((self.rows, self.columns), TEXT, np.int16)

    def write(self, row: int, column: int, text: str, color: int) -> None:
        """Put a plain text at a cell; what lies outside is left out."""
        if not 0 <= row < self.rows:
            return
        if not text.isascii():
            text = unicodedata.normalize("NFC", text)
        for char in text:
            cells = width(char)
            if cells and 0 <= column <= self.columns - cells:
                self.codes[row, column] = ord(char)
                self.colors[row, column] = color
                if cells == 2:
                    self.codes[row, column + 1] = ord(_TAKEN)
                    self.colors[row, column + 1] = color
            column += cells

    def write_where_blank(self, row: int, column: int, text: str, color: int) -> None:
        """Put a text at a cell unless that would cover something."""
        end = column + width(text)
        inside = 0 <= row < self.rows and column >= 0 and end <= self.columns
        if inside and (self.codes[row, column:end] == _SPACE).all():
            self.write(row, column, text, color)

    def text(self) -> tuple[str, ...]:
        """The rows as strings, each as many cells wide as the canvas."""
        whole = self.codes.astype("<u4", copy=False).tobytes().decode("utf-32-le")
        size = self.columns
        return tuple(whole[row * size : (row + 1) * size].replace(_TAKEN, "") for row in range(self.rows))


def runs(chars: str, colors: NDArray[np.int16]) -> Iterator[tuple[str, int]]:
    """A row as stretches of one colour: (text, colour)."""
    if len(chars) == len(colors):
        edges = [0, *(np.flatnonzero(np.diff(colors)) + 1).tolist(), len(colors)]
        for start, end in pairwise(edges):
            if end > start:
                yield chars[start:end], int(colors[start])
        return
    column, text, color = 0, "", TEXT
    for char in chars:
        here = int(colors[column])
        if text and here != color:
            yield text, color
            text = ""
        text, color, column = text + char, here, column + width(char)
    if text:
        yield text, color
