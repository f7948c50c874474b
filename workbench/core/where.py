"""The query language over runs: `lr>1e-3 tag:x state:running val/loss<0.4`, and, or, not, parentheses.

A comparison asks for a parameter first, then for a metric's last value; `best(val/loss)`, `min()`, `max()`, `first()`,
`n()` ask for another one, `param()` and `tag()` for those alone, and `latency_ms.p95` for a percentile.
"""

from __future__ import annotations

import difflib
import fnmatch
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

from workbench.core.model import Run, Summary
from workbench.core.roles import guess, split_percentile
from workbench.core.where_expr import All, AnyOf, Compare, Expr, Field, Not, Operator, Word, parse
from workbench.core.where_text import WhereError, number_of, seconds_of

__all__ = [
    "Expr", "WhereError", "comparisons", "matches", "nearest_key", "parse", "percentiles_of", "unknown_keys",
]  # fmt: skip

_SECONDS = {"ns": 1e9, "us": 1e6, "ms": 1e3, "s": 1.0, "min": 1 / 60, "h": 1 / 3600}
_ABSENT = object()
_OWN = ("name", "path", "format", "id", "state", "status")


def matches(expr: Expr, run: Run, percentiles: Mapping[str, float] | None = None) -> bool:
    """Whether a run matches; an unknown key matches nothing.

    `percentiles` are the run's values of the keys that `percentiles_of` lists, `latency_ms.p95` for one.
    """
    match expr:
        case All(items):
            return all(matches(item, run, percentiles) for item in items)
        case AnyOf(items):
            return any(matches(item, run, percentiles) for item in items)
        case Not(item):
            return not matches(item, run, percentiles)
        case Word(text):
            return _has_word(run, text.casefold())
        case Field(name, value):
            return _has_field(run, name, value)
        case Compare():
            return _compares(expr, run, percentiles or {})


def _has_word(run: Run, word: str) -> bool:
    if word in run.name.casefold() or word in run.path.casefold():
        return True
    return any(word in key.casefold() or word in value.casefold() for key, value in run.tags.items())


def _has_field(run: Run, name: str, value: str) -> bool:
    if name == "state":
        return run.status == value.casefold()
    if name == "tag":
        return any(_like(text, value, whole=True) for key, tag in run.tags.items() for text in _tag_texts(key, tag))
    if name == "has":
        return any(_like(key, value, whole=True) for keys in (run.params, run.metrics, run.tags) for key in keys)
    if name == "id":
        return run.id.startswith(value.casefold())
    if name == "is":
        return run.baseline if value.casefold() == "baseline" else run.hidden
    if name == "note":
        return any(_like(note, value) for note in run.notes)
    return _like(str(getattr(run, name)), value)


def _tag_texts(key: str, value: str) -> tuple[str, ...]:
    """How a tag may be written: its key, its value, or both."""
    return (key, value, f"{key}={value}") if value else (key,)


def _like(text: str, pattern: str, whole: bool = False) -> bool:
    text, pattern = text.casefold(), pattern.casefold()
    if "*" in pattern or "?" in pattern:
        return fnmatch.fnmatchcase(text, pattern.replace("[", "[[]"))
    return text == pattern if whole else pattern in text


def _compares(expr: Compare, run: Run, percentiles: Mapping[str, float]) -> bool:
    value = _value(expr, run, percentiles)
    if value is _ABSENT:
        return False
    wanted = _wanted(expr)
    number = _number(value)
    if expr.operator in ("~", "!~"):
        return (expr.value.casefold() in _text(value)) is (expr.operator == "~")
    if number is not None and wanted is not None:
        return _ordered(number, wanted, expr.operator)
    if expr.operator in ("=", "!="):
        return (_text(value) == expr.value.casefold()) is (expr.operator == "=")
    if number is not None or wanted is not None:
        return False
    return _ordered(_text(value), expr.value.casefold(), expr.operator)


def _ordered(left: Any, right: Any, operator: Operator) -> bool:
    if operator in ("=", "!="):
        same = left == right or (_is_nan(left) and _is_nan(right))  # nan is asked for by name: `val/loss=nan`
        return same is (operator == "=")
    if operator in ("<", "<="):
        return bool(left < right or (operator == "<=" and left == right))
    return bool(left > right or (operator == ">=" and left == right))


def _is_nan(value: Any) -> bool:
    return isinstance(value, float) and math.isnan(value)


def _value(expr: Compare, run: Run, percentiles: Mapping[str, float]) -> Any:
    """What the left side is worth in a run: parameter, then metric, percentile, tag, and the run's own fields."""
    key = expr.key
    if expr.function == "param":
        return run.params.get(key, _ABSENT)
    if expr.function == "tag":
        return run.tags.get(key, _ABSENT)
    if expr.function:
        summary = run.metrics.get(key)
        return _ABSENT if summary is None else _of_summary(summary, expr.function)
    if key in run.params:
        return run.params[key]
    if key in run.metrics:
        return _of_summary(run.metrics[key], "last")
    if key in percentiles:
        return percentiles[key]
    if key in run.tags:
        return run.tags[key]
    if key in _OWN:
        return getattr(run, "status" if key == "state" else key)
    return _ABSENT


def _of_summary(summary: Summary, function: str) -> Any:
    value = getattr(summary, function)
    return _ABSENT if value is None else value


@lru_cache(maxsize=512)
def _wanted(expr: Compare) -> float | None:
    """The right side as a number in the unit of the left, None where it is text."""
    seconds = seconds_of(expr.value)
    if seconds is not None:
        return seconds * _SECONDS.get(guess(expr.key).unit, 1.0)
    return number_of(expr.value)


def _number(value: Any) -> float | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        try:
            return float(value)
        except OverflowError:
            return math.inf if value > 0 else -math.inf
    return number_of(value) if isinstance(value, str) else None


def _text(value: Any) -> str:
    return str(value).casefold()


def comparisons(expr: Expr) -> Iterator[Compare]:
    """Every comparison in an expression, in order of reading."""
    if isinstance(expr, Compare):
        yield expr
    elif isinstance(expr, Not):
        yield from comparisons(expr.item)
    elif isinstance(expr, All | AnyOf):
        for item in expr.items:
            yield from comparisons(item)


def percentiles_of(expr: Expr) -> frozenset[tuple[str, float]]:
    """The (series, percentile 0..100) pairs that `matches` wants to be given, none for most expressions."""
    asked = (split_percentile(item.key) for item in comparisons(expr) if not item.function)
    return frozenset(pair for pair in asked if pair is not None)


def unknown_keys(expr: Expr, runs: Sequence[Run]) -> Mapping[str, str | None]:
    """Keys that no run has, each with the nearest that some run has, or None where nothing is near."""
    asked = {(item.key, item.function) for item in comparisons(expr)}
    if not asked:
        return {}
    metrics = {key for run in runs for key in run.metrics}
    params = {key for run in runs for key in run.params}
    tags = {key for run in runs for key in run.tags}
    found: dict[str, str | None] = {}
    for key, function in sorted(asked):
        known = {"param": params, "tag": tags}.get(function, metrics) if function else {*metrics, *params, *tags, *_OWN}
        split = None if function else split_percentile(key)
        if key not in known and (split is None or split[0] not in metrics):
            found[key] = nearest_key(key, known)
    return found


def nearest_key(key: str, known: Iterable[str]) -> str | None:
    """The known key closest to one that is not: by spelling, else by its last part (`lr` finds `optimizer.lr`)."""
    options = sorted(known)
    close = difflib.get_close_matches(key, options, n=1, cutoff=0.6)
    if close:
        return close[0]
    tail = key.replace(".", "/").rsplit("/", 1)[-1].casefold()
    return next((name for name in options if name.replace(".", "/").rsplit("/", 1)[-1].casefold() == tail), None)
