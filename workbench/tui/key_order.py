"""Keys one after another: the next is handed on when what the one before has set off, and opened, is there to take it.

Textual hands a key to the widget that has the focus when the key is read. A key that opens something is done later, on
its way back through the widgets, and what it opens has the focus later still: of keys that come in one burst, as a slow
line, tmux or a paste of keys delivers them, those behind it would go to the screen below.
"""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable, Collection
from typing import Any
from weakref import WeakSet

from textual import events
from textual.app import App
from textual.message_pump import MessagePump
from textual.timer import Timer
from textual.widget import Widget

PATIENCE = 0.5
"""Seconds without any news of a key, twice, after which those behind it go on: a widget that hears no more must not
silence the keyboard. Once is not enough: the interface may just have been busy itself.
"""
LONGEST_HELD = 3.0
"""Seconds that a key is held which means nothing yet."""
MOST_ROUNDS = 8
"""Times the screen is asked whether it is done: again where something was opened or closed meanwhile."""


class KeyOrderApp(App[None], inherit_bindings=False):
    """Hands on one key, or one paste, at a time."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._keys_waiting: deque[events.Event] = deque()
        self._key_under_way: _UnderWay | None = None
        self._key_patience: Timer | None = None
        self._key_held: tuple[events.Key, Callable[[], None]] | None = None
        self._deaf: WeakSet[MessagePump] = WeakSet()
        """Widgets that did not come back in time."""
        self._touched = -math.inf

    @property
    def untouched(self) -> float:
        """Seconds since a key or the mouse was last used."""
        return time.monotonic() - self._touched

    @property
    def leaving_keys(self) -> Collection[str]:
        """Keys that no key which is held may hold up."""
        return ("ctrl+c",)

    @property
    def keys_under_way(self) -> bool:
        """A key has been typed whose effects are not all there yet."""
        return self._key_under_way is not None and self.return_code is None

    async def on_event(self, event: events.Event) -> None:
        """Hand an event on; a key waits for its turn."""
        if isinstance(event, events.InputEvent):
            self._touched = time.monotonic()
        if not isinstance(event, events.Key | events.Paste) or event.is_forwarded:
            await super().on_event(event)
        elif self._key_under_way is None and self._key_held is None:
            await self._hand_on(event)
        else:
            self._keys_waiting.append(event)
            if self._key_held is not None and self._somebody_leaves:
                await self._go_on_without()
            elif self._key_patience is None:
                self._key_patience = self.set_timer(PATIENCE, self._go_on_without)

    def hold_keys(self, key: events.Key, otherwise: Callable[[], None]) -> None:
        """Keep a key that may come to mean something, and all behind it, until `release_keys`; not for long."""
        self._key_held = key, otherwise
        self._stop_waiting()
        self._key_patience = self.set_timer(LONGEST_HELD, self._go_on_without)

    def release_keys(self) -> None:
        """Hand on what was held."""
        if self._key_held is not None:
            key, _ = self._key_held
            self._key_held = None
            self._keys_waiting.appendleft(events.Key(key.key, key.character))
            if self._key_under_way is None:
                self.call_next(self._key_done)

    @property
    def _somebody_leaves(self) -> bool:
        """The key right behind the one that is held leaves; of others nobody knows yet what they will mean."""
        following = self._keys_waiting[0] if self._keys_waiting else None
        return isinstance(following, events.Key) and following.key in self.leaving_keys

    async def _hand_on(self, event: events.Event) -> None:
        under_way = self._key_under_way = _UnderWay(self, self._key_done, self._deaf)
        await super().on_event(event)
        if under_way is self._key_under_way:
            under_way.ask()

    async def _key_done(self) -> None:
        """The next key's turn."""
        self._key_under_way = None
        if self._key_held is not None:
            if self._somebody_leaves:
                await self._go_on_without()
            return
        self._stop_waiting()
        if self._keys_waiting:
            following = self._keys_waiting.popleft()
            if self._keys_waiting:
                self._key_patience = self.set_timer(PATIENCE, self._go_on_without)
            await self._hand_on(following)

    def _stop_waiting(self) -> None:
        if self._key_patience is not None:
            self._key_patience.stop()
            self._key_patience = None

    async def _go_on_without(self) -> None:
        """Whatever the key before has set off, or waits for, takes too long."""
        if self._key_held is not None:
            _, otherwise = self._key_held
            self._key_held = None
            otherwise()
        elif self._key_under_way is not None:
            if self._key_under_way.has_news():
                self._key_patience = self.set_timer(PATIENCE, self._go_on_without)
                return
            self._key_under_way.forget()
        await self._key_done()


class _UnderWay:
    """A key that has been handed on: asks round after round until all that it set off is done.

    Every widget works off its messages in the order they came, and hands them up to the one that holds it. So a
    question that goes up to the app, the innermost widgets first, comes behind all that was on its way: first the key
    itself, then what it has caused on the whole screen, then what that has opened.
    """

    def __init__(self, app: App[None], done: Callable[[], Any], deaf: WeakSet[MessagePump]) -> None:
        self._app = app
        self._done = done
        self._deaf = deaf
        self._silent: set[MessagePump] = set()
        stack = app.screen_stack
        holder = (stack[-1].focused or stack[-1]) if stack else None
        self._way: list[list[MessagePump]] = [[app]]
        if holder is not None:
            self._way += [[each] for each in reversed(holder.ancestors_with_self) if isinstance(each, Widget)]
        self._before: tuple[object, ...] = ()
        self._rounds = 0
        self._answers, self._known_answers = 0, -1
        self._forgotten = False

    def forget(self) -> None:
        """Tell nobody any more; who has not answered is not asked again until it does."""
        self._forgotten = True
        self._deaf.update(self._silent)

    def has_news(self) -> bool:
        """Whether somebody has answered since this was asked before."""
        before, self._known_answers = self._known_answers, self._answers
        return before != self._answers

    def ask(self) -> None:
        """Follow the key on its way up, then see to what it has caused."""
        self._before = _standing(self._app)
        self._ask(self._way)

    def _ask_all(self) -> None:
        """Ask the whole screen."""
        levels: list[list[MessagePump]] = [[self._app]]
        row: list[Widget] = [*self._app.screen_stack[-1:]]
        while row:
            levels.append(list(row))
            row = [child for widget in row for child in widget.children]
        self._ask(levels)

    def _ask(self, levels: list[list[MessagePump]]) -> None:
        """Ask the innermost level; the one above it when all have answered."""
        if self._forgotten:
            return
        if not levels:
            self._app.call_next(self._answered)
            return
        asked = [pump for pump in levels.pop() if pump not in self._deaf and _hears(pump)]
        self._silent = set(asked)
        for pump in asked:
            if not pump.call_later(self._heard, pump, levels):
                self._silent.discard(pump)
        if not self._silent:
            self._ask(levels)

    def _heard(self, pump: MessagePump, levels: list[list[MessagePump]]) -> None:
        self._answers += 1
        self._deaf.discard(pump)
        self._silent.discard(pump)
        if not self._silent:
            self._ask(levels)

    async def _answered(self) -> None:
        if self._forgotten:
            return
        standing = _standing(self._app)
        if self._rounds == 0 or (standing != self._before and self._rounds < MOST_ROUNDS):
            self._rounds += 1
            self._before = standing
            self._ask_all()
        else:
            await self._done()


def _hears(pump: MessagePump) -> bool:
    """Whether a widget still works off its messages."""
    return pump._task is None or not pump._task.done()


def _standing(app: App[None]) -> tuple[object, ...]:
    """What is on the screen, and what of it has the focus."""
    stack = app.screen_stack
    if not stack:
        return ()
    return (stack[-1], stack[-1].focused, *stack[-1].walk_children())
