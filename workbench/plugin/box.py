"""The box that plugin code runs in: what it prints is kept out of the data on stdout, what it raises is placed."""

from __future__ import annotations

import io
import os
import sys
import tempfile
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from typing import Any, TypeVar

from workbench.core.text import plain

DEADLINE = 30.0
"""Seconds a plugin may take for one answer where somebody waits for it to end."""
_BYTES, _LINES = 16_384, 20
"""How much of what was printed is passed on."""


class PluginError(Exception):
    """A plugin does not keep to the contract; the message says where, and what would be right."""

    place = ""
    """File and line, where they are not those that raised this."""


class PluginTimeoutError(PluginError):
    """A plugin gave no answer in time; its thread is left behind and ends with the process."""


Answer = TypeVar("Answer")


def answer_of(work: Callable[[], Answer], seconds: float = DEADLINE) -> Answer:
    """What `work` returns or raises, on a thread of its own, which is given up after `seconds`.

    Raises:
        PluginTimeoutError: it took longer.
    """
    answers: list[Answer] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            answers.append(work())
        except BaseException as error:  # noqa: BLE001 - handed on to whoever asked, SystemExit included
            errors.append(error)

    thread = threading.Thread(target=run, name="plugin", daemon=True)  # a daemon: the process need not wait for it
    thread.start()
    thread.join(seconds)
    if errors:
        raise errors[0]
    if answers:
        return answers[0]
    late = PluginTimeoutError(f"no answer within {seconds:g} s")
    if frame := sys._current_frames().get(thread.ident or 0):
        late.place = f"{frame.f_code.co_filename}:{frame.f_lineno}"
    raise late


@contextmanager
def caught_output(who: str) -> Iterator[None]:
    """What is printed inside goes to stderr afterwards: named, made safe, and no more than a few lines of it.

    That holds for `print`, for bytes written to file descriptor 1, and for programs that are started; not for threads
    that go on afterwards.
    """
    with tempfile.TemporaryFile() as kept:
        sink = _Sink(kept.fileno())
        stream = io.TextIOWrapper(sink, encoding="utf-8", errors="backslashreplace", write_through=True)  # type: ignore[type-var]
        try:
            with _descriptor_to(kept.fileno()), redirect_stdout(stream), redirect_stderr(stream):
                yield
        finally:
            sink.target = None
            kept.seek(0)
            _pass_on(who, kept.read(_BYTES + 1))


def reason_of(error: BaseException) -> tuple[str, str]:
    """An exception of a plugin in words, and the file and line of its innermost frame."""
    try:
        words = str(error)
    except Exception:  # noqa: BLE001 - an exception of a plugin may fail even at that
        words = "it cannot say why"
    if isinstance(error, PluginError):
        return words, error.place
    frames = traceback.extract_tb(error.__traceback__)
    return f"{type(error).__name__}: {words}", f"{frames[-1].filename}:{frames[-1].lineno}" if frames else ""


class _Sink(io.RawIOBase):
    """Writes to a file until that is taken away: log handlers keep the stream, and then write to nowhere."""

    def __init__(self, target: int) -> None:
        super().__init__()
        self.target: int | None = target

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        if self.target is None:
            raise io.UnsupportedOperation("fileno")
        return self.target

    def write(self, data: Any, /) -> int:
        return len(data) if self.target is None else os.write(self.target, data)


@contextmanager
def _descriptor_to(target: int) -> Iterator[None]:
    """File descriptor 1 leads to another file; nothing where it is closed, as in a daemon."""
    if sys.stdout is not None:
        sys.stdout.flush()
    try:
        saved = os.dup(1)
    except OSError:
        yield
        return
    os.dup2(target, 1)
    try:
        yield
    finally:
        os.dup2(saved, 1)
        os.close(saved)


def _pass_on(who: str, data: bytes) -> None:
    if not data.strip() or sys.stderr is None:
        return
    lines = plain(data[:_BYTES], limit=_BYTES, multiline=True).strip("\n").split("\n")
    more = ["…"] if len(lines) > _LINES or len(data) > _BYTES else []
    for line in [*lines[:_LINES], *more]:
        sys.stderr.write(f"{plain(who)} printed: {line}\n")
