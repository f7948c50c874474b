"""Stories of the grid of charts: paging, folding, opening, reading, zooming, and what is asked of the store."""

from __future__ import annotations

import re

import numpy as np
import pytest
from msgspec.structs import replace

from tests.support.memory_query import series
from tests.tui.project import LiveQuery, project
from tests.tui.stories import panels, tell, workbench
from workbench.core.model import StepHistogram
from workbench.panels.charts import ChartsPanel

EXTRA = ("train/grad_norm", "train/lr", "val/loss", "val/f1", "epoch")


def many_metrics() -> LiveQuery:
    """The project with more metrics than one page has room for, one of them with a gap and a spike."""
    base = project()
    points = dict(base.points)
    for place, run in enumerate(base.all_runs):
        long = len(points[run.id, "train/loss"].value)
        rng = np.random.default_rng(100 + place)
        for at, key in enumerate(EXTRA):
            values = np.exp(-np.arange(long) / (10 + 5 * at + place)) + rng.normal(0, 0.01, long)
            if key == "epoch":
                values = np.arange(long) // 10 * 1.0
            if key == "train/grad_norm" and place == 2:
                values[40] = 9.0
            if key == "val/loss" and place == 4:
                values[20:] = np.nan
            points[run.id, key] = series(run.id, key, values.tolist(), wall=run.started_at or 0.0)
    return LiveQuery(replace(base, points=points))


def charts(tmp_path, size=(120, 40), query=None):
    """The workbench with the charts among its panels."""
    return workbench(tmp_path, size, query or many_metrics(), [*panels(), ChartsPanel()])


MARK_FIVE = ("down", "down", "down", "space", "space", "space", "space", "space")


def shown(sitting):
    """Titles of the charts on the screen."""
    return [chart.title for chart in sitting.app.screen.charts.on_screen]


def test_all_metrics_of_the_marked_runs_on_one_screen(tmp_path, golden):
    async def story():
        async with charts(tmp_path) as sitting:
            await sitting.press(*MARK_FIVE, "c")
            golden("charts-120x40", sitting.text)

    tell(story)


def test_one_chart_full_screen_read_at_a_step(tmp_path, golden):
    async def story():
        async with charts(tmp_path) as sitting:
            await sitting.press(*MARK_FIVE, "c", "enter", "x", "left", "left")
            golden("chart-open-120x40", sitting.text)

    tell(story)


def test_without_colour_runs_are_told_apart_by_letters_and_strokes(tmp_path, golden, monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")

    async def story():
        async with charts(tmp_path, (80, 24)) as sitting:
            await sitting.press(*MARK_FIVE, "c", "D", "D", "D")
            assert sitting.app.no_color
            golden("charts-ascii-80x24", sitting.text)
            assert not re.search(r"[⠁-⣿]", sitting.text)
            assert "a* rules-dummy" in sitting.text and "b+ " in sitting.text

    tell(story)


def test_without_marks_the_run_under_the_cursor_is_charted_with_the_baseline(tmp_path):
    async def story():
        async with charts(tmp_path) as sitting:
            await sitting.press("c")
            assert "2 runs" in sitting.screen[1]
            assert "a━ rules-dummy   b━ night-sweep-01" in sitting.screen[2]

    tell(story)


def test_pages_turn_and_the_line_of_state_says_which(tmp_path):
    async def story():
        async with charts(tmp_path, (80, 24)) as sitting:
            await sitting.press("c")
            assert "page 1 of" in sitting.screen[1]
            first = shown(sitting)
            await sitting.press("pagedown")
            assert "page 2 of" in sitting.screen[1] and not set(first) & set(shown(sitting))
            await sitting.press("g")
            assert shown(sitting) == first
            await sitting.press("G")
            assert "epoch" in shown(sitting), "counters come last"

    tell(story)


def test_a_filter_narrows_the_grid_while_it_is_typed_and_esc_takes_it_back(tmp_path):
    async def story():
        async with charts(tmp_path) as sitting:
            await sitting.press("c", "slash")
            await sitting.type("loss !train")
            assert "1 chart match" in sitting.text
            assert shown(sitting) == ["val/loss"]
            await sitting.press("enter")
            assert "1 of 8 charts: loss !train" in sitting.screen[1]
            await sitting.press("escape")
            assert len(shown(sitting)) == 8 and "charts:" not in sitting.screen[1]
            await sitting.press("slash")
            await sitting.type("zebra")
            assert "no chart matches the filter" in sitting.text
            await sitting.press("escape")
            assert len(shown(sitting)) == 8

    tell(story)


def test_groups_fold_under_the_cursor_and_all_at_once_and_stay_folded(tmp_path):
    async def story():
        async with charts(tmp_path) as sitting:
            await sitting.press("c", "slash")
            await sitting.type("/")
            await sitting.press("enter", "f")
            assert "▸ val/" in sitting.text and "val/accuracy" not in shown(sitting)
            await sitting.press("enter")
            assert "▾ val/" in sitting.text and "val/accuracy" in shown(sitting)
            await sitting.press("F")
            assert shown(sitting) == [] and "▸ train/" in sitting.text
            assert sitting.app.view.folded
            await sitting.press("F")
            assert len(shown(sitting)) == 6

    tell(story)


def test_a_pinned_chart_stands_first_and_unpinned_goes_back(tmp_path):
    async def story():
        async with charts(tmp_path) as sitting:
            await sitting.press("c", "slash")
            await sitting.type("grad")
            await sitting.press("enter", "P", "escape", "g")
            assert shown(sitting)[0] == "train/grad_norm" and "▾ pinned" in sitting.text
            await sitting.press("P")
            assert shown(sitting)[0] != "train/grad_norm" and "pinned" not in "".join(sitting.screen[2:-2])

    tell(story)


def test_enter_opens_a_chart_neighbours_follow_and_esc_goes_back_one_layer_at_a_time(tmp_path):
    async def story():
        async with charts(tmp_path) as sitting:
            await sitting.press("c", "enter")
            first = sitting.app.screen.opened.title
            assert f"Charts › {first}" in sitting.screen[1]
            await sitting.press("full_stop")
            second = sitting.app.screen.opened.title
            assert second != first
            await sitting.press("comma")
            assert sitting.app.screen.opened.title == first
            await sitting.press("left", "escape")
            assert "│ step" not in sitting.screen[1] and sitting.app.screen.opened is not None
            await sitting.press("escape")
            assert sitting.app.screen.opened is None and first in shown(sitting)
            await sitting.press("escape")
            assert sitting.app.current_mode == "runs"

    tell(story)


def test_the_crosshair_reads_every_chart_at_the_same_step(tmp_path):
    async def story():
        async with charts(tmp_path) as sitting:
            await sitting.press("end", "up", "space", "space", "c", "x", "left")
            points = sitting.query.now.points
            step = re.search(r"│ step (\d+)", sitting.screen[1])
            assert step is not None
            at = int(step[1])
            for key in ("val/accuracy", "train/loss"):
                for run in ("r00", "r01"):
                    value = f"{points[run, key].value[at]:.4g}"
                    assert value[:5] in sitting.text, f"{key} of {run} at step {at}"
            await sitting.press("home")
            assert "│ step 0" in sitting.screen[1]
            await sitting.press("end")
            assert "│ step 59" in sitting.screen[1]
            before = at
            await sitting.press("less_than_sign")
            assert int(re.search(r"│ step (\d+)", sitting.screen[1])[1]) < before - 5, "ten columns at once"
            await sitting.press("escape")
            assert "│ step" not in sitting.screen[1]

    tell(story)


def test_a_run_that_had_ended_by_then_has_no_value_there(tmp_path):
    async def story():
        async with charts(tmp_path, (220, 60)) as sitting:
            await sitting.press("c", "enter", "end")
            assert re.search(r"night-sweep-01 +–", sitting.text), "it has 53 steps, the baseline 60"

    tell(story)


def test_zooming_halves_what_is_in_sight_panning_moves_it_and_z_shows_all(tmp_path):
    async def story():
        async with charts(tmp_path) as sitting:
            await sitting.press("c", "home", "plus")
            screen = sitting.app.screen
            low, high = screen.span
            assert (low, high) == (0, 29.5) and "zoomed" in sitting.screen[1]
            await sitting.press("right_parenthesis")
            assert screen.span[0] == pytest.approx(29.5 / 4)
            await sitting.press("left_parenthesis", "left_parenthesis")
            assert screen.span[0] == 0, "there is nothing further left"
            await sitting.press("end", "right", "right")
            assert screen.span[1] > 29.5, "what is in sight follows the crosshair"
            await sitting.press("z")
            assert screen.span is None and "zoomed" not in sitting.screen[1]
            await sitting.press("plus", "plus", "minus", "minus")
            assert screen.span is None

    tell(story)


def test_the_x_axis_is_chosen_among_step_epoch_times_and_every_metric(tmp_path):
    async def story():
        async with charts(tmp_path) as sitting:
            await sitting.press("c", "X")
            for words in ("step", "epoch (epoch)", "wall time", "time since the start", "train/loss"):
                assert words in sitting.text
            await sitting.type("epoch")
            await sitting.press("enter")
            assert "x: epoch" in sitting.screen[1]
            await sitting.press("end")
            assert "│ epoch 5" in sitting.screen[1]
            await sitting.press("X")
            await sitting.type("loss")
            await sitting.press("enter")
            assert "x: train/loss" in sitting.screen[1] and "│" not in sitting.screen[1]
            await sitting.press("escape", "2")
            assert "step" in sitting.text, "panels that have no such axis go by step"

    tell(story)


def test_log_axes_and_smoothing_are_said_in_the_line_of_state(tmp_path):
    async def story():
        async with charts(tmp_path, (220, 60)) as sitting:
            await sitting.press("c", "L", "y", "right_square_bracket")
            assert "log x · log y · smooth 0.5" in sitting.screen[1]
            await sitting.press("enter")
            assert "at x ≤ 0 hidden" in sitting.text, "step 0 has no place on a logarithmic axis"

    tell(story)


def test_the_mouse_reads_in_passing_a_click_keeps_it_and_a_double_click_opens(tmp_path):
    async def story():
        async with charts(tmp_path) as sitting:
            await sitting.press("c")
            await sitting.pilot.hover("#charts", offset=(20, 6))
            await sitting.settle()
            assert "│ step" in sitting.screen[1] and sitting.app.screen.crosshair is None
            await sitting.pilot.hover("#tabs")
            await sitting.settle()
            assert "│ step" not in sitting.screen[1]
            await sitting.pilot.click("#charts", offset=(20, 6))
            await sitting.settle()
            assert sitting.app.screen.crosshair is not None
            await sitting.pilot.click("#charts", offset=(60, 6), times=2)
            await sitting.settle()
            assert sitting.app.screen.opened is not None

    tell(story)


def test_the_wheel_zooms_where_it_points_and_a_drag_pans(tmp_path):
    async def story():
        async with charts(tmp_path) as sitting:
            await sitting.press("c")
            screen, grid = sitting.app.screen, sitting.app.screen.charts
            x = grid.under(20, 6)[1]
            grid.post_message(grid.Zoomed(x, 1))
            await sitting.settle()
            low, high = screen.span
            assert low <= x <= high and high - low == pytest.approx(29.5)
            await sitting.pilot.mouse_down("#charts", offset=(20, 6))
            await sitting.pilot.hover("#charts", offset=(26, 6))
            await sitting.pilot.mouse_up("#charts", offset=(26, 6))
            await sitting.settle()
            assert screen.span[0] < low or low == 0, "what was grabbed goes with the mouse"
            assert screen.crosshair is None, "a drag is no click"

    tell(story)


def test_a_heading_folds_by_a_click(tmp_path):
    async def story():
        async with charts(tmp_path) as sitting:
            await sitting.press("c")
            row = next(y for y, line in enumerate(sitting.screen) if "▾ val/" in line)
            await sitting.pilot.click("#charts", offset=(5, row - 2))
            await sitting.settle()
            assert "▸ val/" in sitting.text

    tell(story)


def test_a_run_that_goes_on_is_followed_and_nothing_else_is_asked_again(tmp_path):
    async def story():
        async with charts(tmp_path) as sitting:
            await sitting.press("c")
            await sitting.store_changes()
            before = sitting.query.asked.count("series")
            sitting.query.log("r07", "train/loss", [7.75])
            await sitting.store_changes()
            assert "7.75" in sitting.text
            assert sitting.query.asked.count("series") == before + 1, "only the series that has grown"

    tell(story)


def test_nothing_is_asked_twice_however_often_pages_are_turned(tmp_path):
    async def story():
        async with charts(tmp_path, (80, 24)) as sitting:
            await sitting.press("c", "pagedown", "pagedown")
            before = sitting.query.asked.count("series")
            await sitting.press("pageup", "pageup", "x", "left", "plus", "z")
            assert sitting.query.asked.count("series") == before

    tell(story)


def test_zooming_into_a_long_series_asks_for_every_point_in_sight(tmp_path):
    async def story():
        long = [float(np.sin(at / 40)) for at in range(50_000)]
        base = project()
        query = LiveQuery(replace(base, points={("r07", "loss"): series("r07", "loss", long)}))
        async with charts(tmp_path, query=query) as sitting:
            await sitting.press("c", "enter")
            grid = sitting.app.screen.charts
            assert len(grid.curves_of(sitting.app.screen.opened).block.lines[1].x) <= 1002
            await sitting.press("home", *["plus"] * 7)
            low, high = sitting.app.screen.span
            x = grid.curves_of(sitting.app.screen.opened).block.lines[1].x
            np.testing.assert_array_equal(x[(x >= low) & (x <= high)], np.arange(np.ceil(low), np.floor(high) + 1))
            await sitting.press("right")
            assert "│ step 4" in sitting.screen[1] and "≈" not in sitting.text, "what is read is what was logged"
            asked = sitting.query.asked.count("series")
            await sitting.press("right_parenthesis", "left_parenthesis", "minus")
            assert sitting.query.asked.count("series") <= asked + 1, "what is near has come along"
            await sitting.press("z")
            assert grid.curves_of(sitting.app.screen.opened).extent == (0, 49_999)

    tell(story)


def test_a_store_that_fails_is_named_and_asked_again_when_it_answers(tmp_path):
    async def story():
        async with charts(tmp_path) as sitting:
            sitting.query.failing = OSError("disk is gone")
            await sitting.press("c")
            assert "✗ disk is gone" in sitting.screen[1] and "not read, is tried again" in sitting.text
            sitting.query.failing = None
            sitting.query.change()
            await sitting.store_changes()
            assert "disk is gone" not in sitting.text and "not read" not in sitting.text

    tell(story)


def test_a_project_without_runs_says_what_to_do(tmp_path):
    async def story():
        query = LiveQuery(replace(project(), all_runs=(), points={}))
        async with charts(tmp_path, (80, 24), query) as sitting:
            await sitting.press("c")
            assert "No runs to chart" in sitting.text

    tell(story)


def with_shapes() -> LiveQuery:
    """A run with a confusion matrix, a ROC curve and histograms."""
    base = project()
    rng = np.random.default_rng(3)
    hists = [
        StepHistogram(
            step, None, np.linspace(-1, 1, 31), np.histogram(rng.normal(0, 0.1 + step / 200, 500), 30, (-1, 1))[0]
        )
        for step in range(0, 100, 10)
    ]
    counts = {("cat", "cat"): 90, ("cat", "dog"): 10, ("dog", "cat"): 25, ("dog", "dog"): 75}
    points = {("r07", "val/accuracy"): base.points["r07", "val/accuracy"]}
    for (true, predicted), count in counts.items():
        key = f"val/confusion/{true}/{predicted}"
        points["r07", key] = series("r07", key, [50.0, float(count)])
    rates = np.linspace(0, 1, 50)
    points["r07", "roc/fpr"] = series("r07", "roc/fpr", rates.tolist())
    points["r07", "roc/tpr"] = series("r07", "roc/tpr", np.sqrt(rates).tolist())
    return LiveQuery(replace(base, points=points, all_histograms={("r07", "weights/dense"): hists}))


@pytest.mark.parametrize("size", [(80, 24), (120, 40)], ids=lambda size: f"{size[0]}x{size[1]}")
def test_histograms_matrices_and_curves_stand_among_the_charts(tmp_path, size, golden):
    async def story():
        async with charts(tmp_path, size, with_shapes()) as sitting:
            await sitting.press("c")
            assert "roc" in shown(sitting) and "roc/fpr" not in shown(sitting)
            golden(f"charts-shapes-{size[0]}x{size[1]}", sitting.text)
            await sitting.press("slash")
            await sitting.type("confusion")
            await sitting.press("enter", "enter")
            assert "Charts › val/confusion" in sitting.screen[1]
            assert re.search(r"cat +90 +10", sitting.text) and re.search(r"dog +25 +75", sitting.text)

    tell(story)


def test_what_is_read_can_be_copied_jumped_to_and_had_on_the_command_line(tmp_path):
    async def story():
        async with charts(tmp_path) as sitting:
            await sitting.press("end", "up", "space", "space", "c", "end")
            screen = sitting.app.screen
            shown = screen.shown()
            assert [cell.value for cell in shown.row][1:] == screen.charts.curves_of(screen.chart).at(59)
            assert shown.copied("csv").text.startswith("metric,")
            assert screen.spoken()[0].words[0] and "charts" in screen.spoken()[0].words
            place = next(each for each in screen.places() if "train/loss" in each.go)
            await screen.perform(place.open)
            await sitting.settle()
            assert screen.opened.title == "train/loss"

    tell(story)


def test_every_key_of_the_grid_is_in_its_help(tmp_path):
    async def story():
        async with charts(tmp_path, (120, 60)) as sitting:
            await sitting.press("c", "question_mark")
            for words in ("Grid of charts", "Open the chart full screen", "Pin the chart", "Zoom in", "Logarithmic x"):
                assert words in sitting.text

    tell(story)
