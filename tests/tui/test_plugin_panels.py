"""Stories of plugins' panels: given up after a deadline, viewed off the event loop, acting, bringing widgets."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import pytest
from textual.app import ComposeResult
from textual.widget import Widget
from textual.widgets import Button, Static

from tests.tui.stories import Story, panels, tell, workbench
from workbench.plugin.api import Action, Cell, Column, Note, Panel, Table, WidgetPanel
from workbench.plugin.isolated import IsolatedPanel
from workbench.tui import panel_jobs


class Plugged(Panel):
    """What every panel here is made from."""

    name: ClassVar[str] = "gpu"
    title: ClassVar[str] = "GPU"
    key: ClassVar[str] = "6"

    def load(self, query, focus):
        return None

    def view(self, data, fit):
        return Note(f"fine at {fit.columns}", "good")


def test_a_load_that_sleeps_is_given_up_and_parked_while_everything_else_goes_on(tmp_path):
    let_go = threading.Event()

    class Sleeper(Plugged):
        deadline = 0.1

        def load(self, query, focus):
            let_go.wait(60)

    async def story():
        async with workbench(tmp_path, with_panels=[*panels(), Sleeper()]) as sitting:
            await sitting.press("6")
            assert "Panel gpu failed in load" in sitting.text and "no answer within 0.1 s" in sitting.text
            assert "test_plugin_panels.py" in sitting.text.replace("\n", "") or "threading.py" in sitting.text
            for _ in range(3):
                sitting.query.log("r03", "val/accuracy", [0.9])
                await sitting.store_changes()
            assert "Parked after 3 failures" in sitting.text
            await sitting.press("1")
            assert "gbm-deep" in sitting.text

    tell(story)
    let_go.set()


def test_a_view_that_never_ends_holds_up_no_key(tmp_path, monkeypatch):
    monkeypatch.setattr(panel_jobs, "VIEW", 0.2)
    let_go = threading.Event()

    class Stuck(Plugged):
        def view(self, data, fit):
            assert threading.current_thread() is not threading.main_thread()
            let_go.wait(60)
            return Note("late")

    async def story():
        async with workbench(tmp_path, with_panels=[*panels(), Stuck()]) as sitting:
            began = time.monotonic()
            await sitting.pilot.press("6", "1")
            await sitting.until("gbm-deep")
            assert time.monotonic() - began < 20
            await sitting.press("6")
            assert "Panel gpu failed in view" in sitting.text

    tell(story)
    let_go.set()


def test_a_table_of_ten_million_rows_is_refused_and_says_what_to_do(tmp_path):
    class Flood(Plugged):
        def load(self, query, focus):
            return range(10_000_000)

        def view(self, data, fit):
            return Table([Column("a")], [[Cell(1)]] * len(data))

    async def story():
        async with workbench(tmp_path, (120, 40), with_panels=[*panels(), Flood()]) as sitting:
            await sitting.press("6")
            assert "10,000,000 cells, more than 300,000: show the first, or sum them up in load()" in sitting.text

    tell(story)


def test_a_panel_is_viewed_again_for_every_size(tmp_path):
    async def story():
        async with workbench(tmp_path, with_panels=[*panels(), Plugged()]) as sitting:
            await sitting.press("6")
            assert "fine at 78" in sitting.text
            await sitting.pilot.resize_terminal(100, 30)
            await sitting.settle()
            assert "fine at 98" in sitting.text

    tell(story)


@dataclass(frozen=True)
class Options:
    rows: int = 1


class Acting(Plugged):
    options = Options()
    actions = (
        Action("more", "z", "more rows", "Twice as many rows."),
        Action("mine", "m", "mine"),
        Action("fails", "w", "fail"),
    )

    def view(self, data, fit):
        return Note(f"{self.options.rows} rows")

    def act(self, action, query, focus):
        if action == "fails":
            raise OSError("no such device")
        self.options = replace(self.options, rows=self.options.rows * 2)
        return f"{action}: {self.options.rows}"


def test_its_actions_are_in_the_footer_the_help_and_the_list_of_commands(tmp_path):
    async def story():
        async with workbench(tmp_path, (120, 40), with_panels=[*panels(), Acting()]) as sitting:
            await sitting.press("6")
            assert "z more rows" in sitting.screen[-1]
            await sitting.press("z")
            assert "2 rows" in sitting.text and sitting.said == "more: 2"
            await sitting.press("question_mark")
            assert "Twice as many rows." in sitting.text
            await sitting.press("escape", "colon")
            await sitting.type("mine")
            await sitting.press("enter")
            assert "4 rows" in sitting.text
            await sitting.press("w")
            assert "Panel gpu failed in act 'fails'" in sitting.text and "no such device" in sitting.text
            await sitting.press("r")
            assert "4 rows" in sitting.text
            await sitting.press("1", "z")
            assert "z does nothing here" in sitting.said

    tell(story)


class Clicker(Static):
    """A widget that counts, and raises where it is told to."""

    can_focus = True
    BINDINGS: ClassVar[Any] = [("z", "bang", "bang")]
    raises = ""

    def on_mount(self) -> None:
        self.update("a widget of my own")
        if self.raises == "mount":
            raise RuntimeError("not on mount")
        if self.raises == "timer":
            self.set_timer(0.01, self.action_bang)
        if self.raises == "worker":
            self.run_worker(self._work, thread=True)
        self.focus()

    def _work(self) -> None:
        raise RuntimeError("not in a worker")

    def action_bang(self) -> None:
        raise RuntimeError("bang")

    def render_line(self, y):
        if self.raises == "render":
            raise RuntimeError("not in render")
        return super().render_line(y)


class Composed(Widget):
    def compose(self) -> ComposeResult:
        yield Button("press")
        raise RuntimeError("not in compose")


def widget_panel(make: Any) -> Panel:
    class Own(WidgetPanel):
        name: ClassVar[str] = "own"
        title: ClassVar[str] = "Own"
        key: ClassVar[str] = "6"

        def widget(self, query, focus):
            return make()

    return Own()


async def seen(sitting: Story, words: str) -> None:
    """Wait for words without the pilot, which waits for every widget, even for one that is gone."""
    until = time.monotonic() + 10
    shown = ""
    while words not in shown:
        assert time.monotonic() < until, shown
        await asyncio.sleep(0.01)
        with contextlib.suppress(RuntimeError):  # a widget that cannot be drawn cannot be read either
            shown = sitting.text


def test_a_widget_of_its_own_is_shown_and_keys_reach_it(tmp_path):
    async def story():
        async with workbench(tmp_path, with_panels=[*panels(), widget_panel(Clicker)]) as sitting:
            await sitting.press("6")
            await sitting.until("a widget of my own")
            await sitting.press("1")
            assert "gbm-deep" in sitting.text
            await sitting.press("6")
            await sitting.until("a widget of my own")
            sitting.app.simulate_key("z")
            await seen(sitting, "Panel own failed in widget")
            assert "RuntimeError: bang" in sitting.text and "test_plugin_panels.py" in sitting.text.replace("\n", "")
            await sitting.press("r")
            await sitting.until("a widget of my own")
            await sitting.press("1")
            assert "gbm-deep" in sitting.text

    tell(story)


def clicker(where: str) -> Any:
    class Raising(Clicker):
        raises = where

    return Raising


BAD = {
    "not a widget": (lambda: "text", "widget() gave a str, not a textual.widget.Widget"),
    "constructor": (lambda: 1 / 0, "ZeroDivisionError"),
    "compose": (Composed, "not in compose"),
    **{where: (clicker(where), words) for where, words in
       {"mount": "not on mount", "timer": "bang", "render": "not in render", "worker": "not in a worker"}.items()},
}  # fmt: skip


@pytest.mark.parametrize(("make", "words"), BAD.values(), ids=BAD.keys())
def test_whatever_a_widget_raises_is_boxed(tmp_path, make, words):
    async def story():
        async with workbench(tmp_path, with_panels=[*panels(), widget_panel(make)]) as sitting:
            sitting.app.simulate_key("6")
            await seen(sitting, "Panel own failed in widget")
            assert words in sitting.text
            await sitting.press("e", "escape", "1")
            assert "gbm-deep" in sitting.text

    tell(story)


def test_a_panel_whose_process_dies_is_boxed_and_comes_back(tmp_path, monkeypatch):
    folder = tmp_path / "modules"
    folder.mkdir()
    (folder / "wb_dying.py").write_text(
        "import os\nfrom workbench.plugin.api import Note, Panel\n"
        "class Dying(Panel):\n    name = 'gpu'\n    title = 'GPU'\n    key = '6'\n"
        f"    def load(self, query, focus):\n        if os.path.exists({str(folder / 'die')!r}): os._exit(3)\n"
        "        return len(query.runs())\n"
        "    def view(self, data, fit):\n        return Note(f'{data} runs at {fit.columns}')\n"
    )
    monkeypatch.syspath_prepend(str(folder))
    panel = IsolatedPanel.of_target("wb_dying:Dying")

    async def story():
        async with workbench(tmp_path, with_panels=[*panels(), panel]) as sitting:
            await sitting.press("6")
            assert "runs at 78" in sitting.text
            (folder / "die").touch()
            await sitting.press("r")
            assert "its process ended with exit code 3" in sitting.text
            (folder / "die").unlink()
            await sitting.press("r")
            assert "runs at 78" in sitting.text

    tell(story)
    panel.close()
