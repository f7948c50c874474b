"""The forest, in a process of its own: a table as JSON on stdin, shares of variance as JSON on stdout."""

from __future__ import annotations

import sys

import msgspec
import numpy as np
from numpy.typing import NDArray

from workbench_optuna.importance import Shares, Table

TREES = 128
POINTS = 512
"""Points of the searched space that every prediction is averaged over."""
GRID = 16
"""Values of each parameter at which that is done."""


def main() -> None:
    """Answer one question."""
    table = msgspec.json.decode(sys.stdin.buffer.read(), type=Table)
    sys.stdout.buffer.write(msgspec.json.encode(shares_of(table)))


def shares_of(table: Table) -> Shares:
    """Each parameter's share of the forest's variance by itself, and how much of unseen trials it explains."""
    from sklearn.ensemble import RandomForestRegressor

    x = np.asarray(table.columns, np.float64).T
    # A few trials that went astray must not be all that the forest learns: ranks, as far as half of their spread.
    y = _tamed(np.asarray(table.values, np.float64))
    forest = RandomForestRegressor(
        TREES, min_samples_leaf=2, max_features=max(1, -(-x.shape[1] * 2 // 3)), oob_score=True, random_state=0
    )
    forest.fit(x, y)
    space = _space(x)
    whole = float(forest.predict(space).var())
    if whole <= 0:
        return Shares([0.0] * x.shape[1], float(forest.oob_score_))
    variances = [_variance(forest, space, x[:, at], at) for at in range(x.shape[1])]
    return Shares([min(variance / whole, 1.0) for variance in variances], float(forest.oob_score_))


def _variance(forest: object, space: NDArray[np.float64], column: NDArray[np.float64], at: int) -> float:
    """Variance of the prediction by one parameter, averaged over all others."""
    tried = np.quantile(column, (np.arange(GRID) + 0.5) / GRID, method="nearest")
    values, counts = np.unique(tried, return_counts=True)
    means = []
    for value in values:
        held = space.copy()
        held[:, at] = value
        means.append(float(forest.predict(held).mean()))  # type: ignore[attr-defined]
    mean = float(np.average(means, weights=counts))
    return float(np.average((np.array(means) - mean) ** 2, weights=counts))


def _space(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Points of the searched space: each parameter as it was tried, independently of the others."""
    generator = np.random.default_rng(0)
    return np.stack([generator.choice(column, POINTS) for column in x.T], axis=1)


def _tamed(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Values with those far outside the middle half drawn in to three times its width."""
    low, high = np.quantile(values, [0.25, 0.75])
    reach = 3 * (high - low)
    return np.clip(values, low - reach, high + reach) if reach > 0 else values


if __name__ == "__main__":
    main()
