"""The app's side of the store: what it makes of the answers, and how the screens are told of them."""

from __future__ import annotations

from typing import Any

from textual import on
from textual.screen import Screen

from workbench.core import units
from workbench.core.blocks import Tone
from workbench.core.text import plain
from workbench.tui import collector, feed
from workbench.tui.asking import AskingApp
from workbench.tui.messages import (
    ChartLoaded,
    ConfigLoaded,
    Crashed,
    ExtrasLoaded,
    LoadFailed,
    PanelsFound,
    RunsLoaded,
    Started,
    Unchanged,
)
from workbench.tui.runs_screen import RunsScreen

REST = 4.0
"""How many times the processor time of a load the next one waits: at most a fifth of a core goes into loading."""


class StoreApp(AskingApp, inherit_bindings=False):
    """Keeps the rows in step with the store; knows nothing of keys."""

    @on(Started)
    def _started(self, event: Started) -> None:
        self._query = event.query
        self.reload()

    @on(PanelsFound)
    def _panels_found(self, event: PanelsFound) -> None:
        self.panels = {panel.name: panel for panel in event.panels}
        self.tell(lambda screen: screen.panels_changed(self.panels))
        self.panels_known()
        collector.loaded()

    @on(ConfigLoaded)
    def _config_loaded(self, event: ConfigLoaded) -> None:
        self._config_stamp = event.stamp
        if event.error:
            self.say(event.error, bad=True)
        elif event.config is not None:
            self._config = event.config
            self.start()
            self._panels_wanted = True
            self.find_panels()

    def say(self, words: str, *, bad: bool = False) -> None:
        """A passing remark, in the place of the one before."""
        self.clear_notifications()
        screens: set[Screen[Any]] = {*self.workbench_screens, self.screen}
        for screen in screens:
            screen.query("ToastHolder").remove()  # Textual takes the remark away and leaves its box
        self.notify(plain(words, limit=300), severity="error" if bad else "information", timeout=3, markup=False)

    def panels_known(self) -> None:
        """Panels have been collected."""

    @on(RunsLoaded)
    def _runs_loaded(self, event: RunsLoaded) -> None:
        self._looking = False
        before = self.rows.snapshot
        if before.main != event.snapshot.main:
            self.rows.sparks.clear()
            self._asked.forget()
        self.rows.take(event.snapshot)
        failed, self._failure = self._failure is not None, None
        self.live, self._revision = True, event.revision
        self._next_load = self.clock() + REST * event.seconds
        self.painting = None
        self.monitors = event.monitors
        self.tell(lambda screen: screen.data_changed())
        if failed:
            self.tell(lambda screen: screen.link_changed())
        self._first_answer()
        if self._query is not None:
            self._lanes["unfold"].submit(lambda: feed.unfold(event.snapshot.runs))

    def _first_answer(self) -> None:
        """Once the store's first answer is on the screen, do what it did not have to wait for."""
        if self._panels_wanted and not self._seeing:
            self._seeing = True
            self.call_after_refresh(self.answer_seen)

    def answer_seen(self) -> None:
        """The store's first answer is on the screen."""
        self._seeing = False
        self.find_panels()
        if self._query is None:
            self.start()

    @on(Unchanged)
    def _unchanged(self, _: Unchanged) -> None:
        self._looking = False
        if self._failure is not None:
            self._failure = None
            self.tell(lambda screen: screen.link_changed())

    @on(LoadFailed)
    def _load_failed(self, event: LoadFailed) -> None:
        self._failure, self._looking = event.error, False
        self._asked.forget()
        self._next_load = self.clock() + 1.0
        self.tell(lambda screen: screen.link_changed())
        self._first_answer()

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
                screen.show_bars()

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
            return ("● live", "good") if self.rows.snapshot.whole else ("◌ reading", "warn")
        if self.painting is not None:
            return f"as of {_clock(self.painting.taken_at, self.clock())}", "warn"
        return "◌ opening", "dim"


def _clock(moment: float, now: float) -> str:
    """A moment as the hands of a clock, with the date in front where it is another day."""
    local = units.timestamp(moment, None)
    return local[11:16] if local[:10] == units.timestamp(now, None)[:10] else local[:16]
