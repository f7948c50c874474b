"""What work off the event loop reports; handlers alone change what is seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from textual.message import Message

from workbench.core.model import Series
from workbench.core.query import Query
from workbench.tui.rows import Percentiles, Snapshot

if TYPE_CHECKING:
    from workbench.plugin.api import Panel


@dataclass
class Started(Message):
    """The store is open and the panels are known."""

    query: Query
    panels: Sequence[Panel]


@dataclass
class Said(Message):
    """Something was done off the event loop, or failed."""

    words: str
    bad: bool = False


@dataclass
class Crashed(Message):
    """A job of ours raised what it should have answered with."""

    error: Exception


@dataclass
class RunsLoaded(Message):
    """The store has changed, and this is what it says now."""

    snapshot: Snapshot
    monitors: Sequence[str]
    revision: str
    seconds: float
    """What the load cost; the next one waits accordingly."""


@dataclass
class LoadFailed(Message):
    """The store could not be read."""

    error: Exception


@dataclass
class Unchanged(Message):
    """The store is as it was, and could be read."""


@dataclass
class ExtrasLoaded(Message):
    """Sparklines and percentiles of some runs, by the metric they were asked for."""

    metric: str | None
    sparks: Mapping[str, Sequence[float]]
    percentiles: Percentiles
    asked: Mapping[str, tuple[int, ...]]
    """Run ids asked about, each with the state of its series then."""


@dataclass
class ChartLoaded(Message):
    """The series of the chart beside the table."""

    metric: str
    series: Sequence[Series]


@dataclass
class PanelLoaded(Message):
    """A panel's data, for the load with this number."""

    number: int
    data: Any
    seconds: float


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a panel shows nothing: what it raised, where, and the whole traceback."""

    doing: str
    """`load` or `view`."""
    error: str
    place: str
    traceback: str


@dataclass
class PanelFailed(Message):
    """A panel raised in the load with this number."""

    number: int
    failure: Failure


def failure_of(error: BaseException, doing: str) -> Failure:
    """An exception as a failure, placed where the innermost frame is."""
    import traceback

    frames = traceback.extract_tb(error.__traceback__)
    place = f"{frames[-1].filename}:{frames[-1].lineno} in {frames[-1].name}" if frames else "unknown place"
    text = "".join(traceback.format_exception(error))
    return Failure(doing, f"{type(error).__name__}: {error}", place, text)
