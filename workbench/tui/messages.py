"""What work off the event loop reports; handlers alone change what is seen."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from msgspec import Struct
from textual.message import Message

from workbench.core.config import Config
from workbench.core.model import Series
from workbench.core.order import Percentiles
from workbench.core.query import Fit, Query
from workbench.tui.run_columns import Snapshot

if TYPE_CHECKING:
    from workbench.core.blocks import Block
    from workbench.plugin.api import Panel


@dataclass
class Started(Message):
    """The store is open."""

    query: Query


@dataclass
class PanelsFound(Message):
    """The panels have been collected."""

    panels: Sequence[Panel]


@dataclass
class ConfigLoaded(Message):
    """`workbench.toml` has been looked at: the new configuration, or why it cannot be used, or neither."""

    stamp: tuple[int, int] | None
    config: Config | None = None
    error: str = ""


@dataclass
class Said(Message):
    """Something was done off the event loop, or failed; `then` is what the interface makes of it."""

    words: str
    bad: bool = False
    then: Callable[[], None] | None = None


@dataclass
class Ran(Message):
    """A command of the command line has ended."""

    words: Sequence[str]
    code: int
    out: str
    err: str


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
    """Processor time of the load; the next one waits accordingly."""


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
    views: Mapping[Fit, Block] = field(default_factory=dict)
    """Blocks made off the event loop, by the room they are for."""


@dataclass
class PanelViewed(Message):
    """The blocks of a plugin's panel for one room, of the load with this number."""

    number: int
    fit: Fit
    block: Block


@dataclass
class PanelActed(Message):
    """A panel has done what was asked of it, and has this to say."""

    words: str


class Failure(Struct, frozen=True):
    """Why a panel shows nothing: what it raised, where, and the whole traceback."""

    doing: str
    """`load`, `view`, `widget`, or `act` with the action's name."""
    error: str
    place: str
    """File and line; empty where a block was refused rather than an exception raised, or the store says it all."""
    traceback: str
    by_store: bool = False
    """The store cannot be read, and the panel is not to blame."""


@dataclass
class PanelFailed(Message):
    """A panel raised in the load with this number."""

    number: int
    failure: Failure


def failure_of(error: BaseException, doing: str) -> Failure:
    """An exception as a failure: in words, where it was raised, and the whole traceback."""
    import traceback

    from workbench.plugin.box import reason_of
    from workbench.store.errors import StoreError, StoreRefusedError

    by_store = isinstance(error, StoreError) and not isinstance(error, StoreRefusedError)
    words, place = (str(error), "") if by_store else reason_of(error)
    try:
        text = "".join(traceback.format_exception(error))
    except Exception:  # noqa: BLE001 - an exception of a plugin may fail even at that
        text = f"{words}\n{place}"
    return Failure(doing, words, place, text, by_store)
