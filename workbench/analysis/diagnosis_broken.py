"""Values that are no numbers, losses that diverged, and spikes: what went wrong at one step."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from workbench.analysis.diagnosis_curves import (
    NEIGHBOURS,
    Course,
    Curve,
    Floats,
    middle,
    running_median,
    spread,
    spreads,
)
from workbench.core import units
from workbench.core.model import Finding
from workbench.core.roles import words_of
from workbench.core.timely import sureness

_GRADIENT = frozenset({"grad", "gradnorm", "gradient", "gradients"})
_RATE = frozenset({"lr", "learning"})
_BEFORE = 60
"""Points before the break in which its cause is sought."""
_LEAST = 12
"""Blocks without which nothing is called diverged."""


# NaN and infinity


def not_finite(curve: Curve, others: Sequence[Curve] = ()) -> Finding | None:
    """A loss that is NaN or infinite, now or for a while; of other metrics, only if their newest three values are."""
    is_loss = curve.roles.kind == "performance" and curve.roles.direction == "lower"
    if not curve.broken or not (is_loss or curve.roles.kind == "performance" or _GRADIENT & set(words_of(curve.key))):
        return None
    finite = np.isfinite(curve.value)
    ends_so = not finite[-1]
    if not is_loss and (not ends_so or finite[-3:].any() or not finite.any()):
        return None
    if not finite.any():
        return _never_finite(curve) if is_loss else None
    if ends_so:
        return _broken_for_good(curve, others, "bad" if is_loss else "warn")
    return _broken_before(curve)


def _word(curve: Curve) -> str:
    values = curve.value[~np.isfinite(curve.value)]
    if not len(values) or np.isnan(values[-1]):
        return "NaN"
    return "inf" if values[-1] > 0 else "-inf"


def _never_finite(curve: Curve) -> Finding:
    step, wall = curve.at(0)
    said = f"{curve.key} is {_word(curve)} from its first value on, at step {step:,}"
    return Finding("not-finite", curve.key, "bad", said, wall, None, None, {"step": step, "values": curve.broken})


def _broken_for_good(curve: Curve, others: Sequence[Curve], severity: str) -> Finding:
    last = int(np.flatnonzero(np.isfinite(curve.value))[-1])
    step, wall = curve.at(last + 1)
    if curve.broken_from is not None:
        step = curve.broken_from
    before, value = int(curve.step[last]), float(curve.value[last])
    said = f"{curve.key} is {_word(curve)} since step {step:,}; {units.number(value)} at step {before:,}"
    cause = _cause(step, others)
    evidence = {
        "step": step, "last_finite_step": before, "before": value, "values": curve.broken, **cause.numbers,
    }  # fmt: skip
    sentence = said + (f"; {cause.words}" if cause.words else "")
    return Finding("not-finite", curve.key, severity, sentence, wall, None, None, evidence)  # type: ignore[arg-type]


def _broken_before(curve: Curve) -> Finding:
    """Values that came back: said, but over."""
    broken = np.flatnonzero(~np.isfinite(curve.value))
    if not len(broken):  # hidden in a bucket
        place = int(np.searchsorted(curve.step, curve.broken_from or 0))
        broken = np.array([min(place, len(curve.step) - 2)])
    step, wall = curve.at(int(broken[0]))
    back, until = curve.at(min(int(broken[-1]) + 1, len(curve.step) - 1))
    times = f"{curve.broken:,} values of" if curve.broken > 1 else "one value of"
    said = f"{times} {curve.key} {'were' if curve.broken > 1 else 'was'} {_word(curve)}, the first at step {step:,}"
    evidence = {"step": step, "last_step": int(curve.step[broken[-1]]), "back_at": back, "values": curve.broken}
    return Finding("not-finite", curve.key, "warn", f"{said}; finite again", wall, _over(until, wall), None, evidence)


class _Cause(Struct, frozen=True):
    words: str
    numbers: dict[str, object]


def _cause(step: int, others: Sequence[Curve]) -> _Cause:
    """What rose before a break: the norm of the gradients tenfold; and the learning rate there."""
    words: list[str] = []
    numbers: dict[str, object] = {}
    for other in others:
        named = set(words_of(other.key))
        end = int(np.searchsorted(other.step, step))
        recent = other.value[max(0, end - _BEFORE) : end + 1]
        recent = recent[np.isfinite(recent)]
        if _GRADIENT & named and len(recent) >= 10:
            usual, peak = middle(recent[:-3]), float(np.max(recent[-4:]))
            if usual > 0 and peak > 10 * usual:
                words.append(f"{other.key} had risen from {units.number(usual, 3)} to {units.number(peak, 3)}")
                numbers["gradient"] = {"key": other.key, "usual": usual, "peak": peak}
        elif _RATE & named and len(recent) and "learning_rate" not in numbers:
            words.append(f"{other.key} was {units.number(float(recent[-1]), 3)}")
            numbers["learning_rate"] = float(recent[-1])
    return _Cause(", ".join(words[:2]), numbers)


# Divergence


def diverged(course: Course) -> Finding | None:
    """A metric that lost half of what it had won, or rose where it had won nothing, and did not come back.

    Swings that came back before excuse another one: only what goes beyond them and lasts is told.
    """
    level, noise = course.level, course.noise
    m = len(level)
    if m < _LEAST:
        return None
    tail = max(3, m // 12)
    best = int(np.argmin(level))
    low, end = float(level[best]), middle(course.blocks[-tail:])
    rise, won = end - low, max(middle(course.blocks[:2]) - low, 0.0)
    wanted = max(0.5 * won, 8.0 * noise, course.telling)
    if rise < wanted or not wanted:
        return None
    halfway = low + 0.5 * rise
    onset = m - int(np.argmax(level[::-1] <= halfway))
    settled = int(np.argmax(level <= low + 0.25 * rise))
    if m - onset < max(3, m // 20) or onset <= settled or bool(np.any(level[settled:onset] > halfway)):
        return None
    left = onset - int(np.argmax(level[:onset][::-1] <= low + max(0.05 * rise, 2.0 * noise)))
    step, wall = course.curve.at(course.where(min(left, m - 1)))
    before, after = course.shown(middle(level[settled:left])), course.shown(end)
    now_worst = course.shown(float(course.blocks[left:].max()))
    verb = "collapsed" if course.curve.roles.direction == "higher" else "diverged"
    said = (
        f"{course.curve.key} {verb} at step {step:,}: {units.number(course.shown(low))} at best,"
        f" {units.number(after)} now"
    )
    evidence = {
        "step": step, "best": course.shown(low), "best_step": int(course.curve.step[course.where(best)]),
        "before": before, "after": after, "worst": now_worst, "noise": noise, "unit": course.curve.roles.unit,
    }  # fmt: skip
    return Finding("diverged", course.curve.key, "bad", said, wall, None, sureness(rise / wanted), evidence)


# Spikes


def spiked(course: Course) -> Finding | None:
    """Single values far beyond anything the metric does otherwise, in the bad direction, and back again."""
    curve, y = course.curve, course.worst
    if (standing := _standing_out(course)) is None:
        return None
    usual, z, wanted, found = standing
    n, apart = len(y), y - usual
    events = np.split(found, np.flatnonzero(np.diff(found) > NEIGHBOURS) + 1)
    worst = int(found[np.argmax(apart[found])])
    event = next(each for each in events if each[0] <= worst <= each[-1])
    step, _ = curve.at(int(course.place[worst]))
    first, since = curve.at(int(course.place[events[0][0]]))
    back, until = curve.at(int(course.place[min(int(events[-1][-1]) + 1, n - 1)]))
    steps = int(curve.step[course.place[min(int(event[-1]) + 1, n - 1)]] - curve.step[course.place[event[0]]])
    before, peak = course.shown(float(usual[worst])), course.shown(float(y[worst]))
    times = "once" if len(events) == 1 else f"{len(events)} times, worst"
    word = "spiked" if curve.roles.direction == "lower" else "dropped"
    said = (
        f"{curve.key} {word} {times} at step {step:,}: {units.number(before)} → {units.number(peak)},"
        f" back within {units.number(steps)} steps"
    )
    evidence = {
        "step": step, "before": before, "after": peak, "times": len(events), "first_step": first, "last_step": back,
        "deviations": round(float(z[worst]), 1), "unit": curve.roles.unit,
    }  # fmt: skip
    sure = sureness(float(z[worst]) / wanted)
    return Finding("spiked", curve.key, "info", said, since, _over(until, since), sure, evidence)


def _standing_out(course: Course) -> tuple[Floats, Floats, float, NDArray[np.int64]] | None:
    """Medians of neighbours, deviations from them, the deviation that is wanted, and the places that have it."""
    y = course.worst
    n = len(y)
    if n < 40:
        return None
    telling = max(course.telling * (1.0 if course.is_log else 3.0), 0.25 * course.reach)
    if course.rise <= telling:
        return None
    usual = running_median(y, NEIGHBOURS)
    apart = y - usual
    if not (apart > telling).any():
        return None
    z = apart / _local_scale(apart)
    z[: max(5, n // 20)] = 0.0
    ranked = np.sort(z)[::-1]
    wanted = max(20.0, 5.0 * float(max(-z.min(), 0.0)), 3.0 * float(ranked[min(n - 1, n // 50 + 10)]))
    found = np.flatnonzero((z > wanted) & (apart > telling))
    found = found[found < n - NEIGHBOURS // 2]
    return (usual, z, wanted, found) if len(found) else None


def _local_scale(apart: Floats) -> Floats:
    """How far values usually are from their neighbours, where they are: noise shrinks as a loss falls."""
    count = max(1, min(16, len(apart) // 25))
    scales, lengths = spreads(apart, count)
    overall = spread(apart)
    scales = np.maximum(scales, [scales[max(0, at - 1) : at + 2].max() for at in range(count)])
    scales = np.maximum(scales, max(0.25 * overall, 1e-12 + 1e-9 * middle(np.abs(apart))))
    return np.repeat(scales, lengths)


def _over(until: float | None, since: float | None) -> float:
    """When it was over; NaN where points carry no times, since None would say that it goes on."""
    return until if until is not None else since if since is not None else math.nan
