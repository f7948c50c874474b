"""Which screen a panel is shown on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from workbench.tui.drawing import Target
from workbench.tui.panel_screen import PanelScreen

if TYPE_CHECKING:
    from workbench.plugin.api import Panel


def screen_of(
    panel: Panel, focus: Mapping[str, Any] | None = None, crumb: str = "", start: Target | None = None
) -> PanelScreen:
    """The screen that a panel is shown on."""
    from workbench.plugin.api import WidgetPanel

    if not isinstance(panel, WidgetPanel):
        return PanelScreen(panel, focus, crumb, start)
    from workbench.tui.widget_screen import WidgetScreen

    return WidgetScreen(panel, focus, crumb, start)
