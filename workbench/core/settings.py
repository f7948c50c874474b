"""Settings of the interface: which there are, what they hold, and which file said so."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

from msgspec import Struct, field

SETTINGS_NAME = "settings.toml"
Kind = Literal["name", "flag", "whole"]
Origin = Literal["default", "user", "project", "command line"]
"""Who said what a setting holds; a later one wins."""

OWN_THEMES = (
    "workbench-dark", "workbench-light", "workbench-high-contrast", "workbench-ansi-dark", "workbench-ansi-light",
)  # fmt: skip
"""Ours; the two named ANSI use the terminal's own 16 colours and nothing else."""
TEXTUAL_THEMES = (
    "ansi-dark", "ansi-light", "atom-one-dark", "atom-one-light", "catppuccin-frappe", "catppuccin-latte",
    "catppuccin-macchiato", "catppuccin-mocha", "dracula", "flexoki", "gruvbox", "monokai", "nord", "rose-pine",
    "rose-pine-dawn", "rose-pine-moon", "solarized-dark", "solarized-light", "textual-dark", "textual-light",
    "tokyo-night",
)  # fmt: skip
"""Those that come with Textual, named here so that a setting is checked without loading it."""


class Setting(Struct, frozen=True):
    """One thing that can be chosen."""

    name: str
    kind: Kind
    default: str | bool | int
    help: str
    """One sentence."""
    choices: tuple[str, ...] = ()
    low: int = 0
    high: int = 0
    personal: bool = True
    """Only the user's own file says; a project is not asked."""
    live: bool = True
    """An edit is taken up while the interface is open; otherwise at its next start."""


_AUTO_THEME = "workbench-dark, or workbench-ansi-dark where the terminal has 16 colours or NO_COLOR is set"

SETTINGS: tuple[Setting, ...] = (
    Setting(
        "theme", "name", "auto", f"Colours of the interface; `auto` is {_AUTO_THEME}.",
        ("auto", *OWN_THEMES, *TEXTUAL_THEMES),
    ),
    Setting(
        "colors", "name", "auto", "Colours the terminal can show, where it does not say so itself, as behind ssh.",
        ("auto", "truecolor", "256", "16", "none"), live=False,
    ),
    Setting(
        "mouse", "flag", True, "Take clicks and the wheel; false leaves the mouse to the terminal, to select text.",
        live=False,
    ),
    Setting(
        "frames", "whole", 120, "Frames a second at most; fewer spare a slow line.", low=5, high=240, live=False
    ),
    Setting(
        "read_only", "flag", False, "Write nothing: no tags, notes or baseline, no logs read, no session kept.",
        personal=False, live=False,
    ),
    Setting("safe", "flag", False, "Leave all plugins out.", personal=False, live=False),
    Setting(
        "sql_rows", "whole", 100_000, "Rows that the SQL screen fetches at most.", low=1, high=100_000, personal=False
    ),
    Setting(
        "sql_seconds", "whole", 60, "Seconds after which the SQL screen stops a query.", low=1, high=3600,
        personal=False,
    ),
    Setting(
        "sql_history", "whole", 500, "Statements the project's SQL history keeps; 0 keeps none.", high=10_000,
        personal=False,
    ),
)  # fmt: skip
"""Every setting there is."""

BY_NAME: Mapping[str, Setting] = {setting.name: setting for setting in SETTINGS}


class Problem(Struct, frozen=True):
    """What is wrong in a file, where, and what would be right; the entry is left out and the rest holds."""

    path: Path
    key: str
    why: str
    line: int | None = None

    def __str__(self) -> str:
        place = f"{self.path}:{self.line}" if self.line is not None else str(self.path)
        return f"{place}: {self.key}: {self.why}" if self.key else f"{place}: {self.why}"


class Chosen(Struct, frozen=True):
    """What a setting holds, and who said so."""

    value: str | bool | int
    origin: Origin = "default"
    path: Path | None = None
    line: int | None = None


class Remap(Struct, frozen=True):
    """Keys that the user wants for an action, as written; `scope` is empty where every place of that name is meant."""

    scope: str
    action: str
    keys: tuple[str, ...]
    path: Path
    line: int | None = None

    @property
    def key(self) -> str:
        """Where it stands in the file."""
        return ".".join(filter(None, ("keys", self.scope, self.action)))


class Settings(Struct, frozen=True):
    """All settings as they hold, the keys that were chosen, and what was wrong in the files."""

    chosen: Mapping[str, Chosen] = field(default_factory=dict)
    keys: Sequence[Remap] = ()
    problems: Sequence[Problem] = ()

    def of(self, name: str) -> Chosen:
        """What a setting holds, and who said so."""
        return self.chosen.get(name) or Chosen(BY_NAME[name].default)

    def text(self, name: str) -> str:
        """What a setting of kind `name` holds."""
        return str(self.of(name).value)

    def flag(self, name: str) -> bool:
        """What a setting of kind `flag` holds."""
        return bool(self.of(name).value)

    def whole(self, name: str) -> int:
        """What a setting of kind `whole` holds."""
        return int(self.of(name).value)


def settings_path() -> Path:
    """The user's own file; `XDG_CONFIG_HOME` is honoured where it is absolute, as its specification wants."""
    base = os.environ.get("XDG_CONFIG_HOME", "")
    folder = Path(base) if os.path.isabs(base) else Path("~/.config").expanduser()
    return folder / "workbench" / SETTINGS_NAME


def shown(value: str | bool | int) -> str:
    """A value as it is written in TOML, texts without their quotes."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def said_by(chosen: Chosen) -> str:
    """Where a value comes from: name and line of a file, the command line, or nobody."""
    if chosen.path is None:
        return chosen.origin
    return f"{chosen.path.name}:{chosen.line}" if chosen.line is not None else chosen.path.name
