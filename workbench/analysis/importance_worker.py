"""Grows the forests of `workbench.analysis.importance`; reads what is asked as JSON on stdin, prints the answer."""

from __future__ import annotations

import json
import math
import os
import sys
from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench.core.compare_ranks import ranks

Floats = NDArray[np.float64]

_REPEATS, _FOLDS, _TREES, _SHUFFLES = 6, 5, 32, 4
_DRAWS = 5_000
_EXACT = 100
"""Runs up to which p-values come from permutations; beyond it the limit law is as good."""
_SEED = 20_240_229
_TOGETHER = 0.98


def main() -> int:
    """Print the result as JSON; anything that raises ends as one line for the process that started this one."""
    # So few runs are learnt faster by one thread than by several that wait for each other.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    try:
        print(json.dumps(work(json.load(sys.stdin))))  # noqa: T201 – what the process that started this one reads
    except Exception as error:  # noqa: BLE001 – whatever a foreign library raises ends as one line for the caller
        sys.stderr.write(f"{type(error).__name__}: {' '.join(str(error).split())[:500]}\n")
        return 1
    return 0


def work(asked: Mapping[str, Any]) -> dict[str, Any]:
    """Forest and ranks of every column against the target."""
    columns = asked["columns"]
    target = ranks(asked["target"])
    places = [np.array([math.nan if each is None else each for each in column["places"]]) for column in columns]
    losses, errors, explained = forest_losses(np.column_stack([filled(each) for each in places]), target)
    told = [
        _ranked(place, target, column["names"], bool(asked["higher"]))
        for place, column in zip(places, columns, strict=True)
    ]
    adjusted = holm([each["p"] for each in told])
    params = [
        {"key": column["key"], "loss": loss, "error": error, **each, "p": p}
        for column, loss, error, each, p in zip(columns, losses, errors, told, adjusted, strict=True)
    ]
    return {
        "params": params, "explained": explained, "runs": len(target),
        "together": _together([column["key"] for column in columns], places),
    }  # fmt: skip


def filled(column: Floats) -> Floats:
    """A column without gaps: a run that lacks the parameter gets a value of its own, below all others."""
    known = column[np.isfinite(column)]
    low, high = float(known.min()), float(known.max())
    return np.where(np.isfinite(column), column, low - (high - low) - 1.0)


def forest_losses(rows: Floats, target: Floats) -> tuple[list[float], list[float], float]:
    """What forests lose on unseen runs by each column shuffled, its standard error, and what they explain.

    rows: (n, p); target: (n,). Runs of the same settings are unseen together: a seed must not give another away.
    """
    n, p = rows.shape
    _, settings = np.unique(rows, axis=0, return_inverse=True)
    variance = float(target.var())
    squares, gains = np.zeros((_REPEATS, n)), np.zeros((_REPEATS, n, p))
    for repeat in range(_REPEATS):
        random = np.random.default_rng(_SEED + repeat)
        fold = _folds(settings.reshape(-1), random)
        for number in range(int(fold.max()) + 1):
            unseen = fold == number
            predict = _grown(rows[~unseen], target[~unseen], _SEED + repeat)
            shuffled = [rows[unseen], *_shuffled(rows, unseen, random)]
            guessed = predict(np.concatenate(shuffled)).reshape(len(shuffled), -1)
            lost = (guessed - target[unseen]) ** 2
            squares[repeat, unseen] = lost[0]
            gains[repeat, unseen] = (lost[1:].reshape(p, _SHUFFLES, -1).mean(axis=1) - lost[0]).T
    gains /= variance
    by_run, by_repeat = gains.mean(axis=0), gains.mean(axis=1)
    error = np.sqrt(by_run.var(axis=0, ddof=1) / n + by_repeat.var(axis=0, ddof=1) / _REPEATS)
    return by_run.mean(axis=0).tolist(), error.tolist(), float(1 - squares.mean() / variance)


def _folds(settings: NDArray[np.int64], random: np.random.Generator) -> NDArray[np.int64]:
    """A fold for each run; runs of the same settings are in the same one."""
    kinds = int(settings.max()) + 1
    fold: NDArray[np.int64] = (random.permutation(kinds) % min(_FOLDS, kinds))[settings]
    return fold


def _grown(rows: Floats, target: Floats, seed: int) -> Any:
    from sklearn.ensemble import RandomForestRegressor

    forest = RandomForestRegressor(n_estimators=_TREES, min_samples_leaf=1, max_features=0.6, random_state=seed)
    return forest.fit(rows, target).predict


def _shuffled(rows: Floats, unseen: NDArray[np.bool_], random: np.random.Generator) -> list[Floats]:
    """The unseen runs with one column after the other drawn anew from all runs, several times each."""
    made = []
    for column in range(rows.shape[1]):
        for _ in range(_SHUFFLES):
            copy = rows[unseen].copy()
            copy[:, column] = random.choice(rows[:, column], len(copy))
            made.append(copy)
    return made


def _ranked(places: Floats, target: Floats, names: Sequence[str], higher: bool) -> dict[str, Any]:
    """The rank correlation of one column, its interval and its p-value; of names the share they explain."""
    known = np.isfinite(places)
    n = int(known.sum())
    order = ranks(target[known])
    order -= order.mean()
    best = _best_name(places[known], order, names, higher) if names else ""
    around = None if names else _best_number(places[known], order, higher)
    nothing = {"rank": None, "rank_low": None, "rank_high": None, "p": None, "n": n, "best": best, "around": around}
    if n < 4 or not order.any() or len(np.unique(places[known])) < 2:
        return nothing
    if len(names) > 2:
        return {**nothing, **_of_names(places[known].astype(np.int64), order)}
    side = ranks(places[known])
    side -= side.mean()
    scale = math.sqrt(float(side @ side) * float(order @ order))
    rho = float(np.clip(side @ order / scale, -1.0, 1.0))
    chance = None if n > _EXACT else np.abs(_permuted(order) @ side) / scale
    p = math.erfc(abs(rho) * math.sqrt((n - 1) / 2)) if chance is None else _tail(chance, abs(rho))
    low, high = (None, None) if names else _interval(rho, n)
    return {**nothing, "rank": rho, "rank_low": low, "rank_high": high, "p": p}


def _of_names(codes: NDArray[np.int64], order: Floats) -> dict[str, Any]:
    """How much of the order names explain: the root of eta squared, and how often chance explains as much."""
    _, codes = np.unique(codes, return_inverse=True)
    member = np.eye(int(codes.max()) + 1)[codes.reshape(-1)]
    sizes, total = member.sum(axis=0), float(order @ order)
    share = float((((order @ member) ** 2) / sizes).sum() / total)
    n, freedom = len(order), member.shape[1] - 1
    if n <= _EXACT:
        p = _tail((((_permuted(order) @ member) ** 2) / sizes).sum(axis=1) / total, share)
    else:
        from scipy.stats import chi2

        p = float(chi2.sf((n - 1) * share, freedom))
    return {"rank": math.sqrt(share), "p": p}


def _best_name(places: Floats, order: Floats, names: Sequence[str], higher: bool) -> str:
    """The name whose runs rank best on average."""
    sign = 1 if higher else -1
    there = np.unique(places).astype(np.int64).tolist()
    return str(names[max(there, key=lambda code: sign * float(order[places == code].mean()))])


def _best_number(places: Floats, order: Floats, higher: bool) -> float:
    """Where the best quarter of the runs lies: a middle value may be the best one, which no rank correlation sees."""
    first = np.argsort(-order if higher else order, kind="stable")[: max(2, math.ceil(len(order) / 4))]
    return float(np.median(places[first]))


def _interval(rho: float, n: int) -> tuple[float, float]:
    """The 95 % interval of a rank correlation by Fisher's transformation; its error is Bonett and Wright's (2000)."""
    if abs(rho) >= 1 - 1e-12:
        return rho, rho
    half = 1.959964 * math.sqrt((1 + rho * rho / 2) / max(n - 3, 1))
    return math.tanh(math.atanh(rho) - half), math.tanh(math.atanh(rho) + half)


def _permuted(order: Floats) -> Floats:
    """Always the same orders of chance, (draws, n)."""
    return np.random.default_rng(_SEED).permuted(np.tile(order, (_DRAWS, 1)), axis=1)


def _tail(chance: Floats, seen: float) -> float:
    """How often chance reaches what was seen, which itself counts as one of the draws."""
    return float((np.sum(chance >= seen - 1e-12) + 1) / (len(chance) + 1))


def holm(values: Sequence[float | None]) -> list[float | None]:
    """p-values adjusted so that one mistake among all of them is as rare as in a single test (Holm, 1979)."""
    known = sorted((value, at) for at, value in enumerate(values) if value is not None)
    adjusted: list[float | None] = [None] * len(values)
    highest = 0.0
    for place, (value, at) in enumerate(known):
        highest = max(highest, min(1.0, value * (len(known) - place)))
        adjusted[at] = highest
    return adjusted


def _together(keys: Sequence[str], places: Sequence[Floats]) -> list[tuple[str, str]]:
    """Pairs of columns that order the runs alike: whatever one of them does, the other may have done."""
    order = [ranks(filled(each)) for each in places]
    found = []
    for one, other in combinations(range(len(keys)), 2):
        if abs(float(np.corrcoef(order[one], order[other])[0, 1])) >= _TOGETHER:
            found.append((keys[one], keys[other]))
    return found


if __name__ == "__main__":
    raise SystemExit(main())
