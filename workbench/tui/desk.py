"""What a screen asks of the app it belongs to, so that screens need not know the app and the app may know them all."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from rich.style import Style
from textual.geometry import Size

from workbench.core.blocks import Empty, Tone
from workbench.core.model import Run
from workbench.core.query import Focus, Query
from workbench.core.settings import Settings
from workbench.tui.action import Action
from workbench.tui.annotator import Annotator
from workbench.tui.dialogs import Option
from workbench.tui.drawing import Target
from workbench.tui.look import Look
from workbench.tui.rows import RunRows
from workbench.tui.session import Painting, ViewState

if TYPE_CHECKING:
    from workbench.plugin.api import Panel


class Desk(Protocol):
    """The app, as its screens see it: what is known, what is looked at, and what can be done about it."""

    view: ViewState
    rows: RunRows
    clock: Callable[[], float]
    painting: Painting | None
    panels: dict[str, Panel]
    monitors: Sequence[str]
    live: bool
    project: str
    tabs: Sequence[tuple[str, str, str]]
    panel_actions: tuple[Action, ...]
    read_only: bool
    settings: Settings
    waiting: Callable[[], Empty | None]

    @property
    def size(self) -> Size:
        """Columns and rows of the terminal."""
        ...

    def key_for(self, action: str) -> str:
        """The key of an action that works everywhere, as printed on it."""
        ...

    @property
    def actions(self) -> Sequence[Action]:
        """Every action with the keys it has now."""
        ...

    @property
    def look(self) -> Look:
        """Styles of the current theme."""
        ...

    @property
    def color_count(self) -> int:
        """How many colours the terminal has."""
        ...

    @property
    def current_mode(self) -> str:
        """Name of the panel that is open."""
        ...

    @property
    def focus(self) -> Focus:
        """What panels are to look at."""
        ...

    @property
    def query_or_none(self) -> Query | None:
        """The store, once it is open."""
        ...

    @property
    def revision(self) -> str | None:
        """Of the store, as the rows show it."""
        ...

    @property
    def seconds_open(self) -> float:
        """How long the store has been open."""
        ...

    @property
    def failing(self) -> bool:
        """The store could not be read the last time."""
        ...

    @property
    def failing_hint(self) -> str:
        """What kept the store from being read."""
        ...

    @property
    def link(self) -> tuple[str, Tone]:
        """How fresh what is seen is."""
        ...

    @property
    def charted(self) -> Sequence[str]:
        """The runs in the chart."""
        ...

    def name_of(self, run_id: str) -> str:
        """A run's name, or its path."""
        ...

    def run_style(self, run_id: str) -> Style:
        """The colour of a run's curve."""
        ...

    def column_options(self) -> list[Option]:
        """Columns to turn on and off."""
        ...

    def change_view(self, **changes: Any) -> None:
        """Look at something else."""
        ...

    def toggle_mark(self, run_id: str) -> None:
        """Mark a run, or take its mark off."""
        ...

    def sort_by(self, key: str) -> None:
        """Sort by a column."""
        ...

    def choose_metric(self, key: str) -> None:
        """Have another main metric."""
        ...

    def toggle_column(self, key: str) -> None:
        """Turn a column on or off."""
        ...

    def cycle_monitor(self) -> None:
        """Look at the next monitor."""
        ...

    def step_cursor(self, rows: int) -> Run | None:
        """The run above or below in the table."""
        ...

    def request_extras(self, visible: Sequence[str]) -> None:
        """Ask for sparklines and percentiles."""
        ...

    def request_chart(self, points: int) -> bool:
        """Ask for the curves of the runs in the chart; False where there is nobody to ask yet."""
        ...

    def open_run(self, run_id: str) -> None:
        """Open a run over the current screen."""
        ...

    def open_run_at(self, run_id: str, step: int) -> None:
        """Open a run with its charts read at a step."""
        ...

    def open_log(self, run: Run, step: int | None = None) -> None:
        """Open a run's log over the current screen, at its end or at a step."""
        ...

    def open_panel(self, name: str, focus: Mapping[str, Any], crumb: str, start: Target | None = None) -> None:
        """Open a panel with a focus of its own over the current screen."""
        ...

    @property
    def root(self) -> Path:
        """The project's folder."""
        ...

    @property
    def available_themes(self) -> Mapping[str, Any]:
        """Themes by name."""
        ...

    def do(self, action: str) -> None:
        """Do an action by its name, on the screen that is open or in the app."""
        ...

    def show_panel(self, name: str) -> None:
        """Open a view that has a tab."""
        ...

    def run_outside(self, words: Sequence[str]) -> None:
        """Run a command of the command line, and show what it says."""
        ...

    def saved_views(self) -> Sequence[str]:
        """Names of the saved views."""
        ...

    def save_view(self, name: str) -> None:
        """Keep what is looked at under a name."""
        ...

    def open_view(self, name: str) -> None:
        """Look at what a saved view keeps."""
        ...

    def delete_view(self, name: str) -> None:
        """Forget a saved view."""
        ...

    def yank(self, what: str) -> None:
        """Copy something of what is seen."""
        ...

    def say(self, words: str, *, bad: bool = False) -> None:
        """A passing remark."""
        ...

    def annotate(
        self, done: str, write: Callable[[Annotator], None], take_back: Callable[[Annotator], None] | None = None
    ) -> None:
        """Have something written down about a run."""
        ...
