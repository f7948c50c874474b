"""Keys as the user wants them: spelled freely, checked against what terminals send and against each other."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct, field
from msgspec.structs import replace

from workbench.core.config import nearest
from workbench.core.settings import Problem, Remap
from workbench.tui.action import DIALOGS, SCOPE_TITLES, Action, Scope, key_name
from workbench.tui.actions import ACTIONS

PANELS = "panels"
"""`[keys.panels]` gives a panel its key, by the panel's name."""

ALWAYS = ("ctrl+c",)
"""Keys that no file can take away or give another meaning."""

SCREENS: tuple[tuple[Scope, ...], ...] = (
    ("runs", "list", "chart"), ("run", "panel", "list", "chart"), ("panel", "heat", "list", "chart"),
    ("charts", "chart"), ("logs", "list"), ("sql", "list"),
)  # fmt: skip
"""Scopes that apply together on some screen, besides those that apply everywhere."""

_SPELLINGS = {
    "esc": "escape", "return": "enter", "pgup": "pageup", "pgdn": "pagedown", "del": "delete", "ins": "insert",
    "↑": "up", "↓": "down", "←": "left", "→": "right", "backtab": "shift+tab",
}  # fmt: skip
_NAMED = frozenset(
    {"enter", "escape", "space", "tab", "backspace", "delete", "insert", "home", "end", "pageup", "pagedown"}
    | {"up", "down", "left", "right"} | {f"f{number}" for number in range(1, 13)}
)  # fmt: skip
_REPLACED = {"solidus": "slash", "reverse_solidus": "backslash", "commercial_at": "at"} | {
    "hyphen_minus": "minus", "plus_sign": "plus", "low_line": "underscore"
}  # fmt: skip
"""Names that Textual gives characters where they differ from Unicode's."""
_LOST = {
    "ctrl+i": "terminals send it as tab",
    "ctrl+m": "terminals send it as enter",
    "ctrl+h": "terminals send it as backspace",
    "ctrl+left_square_bracket": "terminals send it as esc",
    "ctrl+c": "it always leaves the workbench",
    "ctrl+b": "it is the prefix of tmux",
    "ctrl+a": "it is the prefix of screen",
    "ctrl+s": "terminals stop their output at it",
    "ctrl+q": "terminals start their output again at it",
    "f1": "many terminals open their own help with it",
    "f10": "many terminals open their menu with it",
    "f11": "many terminals go full screen with it",
}
_WITH_CTRL = frozenset({"space", "backslash", "right_square_bracket", "circumflex_accent", "underscore"} | _NAMED)


class Keymap(Struct, frozen=True):
    """Every action with the keys it has now, and the keys of panels that were chosen."""

    actions: Sequence[Action] = ACTIONS
    panels: Mapping[str, Remap] = field(default_factory=dict)
    problems: Sequence[Problem] = ()


def action_name(action: Action) -> str:
    """How a settings file calls an action: its id, or its label where one method does several things."""
    return action.id if "(" not in action.id else action.label.replace(" ", "_")


def key_of(spelled: str) -> str:
    """Textual's name of a key as people write it: `/` is slash, `^k` and `Ctrl-K` are ctrl+k.

    Raises:
        ValueError: there is no such key, or terminals cannot send it; the message says why.
    """
    text = spelled.strip() or spelled
    if not text:
        raise ValueError("there is no key ''")
    if len(text) == 1:
        return _character(text)
    if len(text) == 2 and text[0] == "^":
        text = f"ctrl+{text[1]}"
    *held, last = _split(text)
    for each in held:
        if each not in ("ctrl", "shift"):
            raise ValueError(_held_refusal(each))
    if "shift" in held and len(last) == 1:
        raise ValueError(f"write the character that shift gives, such as {last.upper()!r}")
    last = _character(last.lower()) if len(last) == 1 else _SPELLINGS.get(last.lower(), last.lower())
    if len(last) > 1 and last not in _NAMED | _WITH_CTRL | {"shift+tab"} and not _is_character(last):
        raise ValueError(f"there is no key {spelled!r}{nearest(last, sorted(_NAMED))}")
    key = "+".join([*sorted(set(held)), last])
    if key in _LOST:
        raise ValueError(_LOST[key])
    if "ctrl" in held and not (last in _WITH_CTRL or (len(last) == 1 and last.isalpha() and last.isascii())):
        raise ValueError("terminals send ctrl only with letters, arrows and the like")
    return key


def _split(text: str) -> list[str]:
    """`Ctrl-Shift-Up` and `ctrl+shift+up` in parts."""
    plus = text if "+" in text[:-1] else text.replace("-", "+") if "-" in text[:-1] else text
    head, _, last = plus.rpartition("+") if not plus.endswith("+") else (plus[:-2], "", "+")
    held = {"control": "ctrl", "c": "ctrl", "s": "shift", "m": "alt", "option": "alt", "meta": "alt"}
    return [*(held.get(each.lower(), each.lower()) for each in head.split("+") if each), last]


def _held_refusal(held: str) -> str:
    if held == "alt":
        return "alt is sent as esc before the key, or not at all on macOS"
    if held in ("super", "cmd", "win", "hyper"):
        return f"{held} stays with the desktop, terminals do not send it"
    return f"there is no key {held!r} to hold{nearest(held, ('ctrl', 'shift'))}"


def _character(char: str) -> str:
    """Textual's name of a printable character."""
    if char == " ":
        return "space"
    if not char.isprintable():
        raise ValueError("a key is a character, or a name such as enter")
    if char.isalnum():
        return char
    name = unicodedata.name(char, "").lower().replace("-", "_").replace(" ", "_")
    if not name:
        raise ValueError(f"{char!r} is on no keyboard")
    return _REPLACED.get(name, _SPELLINGS.get(char, name))


def _is_character(name: str) -> bool:
    try:
        unicodedata.lookup(name.replace("_", " ").upper())
    except KeyError:
        return name in _REPLACED.values() or name.replace("_", "-") == "hyphen-minus"
    return True


def keymap_of(remaps: Iterable[Remap], actions: Sequence[Action] = ACTIONS) -> Keymap:
    """The actions with the user's keys; a key that is refused leaves its action as it was, and is named."""
    made = _Making(actions)
    for remap in remaps:
        made.take(remap)
    made.undo_clashes()
    return Keymap(tuple(made.actions), made.panels, tuple(made.problems))


class _Making:
    """A keymap while the user's wishes are taken one by one."""

    def __init__(self, actions: Sequence[Action]) -> None:
        self._default = tuple(actions)
        self.actions = list(actions)
        self.panels: dict[str, Remap] = {}
        self.problems: list[Problem] = []
        self._asked: dict[int, Remap] = {}
        """By place in `actions`."""

    def take(self, remap: Remap) -> None:
        keys = []
        for spelled in remap.keys:
            try:
                keys.append(key_of(spelled))
            except ValueError as error:
                self.wrong(remap, f"{spelled!r} is refused: {error}")
                return
        if remap.scope == PANELS:
            self.panels[remap.action] = replace(remap, keys=tuple(keys))
            return
        for place in self._places(remap):
            kept = [key for key in self._default[place].keys if key in ALWAYS]
            self.actions[place] = replace(self._default[place], keys=(*keys, *kept))
            self._asked[place] = remap

    def _places(self, remap: Remap) -> list[int]:
        """Where the actions of that name stand; none, and said, where there is no such name."""
        if remap.scope and remap.scope not in SCOPE_TITLES:
            self.wrong(remap, f"no such place{nearest(remap.scope, (*SCOPE_TITLES, PANELS))}")
            return []
        here = [(place, each) for place, each in enumerate(self._default) if remap.scope in ("", each.scope)]
        found = [place for place, each in here if action_name(each) == remap.action]
        if not found:
            self.wrong(remap, f"no such action{nearest(remap.action, sorted({action_name(each) for _, each in here}))}")
        return found

    def undo_clashes(self) -> None:
        """Give back its own keys to every action whose new key another one has, until none is left."""
        while clash := self._clash():
            place, other, key = clash
            remap = self._asked.pop(place)
            taken = f"{key_name(key)} is taken by `{action_name(self.actions[other])}`"
            self.wrong(remap, f"{taken} ({SCOPE_TITLES[self.actions[other].scope]}: {self.actions[other].label})")
            self.actions[place] = self._default[place]

    def _clash(self) -> tuple[int, int, str] | None:
        """An action with a chosen key, another one that has it too, and the key; the last chosen gives way."""
        for place in reversed(list(self._asked)):
            for other, action in enumerate(self.actions):
                shared = set(self.actions[place].keys).intersection(action.keys).difference(ALWAYS)
                if other != place and shared and meets(self.actions[place].scope, action.scope):
                    both = set(self._default[place].keys).intersection(self._default[other].keys)
                    if not shared <= both:
                        return place, other, sorted(shared - both)[0]
        return None

    def wrong(self, remap: Remap, why: str) -> None:
        self.problems.append(Problem(remap.path, remap.key, why, remap.line))


def meets(one: Scope, other: Scope) -> bool:
    """Whether a key of one scope can be pressed where the other applies too; a scope of no known screen meets all."""
    if one == other:
        return True
    if DIALOGS & {one, other}:
        return False
    listed = {scope for screen in SCREENS for scope in screen}
    return not {one, other} <= listed or any(one in screen and other in screen for screen in SCREENS)


def panel_keys(
    panels: Iterable[tuple[str, str, str]], keymap: Keymap
) -> tuple[list[tuple[str, str, str]], list[Problem]]:
    """(name, title, key) of panels with the keys the user wants, and what is wrong with those."""
    wanted = list(panels)
    names = [name for name, _, _ in wanted]
    taken = {key: each for each in keymap.actions if each.scope not in DIALOGS for key in each.keys}
    problems = []
    chosen: dict[str, str] = {}
    for name, remap in keymap.panels.items():
        key = remap.keys[0]
        why = f"no such panel{nearest(name, names)}" if name not in names else ""
        if not why and key in taken:
            why = f"{key_name(key)} is taken by `{action_name(taken[key])}`"
        elif not why and (len(key) > 1 or not key.isascii()):
            why = f"a panel's key is one letter or digit, not {key_name(key)}"
        if why:
            problems.append(Problem(remap.path, remap.key, why, remap.line))
        else:
            chosen[name] = key
    first = [(name, title, chosen[name]) for name, title, _ in wanted if name in chosen]
    rest = [(name, title, "" if key in chosen.values() else key) for name, title, key in wanted if name not in chosen]
    order = {name: place for place, name in enumerate(names)}
    return sorted([*first, *rest], key=lambda each: order[each[0]]), problems
