"""What a decorated function becomes: a metric of runs, a section of reports, a drift test, or a rule.

Each decorator gives a record that can still be called as the function it was made of, so that it is tested like one.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, Literal

from msgspec import Struct

from workbench.core.blocks import Block
from workbench.core.model import Direction, Finding, MetricKind, Roles
from workbench.core.query import Focus, Query

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Metric(Struct, frozen=True):
    """A metric that runs did not log, made of what they did; made by `@metric`."""

    name: str
    """Its key: `gap`, `val/gap`."""
    function: Callable[..., Any]
    needs: tuple[tuple[str, ...], ...]
    """The keys it is made of, each with its alternatives; empty makes it of the run itself."""
    roles: Roles
    series: bool
    """Made point by point, so that it has a curve."""

    def __call__(self, *values: Any) -> Any:
        """Call the function itself."""
        return self.function(*values)


class Section(Struct, frozen=True):
    """A part of reports that is no panel; made by `@section`."""

    name: str
    title: str
    function: Callable[..., Block | Sequence[Block]]

    def __call__(self, query: Query, focus: Focus | None = None) -> Block | Sequence[Block]:
        """Call the function itself, with the focus if it takes one."""
        if len(inspect.signature(self.function).parameters) > 1:
            return self.function(query, focus or Focus())
        return self.function(query)


class DriftTest(Struct, frozen=True):
    """A score of how far two samples are apart; made by `@drift_test`."""

    name: str
    title: str
    function: Callable[[NDArray[np.float64], NDArray[np.float64]], float]
    threshold: float
    p_value: bool
    """The score is a p-value: drift is at most the threshold instead of at least."""
    of: Literal["numbers", "categories"]

    def __call__(self, reference: NDArray[np.float64], current: NDArray[np.float64]) -> float:
        """Call the function itself."""
        return self.function(reference, current)


class Rule(Struct, frozen=True):
    """A condition over runs and windows that tells findings; made by `@rule`."""

    name: str
    function: Callable[[Query], Iterable[Finding]]

    def __call__(self, query: Query) -> Iterable[Finding]:
        """Call the function itself."""
        return self.function(query)


def metric(
    name: str, *, needs: Sequence[str] = (), series: bool = False, direction: Direction | None = None, unit: str = "",
    kind: MetricKind = "other",
) -> Callable[[Callable[..., Any]], Metric]:  # fmt: skip
    """Make a function of a run's metrics one more metric: a column, a gate's quantity, with `series` a curve.

    needs: keys of the metrics it is made of, `a|b` where formats differ; runs that lack one do not have it. The
        function gets the `Summary` of each and gives a number, or None. Without any it gets the `Run`.
    series: the function gets an array of values of each instead, at the steps that all of them have, and gives an array
        of the same length. It is made for the newest 200 runs.
    direction, unit, kind: what `[metrics]` in workbench.toml would say of it, which comes first.

    Raises:
        TypeError: `needs` is a text instead of a list, or a series is to be made of nothing.
    """
    if isinstance(needs, str):
        raise TypeError(f"needs is {needs!r}; write needs=[{needs!r}]")
    if series and not needs:
        raise TypeError("a series is made of other series: name them with needs=[...]")
    keys = tuple(tuple(key.split("|")) for key in needs)
    return lambda function: Metric(name, function, keys, Roles(direction, unit, kind), series)


def section(
    title: str, *, name: str = ""
) -> Callable[[Callable[..., Block | Sequence[Block]]], Section]:  # fmt: skip
    """Make a function of a query, and a focus if it takes one, a section of reports; it gives a block or several.

    name: its anchor and what commands call it; the function's own by default.
    """
    return lambda function: Section(name or _called(function), title, function)


def drift_test(
    name: str, *, threshold: float, p_value: bool = False, of: Literal["numbers", "categories"] = "numbers",
    title: str = "",
) -> Callable[[Callable[[NDArray[np.float64], NDArray[np.float64]], float]], DriftTest]:  # fmt: skip
    """Make a function of two samples a drift method, for `workbench drift --method NAME` and `[monitor.NAME.drift]`.

    It gets the reference's and the current finite values, each sorted; of categories, how often each occurs on either
    side, in one order. threshold: the score from which on there is drift, or with `p_value` up to which.
    """
    return lambda function: DriftTest(name, title or name, function, threshold, p_value, of)


def rule(name: str) -> Callable[[Callable[[Query], Iterable[Finding]]], Rule]:
    """Make a function of a query tell findings; it is asked by whoever reads the logs, when the project changes."""
    return lambda function: Rule(name, function)


def _called(function: Callable[..., Any]) -> str:
    return function.__name__.strip("_").replace("_", "-")
