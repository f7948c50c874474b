"""A study and its trials as the panel shows them; `None` is unknown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

State = Literal["complete", "pruned", "failed", "running"]
Direction = Literal["minimize", "maximize"]
STATES: Sequence[State] = ("complete", "pruned", "failed", "running")


@dataclass(frozen=True, slots=True)
class Trial:
    """One trial, which is a run."""

    run: str
    """Id of the run."""
    number: int
    state: State
    values: Sequence[float | None] = ()
    """One an objective; None where the trial has none, NaN and inf as they were told."""
    params: Mapping[str, Any] = field(default_factory=dict)
    started: float | None = None
    ended: float | None = None
    last_step: int | None = None
    """The last step it reported a value at."""
    last_value: float | None = None
    """What it reported there."""

    @property
    def seconds(self) -> float | None:
        """How long it took."""
        return None if self.started is None or self.ended is None else max(self.ended - self.started, 0.0)


@dataclass(frozen=True, slots=True)
class Importance:
    """What a parameter does to one objective, as far as the trials tell."""

    param: str
    rank: float | None = None
    """-1..1, Spearman's correlation of numbers; None for choices."""
    strength: float | None = None
    """0..1: by ranks alone, of numbers and choices alike."""
    share: float | None = None
    """0..1: of the variance over the space that was searched, by itself; None where a forest cannot tell."""


@dataclass(frozen=True, slots=True)
class Importances:
    """Of every parameter for one objective, the most important first."""

    objective: str
    params: Sequence[Importance] = ()
    trials: int = 0
    explained: float | None = None
    """How much of the variance of trials it has not seen the forest explains; None without a forest."""
    remark: str = ""
    """Why there is no forest."""


@dataclass(frozen=True, slots=True)
class Study:
    """A study: trials by number, and what is wanted of them."""

    name: str
    objectives: Sequence[str]
    directions: Sequence[Direction]
    trials: Sequence[Trial]
    storage: str = ""
    """The file it is in, relative to the project."""

    def count(self, state: State) -> int:
        """Trials in a state."""
        return sum(trial.state == state for trial in self.trials)

    @property
    def params(self) -> Sequence[str]:
        """Names of all parameters, in the order in which trials had them."""
        return list(dict.fromkeys(name for trial in self.trials for name in trial.params))


@dataclass(frozen=True, slots=True)
class StudyData:
    """A study with what was worked out about it."""

    study: Study
    importances: Sequence[Importances] = ()
    """One an objective."""


@dataclass(frozen=True, slots=True)
class OptunaData:
    """What the panel shows: studies in full, and the names of the others with their newest trial's run."""

    studies: Sequence[StudyData] = ()
    others: Sequence[Study] = ()
