"""A run's log: read in place, followed, searched, filtered by level, and tied to the steps of its charts."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from textual import on
from textual.message import Message
from textual.widget import Widget

from workbench.core import units
from workbench.core.blocks import Empty
from workbench.core.log_file import Wanted
from workbench.core.log_text import LEVELS
from workbench.core.model import Run
from workbench.core.run_logs import RunLog
from workbench.tui.background import Lane
from workbench.tui.bars import Piece
from workbench.tui.chrome import WorkbenchScreen
from workbench.tui.dialogs import Chooser, Option
from workbench.tui.draw import draw
from workbench.tui.drawing import Drawing, Room
from workbench.tui.feed import posting
from workbench.tui.keys import bindings
from workbench.tui.lines_view import LinesView
from workbench.tui.logs_reading import (
    Grew,
    LogsFound,
    OpenLog,
    PageRead,
    Request,
    Searching,
    StepFound,
    find_logs,
    look,
)
from workbench.tui.logs_view import LogView
from workbench.tui.prompt import Verdict
from workbench.tui.run_actions import ListActions

LOOK = 0.25
"""Seconds between looks at a log that may grow."""
NEAR = 100
"""Lines from the edge of what is known at which more is read."""
_FLOORS = (("info", "all lines"), ("warning", "warnings and errors"), ("error", "errors"))


class LogsScreen(ListActions, WorkbenchScreen):
    """The log of one run."""

    SCOPES = ("logs", "list")
    BINDINGS = bindings(*SCOPES)
    DEFAULT_CSS = """
    LogsScreen #nothing { display: none; }
    LogsScreen.-empty #log { display: none; }
    LogsScreen.-empty #nothing { display: block; }
    """

    def __init__(self, run: Run, step: int | None = None) -> None:
        super().__init__()
        self.run_shown = run
        self._step = step
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
        self.following = step is None
        self.new_lines = 0
        """Lines that have come while nobody followed."""

    @property
    def busy(self) -> bool:
        """Something is being read."""
        return self._lane.busy or self._follow_lane.busy

    @property
    def view(self) -> LogView:
        """The lines."""
        return self.query_one(LogView)

    def content(self) -> Sequence[Widget]:
        """The lines, or why there are none."""
        return (
            LogView(lambda: self.look, id="log"),
            LinesView(self._nothing, lambda: self.look, id="nothing"),
        )

    def on_mount(self) -> None:
        """Find the run's logs, and look at them again and again."""
        self._open("")
        self.set_interval(LOOK, self._look)

    def on_unmount(self) -> None:
        """Call off what is under way."""
        if self._opened is not None:
            self._opened.stop.set()
        self._lane.close()
        self._follow_lane.close()

    def look_changed(self) -> None:
        """Draw in the new colours."""
        super().look_changed()
        self.view.refresh()

    # Reading

    def _open(self, part: str) -> None:
        query, root, step = self.workbench.query_or_none, self.workbench.root, self._step
        if query is None:
            return
        run_id, wanted = self.run_shown.id, self._wanted
        self._reading = True
        self._lane.submit(posting(self.post_message, lambda: find_logs(query, root, run_id, step, part, wanted)))

    @on(LogsFound)
    def _found(self, event: LogsFound) -> None:
        if self._opened is not None:
            self._opened.stop.set()
        self._logs, self._opened, self._failure, self._reading = event.logs, event.opened, event.error, False
        self._step = None
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
            self.workbench.say(f"{event.missing!r}: nothing more that way · n looks below, N above")
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
        if opened is not None and self.is_current and not self._follow_lane.busy:
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
        self._submit(lambda request: request.around(1 << 62, to_end=True))
        self.show_bars()

    # Moving

    def move(self, rows: int) -> None:
        """Move the cursor by lines; upwards ends following."""
        self.view.move(rows)

    def move_page(self, pages: int) -> None:
        """Move by pages."""
        self.view.move(pages * max(1, self.view.size.height - 2))

    def move_to_end(self, last: bool) -> None:
        """To the end, which follows, or to the beginning."""
        if last:
            self._to_end()
            return
        self.following = False
        if self.view.page.is_top:
            self.view.move_to_end(False)
        else:
            self._submit(lambda request: request.around(0))

    @on(LogView.Moved)
    def _moved(self, event: LogView.Moved) -> None:
        event.stop()
        if self.view.at_end and not self._wanted.text:
            self.following, self.new_lines = True, 0
        else:
            self.following = False
        self._ask_more()
        self.show_bars()

    def action_sideways(self, steps: int) -> None:
        """Show more of long lines."""
        self.view.sideways(steps)

    def action_follow(self) -> None:
        """Follow what is written, or stay where the cursor is."""
        if self.following:
            self.following = False
            self.show_bars()
        else:
            self._to_end()

    # Searching and filtering

    def action_search(self) -> None:
        """Search for a text."""

        def typed(words: str | None) -> None:
            if words:
                self._sought = self.view.sought = words
                self.action_find(-1 if self.view.at_end else 1)

        self.ask("search the log", self._sought, lambda words: Verdict("a capital in it makes case count"), typed)

    def action_find(self, direction: int) -> None:
        """The next line with what was sought, below or above."""
        row = self.view.row
        if not self._sought or row is None:
            self.workbench.say("nothing is sought yet · / searches")
            return
        page, here = self.view.page, row.offset
        sought = Wanted(self._sought, self._wanted.floor)
        self.following = False
        self._submit(lambda request: request.search(page, here, sought, direction > 0))

    def action_level(self) -> None:
        """All lines, warnings and errors, errors alone."""
        floors = [floor for floor, _ in _FLOORS]
        at = (floors.index(self._wanted.floor) + 1) % len(floors)
        self._filter(Wanted(self._wanted.text, LEVELS[2 - at]))
        self.workbench.say(dict(_FLOORS)[self._wanted.floor])

    def action_only(self) -> None:
        """Only lines that hold a text."""

        def typed(words: str | None) -> None:
            if words is not None:
                self._filter(Wanted(words, self._wanted.floor))

        self.ask("only lines with", self._wanted.text, lambda words: Verdict("empty shows all lines again"), typed)

    def _filter(self, wanted: Wanted) -> None:
        """Show other lines, with the cursor where it was."""
        row = self.view.row
        self._wanted = wanted
        self.view.sought = wanted.text or self._sought
        if self.following or row is None:
            self._submit(lambda request: request.around(1 << 62, to_end=True))
        else:
            self._submit(lambda request: request.around(row.offset))
        self.show_bars()

    # Other logs, and the charts

    def action_choose_log(self) -> None:
        """Choose another of the run's logs."""
        here = "" if self._opened is None else self._opened.log.name
        options = [
            Option(log.name, log.name, "metrics read" if log.source else "", log.name == here) for log in self._logs
        ]
        self.app.push_screen(Chooser("Logs", lambda: options), lambda name: self._open(name) if name else None)

    def action_to_chart(self) -> None:
        """Show the charts at the step that this line tells of."""
        row, opened, query = self.view.row, self._opened, self.workbench.query_or_none
        if row is None or opened is None or query is None:
            return
        if not opened.log.source:
            self.workbench.say("no metric was read from this log, so no step is known for its lines")
            return
        source, offset = opened.log.source, row.offset
        self._follow_lane.submit(posting(self.post_message, lambda: StepFound(query.log_step(source, offset))))

    @on(LogView.Opened)
    def _clicked_line(self, event: LogView.Opened) -> None:
        event.stop()
        self.action_to_chart()

    @on(StepFound)
    def _step_found(self, event: StepFound) -> None:
        if event.place is None:
            self.workbench.say("no point of a metric stands on this line or before it")
        else:
            self.workbench.open_run_at(self.run_shown.id, event.place.step)

    def go_back(self) -> None:
        """Esc: a long search goes first, then the filter, then this screen."""
        if self._reading and self._share is not None and self._opened is not None:
            self._opened.stop.set()
            self._number += 1
            self._reading, self._share = False, None
            self.show_bars()
        elif not self._wanted.everything:
            self._filter(Wanted())
        else:
            self.app.pop_screen()

    # Bars

    def state_line(self) -> tuple[Sequence[Piece], Sequence[Piece]]:
        """Which log, how large, what of it is shown, and whether it is followed."""
        name = self.run_shown.name or self.run_shown.path
        left = [Piece(f" {name}", "strong", keep=2)]
        if self._opened is not None:
            log, size = self._opened.log, self._opened.source.size
            left += [Piece(f" › {log.name}"), Piece(f"  {units.size(size)}", "dim", keep=4)]
            row = self.view.row if self.is_mounted else None
            if row is not None and size:
                left.append(Piece(f"  {100 * row.end / size:.0f} %", "dim", keep=3))
        if self._wanted.floor != "info":
            left.append(Piece(f"  {dict(_FLOORS)[self._wanted.floor]} only", "warn", "level"))
        if self._wanted.text:
            left.append(Piece(f"  only “{self._wanted.text}”", "warn", "only"))
        return left, [self._badge()]

    def _badge(self) -> Piece:
        if self._share is not None:
            return Piece(f"searching, {100 * self._share:.0f} % · esc stops ", "warn")
        if self._opened is None:
            return Piece("")
        if self.following:
            return Piece("● following ", "good", "follow")
        news = f", {self.new_lines:,} new" if self.new_lines else ""
        return Piece(f"‖ paused{news} ", "accent" if self.new_lines else "dim", "follow")

    def _nothing(self, room: Room) -> Drawing:
        if self._failure:
            return draw(Empty("The log cannot be read", self._failure), room)
        if self._reading:
            return draw(Empty("Looking for logs …"), room)
        hint = (
            f"Nothing called *.log, *.out, *.err or the like stands beside {self.run_shown.path}.\n"
            f"Have the run write one: python train.py > {self.run_shown.path}/train.log 2>&1"
        )
        return draw(Empty("This run has no log", hint), room)
