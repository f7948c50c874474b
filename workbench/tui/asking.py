"""The app's side of the store: what it asks, all of it off the event loop."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from workbench.core.config import Config
from workbench.core.query import Query
from workbench.tui import collector, feed
from workbench.tui.asked import Asked
from workbench.tui.background import Lane
from workbench.tui.chrome import WorkbenchScreen
from workbench.tui.key_order import KeyOrderApp
from workbench.tui.messages import (
    LoadFailed,
    PanelsFound,
    Started,
)
from workbench.tui.rows import RunRows
from workbench.tui.session import Painting, ViewState

if TYPE_CHECKING:
    from workbench.plugin.api import Panel

PAUSE, WITHOUT_NEWS = 0.3, 3.0
"""Seconds without a key that are a pause, and the longest that somebody who makes none goes without news."""


class AskingApp(KeyOrderApp, inherit_bindings=False):
    """Asks the store, the panels and the configuration; what they answer comes back as messages."""

    def __init__(
        self,
        query: Query | Callable[[Config], Query],
        panels: Sequence[Panel] | Callable[[Config], Sequence[Panel]],
        config: Config,
        clock: Callable[[], float],
        view: ViewState,
        painting: Painting | None,
        quick: Callable[[Config], Query] | None,
    ) -> None:
        super().__init__(ansi_color=True if "NO_COLOR" in os.environ else None)  # else NO_COLOR would give greys
        self._query_source = query
        self._quick_source = quick
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
        self._lanes = {name: Lane(name) for name in ("store", "panels", "chart", "config", "unfold")}
        self._lanes |= {name: Lane(name, keep_all=True) for name in ("extras", "notes")}
        self._revision: str | None = None
        self._next_load = 0.0
        self._looking = False
        """An answer about the store is on its way."""
        self._looked = 0.0
        self._seeing = False
        """The first rows are being painted."""
        self._failure: Exception | None = None
        self._opened_at: float | None = None
        self._asked = Asked(clock)
        self._panels_wanted = True

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
        """Something is being asked of the store, or about to be."""
        return self._seeing or self.keys_under_way or any(lane.busy for lane in self._lanes.values())

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
        """Open the store, off the event loop."""
        self._looking = True
        config = self._config

        def job() -> Started | LoadFailed:
            try:
                return Started(self._query_source(config) if callable(self._query_source) else self._query_source)
            except Exception as error:  # noqa: BLE001 - whatever keeps the store shut is shown
                return LoadFailed(error)

        self._lanes["store"].submit(feed.posting(self.post_message, job))

    def start_with_newest(self) -> bool:
        """Read the newest runs before all others; False where rows are on the screen, or others come first."""
        quick, config, preferred, view = self._quick_source, self._config, self.view.metric, self.view
        if quick is None or self.painting is not None or view.sort != "age" or view.descending or view.where:
            return False
        self._looking = True
        job = lambda: feed.load_newest(quick, config, preferred)  # noqa: E731
        self._lanes["store"].submit(feed.posting(self.post_message, job))
        return True

    def find_panels(self) -> None:
        """Collect the panels once, off the event loop; their modules are loaded after the first rows are seen."""
        if not self._panels_wanted:
            return
        self._panels_wanted = False
        source, config = self._panel_source, self._config

        def job() -> PanelsFound | LoadFailed:
            try:
                return PanelsFound(source(config) if callable(source) else source)
            except Exception as error:  # noqa: BLE001 - whatever keeps them away is shown
                return LoadFailed(error)

        self._lanes["panels"].submit(feed.posting(self.post_message, job))

    def look_at_config(self) -> None:
        """Take up an edited `workbench.toml`; one that cannot be used is named, and the old one stays."""
        root, stamp = self._config.root, self._config_stamp
        self._lanes["config"].submit(feed.posting(self.post_message, lambda: feed.load_changed(root, stamp)))

    def look_between_keys(self) -> None:
        """Load the runs if the store has changed; many of them wait for a pause in what is typed, but not for long."""
        many = len(self.rows.snapshot.runs) >= collector.MANY
        if not many or self.untouched >= PAUSE or time.monotonic() - self._looked >= WITHOUT_NEWS:
            self.look_at_store()

    def look_at_store(self) -> None:
        """Load the runs if the store has changed; a load that took long is given a rest."""
        query = self._query
        if self._looking or self.clock() < self._next_load:
            return
        if query is None:
            self.start()
            return
        self._looking, self._looked = True, time.monotonic()
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
        asked = self._asked.next(self.rows, ids)
        if not asked:
            return
        where = self.view.where
        job = lambda: feed.load_extras(query, snapshot, asked, where)  # noqa: E731
        self._lanes["extras"].submit(feed.posting(self.post_message, job))

    def request_chart(self, points: int) -> bool:
        """Ask for the curves of the runs in the chart; False where there is nobody to ask yet."""
        query, metric, ids = self._query, self.rows.snapshot.main, self.charted
        if query is None or metric is None or not ids:
            return False
        job = lambda: feed.load_chart(query, metric, ids, points)  # noqa: E731
        self._lanes["chart"].submit(feed.posting(self.post_message, job))
        return True

    @property
    def charted(self) -> Sequence[str]:
        """The runs in the chart."""
        raise NotImplementedError
