"""The query language over runs: `lr>1e-3 tag:x state:running val/loss<0.4`, and, or, not, parentheses.

A comparison asks for a parameter first, then for a metric's last value; `best(val/loss)`, `min()`, `max()`, `first()`,
`n()` ask for another one, `param()` and `tag()` for those alone, and `latency_ms.p95` for a percentile.
"""

from __future__ import annotations

import difflib
import fnmatch
import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from operator import attrgetter, ge, gt, le, lt
from typing import Any

from workbench.core.model import Run
from workbench.core.roles import guess, split_percentile
from workbench.core.where_expr import All, AnyOf, Compare, Expr, Field, Not, Operator, Word, parse
from workbench.core.where_text import WhereError, number_of, seconds_of

__all__ = [
    "Expr", "WhereError", "comparisons", "matcher", "matches", "nearest_key", "parse", "percentiles_of", "unknown_keys",
]  # fmt: skip

_SECONDS = {"ns": 1e9, "us": 1e6, "ms": 1e3, "s": 1.0, "min": 1 / 60, "h": 1 / 3600}
_ABSENT = object()
_NOTHING: Mapping[str, float] = {}
_ORDERS: Mapping[str, Callable[[Any, Any], bool]] = {"<": lt, "<=": le, ">": gt, ">=": ge}
_OWN = ("name", "path", "format", "id", "state", "status")

Matcher = Callable[[Run, Mapping[str, float]], bool]
"""Whether a run, with its percentiles by key, matches."""


def matches(expr: Expr, run: Run, percentiles: Mapping[str, float] | None = None) -> bool:
    """Whether a run matches; an unknown key matches nothing.

    `percentiles` are the run's values of the keys that `percentiles_of` lists, `latency_ms.p95` for one.
    """
    return matcher(expr)(run, percentiles or _NOTHING)


@lru_cache(maxsize=64)
def matcher(expr: Expr) -> Matcher:
    """The expression as a function of a run and its percentiles, for the ten thousand runs of a keystroke."""
    match expr:
        case All(items):
            return _joined([matcher(item) for item in items], stop_at=False)
        case AnyOf(items):
            return _joined([matcher(item) for item in items], stop_at=True)
        case Not(item):
            inner = matcher(item)
            return lambda run, percentiles: not inner(run, percentiles)
        case Word(text):
            word = text.casefold()
            return lambda run, _: _has_word(run, word)
        case Field(name, value):
            return _field_matcher(name, value.casefold())
        case Compare():
            return _comparison_matcher(expr)


def _joined(parts: Sequence[Matcher], *, stop_at: bool) -> Matcher:
    """The first part that says `stop_at` decides; a loop, which costs a third of `all` over a generator."""

    def match_run(run: Run, percentiles: Mapping[str, float]) -> bool:
        for part in parts:
            if part(run, percentiles) is stop_at:
                return stop_at
        return not stop_at

    return match_run


def _has_word(run: Run, word: str) -> bool:
    if word in run.name.casefold() or word in run.path.casefold():
        return True
    for key, value in run.tags.items():  # noqa: SIM110 - half of a word's search otherwise goes into generators
        if word in key.casefold() or word in value.casefold():
            return True
    return False


def _field_matcher(name: str, value: str) -> Matcher:
    if name == "state":
        return lambda run, _: run.status == value
    if name == "id":
        return lambda run, _: run.id.startswith(value)
    if name == "is":
        return lambda run, _: run.baseline if value == "baseline" else run.hidden
    whole, part = _like(value, whole=True), _like(value, whole=False)
    if name == "tag":
        return lambda run, _: any(whole(text) for key, tag in run.tags.items() for text in _tag_texts(key, tag))
    if name == "has":
        return lambda run, _: any(whole(key) for keys in (run.params, run.metrics, run.tags) for key in keys)
    if name == "note":
        return lambda run, _: any(part(note) for note in run.notes)
    read = attrgetter(name)
    return lambda run, _: part(read(run))


def _tag_texts(key: str, value: str) -> tuple[str, ...]:
    """How a tag may be written: its key, its value, or both."""
    return (key, value, f"{key}={value}") if value else (key,)


def _like(pattern: str, whole: bool) -> Callable[[str], bool]:
    """A test for texts, whatever their case: with wildcards, as a whole, or as a part."""
    if "*" in pattern or "?" in pattern:
        wanted = re.compile(fnmatch.translate(pattern.replace("[", "[[]")))
        return lambda text: wanted.match(text.casefold()) is not None
    if whole:
        return lambda text: text.casefold() == pattern
    return lambda text: pattern in text.casefold()


def _comparison_matcher(expr: Compare) -> Matcher:
    read, holds = _reader(expr), _condition(expr)

    def match_run(run: Run, percentiles: Mapping[str, float]) -> bool:
        value = read(run, percentiles)
        return value is not _ABSENT and holds(value)

    return match_run


def _condition(expr: Compare) -> Callable[[Any], bool]:
    """The comparison with the right side: of numbers where both sides are, else of texts, whatever their case."""
    operator, text, number = expr.operator, expr.value.casefold(), _wanted(expr)
    if operator in ("~", "!~"):
        return lambda value: (text in _text(value)) is (operator == "~")
    order = _ORDERS.get(operator)

    def holds(value: Any) -> bool:
        if type(value) is float and order is not None and number is not None:
            return order(value, number)
        found = _number(value)
        if found is not None and number is not None:
            return _ordered(found, number, operator)
        if operator in ("=", "!="):
            return (_text(value) == text) is (operator == "=")
        return found is None and number is None and _ordered(_text(value), text, operator)

    return holds


def _ordered(left: Any, right: Any, operator: Operator) -> bool:
    if operator in ("=", "!="):
        same = left == right or (_is_nan(left) and _is_nan(right))  # nan is asked for by name: `val/loss=nan`
        return same is (operator == "=")
    return bool(_ORDERS[operator](left, right))


def _is_nan(value: Any) -> bool:
    return isinstance(value, float) and math.isnan(value)


def _reader(expr: Compare) -> Callable[[Run, Mapping[str, float]], Any]:
    """What the left side is worth in a run, `_ABSENT` where it has no such thing."""
    key, function = expr.key, expr.function
    if function == "param":
        return lambda run, _: run.params.get(key, _ABSENT)
    if function == "tag":
        return lambda run, _: run.tags.get(key, _ABSENT)
    if function:
        read = attrgetter(function)
        return lambda run, _: _known(read(run.metrics[key])) if key in run.metrics else _ABSENT
    own = attrgetter("status" if key == "state" else key) if key in _OWN else None

    def by_name(run: Run, percentiles: Mapping[str, float]) -> Any:
        """A parameter before a metric, a percentile, a tag, and what every run has."""
        found = run.params.get(key, _ABSENT)
        if found is not _ABSENT:
            return found
        if key in run.metrics:
            return _known(run.metrics[key].last)
        if key in percentiles:
            return percentiles[key]
        if key in run.tags:
            return run.tags[key]
        return _ABSENT if own is None else own(run)

    return by_name


def _known(value: Any) -> Any:
    return _ABSENT if value is None else value


def _wanted(expr: Compare) -> float | None:
    """The right side as a number in the unit of the left, None where it is text."""
    seconds = seconds_of(expr.value)
    if seconds is not None:
        return seconds * _SECONDS.get(guess(expr.key).unit, 1.0)
    return number_of(expr.value)


def _number(value: Any) -> float | None:
    if isinstance(value, float):
        return value
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
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
