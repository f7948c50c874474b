"""Performance before the labels come, estimated from calibrated probabilities (NannyML's CBPE for two classes).

With probabilities that mean what they say, each row adds its chance of being a hit: a row of probability p that was
predicted positive is a true positive p times and a false one 1 - p times. It sees what drift does to certainty; it
cannot see a relation between features and label that changed.
"""

# ruff: noqa: S608 – SQL is put together from constants and quoted identifiers; values travel as parameters.
from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from workbench.monitor.frames import Frame
from workbench.monitor.performance import Metrics, Place, text_sql
from workbench.monitor.session import Session, filled, quoted
from workbench.monitor.tables import Table
from workbench.monitor.task import Seen, Task, class_sql, class_text, look, task_of

LEAST = 100
"""Labelled rows of a reference from which a calibration can be fitted."""
_BATCH = 2_000_000


class Calibration(Struct, frozen=True):
    """What probabilities turned out to mean in the reference: an ascending curve through `scores` and `chances`."""

    scores: NDArray[np.float64]
    chances: NDArray[np.float64]
    task: Task

    def __call__(self, scores: NDArray[np.float64]) -> NDArray[np.float64]:
        """Calibrated probabilities."""
        return np.asarray(np.interp(scores, self.scores, self.chances))


def fit_calibration(session: Session, table: Table, frame_task: Task, frame: Frame) -> Calibration | None:
    """Fit isotonic regression to a labelled reference; None where it lacks probabilities, labels or a class."""
    roles = frame.plan.mapping.columns
    score = table.column(roles.probability or (roles.prediction if frame_task.score else None) or "")
    label = table.column(roles.label or (frame.plan.labels.label if frame.plan.labels else None) or "")
    if score is None or label is None or score.kind not in {"int", "float"}:
        return None
    source = f"(SELECT {quoted(label.sql)} AS label, {quoted(score.sql)}::DOUBLE AS probability FROM {table.source})"
    task = frame_task
    if task.kind is None:
        seen = look(session, source, table.parameters, ["label"], Seen())
        task = task_of(seen, ["probability"], roles.positive)
    if task.kind != "binary":
        return None
    scores, hits = session.arrays(
        f"""SELECT probability AS p, ({class_sql("label")} = {text_sql(class_text(task.positive))})::DOUBLE AS hit
            FROM {source} WHERE isfinite(probability) AND {class_sql("label")} IS NOT NULL""",
        table.parameters,
    )
    return calibrate(filled(scores), filled(hits), task)


def calibrate(scores: NDArray[np.float64], hits: NDArray[np.float64], task: Task) -> Calibration | None:
    """Isotonic regression of hits (0 or 1) on scores, interpolated between them, as scikit-learn fits it."""
    if len(scores) < LEAST or not 0 < hits.sum() < len(hits):
        return None
    levels, place, weights = np.unique(scores, return_inverse=True, return_counts=True)
    means = np.bincount(place, hits) / weights
    values: list[float] = []
    sizes: list[int] = []
    ends: list[int] = []
    for i, (mean, weight) in enumerate(zip(means.tolist(), weights.tolist(), strict=True)):
        value, size = mean, weight
        while values and values[-1] >= value:  # pool what would descend
            value = (value * size + values[-1] * sizes[-1]) / (size + sizes[-1])
            size += sizes.pop()
            values.pop()
            ends.pop()
        values.append(value)
        sizes.append(size)
        ends.append(i)
    lengths = np.diff([-1, *ends])
    return Calibration(levels, np.repeat(values, lengths), task)


def estimates(session: Session, frame: Frame, group: str, calibration: Calibration) -> Mapping[Place, Metrics]:
    """estimated.auc, estimated.accuracy and estimated.f1 by window and segment."""
    return {place: _estimate(calibration, *rows) for place, rows in _windows(session, frame, group, calibration)}


def _windows(
    session: Session, frame: Frame, group: str, calibration: Calibration
) -> Iterator[tuple[Place, tuple[NDArray[np.float64], NDArray[np.bool_]]]]:
    """Scores of each window and segment, and whether they were predicted positive."""
    positive = text_sql(calibration.task.positive)
    counts = session.rows(
        f"""SELECT w, {group} AS g, count(*) FROM {frame.source} WHERE isfinite(probability)
            GROUP BY ALL ORDER BY g, w""",
        frame.parameters,
    )
    start = 0
    while start < len(counts):
        end, rows = start + 1, counts[start][2]
        while end < len(counts) and counts[end][1] == counts[start][1] and rows + counts[end][2] <= _BATCH:
            rows += counts[end][2]
            end += 1
        scores, said = session.arrays(
            f"""SELECT probability AS p, coalesce(yhat = {positive}, probability >= 0.5) AS said FROM {frame.source}
                WHERE isfinite(probability) AND {group} = ? AND w BETWEEN ? AND ? ORDER BY w""",
            [*frame.parameters, counts[start][1], counts[start][0], counts[end - 1][0]],
        )
        ends = np.cumsum([row[2] for row in counts[start:end]])[:-1]
        parts = zip(np.split(filled(scores), ends), np.split(np.asarray(said, bool), ends), strict=True)
        for (window, segment, _), pair in zip(counts[start:end], parts, strict=True):
            yield (window, segment), pair
        start = end


def _estimate(calibration: Calibration, scores: NDArray[np.float64], said: NDArray[np.bool_]) -> Metrics:
    chances = calibration(scores)
    hits, misses = float(chances.sum()), float((1 - chances).sum())
    _, place = np.unique(scores, return_inverse=True)
    at, against = np.bincount(place, chances), np.bincount(place, 1 - chances)
    below = np.cumsum(against) - against
    area = float((at * (below + 0.5 * against)).sum())
    positives = float(chances[said].sum())
    asked = float(said.sum())
    return {
        "estimated.auc": area / (hits * misses) if hits > 0 and misses > 0 else None,
        "estimated.accuracy": (positives + float((1 - chances[~said]).sum())) / len(scores),
        "estimated.f1": 2 * positives / (asked + hits) if asked + hits > 0 else None,
    }
