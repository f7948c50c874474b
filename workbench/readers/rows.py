"""From rows of numbers and texts to a batch: axes, clock, key limit, attributes, and what the next chunk must know."""

from __future__ import annotations

import functools
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.plugin.api import Batch, Points, Reject, no_points
from workbench.readers.attributes import MAX_ATTRIBUTES, Attributes, Text
from workbench.readers.key_index import KeyIndex
from workbench.readers.keys import BOOKKEEPING, UNIT_NAMES, Clock, Roles, moment_unit, plain_name, roles_of, whole

if TYPE_CHECKING:
    from numpy.typing import NDArray

EXCERPT = 4096


class Rows:
    """Gathers one chunk's rows; what it learns of the source travels in `state`, so that chunks may be cut anywhere."""

    def __init__(self, state: Mapping[str, Any], start: int) -> None:
        self.start = start
        """Byte offset of the chunk; offsets handed in are relative to it."""
        self.line = int(state.get("line", 0))
        """How many lines came before: the step of a row that has no other."""
        self.last: int | None = state.get("last")
        self.loose: list[str] = list(state.get("loose", ()))
        self.clock: Clock | None = Clock(*state["clock"]) if state.get("clock") else None
        self.accepted = 0
        self.rejects: list[Reject] = []
        self._keys = KeyIndex(state.get("keys", ""))
        self.attributes = Attributes(state)
        self._texts: list[str] = list(state.get("texts", ()))
        self._notes: list[str] = list(state.get("notes", ()))
        self._noted = False
        self._blocks: list[tuple[NDArray[Any], ...]] = []
        self._clear()

    def _clear(self) -> None:
        self._key: list[int] = []
        self._value: list[float | int] = []
        self._rows: list[tuple[int, int, float, int]] = []

    # Lines ----------------------------------------------------------------------------------------------------

    def accept(self, lines: int = 1) -> None:
        """Count lines as understood: those of rows, blank ones, comments."""
        self.accepted += lines
        self.line += lines

    def refuse(self, offset: int, raw: bytes, reason: str) -> None:
        """Keep a line that is not understood."""
        self.rejects.append(Reject(self.start + offset, len(raw), reason, bytes(raw[:EXCERPT])))
        self.line += 1

    def note(self, text: str) -> None:
        """Say something about the source, once."""
        if text not in self._notes:
            self._notes.append(text)
            self._noted = True

    def note_text_number(self, key: str) -> None:
        """Say that a key's texts are read as numbers, once a key."""
        if key not in self._texts and len(self._texts) < MAX_ATTRIBUTES:
            self._texts.append(key)
            self._noted = True

    def number_of(self, key: str, text: str) -> float | int | None:
        """The number that a key's text spells, None for keys that speak in words."""
        return self.attributes.number_of(key, text, self._keys.has)

    # Rows -----------------------------------------------------------------------------------------------------

    def roles(self, names: Iterable[str]) -> Roles:
        """`roles_of`, remembered: rows of a source, and sources of a project, repeat their keys."""
        names = tuple(names)
        return _roles(names) if len(names) <= 256 else roles_of(names)

    def row(self, offset: int, numbers: dict[str, float | int], texts: Mapping[str, Text]) -> str:
        """Take one row in, or say why not; `numbers` is used up. The caller then accepts or refuses the line."""
        roles = self.roles((*numbers, *texts) if texts else numbers)
        axis, step = self._step(roles, numbers)
        wall = self._wall(roles, numbers, texts)
        clock = self.clock.key if self.clock else None
        if axis is not None:
            del numbers[axis]
        else:
            self._drop_missing_steps(roles, numbers)
        if clock is not None:
            numbers.pop(clock, None)
        if roles.naming is not None:
            texts = self._name_value(roles, numbers, texts)
        if roles.logged:
            numbers, texts = bare(numbers), {}
        if not numbers.keys() <= self._keys.codes.keys() and (reason := self._keys.admit(numbers)):
            return reason
        self._key.extend(map(self._keys.codes.__getitem__, numbers))
        self._value.extend(numbers.values())
        self._rows.append((len(numbers), step, wall, self.start + offset))
        for key, text in texts.items():
            if key != clock:
                self.attributes.put(key, text, self.start + offset, wall)
        return ""

    def _name_value(
        self, roles: Roles, numbers: dict[str, float | int], texts: Mapping[str, Text]
    ) -> Mapping[str, Text]:
        """Give the value of a row of one metric the metric's name; the texts that are left."""
        name = texts.get(roles.naming or "")
        if not isinstance(name, str) or roles.value not in numbers:
            return texts
        numbers[name] = numbers.pop(roles.value)
        return {key: text for key, text in texts.items() if key != roles.naming}

    def _step(self, roles: Roles, numbers: Mapping[str, float | int]) -> tuple[str | None, int]:
        """The axis key (None where it is no key of this row) and the step."""
        for name in roles.steps:
            if (step := self._strict(name, numbers)) is not None:
                self.last = step
                return name, step
        if self.last is not None:
            return None, self.last
        if roles.epoch and (step := self._strict(roles.epoch, numbers)) is not None:
            return roles.epoch, step
        return None, self.line

    def _strict(self, name: str, numbers: Mapping[str, float | int]) -> int | None:
        """The key's value as a step; a key that once was fractional is a series from then on, not an axis."""
        value = numbers.get(name)
        if value is None or name in self.loose:
            return None
        step = whole(value)
        if step is None and not (isinstance(value, float) and math.isnan(value)):
            self.loose.append(name)
        return step

    def _drop_missing_steps(self, roles: Roles, numbers: dict[str, float | int]) -> None:
        """A step that is NaN says nothing: not where the row is, and not that training diverged."""
        for name in roles.steps:
            if name in numbers and name not in self.loose:
                del numbers[name]

    def _wall(self, roles: Roles, numbers: Mapping[str, float | int], texts: Mapping[str, Text]) -> float:
        for name in roles.times if self.clock is None else ():
            self.find_clock(name, numbers.get(name, texts.get(name)))
        if self.clock is None:
            return math.nan
        return self.clock.seconds(numbers.get(self.clock.key, texts.get(self.clock.key)))

    def find_clock(self, name: str, value: float | int | str | bool | None) -> None:
        """Take a key for the source's clock if this value of it is a moment."""
        if value is None or isinstance(value, bool) or self.clock is not None:
            return
        if unit := moment_unit(value):
            self.clock = Clock(name, unit)
            if unit not in ("iso", "s"):
                self.note(f"{name} read as {UNIT_NAMES[unit]} since 1970")

    # Blocks ---------------------------------------------------------------------------------------------------

    def room_for(self, names: Iterable[str]) -> bool:
        """Whether a block with these keys stays within the key limit; numbers them if so."""
        return not self._keys.admit(names)

    def block(
        self,
        names: Sequence[str],
        matrix: NDArray[np.float64],
        present: NDArray[np.bool_] | None,
        axes: tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.int64]],
    ) -> None:
        """Take n rows at once: matrix (n, k) of values, which of them are there, and (step, wall, offset) of n each."""
        self._flush()
        step, wall, offset = axes
        n, k = matrix.shape
        codes = np.fromiter(map(self._keys.codes.__getitem__, names), np.int32, k)
        if present is None:
            counts: int | NDArray[np.int64] = k
            key, value = np.tile(codes, n), matrix.ravel()
        else:
            counts = present.sum(axis=1)
            key, value = np.broadcast_to(codes, (n, k))[present], matrix[present]
        offset = offset + self.start
        self._blocks.append((key, np.repeat(step, counts), np.repeat(wall, counts), value, np.repeat(offset, counts)))

    def long_block(
        self,
        names: Sequence[str],
        values: NDArray[np.float64],
        axes: tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.int64]],
    ) -> None:
        """Take n values at once, each of the metric of that name, and (step, wall, offset) of n each."""
        self._flush()
        step, wall, offset = axes
        key = np.fromiter(map(self._keys.codes.__getitem__, names), np.int32, len(names))
        self._blocks.append((key, step, wall, values, offset + self.start))

    def texts_of_block(
        self,
        key: str,
        values: Sequence[Text | None],
        offset: NDArray[np.int64],
        wall: NDArray[np.float64],
        *,
        kept: bool,
    ) -> None:
        """Take the texts of n rows of one key, None or empty where there is none; `kept` as an attribute."""
        different = set(values) - {None, ""}
        for value in different:
            if isinstance(value, str):
                self.number_of(key, value)
        if different and kept:
            places = [i for i, value in enumerate(values) if value is not None and value != ""]
            last = places[-1]
            rows = len(places) if len(different) == 1 else 0
            self.attributes.put(key, values[last] or False, self.start + int(offset[last]), float(wall[last]), rows)

    def _flush(self) -> None:
        """Turn the rows gathered one by one into a block."""
        if not self._rows:
            return
        counts, steps, walls, offsets = zip(*self._rows, strict=True)
        try:
            value = np.array(self._value, np.float64)
        except OverflowError:
            value = np.array([_as_float(v) for v in self._value], np.float64)
        self._blocks.append((
            np.array(self._key, np.int32),
            np.repeat(np.array(steps, np.int64), counts),
            np.repeat(np.array(walls, np.float64), counts),
            value,
            np.repeat(np.array(offsets, np.int64), counts),
        ))  # fmt: skip
        self._clear()

    # The batch ------------------------------------------------------------------------------------------------

    def batch(self, consumed: int, extra: Mapping[str, Any]) -> Batch:
        """Everything gathered, with the state the next chunk starts from (`extra` is the format's own part)."""
        self._flush()
        facts = self.attributes.facts(self.note)
        return Batch(
            points=self._points(),
            facts=facts,
            rejects=self.rejects,
            accepted=self.accepted,
            consumed=consumed,
            state={**extra, **self._state()},
            message=self._message() if self._noted else "",
        )

    def _points(self) -> Points:
        if not sum(len(block[0]) for block in self._blocks):
            return no_points()
        columns = (
            self._blocks[0] if len(self._blocks) == 1 else list(map(np.concatenate, zip(*self._blocks, strict=True)))
        )
        return Points(tuple(self._keys.codes), *columns)

    def _message(self) -> str:
        strings = [f"strings read as numbers: {', '.join(self._texts)}"] if self._texts else []
        return "; ".join([*strings, *self._notes])

    def _state(self) -> dict[str, Any]:
        state: dict[str, Any] = {
            "line": self.line,
            "last": self.last,
            "loose": self.loose,
            "clock": [self.clock.key, self.clock.unit] if self.clock else None,
            "keys": self._keys.packed(),
            "texts": self._texts,
            "notes": self._notes,
            **self.attributes.state(),
        }
        return {key: value for key, value in state.items() if value not in (None, "", [], {})}


_roles = functools.lru_cache(maxsize=256)(roles_of)


def bare(numbers: Mapping[str, float | int]) -> dict[str, float | int]:
    """A logging library's line without the numbers that are about the line."""
    return {key: value for key, value in numbers.items() if plain_name(key) not in BOOKKEEPING}


def _as_float(value: float | int) -> float:
    """The value as float64, infinite where it is too large."""
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf
