"""Parallel coordinates: an upright axis a parameter and one an objective, a line a trial."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench.plugin.api import Line, Lines
from workbench_optuna.importance import is_number
from workbench_optuna.model import Study, Trial
from workbench_optuna.ranking import best_first, losses, pareto_front

BEST = 5
"""Best trials drawn."""
MOST_AXES = 8
_WIDE = 30.0
"""Largest by smallest value from which on a positive number's axis is logarithmic."""


def coordinates(study: Study, params: Sequence[str], most: int = 15) -> tuple[Lines, Sequence[str]] | None:
    """The best trials over some of the others, and what each axis stands for; None where there is nothing.

    The best are the front where there are several objectives; `most` of the others are spread evenly over them. Axes
    are scaled to 0..1: numbers by their range, logarithmically where that is wide, choices evenly. The last ones are
    the objectives, the better the higher.
    """
    best, rest = _chosen(study)
    axes = list(params)[: MOST_AXES - len(study.objectives)]
    if len(best) + len(rest) < 2 or not axes:
        return None
    others = [rest[at * len(rest) // most] for at in range(most)] if len(rest) > most else rest
    trials = [*best, *others]
    scaled = [_scaled([trial.params.get(name) for trial in trials]) for name in axes]
    heights = [column for column, _ in scaled]
    heights += [_objective(study, trials, at) for at in range(len(study.objectives))]
    table, n = np.stack(heights, axis=1), len(best)
    name = f"{len(others)} others" if len(others) == len(rest) else f"{len(others)} of {len(rest)} others"
    front = "Pareto front" if len(study.objectives) > 1 else f"best {n}" if n > 1 else "best"
    lines = [_polylines(*group) for group in ((name, table[n:], 7), (front, table[:n], 2)) if len(group[1])]
    told = [*(words for _, words in scaled), *("better is higher" for _ in study.objectives)]
    names = [*axes, *study.objectives]
    words = [f"{at} {name}: {each}" for at, (name, each) in enumerate(zip(names, told, strict=True), 1)]
    marks = [(float(at), name) for at, name in enumerate(names, 1)]
    return Lines(lines, "Parallel coordinates", "", "", marks=marks), words


def _chosen(study: Study) -> tuple[Sequence[Trial], Sequence[Trial]]:
    """The best trials and the rest, of those that are complete."""
    if len(study.objectives) > 1:
        front = pareto_front(study)
        rest = [trial for trial in best_first(study) if trial not in front]
        return [front[at * len(front) // BEST] for at in range(BEST)] if len(front) > BEST else front, rest
    trials = best_first(study)
    n = min(BEST, len(trials) // 2)
    return trials[:n], trials[n:]


def _polylines(name: str, rows: NDArray[np.float64], color: int) -> Line:
    """Many trials as one line: a point that is nowhere breaks it between them, and an axis a trial lacks is skipped."""
    x: list[float] = []
    y: list[float] = []
    for row in rows:
        known = np.flatnonzero(np.isfinite(row))
        x += [*(known + 1.0).tolist(), math.nan]
        y += [*row[known].tolist(), float(row[known[-1]])]
    return Line(name, np.array(x), np.array(y), color=color)


def _scaled(values: Sequence[Any]) -> tuple[NDArray[np.float64], str]:
    """Values of one parameter as heights 0..1, NaN where a trial does not have it, and what the axis says."""
    known = [value for value in values if value is not None]
    if known and all(is_number(value) for value in known):
        return _scaled_numbers(values)
    choices = sorted({str(value) for value in known})
    place = {choice: at / max(len(choices) - 1, 1) for at, choice in enumerate(choices)}
    heights = [math.nan if value is None else place[str(value)] for value in values]
    shown = ", ".join(choices[:4]) + (", …" if len(choices) > 4 else "")
    return np.array(heights), f"from below {shown}"


def _scaled_numbers(values: Sequence[Any]) -> tuple[NDArray[np.float64], str]:
    numbers = np.array([math.nan if value is None else float(value) for value in values])
    low, high = float(np.nanmin(numbers)), float(np.nanmax(numbers))
    words = f"{low:.4g} to {high:.4g}"
    if low > 0 and high / low >= _WIDE:
        numbers, low, high = np.log(numbers), math.log(low), math.log(high)
        words += ", logarithmic"
    return (numbers - low) / (high - low) if high > low else np.where(np.isnan(numbers), numbers, 0.5), words


def _objective(study: Study, trials: Sequence[Trial], objective: int) -> NDArray[np.float64]:
    """The objective as heights by rank, the best on top: values may be infinite, and a few bad ones hide the rest."""
    values = losses(study, trials)[:, objective]
    order = np.unique(values, return_inverse=True)[1].astype(np.float64)
    return np.asarray(1 - order / max(order.max(), 1.0), np.float64)
