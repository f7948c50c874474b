"""How a panel gets its data: off the event loop, the newest request only, parked when it keeps failing."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace
from textual import events, on
from textual.timer import Timer

from workbench.core.blocks import Note, Stack
from workbench.core.query import Fit, Focus
from workbench.tui.action import Action
from workbench.tui.actions import own_action
from workbench.tui.background import Lane
from workbench.tui.chrome import WorkbenchScreen
from workbench.tui.feed import posting
from workbench.tui.messages import Failure, PanelActed, PanelFailed, PanelLoaded, PanelViewed
from workbench.tui.panel_jobs import act_job, load_job, view_job
from workbench.tui.session import ViewState

if TYPE_CHECKING:
    from workbench.core.blocks import Block
    from workbench.plugin.api import Panel

REST = 4.0
"""How many times the cost of a load the next one waits, when nothing but the store has changed."""
PARK_AFTER = 3
"""Failures in a row after which a panel is loaded only when asked."""
SPINNER_AFTER, NOTICE_AFTER = 0.5, 5.0
"""Seconds of loading after which it is said, and after which the panel is named as slow."""
READING = "reading …"
STORE_AGAIN = 2.0
"""Seconds between tries where the store could not be read."""


class PanelLoader(WorkbenchScreen):
    """A screen with one panel's data, or why there is none."""

    def __init__(self, panel: Panel, focus: Mapping[str, Any] | None) -> None:
        super().__init__()
        self.panel = panel
        self._own_focus = dict(focus or {})
        self._lane = Lane(f"panel-{panel.name}")
        self._views = Lane(f"view-{panel.name}")
        self._acts = Lane(f"act-{panel.name}", keep_all=True)
        self._viewed_blocks: dict[Fit, Block] = {}
        """A plugin's blocks of the data that is shown, by room."""
        self._last_block: Block | None = None
        self._room: Fit | None = None
        """What a plugin's panel is viewed for."""
        self._number = 0
        self._asked: tuple[Focus, str | None] | None = None
        self._rest_until = 0.0
        self._due: Timer | None = None
        self._focus = Focus()
        self._data: Any = None
        self._shown = 0
        """Number of the load whose data is shown; 0 before the first."""
        self._failure: Failure | None = None
        self._failures = 0
        self._loading_since: float | None = None
        self._watch: Timer | None = None
        self._retry: Timer | None = None

    @property
    def busy(self) -> bool:
        """A load runs or waits."""
        lanes = (self._lane, self._views, self._acts)
        return any(lane.busy for lane in lanes) or self._due is not None

    def redraw(self) -> None:
        """Draw what is known now."""
        raise NotImplementedError

    def on_mount(self) -> None:
        """Load, and again as often as the panel wants."""
        if self.panel.every is not None:
            self.set_interval(max(0.5, self.panel.every), self._again)

    def on_unmount(self) -> None:
        """Take no more jobs."""
        for lane in (self._lane, self._views, self._acts):
            lane.close()

    def _again(self) -> None:
        if self.is_current and self._failures < PARK_AFTER and not self._lane.busy:
            self.load()

    def data_changed(self) -> None:
        """Load again, unless it would give the same, the panel has failed too often, or nobody looks."""
        if self.is_current and self._failures < PARK_AFTER and self._asked != self._wanted:
            self._load_after_rest()
        self.show_bars()

    @property
    def _wanted(self) -> tuple[Focus, str | None]:
        """What the next load would be about: an equal one gives equal data."""
        return self.focus_now, self.workbench.revision

    def _load_after_rest(self) -> None:
        """A panel that is slow to load is given its time, and a rest, before a load that only follows the store."""
        rest = self._rest_until - time.monotonic()
        if self._asked is None or self._asked[0] != self.focus_now:
            self.load()
        elif self.is_loading or self._due is not None:
            return
        elif rest <= 0:
            self.load()
        else:
            self._due = self.set_timer(rest, self._rested)

    def _rested(self) -> None:
        self._due = None
        self.data_changed()

    def panels_changed(self, panels: Mapping[str, Panel]) -> None:
        """Go on with the panel as the configuration has it now."""
        now = panels.get(self.panel.name, self.panel)
        if now is not self.panel:
            self.panel, self._failures = now, 0
            self.load()

    def view_changed(self, before: ViewState) -> None:
        """Other options or marks are another focus."""
        if replace(before, cursor=self.workbench.view.cursor) != self.workbench.view:
            self.data_changed()

    @property
    def focus_now(self) -> Focus:
        """What the app looks at, with what this screen was opened for."""
        focus = self.workbench.focus
        options = {**focus.options, **self.chosen, **self._own_focus.get("options", {})}
        return replace(focus, **{**self._own_focus, "options": options})

    @property
    def chosen(self) -> dict[str, str]:
        """The panel's own options, as far as they were chosen."""
        start = f"{self.panel.name}."
        found = (each.removeprefix(start) for each in self.workbench.view.chosen if each.startswith(start))
        return {name: value for name, _, value in (each.partition("=") for each in found)}

    def load(self) -> None:
        """Have the panel load; an answer to an older request is dropped."""
        query = self.workbench.query_or_none
        if query is None:
            return
        self._number += 1
        self._focus = self.focus_now
        self._asked = self._wanted
        rooms = [] if self._room is None else [self._room]
        job = load_job(self.panel, query, self._focus, self._number, rooms)
        if self._loading_since is None:
            self._loading_since = time.monotonic()
            self._watch = self.set_interval(SPINNER_AFTER, self._waiting)
        self._lane.submit(posting(self.post_message, job))

    def view_elsewhere(self, room: Fit) -> Block | None:
        """A plugin's blocks for this room, or until they are made those for another; None where there are none yet."""
        self._room = room
        found = self._viewed_blocks.get(room)
        if found is None:
            self._views.submit(posting(self.post_message, view_job(self.panel, self._data, room, self._shown)))
        else:
            self._last_block = found
        return self._last_block

    def act(self, name: str) -> None:
        """Have the panel do one of its actions, then load again."""
        query = self.workbench.query_or_none
        if self.workbench.read_only:
            self.workbench.say(f"read-only: {name} is left undone", bad=True)
        elif query is not None:
            job = act_job(self.panel, name, query, self.focus_now, self._number)
            self._acts.submit(posting(self.post_message, job))

    def offered(self) -> list[Action]:
        """The panel's own actions besides those of every panel."""
        offered = super().offered()
        taken = {key for action in offered for key in action.keys}
        return [*offered, *(own_action(each, taken) for each in self.panel.actions)]

    def on_key(self, event: events.Key) -> None:
        """A key that means nothing to the interface may mean something to the panel."""
        found = next((each for each in self.panel.actions if each.key == event.character), None)
        if found is not None and event.key not in self.active_bindings:
            event.stop()
            self.act(found.name)

    def action_act(self, name: str) -> None:
        """Do one of the panel's own actions."""
        self.act(name)

    @property
    def is_loading(self) -> bool:
        """A load has been asked for and has not answered."""
        return self._loading_since is not None

    @property
    def loading_for(self) -> float:
        """Seconds since a load was asked for; 0 when none is."""
        return 0.0 if self._loading_since is None else time.monotonic() - self._loading_since

    @property
    def loading_words(self) -> str:
        """What to say of a load that takes its time; empty while it is a matter of a blink."""
        seconds = self.loading_for
        if seconds < SPINNER_AFTER:
            return ""
        return READING if seconds < NOTICE_AFTER else f"panel {self.panel.name} is slow: loading for {seconds:.0f} s"

    def _waiting(self) -> None:
        """Say that it takes long, where somebody looks."""
        if self.is_current:
            self.redraw()

    def _answered(self) -> None:
        """The newest load has come to an end."""
        self._loading_since = None
        if self._watch is not None:
            self._watch.stop()

    @on(PanelLoaded)
    def _loaded(self, event: PanelLoaded) -> None:
        if event.number != self._number:
            return
        self._answered()
        self._data, self._failure, self._shown = event.data, None, event.number
        self._viewed_blocks = dict(event.views)
        self._rest_until = time.monotonic() + REST * event.seconds
        self.redraw()
        self.data_changed()

    @on(PanelViewed)
    def _viewed_elsewhere(self, event: PanelViewed) -> None:
        if event.number == self._shown:
            self._viewed_blocks[event.fit] = event.block
            self.redraw()

    @on(PanelActed)
    def _acted(self, event: PanelActed) -> None:
        if event.words:
            self.workbench.say(event.words)
        self.load()

    @on(PanelFailed)
    def _failed(self, event: PanelFailed) -> None:
        if event.number == self._number:
            self._answered()
            self.fail(event.failure)
            self.redraw()

    def fail(self, failure: Failure) -> None:
        """Count a failure, and show it instead of the panel; a store that cannot be read is no fault of the panel."""
        self._failure = failure
        if not failure.by_store:
            self._failures += 1
        elif self._retry is None:
            self._retry = self.set_interval(STORE_AGAIN, self._try_again)

    def _try_again(self) -> None:
        """Load again where it was the store that could not be read."""
        if self._failure is None or not self._failure.by_store:
            if self._retry is not None:
                self._retry.stop()
                self._retry = None
        elif self.is_current and not self._lane.busy:
            self.load()

    def failure_box(self, failure: Failure) -> Block:
        """What failed, what it raised, where, and what to do."""
        parked = self._failures >= PARK_AFTER
        again, where = (self.workbench.key_for(each, "panel") for each in ("retry", "traceback"))
        hint = f"{again} tries again · {where} shows the traceback"
        title = f"Panel {self.panel.name} failed in {failure.doing}"
        if failure.by_store:
            title, parked = "The store cannot be read", False
            hint = f"It is tried again by itself. {hint}"
        if parked:
            hint = f"Parked after {PARK_AFTER} failures in a row: it is not loaded by itself any more. {hint}"
        return Stack(
            [
                Note(failure.error, "bad"),
                *([Note(failure.place, "dim")] if failure.place else []),
                Note(hint, "warn" if parked else "dim"),
            ],
            title,
        )
