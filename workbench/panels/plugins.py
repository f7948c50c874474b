"""Plugins that did not load: there only when there is one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from workbench.core.query import Query
from workbench.plugin.api import Block, Empty, Fit, Focus, Note, Panel, Stack
from workbench.plugin.discovery import Failure


class PluginsPanel(Panel):
    """Which plugins are left out, and why."""

    name = "plugins"
    title = "Plugins"

    def __init__(self, failures: Callable[[], Sequence[Failure]]) -> None:
        """`failures` tells those of now: a plugin may begin to fail, or recover."""
        self._failures = failures

    def load(self, query: Query, focus: Focus) -> Sequence[Failure]:
        """What was found when the plugins were loaded, and since."""
        return self._failures()

    def view(self, data: Sequence[Failure], fit: Fit) -> Block:
        """Each one with its reason in full, then the next step."""
        if not data:
            return Empty("All plugins work", "workbench plugins list shows them.")
        notes = [Note(f"{one.plugin.words}: {one.error}\n{one.place}".strip(), "bad") for one in data]
        next_step = "workbench plugins list --check tries them again; `workbench --safe` leaves all plugins out."
        return Stack([*notes, Note(next_step, "dim")], f"{len(data)} left out")

    def to_json(self, data: Sequence[Failure]) -> list[dict[str, Any]]:
        """A plugin an object."""
        return [failure_shape(failure) for failure in data]


def failure_shape(failure: Failure) -> dict[str, Any]:
    """The plugin as its metadata names it, what it raised, and where."""
    names = ("group", "name", "distribution", "version", "target")
    found = {name: getattr(failure.plugin, name) for name in names}
    return {**found, "error": failure.error, "place": failure.place}
