"""What rows decoded together share, whatever their format: axis, clock, texts; equal in result to `Rows.row` each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from msgspec import Struct

from workbench.readers.attributes import MAX_ATTRIBUTE_TEXT, Text
from workbench.readers.keys import EPOCH_NAMES, WITHIN_EPOCH, number, plain_name
from workbench.readers.rows import Rows, bare

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Odd(Exception):
    """The block holds something that only the reader of single lines judges rightly."""


class Block(Struct, frozen=True):
    """n rows: numbers as a matrix (n, k) by name with what of it is there, texts by name, byte offsets in the chunk."""

    names: Sequence[str]
    matrix: NDArray[np.float64]
    present: NDArray[np.bool_]
    texts: Mapping[str, Sequence[Text | None]]
    offsets: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.offsets)

    def column(self, name: str) -> NDArray[np.float64] | None:
        """The numbers of a key, NaN where absent; None if it is no number."""
        return self.matrix[:, self.names.index(name)] if name in self.names else None


def axis_of(rows: Rows, names: Iterable[str]) -> str | None:
    """The key that every row of the block must have as its step; None when steps are carried over or counted."""
    roles = rows.roles(names)
    for name in roles.steps:
        if name not in rows.loose:
            return name
    if rows.last is None and roles.epoch and roles.epoch not in rows.loose:
        return roles.epoch
    return None


def bound_together(names: Iterable[str]) -> list[str]:
    """A batch number and its epoch: which of them is the axis depends on both being there."""
    plain = {name: plain_name(name) for name in names}
    within = [name for name in plain if plain[name] in WITHIN_EPOCH]
    epochs = [name for name in plain if plain[name] in EPOCH_NAMES]
    return [*within, *epochs] if within and epochs else []


def whole_steps(floats: NDArray[np.float64]) -> NDArray[np.int64]:
    """Steps that came as floats; `Odd` where one is missing, fractional, or too large to be exact."""
    if not (np.abs(floats) < 2**53).all() or not (np.floor(floats) == floats).all():
        raise Odd
    return floats.astype(np.int64)


def take(rows: Rows, block: Block, axis: str | None, steps: NDArray[np.int64] | None) -> None:
    """Add the block to the rows; `steps` belong to the key `axis`, None counts lines or carries the last step on."""
    _find_clock(rows, block)
    clock = rows.clock.key if rows.clock else None
    _check_texts(rows, block, clock)
    n = len(block)
    if steps is None:
        steps = np.arange(rows.line, rows.line + n) if rows.last is None else np.full(n, rows.last, np.int64)
    wall = _walls(rows, block)
    roles = rows.roles((*block.names, *block.texts))
    used = np.flatnonzero(block.present.any(axis=0)).tolist()
    kept = [i for i in used if block.names[i] not in (axis, clock)]
    if roles.logged:
        kept = [i for i in kept if bare({block.names[i]: 0.0})]
    if roles.naming in block.texts and roles.value in block.names:
        _take_named(rows, block, kept, (roles.naming or "", roles.value or ""), (steps, wall))
    else:
        _take_wide(rows, block, kept, (steps, wall))
    if axis is not None and plain_name(axis) not in EPOCH_NAMES:
        rows.last = int(steps[-1])
    named = roles.naming if roles.value in block.names else None
    for name, values in block.texts.items():
        rows.texts_of_block(name, values, block.offsets, wall, kept=not roles.logged and name not in (clock, named))


def _take_wide(
    rows: Rows, block: Block, kept: Sequence[int], axes: tuple[NDArray[np.int64], NDArray[np.float64]]
) -> None:
    """Every column is a metric."""
    names = [block.names[i] for i in kept]
    if not rows.room_for(names):
        raise Odd
    present = block.present[:, kept]
    rows.block(names, block.matrix[:, kept], None if present.all() else present, (*axes, block.offsets))


def _take_named(
    rows: Rows,
    block: Block,
    kept: Sequence[int],
    keys: tuple[str, str],
    axes: tuple[NDArray[np.int64], NDArray[np.float64]],
) -> None:
    """One metric a row, named by the text of the first key and valued by the number of the second."""
    naming, value = keys
    names = [name for name in block.texts[naming] if isinstance(name, str) and name]
    at = block.names.index(value)
    if len(names) < len(block) or kept != [at] or not block.present[:, at].all() or not rows.room_for(set(names)):
        raise Odd
    rows.long_block(names, block.matrix[:, at], (*axes, block.offsets))


def _find_clock(rows: Rows, block: Block) -> None:
    """Choose the clock from the block's first row, as `Rows.row` would; leave later finds to it."""
    if rows.clock is not None:
        return
    candidates = rows.roles((*block.names, *block.texts)).times
    for name in candidates:
        column = block.column(name)
        rows.find_clock(name, block.texts[name][0] if column is None else float(column[0]))
    if rows.clock is None and any(_has_moment(block, name) for name in candidates):
        raise Odd


def _has_moment(block: Block, name: str) -> bool:
    """Whether any value could be a moment: a number since 1990, a text with a digit."""
    column = block.column(name)
    if column is not None:
        return bool(np.any(column >= 6e8))
    return any(isinstance(text, str) and text[:1].isdigit() for text in block.texts[name])


def _check_texts(rows: Rows, block: Block, clock: str | None) -> None:
    """Texts that spell numbers, and long ones, are for the reader of single lines."""
    for name, values in block.texts.items():
        spelled = name in rows.attributes.words
        for value in set(values):
            if isinstance(value, bool) and name == clock:
                raise Odd
            if isinstance(value, str) and (
                len(value) > MAX_ATTRIBUTE_TEXT or (not spelled and number(value) is not None)
            ):
                raise Odd


def _walls(rows: Rows, block: Block) -> NDArray[np.float64]:
    clock = rows.clock
    n = len(block)
    if clock is None:
        return np.full(n, np.nan)
    if clock.key in block.texts:
        return np.fromiter(map(clock.seconds, block.texts[clock.key]), np.float64, n)
    column = block.column(clock.key)
    if column is None or clock.unit == "iso":
        return np.full(n, np.nan)
    return column / clock.per_second
