"""The order of runs by a column: one meaning for the run table, its listing, and what a command says of either."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from operator import itemgetter
from typing import Any

from workbench.core.model import Run
from workbench.core.roles import PERCENTILES, split_percentile
from workbench.core.status import STATE_MARKS

Percentiles = Mapping[tuple[str, str], Sequence[float]]
"""By (run id, key): what the store's `percentiles` answered for `PERCENTILES`."""

FIXED = ("age", "name", "state", "path", "format")
"""Columns that every run has."""

_STATES = {state: place for place, state in enumerate(STATE_MARKS)}


def in_order(
    runs: Sequence[Run], key: str, descending: bool = False, percentiles: Percentiles | None = None
) -> list[Run]:
    """Runs by a column, unknown values last whichever way; `age` ascending is the youngest first."""
    value = sort_value(key, percentiles or {})
    values = [(value(run), run) for run in runs]
    known = [pair for pair in values if pair[0] is not None]
    known.sort(key=itemgetter(0), reverse=descending)
    return [run for _, run in known] + [run for found, run in values if found is None]


def sort_value(key: str, percentiles: Percentiles) -> Callable[[Run], Any]:
    """What a run is sorted by: within one column always of one type, None where it has no value.

    `param:KEY`, `metric:KEY` and `tag:KEY` say what they mean; `KEY.p95` is a percentile, and another key a parameter,
    or else the last value of a metric.
    """
    if key == "age":
        return _newest_first
    if key == "state":
        return lambda run: _STATES[run.status]
    if key in FIXED:
        return lambda run: str(getattr(run, key)).casefold()
    kind, _, name = key.partition(":")
    if kind == "param" and name:
        return lambda run: _ordered(run.params.get(name))
    if kind == "tag" and name:
        return lambda run: run.tags.get(name)
    if kind == "metric" and name:
        return lambda run: _last(run, name)
    asked = split_percentile(key)
    if asked is not None and asked[1] in PERCENTILES:
        return lambda run: _percentile(run, asked, percentiles)
    return lambda run: _ordered(run.params[key]) if key in run.params else _ordered(_last(run, key))


def known_sort_keys(runs: Iterable[Run]) -> set[str]:
    """Every column that some run has a value in, as `sort_value` reads it."""
    found = set(FIXED)
    for run in runs:
        found.update(f"param:{key}" for key in run.params)
        found.update(f"metric:{key}" for key in run.metrics)
        found.update(f"tag:{key}" for key in run.tags)
    return found


def _newest_first(run: Run) -> float | None:
    moment = run.started_at or run.updated_at
    return None if moment is None else -moment


def _percentile(run: Run, asked: tuple[str, float], percentiles: Percentiles) -> float | None:
    values = percentiles.get((run.id, asked[0]))
    return values[PERCENTILES.index(asked[1])] if values else None


def _last(run: Run, key: str) -> float | None:
    summary = run.metrics.get(key)
    value = None if summary is None else summary.last
    return None if value is None or math.isnan(value) else value


def _ordered(value: Any) -> tuple[int, Any] | None:
    """A value as something that sorts beside any other: numbers before texts."""
    if value is None:
        return None
    if isinstance(value, bool | int | float):
        return None if math.isnan(value) else (0, float(value))
    return 1, str(value).casefold()
