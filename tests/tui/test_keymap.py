"""Keys of one's own: spelled as people write them, refused with the reason, and never in each other's way."""

from __future__ import annotations

from pathlib import Path

import pytest

from workbench.core.settings import Remap
from workbench.tui.action import SCOPE_TITLES, key_name
from workbench.tui.actions import ACTIONS, actions_in
from workbench.tui.keymap import action_name, key_of, keymap_of, meets, panel_keys

FILE = Path("settings.toml")


def remap(scope: str, action: str, *keys: str) -> Remap:
    return Remap(scope, action, keys, FILE, 3)


def keys_of(keymap, scope: str, action: str) -> tuple[str, ...]:
    return next(each.keys for each in keymap.actions if each.scope == scope and action_name(each) == action)


@pytest.mark.parametrize(
    ("written", "key"),
    [
        ("m", "m"), ("M", "M"), ("7", "7"), ("/", "slash"), ("?", "question_mark"), ("[", "left_square_bracket"),
        (";", "semicolon"), ("-", "minus"), ("+", "plus"), ("_", "underscore"), ("@", "at"), ("\\", "backslash"),
        (" ", "space"), ("space", "space"), ("esc", "escape"), ("Enter", "enter"), ("PgUp", "pageup"), ("↑", "up"),
        ("ctrl+k", "ctrl+k"), ("Ctrl-K", "ctrl+k"), ("^k", "ctrl+k"), ("C-k", "ctrl+k"), ("shift+left", "shift+left"),
        ("ctrl+right", "ctrl+right"), ("f2", "f2"), ("é", "é"), ("slash", "slash"), ("ctrl+\\", "ctrl+backslash"),
    ],
)  # fmt: skip
def test_a_key_is_written_as_people_write_it(written, key):
    assert key_of(written) == key


@pytest.mark.parametrize(
    ("written", "why"),
    [
        ("ctrl+i", "as tab"), ("ctrl+m", "as enter"), ("^H", "as backspace"), ("ctrl+[", "as esc"),
        ("ctrl+b", "tmux"), ("ctrl+a", "screen"), ("ctrl+s", "stop"), ("ctrl+q", "start"), ("ctrl+c", "always leaves"),
        ("alt+x", "macOS"), ("option+x", "macOS"), ("cmd+k", "desktop"), ("shift+m", "write the character"),
        ("ctrl+1", "only with letters"), ("ctrl+;", "only with letters"), ("f11", "full screen"),
        ("entre", "did you mean 'enter'"), ("strg+k", "to hold"), ("", "there is no key"), ("\t", "a key is"),
    ],
)  # fmt: skip
def test_a_key_that_terminals_do_not_send_is_refused_with_the_reason(written, why):
    with pytest.raises(ValueError, match=why):
        key_of(written)


def test_textual_knows_every_key_by_the_name_it_is_given():
    from textual.keys import _character_to_key

    for char in map(chr, range(33, 127)):
        assert key_of(char) == _character_to_key(char)
        assert key_name(key_of(char)) == char


def test_a_chosen_key_takes_the_place_of_the_others_in_its_own_place():
    keymap = keymap_of([remap("runs", "mark", "M", "space"), remap("", "baseline", "B")])
    assert keys_of(keymap, "runs", "mark") == ("M", "space")
    assert keys_of(keymap, "run", "mark") == ("space",)
    assert keys_of(keymap, "runs", "baseline") == keys_of(keymap, "run", "baseline") == ("B",)
    assert not keymap.problems


def test_ctrl_c_leaves_whatever_quit_is_given():
    keymap = keymap_of([remap("", "quit", "Q")])
    assert keys_of(keymap, "app", "quit") == ("Q", "ctrl+c")
    assert keys_of(keymap, "prompt", "quit") == ("Q", "ctrl+c")


@pytest.mark.parametrize(
    ("wish", "why"),
    [
        (remap("runs", "mark", "q"), "q is taken by `quit` (Everywhere: quit)"),
        (remap("list", "up", "s"), "s is taken by `sort` (Run table: sort)"),
        (remap("", "help", "ctrl+m"), "'ctrl+m' is refused: terminals send it as enter"),
        (remap("runs", "marc", "M"), "no such action – did you mean 'mark'?"),
        (remap("rums", "mark", "M"), "no such place – did you mean 'runs'?"),
    ],
)
def test_a_wish_that_cannot_be_met_is_named_and_changes_nothing(wish, why):
    keymap = keymap_of([wish])
    (problem,) = keymap.problems
    assert problem.why.startswith(why)
    assert (problem.path, problem.line, problem.key) == (FILE, 3, wish.key)
    assert tuple(keymap.actions) == ACTIONS


def test_two_actions_may_change_places():
    keymap = keymap_of([remap("runs", "mark", "s"), remap("runs", "sort", "space")])
    assert not keymap.problems
    assert (keys_of(keymap, "runs", "mark"), keys_of(keymap, "runs", "sort")) == (("s",), ("space",))


def test_of_two_wishes_for_one_key_the_last_gives_way():
    keymap = keymap_of([remap("runs", "mark", "Z"), remap("runs", "sort", "Z")])
    assert [problem.key for problem in keymap.problems] == ["keys.runs.sort"]
    assert keys_of(keymap, "runs", "sort") == ("s",)


def test_a_key_of_another_screen_is_free():
    assert not keymap_of([remap("runs", "mark", "M")]).problems
    assert not keymap_of([remap("reader", "close", "s")]).problems


def test_every_action_has_a_name_of_its_own_in_its_place():
    names = [(action.scope, action_name(action)) for action in ACTIONS]
    assert len(names) == len(set(names))
    assert {scope for scope, _ in names} <= set(SCOPE_TITLES)


def test_no_screen_joins_scopes_that_are_taken_to_be_apart():
    import workbench.tui.charts_screen
    import workbench.tui.logs_screen
    import workbench.tui.panel_screen
    import workbench.tui.source_panel
    import workbench.tui.sql_screen  # noqa: F401
    from workbench.tui.chrome import WorkbenchScreen

    screens, found = [WorkbenchScreen], []
    while screens:
        screen = screens.pop()
        found.append(screen)
        screens += screen.__subclasses__()
    assert len(found) > 4
    for screen in found:
        scopes = (*screen.SCOPES, "app")
        apart = [(a, b) for a in scopes for b in scopes if not meets(a, b)]
        assert not apart, f"{screen.__name__}: {apart} belong into keymap.SCREENS"


def test_a_key_that_is_given_up_goes_to_the_next_action_that_has_it():
    keymap = keymap_of([remap("runs", "left", "L")])
    here = {
        key: action.id
        for action in actions_in(("runs", "list", "chart", "app"), (), keymap.actions)
        for key in action.keys
    }
    assert (here["L"], here["left"]) == ("scroll_columns(-1)", "cross(-1)")


PANELS = [("drift", "Drift", "3"), ("gpu", "GPU", ""), ("windows", "Windows", "4")]


@pytest.mark.parametrize(
    ("wish", "keys", "why"),
    [
        (remap("panels", "drift", "d"), ["d", "", "4"], ""),
        (remap("panels", "gpu", "3"), ["", "3", "4"], ""),
        (remap("panels", "gpux", "d"), ["3", "", "4"], "no such panel – did you mean 'gpu'?"),
        (remap("panels", "gpu", "q"), ["3", "", "4"], "q is taken by `quit`"),
        (remap("panels", "gpu", "f2"), ["3", "", "4"], "a panel's key is one letter or digit, not f2"),
    ],
)
def test_panels_take_keys_by_their_names(wish, keys, why):
    made, problems = panel_keys(PANELS, keymap_of([wish]))
    assert [key for _, _, key in made] == keys
    assert [problem.why for problem in problems] == ([why] if why else [])
