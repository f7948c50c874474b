"""What an expression's terms are worth: measured on a run, on a monitor's newest window, or said to be unanswerable."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from workbench.core.model import Run, Window
from workbench.core.query import Query
from workbench.core.roles import percentile_key, split_percentile
from workbench.core.where import nearest_key
from workbench.rules.expression import Arithmetic, Baseline, Negative, Number, Quantity, Term, Text

Value = float | str

_OPERATORS: Mapping[str, Callable[[float, float], float]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
}


class Unanswerable(ValueError):
    """A term has no value; the message says why, and what would help."""


@dataclass(frozen=True, slots=True)
class Measure:
    """Measures terms on one run; `baseline_value` is what `baseline` stands for, None where it has no value."""

    query: Query
    run: Run | None
    baseline_value: float | None = None

    def value(self, term: Term) -> Value:
        """What a term is worth.

        Raises:
            Unanswerable: an unknown name, no window, no known direction, a division by 0, text in a sum.
        """
        match term:
            case Number(value) | Text(value):
                return value
            case Quantity():
                return self.quantity(term)
            case Baseline():
                if self.baseline_value is None:
                    raise Unanswerable("baseline has no value here")
                return self.baseline_value
            case Negative(inner):
                return -self.number(inner)
            case Arithmetic(sign, left, right):
                try:
                    return _OPERATORS[sign](self.number(left), self.number(right))
                except (ZeroDivisionError, OverflowError) as error:
                    raise Unanswerable(f"{error}") from error

    def number(self, term: Term) -> float:
        """What a term is worth, where only a number will do."""
        value = self.value(term)
        if isinstance(value, str):
            raise Unanswerable(f"{value!r} is no number")
        return value

    def quantity(self, quantity: Quantity) -> Value:
        """One measured quantity."""
        if quantity.function == "drift":
            return drift_part(self.query, quantity.key, quantity.part)
        if quantity.function == "window":
            return window_metric(self.query, quantity.key, quantity.part)
        if self.run is None:
            raise Unanswerable(f"{quantity} needs a run, and there is none")
        if quantity.function == "param":
            return _param(self.run, quantity.key)
        return self.metric(self.run, quantity)

    def metric(self, run: Run, quantity: Quantity) -> Value:
        """A metric of a run: of its summary, or a percentile over its points."""
        key, function = quantity.key, quantity.function
        if function.startswith("p") and function[1:2].isdigit():
            return self.percentile(run, key, float(function[1:].replace("_", ".")))
        summary = run.metrics.get(key)
        if summary is None:
            split = split_percentile(key)
            if split is not None and split[0] in run.metrics and function in ("", "last", "best"):
                return self.percentile(run, *split)
            if not function and key in run.params:
                return _param(run, key)
            raise Unanswerable(_no_metric(run, key))
        value = getattr(summary, function or "last")
        if value is not None:
            return float(value)
        if function == "best" and self.query.roles(key).direction is None:
            raise Unanswerable(
                f"which way {key} is better is unknown: write min({key}) or max({key}), "
                f'or set direction = "higher" or "lower" under [metrics."{key}"] in workbench.toml'
            )
        raise Unanswerable(f"{quantity} of {run.name} has no finite value")

    def percentile(self, run: Run, key: str, q: float) -> float:
        """The exact percentile over a series' points."""
        if key not in run.metrics:
            raise Unanswerable(_no_metric(run, key))
        found = self.query.percentiles([run.id], [key], [q]).get((run.id, key))
        if not found:
            raise Unanswerable(f"{key} of {run.name} has no finite value")
        return float(found[0])


def _param(run: Run, key: str) -> Value:
    if key not in run.params:
        raise Unanswerable(f"run {run.name} has no parameter {key!r}{_hint(key, run.params)}")
    value = run.params[key]
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value).casefold() if isinstance(value, bool) or value is None else str(value)
    return float(value)


def _no_metric(run: Run, key: str) -> str:
    split = split_percentile(key)
    derived = [] if split is None else [percentile_key(name, split[1]) for name in run.metrics]
    near = nearest_key(key, derived)
    return f"run {run.name} has no metric {key!r}" + (
        f" – did you mean {near!r}?" if near is not None else _hint(key, run.metrics)
    )


def _hint(name: str, known: Mapping[str, object] | Sequence[str]) -> str:
    near = nearest_key(name, known)
    if near is not None:
        return f" – did you mean {near!r}?"
    names = sorted(known)
    listed = ", ".join(names[:8]) + (", …" if len(names) > 8 else "")
    return f" – it has: {listed}" if names else " – it has none"


def newest_window(query: Query, monitor: str) -> Window:
    """The newest window of a monitor over its whole population.

    Raises:
        Unanswerable: no such monitor, or no window yet.
    """
    known = query.monitors()
    if monitor not in known:
        hint = _hint(monitor, known) if known else " – define one under [monitor.NAME] in workbench.toml"
        raise Unanswerable(f"no monitor {monitor!r}{hint}")
    windows = [window for window in query.windows(monitor) if not window.segment]
    if not windows:
        raise Unanswerable(f"monitor {monitor!r} has no window yet – read its exports with: workbench watch --once")
    return windows[-1]


def drift_part(query: Query, monitor: str, part: str) -> float:
    """`share`, `drifted` or `tested` of the newest window's columns."""
    window = newest_window(query, monitor)
    tested = [column for column in window.columns if column.status in ("ok", "drift")]
    if part == "tested":
        return float(len(tested))
    if not tested:
        untested = sorted({column.status for column in window.columns})
        why = f"its columns are {', '.join(untested)}" if untested else "it has no column to test"
        raise Unanswerable(f"no column of the newest window of {monitor!r} could be tested: {why}")
    drifted = sum(column.drifted for column in tested)
    return float(drifted) if part == "drifted" else drifted / len(tested)


def window_metric(query: Query, monitor: str, key: str) -> float:
    """A metric of the newest window; `rows` is how many rows it has."""
    window = newest_window(query, monitor)
    value = float(window.rows) if key == "rows" and key not in window.metrics else window.metrics.get(key)
    if value is not None:
        return value
    if key in window.metrics:
        raise Unanswerable(f"{key} of the newest window of {monitor!r} has no value")
    raise Unanswerable(f"windows of {monitor!r} have no {key!r}{_hint(key, window.metrics)}")
