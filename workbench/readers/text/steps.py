"""Where each line of a text log stands: by its own step, by its place in an epoch, or by what was said before it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from msgspec import Struct
from msgspec.structs import replace

from workbench.readers.text.found import Role
from workbench.readers.text.plan import Plan
from workbench.readers.text.shapes import Shapes

if TYPE_CHECKING:
    from numpy.typing import NDArray

Group = tuple[Plan, "NDArray[np.int64]"]
_MOST_REMEMBERED = 256
_LARGEST = 2**31
"""Epochs and steps of an epoch beyond which their product is no step."""


class Place(Struct, frozen=True):
    """Where the last line before a stretch stood; None is unknown."""

    step: int | None = None
    """The last step of a line with metrics."""
    said: int | None = None
    """The last step of any line, such as a heading."""
    epoch: int | None = None
    base: int | None = None
    """Number of the first epoch: 0 or 1."""
    bars: int = 0
    """Where the longest bare progress bar ends."""
    total: int | None = None
    """Steps planned, where a line told."""
    count: int = 0
    """How often the metrics came, where nothing else tells a step."""
    seen: tuple[str, ...] = ()
    """Keys that came since the last count."""

    def dump(self) -> dict[str, Any]:
        """The state that travels to the next stretch."""
        told = {"step": self.step, "said": self.said, "epoch": self.epoch, "base": self.base, "bars": self.bars,
                "total": self.total, "count": self.count, "seen": list(self.seen)}  # fmt: skip
        return {key: value for key, value in told.items() if value not in (None, 0, [])} | {
            key: value for key, value in told.items() if value == 0 and key in ("step", "said", "epoch", "base")
        }

    @staticmethod
    def load(state: Mapping[str, Any]) -> Place:
        """The place from a state."""
        return Place(**{**state, "seen": tuple(state.get("seen", ()))}) if state else Place()


class Steps(Struct):
    """The steps of a stretch's n lines, and the place behind them."""

    step: NDArray[np.int64]
    place: Place


class _Axis(Struct):
    """Whole numbers that some of n lines carry."""

    value: NDArray[np.int64]
    here: NDArray[np.bool_]

    @classmethod
    def of(cls, n: int) -> _Axis:
        return cls(np.zeros(n, np.int64), np.zeros(n, np.bool_))

    def fill(self, shapes: Shapes, groups: Sequence[Group], role: Role, *, measured: bool | None = None) -> _Axis:
        """Take a role's numbers from the lines that have it; `measured` takes those with metrics alone."""
        for plan, rows in groups:
            numeral = plan.axes.get(role)
            if numeral is not None and (not measured or plan.measures):
                self.value[rows], self.here[rows] = shapes.integers(rows, numeral)
        return self

    def carried(self, before: int | None) -> _Axis:
        """The number in force at each line: its own, else that of the last line that has one."""
        latest = np.maximum.accumulate(np.where(self.here, np.arange(len(self.here)), -1))
        known = latest >= 0
        value = np.where(known, self.value[np.maximum(latest, 0)], 0 if before is None else before)
        return _Axis(value, known | (before is not None))


def resolve(shapes: Shapes, groups: Sequence[Group], place: Place) -> Steps:
    """The step of every line: its own, that of the last line that had one, its epoch, or how often its keys came."""
    n = len(shapes)
    epoch = _Axis.of(n).fill(shapes, groups, "epoch")
    base = place.base
    if base is None and epoch.here.any():
        base = min(max(int(epoch.value[np.flatnonzero(epoch.here)[0]]), 0), 1)
    epochs = epoch.carried(place.epoch)
    bars = _bars(shapes, groups, place)
    own = _Axis.of(n).fill(shapes, groups, "step", measured=True)
    _within(shapes, groups, own, epochs, base or 0)
    own.value = np.where(bars.here & ~own.here, bars.value, own.value)
    own.here |= bars.here
    said = _Axis.of(n).fill(shapes, groups, "step")
    steps, said_steps = own.carried(place.step), said.carried(place.said)
    step = np.where(steps.here, steps.value, np.where(epochs.here, epochs.value, said_steps.value))
    here = steps.here | epochs.here | said_steps.here
    counted = _count(groups, here, step, place)
    behind = replace(
        counted, step=_last(steps), said=_last(said_steps), epoch=_last(epochs), base=base,
        bars=_most(shapes, groups, "bars", place.bars),
        total=_total(shapes, groups, epochs, base or 0, _last(steps) is None) or place.total,
    )  # fmt: skip
    return Steps(step, behind)


def _last(axis: _Axis) -> int | None:
    return int(axis.value[-1]) if len(axis.here) and axis.here[-1] else None


def _within(shapes: Shapes, groups: Sequence[Group], own: _Axis, epochs: _Axis, base: int) -> None:
    """Turn a position in an epoch into a step of the whole training, where the line has no step of its own."""
    for plan, rows in groups:
        if "position" not in plan.axes or "total" not in plan.axes or ("step" in plan.axes and plan.measures):
            continue
        position, is_whole = shapes.integers(rows, plan.axes["position"])
        total, fits = shapes.integers(rows, plan.axes["total"])
        before = np.where(epochs.here[rows], epochs.value[rows] - base, 0)
        good = is_whole & fits & (before < _LARGEST) & (before >= 0) & (total < _LARGEST) & (position < 2**62)
        own.value[rows] = np.where(good, np.where(good, before, 0) * np.where(good, total, 0) + position, 0)
        own.here[rows] = good & bool(plan.measures)


def _bars(shapes: Shapes, groups: Sequence[Group], place: Place) -> _Axis:
    """Positions of the longest bare bar so far: shorter ones are those of evaluations."""
    n = len(shapes)
    at, end = _Axis.of(n).fill(shapes, groups, "bar"), _Axis.of(n).fill(shapes, groups, "bars")
    if end.here.any():
        longest = np.maximum(np.maximum.accumulate(np.where(end.here, end.value, 0)), place.bars)
        at.here &= end.here & (end.value >= longest)
    return at


def _most(shapes: Shapes, groups: Sequence[Group], role: Role, known: int) -> int:
    axis = _Axis.of(len(shapes)).fill(shapes, groups, role)
    return max(known, int(axis.value[axis.here].max())) if axis.here.any() else known


def _total(shapes: Shapes, groups: Sequence[Group], epochs: _Axis, base: int, by_epoch: bool) -> int | None:
    """How many steps are planned: as told, as epochs times the steps of one, or as epochs where they are the axis."""
    if told := _most(shapes, groups, "steps", 0):
        return told
    planned = _most(shapes, groups, "epochs", 0)
    each = 0
    for plan, rows in groups:
        if "total" in plan.axes and plan.measures and "step" not in plan.axes:
            each = int(shapes.integers(rows[-1:], plan.axes["total"])[0][0])
    if planned and planned < _LARGEST and each < _LARGEST:
        return planned * each if each else planned if by_epoch else None
    bars = _most(shapes, groups, "bars", 0)
    return bars if bars and any("bar" in plan.axes and plan.measures for plan, _ in groups) else None


def _count(groups: Sequence[Group], here: NDArray[np.bool_], step: NDArray[np.int64], place: Place) -> Place:
    """Number the lines that nothing gives a step to: one more whenever a key comes again."""
    keys: dict[int, tuple[str, ...]] = {}
    for plan, rows in groups:
        if plan.measures and not plan.is_setting:
            counted = tuple(key for key in plan.keys if not key.endswith("epoch"))
            keys.update(dict.fromkeys(rows[~here[rows]].tolist(), counted))
    count, seen = place.count, set(place.seen)
    for i in sorted(keys):
        if not seen.isdisjoint(keys[i]) or len(seen) > _MOST_REMEMBERED:
            count += 1
            seen.clear()
        seen.update(keys[i])
        step[i] = count
    return replace(place, count=count, seen=tuple(sorted(seen)))
