"""Which of several formats speaks for a metric that one run logged through more than one of them."""

from __future__ import annotations

PREFERENCE = (
    "workbench", "wandb", "mlflow", "mlflow-sqlite", "trackio", "trackio-inbox", "dvclive", "optuna", "optuna-journal",
    "sacred", "huggingface", "catboost", "jsonl", "csv", "dvclive-summary", "tensorboard",
)  # fmt: skip
"""Formats by how exactly they keep values and times, at equal numbers of points; the others follow by name."""

TEXT = ("text",)
"""Formats that are read off a printed line: what was printed was rounded, so every other format comes first.

The views of a store are made from both lists: a change of either is a new schema version.
"""


def preference(name: str) -> tuple[bool, int, str]:
    """Sort key of a format at equal numbers of points; the smallest is shown."""
    return name in TEXT, PREFERENCE.index(name) if name in PREFERENCE else len(PREFERENCE), name


def preference_sql(name: str, points: str) -> str:
    """The terms of an ORDER BY that puts the format to be shown first; `name` and `points` are SQL expressions."""
    text = ", ".join(f"'{each}'" for each in TEXT)
    order = ", ".join(f"'{each}'" for each in PREFERENCE)
    place = f"coalesce(list_position([{order}], {name}), {len(PREFERENCE) + 1})"
    return f"{name} IN ({text}), {points} DESC, {place}, {name}"
