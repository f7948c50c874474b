"""The whole public contract of plugins; built-in panels and readers are written against it too.

A panel loads on a worker thread and views purely. A reader claims files by name and head, and turns stretches of
bytes into columns. Text is handed on raw: renderers make it safe to show.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Sequence
from pathlib import PurePath
from typing import Any, ClassVar

from msgspec import Struct

from workbench.core.batch import (
    NO,
    Batch,
    Chunk,
    Claim,
    ConsoleLine,
    Fact,
    Framing,
    Head,
    Histogram,
    Points,
    Purge,
    Reject,
    no_points,
)
from workbench.core.blocks import (
    Axis,
    Bars,
    Block,
    Cell,
    Column,
    Columns,
    Empty,
    Heat,
    Line,
    Lines,
    Note,
    Point,
    Scatter,
    Stack,
    Stat,
    Table,
    Tone,
)
from workbench.core.model import ColumnDrift, Distribution, Finding, Roles, Run, Series, Source, Stage, Summary, Window
from workbench.core.query import Choice, Fit, Focus, Query, Rows
from workbench.plugin.functions import DriftTest, Metric, Rule, Section, drift_test, metric, rule, section

API = 1
"""Version of this contract; a plugin that asks for a newer one is refused with both numbers."""

__all__ = [
    "API", "NO", "Action", "Axis", "Bars", "Batch", "Block", "Cell", "Choice", "Chunk", "Claim", "Column",
    "ColumnDrift", "Columns", "ConsoleLine", "Distribution", "DriftTest", "Empty", "Fact", "Finding", "Fit", "Focus",
    "Framing", "Head", "Heat", "Histogram", "Line", "Lines", "Metric", "Note", "Panel", "Point", "Points", "Purge",
    "Query", "Reader", "Reject", "Roles", "Rows", "Rule", "Run", "Scatter", "Section", "Series", "Source", "Stack",
    "Stage", "Stat", "Summary", "Table", "Tone", "WidgetPanel", "Window", "drift_test", "metric", "no_points", "rule",
    "section",
]  # fmt: skip


class Action(Struct, frozen=True):
    """Something the user can have a panel do; `Panel.act` is called with its name."""

    name: str
    """Short, lower case, unique in its panel."""
    key: str
    """One letter or digit; where the interface has it already, the action is in the list of commands alone."""
    label: str
    """One or two words for the footer."""
    help: str = ""
    """One sentence; the label without it."""


class Panel:
    """A unit of the interface: appears in the TUI and in every report format."""

    name: ClassVar[str]
    """Short, unique, lower case: used in commands and configuration."""
    title: ClassVar[str]
    api: ClassVar[int] = API
    key: ClassVar[str] = ""
    """The digit or letter that opens the panel in the TUI; empty is reached through the panel list."""
    in_report: ClassVar[bool] = True
    every: ClassVar[float | None] = None
    """Seconds between loads; None loads only when the store changes."""
    options: Any = None
    """The defaults, an instance of a frozen dataclass; `[panel.NAME]` in workbench.toml replaces what it names."""
    actions: ClassVar[Sequence[Action]] = ()
    """What the user can have it do in the interface, besides what every panel offers."""
    deadline: ClassVar[float] = 30.0
    """Seconds a load may take before it is given up."""
    isolate: ClassVar[bool] = False
    """Load and view in a process of its own, which may crash or be ended; `[plugins.NAME]` can ask for that too."""
    follows_metric: ClassVar[bool] = False
    """Whether it shows `Focus.metric`, so that choosing the main metric is offered where no chart does."""

    def load(self, query: Query, focus: Focus) -> Any:
        """Fetch what the view needs; runs on a worker thread, may be slow, must not print."""
        raise NotImplementedError

    def view(self, data: Any, fit: Fit) -> Block:
        """Turn loaded data into blocks; pure and quick, called again at every size."""
        raise NotImplementedError

    def choices(self, data: Any) -> Sequence[Choice]:
        """View options that the user may set, with what there is to choose from; the first one is at hand."""
        return ()

    def to_json(self, data: Any) -> Any:
        """JSON-able form of the data for `--format json`; None leaves it to the blocks of `view`."""
        return None

    def act(self, action: str, query: Query, focus: Focus) -> str:
        """Do what an action of `actions` stands for, on a worker; what it returns is said, and the panel loads again.

        What it changes, it changes in the panel: `self.options = dataclasses.replace(self.options, …)`.
        """
        raise NotImplementedError


class WidgetPanel(Panel):
    """A panel with a Textual widget of its own, for what blocks cannot do; reports show its `view`, if it has one.

    The widget is mounted at the first visit, and anew when the user reloads the panel. What it raises is boxed.
    """

    def widget(self, query: Query, focus: Focus) -> Any:
        """Make the widget; runs on the interface's own thread, so it must be quick, and load in a worker."""
        raise NotImplementedError

    def load(self, query: Query, focus: Focus) -> Any:
        """Nothing: a panel that also appears in reports loads here."""
        return None

    def view(self, data: Any, fit: Fit) -> Block:
        """Nothing to show outside the interface, which leaves the panel out of reports."""
        return Empty(self.title, "This panel is drawn by a widget of its own, in the interface only.")


class Reader:
    """Turns one log format into columns and facts; keeps nothing between calls, its state travels in the cursor."""

    name: ClassVar[str]
    """The format's name, as shown in listings."""
    api: ClassVar[int] = API
    version: ClassVar[int] = 1
    """Raise it when the same bytes read differently: sources read by an older version are read again."""
    framing: ClassVar[Framing] = "lines"
    names: ClassVar[Sequence[str]] = ()
    """Glob patterns of file names worth opening; a reader is asked to claim only what matches one."""
    flush_interval: ClassVar[float] = 0.0
    """Seconds the format's usual writer may keep lines to itself: no silence shorter than that means anything."""

    def claim(self, head: Head) -> Claim:
        """Bid for a file by its name, its neighbours, and at most 64 KiB of its head."""
        raise NotImplementedError

    def read(self, chunk: Chunk) -> Batch:
        """Turn the next stretch of a source into a batch; a refused line becomes a `Reject`, never an exception."""
        raise NotImplementedError

    def is_whole(self, tail: bytes) -> bool:
        """Whether a last line without its end is certainly complete; a cut-off number never is."""
        return False

    def stamp(self, place: str) -> tuple[int, int]:
        """Size in bytes and newest modification in nanoseconds of all that a `path` source is made of.

        The default is that of the file and of the write-ahead log beside it, if there is one (SQLite).

        Raises:
            OSError: the source cannot be looked at.
        """
        found = [os.stat(place)]
        with contextlib.suppress(OSError):
            found.append(os.stat(f"{place}-wal"))
        return sum(item.st_size for item in found), max(item.st_mtime_ns for item in found)

    def run_folder(self, path: PurePath) -> tuple[PurePath, str]:
        """The folder that stands for the run, and a prefix for its keys; sub-folders of one run are merged here."""
        return path.parent, ""
