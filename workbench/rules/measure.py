"""What an expression's terms are worth: measured on a run, on a monitor's newest window, or said to be unanswerable."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping

from msgspec import Struct

from workbench.core.model import Run
from workbench.core.query import Query
from workbench.core.roles import percentile_key, split_percentile
from workbench.core.where import nearest_key
from workbench.rules.expression import Arithmetic, Baseline, Negative, Number, Quantity, Term, Text
from workbench.rules.production import Production
from workbench.rules.unanswerable import Unanswerable, hint

Value = float | str

_OPERATORS: Mapping[str, Callable[[float, float], float]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
}


class Measure(Struct, frozen=True):
    """Measures terms on one run; `baseline_value` is what `baseline` stands for, None where it has no value."""

    query: Query
    run: Run | None
    production: Production
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
        match quantity.function:
            case "drift":
                return self.production.drift(quantity.key, quantity.part)
            case "window":
                return self.production.metric(quantity.key, quantity.part)
            case "missing":
                return self.production.missing(quantity.key)
            case "findings":
                return self.production.findings(quantity.key, quantity.part)
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
        raise Unanswerable(f"run {run.name} has no parameter {key!r}{hint(key, run.params)}")
    value = run.params[key]
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value).casefold() if isinstance(value, bool) or value is None else str(value)
    return float(value)


def _no_metric(run: Run, key: str) -> str:
    split = split_percentile(key)
    derived = [] if split is None else [percentile_key(name, split[1]) for name in run.metrics]
    near = nearest_key(key, derived)
    return f"run {run.name} has no metric {key!r}" + (
        f" – did you mean {near!r}?" if near is not None else hint(key, run.metrics)
    )
