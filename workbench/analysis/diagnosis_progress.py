"""Runs that go on without getting anywhere: plateaus, and a model that learns its training set by heart."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from workbench.analysis.diagnosis_curves import Course, Floats, middle, running_median, spread
from workbench.core import units
from workbench.core.model import Finding
from workbench.core.roles import words_of
from workbench.core.timely import sureness

TRAINING = frozenset({"train", "training"})
VALIDATION = frozenset({"val", "valid", "validation", "eval", "evaluation", "dev", "test", "testing", "holdout"})
_AXES = frozenset({"epoch", "step", "batch", "iter", "mean", "avg"})
_LONG = 48
"""Blocks without which nothing is called a plateau."""
_NOTHING = 0.03
"""Share of what was won before that may still come without being progress."""
_BARELY = 0.04
"""Share of what there is to win below which a metric has never improved."""
_LEFT = 0.25
"""Share of the first value that must be left: what is nearer to perfect has arrived rather than stopped."""
_TOP = 0.1
"""Up to which distance from 1 an accuracy or its like has arrived at the top."""
_AFTER = 6
"""Values after the best one without which nothing is called overfitting."""


# Plateaus


def plateaued(course: Course) -> Finding | None:
    """A metric that stopped improving in the first quarter, or never began, though much is left to win.

    It must be certain that nothing comes: where noise could hide progress, nothing is said.
    """
    blocks = course.blocks
    m = len(blocks)
    if m < _LONG:
        return None
    first, second, last = blocks[: max(2, m // 16)], blocks[m // 4 : m // 2], blocks[3 * m // 4 :]
    began, end = float(np.max(first)), middle(last)
    won = began - middle(second)
    scale = _room(course, end)
    if middle(second) - end >= _NOTHING * won and (scale is None or abs(middle(first) - end) > _BARELY * scale):
        return None
    error = _error(np.concatenate([second, last]), len(second) + len(last))
    to_come = middle(second) - end + 2.0 * error
    if won > max(4.0 * error, 4.0 * course.noise):
        return _stopped(course, won, to_come, end) if to_come < _NOTHING * won and _left(course, began, end) else None
    flat = blocks[m // 8 :]
    gained = middle(first) - end + 2.0 * _error(flat, len(flat))
    if scale is None or gained > _BARELY * scale or abs(middle(first) - end) > _BARELY * scale:
        return None
    return _never_began(course, middle(first), end, gained / (_BARELY * scale))


def _error(blocks: Floats, n: int) -> float:
    """Standard error of the median of half of the blocks, those that follow one another being alike."""
    residuals = blocks - running_median(blocks, 9)
    centred = blocks - middle(blocks)
    total = float(centred @ centred)
    rho = float(centred[1:] @ centred[:-1]) / total if total > 0 else 0.0
    rho = min(max(rho, 0.0), 0.9)
    sigma = max(spread(centred), spread(residuals))
    return 1.25 * sigma * math.sqrt((1 + rho) / (1 - rho)) * math.sqrt(2.0 / max(n / 2, 1.0))


def _bounded(course: Course) -> bool:
    """Whether a metric lies between 0 and 1, 1 being perfect."""
    return course.curve.roles.direction == "higher" and bool(np.all((course.y <= 0) & (course.y >= -1.0)))


def _left(course: Course, began: float, end: float) -> bool:
    """Whether much is left to win; not where nobody can know."""
    if course.curve.roles.direction == "higher":
        return _bounded(course) and (1 + end) >= max(_LEFT * (1 + began), _TOP)
    if course.is_log:
        return math.exp(end - began) >= _LEFT
    return float(course.y.min()) >= 0 and end >= _LEFT * began


def _room(course: Course, end: float) -> float | None:
    """How much there is to win where nothing has been won; None where that is unknown or little."""
    if course.curve.roles.direction == "higher":
        return 1 + end if _bounded(course) and 1 + end > _TOP else None
    if course.is_log or float(course.y.min()) < 0:
        return None
    return end if end > 0.05 else None


def _stopped(course: Course, won: float, to_come: float, end: float) -> Finding:
    level = course.level
    place = course.where(int(np.argmax(level <= end + 0.05 * won)))
    step, wall = course.curve.at(place)
    steps = int(course.curve.step[course.place[-1]]) - step
    value = course.shown(end)
    said = f"{course.curve.key} has not improved since step {step:,}: {units.number(value)} for {steps:,} steps"
    evidence = {
        "step": step, "value": value, "steps": steps, "won_before": won, "to_come_at_most": max(to_come, 0.0),
        "noise": course.noise, "unit": course.curve.roles.unit,
    }  # fmt: skip
    sure = sureness(_NOTHING * won / max(to_come, 1e-3 * won))
    return Finding("plateaued", course.curve.key, "info", said, wall, None, sure, evidence)


def _never_began(course: Course, began: float, end: float, share: float) -> Finding:
    step, wall = course.curve.at(course.where(0))
    steps = int(course.curve.step[course.place[-1]]) - step
    first, now = course.shown(began), course.shown(end)
    said = (
        f"{course.curve.key} has never improved: {units.number(first)} at step {step:,},"
        f" {units.number(now)} {steps:,} steps later"
    )
    evidence = {"step": step, "first": first, "value": now, "steps": steps, "noise": course.noise}
    sure = sureness(1.0 / max(share, 0.1))
    return Finding("plateaued", course.curve.key, "warn", said, wall, None, sure, evidence)


# Overfitting


def pairs(courses: Sequence[Course]) -> list[tuple[Course, Course]]:
    """(training, validation) courses of one metric, found by their names: `train/loss` and `val_loss`."""
    by_name: dict[tuple[str, ...], dict[str, Course]] = {}
    for each in courses:
        words = words_of(each.curve.key)
        split = "val" if VALIDATION & set(words) else "train"
        name = tuple(sorted(set(words) - VALIDATION - TRAINING - _AXES))
        sides = by_name.setdefault(name, {})
        named = bool((VALIDATION | TRAINING) & set(words))
        if split not in sides or named:
            sides[split] = each
    return [(sides["train"], sides["val"]) for sides in by_name.values() if len(sides) == 2]


def overfitting(train: Course, val: Course) -> Finding | None:
    """Validation that worsens beyond its noise since its best value, while training goes on improving."""
    level = val.level
    m = len(level)
    if m < _AFTER + 4:
        return None
    best = int(np.argmin(level[1:])) + 1
    after = val.blocks[best + 1 :]
    if len(after) < _AFTER:
        return None
    low, end = float(level[best]), middle(after[-max(3, len(after) // 4) :])
    rise, won = end - low, max(float(val.blocks[0]) - low, 0.0)
    swing = float(np.max(level[:best] - np.minimum.accumulate(level[:best]))) if best > 1 else 0.0
    noise = max(_jitter(val.blocks), val.noise)
    wanted = max(4.0 * noise, 0.1 * won, 2.0 * swing, 0.3 * val.telling)
    if rise < wanted or not wanted or _chance_of_rise(after) > 1e-3:
        return None
    step, wall = val.curve.at(val.where(best))
    gained = _gained_since(train, step)
    if gained is None:
        return None
    before, now = gained
    best_value, end_value = val.shown(low), val.shown(end)
    better = "fell" if train.curve.roles.direction == "lower" else "rose"
    worse = "rose" if val.curve.roles.direction == "lower" else "fell"
    number = units.number
    said = (
        f"overfitting since step {step:,}: {val.curve.key} {worse} from {number(best_value)} to {number(end_value)}"
        f" while {train.curve.key} {better} from {number(before)} to {number(now)}"
    )
    evidence = {
        "step": step, "before": best_value, "after": end_value, "noise": noise, "train": train.curve.key,
        "train_before": before, "train_after": now, "best_step": step, "unit": val.curve.roles.unit,
    }  # fmt: skip
    return Finding("overfitting", val.curve.key, "warn", said, wall, None, sureness(rise / wanted), evidence)


def _jitter(y: Floats) -> float:
    """Noise of single values, told by how they differ from the middle of their neighbours."""
    if len(y) < 5:
        return 0.0
    return spread(y[1:-1] - (y[2:] + y[:-2]) / 2) / math.sqrt(1.5)


@lru_cache(maxsize=128)
def _later(n: int) -> NDArray[np.bool_]:
    """Which columns of n come after their row."""
    return np.triu(np.ones((n, n), np.bool_), 1)


def _chance_of_rise(y: Floats) -> float:
    """One-sided p-value of Kendall's test that values rise in their order."""
    n = len(y)
    s = float(np.sign(y[None, :] - y[:, None])[_later(n)].sum())
    if n <= 7:  # few orders: all of them would have to be this sorted
        return 1 / math.factorial(n) if s >= n * (n - 1) / 2 else 1.0
    sigma = math.sqrt(n * (n - 1) * (2 * n + 5) / 18)
    return 0.5 * math.erfc((s - 1) / sigma / math.sqrt(2))


def _gained_since(train: Course, step: int) -> tuple[float, float] | None:
    """Training's level at a step and at its end, if it improved beyond its noise in between."""
    steps = train.curve.step[train.place[train.edges[:-1]]]
    at = int(np.searchsorted(steps, step))
    m = len(train.blocks)
    around = train.blocks[max(0, at - 2) : at + 3]
    last = train.blocks[-max(3, (m - at) // 4) :]
    if m - at < 4 or not len(around):
        return None
    gained = middle(around) - middle(last)
    error = 1.25 * train.noise * math.sqrt(1 / len(around) + 1 / len(last))
    if gained < max(3.0 * error, 0.02 * max(float(train.blocks[0] - middle(last)), 0.0), 1e-12):
        return None
    return train.shown(middle(around)), train.shown(middle(last))
