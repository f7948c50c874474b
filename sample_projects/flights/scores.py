"""What a prediction is worth: model metrics, and the money that warnings save."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

SAVED_BY_A_HIT = 60.0
"""USD: a warned crew and gate are planned again before the delay costs more."""
LOST_BY_A_FALSE_ALARM = 40.0
"""USD: what planning again costs, whether or not the flight then is late."""
THRESHOLD = LOST_BY_A_FALSE_ALARM / (SAVED_BY_A_HIT + LOST_BY_A_FALSE_ALARM)
"""The probability from which a warning pays on average."""
BATCH = 256
"""Flights predicted in one request."""

Floats = NDArray[np.float64]


def scores(late: NDArray[np.int8], probability: Floats, warned: NDArray[np.bool_] | None = None) -> dict[str, float]:
    """Accuracy, AUC, log loss and USD saved per 1,000 flights; warnings follow the threshold unless given."""
    from sklearn.metrics import log_loss, roc_auc_score

    warned = probability >= THRESHOLD if warned is None else warned
    return {
        "accuracy": float(np.mean(warned == (late == 1))),
        "auc": float(roc_auc_score(late, probability)),
        "loss": float(log_loss(late, probability)),
        "saved_usd": float(1000 * saved(late, warned).mean()),
    }


def saved(late: NDArray[np.int8], warned: NDArray[np.bool_]) -> Floats:
    """USD saved by the decision on each flight, negative for a false alarm."""
    return np.where(warned, np.where(late == 1, SAVED_BY_A_HIT, -LOST_BY_A_FALSE_ALARM), 0.0)


def timed_batches(predict: Callable[[Floats], Floats], rows: Floats) -> Iterator[tuple[float, Floats]]:
    """Predict in batches as in production; yields each batch's milliseconds and probabilities."""
    for start in range(0, len(rows), BATCH):
        began = time.perf_counter()
        probability = predict(rows[start : start + BATCH])
        yield (time.perf_counter() - began) * 1000, probability
