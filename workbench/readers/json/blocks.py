"""Many plain JSON lines at once: decoded into typed records and turned into columns several times faster."""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Literal

import msgspec
import numpy as np
from msgspec import Struct, field

from workbench.readers.blocks import Block, Odd, axis_of, bound_together, take, whole_steps
from workbench.readers.lines import MAX_LINE, Lines
from workbench.readers.rows import Rows

if TYPE_CHECKING:
    from numpy.typing import NDArray

BLOCK = 1024
"""Lines decoded together: one odd line makes its whole block take the slow way."""
_SMALLEST = 8
_MOST_FIELDS = 512
_DEEPEST = 4
"""Objects within objects that a block is decoded to."""
_PATIENCE = 3

Kind = Literal["step", "axis", "needed", "float", "text", "bool"]
"""A field's type: an int64 step, a float that must be whole, a float that must be there, a float, a string, a boolean.
"""


Path = tuple[str, ...]
"""Names from the top of an object to a leaf."""


class Shape(Struct):
    """The keys that this chunk's lines have had so far, where they stand, and their types; blocks are decoded by it."""

    kinds: dict[str, Kind] = field(default_factory=dict)
    paths: dict[str, Path] = field(default_factory=dict)
    usable: bool = True
    failures: int = 0

    def learn(
        self, record: Mapping[str, Any], numbers: Mapping[str, float | int], texts: Mapping[str, str | bool]
    ) -> None:
        """Add a row's keys."""
        if not self.usable or (numbers.keys() <= self.kinds.keys() and texts.keys() <= self.kinds.keys()):
            return
        self.usable = len(self.kinds) + len(numbers) + len(texts) <= _MOST_FIELDS
        found = {key: path for key, path, _ in _leaves(record)}
        for key in numbers:
            self._add(key, found.get(key), "float")
        for key, value in texts.items():
            self._add(key, found.get(key), "bool" if isinstance(value, bool) else "text")

    def _add(self, key: str, path: Path | None, kind: Kind) -> None:
        if path is None:
            self.usable = False  # a name beyond the depth that blocks are decoded to
        elif self.paths.setdefault(key, path) != path:
            self.usable = False  # `{"a/b": …}` and `{"a": {"b": …}}` are one key
        else:
            self.kinds.setdefault(key, kind)

    def fits(self, sample: Sequence[tuple[str, Path, Any]]) -> bool:
        """Whether a line's leaves are of the types known, which those of new keys become."""
        for key, path, value in sample:
            kind = _KINDS.get(type(value))
            if self.paths.setdefault(key, path) != path:
                return False
            if value is not None and (kind is None or self.kinds.setdefault(key, kind) != kind):
                return False
        return self.usable


def _leaves(record: Mapping[str, Any], path: Path = ()) -> Iterator[tuple[str, Path, Any]]:
    """Key, path and value of what a record holds, nested keys joined by `/`; an empty or deep object is a leaf."""
    for name, value in record.items():
        if type(value) is dict and value and len(path) < _DEEPEST:
            yield from _leaves(value, (*path, name))
        else:
            yield "/".join((*path, name)), (*path, name), value


class _Plan(Struct, frozen=True):
    """A decoder of lines with these fields: floats first, then texts, booleans, and the step at last."""

    decode_lines: Any
    floats: tuple[str, ...]
    others: tuple[str, ...]
    attribute: Mapping[str, str]
    axis: str | None
    nested: bool


_TYPES: Mapping[Kind, tuple[Any, ...]] = {
    "step": (int,), "axis": (float,), "needed": (float,), "float": (float | None, math.nan), "text": (str | None, None),
    "bool": (bool | None, None),
}  # fmt: skip
"""A float that is absent is NaN, which JSON cannot spell."""
_ORDER: Mapping[Kind, int] = {"float": 0, "needed": 0, "axis": 0, "text": 1, "bool": 1, "step": 2}


@functools.lru_cache(maxsize=64)
def _plan(kinds: tuple[tuple[str, Kind, Path], ...]) -> _Plan:
    """Make the record type of lines with these keys."""
    fields = sorted(kinds, key=lambda item: _ORDER[item[1]])
    attribute: dict[str, str] = {}
    leaves = {path: (key, _TYPES[kind]) for key, kind, path in fields}
    record = _record(leaves, (), "", attribute)
    return _Plan(
        msgspec.json.Decoder(record).decode_lines,
        tuple(key for key, kind, _ in fields if kind in ("float", "needed", "axis")),
        tuple(key for key, kind, _ in fields if kind in ("text", "bool")),
        attribute,
        next((key for key, kind, _ in fields if kind in ("axis", "step")), None),
        any(len(path) > 1 for path in leaves),
    )


def _record(leaves: Mapping[Path, tuple[str, Any]], at: Path, prefix: str, attribute: dict[str, str]) -> Any:
    """The type of the object at a path; `attribute` takes the attribute of each key below it.

    Raises:
        Odd: a name is both a leaf and an object.
    """
    fields: list[Any] = []
    rename: dict[str, str] = {}
    groups: dict[str, list[Path]] = {}
    for path in leaves:
        groups.setdefault(path[len(at)], []).append(path)
    for i, (name, paths) in enumerate(groups.items()):
        short = f"f{i}"
        rename[short] = name
        if (*at, name) in leaves:
            if len(paths) > 1:
                raise Odd
            key, kind = leaves[*at, name]
            attribute[key] = prefix + short
            fields.append((short, *kind))
        else:
            inner = _record({path: leaves[path] for path in paths}, (*at, name), f"{prefix}{short}.", attribute)
            needed = any(len(leaves[path][1]) == 1 for path in paths)
            fields.append((short, inner) if needed else (short, inner, msgspec.field(default_factory=inner)))
    return msgspec.defstruct("Line", fields, rename=rename, kw_only=True, gc=False, forbid_unknown_fields=True)


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


def _kinds(rows: Rows, lines: Lines, first: int, shape: Shape) -> tuple[tuple[str, Kind, Path], ...]:
    """The fields to decode: keys seen so far and those of the first line, the axis typed as such."""
    leaves = list(_leaves(msgspec.json.decode(lines.raw(first))))
    sample = {key: value for key, _, value in leaves}
    if not shape.fits(leaves):
        raise Odd
    kinds: dict[str, Kind] = {**dict.fromkeys(sample, "float"), **shape.kinds}
    if len(kinds) > _MOST_FIELDS:
        raise Odd
    axis = axis_of(rows, kinds)
    for key in (*bound_together(kinds), *([axis] if axis else [])):
        if sample.get(key) is None or kinds[key] not in ("float", "needed"):
            raise Odd
        kinds[key] = "needed"
    if axis is not None:
        kinds[axis] = "step" if type(sample[axis]) is int else "axis"
    return tuple((key, kind, shape.paths[key]) for key, kind in kinds.items())


def _take(rows: Rows, lines: Lines, first: int, records: Sequence[Any], plan: _Plan) -> None:
    n = len(records)
    matrix = _matrix(records, plan)
    texts = {name: list(map(attrgetter(plan.attribute[name]), records)) for name in plan.others}
    block = Block(plan.floats, matrix, ~np.isnan(matrix), texts, lines.places[first : first + n])
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
    if plan.others or plan.nested:
        return np.fromiter(chain.from_iterable(map(attrgetter(*shorts), records)), np.float64, n * k).reshape(n, k)
    width = len(plan.attribute)
    values = chain.from_iterable(map(msgspec.structs.astuple, records))
    return np.fromiter(values, np.float64, n * width).reshape(n, width)[:, :k]
