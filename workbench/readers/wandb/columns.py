"""Many rows of W&B history at once: keys and numbers gathered straight out of the bytes.

A row is a list of items, each a path of keys and a JSON text, in no fixed order. All rows are walked side by side, an
item of each at a time; items are grouped by the bytes of their path, so that each path is decoded once; numbers are
cut out into one JSON array. A row that holds anything else than short numbers and words is left to the slow way.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import numpy as np
from msgspec import Struct

from workbench.readers.protobuf import BYTES, WireError, fields, text
from workbench.readers.spans import kinds, unaligned

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]
    Bytes = NDArray[np.uint8]

PAD = 32
"""Bytes that must lie behind the last row, so that gathers need no bounds."""
_FEWEST = 24
"""Below this many rows the columns cost more than they save."""
_MOST_ITEMS = 1024
_WORD = 8
_VALUE = 0x0182
"""The tag of `value_json`, as the two bytes in which it is written."""


class Items(Struct, frozen=True):
    """Numbers of rows, as columns of length n, and the words that came last."""

    row: Ints
    key: NDArray[np.intp]
    """Index into `paths`."""
    value: NDArray[np.float64]
    paths: list[tuple[str, ...]]
    words: dict[int, tuple[int, bytes]]
    """By path the row and the JSON text of its last value that is no number."""


class _Found(Struct):
    """Items as they are found: the row of each, and where it lies."""

    row: Ints
    lo: Ints
    hi: Ints

    def only(self, which: NDArray[np.bool_]) -> _Found:
        return _Found(self.row[which], self.lo[which], self.hi[which])


def bodies(data: bytes, lo: Ints, hi: Ints, number: int) -> tuple[Ints, Ints]:
    """Where field `number` (below 16) of each record lies; 0 where it has another one, or is built in an unusual way.

    As writers build them, a record is its number and then what it is about. `PAD` bytes follow the last one.
    """
    byte = np.frombuffer(data, np.uint8)
    at = lo + 1
    for _ in range(5):
        at += byte[at] >= 0x80
    at += 1
    usual = (byte[lo] == 0x08) & (byte[at] == (number << 3 | BYTES)) & (at + 2 < hi)
    size, start, going = np.zeros(len(lo), np.int64), at + 1, usual.copy()
    for k in range(4):
        part = byte[start].astype(np.int64)
        size |= np.where(going, (part & 0x7F) << (7 * k), 0)
        start += going
        going &= part >= 0x80
    usual &= ~going & (start + size <= hi)
    return np.where(usual, start, 0), np.where(usual, start + size, 0)


def gather(data: bytes, lo: Ints, hi: Ints) -> tuple[Items, Ints, NDArray[np.bool_]]:
    """Items of the history rows at data[lo:hi], their steps, and which rows must be decoded singly.

    `PAD` bytes follow the last row in `data`. A step is -1 where the row does not state it as a field.
    """
    odd = np.zeros(len(lo), np.bool_)
    step = np.full(len(lo), -1, np.int64)
    if len(lo) < _FEWEST:
        odd[:] = True
        return Items(np.empty(0, np.int64), np.empty(0, np.intp), np.empty(0), [], {}), step, odd
    byte = np.frombuffer(data, np.uint8)
    found = _walk(byte, lo, hi, step, odd)
    path_end, value_lo = _paths(byte, found, odd)
    good = ~odd[found.row]
    found, path_end, value_lo = found.only(good), path_end[good], value_lo[good]
    key, paths = _coded(data, found, path_end, odd)
    return _valued(data, byte, found, key, paths, value_lo, odd), step, odd


def _walk(byte: Bytes, lo: Ints, hi: Ints, step: Ints, odd: NDArray[np.bool_]) -> _Found:
    """Every item of every row; fills in the steps, and marks rows with anything else in them."""
    row, at, end = np.arange(len(lo)), lo.copy(), hi
    parts: list[tuple[Ints, Ints, Ints]] = []
    for _ in range(_MOST_ITEMS):
        going = at < end
        if not going.all():
            row, at, end = row[going], at[going], end[going]
        if not len(row):
            break
        tag, size = byte[at], byte[at + 1].astype(np.int64)
        body = at + 2
        long = size >= 0x80
        if long.any():
            high = byte[at + 2].astype(np.int64)
            size = np.where(long, size & 0x7F | high << 7, size)
            body = body + long
            bad = long & (high >= 0x80)
        else:
            bad = long
        after = body + size
        bad |= (after > end) | ((tag != 0x0A) & (tag != 0x12))
        stepped = (tag == 0x12) & ~bad
        if stepped.any():
            bad[stepped] |= ~_steps(byte, row[stepped], body[stepped], after[stepped], step)
        if bad.any():
            odd[row[bad]] = True
            after = np.where(bad, end, after)
        item = (tag == 0x0A) & ~bad
        parts.append((row, body, after) if item.all() else (row[item], body[item], after[item]))
        at = after
    odd[row[at < end]] = True
    none = np.empty(0, np.int64)
    rows, los, his = zip(*parts, strict=True) if parts else ((none,), (none,), (none,))
    return _Found(np.concatenate(rows), np.concatenate(los), np.concatenate(his))


def _steps(byte: Bytes, row: Ints, lo: Ints, hi: Ints, step: Ints) -> NDArray[np.bool_]:
    """Fill in steps from HistoryStep messages; returns which were understood."""
    size = hi - lo - 1
    good: NDArray[np.bool_] = (size == -1) | ((byte[lo] == 0x08) & (size >= 1) & (size <= 8))
    value = np.zeros(len(row), np.int64)
    for k in range(int(max(size.max(initial=0), 0)) if good.any() else 0):
        within = k < size
        part = byte[np.where(within, lo + 1 + k, 0)].astype(np.int64)
        good &= ~within | ((part >= 0x80) == (k < size - 1))
        value |= np.where(within, (part & 0x7F) << (7 * min(k, 8)), 0)
    step[row[good]] = value[good]
    return good


def _paths(byte: Bytes, found: _Found, odd: NDArray[np.bool_]) -> tuple[Ints, Ints]:
    """Where each item's path ends and its value begins; the value is the rest of the item, or the row is odd."""
    at, hi = found.lo.copy(), found.hi
    last = len(byte) - PAD
    open_ = np.arange(len(at))
    while len(open_):
        tag = byte[at[open_]]
        part = (tag == 0x0A) | (tag == 0x12)
        open_ = open_[part]
        size = byte[at[open_] + 1].astype(np.int64)
        after = at[open_] + 2 + size
        fits = (size < 0x80) & (after < hi[open_])
        odd[found.row[open_[~fits]]] = True
        open_ = open_[fits]
        at[open_] = after[fits]
    at = np.minimum(at, last)
    mark = byte[at].astype(np.int64) | byte[at + 1].astype(np.int64) << 8
    length = byte[at + 2].astype(np.int64)
    whole = (mark == _VALUE) & (length < 0x80) & (length > 0) & (at + 3 + length == hi) & (at > found.lo)
    odd[found.row[~whole]] = True
    return at, at + 3


def _coded(
    data: bytes, found: _Found, path_end: Ints, odd: NDArray[np.bool_]
) -> tuple[NDArray[np.intp], list[tuple[str, ...]]]:
    """The path of each item as a code, by equality of its bytes.

    Rows are odd that have media, a path twice, or one that leads through another's value.
    """
    if not len(found.row):
        return np.empty(0, np.intp), []
    words = _words(data, found.lo, path_end)
    key, first = kinds(words)
    for word in words:
        differs = word != word[first][key]
        if differs.any():
            odd[found.row[differs]] = True
    paths = [_path(data[found.lo[i] : path_end[i]]) for i in first.tolist()]
    above = {path[:k] for path in paths if path for k in range(1, len(path))}
    strange = np.array([path is None or "_type" in path or path in above for path in paths])
    if strange.any():
        odd[found.row[strange[key]]] = True
    pairs = np.sort(found.row * len(paths) + key)
    odd[pairs[1:][pairs[1:] == pairs[:-1]] // len(paths)] = True  # the last of several holds, whatever its kind
    return key, [path or () for path in paths]


def _words(data: bytes, lo: Ints, hi: Ints) -> list[NDArray[np.uint64]]:
    """The bytes of each path by words of 8, NULs behind its end, after its length."""
    at, size = unaligned(data, "<u8"), hi - lo
    words = [size.astype(np.uint64)]
    for k in range(0, int(size.max()), _WORD):
        left = np.clip(size - k, 0, _WORD)
        shift = (8 * (_WORD - left)).astype(np.uint64)
        word = at[np.minimum(lo + k, len(at) - 1)]
        words.append(np.where(left > 0, word << (shift & np.uint64(63)), np.uint64(0)))
    return words


def _path(raw: bytes) -> tuple[str, ...] | None:
    """The keys of a path: one key, or nested ones; None for anything else."""
    try:
        parts = list(fields(raw, 0, len(raw)))
    except WireError:
        return None
    nested = all(part[:2] == (2, BYTES) for part in parts)
    return tuple(text(raw, part) for part in parts) if nested or len(parts) == 1 else None


def _valued(
    data: bytes, byte: Bytes, found: _Found, key: NDArray[np.intp], paths: list[tuple[str, ...]], value_lo: Ints,
    odd: NDArray[np.bool_],
) -> Items:  # fmt: skip
    """The numbers among the items; words are kept where they come last, what is neither makes its row odd."""
    first, second = byte[value_lo], byte[value_lo + 1]
    digit = (_digits(first) | ((first == ord("-")) & _digits(second))) & (found.hi - value_lo < PAD)
    word = np.isin(first, np.frombuffer(b'tfn"', np.uint8))
    quoted = (first == ord('"')) & np.isin(second, np.frombuffer(b"NI-", np.uint8))
    value = np.full(len(key), np.nan)
    value[(first == ord("I")) & (found.hi - value_lo == 8)] = np.inf
    value[(first == ord("-")) & (second == ord("I")) & (found.hi - value_lo == 9)] = -np.inf
    nan = (first == ord("N")) & (found.hi - value_lo == 3)
    number = digit | nan | np.isinf(value)
    odd[found.row[~(number | word) | quoted]] = True
    numbers = _numbers(data, value_lo[digit], found.hi[digit])
    if numbers is None:
        numbers = np.empty(int(digit.sum()))
        odd[found.row[digit]] = True
    value[digit] = numbers
    good = ~odd[found.row]
    taken = number & good
    return Items(
        found.row[taken], key[taken], value[taken], paths, _last_words(data, found, key, value_lo, word & good)
    )


def _digits(byte: Bytes) -> NDArray[np.bool_]:
    digits: NDArray[np.bool_] = byte - np.uint8(ord("0")) < 10
    return digits


def _numbers(data: bytes, lo: Ints, hi: Ints) -> NDArray[np.float64] | None:
    """The numbers spelled at data[lo:hi], decoded as one JSON array; None when one of them is none."""
    if not len(lo):
        return np.empty(0)
    size = hi - lo
    width = int(size.max()) + 1
    cut: NDArray[np.void] = unaligned(data, f"V{width}")[lo]
    byte = cut.view(np.uint8).reshape(-1, width)
    byte[np.arange(width) >= size[:, None]] = ord(" ")
    byte[:, -1] = ord(",")
    try:
        numbers = np.array(msgspec.json.decode(b"[" + byte.tobytes()[:-1] + b"]", type=list[float]))
    except msgspec.MsgspecError:
        return None
    return numbers if len(numbers) == len(lo) else None


def _last_words(
    data: bytes, found: _Found, key: NDArray[np.intp], value_lo: Ints, which: NDArray[np.bool_]
) -> dict[int, tuple[int, bytes]]:
    """By path the last row with a word, and the word."""
    at = np.flatnonzero(which)
    if not len(at):
        return {}
    at = at[np.argsort(found.row[at], kind="stable")]
    last = dict(zip(key[at].tolist(), at.tolist(), strict=True))
    return {code: (int(found.row[i]), data[value_lo[i] : found.hi[i]]) for code, i in last.items()}
