"""What the panels over production share: which monitor, how its windows are called, how much a column drifted."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from workbench.core.model import Window
from workbench.core.query import Query
from workbench.plugin.api import Empty, Focus, Tone

NO_MONITOR = Empty(
    "No production data yet",
    "Name a monitor in workbench.toml, `workbench detect FILE` writes it for an export; "
    "or compare two files at once: `workbench drift REFERENCE CURRENT`.",
)
"""What is shown until there is a monitor."""


def chosen_monitor(query: Query, focus: Focus) -> tuple[Sequence[str], str | None]:
    """All monitors, and the focused one, else the first that has windows."""
    names = list(query.monitors())
    if focus.monitor is not None:
        return names, focus.monitor
    return names, next((name for name in names if query.windows(name)), names[0] if names else None)


def no_windows(monitor: str, names: Sequence[str]) -> Empty:
    """Why a monitor shows nothing, and what to do about it."""
    if monitor not in names:
        return Empty(f"No monitor {monitor!r}", f"There is: {', '.join(names)}." if names else NO_MONITOR.hint)
    return Empty(
        f"No windows of {monitor} yet",
        "Its files have not been read, or hold no rows: `workbench watch --once` reads them, "
        "`workbench sources` says what was found.",
    )


def window_labels(windows: Sequence[Window]) -> list[str]:
    """Short names of windows: the date where each starts at midnight UTC, else date and time; segments behind."""
    starts = [_moment(window.start) for window in windows]
    daily = all(start is None or (start.hour, start.minute, start.second) == (0, 0, 0) for start in starts)
    years = {start.year for start in starts if start is not None}
    date = "%m-%d" if len(years) <= 1 else "%Y-%m-%d"
    pattern = date if daily else f"{date} %H:%M"
    labels = ["–" if start is None else start.strftime(pattern) for start in starts]
    return [f"{label} {each.segment}".rstrip() for label, each in zip(labels, windows, strict=True)]


def _moment(seconds: float) -> datetime | None:
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, OSError, ValueError):
        return None


def share_tone(share: float | None) -> Tone:
    """Bad from Evidently's limit for a data set on, a warning from the first drifted column on."""
    if share is None or share == 0:
        return "" if share is None else "good"
    return "bad" if share >= 0.5 else "warn"
