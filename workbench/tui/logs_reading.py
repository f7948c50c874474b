"""A run's logs as they are read for the screen: every function here runs off the event loop and answers a message."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from msgspec import Struct
from textual.message import Message

from workbench.core.log_file import Bytes, FileBytes, MemoryBytes
from workbench.core.log_follow import Followed
from workbench.core.log_search import Stopped, Wanted
from workbench.core.query import Query
from workbench.core.run_logs import LogPlace, RunLog, logs_of
from workbench.tui.logs_page import LogPage, extended_after, extended_before, next_match, page_around
from workbench.tui.messages import Said

OUTPUT_LINES = 100_000
"""Lines of a run's output that are taken out of the store."""
_TELL = 0.1
"""Seconds between two words on how far a search is."""


@dataclass
class OpenLog:
    """A log that is open; shared by the threads that read it."""

    log: RunLog
    followed: Followed
    stop: threading.Event = field(default_factory=threading.Event)

    @property
    def source(self) -> Bytes:
        """What it is read from."""
        return self.followed.source


@dataclass
class LogsFound(Message):
    """Which logs a run has, and one of them opened; None where it has none."""

    logs: Sequence[RunLog]
    opened: OpenLog | None = None
    page: LogPage = field(default_factory=LogPage)
    at: int | None = None
    """Byte of the line to show; None shows the end."""
    error: str = ""


@dataclass
class PageRead(Message):
    """A page, for the request with this number."""

    number: int
    page: LogPage
    at: int | None = None
    """Byte of the line to put the cursor on."""
    to_end: bool = False
    missing: str = ""
    """What was sought and not found."""


@dataclass
class Searching(Message):
    """How far a request is, as a share of the log."""

    number: int
    share: float


@dataclass
class Grew(Message):
    """What a look at a followed log found."""

    lines: int
    began_anew: bool
    error: str = ""


@dataclass
class StepFound(Message):
    """The point that a line tells of; None where none is known."""

    place: LogPlace | None


def find_logs(query: Query, root: Path, run_id: str, step: int | None, part: str, wanted: Wanted) -> LogsFound:
    """Look for a run's logs, open one, and read it around a step or at its end."""
    try:
        return _logs_found(query, root, run_id, step, part, wanted)
    except Exception as error:  # noqa: BLE001 - a store or file that cannot be read is told, and tried again
        return LogsFound((), error=str(error) or type(error).__name__)


def find_step(query: Query, source: str, offset: int) -> StepFound | Said:
    """The point that a line of a log tells of."""
    try:
        return StepFound(query.log_step(source, offset))
    except Exception as error:  # noqa: BLE001 - a store that cannot be read now is told
        return Said(f"the step of this line cannot be read: {error}", bad=True)


def _logs_found(query: Query, root: Path, run_id: str, step: int | None, part: str, wanted: Wanted) -> LogsFound:
    run = next((each for each in query.runs(hidden=True) if each.id == run_id), None)
    if run is None:
        return LogsFound((), error="this run is gone")
    logs = logs_of(root, run, query.run_sources(run_id), bool(query.console(run_id, 1)))
    place = None if step is None else query.log_place(run_id, step)
    log = next((each for each in logs if place is not None and each.source == place.source), None)
    log = log or next((each for each in logs if part and each.name == part), None) or (logs[0] if logs else None)
    if log is None:
        return LogsFound(())
    try:
        source: Bytes = MemoryBytes(_output(query, run_id)) if log.place is None else FileBytes(log.place)
    except OSError as error:
        return LogsFound(logs, error=f"{log.name}: {error.strerror or error}")
    opened = OpenLog(log, Followed(source))
    at = place.offset if place is not None and place.source == log.source else None
    page = page_around(source, source.size if at is None else at, wanted, lambda _: True)
    return LogsFound(logs, opened, page, at)


def _output(query: Query, run_id: str) -> bytes:
    lines = query.console(run_id, OUTPUT_LINES)
    return b"".join(line.text.encode("utf-8", "replace") + b"\n" for line in lines)


class Request(Struct, frozen=True, dict=True):
    """One thing to read of an open log; `stop` calls it off."""

    opened: OpenLog
    number: int
    wanted: Wanted
    say: Callable[[Message], object]

    def _telling(self, size: int) -> Callable[[int], bool]:
        said = time.monotonic()

        def tell(place: int) -> bool:
            nonlocal said
            if time.monotonic() - said > _TELL:
                said = time.monotonic()
                self.say(Searching(self.number, place / max(size, 1)))
            return not self.opened.stop.is_set()

        return tell

    def around(self, offset: int, *, to_end: bool = False) -> PageRead | None:
        """The page around a byte."""
        source = self.opened.source
        return self._page(lambda tell: page_around(source, offset, self.wanted, tell), offset, to_end)

    def more(self, page: LogPage, *, before: bool = False, to_end: bool = False) -> PageRead | None:
        """The page with more lines."""
        extend = extended_before if before else extended_after
        return self._page(lambda tell: extend(self.opened.source, page, self.wanted, tell), None, to_end)

    def _page(self, read: Callable[[Callable[[int], bool]], LogPage], at: int | None, to_end: bool) -> PageRead | None:
        try:
            return PageRead(self.number, read(self._telling(self.opened.source.size)), at, to_end)
        except (Stopped, OSError):
            return None

    def search(
        self, page: LogPage, here: int, sought: Wanted, forward: bool, *, either: bool = False
    ) -> PageRead | None:
        """The page around the next line that holds what is sought; with `either`, the other way if need be."""
        source = self.opened.source
        tell = self._telling(source.size)
        try:
            at = next_match(source, here, sought, forward, tell)
            if at is None and either:
                at = next_match(source, here, sought, not forward, tell)
            if at is None:
                return PageRead(self.number, page, None, missing=sought.text)
            inside = page.start <= at < page.end
            return PageRead(self.number, page if inside else page_around(source, at, self.wanted, tell), at)
        except (Stopped, OSError):
            return None


def look(opened: OpenLog, query: Query | None, run_id: str) -> Grew:
    """What has come to a log since the last look."""
    try:
        if isinstance(opened.source, MemoryBytes) and query is not None:
            opened.source.content = _output(query, run_id)
        news = opened.followed.look()
        return Grew(news.lines, news.began_anew)
    except Exception as error:  # noqa: BLE001 - a file or store that is gone for a moment is looked at again
        return Grew(0, False, str(error))
