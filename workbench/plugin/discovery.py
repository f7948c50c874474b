"""Plugins found by entry point, loaded one by one; one that fails is named and left out, and the rest go on."""

from __future__ import annotations

import os
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from workbench.plugin.api import API, Panel, Reader

GROUPS = ("workbench.panels", "workbench.readers")


@dataclass(frozen=True, slots=True)
class Listed:
    """A plugin as its metadata names it; nothing of it was imported."""

    group: str
    name: str
    distribution: str
    version: str
    target: str


@dataclass(frozen=True, slots=True)
class Failure:
    """A plugin that could not be loaded, and why."""

    plugin: Listed
    error: str
    traceback: str


def listed() -> Sequence[Listed]:
    """Every installed plugin, without importing any."""
    found = [(group, point) for group in GROUPS for point in entry_points(group=group)]
    return sorted((_describe(group, point) for group, point in found), key=lambda item: (item.group, item.name))


def plugin_panels() -> Sequence[Panel]:
    """An instance of every plugin's panel that loads."""
    return [item for item in _loaded("workbench.panels")[0] if isinstance(item, Panel)]


def plugin_readers() -> Sequence[Reader]:
    """An instance of every plugin's reader that loads."""
    return [item for item in _loaded("workbench.readers")[0] if isinstance(item, Reader)]


def failures() -> Sequence[Failure]:
    """Plugins that did not load."""
    return [failure for group in GROUPS for failure in _loaded(group)[1]]


@cache
def _loaded(group: str) -> tuple[Sequence[Any], Sequence[Failure]]:
    objects: list[Any] = []
    failed: list[Failure] = []
    if os.environ.get("WORKBENCH_SAFE"):
        return objects, failed
    for point in sorted(entry_points(group=group), key=lambda item: item.name):
        try:
            objects.append(_instance(point))
        except Exception as error:  # noqa: BLE001 - a plugin may fail in any way, and is named
            failed.append(Failure(_describe(group, point), f"{type(error).__name__}: {error}", traceback.format_exc()))
    return objects, failed


def _instance(point: EntryPoint) -> Any:
    made = point.load()()
    wanted = getattr(made, "api", None)
    if not isinstance(wanted, int) or wanted > API:
        raise RuntimeError(f"asks for plugin API {wanted}, this workbench has {API}; pip install --upgrade mlworkbench")
    return made


def _describe(group: str, point: EntryPoint) -> Listed:
    distribution = point.dist
    name, version = (distribution.name, distribution.version) if distribution else ("", "")
    return Listed(group, point.name, name, version, point.value)
