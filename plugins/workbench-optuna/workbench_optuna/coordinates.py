"""Parallel coordinates: an upright axis a parameter and one for the objective, a line a trial."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench.plugin.api import Line, Lines
from workbench_optuna.importance import is_number
from workbench_optuna.model import Study, Trial
from workbench_optuna.ranking import best_first, losses

MOST_TRIALS = 200
MOST_AXES = 8
_BEST = 0.1
"""Share of the trials that is drawn as the best."""
_WIDE = 30.0
"""Largest by smallest value from which on a positive number's axis is logarithmic."""


def coordinates(study: Study, params: Sequence[str], objective: int = 0) -> tuple[Lines, Sequence[str]] | None:
    """The best tenth of the trials over the others, and what each axis stands for; None where there is nothing.

    Axes are scaled to 0..1: numbers by their range, logarithmically where that is wide, choices evenly. The last one
    is the objective, the better the higher.
    """
    trials = best_first(study, objective)[:MOST_TRIALS]
    axes = list(params)[: MOST_AXES - 1]
    if len(trials) < 2 or not axes:
        return None
    scaled = [_scaled([trial.params.get(name) for trial in trials]) for name in axes]
    heights = [column for column, _ in scaled]
    heights.append(_objective(study, trials, objective))
    table = np.stack(heights, axis=1)
    n = max(1, math.ceil(_BEST * len(trials)))
    groups = [(f"the other {len(trials) - n}", table[n:], 7), (f"best {n}", table[:n], 2)]
    lines = [_polylines(name, rows, color) for name, rows, color in groups if len(rows)]
    words = [f"{at + 1} {name}: {told}" for at, (name, (_, told)) in enumerate(zip(axes, scaled, strict=True))]
    words.append(f"{len(axes) + 1} {study.objectives[objective]}: better is higher")
    marks = [(float(at + 1), name) for at, name in enumerate([*axes, study.objectives[objective]])]
    return Lines(lines, "Parallel coordinates", "", "", marks=marks), words


def _polylines(name: str, rows: NDArray[np.float64], color: int) -> Line:
    """Many trials as one line, broken between them."""
    n, axes = rows.shape
    y = np.concatenate([rows, np.full((n, 1), math.nan)], axis=1).ravel()
    x = np.tile(np.arange(1, axes + 2, dtype=np.float64), n)
    x[axes :: axes + 1] = axes
    return Line(name, x, y, color=color)


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
