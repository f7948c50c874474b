"""The work, in a process of its own: a question as JSON on stdin, the answer as JSON on stdout.

The interface's process neither waits for it nor holds its rows.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from workbench_slices.features import Column, Feature, features_of
from workbench_slices.model import Answer, Question, Ranking, Slice, Task
from workbench_slices.search import rows_of, smallest_slice, worst_slices
from workbench_slices.stats import Loss, Size, YesNo
from workbench_slices.table import Table, TableError, read_table

if TYPE_CHECKING:
    from numpy.typing import NDArray

SLOWEST = 0.1
"""Share of all rows that count as slow."""
_MOST_CLASSES = 20
_BATCHED = 0.5
"""Share of rows with exactly the latency of the row before, from which on latency is that of a batch."""


def main() -> None:
    """Answer one question."""
    question = msgspec.json.decode(sys.stdin.buffer.read(), type=Question)
    sys.stdout.buffer.write(msgspec.json.encode(answer(question)))


def answer(question: Question) -> Answer:
    """The worst slices of the rows that are asked for."""
    try:
        table = read_table(question)
    except TableError as error:
        return Answer(problem=str(error))
    if table.read < 2:
        asked_of = "window; its files may have been moved away" if question.times or question.numbers else "file"
        return Answer(table.rows, table.read, problem=f"hardly any row is in this {asked_of}")
    notes = [f"{note[0].upper()}{note[1:]}." for note in table.notes]
    task, loss, known = _errors(table, notes)
    features = features_of(table.features, question.min_rows or smallest_slice(table.read))
    wrong = None
    if loss is not None and task is not None and known.any():
        wrong = _ranking(question, _among(features, known), loss, "wrong" if task == "classification" else "absolute")
    latency = _latency(question, table, features, notes)
    if wrong is None and latency is None and not notes:
        notes.append("Neither a prediction with its label nor a latency is among the columns.")
    return Answer(
        table.rows, table.read, int(known.sum()), [feature.name for feature in features], task, wrong, latency, notes
    )


def _among(features: Sequence[Feature], rows: NDArray[np.bool_]) -> list[Feature]:
    """Features of some rows only."""
    return [replace(feature, codes=feature.codes[rows]) for feature in features]


def _errors(table: Table, notes: list[str]) -> tuple[Task | None, Loss | None, NDArray[np.bool_]]:
    """What kind of task it is, the loss of the rows whose error is known, and which rows those are."""
    nothing = np.zeros(table.read, dtype=bool)
    if table.label is None:
        notes.append("No label is known: slices by error are left out.")
        return None, None, nothing
    predicted = table.prediction if table.prediction is not None else _decided(table, notes)
    if predicted is None:
        notes.append("No prediction is among the columns: slices by error are left out.")
        return None, None, nothing
    known = _is_known(predicted) & _is_known(table.label)
    if not known.any():
        notes.append("No row has both a prediction and a label: slices by error are left out.")
        return None, None, nothing
    if isinstance(predicted, np.ndarray) and isinstance(table.label, np.ndarray):
        truth, guess = table.label[known], predicted[known]
        if not _are_classes(truth, guess):
            return "regression", Size.of(np.abs(guess - truth)), known
        return "classification", YesNo.of(guess != truth), known
    wrong = [a != b for a, b, both in zip(_texts(predicted), _texts(table.label), known, strict=True) if both]
    return "classification", YesNo.of(np.array(wrong, dtype=bool)), known


def _decided(table: Table, notes: list[str]) -> Column | None:
    """Classes from probabilities, where they are all there is and labels are 0 and 1 or two words."""
    if table.probability is None or table.label is None:
        return None
    likely = table.probability >= 0.5
    unknown = np.isnan(table.probability)
    if isinstance(table.label, np.ndarray):
        notes.append("Predictions are taken from probabilities: 1 from 0.5 on.")
        return np.where(unknown, np.nan, likely.astype(np.float64))
    words = sorted({value for value in table.label if value is not None})
    yes = table.roles.positive or (words[1] if words == ["false", "true"] else None)
    if len(words) != 2 or yes not in words:
        return None
    no = words[1 - words.index(yes)]
    notes.append(f"Predictions are taken from probabilities: {yes} from 0.5 on.")
    return [None if gone else yes if up else no for up, gone in zip(likely, unknown, strict=True)]


def _are_classes(truth: NDArray[np.float64], guess: NDArray[np.float64]) -> bool:
    """Whether numbers name classes: a few whole ones, and predictions among them."""
    classes, guesses = np.unique(truth), np.unique(guess)
    few = max(len(classes), len(guesses)) <= _MOST_CLASSES
    return few and all(bool((values == np.floor(values)).all()) for values in (classes, guesses))


def _is_known(column: Column) -> NDArray[np.bool_]:
    if isinstance(column, np.ndarray):
        return np.asarray(np.isfinite(column))
    return np.array([value is not None for value in column], dtype=bool)


def _texts(column: Column) -> Sequence[str | None]:
    """Values as text: 1.0 and true are the same class as 1."""
    if not isinstance(column, np.ndarray):
        return [{"true": "1", "false": "0"}.get((value or "").lower(), value) for value in column]
    return [f"{value:g}" if np.isfinite(value) else None for value in column]


def _latency(question: Question, table: Table, features: Sequence[Feature], notes: list[str]) -> Ranking | None:
    """The slowest slices, or why there are none to look for."""
    if table.latency is None:
        return None
    known = np.isfinite(table.latency)
    values = table.latency[known]
    if len(values) < 2:
        return None
    if float(np.mean(values[1:] == values[:-1])) > _BATCHED and len(np.unique(values)) < _BATCHED * len(values):
        notes.append("Latency is that of batches: neighbouring rows share it, so that no slice of rows can be slow.")
        return None
    limit = float(np.quantile(values, 1 - SLOWEST))
    slow = values > limit
    if not slow.any():
        return None
    chosen = _among(features, known)
    ranking = _ranking(question, chosen, YesNo.of(slow), "slow")
    slices = [replace(each, typical=_median(values[rows_of(chosen, each)])) for each in ranking.slices]
    return replace(ranking, slices=slices, limit=limit, typical=_median(values))


def _median(values: NDArray[np.float64]) -> float:
    return float(np.median(values))


def _ranking(question: Question, features: Sequence[Feature], loss: Loss, kind: str) -> Ranking:
    tested, slices = worst_slices(
        features, loss, min_rows=question.min_rows or None, false_rate=question.false_rate, most=question.most_slices
    )
    total = loss.moments.sum(axis=1)[:, None]
    told: list[Slice] = list(slices)
    overall = float(loss.mean(total)[0])
    return Ranking(kind, loss.moments.shape[1], overall, tested, told)  # type: ignore[arg-type]


if __name__ == "__main__":
    main()
