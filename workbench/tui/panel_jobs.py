"""What a panel is asked off the event loop: to load, to view, to act; what it raises or takes too long over is told.

A built-in panel views on the event loop, which is quickest. A plugin's does so on a thread, so that a view that never
ends costs nothing but itself.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TypeVar

from workbench.core.blocks import Block
from workbench.core.query import Fit, Focus, Query
from workbench.plugin.api import Panel
from workbench.plugin.box import answer_of
from workbench.plugin.checks import check_block
from workbench.plugin.isolated import IsolatedPanel
from workbench.tui.messages import PanelActed, PanelFailed, PanelLoaded, PanelViewed, failure_of

VIEW = 5.0
"""Seconds a plugin's view may take."""

Answer = TypeVar("Answer")


def is_ours(panel: Panel) -> bool:
    """Whether a panel is built in, and so needs no watching."""
    return type(panel).__module__.startswith("workbench.") and not isinstance(panel, IsolatedPanel)


def load_job(
    panel: Panel, query: Query, focus: Focus, number: int, fits: Sequence[Fit]
) -> Callable[[], PanelLoaded | PanelFailed]:
    """Load, and of a plugin's panel also view for these rooms."""

    def job() -> PanelLoaded | PanelFailed:
        started = time.perf_counter()
        doing = "load"
        try:
            data = _answer(panel, lambda: panel.load(query, focus), panel.deadline)
            doing = "view"
            views = {} if is_ours(panel) else {fit: viewed(panel, data, fit) for fit in fits}
            return PanelLoaded(number, data, time.perf_counter() - started, views)
        except BaseException as error:  # noqa: BLE001 - a panel may raise anything; it is boxed and named
            return PanelFailed(number, failure_of(error, doing))

    return job


def view_job(panel: Panel, data: object, fit: Fit, number: int) -> Callable[[], PanelViewed | PanelFailed]:
    """View for one room."""

    def job() -> PanelViewed | PanelFailed:
        try:
            return PanelViewed(number, fit, viewed(panel, data, fit))
        except BaseException as error:  # noqa: BLE001 - a panel may raise anything; it is boxed and named
            return PanelFailed(number, failure_of(error, "view"))

    return job


def act_job(
    panel: Panel, action: str, query: Query, focus: Focus, number: int
) -> Callable[[], PanelActed | PanelFailed]:
    """Do one of the panel's actions."""

    def job() -> PanelActed | PanelFailed:
        try:
            words = _answer(panel, lambda: panel.act(action, query, focus), panel.deadline)
            return PanelActed(words if isinstance(words, str) else "")
        except BaseException as error:  # noqa: BLE001 - a panel may raise anything; it is boxed and named
            return PanelFailed(number, failure_of(error, f"act {action!r}"))

    return job


def viewed(panel: Panel, data: object, fit: Fit) -> Block:
    """A panel's blocks for a room, looked at before anybody draws them."""

    def work() -> Block:
        block = panel.view(data, fit)
        check_block(block)
        return block

    return _answer(panel, work, VIEW)


def _answer(panel: Panel, work: Callable[[], Answer], seconds: float) -> Answer:
    return work() if is_ours(panel) else answer_of(work, seconds)
