"""Since when: stretches of windows in which a series stands elsewhere than before, dated."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Literal

import numpy as np
from msgspec import Struct
from msgspec.structs import replace

from workbench.core.changes import ALPHA, Change, find_changes
from workbench.monitor.since_series import WindowSeries

Sense = Literal["worse", "better", "changed"]

_BACK = 0.35
"""A level that keeps no more than this of the first jump is the old one again."""

_KIN_ALPHA = 0.05


class Episode(Struct, frozen=True):
    """A stretch from one change to the window in which it was over."""

    series: WindowSeries
    change: Change
    until: int | None
    """The place of the first window that is as before; None while it goes on."""
    before: float
    after: float
    """Levels in the series' own unit."""
    sense: Sense

    @property
    def at(self) -> int:
        """The place of its first window."""
        return self.change.at

    @property
    def since(self) -> float:
        """Start of its first window, seconds since 1970."""
        return self.series.windows[self.at].start

    @property
    def ended(self) -> float | None:
        """Start of the first window in which it was over."""
        return None if self.until is None else self.series.windows[self.until].start

    @property
    def off(self) -> int:
        """By how many windows the date may be wrong, with 95 %."""
        return max(self.at - self.change.low, self.change.high - self.at)

    @property
    def effect(self) -> float:
        """How far it moved, in standard deviations of a window."""
        moved = abs(self.change.after - self.change.before)
        return moved / self.change.noise if self.change.noise > 0 else math.inf

    def overlaps(self, other: Episode) -> bool:
        """Whether both may have begun in one window; dates are a window apart at most."""
        return self.change.low - 1 <= other.at <= self.change.high + 1 or abs(self.at - other.at) <= 1


def episodes(series: WindowSeries, alpha: float = ALPHA) -> list[Episode]:
    """Every stretch in which a series stood elsewhere than before it, oldest first."""
    changes = find_changes(series.judged, series.weights, alpha=alpha)
    lasting = [change for change in changes if change.shape != "spike"]
    found = [*_lasting(series, lasting), *_alone(series, changes)]
    return sorted(found, key=lambda episode: episode.at)


def with_kin(found: Sequence[Episode], every: Sequence[WindowSeries]) -> list[Episode]:
    """Episodes, and those of their kin that are surely of the same date once that date is known.

    A series that is too noisy for a change of its own is a witness where another of its kind changed: it is asked with
    less caution, and only what begins then, goes the same way and ends alike is believed.
    """
    known = {episode.series.subject for episode in found}
    kin = [
        episode
        for series in every
        if series.subject not in known and any(each.series.kind == series.kind for each in found)
        for episode in episodes(series, _KIN_ALPHA)
    ]
    return [*found, *(each for each in kin if any(_alike(each, one) and one.overlaps(each) for one in found))]


def _alike(one: Episode, other: Episode) -> bool:
    return (one.series.kind, one.sense, one.until is None) == (other.series.kind, other.sense, other.until is None)


def _lasting(series: WindowSeries, changes: Sequence[Change]) -> Iterator[Episode]:
    """Steps and slopes: one that goes back ends the one before it, one that goes on is part of it."""
    going: Change | None = None
    for change in changes:
        if going is None:
            going = change
            continue
        jump, now = going.after - going.before, change.after - going.before
        if abs(now) <= max(_BACK * abs(jump), change.noise):
            yield _episode(series, going, change.at)
            going = None
        elif now * jump < 0:
            yield _episode(series, going, change.at)
            going = replace(change, before=going.before)
        elif abs(now) >= abs(jump) * (1 + 1 / _BACK):
            # Far worse than it was: the newest jump is what asks for attention.
            yield _episode(series, going, change.at)
            going = change
        else:
            going = replace(going, after=change.after)
    if going is not None:
        yield _episode(series, going, None)


def _alone(series: WindowSeries, changes: Sequence[Change]) -> Iterator[Episode]:
    """Windows that stood out by themselves; the newest one may be the first of several."""
    newest = series.newest
    for change in changes:
        if change.shape == "spike":
            yield _episode(series, change, None if change.at == newest else change.at + 1)


def _episode(series: WindowSeries, change: Change, until: int | None) -> Episode:
    before, after = (_in_unit(series, level) for level in (change.before, change.after))
    if series.direction is None or after == before:
        sense: Sense = "changed"
    else:
        sense = "better" if (after > before) == (series.direction == "higher") else "worse"
    return Episode(series, change, until, before, after, sense)


def _in_unit(series: WindowSeries, level: float) -> float:
    return float(np.exp(level)) if series.logarithmic else level
