"""The panels of this installation: the built-in ones first, then those of plugins."""

from __future__ import annotations

from collections.abc import Sequence

from workbench.panels import built_in
from workbench.plugin.api import Panel
from workbench.plugin.discovery import plugin_panels


def all_panels() -> Sequence[Panel]:
    """One instance of every panel; a plugin's panel cannot take a built-in name."""
    panels = built_in()
    taken = {panel.name for panel in panels}
    return (*panels, *(panel for panel in plugin_panels() if panel.name not in taken))
