"""Prose that names actions of the interface: `[[runs.mark]]` stands for the key that marks a run.

Which key that is, the user decides; whoever shows the prose fills it in. Where there are no keys, as in a report, the
command that does the same stands there: `:mark`.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from msgspec.structs import replace

from workbench.core.blocks import Block, Columns, Empty, Stack

_NAMED = re.compile(r"\[\[([a-z_]+)\.([a-z_]+(?:\([^\[\]()]*\))?)\]\]")


def typed(scope: str, action: str) -> str:
    """The command that does an action, as it is typed in the interface."""
    return f":{action.partition('(')[0].replace('_', '-')}"


def with_keys(text: str, key: Callable[[str, str], str | None] = typed) -> str:
    """Prose with keys in it: `key` gives that of an action in a scope, or None where there is no such action."""

    def filled(match: re.Match[str]) -> str:
        return key(match[1], match[2]) or match[0]

    return _NAMED.sub(filled, text) if "[[" in text else text


def keyed(block: Block, key: Callable[[str, str], str | None] = typed) -> Block:
    """A block with keys in what it says to do next; other texts, which may be those of logs, stay as they are."""
    match block:
        case Empty(_, hint):
            return replace(block, hint=with_keys(hint, key))
        case Stack(blocks) | Columns(blocks):
            return replace(block, blocks=[keyed(each, key) for each in blocks])
        case _:
            return block
