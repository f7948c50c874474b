"""What an action is: its keys, its words, and the scope it applies in."""

from __future__ import annotations

import unicodedata
from typing import Literal

from msgspec import Struct

Scope = Literal[
    "app", "runs", "list", "chart", "charts", "run", "panel", "heat", "logs", "sql",
    "prompt", "command", "chooser", "reader", "yank", "columns", "views", "spoken", "sql_edit",
]  # fmt: skip
"""Where an action applies; a screen is in several scopes at once."""

SCOPE_TITLES: dict[Scope, str] = {
    "runs": "Run table",
    "run": "This run",
    "charts": "Grid of charts",
    "heat": "Heat map",
    "logs": "This log",
    "list": "Moving",
    "chart": "Chart",
    "panel": "This panel",
    "prompt": "Typing",
    "command": "Command",
    "yank": "Copying",
    "columns": "Columns",
    "views": "Saved views",
    "spoken": "As a command",
    "chooser": "Choosing",
    "reader": "Reading",
    "sql": "SQL result",
    "sql_edit": "Writing SQL",
    "app": "Everywhere",
}

DIALOGS: frozenset[Scope] = frozenset(
    {"prompt", "command", "chooser", "reader", "yank", "columns", "views", "spoken", "sql_edit"}
)
"""Scopes of what keeps all keys to itself while it is open."""

KEY_NAMES = {
    "escape": "esc",
    "slash": "/",
    "question_mark": "?",
    "delete": "del",
    "pageup": "pgup",
    "pagedown": "pgdn",
    "left_square_bracket": "[",
    "right_square_bracket": "]",
    "asterisk": "*",
    "less_than_sign": "<",
    "greater_than_sign": ">",
    "shift+left": "shift+←",
    "shift+right": "shift+→",
    "colon": ":",
    "apostrophe": "'",
    "exclamation_mark": "!",
    "shift+up": "shift+↑",
    "shift+down": "shift+↓",
    "comma": ",",
    "full_stop": ".",
    "left_parenthesis": "(",
    "right_parenthesis": ")",
    "plus": "+",
    "minus": "-",
    "equals_sign": "=",
    "up": "↑",
    "down": "↓",
    "left": "←",
    "right": "→",
}


class Action(Struct, frozen=True):
    """One thing the user can do, where, and by which keys."""

    id: str
    """Name of the `action_…` method, with arguments where it takes some."""
    keys: tuple[str, ...]
    """Textual's names of the keys; the first one is shown."""
    label: str
    """One or two words for the footer."""
    help: str
    """One sentence."""
    scope: Scope
    footer: int = 0
    """Place in the footer, 1 is leftmost; 0 keeps it out."""

    @property
    def key(self) -> str:
        """The first key, as printed on it; empty where it has none."""
        return key_name(self.keys[0]) if self.keys else ""

    @property
    def shown_keys(self) -> str:
        """Every key, as printed on them."""
        return " ".join(key_name(key) for key in self.keys)


def key_name(key: str) -> str:
    """What stands on a key: `slash` is `/`, `ctrl+p` is `^p`."""
    if key.startswith("ctrl+"):
        return f"^{key_name(key[5:])}"
    return KEY_NAMES.get(key) or _character(key)


def _character(key: str) -> str:
    """The character that Textual names a key by, such as `semicolon`; other keys are called what they are."""
    other = {"backslash": "\\", "at": "@", "minus": "-", "plus": "+", "underscore": "_"}
    if len(key) == 1 or key in other:
        return other.get(key, key)
    try:
        char = unicodedata.lookup(key.replace("_", " "))
    except KeyError:
        return key
    return char if char.isprintable() and not char.isspace() else key


def word_of(action: Action) -> str:
    """An action's label as a word: `mark all` is `mark-all`."""
    return action.label.casefold().replace(" ", "-")
