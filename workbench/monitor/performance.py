"""Figures of each window in SQL: rows, latency, errors, business value, and how predictions fared against labels.

In a frame each role is a column of that name, `w` is the window and `t` the time in seconds.
"""

# ruff: noqa: S608 – SQL is put together from constants and quoted identifiers; values travel as parameters.
from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

from workbench.monitor.frames import Frame, are_scores, scores_apart
from workbench.monitor.names import LATENCY_UNITS, plain_name
from workbench.monitor.session import Session

Task = Literal["binary", "classes", "regression"]
Metrics = dict[str, float | None]

PERCENTILES = {"p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99}
_ERROR_WORDS = r"error|fail|timeout|timed.?out|exception|unavailable|deadline|crash|abort|refused|rejected"
_POSITIVE = ("1", "1.0", "true", "yes", "y", "t", "positive", "pos")
_MANY_CLASSES = 50
"""Labels that are whole numbers are classes up to this many distinct values."""


@dataclass(frozen=True, slots=True)
class WindowFigures:
    """One window's number, its rows, the span of their times, and its metrics."""

    window: int
    rows: int
    start: float | None
    end: float | None
    metrics: Metrics


@dataclass(frozen=True, slots=True)
class Labels:
    """What is predicted, decided once over all windows, so that no window changes the meaning of its figures."""

    scores: bool | None
    """Whether predictions are probabilities; None as long as no label has come."""
    task: Task | None
    positive: str = ""
    """The positive class of two, as SQL."""
    values: frozenset[str] | None = frozenset()
    """The distinct labels, or None where they are too many to be classes."""

    def hold(self, new: Labels) -> bool:
        """Whether rows that say this of themselves change nothing of what is decided already."""
        if new.scores is not None and new.scores != self.scores:
            return False
        return (
            not new.values
            if self.task is None
            else self.values is None or bool(new.values is not None and new.values <= self.values)
        )


def labels_of(session: Session, frame: Frame) -> Labels:
    """Look at all rows of a frame and decide."""
    scores = are_scores(session, frame)
    frame = scores_apart(frame) if scores else frame
    task = _task(session, frame)
    if "label" not in frame.kinds:
        return Labels(scores, task)
    listed = session.rows(
        f"SELECT DISTINCT label::VARCHAR FROM {frame.source} WHERE label IS NOT NULL LIMIT {_MANY_CLASSES + 1}",
        frame.parameters,
    )
    values = frozenset(row[0] for row in listed) if len(listed) <= _MANY_CLASSES else None
    positive = _positive(session, frame) if task == "binary" else ""
    return Labels(scores, task, positive, values)


def window_figures(session: Session, frame: Frame, labels: Labels) -> list[WindowFigures]:
    """The figures of every window that has rows, in order.

    Keys: rows, latency_ms.p50|p90|p95|p99|max, error_rate, business.mean, business.sum; with labels labelled.share,
    and accuracy, precision, recall, f1, auc (binary), accuracy (classes), mae, rmse (regression). None is unknown.
    """
    frame = scores_apart(frame) if labels.scores else frame
    wanted = {
        "rows": "count(*)",
        **_latency(frame),
        **_errors(frame),
        **_business(frame),
        **_performance(frame, labels),
    }
    select = ", ".join(f"{sql} AS m{i}" for i, sql in enumerate(wanted.values()))
    found = session.rows(
        f"SELECT w, count(*), min(t), max(t), {select} FROM {frame.source} GROUP BY w ORDER BY w", frame.parameters
    )
    ranked = _auc(session, frame, labels) if "precision" in wanted else {}
    figures = []
    for window, rows, start, end, *values in found:
        metrics: Metrics = {key: _number(value) for key, value in zip(wanted, values, strict=True)}
        if "precision" in wanted:
            metrics |= _f1(metrics)
        if frame.kinds.get("probability") and "precision" in wanted:
            metrics["auc"] = ranked.get(window)
        figures.append(WindowFigures(window, rows, start, end, metrics))
    return figures


def _latency(frame: Frame) -> dict[str, str]:
    if "latency" not in frame.kinds:
        return {}
    scale = LATENCY_UNITS.get(frame.roles.latency_unit, 1e-3) / LATENCY_UNITS["ms"]
    value = f"(latency::DOUBLE * {scale!r})"
    if frame.kinds["latency"] == "string":
        value = f"(try_cast(latency AS DOUBLE) * {scale!r})"
    finite = f"FILTER (isfinite({value}))"
    found = {f"latency_ms.{name}": f"quantile_cont({value}, {q}) {finite}" for name, q in PERCENTILES.items()}
    return found | {"latency_ms.max": f"max({value}) {finite}"}


def _errors(frame: Frame) -> dict[str, str]:
    """The share of rows that failed, among those with a status.

    Numbers from 100 on are HTTP: 400 and above failed. Smaller ones and booleans follow the column's name: true
    `success` is no failure, anything else (an exit code, an `error` flag) failed unless it is 0. Words fail by what
    they say; a word that is a number counts as one.
    """
    kind = frame.kinds.get("status")
    if kind is None:
        return {}
    good = plain_name(frame.roles.status or "").split("_")[-1] in {"success", "succeeded", "ok"}
    number = "try_cast(status AS DOUBLE)" if kind == "string" else "status::DOUBLE"
    flag = f"{number} = 0" if good else f"{number} <> 0"
    failed = f"CASE WHEN {number} >= 100 THEN {number} >= 400 WHEN {number} IS NOT NULL THEN {flag} END"
    if kind == "string":
        words = f"regexp_matches(lower(status), '{_ERROR_WORDS}')"
        truth = f"lower(status) = '{'false' if good else 'true'}'"
        failed = f"coalesce({failed}, CASE WHEN status IS NOT NULL THEN {words} OR {truth} END)"
    return {"error_rate": f"avg(({failed})::INTEGER)"}


def _business(frame: Frame) -> dict[str, str]:
    if "business" not in frame.kinds:
        return {}
    value = "try_cast(business AS DOUBLE)" if frame.kinds["business"] == "string" else "business::DOUBLE"
    return {
        f"business.{name}": f"{way}({value}) FILTER (isfinite({value}))"
        for name, way in (("mean", "avg"), ("sum", "sum"))
    }


def _performance(frame: Frame, labels: Labels) -> dict[str, str]:
    task = labels.task
    if task is None:
        return {}
    labelled = {"labelled.share": "avg((label IS NOT NULL)::INTEGER)"}
    if task == "regression":
        gap = "(prediction::DOUBLE - label::DOUBLE)"
        finite = f"FILTER (isfinite({gap}))"
        return labelled | {"mae": f"avg(abs({gap})) {finite}", "rmse": f"sqrt(avg({gap} * {gap}) {finite})"}
    guess, truth = _classes(frame)
    found = labelled | {"accuracy": f"avg(({guess} = {truth})::INTEGER)"}
    if task == "binary":
        positive = labels.positive
        hit, said, real = f"({guess} = {positive})", f"{guess} IS NOT NULL", f"{truth} IS NOT NULL"
        actual = f"({truth} = {positive})"
        found["precision"] = f"avg({actual}::INTEGER) FILTER ({hit} AND {real})"
        found["recall"] = f"avg({hit}::INTEGER) FILTER ({actual} AND {said})"
    return found


def _task(session: Session, frame: Frame) -> Task | None:
    label = frame.kinds.get("label")
    if label is None or not {"prediction", "probability"} & set(frame.kinds):
        return None
    sql = f"""SELECT count(DISTINCT label), bool_and(label = floor(label)) FROM (
                SELECT try_cast(label AS DOUBLE) AS label FROM {frame.source} WHERE label IS NOT NULL)"""
    if label in {"string", "bool"}:
        sql = f"SELECT count(DISTINCT label), true FROM {frame.source} WHERE label IS NOT NULL"
    distinct, whole = session.rows(sql, frame.parameters)[0]
    if distinct <= 2:
        return "binary" if distinct and (label != "float" or whole) else ("regression" if distinct else None)
    if "prediction" not in frame.kinds:
        return None
    return "classes" if label == "string" or (whole and label == "int" and distinct <= _MANY_CLASSES) else "regression"


def _classes(frame: Frame) -> tuple[str, str]:
    """Prediction and label as comparable classes; a missing prediction is a probability of at least one half."""
    kinds = {frame.kinds.get("prediction", "float"), frame.kinds["label"]}
    cast = "::VARCHAR" if "string" in kinds else "::DOUBLE"
    if "prediction" in frame.kinds:
        return f"prediction{cast}", f"label{cast}"
    return f"(probability >= 0.5)::INTEGER{cast}", f"label{cast}"


def _positive(session: Session, frame: Frame) -> str:
    """The positive class as SQL: a word for yes if there is one, else the greater of the two."""
    _, truth = _classes(frame)
    values = session.rows(
        f"SELECT DISTINCT {truth} AS x FROM {frame.source} WHERE {truth} IS NOT NULL ORDER BY x", frame.parameters
    )
    known = [row[0] for row in values]
    chosen = next((value for value in known if str(value).lower() in _POSITIVE), known[-1])
    if isinstance(chosen, str):
        return "'" + chosen.replace("'", "''") + "'"
    # All labels so far are 0: the positive class has not occurred, and is not 0.
    return repr(float(chosen) if len(known) > 1 or chosen else 1.0)


def _auc(session: Session, frame: Frame, labels: Labels) -> dict[int, float | None]:
    """Area under the ROC curve of each window from the rank sum of its positives, ties sharing their ranks."""
    if "probability" not in frame.kinds:
        return {}
    _, truth = _classes(frame)
    rows = session.rows(
        f"""WITH scored AS (SELECT w, {truth} = {labels.positive} AS hit, probability::DOUBLE AS p
                FROM {frame.source} WHERE label IS NOT NULL AND isfinite(probability::DOUBLE)),
              ranked AS (SELECT w, hit, rank() OVER (PARTITION BY w ORDER BY p)
                + (count(*) OVER (PARTITION BY w, p) - 1) / 2.0 AS r FROM scored)
            SELECT w, count(*) FILTER (hit), count(*) FILTER (NOT hit), sum(r) FILTER (hit) FROM ranked GROUP BY w""",
        frame.parameters,
    )
    return {
        w: (float(s) - hits * (hits + 1) / 2) / (hits * misses) if hits and misses else None
        for w, hits, misses, s in rows
    }


def _f1(metrics: Metrics) -> Metrics:
    precision, recall = metrics["precision"], metrics["recall"]
    if precision is None or recall is None:
        return {"f1": None}
    return {"f1": 2 * precision * recall / (precision + recall) if precision + recall else 0.0}


def _number(value: Any) -> float | None:
    return float(value) if value is not None and math.isfinite(value) else None
