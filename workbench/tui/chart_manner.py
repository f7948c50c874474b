"""How all charts of a screen are drawn: their x axis, scales, smoothing, marks, and the stretch that is in sight."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from workbench.core.model import Run
from workbench.core.series_axes import OVER, axis_key, epoch_key
from workbench.core.strokes import Marker
from workbench.tui.dialogs import Option
from workbench.tui.session import MARKERS, ViewState

CLOSEST = 1e-6
"""The least share of the whole that a zoom shows."""


class Manner(Struct, frozen=True):
    """The same for every chart of a screen."""

    axis: str = "step"
    axis_key: str | None = None
    """The metric that the x axis is made of."""
    log_x: bool = False
    log_y: bool = False
    smooth: float = 0.0
    marker: Marker = "braille"
    span: tuple[float, float] | None = None
    """The x values that are in sight; None is all."""


def manner_of(view: ViewState, runs: Sequence[Run], span: tuple[float, float] | None) -> Manner:
    """How charts of these runs are drawn; an axis that none of them has is the step."""
    keys = dict.fromkeys(key for run in runs for key in run.metrics)
    key = axis_key(view.x, keys)
    axis = view.x if key in keys or view.x in ("step", "wall", "relative") else "step"
    marker = next((each for each in MARKERS if each == view.marker), MARKERS[0])
    return Manner(axis, key if axis == view.x else None, view.log_x, view.log_y, view.smooth, marker, span)


def axis_options(view: ViewState, runs: Sequence[Run]) -> list[Option]:
    """Every x axis there is for these runs."""
    keys = dict.fromkeys(key for run in runs for key in run.metrics)
    fixed = [("step", "step"), ("wall", "wall time"), ("relative", "time since the start")]
    epochs = epoch_key(keys)
    if epochs is not None:
        fixed.insert(1, ("epoch", f"epoch ({epochs})"))
    options = [Option(axis, label, "", axis == view.x) for axis, label in fixed]
    return options + [Option(f"{OVER}{key}", key, "metric", view.x == f"{OVER}{key}") for key in sorted(keys)]


def zoomed(
    span: tuple[float, float], whole: tuple[float, float], factor: float, at: float
) -> tuple[float, float] | None:
    """A span made `factor` times as long around `at`; None where that is all there is."""
    low, high = at + (span[0] - at) * factor, at + (span[1] - at) * factor
    least = CLOSEST * (whole[1] - whole[0])
    if high - low < least:
        return span
    return within((low, high), whole)


def within(span: tuple[float, float], whole: tuple[float, float]) -> tuple[float, float] | None:
    """A span pushed back to where there is something; None where it holds the whole."""
    low, high = span
    long, room = high - low, whole[1] - whole[0]
    if long >= room * (1 - 1e-9):
        return None
    if low < whole[0]:
        return whole[0], whole[0] + long
    return (whole[1] - long, whole[1]) if high > whole[1] else span
