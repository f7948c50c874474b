"""Keeps Python's search for reference cycles away from the runs in memory, which are many and hold none."""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_LOCK = threading.Lock()
_loads = 0
"""Loads that go on, on several threads: the last one to end has the search go on."""
_searched = True

MANY = 20_000
"""Objects made by one load from which they are set aside."""


@contextmanager
def spared() -> Iterator[None]:
    """No search while a load makes its objects; where they are many, no later search looks at them either.

    With ten thousand runs a full search stops every thread for a tenth of a second, at a key as well as at any other
    moment. What is set aside is freed as usual once nothing refers to it; only cycles among it would stay.
    """
    global _loads, _searched  # noqa: PLW0603 - there is one collector
    before = gc.get_count()[0]
    with _LOCK:
        if not _loads:
            _searched = gc.isenabled()
        _loads += 1
        gc.disable()
    try:
        yield
        if gc.get_count()[0] - before > MANY:
            gc.freeze()
    finally:
        with _LOCK:
            _loads -= 1
            if not _loads and _searched:
                gc.enable()


def hold() -> None:
    """No search while the modules of the interface are loaded and its first rows made."""
    gc.disable()


def release() -> None:
    """Search again, but not among what has been made so far."""
    gc.freeze()
    gc.enable()
