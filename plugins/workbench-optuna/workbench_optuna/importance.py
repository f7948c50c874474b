"""What each parameter does to an objective: by ranks at once, and by a forest's variances in a process of its own.

Ranks need nothing but the trials. The forest is fitted to the trials; of its prediction over the space that was
searched, each parameter's share of variance by itself is taken, as functional analysis of variance does (Hutter et
al. 2014): the variance of its prediction by that parameter, averaged over all others.
"""

from __future__ import annotations

import math
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from workbench_optuna.model import Importance, Importances, Study, Trial
from workbench_optuna.ranking import complete, losses

FOREST_FROM = 16
"""Complete trials from which on a forest is fitted."""
PATIENCE = 20.0
"""Seconds after which the forest is given up."""
_LEAST_EXPLAINED = 0.1
"""Of the variance of trials the forest has not seen: below, its shares say nothing."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Table:
    """What the worker is asked: rows of codes, a column a parameter, and one value each."""

    columns: Sequence[Sequence[float]]
    """[params][trials]; numbers by rank, choices as codes."""
    values: Sequence[float]


@dataclass(frozen=True, slots=True)
class Shares:
    """What the worker answers."""

    shares: Sequence[float] = ()
    explained: float | None = None
    problem: str = ""


Ask = Callable[[Sequence[Table]], Sequence[Shares]]
"""Fits a forest to each table."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """What is known before a forest is fitted, and what it is to be fitted to."""

    known: Importances
    table: Table | None = None


def importances(study: Study, objective: int, ask: Ask | None = None) -> Importances:
    """Every parameter that varied, the most important for one objective first; `ask` fits the forest."""
    return importances_of([prepared(study, objective)], ask)[0]


def importances_of(prepared: Sequence[Prepared], ask: Ask | None = None) -> list[Importances]:
    """Importances of several objectives, all of their forests fitted by one process."""
    tables = [each.table for each in prepared if each.table is not None]
    answers = iter((ask or asked_worker)(tables) if tables else ())
    return [each.known if each.table is None else _with_shares(each.known, next(answers)) for each in prepared]


def prepared(study: Study, objective: int) -> Prepared:
    """What ranks tell of one objective, and the table for its forest where there are trials enough."""
    trials = complete(study)
    values = losses(study, trials)[:, objective] if trials else np.empty(0)
    finite = np.isfinite(values)
    trials = [trial for trial, kept in zip(trials, finite, strict=True) if kept]
    values = values[finite]
    name = study.objectives[objective]
    columns = {param: column for param in study.params if (column := _coded(param, trials, values)) is not None}
    if len(trials) < 3 or not columns or values.min() == values.max():
        return Prepared(Importances(name, (), len(trials), None, _too_little(len(trials), columns)))
    sign = 1.0 if study.directions[objective] == "minimize" else -1.0
    found = [
        Importance(param, _correlation(param, trials, sign * values), _strength_of(param, column, trials, values))
        for param, column in columns.items()
    ]
    if len(trials) < FOREST_FROM:
        found.sort(key=lambda each: -(each.strength or 0.0))
        return Prepared(Importances(name, found, len(trials), None, f"a forest needs {FOREST_FROM} complete trials"))
    table = Table([column.tolist() for column in columns.values()], values.tolist())
    return Prepared(Importances(name, found, len(trials)), table)


def _with_shares(known: Importances, answer: Shares) -> Importances:
    """Importances in their order, with the forest's shares if it can be believed."""
    remark = answer.problem
    if not remark and (answer.explained is None or answer.explained < _LEAST_EXPLAINED):
        remark = "a forest does not foretell trials it has not seen"
    if remark:
        found = sorted(known.params, key=lambda each: -(each.strength or 0.0))
        return Importances(known.objective, found, known.trials, answer.explained, remark)
    pairs = zip(known.params, answer.shares, strict=True)
    shared = [Importance(each.param, each.rank, each.strength, share) for each, share in pairs]
    shared.sort(key=lambda each: -(each.share or 0.0))
    return Importances(known.objective, shared, known.trials, answer.explained)


def asked_worker(tables: Sequence[Table]) -> Sequence[Shares]:
    """The shares of each table, from one process of its own: scikit-learn stays out of this one."""
    command = [sys.executable, "-m", "workbench_optuna.worker"]
    try:
        done = subprocess.run(
            command, input=msgspec.json.encode(tables), capture_output=True, timeout=PATIENCE, check=False
        )
    except subprocess.TimeoutExpired:
        return [Shares(problem=f"the forest took longer than {PATIENCE:.0f} s")] * len(tables)
    if done.returncode:
        words = (done.stderr.decode(errors="replace").strip() or "it said nothing").splitlines()[-1]
        problem = f"the forest's process ended with exit code {done.returncode}: {words}"
        return [Shares(problem=problem)] * len(tables)
    return msgspec.json.decode(done.stdout, type=list[Shares])


def _too_little(trials: int, columns: Mapping[str, Any]) -> str:
    if trials < 3:
        return "importance needs 3 complete trials"
    return "no parameter varied" if not columns else "every trial has the same value"


def is_number(value: Any) -> bool:
    """Whether a parameter's value is a number rather than a choice."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_numeric(param: str, trials: Sequence[Trial]) -> bool:
    return all(is_number(trial.params[param]) for trial in trials if param in trial.params)


def _coded(param: str, trials: Sequence[Trial], values: Floats) -> Floats | None:
    """A parameter as numbers in an order that means something; None where it did not vary.

    Numbers as their ranks, choices in the order of their mean value. A trial that does not have it gets the middle one:
    that it was not there is the doing of the parameter it hangs on.
    """
    told = [trial.params.get(param) if param in trial.params else None for trial in trials]
    has = np.array([param in trial.params for trial in trials], dtype=bool)
    if _is_numeric(param, trials):
        numbers = np.array([float(value) if value is not None else math.nan for value in told])
        has &= np.isfinite(numbers)
        codes = np.full(len(trials), math.nan)
        codes[has] = np.unique(numbers[has], return_inverse=True)[1]
    else:
        by_choice: dict[str, list[float]] = {}
        for value, own, objective in zip(told, has, values, strict=True):
            if own:
                by_choice.setdefault(repr(value), []).append(float(objective))
        order = sorted(by_choice, key=lambda choice: (float(np.mean(by_choice[choice])), choice))
        place = {choice: float(at) for at, choice in enumerate(order)}
        codes = np.array([place[repr(value)] if own else math.nan for value, own in zip(told, has, strict=True)])
    known = codes[~np.isnan(codes)]
    if len(np.unique(known)) < 2:
        return None
    return np.where(np.isnan(codes), np.sort(known)[len(known) // 2], codes)


def _correlation(param: str, trials: Sequence[Trial], values: Floats) -> float | None:
    """Spearman's correlation of a number with the objective as it was told, over trials that have it."""
    if not _is_numeric(param, trials):
        return None
    has = np.array([is_number(trial.params.get(param)) for trial in trials], dtype=bool)
    numbers = np.array([float(trial.params[param]) for trial, own in zip(trials, has, strict=True) if own])
    return _pearson(_ranks(numbers), _ranks(values[has]))


def _strength_of(param: str, column: Floats, trials: Sequence[Trial], values: Floats) -> float:
    """The strength over the trials that have the parameter."""
    has = np.array([param in trial.params for trial in trials], dtype=bool)
    return _strength(column[has], values[has])


def _strength(codes: Floats, values: Floats) -> float:
    """0..1: how far the value's ranks follow the parameter; the larger of a straight and of a grouped relation.

    Groups are the parameter's values, or eight stretches of them; what chance gives to so many groups is taken off.
    """
    ranks = _ranks(values)
    straight = abs(_pearson(_ranks(codes), ranks) or 0.0)
    order = np.unique(codes, return_inverse=True)[1]
    groups = order if order.max() < 8 else (_ranks(codes) - 1) // max(len(codes) / 8, 1)
    n, k = len(ranks), len(np.unique(groups))
    total = float(((ranks - ranks.mean()) ** 2).sum())
    if total == 0 or n <= k:
        return straight
    within = sum(float(((ranks[groups == g] - ranks[groups == g].mean()) ** 2).sum()) for g in np.unique(groups))
    explained = 1 - (within / (n - k)) / (total / (n - 1))
    return max(straight, math.sqrt(max(explained, 0.0)))


def _pearson(x: Floats, y: Floats) -> float | None:
    if len(x) < 3 or x.std() == 0 or y.std() == 0:
        return None
    return float(np.clip(np.corrcoef(x, y)[0, 1], -1.0, 1.0))


def _ranks(values: Floats) -> Floats:
    """Ranks from 1 on, equal values sharing the mean of theirs."""
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    return np.asarray((ends - (counts - 1) / 2)[place], np.float64)
