"""What the panels that look at many runs share: which runs, which value of a metric, and the options both depend on."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct

from workbench.core.compare import baseline_of
from workbench.core.compare_columns import RunColumn, column_key, column_of
from workbench.core.compare_values import KINDS, LAST, ChoiceError, ValueAt, Values, value_at, values_of
from workbench.core.model import Run
from workbench.core.query import Query
from workbench.core.roles import main_metric
from workbench.plugin.api import Choice, Focus

MOST_RUNS = 2_000
"""Runs looked at, the newest; more would make a picture of nothing but points."""


class Chosen(Struct, frozen=True):
    """The runs asked about, newest first, and the metric they are asked about."""

    runs: Sequence[Run] = ()
    marked: bool = False
    """They were marked; else they are all that match the filter."""
    left_out: int = 0
    baseline: Run | None = None
    metric: str | None = None
    at: ValueAt = LAST
    problem: str = ""
    """What of the options cannot be had, in words."""

    @property
    def words(self) -> str:
        """Which runs these are: `12 marked runs`, `the 40 runs that match`."""
        n = len(self.runs)
        if self.marked:
            return f"{n} marked runs"
        more = f", the newest of {n + self.left_out:,}" if self.left_out else ""
        return f"{n} runs{more}"


def choose(query: Query, focus: Focus, least: int = 2) -> Chosen:
    """The marked runs where at least `least` are marked, else all that match the filter."""
    everything = query.runs(focus.where)
    known = {run.id: run for run in (query.runs(hidden=True) if focus.marked else ())}
    marked = [known[run_id] for run_id in focus.marked if run_id in known]
    runs = marked if len(marked) >= least else list(everything)
    shown = runs[:MOST_RUNS]
    at, problem = LAST, ""
    try:
        at = asked_value(focus)
    except ChoiceError as error:
        problem = str(error)
    return Chosen(
        shown,
        marked=runs is marked,
        left_out=len(runs) - len(shown),
        baseline=baseline_of(runs, focus.baseline),
        metric=main_metric(shown, query.roles, focus.metric),
        at=at,
        problem=problem,
    )


def asked_value(focus: Focus) -> ValueAt:
    """What stands for a series, by the option `value`.

    Raises:
        ChoiceError: there is no such value.
    """
    return value_at(str(focus.options.get("value") or "last"))


def asked_column(query: Query, chosen: Chosen, asked: object, otherwise: str | None) -> tuple[str | None, str]:
    """The key of the column asked for, else the usual one; and what is wrong with what was asked for, in words."""
    if not asked:
        return otherwise, ""
    try:
        return column_key(str(asked), chosen.runs), ""
    except ChoiceError as error:
        return otherwise, str(error)


def metric_values(query: Query, chosen: Chosen, *keys: str | None) -> Values:
    """Values of the metrics among some columns, by what stands for a series."""
    wanted = [key.removeprefix("metric:") for key in keys if key is not None and key.startswith("metric:")]
    return values_of(query, chosen.runs, chosen.at, wanted)


def read_column(query: Query, chosen: Chosen, key: str, now: float) -> RunColumn:
    """One column of the chosen runs."""
    return column_of(key, chosen.runs, metric_values(query, chosen, key), query.roles, now)


def value_choice(at: ValueAt, runs: Sequence[Run]) -> Choice:
    """What may stand for a series; of the steps that all runs share a half and the last are offered."""
    last = [each.last_step for run in runs for each in run.metrics.values() if each.last_step]
    shared = [max((each.last_step or 0 for each in run.metrics.values()), default=0) for run in runs]
    steps = sorted({min(shared) // 2, min(shared)} - {0}) if last and shared else []
    values = list(dict.fromkeys([*KINDS, *(f"step:{step}" for step in steps), at.option]))
    return Choice("value", "value of a metric", values, at.option, "step:500, or best,val/loss=min")


def column_choice(option: str, title: str, keys: Sequence[str], current: str | None) -> Choice:
    """A choice among columns."""
    return Choice(option, title, keys, current or "")


def by_id(runs: Sequence[Run], values: Values, metric: str | None) -> Mapping[str, float]:
    """One metric's finite values by run id."""
    found = {run.id: values.get((run.id, metric or "")) for run in runs}
    return {run_id: value for run_id, value in found.items() if value is not None and math.isfinite(value)}


def better_first(column: RunColumn) -> list[int]:
    """Places of the runs from the best to the worst, those without a value last; in their order without a direction."""
    places = column.places
    known = [at for at, value in enumerate(places) if value is not None]
    if column.direction is not None:
        known.sort(key=lambda at: places[at] or 0.0, reverse=column.direction == "higher")
    return [*known, *(at for at, value in enumerate(places) if value is None)]


def option(focus: Focus, name: str) -> Any:
    """A view option; None where it is not set."""
    return focus.options.get(name) or None
