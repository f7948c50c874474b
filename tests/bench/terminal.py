"""A terminal of a fixed size with a program in it: what it draws is read, and looked through for words."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import struct
import subprocess
import termios
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from tests.bench.processes import environment, stop
from tests.bench.screen import Screen

_AT_ONCE = 1 << 18
"""Bytes that are taken before they are looked at: a program that writes more waits no longer than that."""


class NotDrawn(RuntimeError):
    """What was waited for did not come; the message ends with what was last drawn."""


class Terminal:
    """One program on a pty; use it in a `with` block, at whose end the program is ended by its id."""

    def __init__(self, command: Sequence[str | Path], columns: int = 120, rows: int = 40, **more: str) -> None:
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        size = {"LINES": str(rows), "COLUMNS": str(columns)}
        env = environment(TERM="xterm-256color", COLORTERM="truecolor", **size, **more)
        self.began = time.monotonic()
        self.process = subprocess.Popen(
            [*map(str, command)], stdin=slave, stdout=slave, stderr=slave, env=env, start_new_session=True
        )
        os.close(slave)
        self.taken = 0
        """Bytes read so far."""
        self.moment = self.began
        """When the newest bytes came."""
        self._screen = Screen(columns, rows)

    def __enter__(self) -> Terminal:
        return self

    def __exit__(self, *_: object) -> None:
        stop(self.process)
        os.close(self._master)

    @property
    def text(self) -> str:
        """The rows that have been drawn to since the last `send`, whole, however little of them was drawn."""
        return self._screen.touched

    def forget(self) -> str:
        """The same, and from here on only what is drawn later."""
        return self._screen.take()

    def read(self, seconds: float) -> bool:
        """Take what is drawn next, waiting at most so long for it; False when nothing came."""
        drawn, wait = b"", max(0.0, seconds)
        while len(drawn) < _AT_ONCE and select.select([self._master], [], [], wait)[0]:
            try:
                drawn += os.read(self._master, 1 << 16)
            except OSError as error:
                if drawn:
                    break
                raise NotDrawn(f"the program ended with {self.process.wait()}: {self.text[-500:]!r}") from error
            wait, self.moment = 0.0, time.monotonic()
        self.taken += len(drawn)
        self._screen.feed(drawn)
        return bool(drawn)

    def until(self, there: Callable[[str], bool], seconds: float = 30.0) -> float:
        """Read until the words drawn since the last key satisfy; the moment (monotonic) when they came."""
        deadline = time.monotonic() + seconds
        while not there(self.text):
            left = deadline - time.monotonic()
            if left <= 0:
                raise NotDrawn(f"not drawn in {seconds:g} s; last words: {self.text[-500:]!r}")
            self.read(left)
        return self.moment

    def settle(self, quiet: float = 0.3, seconds: float = 10.0) -> None:
        """Read until nothing has been drawn for a while."""
        deadline = time.monotonic() + seconds
        while self.read(quiet) and time.monotonic() < deadline:
            pass

    def send(self, keys: str) -> float:
        """Type, and forget what was drawn before; the moment just before the first key."""
        self.forget()
        moment = time.monotonic()
        os.write(self._master, keys.encode())
        return moment

    def leave(self, keys: str = "q") -> None:
        """Have the program end by itself."""
        os.write(self._master, keys.encode())
        deadline = time.monotonic() + 10
        while self.process.poll() is None and time.monotonic() < deadline:
            try:
                self.read(0.1)
            except NotDrawn:
                return
