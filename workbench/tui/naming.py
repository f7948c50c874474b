"""Names in a typed command, looked up: a metric, a column; what is not found is refused with the nearest."""

from __future__ import annotations

from collections.abc import Mapping

from workbench.tui.commands import Here, one_of
from workbench.tui.words import Call, Refused, Token


def the_one(call: Call, what: str) -> Token:
    """The one argument of a call; several words are one name where they were not quoted."""
    if not call.arguments:
        raise Refused(what, call.end, unfinished=True)
    return Token(call.rest, call.arguments[0].start)


def metric_key(here: Here, key: str, position: int) -> str:
    """A metric that some run has."""
    return one_of(key, here.desk.rows.snapshot.roles, "metric", position)


def sort_key(here: Here, key: str, position: int) -> str:
    """A column's key from its key or its title."""
    return _key_of(key, {choice.key: choice.title for choice in here.desk.rows.choices()}, position)


def column_key(here: Here, key: str, position: int) -> str:
    """A column that can be turned on, from its key or its title."""
    return _key_of(key, {each: each.partition(":")[2] for each in here.desk.rows.extra_keys()}, position)


def _key_of(name: str, titles: Mapping[str, str], position: int) -> str:
    if name in titles:
        return name
    found = [key for key, title in titles.items() if name in (title, key.partition(":")[2])]
    if found:
        return found[0]
    names = dict.fromkeys([*titles, *(key.partition(":")[2] for key in titles if ":" in key)])
    one_of(name, names, "column", position)
    raise Refused(f"no column {name!r}", position)
