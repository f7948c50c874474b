"""A run's log as somebody at night reads it: its end, what is new, the error, and the step on the chart."""

from __future__ import annotations

import asyncio
from pathlib import Path

from msgspec.structs import replace

from tests.tui.project import LiveQuery, project
from tests.tui.stories import Story, tell, workbench
from workbench.core.model import Finding, Source
from workbench.core.run_logs import LogPlace

PATH = "runs/gbm-deep/train.log"
NIGHT = (
    [f"2026-01-05 02:{at // 60:02d}:{at % 60:02d} INFO step {at} loss {2 / (at + 1):.4f}" for at in range(300)]
    + ["2026-01-05 02:05:00 WARNING loader: worker 3 is slow", "2026-01-05 02:05:01 ERROR loader: worker 3 died"]
    + [f"2026-01-05 02:{at // 60:02d}:{at % 60:02d} INFO step {at} loss {2 / (at + 1):.4f}" for at in range(302, 320)]
)


def at_night(root: Path, lines: list[str]) -> LiveQuery:
    """The project with a text log beside one run, and the places of its points."""
    path = root / "flights" / PATH
    path.parent.mkdir(parents=True)
    path.write_text("".join(f"{line}\n" for line in lines))
    offset, places = 0, []
    for line in lines:
        if " step " in line:
            places.append(LogPlace(PATH, "t1", 1, offset, int(line.split(" step ")[1].split()[0])))
        offset += len(line) + 1
    source = Source("t1", PATH, "text", 1, offset, offset, len(lines), 0, "ok", "", 0.0)
    now = project()
    return LiveQuery(replace(now, all_sources=[*now.all_sources, source], logs={"r03": ["t1"]}, places=places))


def cursor_line(story: Story) -> str:
    (line,) = [line for line in story.screen if line.startswith("▌")]
    return line[3:].strip()


async def open_log(story: Story) -> None:
    story.app.change_view(cursor="r03")
    story.app.open_run("r03")
    await story.settle()
    await story.press("l")


def test_a_log_opens_at_its_end_and_is_followed(tmp_path: Path) -> None:
    async def story() -> None:
        async with workbench(tmp_path, (80, 24), at_night(tmp_path, NIGHT)) as at:
            await open_log(at)
            assert "● following" in at.screen[1]
            assert cursor_line(at) == NIGHT[-1]

    tell(story)


def test_new_lines_are_followed_or_counted_while_somebody_reads(tmp_path: Path) -> None:
    async def story() -> None:
        async with workbench(tmp_path, query=at_night(tmp_path, NIGHT)) as at:
            await open_log(at)
            with (tmp_path / "flights" / PATH).open("a") as file:
                file.write("fresh one\n")
            await at.until("fresh one")
            assert cursor_line(at) == "fresh one"
            await at.press("up")
            assert "‖ paused" in at.screen[1]
            with (tmp_path / "flights" / PATH).open("a") as file:
                file.write("fresh two\nfresh three\n")
            await at.until("paused, 2 new")
            assert cursor_line(at) == NIGHT[-1], "who reads is not disturbed"
            await at.press("G")
            await at.until("fresh three")
            assert (cursor_line(at), "following" in at.screen[1]) == ("fresh three", True)

    tell(story)


def test_the_error_is_found_by_level_and_by_search_in_both_directions(tmp_path: Path) -> None:
    async def story() -> None:
        async with workbench(tmp_path, query=at_night(tmp_path, NIGHT)) as at:
            await open_log(at)
            await at.press("e")
            assert [line[1] for line in at.screen[2:4]] == ["!", "✗"]
            assert "warnings and errors only" in at.screen[1]
            await at.press("e")
            assert "worker 3 died" in cursor_line(at)
            await at.press("e")
            assert cursor_line(at).endswith("worker 3 died"), "now with what stands around it"
            assert "step 299 " in at.text
            await at.press("slash")
            await at.type("step 12 ")
            await at.press("enter")
            assert cursor_line(at).startswith("2026-01-05 02:00:12")
            await at.press("N")
            assert "nothing more that way" in at.said
            await at.press("g", "slash")
            await at.type("worker")
            await at.press("enter", "n")
            assert cursor_line(at).endswith("worker 3 died")

    tell(story)


def test_only_lines_with_a_text_and_esc_shows_all_again(tmp_path: Path) -> None:
    async def story() -> None:
        async with workbench(tmp_path, query=at_night(tmp_path, NIGHT)) as at:
            await open_log(at)
            await at.press("o")
            await at.type("loader")
            await at.press("enter")
            assert sum("loader" in line for line in at.screen[2:-1]) == 2
            assert "only “loader”" in at.screen[1]
            await at.press("escape")
            assert "only" not in at.screen[1]
            await at.press("escape")
            assert "log-" not in at.text
            assert "Metrics" in at.text, "and the run is below"

    tell(story)


def test_a_line_leads_to_its_step_on_the_chart_and_back(tmp_path: Path) -> None:
    async def story() -> None:
        async with workbench(tmp_path, (80, 40), at_night(tmp_path, NIGHT)) as at:
            await open_log(at)
            await at.press("slash")
            await at.type("step 20 ")
            await at.press("enter", "enter")
            await at.until("step 20")
            assert "│ step 20" in at.screen[1]
            await at.press("right", "l")
            assert "step 21 " in cursor_line(at), "from the crosshair to its line"

    tell(story)


def test_a_long_log_is_read_as_far_as_somebody_moves(tmp_path: Path) -> None:
    lines = [f"line {at:06d}" for at in range(20_000)]

    async def story() -> None:
        async with workbench(tmp_path, query=at_night(tmp_path, lines)) as at:
            await open_log(at)
            assert len(at.app.screen.view.page.rows) < 1000
            for _ in range(25):
                await at.press("pageup")
            assert cursor_line(at) == f"line {19_999 - 25 * 19:06d}"
            await at.press("g")
            assert cursor_line(at) == "line 000000"
            await at.press("down", "down")
            assert cursor_line(at) == "line 000002"

    tell(story)


def test_hostile_lines_are_harmless_and_long_ones_move_sideways(tmp_path: Path) -> None:
    lines = ["\x1b]0;title\x07[/] \x1b[31mred[/red]", "x" * 100 + "the end", "50%\r100% done"]

    async def story() -> None:
        async with workbench(tmp_path, query=at_night(tmp_path, lines)) as at:
            await open_log(at)
            assert ("[/] red[/red]" in at.text, "100% done" in at.text, "\x1b" in at.text) == (True, True, False)
            assert "the end" not in at.text
            await at.press("right", "right")
            assert "the end" in at.text

    tell(story)


def test_a_run_without_a_log_says_how_to_get_one(tmp_path: Path) -> None:
    async def story() -> None:
        async with workbench(tmp_path) as at:
            await open_log(at)
            assert "python train.py > runs/gbm-deep/train.log 2>&1" in at.text

    tell(story)


def test_a_log_that_begins_anew_is_read_anew(tmp_path: Path) -> None:
    async def story() -> None:
        async with workbench(tmp_path, query=at_night(tmp_path, NIGHT)) as at:
            await open_log(at)
            (tmp_path / "flights" / PATH).write_text("born again\n")
            await at.until("born again")
            await asyncio.sleep(0)
            assert cursor_line(at) == "born again"

    tell(story)


def test_from_the_table_to_where_it_went_wrong_and_its_log_in_four_keys(tmp_path: Path) -> None:
    """enter, w, l: the run, the step of its worst finding, the lines of that step."""
    query = at_night(tmp_path, NIGHT)
    found = Finding("diverged", "train/loss", "bad", "train/loss diverged at step 30", evidence={"step": 30}, run="r03")
    runs = [
        replace(each, attention="bad", diagnosis=found.sentence) if each.id == "r03" else each
        for each in query.now.all_runs
    ]
    query.change(all_findings=[found], all_runs=runs)

    async def story() -> None:
        async with workbench(tmp_path, (80, 30), query) as at:
            assert "● running !" in at.row("gbm-deep"), "a mark beside the state"
            at.app.change_view(cursor="r03")
            await at.settle()
            at.app.screen.grid.show_rows(at.app.screen.grid.ids, cursor="r03")
            await at.press("enter")
            assert "✗ train/loss diverged at step 30" in at.text
            await at.press("w")
            await at.until("│ step 30")
            await at.press("l")
            assert "INFO step 30 " in cursor_line(at)

    tell(story)
