"""Reads settings from files, entry by entry: what is wrong is named with its line, and everything else holds."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct, field

from workbench.core.config import CONFIG_NAME, nearest
from workbench.core.settings import BY_NAME, SETTINGS, Chosen, Origin, Problem, Remap, Setting, Settings

_TABLE = re.compile(r"\s*\[\[?\s*([^\]]+?)\s*\]")
_ENTRY = re.compile(r"\s*((?:[\w-]+|\"[^\"]*\"|'[^']*')(?:\s*\.\s*(?:[\w-]+|\"[^\"]*\"|'[^']*'))*)\s*=")
_PART = re.compile(r"\"[^\"]*\"|'[^']*'|[\w-]+")
_AT_LINE = re.compile(r" \(at line (\d+), column \d+\)$")
_REMARK = re.compile(r"""[^"'#]*(?:"[^"]*"|'[^']*')?[^"'#]*?(\s*#.*)$""")
_EITHER = frozenset({"read_only", "safe"})
"""Settings that hold as soon as one file asks for them: no project undoes the user's caution."""


def load_settings(
    user: Path | None, project: Path | None = None, given: Mapping[str, str | bool | int] | None = None
) -> Settings:
    """All settings: defaults, the user's file, `[tui]` in the project's `workbench.toml`, then what was `given`.

    Files that are not there say nothing. Nothing is raised: see `Settings.problems`.
    """
    reader = _Reader()
    if user is not None:
        reader.user(user)
    if project is not None:
        reader.project(project / CONFIG_NAME)
    for name, value in (given or {}).items():
        reader.chosen[name] = Chosen(value, "command line")
    return Settings(reader.chosen, reader.keys, reader.problems)


Stamp = tuple[int, int, int] | None
"""When a file was written, how long it is, and which one it is; None where there is none."""


class SettingsFiles(Struct, frozen=True):
    """Where settings come from: the user's own file, a project's folder, and what the command line said."""

    user: Path | None = None
    project: Path | None = None
    given: Mapping[str, str | bool | int] = field(default_factory=dict)

    @property
    def paths(self) -> tuple[Path | None, Path | None]:
        """The user's file and the project's."""
        return self.user, None if self.project is None else self.project / CONFIG_NAME

    def stamp(self) -> tuple[Stamp, ...]:
        """Another one as soon as one of the files is edited."""
        return tuple(None if path is None else _stamp(path) for path in self.paths)

    def load(self) -> Settings:
        """What they say now."""
        return load_settings(self.user, self.project, self.given)


def _stamp(path: Path) -> Stamp:
    try:
        known = path.stat()
    except OSError:
        return None
    return known.st_mtime_ns, known.st_size, known.st_ino


class _Reader:
    """What has been read so far."""

    def __init__(self) -> None:
        self.chosen: dict[str, Chosen] = {}
        self.keys: list[Remap] = []
        self.problems: list[Problem] = []

    def user(self, path: Path) -> None:
        text, data = self._parsed(path)
        known = (*BY_NAME, "keys")
        for name, value in data.items():
            if name == "keys":
                self._keys(path, text, value)
            elif name in BY_NAME:
                self._take(path, text, (name,), BY_NAME[name], value, "user")
            else:
                self._wrong(path, text, (name,), f"no such setting{nearest(name, known)}")

    def project(self, path: Path) -> None:
        text, data = self._parsed(path)
        table = data.get("tui", {})
        if not isinstance(table, dict):
            self._wrong(path, text, ("tui",), f"expected a table, got {type(table).__name__}")
            return
        shared = [setting.name for setting in SETTINGS if not setting.personal]
        for name, value in table.items():
            setting = BY_NAME.get(name)
            if setting is not None and not setting.personal:
                self._take(path, text, ("tui", name), setting, value, "project")
            elif setting is not None or name == "keys":
                self._wrong(path, text, ("tui", name), "is for each user to choose; put it in settings.toml")
            else:
                self._wrong(path, text, ("tui", name), f"no such setting{nearest(name, shared)}")

    def _parsed(self, path: Path) -> tuple[str, dict[str, Any]]:
        try:
            text = path.read_text(encoding="utf-8-sig")
            return text, tomllib.loads(text)
        except FileNotFoundError:
            return "", {}
        except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
            words = str(error.strerror or error) if isinstance(error, OSError) else str(error)
            line = _AT_LINE.search(words)
            self.problems.append(Problem(path, "", _AT_LINE.sub("", words), int(line[1]) if line else None))
            return "", {}

    def _take(
        self, path: Path, text: str, place: tuple[str, ...], setting: Setting, value: Any, origin: Origin
    ) -> None:
        why = _refusal(setting, value)
        if why:
            self._wrong(path, text, place, why)
        elif setting.name not in _EITHER or value or setting.name not in self.chosen:
            self.chosen[setting.name] = Chosen(value, origin, path, line_of(text, place))

    def _keys(self, path: Path, text: str, data: Any) -> None:
        if not isinstance(data, dict):
            self._wrong(path, text, ("keys",), 'expected lines such as mark = "M" or [keys.runs]')
            return
        for name, value in data.items():
            if isinstance(value, dict):
                for action, keys in value.items():
                    self._remap(path, text, name, action, keys)
            else:
                self._remap(path, text, "", name, value)

    def _remap(self, path: Path, text: str, scope: str, action: str, value: Any) -> None:
        place = tuple(filter(None, ("keys", scope, action)))
        keys = [value] if isinstance(value, str) else value
        if not isinstance(keys, list) or not keys or not all(isinstance(key, str) and key for key in keys):
            self._wrong(path, text, place, f'expected a key such as "M", or a list of them, got {value!r}')
            return
        self.keys.append(Remap(scope, action, tuple(keys), path, line_of(text, place)))

    def _wrong(self, path: Path, text: str, place: tuple[str, ...], why: str) -> None:
        self.problems.append(Problem(path, ".".join(place), why, line_of(text, place)))


def _refusal(setting: Setting, value: Any) -> str:
    """Why a setting cannot hold a value; empty where it can."""
    if setting.kind == "flag":
        return "" if isinstance(value, bool) else f"expected true or false, got {value!r}"
    if setting.kind == "whole":
        right = isinstance(value, int) and not isinstance(value, bool) and setting.low <= value <= setting.high
        return "" if right else f"expected a whole number from {setting.low} to {setting.high}, got {value!r}"
    if not isinstance(value, str):
        return f"expected text, got {value!r}"
    return "" if value in setting.choices else f"{value!r} is none of them{nearest(value, setting.choices)}"


def line_of(text: str, place: tuple[str, ...]) -> int | None:
    """The line on which a key is set, counted from 1; its table's where it stands inside an inline one."""
    table: tuple[str, ...] = ()
    best: tuple[int, int] | None = None
    for number, line in enumerate(text.split("\n"), 1):
        if header := _TABLE.match(line):
            table = _parts(header[1])
            found = table
        elif entry := _ENTRY.match(line):
            found = (*table, *_parts(entry[1]))
        else:
            continue
        found = found[: len(place)]  # a dotted key is the first line of its table
        if found == place[: len(found)] and (best is None or len(found) > best[0]):
            best = len(found), number
    return None if best is None else best[1]


def _parts(dotted: str) -> tuple[str, ...]:
    return tuple(part.strip("\"'") for part in _PART.findall(dotted))


def keep_setting(path: Path, name: str, value: str) -> None:
    """Set one setting of kind `name` in the user's file, every other line left as it is.

    Raises:
        ValueError: the file cannot be read as TOML, or the edit would change something else in it.
        OSError: it cannot be written.
    """
    try:
        with path.open(encoding="utf-8", newline="") as file:
            text = file.read()
    except FileNotFoundError:
        text = ""
    before = tomllib.loads(text.removeprefix("\ufeff"))
    edited = _edited(text, name, f'{name} = "{value}"')
    try:
        changed = tomllib.loads(edited.removeprefix("\ufeff"))
    except tomllib.TOMLDecodeError:
        changed = {}
    if changed != {**before, name: value}:
        raise ValueError(f"{path}: {name} cannot be changed there by itself")
    path.parent.mkdir(parents=True, exist_ok=True)
    target = path.resolve()  # a link to a file kept elsewhere stays one
    temporary = target.with_name(f"{target.name}.{os.getpid()}.tmp")
    temporary.write_text(edited, encoding="utf-8", newline="")
    temporary.replace(target)


def _edited(text: str, name: str, entry: str) -> str:
    """The text with one entry at its top replaced, its remark kept, or put before all others."""
    place = line_of(text, (name,))
    if place is None:
        return f"{entry}\n{text}"
    lines = text.split("\n")
    line = lines[place - 1]
    remark = _REMARK.match(line.rstrip("\r"))
    lines[place - 1] = f"{entry}{remark[1] if remark else ''}{line[len(line.rstrip(chr(13))) :]}"
    return "\n".join(lines)
