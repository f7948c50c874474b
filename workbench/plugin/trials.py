"""What plugins are tried with: projects of every size, a query that counts, one that raises, a watch on the time."""

from __future__ import annotations

import contextlib
import io
import math
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from functools import cache, partial
from pathlib import Path
from typing import Any

from workbench.core.query import Query
from workbench.plugin.box import answer_of, reason_of

_kept: list[tempfile.TemporaryDirectory[str]] = []


class StoreIsBusy(RuntimeError):
    """What a query raises in the battery."""


class Raising:
    """A query of a store that cannot be read."""

    def __getattr__(self, method: str) -> Callable[..., Any]:
        def ask(*_: Any, **__: Any) -> Any:
            raise StoreIsBusy("the store is busy")

        return ask


class Counting:
    """A query that counts what it is asked."""

    def __init__(self, query: Query) -> None:
        self.query = query
        self.asked: Counter[str] = Counter()

    def __getattr__(self, method: str) -> Any:
        self.asked[method] += 1
        return getattr(self.query, method)


FAILED: Any = object()


def tried(found: list[str], what: str, work: Callable[..., Any], *given: Any, seconds: float = 30.0) -> Any:
    """What the work gives; where it raises, prints or takes too long, that is a problem."""
    printed = io.StringIO()
    began = time.monotonic()
    try:
        with contextlib.redirect_stdout(printed):
            answer = answer_of(partial(work, *given), seconds)
    except BaseException as error:  # noqa: BLE001 - whatever a plugin raises is told
        found.append(told(what, error))
        return FAILED
    if (took := time.monotonic() - began) > seconds:  # C code that holds the interpreter's lock cannot be given up
        found.append(f"{what}: it took {took:.0f} s")
    if printed.getvalue():
        found.append(f"{what}: it prints {printed.getvalue().splitlines()[0][:60]!r}")
    return answer


def told(what: str, error: BaseException) -> str:
    """What was done, what it raised, and where."""
    words, place = reason_of(error)
    return f"{what}: {words}{f' ({place})' if place else ''}"


@cache
def project_of(runs: int, keys: Sequence[str]) -> Query:
    """A project with so many runs, some of whose values are not finite; made once."""
    from workbench.plugin.testing import project

    folder = tempfile.TemporaryDirectory(prefix="workbench-check-")
    _kept.append(folder)
    odd = (math.nan, math.inf, -math.inf)
    made = {}
    for at in range(runs):
        values = {key: [1.0 / (step + 1 + at % 7 + place) for step in range(3)] for place, key in enumerate(keys)}
        if at % 10 == 3:
            values[keys[at % len(keys)]] = [odd[at % 3], 0.5, math.nan]
        if at % 10 == 4:
            del values[keys[at % len(keys)]]
        made[f"run-{at:04d}"] = values
    params = {name: {"lr": 0.1, "model": "tree"} for name in list(made)[:50]}
    return project(Path(folder.name) / "project", made, params)
