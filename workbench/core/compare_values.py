"""Which of a series' values stands for it in a comparison: the last, the best, an extreme, or the one at a step."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from workbench.core.model import Run, Summary
from workbench.core.query import Query

KINDS = ("last", "best", "min", "max", "first")
"""What may stand for a series besides `step:N`."""

_STEP = re.compile(r"(?:step\s*[: =]?|@)\s*(\d[\d_,]*)")

Values = Mapping[tuple[str, str], float]
"""One value of each series by (run id, key); a series without one is left out."""


class ChoiceError(ValueError):
    """A choice that does not exist; the message names the nearest and lists what does."""


@dataclass(frozen=True, slots=True)
class ValueAt:
    """What stands for a series: a summary, or its value at `step`."""

    kind: str = "last"
    step: int | None = None

    @property
    def option(self) -> str:
        """As it is written in options and on the command line: `best`, `step:500`."""
        return f"step:{self.step}" if self.step is not None else self.kind

    @property
    def words(self) -> str:
        """As a title says it: `best values`, `values at step 500`."""
        return f"values at step {self.step:,}" if self.step is not None else f"{self.kind} values"


LAST = ValueAt()


def value_at(text: str) -> ValueAt:
    """Read `last`, `best`, `min`, `max`, `first` or `step:500`.

    Raises:
        ChoiceError: it is none of these.
    """
    word = text.strip().casefold()
    if word in KINDS:
        return ValueAt(word)
    match = _STEP.fullmatch(word)
    if match is not None:
        return ValueAt("step", int(re.sub(r"[_,]", "", match[1])))
    from workbench.core.config import nearest

    raise ChoiceError(f"no value {text!r}{nearest(word, KINDS)}; there are {', '.join(KINDS)} and step:N")


def values_of(query: Query, runs: Sequence[Run], at: ValueAt = LAST, keys: Iterable[str] | None = None) -> Values:
    """The value of every series of the runs, or of those with the given keys; at a step they are one query.

    At a step it is the last value logged until then; a series that ended before has none.
    """
    wanted = None if keys is None else set(keys)
    found = {
        (run.id, key): summary
        for run in runs
        for key, summary in run.metrics.items()
        if wanted is None or key in wanted
    }
    if at.step is None:
        read = _READERS[at.kind]
        return {place: value for place, summary in found.items() if (value := read(summary)) is not None}
    there = {place for place, summary in found.items() if _reaches(summary, at.step)}
    if not there:
        return {}
    run_ids = list(dict.fromkeys(run_id for run_id, _ in there))
    values = query.at_step(run_ids, sorted({key for _, key in there}), at.step)
    return {place: value for place, value in values.items() if place in there}


def _reaches(summary: Summary, step: int) -> bool:
    """Whether a series goes on to a step, or would have with its next point: the last one is often one short."""
    if summary.last_step is None:
        return False
    gap = summary.last_step / (summary.n - 1) if summary.n > 1 else 0
    return summary.last_step + gap >= step


_READERS: Mapping[str, Callable[[Summary], float | None]] = {
    "last": lambda summary: summary.last,
    "best": lambda summary: summary.best,
    "min": lambda summary: summary.min,
    "max": lambda summary: summary.max,
    "first": lambda summary: summary.first,
}
