"""Stories of the panels: opening, drilling down, coming back, and panels that fail, hang or come from plugins."""

from __future__ import annotations

import threading
from typing import ClassVar

from tests.tui.project import LiveQuery
from tests.tui.stories import panels, tell, workbench
from workbench.plugin.api import Empty, Note, Panel


def test_a_digit_opens_a_panel(tmp_path):
    async def story():
        async with workbench(tmp_path) as sitting:
            for key, title in (("2", "Compare"), ("3", "Drift"), ("4", "Windows"), ("5", "Sources")):
                await sitting.press(key)
                assert sitting.screen[1].startswith(f" {title}")

    tell(story)


def test_enter_opens_a_run_and_full_stop_goes_to_the_next(tmp_path, golden):
    async def story():
        async with workbench(tmp_path, (120, 40)) as sitting:
            await sitting.press("down", "enter")
            golden("run-120x40", sitting.text)
            assert sitting.screen[1].startswith(" gbm-lr0.3")
            await sitting.press("full_stop")
            assert sitting.screen[1].startswith(" mlp-wide")
            await sitting.press("escape")
            assert "mlp-wide" in sitting.row("▌"), "the table's cursor came along"

    tell(story)


def test_a_drifted_column_opens_to_its_two_distributions_and_esc_steps_back(tmp_path, golden):
    async def story():
        async with workbench(tmp_path, (120, 40)) as sitting:
            await sitting.press("3")
            overview = sitting.text
            await sitting.press("enter")
            golden("drift-column-120x40", sitting.text)
            assert "■ reference" in sitting.text
            await sitting.press("escape")
            assert sitting.text == overview
            await sitting.press("escape")
            assert "gbm-deep" in sitting.text
            await sitting.press("escape", "escape")
            assert sitting.app.is_running

    tell(story)


def test_a_window_opens_to_its_drift(tmp_path):
    async def story():
        async with workbench(tmp_path, (120, 40)) as sitting:
            await sitting.press("4", "down", "enter")
            assert "window 2025-12-22" in sitting.screen[1]
            assert "Columns, window 12-22" in sitting.text

    tell(story)


def test_x_y_and_smoothing_change_every_chart(tmp_path):
    async def story():
        async with workbench(tmp_path, (120, 40)) as sitting:
            await sitting.press("2", "X", "y", "right_square_bracket")
            assert "x: wall · log y · smooth 0.5" in sitting.screen[1]
            assert sitting.app.view.smooth == 0.5

    tell(story)


def test_marks_made_in_the_table_are_what_compare_shows(tmp_path):
    async def story():
        async with workbench(tmp_path, (220, 60)) as sitting:
            await sitting.press("space", "down", "space", "2")
            header = sitting.row("metric  ")
            assert "rules-dummy ◆" in header and "night-sweep-01" in header and "mlp-wide" in header
            assert "gbm" not in header

    tell(story)


class Broken(Panel):
    name: ClassVar[str] = "gpu"
    title: ClassVar[str] = "GPU [/]"
    key: ClassVar[str] = "6"
    raising: bool = True
    loads: int = 0

    def load(self, query, focus):
        self.loads += 1
        if self.raising:
            raise ValueError("no device [/] \x1b]0;owned\x07")
        return "fine"

    def view(self, data, fit):
        return Note(f"all is {data}", "good")


def test_a_panel_that_raises_is_boxed_parked_and_tried_again(tmp_path, golden):
    async def story():
        broken = Broken()
        async with workbench(tmp_path, with_panels=[*panels(), broken]) as sitting:
            await sitting.press("6")
            assert "Panel gpu failed in load" in sitting.text
            assert "ValueError: no device [/] ␛]0;owned␇" in sitting.text
            for _ in range(3):
                sitting.query.log("r03", "val/accuracy", [0.9])
                await sitting.store_changes()
            assert broken.loads == 3, "parked after the third failure"
            golden("panel-parked-80x24", _without_line_numbers(sitting.text))
            await sitting.press("e")
            assert "Traceback" in sitting.text
            await sitting.press("escape")
            broken.raising = False
            await sitting.press("r")
            assert "✓ all is fine" in sitting.text

    tell(story)


def _without_line_numbers(text: str) -> str:
    import re

    return re.sub(r"\S*test_panel_screens\.py:\d+", "test_panel_screens.py:N", text)


def test_a_view_that_raises_is_boxed_too(tmp_path):
    class Unseen(Broken):
        def view(self, data, fit):
            raise KeyError("width")

    async def story():
        unseen = Unseen()
        unseen.raising = False
        async with workbench(tmp_path, with_panels=[*panels(), unseen]) as sitting:
            await sitting.press("6")
            assert "Panel gpu failed in view" in sitting.text
            await sitting.press("1")
            assert "gbm-deep" in sitting.text

    tell(story)


def test_a_panel_that_hangs_holds_up_neither_keys_nor_the_exit(tmp_path):
    let_go = threading.Event()

    class Hanging(Broken):
        def load(self, query, focus):
            let_go.wait(20)
            return "late"

        def view(self, data, fit):
            return Empty(data)

    async def story():
        async with workbench(tmp_path, with_panels=[*panels(), Hanging()]) as sitting:
            await sitting.pilot.press("6")
            await sitting.pilot.pause()
            await sitting.pilot.press("1")
            await sitting.pilot.pause()
            assert "gbm-deep" in sitting.text
            await sitting.pilot.press("q")
        let_go.set()

    tell(story)


def test_a_project_without_production_says_so(tmp_path):
    async def story():
        query = LiveQuery()
        query.change(all_windows={}, all_sources=())
        async with workbench(tmp_path, query=query) as sitting:
            await sitting.press("3")
            assert "No production data yet" in sitting.text
            await sitting.press("5")
            assert "No sources yet" in sitting.text

    tell(story)
