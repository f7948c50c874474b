"""Rows of W&B history as points: each row's step and time, and which metric counts along which axis."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from msgspec import Struct, field

from workbench.core.batch import Fact, Histogram, Points, no_points
from workbench.readers.own.records import attributes
from workbench.readers.protobuf import BYTES, Field, WireError, fields, signed
from workbench.readers.wandb.columns import Items, gather
from workbench.readers.wandb.items import Unreadable, histogram, item, leaves, loads, number, put, short

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]

STEP, TIME = "_step", "_timestamp"
HIDDEN = frozenset({STEP, TIME, "_runtime", "_wandb"})
"""Keys of W&B's own, which are no metrics."""
_EXACT = 2.0**53
_LONGEST_PATH = 4096


class Axes(Struct):
    """Which metrics count along another metric than the step, as `define_metric` said; what of it a state keeps."""

    named: dict[str, str]
    """Step metric by metric; one that ends with `*` stands for all that begin so."""
    last: dict[str, float]
    """Last value of each step metric; NaN once it was no whole number, and then the step itself counts."""

    def of(self, key: str) -> str:
        """The step metric of a metric, empty when the step itself counts."""
        if not self.named or key in self.named.values():
            return ""
        if key in self.named:
            return self.named[key]
        globs = [name for name in self.named if name.endswith("*") and key.startswith(name[:-1])]
        return self.named[max(globs, key=len)] if globs else ""


class Rows(Struct):
    """Numbers of history rows on their way to points."""

    axes: Axes
    keys: dict[str, int] = field(default_factory=dict)
    facts: dict[str, Fact] = field(default_factory=dict)
    histograms: list[Histogram] = field(default_factory=list)
    unread: dict[str, int] = field(default_factory=dict)
    refused: list[tuple[int, str]] = field(default_factory=list)
    """(row, reason) of rows that are no message."""
    _row: list[int] = field(default_factory=list)
    _key: list[int] = field(default_factory=list)
    _value: list[float] = field(default_factory=list)

    def read(self, data: bytes, offset: Ints, lo: Ints, hi: Ints) -> Points:
        """The points of the HistoryRecord messages at data[lo:hi], which begin at `offset` in the source."""
        self._row, self._key, self._value = [], [], []
        found, step, odd = gather(data, lo, hi)
        media: list[tuple[int, str, dict[str, Any]]] = []
        words: dict[str, tuple[int, Any]] = {}
        for row in np.flatnonzero(odd).tolist():
            try:
                self._single(data, row, int(lo[row]), int(hi[row]), step, media, words)
            except (WireError, Unreadable) as error:
                self.refused.append((row, f"E202 not a row of history: {error}"))
        codes = np.array([self._code(".".join(path)) for path in found.paths], np.int64)
        rows = np.concatenate([found.row[~odd[found.row]], np.array(self._row, np.int64)])
        kept = ~odd[found.row]
        key = np.concatenate([codes[found.key[kept]] if len(codes) else codes, np.array(self._key, np.int64)])
        value = np.concatenate([found.value[kept], np.array(self._value, np.float64)])
        order = np.argsort(rows, kind="stable")
        points, wall, steps = self._points(rows[order], key[order], value[order], step, offset)
        self._words(found, words)
        for name, (row, word) in words.items():
            for fact in attributes("summary", {name: short(word)}, float(wall[row]), int(offset[row])):
                self.facts[name] = fact
        for row, name, tree in media:
            self._media(name, tree, int(steps[row]), float(wall[row]), int(offset[row]))
        return points

    def _code(self, key: str) -> int:
        return self.keys.setdefault(key, len(self.keys))

    def _single(
        self, data: bytes, row: int, lo: int, hi: int, step: Ints,
        media: list[tuple[int, str, dict[str, Any]]], words: dict[str, tuple[int, Any]],
    ) -> None:  # fmt: skip
        """Take in one row field by field; nothing of it when it cannot be read."""
        tree: dict[str, Any] = {}
        stated = -1
        for part in fields(data, lo, hi):
            if part[:2] == (1, BYTES):
                one = item(data, part)
                put(tree, one.path, one.value)
            elif part[:2] == (2, BYTES):
                stated = _step_of(data, part)
        step[row] = stated
        for key, value in leaves(tree):
            as_number = number(value)
            if as_number is not None:
                self._row.append(row)
                self._key.append(self._code(key))
                self._value.append(as_number)
            elif isinstance(value, (str, bool)) and key not in HIDDEN:
                words[key] = (row, value)
            elif isinstance(value, dict):
                media.append((row, key, value))
            elif isinstance(value, list):
                self._count("lists")

    def _points(
        self, row: Ints, key: Ints, value: NDArray[np.float64], step: Ints, offset: Ints
    ) -> tuple[Points, NDArray[np.float64], Ints]:
        """The points of numbers in the order of their rows; also each row's time and step."""
        of_step = key == self.keys.get(STEP, -1)
        whole = of_step & (np.abs(value) < _EXACT)
        step[row[whole]] = value[whole].astype(np.int64)
        step = np.maximum(step, 0)
        wall = np.full(len(offset), np.nan)
        of_time = key == self.keys.get(TIME, -1)
        wall[row[of_time]] = value[of_time]
        names = list(self.keys)
        along = np.array([name not in HIDDEN and not name.startswith("_wandb.") for name in names], np.bool_)
        kept = along[key] if names else np.zeros(0, np.bool_)
        row_kept, key_kept = row[kept], key[kept]
        steps = self._along_axes(row, key, value, row_kept, key_kept, step)
        points = Points(tuple(names), key_kept.astype(np.int32), steps, wall[row_kept], value[kept], offset[row_kept])
        return points, wall, step

    def _along_axes(
        self, row: Ints, key: Ints, value: NDArray[np.float64], row_kept: Ints, key_kept: Ints, step: Ints
    ) -> Ints:
        """The step of each point: that of its step metric where it has one, whole and known by then."""
        steps = step[row_kept]
        if not self.axes.named:
            return steps
        axis = [self.axes.of(name) for name in self.keys]
        for name in sorted(set(axis) - {""}):
            at = np.flatnonzero(key == self.keys.get(name, -1))
            known = _carried(row[at], value[at], len(step), self.axes.last.get(name, math.inf))
            if len(known) and not math.isinf(known[-1]):
                self.axes.last[name] = float(known[-1])
            uses = np.array([each == name for each in axis])[key_kept] & np.isfinite(known[row_kept])
            steps[uses] = known[row_kept[uses]].astype(np.int64)
        return steps

    def _words(self, found: Items, words: dict[str, tuple[int, Any]]) -> None:
        """Add the words that came by columns, where they are the later ones."""
        for code, (row, raw) in found.words.items():
            name = ".".join(found.paths[code])
            if name in HIDDEN or words.get(name, (-1, None))[0] > row:
                continue
            try:
                word = loads(raw)
            except Unreadable:
                continue
            if word is not None:
                words[name] = (row, word)

    def _media(self, name: str, tree: dict[str, Any], step: int, wall: float, offset: int) -> None:
        kind = str(tree.get("_type", "dict"))
        drawn = histogram(name, tree, step, wall, offset) if kind == "histogram" else None
        picture = _picture(kind, tree)
        if drawn is not None:
            self.histograms.append(drawn)
        elif picture:
            place = {"path": f"files/{picture}"}
            self.facts[f"{kind} {name}"] = Fact("artifact", place, name, wall if math.isfinite(wall) else None, offset)
        else:
            self._count(kind)

    def _count(self, what: str) -> None:
        what = what[:64] if what in self.unread or len(self.unread) < 32 else "others"
        self.unread[what] = self.unread.get(what, 0) + 1


def _picture(kind: str, tree: dict[str, Any]) -> str:
    """The file of an image, the first of several, below the run's `files`; empty where it is none."""
    found = tree.get("path") if kind == "image-file" else None
    if kind == "images/separated" and isinstance(tree.get("filenames"), list):
        found = next(iter(tree["filenames"]), None)
    return found[:_LONGEST_PATH] if isinstance(found, str) else ""


def _carried(row: Ints, value: NDArray[np.float64], n: int, before: float) -> NDArray[np.float64]:
    """The step metric's value known at each of n rows: the latest so far, `before` at first, inf for none.

    NaN from the first value on that is no whole number.
    """
    known = np.full(n + 1, np.inf)
    known[0] = before
    known[row + 1] = value
    place = np.where(np.isinf(known) & (np.arange(n + 1) > 0), 0, np.arange(n + 1))
    known = known[np.maximum.accumulate(place)]
    broken = ~np.isinf(known) & ((np.floor(known) != known) | (np.abs(known) >= _EXACT))
    known[np.logical_or.accumulate(broken)] = np.nan
    return known[1:]


def _step_of(data: bytes, whole: Field) -> int:
    return next((signed(data, part) for part in fields(data, whole.lo, whole.hi) if part[:2] == (1, 0)), 0)


def joined(parts: list[Points]) -> Points:
    """Points of several stretches as one."""
    parts = [part for part in parts if len(part)]
    if len(parts) == 1:
        return parts[0]
    keys: dict[str, int] = {}
    key = [np.array([keys.setdefault(name, len(keys)) for name in p.keys], np.int32)[p.key] for p in parts]
    if not parts:
        return no_points()
    return Points(
        tuple(keys), np.concatenate(key), np.concatenate([p.step for p in parts]),
        np.concatenate([p.wall for p in parts]), np.concatenate([p.value for p in parts]),
        np.concatenate([p.offset for p in parts]),
    )  # fmt: skip
