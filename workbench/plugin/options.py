"""Options of panels: a frozen dataclass with the defaults, of which `[panel.NAME]` replaces what it names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from workbench.core.config import ConfigError, nearest


def with_options(defaults: Any, table: Any, place: str) -> Any:
    """The defaults with what the table sets; `place` is file and key, for errors.

    Raises:
        ConfigError: no such option, or a value of the wrong kind.
    """
    import msgspec

    if not isinstance(table, dict):
        raise ConfigError(f"{place}: expected a table, got {type(table).__name__}")
    if defaults is None:
        if table:
            raise ConfigError(f"{place}: this panel has no options")
        return None
    known = [each.name for each in fields(defaults)]
    for key in table:
        if key not in known:
            raise ConfigError(f"{place}.{key}: unknown key{nearest(key, known)}")
    whole = {name: getattr(defaults, name) for name in known if name not in table} | table
    try:
        made = msgspec.convert(_plain(whole), type(defaults))
    except msgspec.ValidationError as error:
        words, _, at = str(error).partition(" - at `$")
        key = at.strip("`").lstrip(".")
        shown = f", got {table[key]!r}" if key in table else ""
        raise ConfigError(f"{place}{'.' + key if key else ''}: {_in_words(words)}{shown}") from error
    except (TypeError, ValueError) as error:  # its own __post_init__, or a type that no file can hold
        raise ConfigError(f"{place}: {error}") from error
    return replace(defaults, **{key: getattr(made, key) for key in table})


def _in_words(words: str) -> str:
    """`Expected `int`, got `str`` without the second half, which is told by its value."""
    return words.partition(", got ")[0].replace("`", "").replace("Expected ", "expected ")


def _plain(values: Mapping[str, Any]) -> Any:
    import msgspec

    return msgspec.to_builtins(values, enc_hook=lambda value: value)


def panel_place(path: Path | None, name: str) -> str:
    """Where a panel's options are, for errors."""
    return f"{path}: panel.{name}"
