"""The app's side of the store: asks off the event loop, takes the answers, and tells the screens."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from textual import on
from textual.app import App

from workbench.core import units
from workbench.core.blocks import Tone
from workbench.core.config import Config
from workbench.core.query import Query
from workbench.tui import feed
from workbench.tui.background import Lane
from workbench.tui.chrome import WorkbenchScreen
from workbench.tui.messages import (
    ChartLoaded,
    ConfigLoaded,
    Crashed,
    ExtrasLoaded,
    LoadFailed,
    RunsLoaded,
    Started,
    Unchanged,
)
from workbench.tui.rows import RunRows
from workbench.tui.runs_screen import RunsScreen
from workbench.tui.session import Painting, ViewState

if TYPE_CHECKING:
    from workbench.plugin.api import Panel

REST = 4.0
"""How many times the processor time of a load the next one waits: at most a fifth of a core goes into loading."""
EXTRAS_EVERY = 1.0
"""Seconds between two requests for sparklines and percentiles of runs that go on."""


class StoreApp(App[None], inherit_bindings=False):
    """Keeps the rows in step with the store; knows nothing of keys."""

    def __init__(
        self,
        query: Query | Callable[[Config], Query],
        panels: Sequence[Panel] | Callable[[], Sequence[Panel]],
        config: Config,
        clock: Callable[[], float],
        view: ViewState,
        painting: Painting | None,
    ) -> None:
        super().__init__()
        self._query_source = query
        self._panel_source = panels
        self._query: Query | None = None
        self._config = config
        self._config_stamp = None if config.path is None else feed.config_stamp(config.root)
        self.clock = clock
        self.view = view
        self.painting = painting
        self.rows = RunRows(clock)
        self.panels: dict[str, Panel] = {}
        self.monitors: Sequence[str] = ()
        self.live = False
        self._lanes = {name: Lane(name) for name in ("store", "chart", "config")}
        self._lanes |= {name: Lane(name, keep_all=True) for name in ("extras", "notes")}
        self._revision: str | None = None
        self._next_load = 0.0
        self._looking = False
        """An answer about the store is on its way."""
        self._failure: Exception | None = None
        self._opened_at: float | None = None
        self._known: dict[str, tuple[int, ...]] = {}
        self._next_extras = 0.0

    @property
    def query_or_none(self) -> Query | None:
        """The store, once it is open."""
        return self._query

    @property
    def revision(self) -> str | None:
        """Of the store, as the rows show it."""
        return self._revision

    @property
    def seconds_open(self) -> float:
        """How long the store has been open; forever where nobody reads logs for this app."""
        return math.inf if self._opened_at is None else self.clock() - self._opened_at

    @property
    def busy(self) -> bool:
        """Something is being asked of the store."""
        return any(lane.busy for lane in self._lanes.values())

    @property
    def workbench_screens(self) -> list[WorkbenchScreen]:
        """Every screen there is, in every mode."""
        found = (screen for stack in self._screen_stacks.values() for screen in stack)
        return [screen for screen in found if isinstance(screen, WorkbenchScreen)]

    def tell(self, what: Callable[[WorkbenchScreen], None]) -> None:
        """Tell every screen that is mounted."""
        for screen in self.workbench_screens:
            if screen.is_mounted:
                what(screen)

    # Asking

    def start(self) -> None:
        """Open the store and collect the panels, off the event loop."""
        self._looking = True
        config, known = self._config, tuple(self.panels.values())

        def job() -> Started | LoadFailed:
            try:
                query = self._query_source(config) if callable(self._query_source) else self._query_source
                if known:
                    return Started(query, known)
                panels = self._panel_source() if callable(self._panel_source) else self._panel_source
                return Started(query, tuple(panels))
            except Exception as error:  # noqa: BLE001 - whatever keeps the store shut is shown
                return LoadFailed(error)

        self._lanes["store"].submit(feed.posting(self.post_message, job))

    def look_at_config(self) -> None:
        """Take up an edited `workbench.toml`; one that cannot be used is named, and the old one stays."""
        root, stamp = self._config.root, self._config_stamp
        self._lanes["config"].submit(feed.posting(self.post_message, lambda: feed.load_changed(root, stamp)))

    def look_at_store(self) -> None:
        """Load the runs if the store has changed; a load that took long is given a rest."""
        query = self._query
        if self._looking or self.clock() < self._next_load:
            return
        if query is None:
            self.start()
            return
        self._looking = True
        preferred, configured, revision = self.view.metric, self._config.main_metric, self._revision
        job = lambda: feed.load_runs(query, preferred, configured, revision)  # noqa: E731
        self._lanes["store"].submit(feed.posting(self.post_message, job))

    def reload(self) -> None:
        """Load the runs at once, changed or not."""
        self._revision, self._next_load, self._looking = None, 0.0, False
        self.look_at_store()

    def request_extras(self, visible: Sequence[str]) -> None:
        """Ask for sparklines and percentiles of these runs, where their series have grown."""
        query, snapshot = self._query, self.rows.snapshot
        if query is None or not self.live:
            return
        ids: Sequence[str] = visible
        if self.view.sort == "p95" or feed.latency_series(snapshot, self.view.where)[1:]:
            ids = [*visible, *(run.id for run in snapshot.runs)]
        runs = [self.rows.by_id[run_id] for run_id in ids if run_id in self.rows.by_id]
        states = {run.id: feed.series_state(run, snapshot) for run in runs}
        new = {run_id: state for run_id, state in states.items() if run_id not in self._known}
        grown = {run_id: state for run_id, state in states.items() if self._known.get(run_id) != state}
        now = self.clock()
        asked = grown if now >= self._next_extras else new
        asked = dict(list(asked.items())[: feed.MOST_AT_ONCE])
        if not asked:
            return
        if len(asked) > len(new):
            self._next_extras = now + EXTRAS_EVERY
        self._known.update(asked)
        where = self.view.where
        job = lambda: feed.load_extras(query, snapshot, asked, where)  # noqa: E731
        self._lanes["extras"].submit(feed.posting(self.post_message, job))

    def request_chart(self, points: int) -> None:
        """Ask for the curves of the runs in the chart."""
        query, metric, ids = self._query, self.rows.snapshot.main, self.charted
        if query is None or metric is None or not ids:
            return
        job = lambda: feed.load_chart(query, metric, ids, points)  # noqa: E731
        self._lanes["chart"].submit(feed.posting(self.post_message, job))

    @property
    def charted(self) -> Sequence[str]:
        """The runs in the chart."""
        raise NotImplementedError

    # Answers

    @on(Started)
    def _started(self, event: Started) -> None:
        self._query, self._looking = event.query, False
        if not self.panels:
            self.panels = {panel.name: panel for panel in event.panels}
            self.panels_known()
        self.reload()

    @on(ConfigLoaded)
    def _config_loaded(self, event: ConfigLoaded) -> None:
        self._config_stamp = event.stamp
        if event.error:
            self.say(event.error, bad=True)
        elif event.config is not None:
            self._config = event.config
            self.start()

    def say(self, words: str, *, bad: bool = False) -> None:
        """A passing remark."""
        raise NotImplementedError

    def panels_known(self) -> None:
        """Panels have been collected."""

    @on(RunsLoaded)
    def _runs_loaded(self, event: RunsLoaded) -> None:
        self._looking = False
        before = self.rows.snapshot
        if before.main != event.snapshot.main:
            self.rows.sparks, self._known = {}, {}
        self.rows.take(event.snapshot)
        self.live, self._revision, self._failure = True, event.revision, None
        self._next_load = self.clock() + REST * event.seconds
        self.painting = None
        self.monitors = event.monitors
        self.tell(lambda screen: screen.data_changed())

    @on(Unchanged)
    def _unchanged(self, _: Unchanged) -> None:
        self._looking = False
        if self._failure is not None:
            self._failure = None
            self.tell(lambda screen: screen.link_changed())

    @on(LoadFailed)
    def _load_failed(self, event: LoadFailed) -> None:
        self._failure, self._looking = event.error, False
        self._known.clear()
        self._next_load = self.clock() + 1.0
        self.tell(lambda screen: screen.link_changed())

    @on(ExtrasLoaded)
    def _extras_loaded(self, event: ExtrasLoaded) -> None:
        if event.metric != self.rows.snapshot.main:
            return
        self.rows.learn(event.sparks, event.percentiles)
        for screen in self.workbench_screens:
            if isinstance(screen, RunsScreen):
                screen.extras_changed(resort=self.view.sort == "p95" or bool(self.view.where))

    @on(ChartLoaded)
    def _chart_loaded(self, event: ChartLoaded) -> None:
        for screen in self.workbench_screens:
            if isinstance(screen, RunsScreen):
                screen.chart.take(event.metric, event.series)

    @on(Crashed)
    def _crashed(self, event: Crashed) -> None:
        raise event.error

    # How it stands

    @property
    def failing(self) -> bool:
        """The store could not be read the last time."""
        return self._failure is not None

    @property
    def failing_hint(self) -> str:
        """What kept the store from being read, in its own words."""
        return "" if self._failure is None else str(self._failure)

    @property
    def link(self) -> tuple[str, Tone]:
        """In a word or two, how fresh what is seen is."""
        if self._failure is not None:
            return "✗ store cannot be read", "bad"
        if self.live:
            return "● live", "good"
        if self.painting is not None:
            return f"as of {_clock(self.painting.taken_at, self.clock())}", "warn"
        return "◌ opening", "dim"


def _clock(moment: float, now: float) -> str:
    """A moment as the hands of a clock, with the date in front where it is another day."""
    local = units.timestamp(moment, None)
    return local[11:16] if local[:10] == units.timestamp(now, None)[:10] else local[:16]
