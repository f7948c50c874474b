"""A run's log: read in place, followed, searched, filtered by level, and tied to the steps of its charts."""

from __future__ import annotations

from collections.abc import Sequence

from textual import on
from textual.widget import Widget

from workbench.core import units
from workbench.core.blocks import Empty
from workbench.core.log_search import Wanted
from workbench.core.log_text import LEVELS
from workbench.tui.bars import Piece
from workbench.tui.dialogs import Chooser, Option
from workbench.tui.draw import draw
from workbench.tui.drawing import Drawing, Room
from workbench.tui.feed import posting
from workbench.tui.keys import bindings
from workbench.tui.lines_view import LinesView
from workbench.tui.logs_following import END, LogFollower
from workbench.tui.logs_reading import StepFound, find_step
from workbench.tui.logs_view import LogView
from workbench.tui.prompt import Verdict
from workbench.tui.run_actions import ListActions

_FLOORS = (("info", "all lines"), ("warning", "warnings and errors"), ("error", "errors"))


class LogsScreen(ListActions, LogFollower):
    """The log of one run."""

    SCOPES = ("logs", "list")
    BINDINGS = bindings(*SCOPES)
    DEFAULT_CSS = """
    LogsScreen #nothing { display: none; }
    LogsScreen.-empty #log { display: none; }
    LogsScreen.-empty #nothing { display: block; }
    """

    def content(self) -> Sequence[Widget]:
        """The lines, or why there are none."""
        return (
            LogView(lambda: self.look, id="log"),
            LinesView(self._nothing, lambda: self.look, id="nothing"),
        )

    def look_changed(self) -> None:
        """Draw in the new colours."""
        super().look_changed()
        self.view.refresh()

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

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Only what does something here is offered."""
        log = None if self._opened is None else self._opened.log
        if action in (
            "search",
            "level",
            "only",
            "follow",
            "sideways",
            "up",
            "down",
            "page_up",
            "page_down",
            "top",
            "bottom",
        ):
            return log is not None
        if action == "find":
            return bool(self._sought)
        if action == "to_chart":
            return log is not None and bool(log.source)
        return action != "choose_log" or len(self._logs) > 1

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
                self._find(-1 if self.view.at_end else 1, either=True)

        self.ask("search the log", "", lambda words: Verdict("a capital in it makes case count"), typed)

    def action_find(self, direction: int) -> None:
        """The next line with what was sought, below or above."""
        self._find(direction)

    def _find(self, direction: int, *, either: bool = False) -> None:
        row = self.view.row
        if not self._sought or row is None:
            self.workbench.say(f"nothing is sought yet · {self.workbench.key_for('search', 'logs')} searches")
            return
        page, here = self.view.page, row.offset
        sought = Wanted(self._sought, self._wanted.floor)
        self.following = False
        self._submit(lambda request: request.search(page, here, sought, direction > 0, either=either))

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
        """Show other lines, with the cursor where it was; without a filter, what stands around the last one found."""
        row, widened = self.view.row, wanted.everything and not self._wanted.everything
        self._wanted = wanted
        self.view.sought = wanted.text or self._sought
        if widened and row is not None:
            self.following = False
        if self.following or row is None:
            self._submit(lambda request: request.around(END, to_end=True))
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
        self._follow_lane.submit(posting(self.post_message, lambda: find_step(query, source, offset)))

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
            left += [
                Piece(f" › {log.name.removeprefix(self.run_shown.path + '/')}"),
                Piece(f"  {units.size(size)}", "dim", keep=4),
            ]
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
            return Piece(f"searching, {100 * self._share:.0f} % · {self.workbench.key_for('back')} stops ", "warn")
        if self._opened is None:
            return Piece("")
        if self.following:
            return Piece("● following ", "good", "follow")
        news = f", {self.new_lines:,} new" if self.new_lines else ""
        return Piece(f"‖ paused{news} ", "accent" if self.new_lines else "dim", "follow")

    def _nothing(self, room: Room) -> Drawing:
        if self._failure:
            words = f"{self._failure}\nIt is tried again by itself; {self.workbench.key_for('back')} goes back."
            return draw(Empty("The log cannot be read", words), room)
        if self._reading:
            return draw(Empty("Looking for logs …"), room)
        hint = (
            f"Nothing called *.log, *.out, *.err or the like stands beside {self.run_shown.path}.\n"
            f"Have the run write one: python train.py > {self.run_shown.path}/train.log 2>&1"
        )
        return draw(Empty("This run has no log", hint), room)
