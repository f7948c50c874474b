"""Keeps the terminal to the interface, and the interface to the terminal: neither is left without the other."""

from __future__ import annotations

import io
import os
import select
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

_LOOK_AGAIN = 2.0
"""Seconds between looks whether the terminal is still there."""


@contextmanager
def kept_terminal(log: Path) -> Iterator[Callable[[], None]]:
    """Descriptors 1 and 2 lead to `log`, so that neither a plugin, its threads nor C code can write on the screen.

    Gives a function to call once the interface has its own way to the terminal, the only one that is left then.
    A terminal that is closed ends the process, as the signal that may not come would. Nothing is done where standard
    error is no terminal.
    """
    if sys.__stderr__ is None or sys.__stdout__ is None or not sys.__stderr__.isatty():
        with _kept_pipe(log) if _in_browser() else nullcontext():
            yield lambda: None
        return
    before = {name: getattr(sys, name) for name in ("stderr", "__stderr__", "__stdout__")}
    saved = [os.dup(descriptor) for descriptor in (1, 2)]
    with open(log, "ab") as sink, open(os.dup(2), "w", encoding="utf-8", errors="replace") as screen:
        for descriptor in (1, 2):
            os.dup2(sink.fileno(), descriptor)
        sys.stderr = screen
        vars(sys).update(__stderr__=screen, __stdout__=_Size(screen.fileno()))
        left = threading.Event()
        threading.Thread(target=_mind_terminal, args=(left,), name="terminal", daemon=True).start()
        try:
            yield lambda: vars(sys).update(__stderr__=before["__stderr__"])
        finally:
            left.set()
            screen.flush()
            for place, descriptor in zip(saved, (1, 2), strict=True):
                os.dup2(place, descriptor)
                os.close(place)
            vars(sys).update(before)


def _in_browser() -> bool:
    """Whether the interface speaks to textual-serve, in packets on standard output."""
    return os.environ.get("TEXTUAL_DRIVER", "").startswith("textual.drivers.web_driver")


@contextmanager
def _kept_pipe(log: Path) -> Iterator[None]:
    """Standard output is the interface's alone; what else is written there goes to `log`, and ruins no packet.

    A server that is gone, and with it standard input, ends the process as a closed terminal does.
    """
    before, saved = sys.__stdout__, os.dup(1)
    with open(log, "ab") as sink, open(os.dup(1), "w", encoding="utf-8") as packets:
        os.dup2(sink.fileno(), 1)
        vars(sys).update(__stdout__=packets)
        left = threading.Event()
        threading.Thread(target=_mind_terminal, args=(left,), name="server", daemon=True).start()
        try:
            yield
        finally:
            left.set()
            packets.flush()
            os.dup2(saved, 1)
            os.close(saved)
            vars(sys).update(__stdout__=before)


class _Size(io.TextIOBase):
    """Tells how large the terminal is, and writes nothing on it."""

    def __init__(self, descriptor: int) -> None:
        super().__init__()
        self._descriptor = descriptor

    def fileno(self) -> int:
        return self._descriptor

    def write(self, text: str, /) -> int:
        return len(text)


def _mind_terminal(left: threading.Event) -> None:
    """Hang up when the terminal was closed without a signal, which would leave us reading nothing for ever."""
    poll = select.poll()
    poll.register(0, select.POLLHUP)
    while not left.wait(_LOOK_AGAIN):
        if any(events & select.POLLHUP for _, events in poll.poll(0)):
            os.kill(os.getpid(), signal.SIGHUP)
            if not left.wait(_LOOK_AGAIN):  # the signal is ignored, as under nohup
                os._exit(128 + signal.SIGHUP)
