"""The registry against the running interface: help says exactly what works, and no key is one that gets lost."""

from __future__ import annotations

import pytest

from tests.tui.stories import panels, tell, workbench
from workbench.tui.actions import ACTIONS, panel_actions
from workbench.tui.chrome import WorkbenchScreen, name_of

LOST_ON_THE_WAY = {"ctrl+i", "ctrl+m", "ctrl+h", "ctrl+b", "ctrl+a", "ctrl+s", "ctrl+q"}


def test_no_key_is_swallowed_by_terminals_or_multiplexers():
    keys = {key for action in ACTIONS for key in action.keys}
    assert not keys & LOST_ON_THE_WAY
    assert not [key for key in keys if key.startswith("alt+")]


@pytest.mark.parametrize("opening", [(), ("enter",), ("2",), ("3",), ("4",), ("5",)], ids=str)
def test_help_lists_every_key_that_works_and_no_other(tmp_path, opening):
    async def story():
        async with workbench(tmp_path, (80, 110)) as sitting:
            await sitting.press(*opening)
            screen = sitting.app.screen
            works = {key for key, bound in screen.active_bindings.items() if bound.enabled}
            assert isinstance(screen, WorkbenchScreen)
            offered = screen.offered()
            assert works == {key for action in offered for key in action.keys}
            for action in offered:
                owner = f"action_{name_of(action.id)[0]}"
                assert hasattr(screen, owner) or hasattr(sitting.app, owner), f"{action.id} does nothing"
            shown = screen.footer()
            assert 4 <= len(shown) <= 7
            assert all(f"{action.key} {action.label}" in sitting.screen[-1] for action in shown)
            await sitting.press("question_mark")
            for action in offered:
                assert action.shown_keys in sitting.text
                assert action.help.split(":")[0][:40] in sitting.text

    tell(story)


@pytest.mark.parametrize(
    ("key", "scope"),
    [
        ("s", "chooser"),
        ("question_mark", "reader"),
        ("Y", "yank"),
        ("exclamation_mark", "spoken"),
        ("V", "views"),
        ("o", "columns"),
    ],
)
def test_a_dialog_works_by_the_keys_of_its_own_and_no_other(tmp_path, key, scope):
    async def story():
        async with workbench(tmp_path) as sitting:
            await sitting.press(key)
            works = {key for key, bound in sitting.app.screen.active_bindings.items() if bound.enabled}
            assert works == {key for action in ACTIONS if action.scope == scope for key in action.keys}
            for action in ACTIONS:
                if action.scope == scope:
                    assert hasattr(sitting.app.screen, f"action_{name_of(action.id)[0]}"), action.id
            footer = next(line for line in reversed(sitting.screen) if "esc close" in line)
            first = next(action for action in ACTIONS if action.scope == scope and action.footer == 1)
            assert f"{first.key} {first.label}" in footer
            await sitting.press("escape")
            assert isinstance(sitting.app.screen, WorkbenchScreen)

    tell(story)


@pytest.mark.parametrize(("key", "scope"), [("slash", "prompt"), ("colon", "command")])
def test_a_line_to_type_in_has_its_keys_below_it(tmp_path, key, scope):
    async def story():
        async with workbench(tmp_path) as sitting:
            await sitting.press(key)
            works = {key for key, bound in sitting.app.focused.parent._bindings.key_to_bindings.items() if bound}
            assert works == {key for action in ACTIONS if action.scope == scope for key in action.keys}
            for action in ACTIONS:
                if action.scope == scope and action.footer:
                    assert f"{action.key} {action.label}" in sitting.screen[-1]

    tell(story)


def test_a_plugin_cannot_take_a_key_that_is_taken():
    made = panel_actions([("gpu", "GPU", "q"), ("one", "One", "6"), ("two", "Two", "6"), ("three", "Three", "")])
    assert [(action.id, action.keys) for action in made] == [("panel('one')", ("6",))]


def test_a_panel_without_a_key_is_reached_through_the_list(tmp_path):
    from tests.tui.test_panel_screens import Broken

    class Keyless(Broken):
        key = ""
        raising = False

    async def story():
        async with workbench(tmp_path, with_panels=[*panels(), Keyless()]) as sitting:
            await sitting.press("p")
            await sitting.type("gpu")
            await sitting.press("enter")
            assert "✓ all is fine" in sitting.text

    tell(story)


def test_any_action_is_found_by_its_name(tmp_path):
    async def story():
        async with workbench(tmp_path) as sitting:
            await sitting.press("ctrl+p")
            await sitting.type("show or hide the chart")
            await sitting.press("enter")
            assert "val/accuracy   a━" in sitting.text

    tell(story)


def test_the_mouse_does_what_keys_do(tmp_path):
    async def story():
        async with workbench(tmp_path) as sitting:
            await sitting.pilot.click("#grid", offset=(20, 4))
            await sitting.settle()
            assert "mlp-2x64" in sitting.row("▌")
            await sitting.pilot.click("#grid", offset=(1, 3))
            await sitting.settle()
            assert "■" in sitting.row("mlp-wide")
            await sitting.pilot.click("#grid", offset=(15, 0))
            await sitting.settle()
            assert "name▲" in sitting.screen[2]
            await sitting.pilot.click("#tabs", offset=(34, 0))
            await sitting.settle()
            assert sitting.screen[1].startswith(" Drift")
            await sitting.pilot.click("#keys", offset=(sitting.screen[-1].index("esc") + 1, 0))
            await sitting.settle()
            assert "gbm-deep" in sitting.text
            await sitting.pilot.click("#grid", offset=(20, 2), times=2)
            await sitting.settle()
            assert type(sitting.app.screen).__name__ == "RunScreen"

    tell(story)


@pytest.mark.parametrize(("where", "key"), [("v", "q"), ("3", "ctrl+c"), ("question_mark", "q"), ("slash", "ctrl+c")])
def test_q_and_ctrl_c_leave_from_anywhere_without_a_question(tmp_path, where, key):
    async def story():
        async with workbench(tmp_path) as sitting:
            await sitting.press(where)
            await sitting.pilot.press(key)
            await sitting.pilot.pause()
            assert not sitting.app.is_running
            assert (tmp_path / "flights" / ".workbench" / "session.json").exists()

    tell(story)


def test_a_key_that_does_nothing_says_so_and_one_that_does_says_nothing(tmp_path):
    async def story():
        async with workbench(tmp_path) as sitting:
            await sitting.press("down", "j")
            assert sitting.said == ""
            await sitting.press("z")
            assert sitting.said == "z does nothing here · ? shows every key that does"
            await sitting.press("slash", "z")
            assert "0 runs match" in sitting.text, "what is typed is text"

    tell(story)
