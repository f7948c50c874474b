"""Many lines of text at once: a line's shape is its text with every run of digits written `0`.

A log repeats few shapes, so that only the first line of each is judged by patterns; the numbers of all others of that
shape are found by counting runs of digits, and parsed by columns.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from msgspec import Struct

if TYPE_CHECKING:
    from numpy.typing import NDArray

_DIGITS = bytes.maketrans(b"0123456789", b"0000000000")
_LONGEST = 18
"""Digits of a run that fit int64, whatever they are."""
_EXACT = 15
"""Decimal digits that float64 holds exactly; with a power of ten up to 22 one division then rounds once."""
_POWERS = 10.0 ** np.arange(23)
_WHOLE_POWERS = 10 ** np.arange(19, dtype=np.int64)
_NUMERAL = re.compile(r"([-+]?)(\d+)?(?:\.(\d+)?)?(?:[eE]([-+]?)(\d+))?")


class Numeral(Struct, frozen=True):
    """How the digits of a number lie in lines of one shape: indices of runs, counted from the line's first.

    `lead` and `tail` are the characters before the first and behind the last run that belong to the number too.
    """

    first: int = 0
    last: int = 0
    lead: int = 0
    tail: int = 0
    whole: int | None = None
    fraction: int | None = None
    exponent: int | None = None
    negative: bool = False
    exponent_negative: bool = False
    is_plain: bool = True
    """False where only Python's `float` reads it: digits grouped by commas."""
    constant: float | None = None
    """The value of a number without digits: NaN or an infinity."""

    @property
    def is_whole(self) -> bool:
        """Whether it is written as a whole number."""
        return self.whole is not None and self.fraction is None and self.exponent is None and self.is_plain


def numeral_of(text: str, start: int, runs: Sequence[int]) -> Numeral | None:
    """The numeral of a number's text that begins at column `start` of a line whose digit runs begin at `runs`."""
    inside = [i for i, column in enumerate(runs) if start <= column < start + len(text)]
    if not inside:
        try:
            return Numeral(constant=float(text))
        except ValueError:
            return None
    first, last = inside[0], inside[-1]
    lead = runs[first] - start
    tail = len(text) - len(text.rstrip("."))
    match = _NUMERAL.fullmatch(text)
    if match is None:
        return Numeral(first, last, lead, tail, is_plain=False)
    sign, whole, fraction, exponent_sign, exponent = match.groups()
    order = iter(inside)
    return Numeral(
        first, last, lead, tail,
        whole=next(order) if whole else None,
        fraction=next(order) if fraction else None,
        exponent=next(order) if exponent else None,
        negative=sign == "-", exponent_negative=exponent_sign == "-",
    )  # fmt: skip


class Shapes(Struct, frozen=True):
    """Lines with their shapes: `start` and `length` of each run of digits, `value` of it, `first` run of each line.

    `start` and `line_start` count bytes of `text`, the lines joined by newlines. All arrays are int64; `start`,
    `length` and `value` are those of m runs, `line_start` and `first` have one entry a line. A run of more than 18
    digits has no value.
    """

    text: bytes
    shapes: Sequence[bytes]
    line_start: NDArray[np.int64]
    first: NDArray[np.int64]
    start: NDArray[np.int64]
    length: NDArray[np.int64]
    value: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.shapes)

    def line(self, i: int) -> bytes:
        """The text of line i."""
        end = self.line_start[i + 1] - 1 if i + 1 < len(self.line_start) else len(self.text)
        return self.text[self.line_start[i] : end]

    def runs_of(self, i: int) -> NDArray[np.int64]:
        """Where line i's runs of digits begin in the text."""
        return self.start[self.first[i] : self.first[i + 1] if i + 1 < len(self.first) else len(self.start)]

    def values(self, rows: NDArray[np.int64], numeral: Numeral) -> NDArray[np.float64]:
        """The number in each of these lines, rounded as Python's `float` rounds."""
        if numeral.constant is not None:
            return np.full(len(rows), numeral.constant)
        if not numeral.is_plain:
            return self._slowly(rows, numeral)
        base = self.first[rows]
        mantissa, digits = self._run(base, numeral.whole)
        power = np.zeros(len(rows), np.int64)
        if numeral.fraction is not None:
            fraction, places = self._run(base, numeral.fraction)
            mantissa = mantissa * _WHOLE_POWERS[np.minimum(places, _LONGEST)] + fraction
            digits, power = digits + places, -places
        if numeral.exponent is not None:
            exponent, size = self._run(base, numeral.exponent)
            exponent = np.where(size > 4, 10_000, exponent)
            power = power - exponent if numeral.exponent_negative else power + exponent
        exact = (digits <= _EXACT) & (np.abs(power) <= 22)
        scale = _POWERS[np.minimum(np.abs(power), 22)]
        floats = mantissa.astype(np.float64)
        found = np.where(power < 0, floats / scale, floats * scale)
        if numeral.negative:
            found = -found
        if not exact.all():
            odd = np.flatnonzero(~exact)
            found[odd] = self._slowly(rows[odd], numeral)
        return found

    def integers(self, rows: NDArray[np.int64], numeral: Numeral) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """The whole number in each of these lines, and whether it is one that fits."""
        if not numeral.is_whole:
            floats = self.values(rows, numeral)
            fits = np.isfinite(floats) & (np.abs(floats) < 2**53)
            floats = np.where(fits, floats, 0.0)
            return floats.astype(np.int64), fits & (np.floor(floats) == floats)
        value, length = self._run(self.first[rows], numeral.whole)
        return (-value if numeral.negative else value), length <= _LONGEST

    def runs(self, rows: NDArray[np.int64], which: Sequence[int]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Values and lengths of some runs in each of these lines, as (lines, runs)."""
        index = self.first[rows][:, None] + np.asarray(which, np.int64)[None, :]
        return self.value[index], self.length[index]

    def _run(self, base: NDArray[np.int64], which: int | None) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        if which is None:
            return np.zeros(len(base), np.int64), np.zeros(len(base), np.int64)
        return self.value[base + which], self.length[base + which]

    def _slowly(self, rows: NDArray[np.int64], numeral: Numeral) -> NDArray[np.float64]:
        base = self.first[rows]
        starts = self.start[base + numeral.first] - numeral.lead
        ends = self.start[base + numeral.last] + self.length[base + numeral.last] + numeral.tail
        texts = (self.text[i:j] for i, j in zip(starts.tolist(), ends.tolist(), strict=True))
        return np.array([_float(text) for text in texts], np.float64)


def _float(text: bytes) -> float:
    try:
        return float(text.replace(b",", b""))
    except ValueError:
        return math.nan


def shapes_of(text: bytes) -> Shapes:
    """Find the runs of digits in lines joined by newlines, and the shape of each line."""
    view = np.frombuffer(text, np.uint8)
    digit = (view - np.uint8(48)) < 10
    if not len(view):
        none = np.empty(0, np.int64)
        return Shapes(text, [b""], np.zeros(1, np.int64), np.zeros(1, np.int64), none, none, none)
    before = np.empty_like(digit)
    before[0] = False
    before[1:] = digit[:-1]
    start = np.flatnonzero(digit & ~before)
    end = np.flatnonzero(before & ~digit)
    if len(end) < len(start):
        end = np.append(end, len(view))
    length = end - start
    marked = np.frombuffer(text.translate(_DIGITS), np.uint8)
    shapes = marked[~(digit & before)].tobytes().split(b"\n")
    line_starts = np.concatenate(([0], np.flatnonzero(view == 10) + 1))
    first = np.searchsorted(start, line_starts)
    return Shapes(text, shapes, line_starts, first, start, length, _values(view, start, length))


def _values(view: NDArray[np.uint8], start: NDArray[np.int64], length: NDArray[np.int64]) -> NDArray[np.int64]:
    """The number each run of digits spells, 0 for those of more than 18."""
    value = np.zeros(len(start), np.int64)
    alive = np.flatnonzero(length <= _LONGEST)
    longest = int(length[alive].max()) if len(alive) else 0
    for place in range(longest):
        alive = alive[length[alive] > place] if place else alive
        value[alive] = value[alive] * 10 + (view[start[alive] + place].astype(np.int64) - 48)
    return value
