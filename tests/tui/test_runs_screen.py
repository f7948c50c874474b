"""Stories of the run table: what is seen, marked, compared, filtered and sorted."""

from __future__ import annotations

import threading

import pytest
from msgspec.structs import replace
from textual import events

from tests.tui.project import NOW, LiveQuery
from tests.tui.stories import tell, workbench


def test_marked_runs_are_charted_beside_the_table(tmp_path, golden):
    async def story():
        async with workbench(tmp_path, (220, 60)) as sitting:
            await sitting.press("space", "space", "down", "space")
            golden("runs-marked-220x60", sitting.text)

    tell(story)


def test_at_80_columns_v_shows_the_chart_below_and_esc_takes_it_away(tmp_path, golden):
    async def story():
        async with workbench(tmp_path) as sitting:
            before = sitting.text
            await sitting.press("v")
            golden("runs-chart-80x24", sitting.text)
            await sitting.press("escape")
            assert sitting.text == before

    tell(story)


def test_b_makes_a_run_the_baseline_and_every_delta_follows(tmp_path):
    async def story():
        async with workbench(tmp_path) as sitting:
            assert "▲ +36.4 %" in sitting.row("gbm-small")
            await sitting.press("end", "up", "b")
            assert sitting.notebook.written == [("baseline", "r01")]
            await sitting.store_changes()
            assert "◆ base" in sitting.row("logistic")
            assert "▼ -14.6 %" in sitting.row("rules-dummy")
            assert "baseline logistic" in sitting.screen[1]

    tell(story)


def test_the_filter_previews_live_shows_errors_under_a_caret_and_esc_restores(tmp_path, golden):
    async def story():
        async with workbench(tmp_path) as sitting:
            await sitting.press("slash")
            await sitting.type("lr>0.05 and val/accuracy>0.8")
            assert "3 runs match" in sitting.text
            assert "logistic" not in sitting.text
            await sitting.type(" or (")
            golden("filter-error-80x24", sitting.text)
            await sitting.press("enter")
            assert "enter keep" in sitting.screen[-1], "what cannot be read is not kept"
            await sitting.press("escape")
            assert "logistic" in sitting.text
            assert sitting.app.view.where == ""

    tell(story)


def test_a_kept_filter_stands_in_the_state_line_and_esc_clears_it(tmp_path):
    async def story():
        async with workbench(tmp_path) as sitting:
            await sitting.press("slash")
            await sitting.type("state:running")
            await sitting.press("enter")
            assert "2 of 8 runs" in sitting.screen[1]
            assert "filter: state:running" in sitting.screen[1]
            await sitting.press("escape")
            assert "8 runs" in sitting.screen[1]
            await sitting.press("escape")
            assert sitting.app.is_running, "esc never quits"

    tell(story)


def test_a_key_no_run_has_is_named_with_the_nearest(tmp_path):
    async def story():
        async with workbench(tmp_path) as sitting:
            await sitting.press("slash")
            await sitting.type("depht>3")
            assert "no run has depht, did you mean depth?" in sitting.text

    tell(story)


def test_the_cursor_stays_on_its_run_when_the_order_changes(tmp_path):
    async def story():
        async with workbench(tmp_path) as sitting:
            await sitting.press("down", "down")
            assert sitting.row("▌")[3:].startswith("◌ quiet    mlp-wide")
            await sitting.press("s")
            await sitting.type("val/acc")
            await sitting.press("enter")
            assert "mlp-wide" in sitting.row("▌")
            ordered = [line.split()[2 if "▌" not in line else 3] for line in sitting.screen[3:11]]
            assert ordered[:3] == ["gbm-lr0.3", "gbm-small", "gbm-deep"], "higher accuracy is better, so it is first"
            await sitting.press("S")
            assert sitting.screen[3].split()[2] == "rules-dummy"

    tell(story)


def test_a_run_that_begins_is_seen_at_the_top(tmp_path):
    async def story():
        query = LiveQuery()
        one = replace(query.now.all_runs[0], baseline=False)
        old = [replace(one, id=f"old{day}", name=f"old-{day}", started_at=NOW - day * 86_400) for day in range(1, 30)]
        query.change(all_runs=old)
        async with workbench(tmp_path, query=query) as sitting:
            before = sitting.row("▌")
            query.change(all_runs=[*old, replace(one, id="new", name="just-begun", started_at=NOW)])
            await sitting.store_changes()
            assert "just-begun" in sitting.screen[3]
            assert sitting.row("▌") == before, "the cursor stays on its run"

    tell(story)


def test_marks_survive_filter_and_sort(tmp_path):
    async def story():
        async with workbench(tmp_path) as sitting:
            await sitting.press("space", "space")
            await sitting.press("slash")
            await sitting.type("gbm")
            await sitting.press("enter")
            assert "2 marked" in sitting.screen[1]
            assert "■" in sitting.row("gbm-lr0.3")

    tell(story)


def test_keys_that_come_in_one_burst_are_all_obeyed(tmp_path):
    async def story():
        async with workbench(tmp_path) as sitting:
            for _ in range(3):
                sitting.app.post_message(events.Key("space", " "))
            await sitting.settle()
            assert sitting.app.view.marks == ("r07", "r06", "r05")
            assert "mlp-2x64" in sitting.row("▌")

    tell(story)


def test_new_points_change_only_the_row_they_belong_to(tmp_path):
    async def story():
        async with workbench(tmp_path) as sitting:
            before = sitting.screen
            sitting.query.log("r03", "val/accuracy", [0.99])
            await sitting.store_changes()
            differ = [y for y, (old, new) in enumerate(zip(before, sitting.screen, strict=True)) if old != new]
            assert len(differ) == 1
            assert "0.99" in sitting.row("gbm-deep")

    tell(story)


def test_tag_note_and_hide_are_written_down(tmp_path):
    async def story():
        async with workbench(tmp_path) as sitting:
            await sitting.press("t")
            await sitting.type("keep")
            await sitting.press("enter", "n")
            await sitting.type("better with warmup")
            await sitting.press("enter", "H")
            assert sitting.notebook.written == [
                ("tag", "r07", "keep"),
                ("note", "r07", "better with warmup"),
                ("hide", "r07"),
            ]
            await sitting.store_changes()
            assert "7 of 8 runs" in sitting.screen[1]
            await sitting.press("a", "home")
            assert "night-sweep-01" in sitting.row("▌")
            await sitting.press("H")
            assert sitting.notebook.written[-1] == ("show", "r07")

    tell(story)


def test_columns_are_chosen_and_scrolled(tmp_path):
    async def story():
        async with workbench(tmp_path, (120, 40)) as sitting:
            await sitting.press("v")
            titles = sitting.screen[2]
            assert "lr" in titles and "depth" in titles
            await sitting.press("right")
            assert "depth" not in sitting.screen[2] and "lr" in sitting.screen[2].split()
            assert "more columns ← 1  2 →" in sitting.screen[1]
            await sitting.press("left", "o")
            assert "enter on/off" in sitting.text
            await sitting.type("param lr")
            await sitting.press("enter", "escape")
            assert "lr" not in sitting.screen[2].split()

    tell(story)


HOSTILE = (
    "[/]",
    "[red]x[/red]",
    "\x1b]52;c;aGk=\x07",
    "\x9b31m",
    "a\u202eb",
    "nul\x00",
    "[@click=app.quit]",
    "\ud800",
)


def test_hostile_names_are_shown_as_text_everywhere(tmp_path, golden):
    async def story():
        query = LiveQuery()
        query.change(
            all_runs=[
                replace(run, name=name, status_reason=name, params={name: name}, tags={name: name}, notes=(name,))
                for run, name in zip(query.now.all_runs, HOSTILE, strict=True)
            ]
        )
        async with workbench(tmp_path, (120, 40), query) as sitting:
            golden("runs-hostile-120x40", sitting.text)
            for keys in (("asterisk",), ("enter",), ("escape",), ("2",), ("1", "b"), ("ctrl+p",), ("escape", "s")):
                await sitting.press(*keys)
                assert not any(char in sitting.text for char in "\x1b\x9b\x00\x07\u202e\ud800")

    tell(story)


def test_a_store_that_cannot_be_read_is_named_and_comes_back(tmp_path):
    async def story():
        query = LiveQuery(failing=RuntimeError("the store is locked by pid 4711; workbench doctor says more"))
        async with workbench(tmp_path, query=query) as sitting:
            assert "the store is locked by pid 4711; workbench doctor says more" in sitting.text
            query.failing = None
            await sitting.store_changes()
            assert "● live" in sitting.screen[0]
            assert "gbm-deep" in sitting.text

    tell(story)


def test_a_store_that_fails_later_keeps_the_rows_on_the_screen(tmp_path):
    async def story():
        async with workbench(tmp_path) as sitting:
            sitting.query.failing = OSError("disk gone")
            await sitting.store_changes()
            assert "✗ store cannot be read" in sitting.screen[0]
            assert "gbm-deep" in sitting.text

    tell(story)


@pytest.mark.parametrize("small", [(59, 15), (60, 14), (20, 5)])
def test_a_terminal_too_small_says_what_is_needed(tmp_path, small):
    async def story():
        async with workbench(tmp_path, small) as sitting:
            assert "60x15" in sitting.text.replace("\n", "")
            await sitting.pilot.resize_terminal(80, 24)
            await sitting.settle()
            assert "gbm-deep" in sitting.text

    tell(story)


def test_the_view_and_the_rows_are_there_again_at_the_next_start(tmp_path, golden):
    async def story():
        async with workbench(tmp_path) as sitting:
            await sitting.press("down", "space", "slash")
            await sitting.type("gbm")
            await sitting.press("enter", "home", "q")
        may_open = threading.Event()

        def slowly() -> None:
            assert may_open.wait(20)

        async with workbench(tmp_path, opening=slowly, settle=False) as sitting:
            await sitting.pilot.pause()
            assert "as of 08:00" in sitting.screen[0]
            assert "0.8213 ▲ +36.4 %" in sitting.row("gbm-small"), "painted before the store was opened"
            assert "gbm-lr0.3" in sitting.row("▌")
            golden("runs-as-of-80x24", sitting.text)
            may_open.set()
            await sitting.settle()
            assert "● live" in sitting.screen[0]
            assert "3 of 8 runs" in sitting.screen[1] and "1 marked" in sitting.screen[1]
            assert "gbm-lr0.3" in sitting.row("▌")

    tell(story)
