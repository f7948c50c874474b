"""Has the worker answer, and remembers answers for as long as the files stay as they are."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections import OrderedDict
from collections.abc import Callable

import msgspec

from workbench_slices.model import Answer, Question

PATIENCE = 25.0
"""Seconds after which an answer is given up: a report waits no longer than 30."""
_KEPT = 16

Key = tuple[bytes, tuple[tuple[str, int, int], ...]]


class Client:
    """Answers by question and by size and age of the files; safe from several threads, one works at a time."""

    def __init__(self, ask: Callable[[Question], Answer] | None = None) -> None:
        """`ask` answers a question; by default a process of its own does."""
        self._ask = ask or asked_worker
        self._known: OrderedDict[Key, Answer] = OrderedDict()
        self._lock = threading.Lock()

    def answer(self, question: Question) -> Answer:
        """The answer to a question, from memory where nothing has changed."""
        key = msgspec.json.encode(question), _stamps(question)
        with self._lock:
            known = self._known.pop(key, None)
            found = self._ask(question) if known is None else known
            self._known[key] = found
            while len(self._known) > _KEPT:
                self._known.popitem(last=False)
            return found


def asked_worker(question: Question) -> Answer:
    """The answer of a process of its own, which ends afterwards."""
    command = [sys.executable, "-m", "workbench_slices.worker"]
    try:
        done = subprocess.run(
            command, input=msgspec.json.encode(question), capture_output=True, timeout=PATIENCE, check=False
        )
    except subprocess.TimeoutExpired:
        return Answer(problem=f"looking for slices took longer than {PATIENCE:.0f} s; choose a window with fewer rows")
    if done.returncode:
        words = done.stderr.decode(errors="replace").strip().splitlines()
        return Answer(
            problem=f"the search ended with exit code {done.returncode}: {words[-1] if words else 'no words'}"
        )
    return msgspec.json.decode(done.stdout, type=Answer)


def _stamps(question: Question) -> tuple[tuple[str, int, int], ...]:
    """Size and age of every file; one that is gone has neither."""
    paths = (*question.paths, *(question.labels.paths if question.labels else ()))
    found = []
    for path in paths:
        try:
            status = os.stat(path)
        except OSError:
            continue
        found.append((path, status.st_size, status.st_mtime_ns))
    return tuple(found)
