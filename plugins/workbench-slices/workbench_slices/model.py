"""What is asked and what is found; frozen, and JSON on its way to the worker and back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

Task = Literal["classification", "regression"]
Format = Literal["parquet", "csv", "jsonl"]


@dataclass(frozen=True, slots=True)
class Condition:
    """What holds for the rows of a slice: a stretch of numbers, a value, or that there is none."""

    feature: str
    low: float | None = None
    """From here on."""
    high: float | None = None
    """Below here; up to and with it where `closed`."""
    value: str | None = None
    missing: bool = False
    closed: bool = False


@dataclass(frozen=True, slots=True)
class Slice:
    """Rows that share one or two conditions, and how much worse they are than all others."""

    conditions: Sequence[Condition]
    rows: int
    share: float
    """Of all rows."""
    loss: float
    """Mean loss of its rows: a share of wrong or slow ones, or a mean absolute error."""
    rest: float
    """That of all other rows."""
    excess: float
    low: float
    """The excess is at least this; `low` and `high` are adjusted for having been chosen among many."""
    high: float
    p_value: float
    typical: float | None = None
    """Median of what was measured in its rows: milliseconds of latency; None for errors."""


@dataclass(frozen=True, slots=True)
class Ranking:
    """The worst slices by one loss, the worst first."""

    loss: Literal["wrong", "absolute", "slow"]
    rows: int
    overall: float
    tested: int
    """Slices that were compared with the rest."""
    slices: Sequence[Slice] = ()
    limit: float | None = None
    """Milliseconds above which a row counts as slow."""
    typical: float | None = None
    """Median over all rows, as in the slices."""


@dataclass(frozen=True, slots=True)
class Labels:
    """Files that tell what came true, and their columns."""

    paths: Sequence[str]
    id: str | None = None
    label: str | None = None


@dataclass(frozen=True, slots=True)
class Columns:
    """Which columns play which role; None is guessed by name."""

    prediction: str | None = None
    probability: str | None = None
    label: str | None = None
    latency: str | None = None
    latency_unit: str = "auto"
    positive: str | None = None
    timestamp: str | None = None
    timestamp_unit: str = "auto"
    id: str | None = None
    features: Sequence[str] = ()
    """Empty is every column without a role."""
    ignore: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Question:
    """Files of predictions, of which rows, and what their columns mean."""

    paths: Sequence[str]
    columns: Columns = field(default_factory=Columns)
    labels: Labels | None = None
    times: tuple[float, float] | None = None
    """Rows from the first moment on and before the second, seconds since 1970."""
    numbers: tuple[int, int] | None = None
    """Rows by their place in the files, the second excluded."""
    most_rows: int = 200_000
    false_rate: float = 0.05
    """Share of the reported slices that may be chance."""
    most_slices: int = 8
    min_rows: int = 0
    """Rows that a slice has at least; 0 is 30, and half a percent of many."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What was found in the files."""

    rows: int = 0
    """Rows of the files that were asked for."""
    read: int = 0
    """Rows that were looked at."""
    labelled: int = 0
    features: Sequence[str] = ()
    task: Task | None = None
    error: Ranking | None = None
    latency: Ranking | None = None
    notes: Sequence[str] = ()
    """What was assumed or left out, in words."""
    problem: str = ""
    """Why nothing could be found out."""


@dataclass(frozen=True, slots=True)
class Subject:
    """Predictions that are asked about: a run's or a monitor's."""

    name: str
    what: str
    """Which file or windows, in words."""
    question: Question
    kind: Literal["run", "monitor"] = "run"


@dataclass(frozen=True, slots=True)
class Report:
    """A subject and the answer about it."""

    subject: Subject
    answer: Answer


@dataclass(frozen=True, slots=True)
class SlicesData:
    """What the panel shows."""

    reports: Sequence[Report] = ()
    hint: str = ""
    """Where predictions were looked for, when there is no report."""
