"""Stories of panels that misbehave: each is named and boxed, the rest of the workbench goes on."""

from __future__ import annotations

import sys
import threading
from typing import Any, ClassVar

import numpy as np
import pytest

from tests.support.terminal import Terminal
from tests.tui.hostile_panels import LOUD
from tests.tui.stories import panels, tell, workbench
from workbench.plugin.api import Cell, Column, Heat, Line, Lines, Note, Panel, Stack, Table
from workbench.tui import panel_loader


class Unspeakable(Exception):
    def __str__(self) -> str:
        raise RuntimeError("not even that")


def panel(load: Any = None, view: Any = None) -> Panel:
    """A panel that does this when it loads, and shows this."""

    class Hostile(Panel):
        name: ClassVar[str] = "gpu"
        title: ClassVar[str] = "GPU"
        key: ClassVar[str] = "6"

        def load(self, query, focus):
            return load() if load is not None else None

        def view(self, data, fit):
            return view() if view is not None else Note("fine", "good")

    return Hostile()


RAISED = {
    "ValueError": ValueError("no device"),
    "SystemExit": SystemExit(3),
    "Unspeakable": Unspeakable(),
    "RecursionError": RecursionError("too deep"),
}


@pytest.mark.parametrize("doing", ["load", "view"])
def test_whatever_a_panel_raises_is_boxed(tmp_path, doing):
    errors = iter(RAISED.values())

    def turn() -> Any:
        raise next(errors)

    async def story():
        async with workbench(tmp_path, with_panels=[*panels(), panel(**{doing: turn})]) as sitting:
            for key, kind in zip("6rrr", RAISED, strict=True):
                await sitting.press(key)
                assert f"Panel gpu failed in {doing}" in sitting.text
                assert kind in sitting.text and "test_boxing.py" in sitting.text.replace("\n", "")
            await sitting.press("e", "escape", "1")
            assert "gbm-deep" in sitting.text

    tell(story)


X = np.arange(3.0)
NONSENSE = {
    "None": (None, "view() gave None; a block is one of"),
    "text": ("fine", "view() gave a str; a block is one of"),
    "short row": (Table([Column("a"), Column("b")], [[Cell(1)]]), "row 1 has 1 of 2 cells"),
    "odd lines": (Lines([Line("a", X, X[:2])]), "x and y of 'a' differ in length"),
    "lists": (Lines([Line("a", [1, 2], [1, 2])]), "x of 'a' is a list"),  # type: ignore[arg-type]
    "ragged heat": (Heat(["r"], ["c", "d"], [[1.0]]), "values are not 1 rows by 2 columns"),
    "nested": (Stack([Note("x"), 7]), "block 2 gave a int"),  # type: ignore[list-item]
}


def test_nonsense_is_refused_with_what_is_wrong_before_it_is_drawn(tmp_path):
    blocks = iter([block for block, _ in NONSENSE.values()])

    async def story():
        with_panels = [*panels(), panel(view=lambda: next(blocks))]
        async with workbench(tmp_path, (120, 40), with_panels=with_panels) as sitting:
            await sitting.press("6")
            for name, (_, words) in NONSENSE.items():
                assert "Panel gpu failed in view" in sitting.text and words in sitting.text, name
                await sitting.press("r")

    tell(story)


def test_a_view_that_goes_on_failing_is_parked_too(tmp_path):
    asked: list[int] = []

    def view() -> Any:
        asked.append(1)
        raise KeyError("width")

    async def story():
        async with workbench(tmp_path, with_panels=[*panels(), panel(view=view)]) as sitting:
            await sitting.press("6")
            for _ in range(4):
                sitting.query.log("r03", "val/accuracy", [0.9])
                await sitting.store_changes()
            assert "Parked after 3 failures in a row" in sitting.text
            assert len(asked) == 3

    tell(story)


def test_a_panel_that_sleeps_is_named_and_q_leaves_at_once(tmp_path, monkeypatch):
    monkeypatch.setattr(panel_loader, "SPINNER_AFTER", 0.1)
    monkeypatch.setattr(panel_loader, "NOTICE_AFTER", 0.2)
    let_go = threading.Event()

    async def story():
        async with workbench(tmp_path, with_panels=[*panels(), panel(load=lambda: let_go.wait(60))]) as sitting:
            await sitting.pilot.press("6")
            await sitting.until("GPU: panel gpu is slow: loading for")
            assert "esc goes back, q leaves at once" in sitting.text
            assert "panel gpu is slow" in sitting.screen[1]
            await sitting.pilot.press("question_mark")
            await sitting.until("Load this panel again.")
            await sitting.pilot.press("escape", "1")
            await sitting.until("gbm-deep")
            await sitting.pilot.press("6", "q")
            await sitting.pilot.pause()
            assert not sitting.app.is_running and not let_go.is_set()

    tell(story)
    let_go.set()


def test_a_panel_slower_than_the_store_still_shows_what_it_loaded(tmp_path):
    turns = threading.Semaphore(0)
    loads: list[int] = []

    def load() -> None:
        assert turns.acquire(timeout=60)
        loads.append(1)

    def view() -> Note:
        return Note(f"loaded {len(loads)} times")

    async def story():
        async with workbench(tmp_path, with_panels=[*panels(), panel(load, view)]) as sitting:
            await sitting.pilot.press("6")
            for _ in range(3):
                sitting.query.log("r03", "val/accuracy", [0.9])
                sitting.app._next_load = 0.0
                sitting.app.look_at_store()
                await sitting.pilot.pause(0.02)
            turns.release()
            await sitting.until("loaded 1 times")
            turns.release()
            await sitting.until("loaded 2 times")
            await sitting.settle()
            assert len(loads) == 2, "three changes while it loaded are caught up with in one go"

    tell(story)


def test_nothing_that_a_panel_prints_reaches_the_terminal(tmp_path):
    root = tmp_path / "loud"
    root.mkdir()
    with Terminal([sys.executable, "-m", "tests.tui.hostile_panels", str(root)], tmp_path.cwd(), 80, 24) as terminal:
        terminal.wait_for(lambda output: b"gbm-deep" in output and b"6 Loud" in output)
        terminal.keys("6")
        terminal.wait_for(lambda output: b"it has said what it had to say" in output)
        terminal.keys("q")
        assert terminal.leave() == 0
    assert LOUD.encode() not in terminal.output
    assert b"the terminal is ours again" in terminal.output
    assert (root / "tui.log").read_bytes().count(LOUD.encode()) >= 12, "it is in the log"


def test_remarks_that_give_way_to_others_leave_nothing_behind(tmp_path):
    async def story():
        async with workbench(tmp_path) as sitting:
            for count in range(5):
                sitting.app.say(f"remark {count}")
                await sitting.settle()
                await sitting.press("2" if count % 2 else "1")
            boxes = [box for screen in sitting.app.workbench_screens for box in screen.query("ToastHolder")]
            assert len(boxes) <= 1
            assert sitting.said == "remark 4"

    tell(story)
