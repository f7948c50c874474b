"""What enter opens in a panel: the panel, its focus, and the words of the breadcrumb."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from workbench.core.query import Focus
from workbench.tui.drawing import Target

Opened = tuple[str, Mapping[str, Any], str]
"""Name of a panel, what its focus differs in, and the breadcrumb."""


def opened_by(panel: str, target: Target, data: Any, focus: Focus, name_of: Callable[[str], str]) -> Opened | None:
    """Where a target leads, or None where it leads nowhere; `name_of` is empty for what is no run's id."""
    if panel == "drift":
        return _column(target, data, focus)
    if panel == "windows":
        return _window(target, data)
    if panel == "scoreboard":
        return _score(target)
    if panel == "gates":
        place = data.judged.get(target.row.partition(":")[2])
        return None if place is None else (place.panel, place.focus, place.words)
    if panel == "sources":
        path = next((source.path for source in data.sources if source.id == target.row), "")
        return "source", {"options": {"source": target.row}}, path
    kind, _, key = target.row.partition(":")
    if kind == "metric" and panel == "compare":
        return "compare", {"metric": key}, key
    if kind == "group" and panel == "groups":
        runs = next((group.runs for group in data.groups if group.name == key), ())
        return "compare", {"marked": tuple(run.id for run in runs)}, key
    if kind == "param" and panel in ("importance", "params"):
        shown = "scatter" if panel == "importance" else "groups"
        return shown, {"options": {"scatter_x" if shown == "scatter" else "by": target.row}}, key
    name = name_of(target.row)
    return ("run", {"run": target.row}, name) if name else None


def _score(target: Target) -> Opened:
    """One of the four metrics opens to the panel that says more of it."""
    monitor, _, kind = target.row.rpartition(":")
    panel = {"latency": "latency", "data": "drift"}.get(kind, "windows")
    return panel, {"monitor": monitor}, monitor


def _column(target: Target, data: Any, focus: Focus) -> Opened:
    """A column of the heat map or of its table opens to its two distributions."""
    window = focus.window
    if target.from_end is not None:
        window = data.windows[target.from_end].start
    return "drift", {"monitor": data.monitor, "column": target.row, "window": window}, target.row


def _window(target: Target, data: Any) -> Opened:
    """A window opens to what drifted in it."""
    from workbench.core.units import timestamp

    start = float(target.row)
    return "drift", {"monitor": data.monitor, "window": start, "column": None}, f"window {timestamp(start)[:10]}"
