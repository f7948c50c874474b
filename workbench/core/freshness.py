"""Whether a monitor's exports still come: told by the clock, since nothing is written when nothing comes."""

from __future__ import annotations

from typing import Literal

from workbench.core import units
from workbench.core.model import Finding

_LATE = 2.0
"""Times the length of a window without a newer one that are worth a word."""
_LONG_OVER = 10.0
"""Beyond this many, and a month, the exports are rather history that somebody looks at."""
_MONTH = 30 * 86_400.0


def stale(monitor: str, newest_end: float, width: float, now: float) -> Finding | None:
    """What is wrong where the newest window is long over; None where nothing is.

    newest_end, now: seconds since 1970. width: seconds a window of this monitor usually lasts.
    """
    silent = now - newest_end
    if width <= 0 or silent <= _LATE * width:
        return None
    severity: Literal["info", "bad"] = "info" if silent > max(_LONG_OVER * width, _MONTH) else "bad"
    text = (
        f"no rows for {_words(silent)}: the newest window ended {units.timestamp(newest_end)[:16].replace('T', ' ')}, "
        f"and windows last {_words(width)}"
    )
    return Finding("freshness", "rows", severity, text, newest_end, None, None, {"window_s": width}, monitor)


def _words(seconds: float) -> str:
    days = round(seconds / 86_400)
    return f"{days} day{'s' if days > 1 else ''}" if days and seconds >= 0.9 * 86_400 else units.duration(seconds)
