"""The forests, in a process of its own: tables as JSON on stdin, shares of variance as JSON on stdout."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import msgspec
import numpy as np

from workbench_optuna.importance import Floats, Shares, Table

TREES = 96
POINTS = 256
"""Points of the searched space that every prediction is averaged over."""
GRID = 16
"""Values of each parameter at which that is done."""


def main() -> None:
    """Answer one question."""
    tables = msgspec.json.decode(sys.stdin.buffer.read(), type=list[Table])
    sys.stdout.buffer.write(msgspec.json.encode(shares_of(tables)))


def shares_of(tables: Sequence[Table]) -> list[Shares]:
    """Of each table: each parameter's share of the forest's variance by itself, and how much of unseen trials it
    explains.
    """
    return [_shares(table) for table in tables]


def _shares(table: Table) -> Shares:
    from sklearn.ensemble import RandomForestRegressor

    x = np.asarray(table.columns, np.float64).T
    y = _tamed(np.asarray(table.values, np.float64))
    params = x.shape[1]
    forest = RandomForestRegressor(
        TREES, min_samples_leaf=2, max_features=max(1, -(-params * 2 // 3)), oob_score=True, random_state=0
    )
    forest.fit(x, y)
    space = _space(x)
    grids = [_grid(x[:, at]) for at in range(params)]
    held = [_held(space, at, value) for at, (values, _) in enumerate(grids) for value in values]
    predicted = forest.predict(np.concatenate([space, *held])).reshape(-1, POINTS)
    whole, means = float(predicted[0].var()), iter(predicted[1:].mean(axis=1).tolist())
    if whole <= 0:
        return Shares([0.0] * params, float(forest.oob_score_))
    variances = [_variance([next(means) for _ in values], counts) for values, counts in grids]
    return Shares([min(variance / whole, 1.0) for variance in variances], float(forest.oob_score_))


def _grid(column: Floats) -> tuple[list[float], Floats]:
    """Values of a parameter as it was tried, and how much each stands for."""
    tried = np.quantile(column, (np.arange(GRID) + 0.5) / GRID, method="nearest")
    values, counts = np.unique(tried, return_counts=True)
    return values.tolist(), counts.astype(np.float64)


def _held(space: Floats, at: int, value: float) -> Floats:
    """The space with one parameter held at a value."""
    held = space.copy()
    held[:, at] = value
    return held


def _variance(means: list[float], counts: Floats) -> float:
    """Variance of the prediction by one parameter, each mean being over all others."""
    mean = float(np.average(means, weights=counts))
    return float(np.average((np.array(means) - mean) ** 2, weights=counts))


def _space(x: Floats) -> Floats:
    """Points of the searched space: each parameter as it was tried, independently of the others."""
    generator = np.random.default_rng(0)
    return np.stack([generator.choice(column, POINTS) for column in x.T], axis=1)


def _tamed(values: Floats) -> Floats:
    """Values with those far outside the middle half drawn in to three times its width."""
    low, high = np.quantile(values, [0.25, 0.75])
    reach = 3 * (high - low)
    return np.clip(values, low - reach, high + reach) if reach > 0 else values


if __name__ == "__main__":
    main()
