"""Keys as Textual wants them, straight from the one registry of actions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from textual.binding import Binding, BindingsMap
from textual.dom import DOMNode

from workbench.tui.action import Action, Scope
from workbench.tui.actions import ACTIONS, actions_in

Bindings = list[Binding | tuple[str, str] | tuple[str, str, str]]


def bindings(*scopes: Scope) -> Bindings:
    """Bindings of every action in these scopes."""
    return bindings_of(actions_in(scopes))


def bindings_of(actions: Sequence[Action]) -> Bindings:
    """Bindings of these actions; their ids begin with the scope."""
    return [
        Binding(",".join(action.keys), action.id, action.help, show=False, id=f"{action.scope}.{action.id}")
        for action in actions
    ]


def rebind(node: DOMNode, actions: Sequence[Action], extra: Sequence[Action] = ()) -> None:
    """Give a screen, a dialog or the app the keys that these actions have now.

    Textual's own keymap knows no order of scopes: a key that one action gives up would not go to the next one.
    """
    made = (each for each in type(node).BINDINGS if isinstance(each, Binding) and each.id)
    scopes = cast("list[Scope]", list(dict.fromkeys((each.id or "").partition(".")[0] for each in made)))
    if scopes:
        node._bindings = BindingsMap(bindings_of(actions_in(scopes, extra, actions)))


def actions_of(app: object) -> Sequence[Action]:
    """Every action with the keys it has in this app."""
    return cast("Sequence[Action]", getattr(app, "actions", ACTIONS))


def name_of(action: str) -> tuple[str, tuple[object, ...]]:
    """An action's name and arguments: `smooth(-1)` is smooth and (-1,)."""
    from textual.actions import parse

    _, name, parameters = parse(action)
    return name, parameters
