"""The points of the charts on the screen, asked for one chart at a time and off the event loop."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from textual import on
from textual.message import Message
from textual.timer import Timer

from workbench.core.model import Run
from workbench.tui.background import Lane
from workbench.tui.chart_points import ChartPoints, PointsFailed, PointsLoaded, Want, load_points
from workbench.tui.chart_reading import ChartReading
from workbench.tui.feed import posting

REST = 4.0
"""How many times the length of a load the next one waits, where it only follows runs that grow."""
AGAIN = 2.0
"""Seconds after which what could not be read is asked for again."""
AT_LEAST = 0.25
"""Seconds between such loads."""


class ChartAsking(ChartReading):
    """Knows the points of charts, and asks the store for what is missing."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.points = ChartPoints()
        self.failure = ""
        """Why points are missing, in the store's own words."""
        self._lane = Lane("charts", keep_all=True)
        self._due: Timer | None = None
        self._rest_until = 0.0
        self._answer_due = False
        """A job has been given, and what it answered has not been taken."""
        self._laid_out = False

    @property
    def runs(self) -> Sequence[Run]:
        """The runs on the charts."""
        raise NotImplementedError

    @property
    def busy(self) -> bool:
        """A load runs or waits, or it is not known yet which charts have room."""
        return self._answer_due or self._due is not None or (self.is_current and not self._laid_out)

    @property
    def has_charts(self) -> bool:
        """Whether there is any chart to draw."""
        raise NotImplementedError

    def on_unmount(self) -> None:
        """Take no more jobs."""
        self._lane.close()

    def ask_points(self) -> None:
        """Have one chart's points loaded, those on the screen before those of the next page."""
        self._laid_out |= bool(self.charts.size.width) or not self.has_charts
        query = self.workbench.query_or_none
        if query is None or self._answer_due or self.failure or not self.is_current:
            return
        wants = self._wants()
        if not wants:
            return
        rest = self._rest_until - time.monotonic()
        if rest > 0 and not any(self.points.is_new(want) for want in wants):
            if self._due is None:
                self._due = self.set_timer(rest, self._rested)
            return
        self.run_in_lane(lambda: load_points(query, wants))

    def _rested(self) -> None:
        self._due = None
        self.ask_points()

    def run_in_lane(self, job: Callable[[], Message]) -> None:
        """Have a job done off the event loop; its answer is posted here, and says `answered`."""
        self._answer_due = True
        self._lane.submit(posting(self.post_message, job))

    def answered(self) -> None:
        """The answer of a job has been taken."""
        self._answer_due = False

    def _wants(self) -> list[Want]:
        """What is lacking, most urgent first; nothing before it is known which charts have room."""
        if not self.charts.size.width:
            return []
        runs, manner = self.runs, self.manner
        for chart in self.charts.on_screen:
            wants = self.points.wanted(chart, runs, manner)
            if wants:
                return wants
        wants = self.points.keys_wanted(runs)
        for chart in self.charts.upcoming:
            wants = wants or [w for w in self.points.wanted(chart, runs, manner) if self.points.is_new(w)]
        return wants

    @on(PointsLoaded)
    def _loaded(self, event: PointsLoaded) -> None:
        event.stop()
        self.answered()
        for want, answer in event.found:
            self.points.take(want, answer)
        self.failure = ""
        self._rest_until = time.monotonic() + max(AT_LEAST, REST * event.seconds)
        self.redraw()

    @on(PointsFailed)
    def _failed(self, event: PointsFailed) -> None:
        event.stop()
        self.answered()
        self.failure = str(event.error) or type(event.error).__name__
        self.redraw()
        self.set_timer(AGAIN, self._try_again)

    def _try_again(self) -> None:
        """Ask for what could not be read; why it could not be is said until it can."""
        failure, self.failure = self.failure, ""
        self.ask_points()
        if self._answer_due or not self.is_current:
            self.failure = failure
