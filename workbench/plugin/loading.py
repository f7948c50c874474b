"""Turns a plugin that was found into panels, readers and functions, and holds them to the contract."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from importlib.metadata import EntryPoint
from pathlib import Path
from types import ModuleType
from typing import Any, get_args

from workbench.core.batch import Framing
from workbench.plugin.api import API, Action, DriftTest, Metric, Panel, Reader, Rule, Section
from workbench.plugin.box import PluginError
from workbench.plugin.listing import FILES, Found

KINDS: dict[str, type[Any]] = {
    "workbench.panels": Panel,
    "workbench.readers": Reader,
    "workbench.metrics": Metric,
    "workbench.sections": Section,
    "workbench.rules": Rule,
    "workbench.drift_tests": DriftTest,
}
"""What an entry point of each group has to give."""
_CLASSES = (Panel, Reader)
_RECORDS = (Metric, Section, Rule, DriftTest)
_NAME = re.compile(r"[a-z][a-z0-9_-]*")


def made_by(found: Found, root: Path | None) -> Iterator[Any]:
    """What a plugin gives: one thing of an entry point, everything that a file defines.

    Raises:
        PluginError: it does not keep to the contract; and whatever its own code raises.
    """
    if found.point is not None:
        yield _of_point(found.point)
        return
    module = module_of(found, root)
    defined = [value for value in vars(module).values() if is_plugin(value, module.__name__)]
    if not defined:
        raise PluginError("defines no plugin: subclass Panel or Reader, or decorate a function with @metric or @rule")
    for value in defined:
        made = value() if isinstance(value, type) else value
        check(made)
        yield made


def module_of(found: Found, root: Path | None) -> ModuleType:
    """Run a file's code as it was when its trust was looked up."""
    name = f"workbench_file_plugins.{found.listed.name}"
    place = str((root or Path()) / found.listed.target)
    module = ModuleType(name)
    module.__file__ = place
    sys.modules[name] = module  # dataclasses look their module up there
    try:
        exec(compile(found.code, place, "exec"), module.__dict__)  # noqa: S102 - the user trusts this very code
    except BaseException:
        del sys.modules[name]
        raise
    return module


def is_plugin(value: object, module: str) -> bool:
    """Whether a module's value is a plugin of its own rather than something it imported."""
    if isinstance(value, type):
        return issubclass(value, _CLASSES) and value.__module__ == module and not value.__name__.startswith("_")
    return isinstance(value, _RECORDS) and value.function.__module__ == module


def group_of(made: object) -> str:
    """The group that something loaded belongs to."""
    return next(group for group, kind in KINDS.items() if isinstance(made, kind))


def _of_point(point: EntryPoint) -> Any:
    kind = KINDS[point.group]
    target = point.load()
    if kind in _RECORDS:
        if not isinstance(target, kind):
            decorator = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", kind.__name__).lower()
            raise PluginError(
                f"{point.value} is a {type(target).__name__}; decorate a function with @{decorator} of "
                "workbench.plugin.api"
            )
        check(target)
        return target
    if not callable(target):
        raise PluginError(f"{point.value} is a {type(target).__name__}; an entry point names a class: module:Class")
    made = target()
    _check_api(made)
    if not isinstance(made, kind):
        raise PluginError(f"{point.value} gives a {type(made).__name__}, not a workbench.plugin.api.{kind.__name__}")
    check(made)
    return made


def check(made: Any) -> None:
    """Whether what a plugin gave can be used.

    Raises:
        PluginError: it cannot, and why.
    """
    _check_api(made)
    name = getattr(made, "name", None)
    if isinstance(made, Metric):
        if not isinstance(name, str) or not name.strip() or not name.isprintable():
            raise PluginError(f"the metric's name is {name!r}; it is a key such as val/gap")
    elif not isinstance(name, str) or not _NAME.fullmatch(name):
        raise PluginError(f"`name` is {name!r}; it is short: lower case letters, digits, - and _")
    if isinstance(made, Panel):
        _check_panel(made)
    elif isinstance(made, Reader) and made.framing not in get_args(Framing):
        raise PluginError(f"`framing` is {made.framing!r}; it is one of {', '.join(get_args(Framing))}")


def _check_api(made: Any) -> None:
    wanted = getattr(made, "api", API)
    if not isinstance(wanted, int) or wanted > API:
        raise PluginError(f"asks for plugin API {wanted}, this workbench has {API}; pip install --upgrade mlworkbench")


def _check_panel(panel: Panel) -> None:
    title = getattr(panel, "title", None)
    if not isinstance(title, str) or not title.strip():
        raise PluginError(f"`title` is {title!r}; it is the text of the panel's tab and heading")
    if not isinstance(panel.key, str):
        raise PluginError(f"`key` is {panel.key!r}; it is one digit or letter, or empty")
    if panel.every is not None and not _is_seconds(panel.every):
        raise PluginError(f"`every` is {panel.every!r}; it is a number of seconds, or None")
    if not _is_seconds(panel.deadline):
        raise PluginError(f"`deadline` is {panel.deadline!r}; it is a number of seconds")
    params = getattr(type(panel.options), "__dataclass_params__", None)
    if panel.options is not None and (isinstance(panel.options, type) or params is None or not params.frozen):
        raise PluginError(f"`options` is {panel.options!r}; it is an instance of a frozen dataclass")
    actions: Any = panel.actions
    if not isinstance(actions, tuple | list) or not all(isinstance(each, Action) for each in actions):
        raise PluginError(f"`actions` is {actions!r}; it is a list of Action")
    names = [each.name for each in actions]
    if len(set(names)) < len(names) or not all(isinstance(name, str) and _NAME.fullmatch(name) for name in names):
        raise PluginError(f"the actions are called {names!r}; each has a short name of its own in lower case")


def _is_seconds(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value > 0


__all__ = ["FILES", "KINDS", "check", "group_of", "is_plugin", "made_by", "module_of"]
