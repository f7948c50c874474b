"""Plugins found by entry point, loaded one by one; one that fails is named and left out, and the rest go on."""

from __future__ import annotations

import os
import re
import traceback
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.metadata import Distribution, EntryPoint, distributions, entry_points
from typing import Any, get_args

from workbench.core.batch import Framing
from workbench.plugin.api import API, Panel, Reader
from workbench.plugin.box import PluginError, caught_output, reason_of

KINDS: dict[str, type[Any]] = {"workbench.panels": Panel, "workbench.readers": Reader}
"""What an entry point of each group has to give."""

SAFE = "WORKBENCH_SAFE"
"""Environment variable that leaves every plugin out."""

_NAME = re.compile(r"[a-z][a-z0-9_-]*")


@dataclass(frozen=True, slots=True)
class Listed:
    """A plugin as its metadata names it; nothing of it was imported."""

    group: str
    name: str
    distribution: str
    version: str
    target: str

    @property
    def words(self) -> str:
        """The plugin, and what it comes with: `panel gpu of workbench-gpu 0.1.0`."""
        kind = self.group.removeprefix("workbench.").removesuffix("s")
        known = f"{self.distribution} {self.version}".strip()
        return f"{kind} {self.name} of {known}" if known else f"{kind} {self.name}"


@dataclass(frozen=True, slots=True)
class Failure:
    """A plugin that could not be loaded, and why."""

    plugin: Listed
    error: str
    traceback: str = ""
    place: str = ""
    """File and line that raised."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """A plugin, and the panel or reader it gave."""

    plugin: Listed
    made: Any


def safe_mode() -> bool:
    """Whether plugins are to be left out."""
    return os.environ.get(SAFE, "0") not in ("", "0")


def listed() -> Sequence[Listed]:
    """Every installed plugin, without importing any."""
    return [_describe(point) for point in _found()[0]]


def loaded_panels() -> Sequence[Loaded]:
    """Every plugin's panel that loads, with the plugin it comes from."""
    return _loaded("workbench.panels")[0]


def plugin_panels() -> Sequence[Panel]:
    """An instance of every plugin's panel that loads."""
    return [loaded.made for loaded in loaded_panels()]


def plugin_readers() -> Sequence[Reader]:
    """An instance of every plugin's reader that loads."""
    return [loaded.made for loaded in _loaded("workbench.readers")[0]]


def failures() -> Sequence[Failure]:
    """Plugins that did not load, and packages whose list of plugins cannot be read."""
    if safe_mode():
        return ()
    return [*_found()[1], *(failure for group in KINDS for failure in _loaded(group)[1])]


def origin_of(made: object) -> Listed | None:
    """The plugin that gave a panel or reader; None for a built-in one."""
    found = (loaded.plugin for group in KINDS for loaded in _loaded(group)[0] if loaded.made is made)
    return next(found, None)


@cache
def _loaded(group: str) -> tuple[Sequence[Loaded], Sequence[Failure]]:
    loaded: list[Loaded] = []
    failed: list[Failure] = []
    points = [] if safe_mode() else [point for point in _found()[0] if point.group == group]
    for point in points:
        plugin = _describe(point)
        try:
            with caught_output(plugin.words):
                loaded.append(Loaded(plugin, _instance(point)))
        except (Exception, SystemExit) as error:  # noqa: BLE001 - a plugin may fail in any way, and is named
            words, place = reason_of(error)
            failed.append(Failure(plugin, words, traceback.format_exc(), place))
    return loaded, failed


def _instance(point: EntryPoint) -> Any:
    kind = KINDS[point.group]
    target = point.load()
    if not callable(target):
        raise PluginError(f"{point.value} is a {type(target).__name__}; an entry point names a class: module:Class")
    made = target()
    wanted = getattr(made, "api", API)
    if not isinstance(wanted, int) or wanted > API:
        raise PluginError(f"asks for plugin API {wanted}, this workbench has {API}; pip install --upgrade mlworkbench")
    if not isinstance(made, kind):
        raise PluginError(f"{point.value} gives a {type(made).__name__}, not a workbench.plugin.api.{kind.__name__}")
    _check_name(made)
    if isinstance(made, Panel):
        _check_panel(made)
    elif made.framing not in get_args(Framing):
        raise PluginError(f"`framing` is {made.framing!r}; it is one of {', '.join(get_args(Framing))}")
    return made


def _check_name(made: Panel | Reader) -> None:
    name = getattr(made, "name", None)
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise PluginError(f"`name` is {name!r}; it is short: lower case letters, digits, - and _")


def _check_panel(panel: Panel) -> None:
    title = getattr(panel, "title", None)
    if not isinstance(title, str) or not title.strip():
        raise PluginError(f"`title` is {title!r}; it is the text of the panel's tab and heading")
    if not isinstance(panel.key, str):
        raise PluginError(f"`key` is {panel.key!r}; it is one digit or letter, or empty")
    if panel.every is not None and not (isinstance(panel.every, int | float) and panel.every > 0):
        raise PluginError(f"`every` is {panel.every!r}; it is a number of seconds, or None")


@cache
def _found() -> tuple[Sequence[EntryPoint], Sequence[Failure]]:
    """Entry points in our groups; one package whose metadata is broken does not hide those of the others."""
    broken: list[Failure] = []
    try:
        points: Iterable[EntryPoint] = [point for group in KINDS for point in entry_points(group=group)]
    except Exception:  # noqa: BLE001 - the parser raises what it likes
        points, broken = _found_one_by_one()
    ours = {(point.group, point.name, point.value): point for point in points if point.group in KINDS}
    return [ours[key] for key in sorted(ours)], broken


def _found_one_by_one() -> tuple[Sequence[EntryPoint], list[Failure]]:
    points: list[EntryPoint] = []
    broken: list[Failure] = []
    for distribution in distributions():
        try:
            points.extend(distribution.entry_points)
        except Exception as error:  # noqa: BLE001 - the parser raises what it likes
            plugin = Listed("workbench.plugins", "?", *_identity(distribution), "entry_points.txt")
            words = f"entry_points.txt cannot be read: {type(error).__name__}: {error}"
            broken.append(Failure(plugin, words, traceback.format_exc(), str(distribution.locate_file(""))))
    return points, broken


def _describe(point: EntryPoint) -> Listed:
    name, version = _identity(point.dist) if point.dist else ("", "")
    return Listed(point.group, point.name, name, version, point.value)


def _identity(distribution: Distribution) -> tuple[str, str]:
    """Name and version; empty where a package lacks its metadata."""
    known = distribution.metadata
    name, version = (known[key] if key in known else "" for key in ("Name", "Version"))  # noqa: SIM401 - it has no get
    return name, version
