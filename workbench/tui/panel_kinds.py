"""Which screen a panel is shown on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from workbench.tui.drawing import Target

if TYPE_CHECKING:
    from workbench.plugin.api import Panel
    from workbench.tui.chrome import WorkbenchScreen


def screen_of(
    panel: Panel, focus: Mapping[str, Any] | None = None, crumb: str = "", start: Target | None = None
) -> WorkbenchScreen:
    """The screen that a panel is shown on; without a focus, that of its tab."""
    from workbench.plugin.api import WidgetPanel
    from workbench.tui.panel_screen import PanelScreen

    if panel.name == "charts" and focus is None:
        from workbench.tui.charts_screen import ChartsScreen

        return ChartsScreen()
    if panel.name == "run":
        from workbench.tui.run_screen import RunScreen

        return RunScreen(panel, focus, crumb, start)
    if not isinstance(panel, WidgetPanel):
        return PanelScreen(panel, focus, crumb, start)
    from workbench.tui.widget_screen import WidgetScreen

    return WidgetScreen(panel, focus, crumb, start)
