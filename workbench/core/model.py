"""The records that cross layers; all frozen, `None` is unknown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from msgspec import Struct, field

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


Status = Literal["running", "quiet", "finished", "failed", "lost"]
Direction = Literal["higher", "lower"]
MetricKind = Literal["business", "performance", "latency", "data", "system", "other"]


class Roles(Struct, frozen=True):
    """What a metric means: which way is better, in what unit, and which of the four kinds it is."""

    direction: Direction | None = None
    unit: str = ""
    kind: MetricKind = "other"


class Summary(Struct, frozen=True):
    """One series in a row: extremes are of finite values, `last` is the value at the highest (step, time)."""

    n: int
    last: float | None
    last_step: int | None
    min: float | None
    max: float | None
    best: float | None = None
    """`min` or `max` by direction; None while the direction is unknown."""
    first: float | None = None
    not_finite: int = 0
    last_wall: float | None = None


class Run(Struct, frozen=True):
    """One execution of a training script, as the store knows it."""

    id: str
    name: str
    format: str
    path: str
    """The run folder or file, relative to the project."""
    status: Status
    status_reason: str
    started_at: float | None = None
    ended_at: float | None = None
    updated_at: float | None = None
    params: Mapping[str, Any] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    metrics: Mapping[str, Summary] = field(default_factory=dict)
    notes: Sequence[str] = ()
    hidden: bool = False
    baseline: bool = False
    total_steps: int | None = None
    environment: Mapping[str, Any] = field(default_factory=dict)
    group: str = ""
    """The study, experiment or sweep it belongs to."""
    parent: str = ""
    """Id of the run it is nested in."""
    formats: Sequence[str] = ()
    """Every format seen of it, `format` first."""
    aliases: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """By metric: the formats that log it too, whose points are kept but not shown."""
    attention: Literal["", "info", "warn", "bad"] = ""
    """How bad the worst is that its own curves tell and that goes on."""
    diagnosis: str = ""
    """That finding in one sentence; `Query.findings` has all of them."""


class Series(Struct, frozen=True):
    """Points of one metric of one run, ordered by step; thinned to minima and maxima when asked for fewer."""

    run_id: str
    key: str
    step: NDArray[np.int64]
    wall: NDArray[np.float64]
    value: NDArray[np.float64]
    n: int
    """How many points the store has, before thinning."""


class StepHistogram(Struct, frozen=True):
    """Counts of a key at one step: `counts` of length n stand between the n + 1 ascending `edges`."""

    step: int
    wall: float | None
    edges: NDArray[np.float64]
    counts: NDArray[np.float64]


class Stage(Struct, frozen=True):
    """One step of a pipeline: ingestion, preprocessing, training, evaluation, result logging."""

    name: str
    start: float | None
    end: float | None
    rows: int | None
    status: str


class Artifact(Struct, frozen=True):
    """A file that a run made: as it was named, and where it lies now."""

    name: str
    path: str
    """As the run said it."""
    place: str = ""
    """Absolute, where there is such a file within the project; else empty."""
    offset: int = 0
    length: int | None = None
    """Bytes from `offset` on that are an image within the file; None where the whole file was meant."""


class Source(Struct, frozen=True):
    """One file being read, and how far."""

    id: str
    path: str
    format: str
    generation: int
    bytes: int
    offset: int
    accepted: int
    rejected: int
    status: str
    message: str
    seen_at: float


class ColumnFinding(Struct, frozen=True):
    """Something about a column besides the shape of its values, with the numbers that say it."""

    kind: Literal["missing", "infinite", "new-values", "gone-values", "range", "constant", "schema", "time", "ids"]
    column: str
    sentence: str
    """What, in plain words, the column's name included."""
    severity: Literal["info", "warn", "bad"] = "warn"
    numbers: Mapping[str, float] = field(default_factory=dict)


class ColumnDrift(Struct, frozen=True):
    """The verdict on one column of one comparison."""

    column: str
    type: Literal["num", "cat", "text", "other"]
    status: Literal["ok", "drift", "no-data", "too-few", "id-like", "unsupported", "schema-changed"]
    method: str | None
    score: float | None
    threshold: float | None
    drifted: bool
    n_reference: int
    n_current: int
    reason: str = ""
    noise_p95: float | None = None
    """What chance alone lets 95 % of such samples score at most; in the score's unit, None where it is a p-value."""
    p_value: float | None = None
    """How likely a gap this wide is without drift; adjusted for the number of columns tested together."""
    effect: float | None = None
    """0..1: the widest gap of the two distribution functions, or the share of rows in another category."""
    findings: Sequence[ColumnFinding] = ()


class DatasetDrift(Struct, frozen=True):
    """The verdict on a table: the share of tested columns that drifted, against a share (Evidently's is 0.5)."""

    columns: Sequence[ColumnDrift]
    share: float
    drifted: int
    tested: int
    verdict: Literal["ok", "drift", "no-data"]
    mode: Literal["calibrated", "evidently"] = "evidently"

    @property
    def findings(self) -> Sequence[ColumnFinding]:
        """Those of all columns: the worst first, then in order of columns."""
        worst = {"bad": 0, "warn": 1, "info": 2}
        found = [finding for column in self.columns for finding in column.findings]
        return sorted(found, key=lambda finding: worst[finding.severity])


class Window(Struct, frozen=True):
    """One slice of production time (or rows) of one monitor; `metrics` by key, `columns` per tested column."""

    monitor: str
    start: float
    end: float
    rows: int
    metrics: Mapping[str, float | None]
    columns: Sequence[ColumnDrift] = ()
    segment: str = ""


class Finding(Struct, frozen=True):
    """A fact worth attention: what, about what, how bad, since when, and the numbers behind it."""

    kind: str
    """`drift`, `performance`, `latency`, `errors`, `business`, `volume`, `freshness`, `missing`, `schema`, …"""
    subject: str
    """The metric or column it is about, as it is named in windows and runs."""
    severity: Literal["info", "warn", "bad"]
    sentence: str
    """One sentence in plain words: what, since when, and what moved with it."""
    since: float | None = None
    """Seconds since 1970; for a run, see `step` in the evidence."""
    until: float | None = None
    """None while it goes on."""
    confidence: float | None = None
    """0..1; None where it is certain."""
    evidence: Mapping[str, Any] = field(default_factory=dict)
    monitor: str = ""
    segment: str = ""
    run: str = ""


class Distribution(Struct, frozen=True):
    """A column's shape on both sides, on common edges or categories; shares sum to 1 on each side."""

    column: str
    labels: Sequence[str]
    reference: Sequence[float]
    current: Sequence[float]
