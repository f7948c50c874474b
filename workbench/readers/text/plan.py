"""From the first line of a shape to a plan for all lines of it, and from lines of one plan to columns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from msgspec import Struct, field

from workbench.readers.text.dialects import read_line
from workbench.readers.text.found import Found, Reading, Role, Span
from workbench.readers.text.pairs import MOMENT
from workbench.readers.text.shapes import Numeral, Shapes, numeral_of
from workbench.readers.text.wall import Moment, moment_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

_MOST_KEPT = 8192
_LONGEST_KEPT = 512
"""Shapes remembered between chunks and sources, and how long the longest is."""
_LONG_RUN = 10
"""Digits from which on a number may be a moment; lines with such a run are a shape of their own."""
_MOMENT_WITHIN = 96
"""Columns at a line's start in which its time stands."""


class Measure(Struct, frozen=True):
    """A metric of a plan: its key, where its number lies, and what is done with it."""

    key: str
    numeral: Numeral
    scale: float = 1.0
    over: Numeral | None = None
    inverse: bool = False

    def values(self, shapes: Shapes, rows: NDArray[np.int64]) -> NDArray[np.float64]:
        """Its value in each of these lines."""
        found = shapes.values(rows, self.numeral)
        if self.over is None and not self.inverse and self.scale == 1.0:
            return found
        with np.errstate(all="ignore"):
            if self.over is not None:
                found = found / shapes.values(rows, self.over)
            if self.inverse:
                found = 1.0 / found
            return found * self.scale


class Plan(Struct, frozen=True):
    """How every line of a shape is read."""

    dialect: str
    measures: Sequence[Measure]
    axes: Mapping[Role, Numeral]
    moment: Moment | None
    is_setting: bool

    @property
    def keys(self) -> tuple[str, ...]:
        """The metrics' keys."""
        return tuple(measure.key for measure in self.measures)


class _Judged(Struct, frozen=True):
    """What is known of a shape: the runs that are part of names, and the plan for each way these are filled in."""

    fixed: tuple[int, ...] = ()
    plans: dict[tuple[int, ...], Plan | None] = field(default_factory=dict)


_TEXT = _Judged((), {(): None})
"""Lines that say nothing."""


class _Memory(Struct):
    """Shapes judged before, in any source; it starts anew when it is full."""

    shapes: dict[bytes, _Judged] = field(default_factory=dict)
    size: int = 0

    def room(self) -> None:
        """Count one more plan."""
        self.size += 1
        if self.size > _MOST_KEPT:
            self.shapes.clear()
            self.size = 0


_KEPT = _Memory()


def plans_of(shapes: Shapes) -> Iterator[tuple[Plan, NDArray[np.int64]]]:
    """The plans of a chunk, each with the numbers of its lines in ascending order."""
    marked = _marked(shapes)
    index = {shape: code for code, shape in enumerate(dict.fromkeys(marked))}
    codes = np.fromiter(map(index.__getitem__, marked), np.int64, len(shapes))
    order = np.argsort(codes, kind="stable")
    bounds = np.searchsorted(codes[order], np.arange(len(index) + 1)).tolist()
    for shape, code in index.items():
        if _is_mere_text(shape):
            continue
        yield from _plans_of_shape(shapes, shape, order[bounds[code] : bounds[code + 1]])


def _marked(shapes: Shapes) -> Sequence[bytes]:
    """The shapes, those of lines with a very long run of digits marked as others."""
    long = np.flatnonzero(shapes.length >= _LONG_RUN)
    if not len(long):
        return shapes.shapes
    marked = list(shapes.shapes)
    for i in np.unique(np.searchsorted(shapes.first, long, side="right") - 1).tolist():
        marked[i] += b"\x1f"
    return marked


def _is_mere_text(shape: bytes) -> bool:
    return b"0" not in shape and b"nan" not in (lower := shape.lower()) and b"inf" not in lower


def _plans_of_shape(shapes: Shapes, shape: bytes, rows: NDArray[np.int64]) -> Iterator[tuple[Plan, NDArray[np.int64]]]:
    judged = _KEPT.shapes.get(shape)
    if judged is None:
        judged = _judge(shapes, int(rows[0]))
        if len(shape) <= _LONGEST_KEPT:
            _KEPT.room()
            _KEPT.shapes[shape] = judged
    for names, same in _by_names(shapes, rows, judged.fixed) if judged.fixed else [((), rows)]:
        if names not in judged.plans:
            _KEPT.room()
            judged.plans[names] = _plan_of(shapes, int(same[0]))[1]
        if (plan := judged.plans[names]) is not None:
            yield plan, same


def _judge(shapes: Shapes, i: int) -> _Judged:
    """Read the first line of a shape."""
    reading, plan = _plan_of(shapes, i)
    if reading is None:
        return _TEXT
    runs = enumerate(_runs(shapes, i))
    fixed = tuple(run for run, column in runs if any(start <= column < end for start, end in reading.names))
    values, lengths = shapes.runs(np.array([i]), fixed)
    return _Judged(fixed, {(*values[0].tolist(), *lengths[0].tolist()): plan})


def _plan_of(shapes: Shapes, i: int) -> tuple[Reading | None, Plan | None]:
    line = shapes.line(i).decode("latin-1")
    reading = read_line(line)
    return reading, _compile(reading, line, _runs(shapes, i)) if reading and reading.found else None


def _runs(shapes: Shapes, i: int) -> list[int]:
    """The columns at which a line's runs of digits begin."""
    columns: list[int] = (shapes.runs_of(i) - shapes.line_start[i]).tolist()
    return columns


def _by_names(
    shapes: Shapes, rows: NDArray[np.int64], fixed: tuple[int, ...]
) -> Iterator[tuple[tuple[int, ...], NDArray[np.int64]]]:
    """The lines by the names they spell."""
    values, lengths = shapes.runs(rows, fixed)
    table = np.hstack((values, lengths))
    if (table == table[0]).all():
        yield tuple(table[0].tolist()), rows
        return
    unique, inverse = np.unique(table, axis=0, return_inverse=True)
    inverse = inverse.ravel()
    order = np.argsort(inverse, kind="stable")
    bounds = np.searchsorted(inverse[order], np.arange(len(unique) + 1)).tolist()
    for i, names in enumerate(unique.tolist()):
        yield tuple(names), rows[order[bounds[i] : bounds[i + 1]]]


def _compile(reading: Reading, line: str, runs: Sequence[int]) -> Plan:
    """Turn spans of characters into runs of digits."""
    measures: dict[str, Measure] = {}
    axes: dict[Role, Numeral] = {}
    moment = moment_of(line, runs, MOMENT.search(line, 0, _MOMENT_WITHIN))
    for item in reading.found:
        numeral = _numeral(line, item.span, runs)
        if numeral is None:
            continue
        if item.role == "moment":
            moment = moment or Moment(number=numeral)
        elif item.role == "metric":
            measures[item.key] = _measure(item, numeral, line, runs)
        else:
            axes[item.role] = numeral
    if "epoch" in axes and ("step" in axes or "position" in axes):
        measures.setdefault("epoch", Measure("epoch", axes["epoch"]))
    return Plan(reading.dialect, tuple(measures.values()), axes, moment, reading.is_setting)


def _measure(item: Found, numeral: Numeral, line: str, runs: Sequence[int]) -> Measure:
    over = _numeral(line, item.over, runs) if item.over is not None else None
    return Measure(_shared(item.key), numeral, item.scale, over, item.inverse)


def _numeral(line: str, span: Span, runs: Sequence[int]) -> Numeral | None:
    return numeral_of(line[slice(*span)], span[0], runs)


@lru_cache(maxsize=4096)
def _shared(key: str) -> str:
    """One string for a key, however many shapes have it."""
    return key
