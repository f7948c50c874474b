"""Keeps the terminal to the interface: what anything else in the process prints goes to a file."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def kept_terminal(log: Path) -> Iterator[Callable[[], None]]:
    """Descriptors 1 and 2 lead to `log`, so that neither a plugin, its threads nor C code can write on the screen.

    Gives a function to call once the interface has its own way to the terminal, the only one that is left then.
    Nothing is done where standard error is no terminal.
    """
    if sys.__stderr__ is None or sys.__stdout__ is None or not sys.__stderr__.isatty():
        yield lambda: None
        return
    before = {name: getattr(sys, name) for name in ("stderr", "__stderr__", "__stdout__")}
    saved = [os.dup(descriptor) for descriptor in (1, 2)]
    with open(log, "ab") as sink, open(os.dup(2), "w", encoding="utf-8", errors="replace") as screen:
        for descriptor in (1, 2):
            os.dup2(sink.fileno(), descriptor)
        sys.stderr = screen
        vars(sys).update(__stderr__=screen, __stdout__=_Size(screen.fileno()))
        try:
            yield lambda: vars(sys).update(__stderr__=before["__stderr__"])
        finally:
            screen.flush()
            for place, descriptor in zip(saved, (1, 2), strict=True):
                os.dup2(place, descriptor)
                os.close(place)
            vars(sys).update(before)


class _Size(io.TextIOBase):
    """Tells how large the terminal is, and writes nothing on it."""

    def __init__(self, descriptor: int) -> None:
        super().__init__()
        self._descriptor = descriptor

    def fileno(self) -> int:
        return self._descriptor

    def write(self, text: str, /) -> int:
        return len(text)
