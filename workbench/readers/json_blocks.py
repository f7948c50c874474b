"""Many plain JSON lines at once: decoded into typed records and turned into columns several times faster."""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Literal

import msgspec
import numpy as np

from workbench.readers.blocks import Block, Odd, axis_of, bound_together, take, whole_steps
from workbench.readers.lines import MAX_LINE, Lines
from workbench.readers.rows import Rows

if TYPE_CHECKING:
    from numpy.typing import NDArray

BLOCK = 1024
"""Lines decoded together: one odd line makes its whole block take the slow way."""
_SMALLEST = 8
_MOST_FIELDS = 512
_PATIENCE = 3

Kind = Literal["step", "axis", "needed", "float", "text", "bool"]
"""A field's type: an int64 step, a float that must be whole, a float that must be there, a float, a string, a boolean.
"""


@dataclass(slots=True)
class Shape:
    """The keys that this chunk's lines have had so far, and their types; blocks are decoded by it."""

    kinds: dict[str, Kind] = field(default_factory=dict)
    usable: bool = True
    failures: int = 0

    def learn(
        self, record: Mapping[str, Any], numbers: Mapping[str, float | int], texts: Mapping[str, str | bool]
    ) -> None:
        """Add a row's keys; nested rows cannot be read in blocks."""
        if not self.usable or (numbers.keys() <= self.kinds.keys() and texts.keys() <= self.kinds.keys()):
            return
        nested = any(type(value) is dict for value in record.values())
        self.usable = not nested and len(self.kinds) + len(numbers) + len(texts) <= _MOST_FIELDS
        for key in numbers:
            self.kinds.setdefault(key, "float")
        for key, value in texts.items():
            self.kinds.setdefault(key, "bool" if isinstance(value, bool) else "text")


@dataclass(frozen=True, slots=True)
class _Plan:
    """A decoder of lines with these fields: floats first, then texts, booleans, and the step at last."""

    decode_lines: Any
    floats: tuple[str, ...]
    others: tuple[str, ...]
    attribute: Mapping[str, str]
    axis: str | None


@functools.lru_cache(maxsize=64)
def _plan(kinds: tuple[tuple[str, Kind], ...]) -> _Plan:
    """Make the record type; a float that is absent is NaN, which JSON cannot spell."""
    types: dict[Kind, tuple[Any, ...]] = {
        "step": (int,), "axis": (float,), "needed": (float,), "float": (float | None, math.nan),
        "text": (str | None, None), "bool": (bool | None, None),
    }  # fmt: skip
    order: dict[Kind, int] = {"float": 0, "needed": 0, "axis": 0, "text": 1, "bool": 1, "step": 2}
    fields = sorted(kinds, key=lambda item: order[item[1]])
    attribute = {name: f"f{i}" for i, (name, _) in enumerate(fields)}
    record = msgspec.defstruct(
        "Line",
        [(attribute[name], *types[kind]) for name, kind in fields],
        rename={short: name for name, short in attribute.items()},
        kw_only=True,
        gc=False,
        forbid_unknown_fields=True,
    )
    return _Plan(
        msgspec.json.Decoder(record).decode_lines,
        tuple(name for name, kind in fields if kind in ("float", "needed", "axis")),
        tuple(name for name, kind in fields if kind in ("text", "bool")),
        attribute,
        next((name for name, kind in fields if kind in ("axis", "step")), None),
    )


_KINDS: Mapping[type, Kind] = {float: "float", int: "float", str: "text", bool: "bool"}


def read_block(rows: Rows, lines: Lines, first: int, last: int, shape: Shape) -> bool:
    """Read lines first to last - 1 at once if all are plain; otherwise change nothing and return False."""
    if last - first < _SMALLEST or shape.failures > _PATIENCE or not _one_object_a_line(lines, first, last):
        return False
    try:
        plan = _plan(_kinds(rows, lines, first, shape))
        records = plan.decode_lines(lines.stretch(first, last))
        if len(records) != last - first:
            raise Odd
        _take(rows, lines, first, records, plan)
    except (Odd, msgspec.MsgspecError, ValueError, RecursionError, OverflowError):
        shape.failures += 1
        return False
    rows.accept(last - first)
    shape.failures = 0
    return True


def _one_object_a_line(lines: Lines, first: int, last: int) -> bool:
    """Every line opens with `{` and closes with `}`, so that no object can reach over a line's end.

    `}` newline `{` occurs between objects only: together with the count of objects it makes them one a line.
    """
    starts, ends = lines.starts[first:last], lines.ends[first:last]
    if (ends - starts).max() > MAX_LINE or (ends - starts).min() < 2:
        return False
    closing = lines.view[ends - 1]
    if (closing == 13).any():
        closing = np.where(closing == 13, lines.view[ends - 2], closing)
    return bool((lines.view[starts] == 123).all() and (closing == 125).all())


def _kinds(rows: Rows, lines: Lines, first: int, shape: Shape) -> tuple[tuple[str, Kind], ...]:
    """The fields to decode: keys seen so far and those of the first line, the axis typed as such."""
    sample = msgspec.json.decode(lines.raw(first))
    for key, value in sample.items():
        kind = _KINDS.get(type(value))
        if value is not None and (kind is None or shape.kinds.setdefault(key, kind) != kind):
            raise Odd
    kinds: dict[str, Kind] = {**dict.fromkeys(sample, "float"), **shape.kinds}
    if not shape.usable or len(kinds) > _MOST_FIELDS:
        raise Odd
    axis = axis_of(rows, kinds)
    for key in (*bound_together(kinds), *([axis] if axis else [])):
        if sample.get(key) is None or kinds[key] not in ("float", "needed"):
            raise Odd
        kinds[key] = "needed"
    if axis is not None:
        kinds[axis] = "step" if type(sample[axis]) is int else "axis"
    return tuple(kinds.items())


def _take(rows: Rows, lines: Lines, first: int, records: Sequence[Any], plan: _Plan) -> None:
    n = len(records)
    matrix = _matrix(records, plan)
    texts = {name: list(map(attrgetter(plan.attribute[name]), records)) for name in plan.others}
    block = Block(plan.floats, matrix, ~np.isnan(matrix), texts, lines.starts[first : first + n])
    steps = None
    if plan.axis is not None:
        floats = block.column(plan.axis)
        if floats is None:
            steps = np.fromiter(map(attrgetter(plan.attribute[plan.axis]), records), np.int64, n)
        else:
            steps = whole_steps(floats)
    take(rows, block, plan.axis, steps)


def _matrix(records: Sequence[Any], plan: _Plan) -> NDArray[np.float64]:
    """The float fields of n records as (n, k)."""
    n, k = len(records), len(plan.floats)
    if k == 0:
        return np.empty((n, 0))
    shorts = [plan.attribute[name] for name in plan.floats]
    if k == 1:
        return np.fromiter(map(attrgetter(shorts[0]), records), np.float64, n).reshape(n, 1)
    if plan.others:
        return np.fromiter(chain.from_iterable(map(attrgetter(*shorts), records)), np.float64, n * k).reshape(n, k)
    width = len(plan.attribute)
    values = chain.from_iterable(map(msgspec.structs.astuple, records))
    return np.fromiter(values, np.float64, n * width).reshape(n, width)[:, :k]
