"""How predictions fared against labels, per window, in SQL; the values are scikit-learn's.

Where scikit-learn would put 0 for want of a single case (a precision without a positive prediction), here it is None:
unknown is not bad.
"""

# ruff: noqa: S608 – SQL is put together from constants and quoted identifiers; values travel as parameters.
from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from workbench.monitor.frames import Frame
from workbench.monitor.session import Session

Metrics = dict[str, float | None]
Place = tuple[int, str]
"""A window and a segment of it."""

_EPSILON = 2.220446049250313e-16
_KNOWN = "FILTER (yhat IS NOT NULL AND y IS NOT NULL)"


def performance_sql(frame: Frame) -> Mapping[str, str]:
    """Aggregates by key: labelled.share, and what the task is measured by."""
    if frame.task.kind is None:
        return {}
    labelled = {"labelled.share": "avg((y IS NOT NULL)::INTEGER)"}
    if frame.task.kind == "regression":
        return labelled | _regression()
    found = labelled | {"accuracy": f"avg((yhat = y)::INTEGER) {_KNOWN}"}
    return found | _binary(frame) if frame.task.kind == "binary" else found


def _regression() -> dict[str, str]:
    gap = "(guess - truth)"
    finite = f"FILTER (isfinite({gap}))"
    return {
        "mae": f"avg(abs({gap})) {finite}",
        "rmse": f"sqrt(avg({gap} * {gap}) {finite})",
        "r2": f"1 - sum({gap} * {gap}) {finite} / nullif(var_pop(truth) {finite} * count(*) {finite}, 0)",
        "mape": f"avg(abs({gap}) / greatest(abs(truth), {_EPSILON!r})) {finite}",
        "mean_error": f"avg({gap}) {finite}",
    }


def _binary(frame: Frame) -> dict[str, str]:
    positive = text_sql(frame.task.positive)
    said, real = f"yhat = {positive}", f"y = {positive}"
    both = "yhat IS NOT NULL AND y IS NOT NULL"
    hits = f"count(*) FILTER ({said} AND {real})"
    found = {
        "precision": f"avg(({real})::INTEGER) FILTER ({said} AND {both})",
        "recall": f"avg(({said})::INTEGER) FILTER ({real} AND {both})",
        "f1": f"2.0 * {hits} / nullif(count(*) FILTER ({said} AND {both}) + count(*) FILTER ({real} AND {both}), 0)",
    }
    if not _scored(frame):
        return found
    known = "FILTER (y IS NOT NULL AND isfinite(probability))"
    chance = f"CASE WHEN {real} THEN probability ELSE 1 - probability END"
    return found | {
        "log_loss": f"avg(-ln(greatest({chance}, {_EPSILON!r}))) {known}",
        "brier": f"avg(power(probability - ({real})::INTEGER, 2)) {known}",
    }


def _scored(frame: Frame) -> bool:
    roles = frame.plan.mapping.columns
    return frame.task.score or roles.probability is not None


def ranked_metrics(session: Session, frame: Frame, group: str) -> Mapping[Place, Metrics]:
    """What takes an order of the rows or a table of classes, by window and segment."""
    if frame.task.kind == "binary" and _scored(frame):
        return _curves(session, frame, group)
    return _macro(session, frame, group) if frame.task.kind == "classes" else {}


def _curves(session: Session, frame: Frame, group: str) -> Mapping[Place, Metrics]:
    """Areas under the ROC curve and, as average precision, the precision-recall curve; ties are one step of both."""
    rows = session.rows(
        f"""WITH steps AS (
              SELECT w, {group} AS g, probability AS p, count(*) FILTER (y = {text_sql(frame.task.positive)}) AS hits,
                count(*) AS n FROM {frame.source} WHERE y IS NOT NULL AND isfinite(probability) GROUP BY ALL),
            summed AS (
              SELECT *, sum(hits) OVER down AS hits_so_far, sum(n) OVER down AS n_so_far,
                sum(hits) OVER whole AS all_hits, sum(n) OVER whole AS all_n
              FROM steps WINDOW down AS (PARTITION BY w, g ORDER BY p DESC), whole AS (PARTITION BY w, g))
            SELECT w, g, any_value(all_hits), any_value(all_n),
              sum(hits * (all_n - n_so_far - (all_hits - hits_so_far) + 0.5 * (n - hits))),
              sum(hits * hits_so_far / n_so_far)
            FROM summed GROUP BY w, g""",
        frame.parameters,
    )
    found: dict[Place, Metrics] = {}
    for window, segment, hits, n, area, precision in rows:
        misses = int(n) - int(hits)
        found[window, segment] = {
            "auc": float(area) / (int(hits) * misses) if hits and misses else None,
            "average_precision": float(precision) / int(hits) if hits else None,
        }
    return found


def _macro(session: Session, frame: Frame, group: str) -> Mapping[Place, Metrics]:
    """Unweighted means over the classes that are predicted or true in the window."""
    counts: dict[Place, dict[tuple[str, str], int]] = defaultdict(dict)
    for window, segment, said, real, n in session.rows(
        f"""SELECT w, {group} AS g, yhat, y, count(*) FROM {frame.source}
            WHERE yhat IS NOT NULL AND y IS NOT NULL GROUP BY ALL""",
        frame.parameters,
    ):
        counts[window, segment][said, real] = n
    return {place: _means(table) for place, table in counts.items()}


def _means(table: Mapping[tuple[str, str], int]) -> Metrics:
    said: dict[str, int] = defaultdict(int)
    real: dict[str, int] = defaultdict(int)
    for (guess, truth), n in table.items():
        said[guess] += n
        real[truth] += n
    classes = sorted({*said, *real})
    hits = {name: table.get((name, name), 0) for name in classes}
    precision = [hits[name] / said[name] if said[name] else 0.0 for name in classes]
    recall = [hits[name] / real[name] if real[name] else 0.0 for name in classes]
    f1 = [2 * hits[name] / (said[name] + real[name]) for name in classes]
    found = {"precision_macro": precision, "recall_macro": recall, "f1_macro": f1}
    return {key: sum(values) / len(classes) for key, values in found.items()}


def text_sql(text: str) -> str:
    """A text as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"
