"""Every key on every screen: it is in `?`, it does its action, the mouse does the same, and none is lost on the way."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from textual.binding import BindingsMap
from textual.dom import DOMNode

import workbench.tui.app as package
from tests.tui.every_screen import SCREENS, Asked, every_panel, files, open_full
from tests.tui.stories import Story, tell, workbench
from workbench.analysis.importance import Importances
from workbench.core.settings import Remap
from workbench.panels import importance
from workbench.panels.registry import all_panels
from workbench.tui import panel_loader
from workbench.tui.actions import ACTIONS
from workbench.tui.app import WorkbenchApp
from workbench.tui.bars import Bar
from workbench.tui.chrome import WorkbenchScreen
from workbench.tui.dialogs import Dialog
from workbench.tui.keymap import keymap_of
from workbench.tui.keys import name_of
from workbench.tui.lines_view import LinesView
from workbench.tui.panel_screen import PanelScreen
from workbench.tui.prompt import Prompt

LOST = {f"ctrl+{letter}" for letter in "imhbasq"}
"""Keys that terminals, shells and multiplexers keep, or cannot tell from others."""
WALKED = sorted(set(SCREENS) - {"settings", "help", "choosers"})
"""Screens with keys of their own; dialogs have a story each."""


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(importance, "importance_of", lambda columns, target: Importances((), 0.0, 0))
    monkeypatch.setattr(panel_loader, "SPINNER_AFTER", 0.01)
    monkeypatch.setattr(panel_loader, "STORE_AGAIN", 60.0)
    (tmp_path / "flights").mkdir()
    monkeypatch.chdir(tmp_path / "flights")


@contextmanager
def done(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Actions are written down instead of done."""
    found: list[str] = []

    async def note(self: WorkbenchApp, action: object, *_: object, **__: object) -> bool:
        found.append(str(action))
        return True

    with monkeypatch.context() as patch:
        patch.setattr(WorkbenchApp, "run_action", note)
        yield found


@pytest.mark.parametrize("name", WALKED)
def test_every_key_and_every_click_does_what_question_mark_says(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story() -> None:
        async with workbench(tmp_path, (80, 24), Asked(), lambda _: every_panel(tmp_path), settings=files()) as at:
            await open_full(at, name)
            await each_key_does_its_action(at, monkeypatch)
            await the_mouse_does_the_same(at, monkeypatch, every_tab=name == "runs")
            await help_lists(at)
            await rows_open_alike(at)
            await everything_offered_can_be_done(at, everywhere=name == "runs")

    tell(story)


def test_a_panel_that_failed_has_the_keys_that_it_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def story() -> None:
        async with workbench(tmp_path, (80, 24), Asked(), lambda _: every_panel(tmp_path), settings=files()) as at:
            async for state in SCREENS["drift"](at):
                if state != "loading":
                    await each_key_does_its_action(at, monkeypatch)
                    await the_mouse_does_the_same(at, monkeypatch)
                    await help_lists(at)
                assert ("e traceback" in at.screen[-1]) == (state == "failing")

    tell(story)


async def each_key_does_its_action(at: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every key that is bound here is offered, and does what it is offered for; those of the footer are pressed."""
    screen = at.here
    offered = screen.offered()
    does = {key: bound.binding.action for key, bound in screen.active_bindings.items() if bound.enabled}
    assert does == {key: action.id for action in offered for key in action.keys}
    for action in screen.footer():
        with done(monkeypatch) as found:
            await at.pilot.press(action.keys[0])
        assert found == [action.id], f"{action.key} does {found}"


async def the_mouse_does_the_same(at: Story, monkeypatch: pytest.MonkeyPatch, *, every_tab: bool = False) -> None:
    """Every key of the footer, and whatever else can be clicked in a bar, is a click away.

    The tabs are the same on every screen: all of them are clicked on one, some on the others.
    """
    screen = at.here
    by_id = {action.id for action in (*screen.offered(), *at.app.panel_actions)}
    footer = [action.id for action in screen.footer()]
    for bar in screen.query(Bar):
        clickable = bar.actions
        if bar.id == "keys":
            shown = [action for _, action in clickable]
            assert shown == [action for action in footer if action in shown], "in the order of the footer"
            assert len(shown) >= min(4, len(footer))
        for start, action in clickable[:: 6 if bar.id == "tabs" and not every_tab else 1]:
            with done(monkeypatch) as found:
                await at.pilot.click(bar, offset=(start, 0))
            assert found == [action], f"a click on {action} does {found}"
            assert action in by_id, f"no key does {action}"


async def help_lists(at: Story) -> None:
    """`?` has every key with its sentence, and no other."""
    offered = at.here.offered()
    await at.press("question_mark")
    text = "\n".join(strip.text for strip in at.app.screen.query_one(LinesView)._drawing.strips)
    await at.press("escape")
    for action in offered:
        assert action.shown_keys in text
        assert action.help.split(":")[0][:36] in text
    silent = {action.help for action in ACTIONS if len(action.help) < 60} - {action.help for action in offered}
    assert not [words for words in silent if words in text]


async def everything_offered_can_be_done(at: Story, *, everywhere: bool) -> None:
    """No action fails or says that it does nothing; those that work everywhere are done on one screen."""
    base, mode = at.here, at.app.current_mode
    for action in base.offered():
        own = action.scope != "app" or everywhere
        if own and name_of(action.id)[0] not in ("quit", "suspend", "back", "panel"):
            await base.perform(action.id)
            await at.settle()
            assert at.app.is_running
            assert "does nothing" not in at.said and "unknown" not in at.said, action.id
            await back_to(at, base, mode)


async def back_to(at: Story, base: WorkbenchScreen, mode: str) -> None:
    """Whatever was opened is left."""
    for _ in range(8):
        screen = at.app.screen
        if isinstance(screen, Dialog) or screen.query(Prompt):
            await at.press("escape")
        elif screen is base:
            return
        elif at.app.current_mode != mode:
            at.app.switch_mode(mode)
            await at.settle()
        elif base in at.app.screen_stack:
            at.app.pop_screen()
            await at.settle()
        else:
            at.app.push_screen(base)
            await at.settle()
    raise AssertionError(f"{at.app.screen} cannot be left")


async def rows_open_alike(at: Story) -> None:
    """A click puts the cursor there, and a second one opens what enter opens."""
    base, mode = at.here, at.app.current_mode
    if not isinstance(base, PanelScreen):
        return  # the grids of runs, charts and lines have stories of their own
    page = base.page
    shown = [target for target in page.targets if target.y < page.size.height + page.scroll_offset.y]
    for target in shown[:: max(len(shown) - 1, 1)]:
        page.select(target.row, target.column)
        await at.settle()
        await at.press("enter")
        by_key = (type(at.app.screen), at.screen[1])
        opened = at.app.screen is not base
        await back_to(at, base, mode)
        page.scroll_home(animate=False)
        place = (target.x + 1, target.y)
        await at.pilot.click(page, offset=place, times=2)
        await at.settle()
        assert page.target == target or opened, "a click puts the cursor there"
        assert (type(at.app.screen), at.screen[1]) == by_key
        await back_to(at, base, mode)


def test_no_binding_anywhere_is_a_key_that_gets_lost() -> None:
    for module in pkgutil.iter_modules([str(Path(package.__file__).parent)], "workbench.tui."):
        importlib.import_module(module.name)
    panels = all_panels()
    taken = {key for action in ACTIONS for key in action.keys}
    taken |= {panel.key for panel in panels} | {action.key for panel in panels for action in panel.actions}
    assert not [key for key in taken if is_lost(key)]
    for owner in our_widgets(DOMNode):
        reached: dict[str, list[str]] = {}
        for key, bound in BindingsMap(owner.BINDINGS).key_to_bindings.items():
            for binding in bound:
                reached.setdefault(binding.action, []).append(key)
        needing = {action for action, keys in reached.items() if all(map(is_lost, keys))}
        assert not needing, f"{owner.__name__}: {needing}"


def is_lost(key: str) -> bool:
    """Whether a key may never arrive; in a text field such a key may stand beside another one."""
    return key in LOST or "alt" in key.split("+")


def our_widgets(base: type[DOMNode]) -> Iterator[type[DOMNode]]:
    """Every class with bindings of its own that is ours or a plugin's."""
    for each in base.__subclasses__():
        if each.__module__.startswith("workbench") and each.__dict__.get("BINDINGS"):
            yield each
        yield from our_widgets(each)


def test_a_key_that_gets_lost_cannot_be_chosen_either() -> None:
    for key in sorted(LOST | {"alt+x"}):
        keymap = keymap_of([Remap("", "mark", (key,), Path("config.toml"))])
        assert keymap.problems, f"{key} is taken"


def test_every_action_has_a_sentence_and_a_key() -> None:
    assert not [action.id for action in ACTIONS if not action.help.endswith(".") or not action.keys]
