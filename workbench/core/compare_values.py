"""Which of a series' values stands for it in a comparison: the last, the best, an extreme, or the one at a step."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from fnmatch import fnmatchcase

from msgspec import Struct

from workbench.core.model import Run, Summary
from workbench.core.query import Query

KINDS = ("last", "best", "min", "max", "first")
"""What may stand for a series besides `step:N`."""

_STEP = re.compile(r"(?:step\s*[: ]?|@)\s*(\d[\d_]*)")

Values = Mapping[tuple[str, str], float]
"""One value of each series by (run id, key); a series without one is left out."""


class ChoiceError(ValueError):
    """A choice that does not exist; the message names the nearest and lists what does."""


class ValueAt(Struct, frozen=True):
    """What stands for a series: a summary, or its value at `step`; some metrics may have one of their own."""

    kind: str = "last"
    step: int | None = None
    own: tuple[tuple[str, ValueAt], ...] = ()
    """By metric, or by a pattern such as `latency*`; the first that fits holds."""

    @property
    def option(self) -> str:
        """As it is written in options and on the command line: `best`, `step:500`, `best,val/loss=min`."""
        usual = f"step:{self.step}" if self.step is not None else self.kind
        return ",".join([usual, *(f"{key}={each.option}" for key, each in self.own)])

    @property
    def words(self) -> str:
        """As a title says it: `best values`, `values at step 500`, `last values (val/loss: min)`."""
        usual = f"values at step {self.step:,}" if self.step is not None else f"{self.kind} values"
        return usual + (f" ({', '.join(f'{key}: {each.option}' for key, each in self.own)})" if self.own else "")

    def of(self, key: str) -> ValueAt:
        """What stands for one metric's series."""
        found = next((each for name, each in self.own if name == key or fnmatchcase(key, name)), None)
        return found if found is not None else ValueAt(self.kind, self.step)


LAST = ValueAt()


def value_at(text: str) -> ValueAt:
    """Read `last`, `best`, `min`, `max`, `first` or `step:500`, for all metrics or as `METRIC=best`, parted by commas.

    Raises:
        ChoiceError: it is none of these.
    """
    usual, own = LAST, []
    for part in filter(None, (part.strip() for part in text.split(","))):
        key, named, word = part.rpartition("=")
        if named:
            own.append((key.strip(), _value(word)))
        else:
            usual = _value(part)
    return ValueAt(usual.kind, usual.step, tuple(own))


def _value(text: str) -> ValueAt:
    word = text.strip().casefold()
    if word in KINDS:
        return ValueAt(word)
    match = _STEP.fullmatch(word)
    if match is not None:
        return ValueAt("step", int(match[1].replace("_", "")))
    from workbench.core.config import nearest

    raise ChoiceError(f"no value {text!r}{nearest(word, KINDS)}; there are {', '.join(KINDS)} and step:N")


def values_of(query: Query, runs: Sequence[Run], at: ValueAt = LAST, keys: Iterable[str] | None = None) -> Values:
    """The value of every series of the runs, or of those with the given keys; those at a step are one query.

    At a step it is the last value logged until then; a series that ended before has none.
    """
    every = {key for run in runs for key in run.metrics}
    kinds: dict[ValueAt, set[str]] = {}
    for key in every if keys is None else every & set(keys):
        kinds.setdefault(at.of(key), set()).add(key)
    found: dict[tuple[str, str], float] = {}
    for kind, own in kinds.items():
        found |= _values(query, runs, kind, own)
    return found


def _values(query: Query, runs: Sequence[Run], at: ValueAt, keys: Collection[str]) -> Values:
    found = {(run.id, key): summary for run in runs for key, summary in run.metrics.items() if key in keys}
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
