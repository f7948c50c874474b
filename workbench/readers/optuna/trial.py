"""What Optuna's two storages have in common: distributions, states, and a trial as a run."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePath
from typing import Any

from msgspec import Struct

from workbench.plugin.api import Fact
from workbench.readers.gathering import Gathering, list_of, mapping_of, scalar_of

RUNNING, COMPLETE, PRUNED, FAILED, WAITING = "RUNNING", "COMPLETE", "PRUNED", "FAIL", "WAITING"
STATES = (RUNNING, COMPLETE, PRUNED, FAILED, WAITING)
"""Names of the states in the order of their numbers."""
OPEN = (RUNNING, WAITING)
_DIRECTIONS: Mapping[Any, str] = {"MINIMIZE": "min", "MAXIMIZE": "max", 1: "min", 2: "max"}
_ENDINGS = {
    COMPLETE: ("finished", "the trial is complete"),
    PRUNED: ("finished", "pruned: stopped early by the study"),
    FAILED: ("failed", "the trial failed: its objective raised or returned no number"),
}
HEARTBEAT_GRACE = 180.0
"""Seconds after a heartbeat in which the next one is due; Optuna's interval is not stored, a minute is usual."""
INTERMEDIATE = "intermediate_value"


class Study(Struct, frozen=True):
    """A study: the group of its trials."""

    name: str
    directions: Sequence[Any] = ()
    metrics: Sequence[str] = ()
    """Names its author gave the objectives, if any."""

    def objective(self, index: int) -> str:
        """The series key of an objective, `value` or `values_0` where it has no name, as in Optuna's data frame."""
        if index < len(self.metrics):
            return self.metrics[index]
        return "value" if len(self.directions) <= 1 else f"values_{index}"

    def goals(self, run: str) -> Iterator[Fact]:
        """Which way is better, for each objective and for what was reported on the way to a single one."""
        for index, direction in enumerate(self.directions):
            if direction in _DIRECTIONS:
                yield Fact("goal", _DIRECTIONS[direction], self.objective(index), run=run)
        if len(self.directions) == 1 and self.directions[0] in _DIRECTIONS:
            yield Fact("goal", _DIRECTIONS[self.directions[0]], INTERMEDIATE, run=run)


def metric_names(value: Any) -> tuple[str, ...]:
    """The names of objectives, from the study's attribute for them."""
    return tuple(str(name) for name in list_of(value))


def native_id(path: PurePath, study: str, number: int) -> str:
    """The id of a trial's run: storages, studies and numbers together are unique."""
    return f"optuna:{path}:{study}:{number}"


def beginning(study: Study, number: int, run: str) -> Iterator[Fact]:
    """What is known of a trial as soon as it runs."""
    yield Fact("name", f"{study.name}/{number}", run=run)
    yield Fact("group", study.name, run=run)
    yield from study.goals(run)


def ending(state: str, run: str) -> Iterator[Fact]:
    """How a trial ended; nothing while it is open."""
    if state in _ENDINGS:
        status, reason = _ENDINGS[state]
        yield Fact("status", status, reason, run=run)
    if state == PRUNED:
        yield Fact("tag", "true", "pruned", run=run)


def attribute(key: str, value: Any, run: str) -> Fact:
    """A user attribute: a summary, because it may be a result as well as a remark."""
    return Fact("summary", scalar_of(value), key, run=run)


def external(internal: Any, distribution: Any) -> Any:
    """The value a trial was given: storages keep a float, a choice as its index; None where that makes no sense."""
    kind, attributes = _distribution(distribution)
    if isinstance(internal, bool) or not isinstance(internal, (int, float)):
        return None
    if kind == "CategoricalDistribution":
        choices = list_of(attributes.get("choices"))
        index = int(internal) if math.isfinite(internal) else -1
        return scalar_of(choices[index]) if 0 <= index < len(choices) else None
    if kind.startswith("Int") and math.isfinite(internal):
        return scalar_of(int(internal))
    return scalar_of(float(internal))


def shape(distribution: Any) -> list[Any]:
    """What must agree between the trials of a study: the kind of a parameter and its choices."""
    kind, attributes = _distribution(distribution)
    return [kind, attributes.get("choices") if kind == "CategoricalDistribution" else None]


def _distribution(text: Any) -> tuple[str, Mapping[str, Any]]:
    try:
        loaded = mapping_of(json.loads(text)) if isinstance(text, str) else {}
    except (ValueError, RecursionError):
        loaded = {}
    return str(loaded.get("name", "")), mapping_of(loaded.get("attributes"))


def final_values(
    found: Gathering, study: Study, values: Mapping[int, float], *, step: int, wall: float | None, run: str, offset: int
) -> None:
    """Add a trial's objective values as points at the step it reached."""
    for index, value in sorted(values.items()):
        found.point(study.objective(index), step, value, wall=wall, run=run, offset=offset)
