"""What a model predicts, told by the labels and predictions of all windows, so that no window changes the meaning of
its figures."""

# ruff: noqa: S608 – SQL is put together from constants and quoted identifiers; values travel as parameters.
from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from msgspec import Struct

from workbench.monitor.session import Session

TaskKind = Literal["binary", "classes", "regression"]

MANY_CLASSES = 50
"""Labels that are whole numbers are classes up to this many distinct values."""
_POSITIVE = ("1", "yes", "y", "t", "positive", "pos")
_NEGATIVE = ("0", "no", "n", "f", "negative", "neg")


class Seen(Struct, frozen=True):
    """What was seen of labels and predictions so far; `classes` are at most `MANY_CLASSES` + 1."""

    classes: tuple[str, ...] = ()
    numbers: bool = True
    """All labels are numbers."""
    whole: bool = True
    integers: bool = True
    """No label is written with a point."""
    lowest: float | None = None
    highest: float | None = None
    fractions: bool = False
    """Of predictions: some are no whole numbers."""


class Task(Struct, frozen=True):
    """What is predicted; for two classes, which one probabilities are about."""

    kind: TaskKind | None = None
    positive: str = "1"
    negative: str = "0"
    score: bool = False
    """The prediction is a probability."""


def class_sql(sql: str) -> str:
    """A class as text: 1, 1.0, '1' and true are one class, wherever they are written."""
    number = f"try_cast({sql} AS DOUBLE)"
    return (
        f"CASE WHEN abs({number}) < 1e15 AND {number} = floor({number}) THEN {number}::BIGINT::VARCHAR "
        f"WHEN lower({sql}::VARCHAR) = 'true' THEN '1' WHEN lower({sql}::VARCHAR) = 'false' THEN '0' "
        f"WHEN isnan({number}) THEN NULL ELSE {sql}::VARCHAR END"
    )


def class_text(value: str) -> str:
    """A configured class as `class_sql` writes it."""
    try:
        number = float(value)
    except ValueError:
        return {"true": "1", "false": "0"}.get(value.lower(), value)
    return str(int(number)) if abs(number) < 1e15 and number == int(number) else value


def look(session: Session, source: str, parameters: Sequence[object], columns: Sequence[str], before: Seen) -> Seen:
    """What there is to see in more rows, beside what was seen before."""
    seen = before
    if "label" in columns:
        seen = _labels(session, source, parameters, seen)
    if "prediction" in columns:
        low, high, fractions = session.rows(
            f"""SELECT min(p), max(p), coalesce(bool_or(p <> floor(p)), false)
                FROM (SELECT try_cast(prediction AS DOUBLE) AS p FROM {source}) WHERE isfinite(p)""",
            parameters,
        )[0]
        if low is not None:
            lows, highs = (
                [x for x in (low, seen.lowest) if x is not None],
                [x for x in (high, seen.highest) if x is not None],
            )
            seen = Seen(
                seen.classes,
                seen.numbers,
                seen.whole,
                seen.integers,
                min(lows),
                max(highs),
                seen.fractions or fractions,
            )
    return seen


def _labels(session: Session, source: str, parameters: Sequence[object], seen: Seen) -> Seen:
    found = session.rows(
        f"""SELECT DISTINCT {class_sql("label")} AS x FROM {source} WHERE x IS NOT NULL
            ORDER BY x LIMIT {MANY_CLASSES + 1}""",
        parameters,
    )
    number = "try_cast(label AS DOUBLE)"
    numbers, whole, integers = session.rows(
        f"""SELECT bool_and({number} IS NOT NULL OR typeof(label) = 'BOOLEAN'), bool_and({number} = floor({number})),
                bool_and(NOT contains(label::VARCHAR, '.')) FROM {source} WHERE {class_sql("label")} IS NOT NULL""",
        parameters,
    )[0]
    classes = sorted({*seen.classes, *(str(row[0]) for row in found)})[: MANY_CLASSES + 1]
    return Seen(
        tuple(classes), seen.numbers and numbers is not False, seen.whole and whole is not False,
        seen.integers and integers is not False, seen.lowest, seen.highest, seen.fractions,
    )  # fmt: skip


def task_of(seen: Seen, columns: Sequence[str], positive: str | None) -> Task:
    """What is predicted, as far as was seen; `columns` are the roles that rows have."""
    if not {"prediction", "probability"} & set(columns) or not seen.classes:
        return Task()
    if len(seen.classes) <= 2:
        if seen.numbers and not seen.whole:
            return Task("regression")
        chosen = _positive(seen.classes, positive)
        other = next((name for name in seen.classes if name != chosen), "0" if chosen != "0" else "1")
        score = (
            "probability" not in columns and seen.fractions and set(seen.classes) <= {"0", "1"}
            and seen.lowest is not None and seen.lowest >= 0 and seen.highest is not None and seen.highest <= 1
        )  # fmt: skip
        return Task("binary", chosen, other, score)
    if "prediction" not in columns:
        return Task()
    few = len(seen.classes) <= MANY_CLASSES and seen.whole and seen.integers
    return Task("classes") if not seen.numbers or few else Task("regression")


def _positive(classes: Sequence[str], configured: str | None) -> str:
    """The positive class: as configured, else a word for yes, else the greater of two."""
    if configured is not None:
        return class_text(configured)
    for name in classes:
        if name.lower() in _POSITIVE:
            return name
    if len(classes) == 1:
        # Only the negative class has occurred so far.
        return "1" if classes[0] == "0" or classes[0].lower() in _NEGATIVE else classes[0]
    try:
        return max(classes, key=float)
    except ValueError:
        return next((name for name in reversed(classes) if name.lower() not in _NEGATIVE), classes[-1])
