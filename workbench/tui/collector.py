"""Keeps Python's search for reference cycles away from the runs in memory, which are many and hold none."""

from __future__ import annotations

import gc

MANY = 2_000
"""Runs from which on a load's objects are set aside."""
GROWN = 1.5
"""How much more may be set aside than was worth it, before it is searched after all."""
_worth = 0
"""Objects that were set aside at first, or when all of them had just been searched."""


def set_aside(runs: int) -> None:
    """After a load of so many runs: where they are many, no later search looks at them.

    With ten thousand runs a full search stops every thread for a tenth of a second, at a key as well as at any other
    moment. What is set aside is freed as usual once nothing refers to it, but cycles that happen to be among it stay,
    and a busy interface leaves many: when half as much again is set aside, all of it is searched once.
    """
    global _worth  # noqa: PLW0603 - there is one collector
    if runs < MANY:
        return
    if _worth and gc.get_freeze_count() > GROWN * _worth:
        gc.unfreeze()
        gc.collect()
        _worth = 0
    gc.freeze()
    _worth = _worth or gc.get_freeze_count()


def hold() -> None:
    """No search while the modules of the interface are loaded and its first rows made."""
    gc.disable()


def release() -> None:
    """Search again, but not among what has been made so far."""
    gc.freeze()
    gc.enable()
