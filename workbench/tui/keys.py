"""Keys as Textual wants them, straight from the one registry of actions."""

from __future__ import annotations

from textual.binding import Binding

from workbench.tui.actions import Scope, actions_in

Bindings = list[Binding | tuple[str, str] | tuple[str, str, str]]


def bindings(*scopes: Scope) -> Bindings:
    """Bindings of every action in these scopes."""
    return [Binding(",".join(action.keys), action.id, action.help, show=False) for action in actions_in(scopes)]


def name_of(action: str) -> tuple[str, tuple[object, ...]]:
    """An action's name and arguments: `smooth(-1)` is smooth and (-1,)."""
    from textual.actions import parse

    _, name, parameters = parse(action)
    return name, parameters
