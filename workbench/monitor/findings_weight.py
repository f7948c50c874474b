"""How bad a change is: by its direction, by its size, against the noise, and by whether it goes on."""

from __future__ import annotations

from typing import Literal

from workbench.monitor.since import Episode

Severity = Literal["info", "warn", "bad"]
SEVERITIES: tuple[Severity, ...] = ("info", "warn", "bad")

_CLEAR = 1.0
"""Standard deviations of a window that a serious change has at least."""
_DATASET = 0.5
"""Evidently's share of drifted columns from which on the data as a whole has drifted."""
_SERIOUS = {
    "performance": 0.1, "estimated": 0.1, "business": 0.1, "latency": 0.5, "errors": 1.0, "missing": 0.0,
    "quality": 0.0,
}  # fmt: skip
"""Relative change from which on a kind is serious; of a score between 0 and 1 relative to the nearer end."""
_GONE = 0.25
"""Rows left, as a share of before, from which on a volume is serious."""
_COMMON = 0.05
"""A share of rows that are missing or wrong from which on it is serious."""


def severity(episode: Episode, drifted_share: float | None = None) -> Severity:
    """Information where it is for the better or nobody knows, bad where it is clear and serious, one less when over."""
    if episode.series.kind == "volume":
        return _ended(episode, "bad" if episode.after <= _GONE * episode.before else "warn")
    if episode.sense != "worse":
        return "info"
    if episode.series.kind == "drift":
        return _ended(episode, "bad" if drifted_share is not None and drifted_share >= _DATASET else "warn")
    clear = episode.effect >= _CLEAR
    return _ended(episode, "bad" if clear and _size(episode) >= _SERIOUS[episode.series.kind] else "warn")


def _size(episode: Episode) -> float:
    """The relative change; for shares of faults whether the share itself matters."""
    before, after = episode.before, episode.after
    if episode.series.kind in ("missing", "quality"):
        return after - _COMMON
    scale = abs(before)
    if episode.series.kind in ("performance", "estimated") and episode.series.direction == "higher" and 0 < before < 1:
        scale = min(before, 1 - before)
    return abs(after - before) / scale if scale else float("inf")


def _ended(episode: Episode, found: Severity) -> Severity:
    if episode.until is None:
        return found
    return "warn" if found == "bad" else "info"
