"""Which trials are better: the best so far, the order by one objective, and the Pareto front of several."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from workbench_optuna.model import Direction, Study, Trial

Floats = NDArray[np.float64]


def losses(study: Study, trials: Sequence[Trial]) -> Floats:
    """Objective values [trials, objectives], turned so that less is better; NaN where there is none."""
    signs = np.array([1.0 if way == "minimize" else -1.0 for way in study.directions])
    rows = [[math.nan if value is None else value for value in trial.values] for trial in trials]
    return np.asarray(np.array(rows, np.float64).reshape(len(trials), len(study.objectives)) * signs, np.float64)


def complete(study: Study) -> list[Trial]:
    """Complete trials with a value for each objective; NaN is none."""
    return [
        trial
        for trial in study.trials
        if trial.state == "complete"
        and trial.values
        and all(value is not None and not math.isnan(value) for value in trial.values)
    ]


def best_first(study: Study, objective: int = 0) -> list[Trial]:
    """Complete trials by one objective, the best first, the earlier of equals first."""
    trials = complete(study)
    if not trials:
        return []
    return [trials[at] for at in np.argsort(losses(study, trials)[:, objective], kind="stable")]


def best_so_far(values: Sequence[float | None], direction: Direction) -> list[float]:
    """The best of all values up to each; NaN before the first. NaN is no value."""
    better = min if direction == "minimize" else max
    found: list[float] = []
    best = math.nan
    for value in values:
        if value is not None and not math.isnan(value):
            best = value if math.isnan(best) else better(best, value)
        found.append(best)
    return found


def pareto_front(study: Study) -> list[Trial]:
    """Complete trials that no other beats in one objective without losing in another, by the first objective."""
    trials = complete(study)
    if not trials:
        return []
    values = losses(study, trials)
    order = np.lexsort(values.T[::-1])
    front: list[int] = []
    for at in order:
        # In lexicographic order only trials before this one can beat it, and of those only the front's.
        before = values[front]
        beaten = (before <= values[at]).all(axis=1) & (before < values[at]).any(axis=1) if front else np.array([False])
        if not beaten.any():
            front.append(int(at))
    return [trials[at] for at in front]
