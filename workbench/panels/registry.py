"""The panels of this installation: the built-in ones first, then those of plugins, then what is wrong with plugins."""

from __future__ import annotations

from collections.abc import Sequence

from workbench.panels import built_in
from workbench.panels.plugins import PluginsPanel
from workbench.plugin.api import Panel
from workbench.plugin.discovery import Failure, failures, loaded_panels


def all_panels() -> Sequence[Panel]:
    """One instance of every panel; a plugin's panel cannot take a name that is taken."""
    panels, refused = _distinct()
    problems = (*failures(), *refused)
    return (*built_in(), *panels, *([PluginsPanel(problems)] if problems else []))


def plugin_problems() -> Sequence[Failure]:
    """Every plugin that is left out, and why."""
    return (*failures(), *_distinct()[1])


def _distinct() -> tuple[Sequence[Panel], Sequence[Failure]]:
    """Plugins' panels with a name of their own, and those that came too late for theirs."""
    owners = {panel.name: "workbench itself" for panel in built_in()} | {PluginsPanel.name: "workbench itself"}
    panels, refused = [], []
    for loaded in loaded_panels():
        name = loaded.made.name
        if name in owners:
            refused.append(Failure(loaded.plugin, f"the name {name!r} of its panel is taken by {owners[name]}"))
        else:
            owners[name] = loaded.plugin.words
            panels.append(loaded.made)
    return panels, refused
