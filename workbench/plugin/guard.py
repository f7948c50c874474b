"""Keeps count of what plugins' functions raise while they are used: told by name, parked after three in a row."""

from __future__ import annotations

import threading
import traceback
from collections.abc import Callable, Sequence
from typing import TypeVar

from workbench.plugin.box import DEADLINE, answer_of, caught_output, reason_of
from workbench.plugin.listing import Failure, Listed

PARK_AFTER = 3
"""Failures in a row after which a plugin is asked no more until the workbench is started again."""

Answer = TypeVar("Answer")

_troubles: dict[Listed, Failure] = {}
_lock = threading.Lock()


class Guard:
    """What one plugin's function is called through."""

    def __init__(self, plugin: Listed, deadline: float = DEADLINE) -> None:
        self.plugin = plugin
        self._deadline = deadline
        self._failures = 0

    @property
    def parked(self) -> bool:
        """It has failed too often to be asked again."""
        return self._failures >= PARK_AFTER

    def call(self, work: Callable[[], Answer], otherwise: Answer) -> Answer:
        """What the work gives; `otherwise` where it raises, prints or takes too long, or is parked."""
        if self.parked:
            return otherwise
        try:
            with caught_output(self.plugin.words):
                found = answer_of(work, self._deadline)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - a plugin may fail in any way, and is named
            self.failed(error)
            return otherwise
        self._failures = 0
        with _lock:
            _troubles.pop(self.plugin, None)
        return found

    def failed(self, error: BaseException) -> None:
        """Count a failure, and have it told."""
        self._failures += 1
        words, place = reason_of(error)
        parked = f"; parked after {PARK_AFTER} failures in a row" if self.parked else ""
        with _lock:
            _troubles[self.plugin] = Failure(self.plugin, words + parked, "".join(_traceback(error)), place)


def troubles() -> Sequence[Failure]:
    """Plugins that loaded, and failed when they were last used."""
    with _lock:
        return list(_troubles.values())


def _traceback(error: BaseException) -> Sequence[str]:
    try:
        return traceback.format_exception(error)
    except Exception:  # noqa: BLE001 - an exception of a plugin may fail even at that
        return ()
