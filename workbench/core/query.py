"""The door to data that panels, rules and sections are handed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from msgspec import Struct, field

from workbench.core.model import (
    Artifact,
    Distribution,
    Finding,
    Roles,
    Run,
    Series,
    Source,
    Stage,
    StepHistogram,
    Window,
)

if TYPE_CHECKING:
    from pathlib import Path

    from workbench.core.batch import ConsoleLine  # numpy is not wanted before the first paint
    from workbench.core.run_logs import LogPlace


class Focus(Struct, frozen=True):
    """What the user looks at: the run under the cursor, the marked ones, the baseline, the filter."""

    run: str | None = None
    marked: tuple[str, ...] = ()
    baseline: str | None = None
    where: str = ""
    metric: str | None = None
    """The main metric; None lets the panel choose."""
    monitor: str | None = None
    column: str | None = None
    """A column opened in Drift."""
    window: float | None = None
    """Start of the window opened in Drift, seconds since 1970."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """View options by name: `x` ("step", "wall", "relative"), `log_y`, `smooth` (0..0.99), `sort`, `descending`, and
    those that a panel offers as its `Choice`s."""


class Choice(Struct, frozen=True):
    """A view option that a panel offers: the same in the interface, on the command line and in a report."""

    option: str
    """Name in `Focus.options`."""
    title: str
    """What it decides, in a word or two: `y axis`."""
    values: Sequence[str]
    current: str
    typed: str = ""
    """What else may be typed, as an example (`step:500`); empty where the values are all there is."""


class Fit(Struct, frozen=True):
    """The room a view has: columns and rows of characters; 0 rows is unlimited."""

    columns: int = 80
    rows: int = 0
    colors: int = 256
    unicode: bool = True


class Rows(Struct, frozen=True):
    """The answer to a query in SQL."""

    columns: Sequence[str]
    rows: Sequence[tuple[Any, ...]]
    more: bool = False
    """There are rows beyond these, which the limit kept away."""


class Stop:
    """Ends a query from another thread."""

    def __init__(self) -> None:
        self.asked = False
        """Somebody wants it ended."""
        self._end: Callable[[], object] = lambda: None

    def __call__(self) -> None:
        """End the query that runs; one that has not begun ends when it does."""
        self.asked = True
        self._end()

    def serve(self, end: Callable[[], object]) -> None:
        """Have `end` called from now on: for whoever runs the query."""
        self._end = end
        if self.asked:
            end()


class Limits(Struct, frozen=True):
    """How many rows a query in SQL may give, how many seconds it may take, and what ends it before; 0 is the most."""

    rows: int = 0
    seconds: float = 0.0
    stop: Stop | None = None


class Query(Protocol):
    """Read-only access to one project's store; every method may be called from any thread."""

    def runs(self, where: str = "", *, hidden: bool = False) -> Sequence[Run]:
        """Runs that match `where`, newest first.

        Raises:
            WhereError: the expression cannot be parsed.
        """
        ...

    def newest(self, n: int) -> Sequence[Run]:
        """The newest `n` visible runs, as `runs()` would list them first; quick on a store never opened before."""
        ...

    def series(self, run_id: str, key: str, points: int = 0, steps: tuple[int, int] | None = None) -> Series:
        """One series ordered by step; with `points`, at most that many, extremes kept.

        `steps` asks for the points from one step to the other alone, both included; `Series.n` counts those.
        """
        ...

    def series_of(self, run_ids: Sequence[str], keys: Sequence[str]) -> Mapping[tuple[str, str], Series]:
        """Whole series of many runs, by (run id, key); those that are not there are left out.

        One query, whatever the number of runs; all of their points are in memory at once.
        """
        ...

    def percentiles(
        self, run_ids: Sequence[str], keys: Sequence[str], qs: Sequence[float]
    ) -> Mapping[tuple[str, str], Sequence[float]]:
        """Exact percentiles `qs` (0..100, interpolated linearly) of each series' finite values, by (run id, key).

        A series without a finite value is left out. One query, whatever the number of runs.
        """
        ...

    def at_step(self, run_ids: Sequence[str], keys: Sequence[str], step: int) -> Mapping[tuple[str, str], float]:
        """The last value logged until a step, by (run id, key); a series that begins later is left out.

        One query, whatever the number of runs.
        """
        ...

    def sparks(self, run_ids: Sequence[str], key: str, points: int = 30) -> Mapping[str, Sequence[float]]:
        """One series of many runs, thinned to about `points` values each, by run id; runs without it are left out.

        One query, whatever the number of runs.
        """
        ...

    def paces(self, run_ids: Sequence[str]) -> Mapping[str, float]:
        """Steps a second of each run over its newest points, pauses aside; runs without times are left out.

        One query, whatever the number of runs.
        """
        ...

    def histogram_keys(self, run_id: str) -> Sequence[str]:
        """Keys that a run logged histograms of, sorted."""
        ...

    def histograms(self, run_id: str, key: str, steps: int = 0) -> Sequence[StepHistogram]:
        """Histograms of one key by step; with `steps`, at most that many, evenly spread, the last one kept."""
        ...

    def console(self, run_id: str, last: int = 1000) -> Sequence[ConsoleLine]:
        """The last lines of a run's output, in the order they were printed."""
        ...

    def run_sources(self, run_id: str) -> Sequence[Source]:
        """The files a run was read from, by path."""
        ...

    def log_place(self, run_id: str, step: int) -> LogPlace | None:
        """The line of a run's text log that tells of a step, or of the last one before it."""
        ...

    def log_step(self, source: str, offset: int) -> LogPlace | None:
        """The point of a text log at a byte, or the last one before it; `source` is its id."""
        ...

    def artifacts(self, run_id: str) -> Sequence[Artifact]:
        """The files a run made, by name."""
        ...

    def stages(self, run_id: str) -> Sequence[Stage]:
        """The stages a run logged, in order of their start."""
        ...

    def sources(self) -> Sequence[Source]:
        """Every source, by path."""
        ...

    def monitors(self) -> Sequence[str]:
        """Names of the monitors that have windows or are configured."""
        ...

    def windows(self, monitor: str) -> Sequence[Window]:
        """Windows of a monitor, oldest first."""
        ...

    def distribution(self, monitor: str, column: str, window: float | None = None) -> Distribution | None:
        """Reference against one window (the newest by default), or None where nothing was kept."""
        ...

    def findings(self, monitor: str = "", run: str = "") -> Sequence[Finding]:
        """What is worth attention of one monitor or run, or of all of them: the worst first, then the newest."""
        ...

    def trained_by(self, monitor: str) -> Run | None:
        """The run that promised what a monitor sees: its reference's run, else the newest one tagged `production`."""
        ...

    def roles(self, key: str) -> Roles:
        """A metric's direction, unit and kind."""
        ...

    def sql(self, text: str, parameters: Sequence[Any] = (), limits: Limits | None = None) -> Rows:
        """Rows of a SELECT on the documented tables and views."""
        ...

    def revision(self) -> str:
        """Changes whenever the store does; cheap enough to poll."""
        ...

    def root(self) -> Path:
        """The project's folder, absolute: runs, sources and exports are named relative to it.

        What a plugin keeps for itself belongs into a folder of its own in `.workbench/` there.
        """
        ...
