"""Stories of the crosshair: the values of every curve at one step, by keys and by mouse."""

from __future__ import annotations

import pytest

from tests.tui.stories import tell, workbench
from workbench.tui import crosshair
from workbench.tui.drawing import Plotted


def test_x_reads_the_newest_values_arrows_go_along_and_esc_ends_it(tmp_path):
    async def story():
        async with workbench(tmp_path, (120, 40)) as sitting:
            await sitting.press("end", "up")
            curve = sitting.query.now.points["r01", "val/accuracy"].value
            await sitting.press("x")
            assert "│ step 59" in sitting.screen[1]
            assert f"logistic {curve[59]:.4f}".rstrip("0") in sitting.text
            await sitting.press("left", "left")
            assert "│ step 57" in sitting.screen[1]
            assert f"logistic {curve[57]:.4f}".rstrip("0") in sitting.text
            await sitting.press("less_than_sign")
            assert "│ step 51" in sitting.screen[1], "ten columns at once"
            assert "esc back" in sitting.screen[-1]
            await sitting.press("escape")
            assert "│ step" not in sitting.screen[1]

    tell(story)


def test_compare_is_read_the_same_way_and_goes_back_in_two_steps(tmp_path):
    async def story():
        async with workbench(tmp_path, (120, 40)) as sitting:
            await sitting.press("2", "x", "left")
            assert "│ step 58" in sitting.screen[1]
            await sitting.press("escape")
            assert sitting.screen[1].startswith(" Compare") and "│ step" not in sitting.screen[1]
            await sitting.press("escape")
            assert "gbm-deep" in sitting.text

    tell(story)


def test_a_click_on_a_chart_puts_the_crosshair_there(tmp_path):
    async def story():
        async with workbench(tmp_path, (120, 40)) as sitting:
            await sitting.pilot.click("#chart", offset=(60, 10))
            await sitting.settle()
            assert "│ step " in sitting.screen[1]

    tell(story)


def test_without_a_chart_there_is_no_crosshair(tmp_path):
    async def story():
        async with workbench(tmp_path) as sitting:
            await sitting.press("x")
            assert "│ step" not in sitting.text

    tell(story)


PLOT = Plotted(0, 10, 5, 11, 0.0, 100.0, [0.0, 3.0, 50.0, 51.0, 100.0], "number")


@pytest.mark.parametrize(
    ("here", "columns", "there"),
    [(0, 1, 50), (0, -1, 0), (50, 1, 100), (51, -1, 3), (100, 1, 100), (100, -10, 0), (3, -1, 0), (60, 0.1, 100)],
)
def test_each_step_goes_at_least_a_column_and_always_ends_on_a_value(here, columns, there):
    assert crosshair.moved([PLOT], here, columns) == there


def test_a_cell_is_read_at_the_value_nearest_to_it():
    assert crosshair.at_column([PLOT], 5, 0) == 0
    assert crosshair.at_column([PLOT], 10, 9) == 50
    assert crosshair.at_column([PLOT], 10, 10) is None
