"""How windows are called: by the day, by day and time, or by their first row where they have no times."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from workbench.core import units
from workbench.core.model import Window

_DAY = 86_400


def moment(seconds: float, windows: Sequence[Window]) -> str:
    """The date of a window that begins at midnight UTC as all do, else date and time; without times, the row."""
    if windows and all(window.end - window.start == window.rows for window in windows):
        return f"row {seconds:,.0f}"
    try:
        found = datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, OSError, ValueError):
        return units.number(seconds)
    daily = seconds % _DAY == 0 and all(window.start % _DAY == 0 for window in windows)
    return found.strftime("%Y-%m-%d" if daily else "%Y-%m-%d %H:%M")


def window_name(window: Window) -> str:
    """One window by itself."""
    return moment(window.start, (window,))
