"""What the terminal can draw, asked while the interface is up: the answers are taken out of what is typed.

Asking before the interface is up would cost a round trip to the terminal at every start, and an answer that came late
would be taken for keys.
"""

from __future__ import annotations

import os
import re
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Literal

from textual._xterm_parser import XTermParser
from textual.message import Message

Graphics = Literal["sixel", "kitty", ""]

_KITTY, QUESTION = "\x1b_Gi=31,s=1,v=1,a=q,t=d,f=24;AAAA\x1b\\", "\x1b[16t\x1b[c"
"""Kitty's graphics; the size of a cell in pixels, and what kind of terminal it is, which every terminal answers."""
PATIENCE = 0.7
"""Seconds to wait for an answer; one that comes later counts for the next image."""
_HELD = 0.1
"""Seconds that the beginning of an answer waits for its end; a lone escape is a key."""
_ANSWER = re.compile(
    r"\x1b_G(?P<kitty>[^\x1b]*)\x1b\\|\x1b\[6;(?P<height>\d+);(?P<width>\d+)t|\x1b\[\?(?P<kind>[\d;]*)c"
)
_BEGUN = re.compile(r"\x1b(?:_(?:G[^\x1b]*\x1b?)?|\[(?:\?[\d;]*|6(?:;[\d;]*)?)?)?\Z")
"""The end of what has come may be the beginning of an answer."""


def in_multiplexer(environment: Mapping[str, str]) -> bool:
    """Whether tmux or screen stands between the interface and the terminal."""
    return bool(
        environment.get("TMUX") or environment.get("STY") or environment.get("TERM", "").startswith(("screen", "tmux"))
    )


class TerminalAnswers:
    """What one terminal said of itself; asked on the event loop, answered on the thread that reads the keys."""

    def __init__(self) -> None:
        self.cell: tuple[int, int] | None = None
        """Width and height of a cell in pixels."""
        self.exact_colors = True
        """Whether 24 bits of a colour arrive: Kitty's placeholders name their image by one."""
        self.write: Callable[[str], None] | None = None
        """Puts a sequence on the terminal."""
        self.listens = False
        """Whether the keys pass by here."""
        self._can: set[str] = set()
        self._expects = False
        self._held, self._held_since = "", 0.0
        self._answered = threading.Event()

    @property
    def graphics(self) -> Graphics:
        """How it draws images; Sixel first, since terminals that have both lack Kitty's placeholders."""
        return "sixel" if "sixel" in self._can else "kitty" if "kitty" in self._can and self.exact_colors else ""

    def ask(self, write: Callable[[str], None]) -> None:
        """Ask once; `write` puts a sequence on the terminal. Nothing is asked where nobody listens to the answers."""
        if not self.listens:
            return
        self.write = write
        if not self._expects and not self._answered.is_set():
            self._expects = True
            # A multiplexer passes no such graphics on, and tmux takes the question for its pane's title.
            write(QUESTION if in_multiplexer(os.environ) else f"{_KITTY}{QUESTION}")

    def wait(self) -> bool:
        """Wait for the answers, not for long; True where they have come."""
        return not self._expects or self._answered.wait(PATIENCE)

    def typed(self, data: str) -> str:
        """What came from the terminal without its answers; what may be the beginning of one is kept back."""
        if not self._expects:
            return data
        data, self._held = _ANSWER.sub(self._take, self._held + data), ""
        begun = _BEGUN.search(data) if self._expects else None
        if begun is not None:
            data, self._held = data[: begun.start()], data[begun.start() :]
            self._held_since = time.monotonic()
        return data

    def kept_back(self) -> str:
        """What was kept back, since nothing more comes for now: it was typed."""
        if self._held and time.monotonic() - self._held_since < _HELD:
            return ""
        held, self._held = self._held, ""
        return held

    def _take(self, answer: re.Match[str]) -> str:
        if answer["kitty"] is not None:
            self._can |= {"kitty"} if answer["kitty"].endswith(";OK") else set()
        elif answer["width"] is not None:
            self.cell = (int(answer["width"]), int(answer["height"]))
        else:
            self._can |= {"sixel"} if "4" in answer["kind"].split(";") else set()
            self._expects = False  # it is the last of the three
            self._answered.set()
        return ""


ANSWERS = TerminalAnswers()
"""Of the terminal that this process was started on."""


class _ListeningParser(XTermParser):
    """Textual's parser of keys, behind what takes the answers out."""

    def feed(self, data: str) -> Iterable[Message]:
        typed = ANSWERS.typed(data)
        return super().feed(typed) if typed or not data else ()

    def tick(self) -> Iterable[Message]:
        yield from super().tick()
        if held := ANSWERS.kept_back():
            yield from super().feed(held)


def listen() -> None:
    """Have the interface's input pass by `ANSWERS`; to be called before it is up."""
    from textual.drivers import linux_driver

    vars(linux_driver)["XTermParser"] = _ListeningParser
    ANSWERS.listens = True
