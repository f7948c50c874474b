"""Plugins of this installation and project, loaded one by one; one that fails is named and left out."""

from __future__ import annotations

import os
import threading
import traceback
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from msgspec import Struct

from workbench.plugin.api import Panel, Reader
from workbench.plugin.box import caught_output, reason_of
from workbench.plugin.guard import troubles
from workbench.plugin.listing import FILES, FOLDER, Failure, Found, Listed, Surroundings, find, settings_of
from workbench.plugin.loading import KINDS, group_of, made_by

__all__ = ["FILES", "FOLDER", "KINDS", "SAFE", "Failure", "Listed", "Loaded"]

SAFE = "WORKBENCH_SAFE"
"""Environment variable that leaves every plugin out; `workbench --safe` sets it."""

_around = Surroundings()
_loading = threading.RLock()


class Loaded(Struct, frozen=True):
    """A plugin, and one thing that it gave."""

    plugin: Listed
    made: Any


def use_project(root: Path | None, tables: Mapping[str, Any] | None = None, path: Path | None = None) -> None:
    """Look in this project for plugins too, and heed its `[plugins.NAME]`; comes before anything is loaded.

    Raises:
        ConfigError: a table that cannot be used.
    """
    global _around  # noqa: PLW0603 - a process looks at one project
    around = Surroundings(root, settings_of(tables or {}, path))
    if around != _around:
        _around = around
        for kept in (_found, _loaded_one, _loaded):
            kept.cache_clear()


def safe_mode() -> bool:
    """Whether plugins are to be left out."""
    return os.environ.get(SAFE, "0") not in ("", "0")


def listed() -> Sequence[Listed]:
    """Every plugin, without importing any."""
    return [found.listed for found in _found()[0]]


def loaded_of(group: str) -> Sequence[Loaded]:
    """Everything of one of the groups in `KINDS` that loads."""
    return _loaded(group)


def loaded_panels() -> Sequence[Loaded]:
    """Every plugin's panel that loads, with the plugin it comes from."""
    return _loaded("workbench.panels")


def plugin_panels() -> Sequence[Panel]:
    """An instance of every plugin's panel that loads."""
    return [loaded.made for loaded in loaded_panels()]


def plugin_readers() -> Sequence[Reader]:
    """An instance of every plugin's reader that loads."""
    return [loaded.made for loaded in _loaded("workbench.readers")]


def loaded_metrics() -> Sequence[Loaded]:
    """Every plugin's metric of runs."""
    return _loaded("workbench.metrics")


def loaded_sections() -> Sequence[Loaded]:
    """Every plugin's section of reports."""
    return _loaded("workbench.sections")


def loaded_rules() -> Sequence[Loaded]:
    """Every plugin's rule."""
    return _loaded("workbench.rules")


def loaded_drift_tests() -> Mapping[str, Loaded]:
    """Every plugin's drift test, by name; the first of a name has it."""
    return {loaded.made.name: loaded for loaded in reversed(_loaded("workbench.drift_tests"))}


def failures() -> Sequence[Failure]:
    """Plugins that did not load or fail in use, files nobody trusts, and packages whose metadata is broken."""
    if safe_mode():
        return ()
    found, broken = _found()
    return [*broken, *(failure for at, _ in enumerate(found) for failure in _of_one(at)[1]), *troubles()]


def origin_of(made: object) -> Listed | None:
    """The plugin that gave something; None for what is built in."""
    found = (loaded.plugin for group in KINDS for loaded in _loaded(group) if loaded.made is made)
    return next(found, None)


@cache
def _found() -> tuple[Sequence[Found], Sequence[Failure]]:
    return find(_around)


@cache
def _loaded(group: str) -> Sequence[Loaded]:
    """What plugins of a group gave, and what files gave that belongs there."""
    if safe_mode():
        return ()
    wanted = [at for at, found in enumerate(_found()[0]) if found.listed.group in (group, FILES)]
    return [loaded for at in wanted for loaded in _of_one(at)[0] if group_of(loaded.made) == group]


def _of_one(at: int) -> tuple[Sequence[Loaded], Sequence[Failure]]:
    """What one plugin gave, or why it gave nothing; loaded once, whoever asks from whatever thread."""
    with _loading:
        return _loaded_one(_found()[0][at])


@cache
def _loaded_one(found: Found) -> tuple[Sequence[Loaded], Sequence[Failure]]:
    plugin = found.listed
    if plugin.state == "off":
        return (), ()
    if plugin.state == "untrusted":
        words = f"is not trusted: read it, then run: workbench plugins trust {plugin.target}"
        return (), [Failure(plugin, words)]
    try:
        with caught_output(plugin.words):
            return [Loaded(plugin, made) for made in _made(found)], ()
    except (Exception, SystemExit) as error:  # noqa: BLE001 - a plugin may fail in any way, and is named
        words, place = reason_of(error)
        return (), [Failure(plugin, words, traceback.format_exc(), place)]


def _made(found: Found) -> Sequence[Any]:
    from workbench.plugin.isolated import IsolatedPanel

    setting = _around.settings.get(found.listed.name)
    if setting is not None and setting.isolate and found.listed.group == "workbench.panels":
        return [IsolatedPanel.of_target(found.listed.target)]
    things = list(made_by(found, _around.root))
    for at, made in enumerate(things):
        if isinstance(made, Panel):
            if setting is not None and setting.every is not None:
                vars(made)["every"] = float(setting.every)
            if made.isolate or (setting is not None and setting.isolate):
                things[at] = IsolatedPanel.of_panel(made, found, _around.root)
    return things
