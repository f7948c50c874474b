"""A screen that reads one log off the event loop: the page around its cursor, and what is new at its end."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from textual import on
from textual.message import Message

from workbench.core.blocks import Cell
from workbench.core.log_search import Wanted
from workbench.core.model import Run
from workbench.core.run_logs import RunLog
from workbench.tui.background import Lane
from workbench.tui.chrome import WorkbenchScreen
from workbench.tui.feed import posting
from workbench.tui.lines_view import LinesView
from workbench.tui.logs_reading import Grew, LogsFound, OpenLog, PageRead, Request, Searching, find_logs, look
from workbench.tui.logs_view import LogView
from workbench.tui.spoken import Names
from workbench.tui.telling import Shown, Spoken

LOOK = 0.25
"""Seconds between looks at a log that may grow."""
SAID_AFTER = 0.3
"""Seconds after which it is said that logs are looked for."""
AGAIN = 2.0
"""Seconds between looks for a log where there is none, or none that can be read."""
NEAR = 100
"""Lines from the edge of what is known at which more is read."""
END = 1 << 62
"""A byte beyond the end of any log."""


class LogFollower(WorkbenchScreen):
    """Reads, extends and follows; knows nothing of keys."""

    def __init__(self, run: Run, step: int | None = None) -> None:
        super().__init__()
        self.run_shown = run
        self._step = step
        self._part = ""
        """Name of the log that was chosen; empty for the run's first."""
        self._lane, self._follow_lane = Lane("log"), Lane("log-news")
        self._logs: Sequence[RunLog] = ()
        self._opened: OpenLog | None = None
        self._wanted = Wanted()
        self._sought = ""
        self._number = 0
        self._share: float | None = None
        """How far the request under way is; None while none is said to take long."""
        self._reading = True
        self._failure = ""
        self._again_at = 0.0
        self.following = step is None
        self.new_lines = 0
        """Lines that have come while nobody followed."""

    @property
    def busy(self) -> bool:
        """Something is being read."""
        return self._reading or self._lane.busy or self._follow_lane.busy

    def spoken(self) -> Sequence[Spoken]:
        """The end of this log, with the lines that are wanted of it."""
        words = ["logs", Names(self.workbench.rows.by_id)(self.run_shown.id)]
        words += ["--file", self._opened.log.name] if self._opened is not None and len(self._logs) > 1 else []
        words += ["--level", self._wanted.floor] if self._wanted.floor != "info" else []
        words += ["--grep", self._wanted.text] if self._wanted.text else []
        return [Spoken("the end of this log", words)] if self._opened is not None else ()

    def shown(self) -> Shown:
        """The line under the cursor, and where it stands."""
        row = self.view.row
        if row is None or self._opened is None:
            return Shown()
        return Shown(value=Cell(row.text.rstrip("\n")), id=self.run_shown.id, path=self._opened.log.name)

    @property
    def view(self) -> LogView:
        """The lines."""
        return self.query_one(LogView)

    def on_mount(self) -> None:
        """Find the run's logs, and look at them again and again."""
        self._open("")
        self.set_timer(SAID_AFTER, self._still_looking)
        self.set_interval(LOOK, self._look)

    def _still_looking(self) -> None:
        """Say so where it takes longer than a blink."""
        if self._opened is None and self._reading:
            self.add_class("-empty")
            self.query_one("#nothing", LinesView).redraw()

    def on_unmount(self) -> None:
        """Call off what is under way."""
        if self._opened is not None:
            self._opened.stop.set()
        self._lane.close()
        self._follow_lane.close()

    # Reading

    def _open(self, part: str) -> None:
        self._part = part
        query, root, step = self.workbench.query_or_none, self.workbench.root, self._step
        self._reading = query is not None
        if query is None:
            return  # the store opens only now: what it has is said when it is there
        run_id, wanted = self.run_shown.id, self._wanted
        self._lane.submit(posting(self.post_message, lambda: find_logs(query, root, run_id, step, part, wanted)))

    @on(LogsFound)
    def _found(self, event: LogsFound) -> None:
        if self._opened is not None:
            self._opened.stop.set()
        self._logs, self._opened, self._failure, self._reading = event.logs, event.opened, event.error, False
        self._step = self._step if event.opened is None else None
        self._again_at = time.monotonic() + AGAIN
        self.set_class(event.opened is None, "-empty")
        if event.opened is None:
            self.query_one("#nothing", LinesView).redraw()
        elif event.at is None:
            self.following, self.new_lines = True, 0
            self.view.show_end(event.page)
        else:
            self.following = False
            self.view.show(event.page, at=event.at)
        self.show_bars()

    def data_changed(self) -> None:
        """Look again where there was no log yet."""
        if self._opened is None and not self._reading:
            self._open(self._part)
        self.show_bars()

    def _request(self) -> Request | None:
        """A new request; whatever was under way is called off."""
        opened = self._opened
        if opened is None:
            return None
        opened.stop.set()
        self._opened = opened = OpenLog(opened.log, opened.followed)
        self._number += 1
        self._reading, self._share = True, None
        return Request(opened, self._number, self._wanted, self.post_message)

    def _ask_more(self) -> None:
        """Read on where the cursor comes near the edge of what is known."""
        view, page = self.view, self.view.page
        if self._reading or self._opened is None:
            return
        if view.cursor < NEAR and not page.is_top:
            self._submit(lambda request: request.more(page, before=True))
        elif view.cursor > len(page.rows) - NEAR and not page.is_end:
            self._submit(lambda request: request.more(page))

    def _submit(self, job: Callable[[Request], PageRead | None]) -> None:
        request = self._request()
        if request is None:
            return

        def run() -> Message:
            return job(request) or Searching(-1, 0.0)  # called off: nobody waits for an answer

        self._lane.submit(posting(self.post_message, run))

    @on(PageRead)
    def _read(self, event: PageRead) -> None:
        if event.number != self._number:
            return
        self._reading, self._share = False, None
        if event.missing:
            below, above = (self.workbench.key_for(f"find({way})", "logs") for way in (1, -1))
            self.workbench.say(f"“{event.missing}”: nothing more that way · {below} looks below, {above} above")
        elif event.to_end:
            self.view.show_end(event.page)
        else:
            self.view.show(event.page, at=event.at)
        self.set_class(False, "-empty")
        self.show_bars()
        self._ask_more()

    @on(Searching)
    def _searching(self, event: Searching) -> None:
        if event.number == self._number:
            self._share = event.share
            self.show_bars()

    # Following

    def _look(self) -> None:
        opened, query, run_id = self._opened, self.workbench.query_or_none, self.run_shown.id
        if opened is None and self.is_current and not self._reading and time.monotonic() > self._again_at:
            self._open(self._part)
        elif opened is not None and self.is_current and not self._follow_lane.busy:
            self._follow_lane.submit(posting(self.post_message, lambda: look(opened, query, run_id)))

    @on(Grew)
    def _grew(self, event: Grew) -> None:
        if event.began_anew:
            self.workbench.say("the log begins anew")
            self._to_end()
        elif self._opened is not None and self._opened.source.size > self.view.page.size and not self._reading:
            self.new_lines += event.lines
            page = self.view.page
            if self.following:
                self.new_lines = 0
                self._submit(lambda request: request.more(page, to_end=True))
            elif event.lines:
                self.show_bars()

    def _to_end(self) -> None:
        self.following, self.new_lines = True, 0
        self._submit(lambda request: request.around(END, to_end=True))
        self.show_bars()
