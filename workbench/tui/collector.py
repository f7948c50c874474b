"""Keeps Python's search for reference cycles away from the runs in memory, which are many and hold none."""

from __future__ import annotations

import gc

_NEVER = 1 << 30
MANY = 2_000
"""Runs from which on a load's objects are set aside."""
GROWN, OVERGROWN = 1.5, 3.0
"""How much more may be set aside than was worth it, before it is searched in an idle moment, and before at any."""
IDLE = 5.0
"""Seconds after which nobody is expected to press a key the next moment."""
ROUNDS, MOST_ROUNDS = 20, 1_000
"""Searches among what is young after which the old is searched in an idle moment, and at any."""
_worth = 0
"""Objects that were set aside once all runs were there, or when all of them had just been searched."""
_counted: int | None = None
"""Objects that are set aside; None while they have not been counted, which takes milliseconds."""


def set_aside(runs: int, *, whole: bool = False) -> None:
    """After a load of so many runs: where they are many, no later search looks at them, and `tidy` says when.

    With ten thousand runs a full search stops every thread for a tenth of a second, at a key as well as at any other
    moment. What is set aside is freed as usual once nothing refers to it, but cycles that happen to be among it stay,
    and a busy interface leaves many. `whole` is for when the runs have all that they ever unfold.
    """
    global _worth, _counted  # noqa: PLW0603 - there is one collector
    if runs >= MANY:
        gc.freeze()
        gc.set_threshold(*gc.get_threshold()[:2], _NEVER)
        _counted = None
        if whole and not _worth:
            _worth = _counted = gc.get_freeze_count()


def tidy(*, idle: bool) -> None:
    """Where much was set aside, search for cycles while nobody waits for a key; once there are too many, at any moment.

    All that was set aside is searched, too, when it has grown by half: threefold, if no moment is idle.
    """
    global _worth, _counted  # noqa: PLW0603 - there is one collector
    if not _worth:
        return
    if _counted is None:
        _counted = gc.get_freeze_count()
    if _counted > (GROWN if idle else OVERGROWN) * _worth:
        gc.unfreeze()
        gc.collect()
        gc.freeze()
        _worth = _counted = gc.get_freeze_count()
    elif gc.get_count()[2] > (ROUNDS if idle else MOST_ROUNDS):
        gc.collect()


def hold() -> None:
    """No search while the modules of the interface are loaded and its first rows made."""
    gc.disable()


def release() -> None:
    """Search again, but not among what has been made so far."""
    gc.freeze()
    gc.enable()


def loaded() -> None:
    """Modules have been loaded that stay: without them a full search is over in a fifth of the time."""
    gc.freeze()
