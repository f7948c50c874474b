"""Three ways to predict a late arrival: a rule, logistic regression, gradient boosting."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import polars as pl
from data import CATEGORICAL, FEATURES, NUMERIC
from numpy.typing import NDArray

SEED = 20130101

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Encoder:
    """Turns flights into numbers: medians and scales of the numeric features, values of the
    categorical ones, those that were late least often first."""

    median: Floats
    mean: Floats
    scale: Floats
    categories: dict[str, list[str]]

    @classmethod
    def fit(cls, flights: pl.DataFrame) -> Encoder:
        """Learn from the training flights only."""
        numbers = flights.select(NUMERIC).to_numpy()
        median = np.nanmedian(numbers, axis=0)
        filled = np.where(np.isnan(numbers), median, numbers)
        scale = filled.std(axis=0)
        categories = {
            name: flights.group_by(name).agg(pl.col("late").mean()).sort("late", name)[name].to_list()
            for name in CATEGORICAL
        }
        return cls(median, filled.mean(axis=0), np.where(scale > 0, scale, 1.0), categories)

    def ordinal(self, flights: pl.DataFrame) -> Floats:
        """Numbers as they are, categories as codes, NaN where missing or never seen: what trees take."""
        codes = [
            pl.col(name).replace_strict(values, range(len(values)), default=None, return_dtype=pl.Float64)
            for name, values in self.categories.items()
        ]
        return flights.select(*NUMERIC, *codes).cast(pl.Float64).to_numpy()

    def one_hot(self, ordinal: Floats) -> Floats:
        """Scaled numbers and one column a category: what a linear model takes."""
        numbers = ordinal[:, : len(NUMERIC)]
        numbers = (np.where(np.isnan(numbers), self.median, numbers) - self.mean) / self.scale
        codes = ordinal[:, len(NUMERIC) :]
        known = [codes[:, [i]] == np.arange(len(values)) for i, values in enumerate(self.categories.values())]
        return np.hstack([numbers, *known])


@dataclass(frozen=True)
class Rule:
    """Late if the flights two hours before left `minutes` late or more on average; shares come from training."""

    minutes: float
    share_if: float = 0.5
    share_else: float = 0.5

    def holds(self, rows: Floats) -> NDArray[np.bool_]:
        """Where the rule says late; an airport without earlier flights is on time."""
        return rows[:, FEATURES.index("recent_delay")] >= self.minutes

    def fit(self, rows: Floats, late: NDArray[np.int8]) -> Rule:
        """The same rule with the shares of late flights it meets."""
        holds = self.holds(rows)
        return Rule(self.minutes, float(late[holds].mean()), float(late[~holds].mean()))

    def probability(self, rows: Floats) -> Floats:
        """Share of late flights among those of the same answer."""
        return np.where(self.holds(rows), self.share_if, self.share_else)


@dataclass(frozen=True)
class Logistic:
    """Logistic regression by stochastic gradient descent, one pass over the flights an epoch."""

    encoder: Encoder
    alpha: float = 3e-4
    learning_rate: float = 0.02
    power: float = 0.3

    @cached_property
    def model(self) -> object:
        """The scikit-learn model."""
        from sklearn.linear_model import SGDClassifier

        return SGDClassifier(
            "log_loss", alpha=self.alpha, learning_rate="invscaling", eta0=self.learning_rate, power_t=self.power,
            random_state=SEED,
        )  # fmt: skip

    def epochs(self, rows: Floats, late: NDArray[np.int8], count: int) -> Iterator[int]:
        """Train; yields after each epoch."""
        order = np.random.default_rng(SEED)
        encoded = self.encoder.one_hot(rows)
        for epoch in range(count):
            shuffled = order.permutation(len(late))
            self.model.partial_fit(encoded[shuffled], late[shuffled], classes=(0, 1))  # type: ignore[attr-defined]
            yield epoch

    def probability(self, rows: Floats) -> Floats:
        """Probability of a late arrival."""
        return self.model.predict_proba(self.encoder.one_hot(rows))[:, 1]  # type: ignore[attr-defined,no-any-return]


@dataclass(frozen=True)
class Boosting:
    """Gradient-boosted trees, a few at a time, so that their metrics can be watched."""

    learning_rate: float = 0.05
    max_leaf_nodes: int = 4
    min_samples_leaf: int = 300
    trees_per_round: int = 2

    @cached_property
    def model(self) -> object:
        """The scikit-learn model."""
        from sklearn.ensemble import HistGradientBoostingClassifier

        return HistGradientBoostingClassifier(
            learning_rate=self.learning_rate, max_leaf_nodes=self.max_leaf_nodes,
            min_samples_leaf=self.min_samples_leaf, warm_start=True, early_stopping=False, random_state=SEED,
        )  # fmt: skip

    def rounds(self, rows: Floats, late: NDArray[np.int8], count: int) -> Iterator[int]:
        """Train; yields after each round."""
        for number in range(1, count + 1):
            self.model.set_params(max_iter=number * self.trees_per_round).fit(rows, late)  # type: ignore[attr-defined]
            yield number

    def probability(self, rows: Floats) -> Floats:
        """Probability of a late arrival."""
        return self.model.predict_proba(rows)[:, 1]  # type: ignore[attr-defined,no-any-return]
