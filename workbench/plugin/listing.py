"""Which plugins there are: entry points of installed packages, and files of the project; nothing is imported."""

from __future__ import annotations

import re
import traceback
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from importlib.metadata import Distribution, EntryPoint, distributions
from pathlib import Path
from typing import Any, Literal

from msgspec import Struct, field
from msgspec.structs import replace

from workbench.plugin.trust import digest_of, is_trusted

FOLDER = ".workbench/plugins"
"""Where a project's own single-file plugins are, relative to it."""
FILES = "workbench.files"
"""What stands for a group where a plugin is a file: it may hold several kinds."""
GROUPS = (
    "workbench.panels", "workbench.readers", "workbench.metrics", "workbench.sections", "workbench.rules",
    "workbench.drift_tests",
)  # fmt: skip
"""Entry point groups that plugins are found by."""
_LONGEST = 1 << 20

State = Literal["installed", "trusted", "untrusted", "off"]


class Listed(Struct, frozen=True):
    """A plugin as its metadata names it; nothing of it was imported."""

    group: str
    name: str
    distribution: str
    version: str
    target: str
    """`module:Class` of an entry point; of a file its path, relative to the project."""
    state: State = "installed"

    @property
    def words(self) -> str:
        """The plugin, and what it comes with: `panel gpu of workbench-gpu 0.1.0`."""
        kind = self.group.removeprefix("workbench.").removesuffix("s").replace("_", " ")
        known = self.target if self.group == FILES else f"{self.distribution} {self.version}".strip()
        return f"{kind} {self.name} of {known}" if known else f"{kind} {self.name}"


class Failure(Struct, frozen=True):
    """A plugin that could not be loaded, and why."""

    plugin: Listed
    error: str
    traceback: str = ""
    place: str = ""
    """File and line that raised."""


class Found(Struct, frozen=True):
    """A plugin that can be loaded: an entry point, or the code of a file."""

    listed: Listed
    point: EntryPoint | None = None
    code: bytes = b""


class Setting(Struct, frozen=True):
    """`[plugins.NAME]`: what the user decides about one plugin."""

    enabled: bool = True
    isolate: bool = False
    every: float | None = None


class Surroundings(Struct, frozen=True):
    """What plugins are looked for in, and what the user says of them."""

    root: Path | None = None
    settings: Mapping[str, Setting] = field(default_factory=dict)


def find(around: Surroundings) -> tuple[Sequence[Found], Sequence[Failure]]:
    """Every plugin, installed ones first; a package whose metadata is broken does not hide those of the others."""
    installed, broken = _installed()
    found = [_decided(each, around) for each in installed]
    return [*found, *(_decided(each, around) for each in _files(around.root))], broken


def _decided(found: Found, around: Surroundings) -> Found:
    setting = around.settings.get(found.listed.name)
    if setting is None or setting.enabled:
        return found
    return replace(found, listed=replace(found.listed, state="off"))


@cache
def _installed() -> tuple[Sequence[Found], Sequence[Failure]]:
    """Entry points in our groups; files of other packages are read, but neither parsed nor imported."""
    seen: set[str] = set()
    found: dict[tuple[str, str, str], Found] = {}
    broken: list[Failure] = []
    for distribution in distributions():
        try:
            text = distribution.read_text("entry_points.txt")
            if not text or "workbench." not in text:
                continue
            name, version = _identity(distribution)
            plain_name = re.sub(r"[-_.]+", "-", name).lower()
            if name and plain_name in seen:  # another copy further down the path, which cannot be imported
                continue
            seen.add(plain_name)
            for point in _points(distribution):
                listed = Listed(point.group, point.name, name, version, point.value)
                found.setdefault((point.group, point.name, point.value), Found(listed, point))
        except Exception as error:  # noqa: BLE001 - the parser raises what it likes
            name, version = _identity(distribution)
            words = f"entry_points.txt cannot be read: {type(error).__name__}: {error}"
            plugin = Listed("workbench.plugins", "?", name, version, "entry_points.txt")
            broken.append(Failure(plugin, words, traceback.format_exc(), str(distribution.locate_file(""))))
    return [found[key] for key in sorted(found)], broken


def _points(distribution: Distribution) -> Iterator[EntryPoint]:
    return (point for point in distribution.entry_points if point.group in GROUPS)


def _identity(distribution: Distribution) -> tuple[str, str]:
    """Name and version, from the head of the metadata alone; empty where a package lacks them."""
    try:
        text = distribution.read_text("METADATA") or distribution.read_text("PKG-INFO") or ""
    except Exception:  # noqa: BLE001 - undecodable metadata names nobody
        text = ""
    head = text.partition("\n\n")[0]
    name, version = (re.search(rf"^{key}:[ \t]*(.*?)\r?$", head, re.M) for key in ("Name", "Version"))
    return name[1] if name else "", version[1] if version else ""


def _files(root: Path | None) -> Iterator[Found]:
    folder = None if root is None else root / FOLDER
    if folder is None or not folder.is_dir():
        return
    for path in sorted(folder.glob("[!_.]*.py")):
        target = f"{FOLDER}/{path.name}"
        try:
            code = path.read_bytes() if path.stat().st_size <= _LONGEST else b""
        except OSError:
            code = b""
        state: State = "trusted" if code and is_trusted(digest_of(code)) else "untrusted"
        yield Found(Listed(FILES, path.stem, "", "", target, state), None, code)


def settings_of(tables: Mapping[str, Any], path: Path | None) -> Mapping[str, Setting]:
    """The `[plugins.NAME]` tables of a configuration.

    Raises:
        ConfigError: an unknown key, or a value of the wrong kind.
    """
    from workbench.core.config import ConfigError, nearest

    wanted = ("enabled", "isolate", "every")
    made: dict[str, Setting] = {}
    for name, table in tables.items():
        place = f"{path}: plugins.{name}"
        if not isinstance(table, dict):
            raise ConfigError(f"{place}: expected a table, got {type(table).__name__}")
        for key, value in table.items():
            if key not in wanted:
                raise ConfigError(f"{place}.{key}: unknown key{nearest(key, wanted)}")
            seconds = isinstance(value, int | float) and not isinstance(value, bool) and value > 0
            if not (seconds if key == "every" else isinstance(value, bool)):
                expected = "true or false" if key != "every" else "a number of seconds above 0"
                raise ConfigError(f"{place}.{key}: expected {expected}, got {value!r}")
        made[name] = Setting(**table)
    return made
