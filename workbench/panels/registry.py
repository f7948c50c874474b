"""The panels of this installation: the built-in ones first, then those of plugins, then what is wrong with plugins."""

from __future__ import annotations

import copy
from collections.abc import Sequence

from workbench.core.config import Config, ConfigError, nearest
from workbench.panels import built_in
from workbench.panels.plugins import PluginsPanel
from workbench.panels.sections import SectionPanel
from workbench.plugin.api import Panel
from workbench.plugin.discovery import (
    Failure,
    Listed,
    failures,
    listed,
    loaded_panels,
    loaded_sections,
    safe_mode,
)
from workbench.plugin.isolated import IsolatedPanel
from workbench.plugin.options import panel_place, with_options

GATES = "gates"
"""Name of the panel of gates, which is there only in a project that has some."""
_OURS = "workbench itself"


def all_panels(config: Config | None = None) -> Sequence[Panel]:
    """One instance of every panel, with its options; a plugin's panel cannot take a name that is taken.

    A panel whose options cannot be used keeps its defaults, and is told of in the panel "Plugins".
    """
    own = _own(config)
    panels, refused = _distinct()
    wrong = _configure((*own, *panels), config)

    def problems() -> Sequence[Failure]:
        return (*failures(), *refused, *wrong)

    return (*own, *panels, *([PluginsPanel(problems)] if problems() else []))


def _own(config: Config | None) -> tuple[Panel, ...]:
    """The built-in panels, that of gates where there are some."""
    if config is None or not config.gates:
        return tuple(built_in())
    from workbench.panels.gates import GatesPanel  # needs the rules, which are nobody else's

    return (*built_in(), GatesPanel(config))


def all_sections() -> Sequence[Panel]:
    """What plugins add to reports besides panels."""
    taken = {panel.name for panel in all_panels()}
    made = {loaded.made.name: loaded.made for loaded in reversed(loaded_sections())}
    return [SectionPanel(section) for name, section in reversed(made.items()) if name not in taken]


def check_options(config: Config) -> None:
    """See to it that every `[panel.NAME]` can be used; needs every plugin.

    Raises:
        ConfigError: one cannot, with file, key and the nearest right name.
    """
    wrong = _configure((*_own(config), *_distinct()[0]), config)
    if wrong and not safe_mode():
        raise ConfigError(wrong[0].error)


def plugin_problems() -> Sequence[Failure]:
    """Every plugin that is left out, and why."""
    return (*failures(), *_distinct()[1])


def _configure(panels: Sequence[Panel], config: Config | None) -> Sequence[Failure]:
    """Give panels their options; those that cannot be used, with file, key and the nearest right name."""
    by_name = {panel.name: panel for panel in panels}
    absent = {each.name for each in listed()} - set(by_name)  # left out, which is told elsewhere
    wrong = []
    for name, table in (config.panels if config is not None else {}).items():
        place = panel_place(config.path if config is not None else None, name)
        panel = by_name.get(name)
        if panel is None and (safe_mode() or name in absent):
            continue
        try:
            if panel is None:
                raise ConfigError(f"{place}: no panel is called that{nearest(name, by_name)}")
            if isinstance(panel, IsolatedPanel) and panel.options is None:
                panel.configure(table, place)
            else:
                panel.options = with_options(_defaults(panel), table, place)
                if isinstance(panel, IsolatedPanel):
                    panel.configure(table, place)
        except Exception as error:  # noqa: BLE001 - an isolated one may also crash over it
            wrong.append(Failure(Listed("workbench.panels", name, "", "", ""), str(error)))
    return wrong


def _defaults(panel: Panel) -> object:
    """The options as the plugin gave them, whatever the configuration said before."""
    kept = vars(panel).setdefault("_default_options", panel.options)
    return copy.copy(kept)


def _distinct() -> tuple[Sequence[Panel], Sequence[Failure]]:
    """Plugins' panels with a name of their own, and those that came too late for theirs."""
    owners = dict.fromkeys((*(panel.name for panel in built_in()), PluginsPanel.name, GATES), _OURS)
    panels, refused = [], []
    for loaded in loaded_panels():
        name = loaded.made.name
        if name in owners:
            refused.append(Failure(loaded.plugin, f"the name {name!r} of its panel is taken by {owners[name]}"))
        else:
            owners[name] = loaded.plugin.words
            panels.append(loaded.made)
    return panels, refused
