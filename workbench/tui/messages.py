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

    def __post_init__(self) -> None:
        super().__init__()


@dataclass
class Said(Message):
    """Something was done off the event loop, or failed."""

    words: str
    bad: bool = False

    def __post_init__(self) -> None:
        super().__init__()


@dataclass
class RunsLoaded(Message):
    """The store has changed, and this is what it says now."""

    snapshot: Snapshot
    monitors: Sequence[str]
    revision: str
    seconds: float
    """What the load cost; the next one waits accordingly."""

    def __post_init__(self) -> None:
        super().__init__()


@dataclass
class LoadFailed(Message):
    """The store could not be read."""

    error: Exception

    def __post_init__(self) -> None:
        super().__init__()


@dataclass
class Unchanged(Message):
    """The store is as it was, and could be read."""

    def __post_init__(self) -> None:
        super().__init__()


@dataclass
class ExtrasLoaded(Message):
    """Sparklines and percentiles of some runs, by the metric they were asked for."""

    metric: str | None
    sparks: Mapping[str, Sequence[float]]
    percentiles: Percentiles
    asked: Mapping[str, tuple[int, ...]]
    """Run ids asked about, each with the state of its series then."""

    def __post_init__(self) -> None:
        super().__init__()


@dataclass
class ChartLoaded(Message):
    """The series of the chart beside the table."""

    metric: str
    series: Sequence[Series]

    def __post_init__(self) -> None:
        super().__init__()


@dataclass
class PanelLoaded(Message):
    """A panel's data, for the load with this number."""

    number: int
    data: Any

    def __post_init__(self) -> None:
        super().__init__()


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

    def __post_init__(self) -> None:
        super().__init__()


def failure_of(error: BaseException, doing: str) -> Failure:
    """An exception as a failure, placed where the innermost frame is."""
    import traceback

    frames = traceback.extract_tb(error.__traceback__)
    place = f"{frames[-1].filename}:{frames[-1].lineno} in {frames[-1].name}" if frames else "unknown place"
    text = "".join(traceback.format_exception(error))
    return Failure(doing, f"{type(error).__name__}: {error}", place, text)
