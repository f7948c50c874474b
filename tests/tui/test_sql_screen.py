"""Asking the store in SQL: writing, completion, history, results, mistakes, stopping, and files; on a real store."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.support.ingest import Project, line
from tests.tui.project import LiveQuery
from tests.tui.stories import Story, tell, workbench
from workbench.core.query import Limits, Rows
from workbench.core.settings_file import SettingsFiles
from workbench.store.query import StoreQuery
from workbench.tui.action import SCOPE_TITLES
from workbench.tui.sql_history import SqlHistory
from workbench.tui.sql_screen import SqlScreen

FOREVER = "select count(*) from range(100000000) a, range(100000000) b"


@pytest.fixture
def asked(project: Project) -> StoreQuery:
    """A real store with one run of thirty steps."""
    project.write("a/run.jsonl", "".join(line(step, loss=1 / (step + 1), acc=step / 30) for step in range(30)))
    project.read()
    return project.query


@asynccontextmanager
async def sql(root: Path, query: Any, size: tuple[int, int] = (80, 24), **options: Any) -> AsyncIterator[Story]:
    """The workbench with the SQL screen open."""
    async with workbench(root, size, query=LiveQuery(query), **options) as sitting:
        await sitting.press("semicolon")
        yield sitting


def screen(sitting: Story) -> SqlScreen:
    found = sitting.app.screen
    assert isinstance(found, SqlScreen)
    return found


async def run(sitting: Story, text: str) -> None:
    screen(sitting).editor.write(text)
    screen(sitting).action_submit()
    await sitting.settle()


@pytest.mark.parametrize("size", [(80, 24), (220, 60)], ids=lambda size: f"{size[0]}x{size[1]}")
def test_tables_and_columns_are_there_before_anything_is_asked(tmp_path, asked, size, golden):
    async def story():
        async with sql(tmp_path, asked, size) as sitting:
            assert "run  a row a run, with its status and why" in sitting.text
            assert "status varchar" in sitting.text
            golden(f"sql-{size[0]}x{size[1]}", sitting.text)

    tell(story)


def test_a_statement_is_typed_completed_and_answered(tmp_path, asked):
    async def story():
        async with sql(tmp_path, asked) as sitting:
            await sitting.type("select k")
            await sitting.press("tab")
            assert screen(sitting).editor.text == "select key"
            await sitting.type(", max(value) from poi")
            await sitting.press("tab")
            await sitting.type(" group by all order by 1")
            await sitting.press("enter")
            assert screen(sitting).editor.text == "select key, max(value) from point group by all order by 1"
            assert "2 rows in" in sitting.screen[1]
            assert sitting.row("acc").split() == ["▌acc", "0.9666666666666667"]
            assert sitting.row("loss ").split() == ["loss", "1.0"]
            assert "$ workbench sql 'select key, max(value) from point" in sitting.text

    tell(story)


def test_the_answer_scrolls_and_a_row_opens_whole(tmp_path, asked, golden):
    async def story():
        async with sql(tmp_path, asked, (100, 20)) as sitting:
            wide = (
                "select step, "
                + ", ".join(f"value + {n} as column_{n}" for n in range(8))
                + " from point where key = 'loss' order by step"
            )
            await run(sitting, wide)
            await sitting.press("end")
            assert "row 30" in sitting.screen[1]
            assert sitting.screen[-2].split()[:2] == ["▌", "29"]
            await sitting.press("right", "right")
            assert "more columns ← 2" in sitting.screen[1]
            await sitting.press("enter")
            assert "Row 30" in sitting.text
            assert "column_7" in sitting.text
            await sitting.press("escape", "left", "left", "home")
            strip = "\n".join(each for at, each in enumerate(sitting.screen) if at != 1)
            golden("sql-answer-100x20", strip)

    tell(story)


def test_a_mistake_shows_its_place_and_the_nearest_name_and_is_mended(tmp_path, asked, golden):
    async def story():
        async with sql(tmp_path, asked) as sitting:
            await run(sitting, "select key,\n  vlaue\nfrom point")
            assert "did you mean 'value'?" in sitting.text
            mark = sitting.screen.index(next(each for each in sitting.screen if each.strip() == "^"))
            assert sitting.screen[mark - 1][len(sitting.screen[mark]) - 1 :].startswith("vlaue")
            assert screen(sitting).editor.cursor_location == (1, 2)
            assert screen(sitting).writing
            golden("sql-mistake-80x24", "\n".join(each for at, each in enumerate(sitting.screen) if at != 1))
            await run(sitting, "select key, value from point")
            assert "60 rows" in sitting.screen[1]

    tell(story)


def test_what_writes_is_refused_with_what_is_allowed(tmp_path, asked):
    async def story():
        async with sql(tmp_path, asked) as sitting:
            await run(sitting, "drop table run")
            assert "DROP is not allowed here; only SELECT" in sitting.text

    tell(story)


def test_enter_is_a_new_line_while_a_bracket_is_open(tmp_path, asked):
    async def story():
        async with sql(tmp_path, asked) as sitting:
            await sitting.type("select count(")
            await sitting.press("enter")
            await sitting.type("*) from run")
            await sitting.press("enter")
            assert screen(sitting).editor.text == "select count(\n*) from run"
            assert "1 row in" in sitting.screen[1]

    tell(story)


def test_esc_stops_a_statement_that_runs_and_keys_work_meanwhile(tmp_path, asked):
    async def story():
        async with sql(tmp_path, asked) as sitting:
            screen(sitting).editor.write(FOREVER)
            screen(sitting).action_submit()
            await sitting.pilot.pause()
            assert "esc stops it" in sitting.screen[1]
            await sitting.pilot.press("a", "b")
            assert screen(sitting).editor.text == f"{FOREVER}ab"
            await sitting.pilot.press("escape")
            await sitting.settle()
            assert "✗ stopped" in sitting.text
            await run(sitting, "select 7 as seven")
            assert "seven" in sitting.text

    tell(story)


def test_leaving_the_workbench_does_not_wait_for_a_statement(tmp_path, asked):
    async def story():
        async with sql(tmp_path, asked) as sitting:
            screen(sitting).editor.write(FOREVER)
            screen(sitting).action_submit()
            await sitting.pilot.pause()
            await sitting.pilot.press("ctrl+c")
            await sitting.pilot.pause()
            assert not sitting.app.is_running

    tell(story)


def test_limits_come_from_the_settings(tmp_path, asked):
    async def story():
        async with sql(tmp_path, asked, settings=SettingsFiles(given={"sql_rows": 5, "sql_seconds": 1})) as sitting:
            await run(sitting, "select * from point")
            assert "5 rows (the first, there are more)" in sitting.screen[1]
            await run(sitting, FOREVER)
            assert "stopped after 1 s: narrow it with WHERE or LIMIT" in sitting.text

    tell(story)


def test_statements_are_there_again_at_the_next_start(tmp_path, asked):
    async def story():
        async with sql(tmp_path, asked) as sitting:
            await run(sitting, "select 1 as one")
            await run(sitting, "select 2 as two")
        async with sql(tmp_path, asked) as sitting:
            await sitting.press("up")
            assert screen(sitting).editor.text == "select 2 as two"
            await sitting.press("up", "down", "down")
            assert screen(sitting).editor.text == ""
            await sitting.press("escape", "h")
            assert "History" in sitting.text
            await sitting.press("down", "enter")
            assert screen(sitting).editor.text == "select 1 as one"
            assert screen(sitting).writing

    tell(story)


def test_history_in_a_file_that_is_broken_shared_or_long(tmp_path):
    path = tmp_path / "deep" / "sql_history.jsonl"
    history = SqlHistory(path, 3)
    for number in range(8):
        history.add(f"select {number}", 0.0)
        history.add(f"select {number}", 0.0)
    assert len(path.read_text(encoding="utf-8").splitlines()) == 8
    with path.open("a", encoding="utf-8") as file:
        file.write('{"sql": 7}\nno json\n[]\n' + json.dumps({"sql": "select \u2028x"}))
    assert SqlHistory(path, 3).statements == ["select 6", "select 7", "select \u2028x"]
    assert len(path.read_text(encoding="utf-8").split("\n")) <= 5
    assert SqlHistory(path, 0).statements == []
    quiet = SqlHistory(path, 3, writes=False)
    before = path.read_bytes()
    quiet.add("select 9", 0.0)
    assert (quiet.statements[-1], path.read_bytes()) == ("select 9", before)


@pytest.mark.parametrize("ending", ["csv", "parquet", "json", "md"])
def test_the_answer_is_written_to_a_file_once(tmp_path, asked, monkeypatch, ending):
    monkeypatch.chdir(tmp_path)

    async def story():
        async with sql(tmp_path, asked) as sitting:
            await run(sitting, "select key, step, value from point order by key, step")
            await sitting.press("w", "ctrl+u")
            await sitting.type(f"out.{ending}")
            await sitting.press("enter")
            assert sitting.said == f"60 rows in {tmp_path / f'out.{ending}'}"
            await sitting.press("w", "ctrl+u")
            await sitting.type(f"out.{ending}")
            await sitting.press("enter")
            assert "is there already" in sitting.said

    tell(story)
    assert (tmp_path / f"out.{ending}").stat().st_size > 500


def test_a_file_without_a_known_ending_is_refused_while_its_name_is_typed(tmp_path, asked, monkeypatch):
    monkeypatch.chdir(tmp_path)

    async def story():
        async with sql(tmp_path, asked) as sitting:
            await run(sitting, "select 1")
            await sitting.press("w", "ctrl+u")
            await sitting.type("out.xls")
            assert "write one of .csv, .parquet, .json, .md at its end" in sitting.text
            await sitting.press("enter", "escape")
            assert list(tmp_path.glob("out*")) == []

    tell(story)


class Hostile(LiveQuery):
    """A store that answers with what could steer a terminal."""

    def sql(self, text: str, parameters: Any = (), limits: Limits | None = None) -> Rows:
        if "duckdb_columns" in text:
            return Rows((), ())
        return Rows(["\x1b[31mred", "[/]"], [("\x1b]0;title\x07[bold]", b"\xff\x00"), ("[nan]", None)])


def test_what_comes_back_is_shown_and_never_obeyed(tmp_path):
    async def story():
        async with workbench(tmp_path, query=Hostile()) as sitting:
            await sitting.press("semicolon")
            await run(sitting, "select '\x1b[31m'")
            assert "\x1b" not in sitting.text
            assert "␛]0;title␇[bold]" in sitting.text
            await sitting.press("enter")
            assert "␛[31mred" in sitting.text

    tell(story)


def test_the_keys_of_the_place_are_those_that_are_shown(tmp_path, asked):
    async def story():
        async with sql(tmp_path, asked, (120, 40)) as sitting:
            assert [action.scope for action in screen(sitting).offered()] == ["sql_edit"] * 7
            assert "enter run" in sitting.screen[-1]
            await run(sitting, "select * from point")
            works = {key for key, bound in screen(sitting).active_bindings.items() if bound.enabled}
            assert works == {key for action in screen(sitting).offered() for key in action.keys}
            await sitting.press("question_mark")
            assert SCOPE_TITLES["sql"] in sitting.text
            await sitting.press("escape", "escape")
            assert type(sitting.app.screen).__name__ == "RunsScreen"

    tell(story)


def test_a_statement_can_be_typed_as_a_command_and_the_answer_is_copied_and_spoken(tmp_path, asked):
    async def story():
        async with workbench(tmp_path, (120, 40), query=LiveQuery(asked)) as sitting:
            await sitting.press("colon")
            await sitting.type("sql select key, count(*) n from point where key = 'acc' group by key")
            await sitting.press("enter")
            await sitting.settle()
            assert sitting.row("▌").split() == ["▌acc", "30"]
            shown = screen(sitting).shown()
            assert [column.key for column in shown.columns] == ["key", "n"]
            assert [cell.value for cell in shown.row] == ["acc", 30]
            said = screen(sitting).spoken()
            assert list(said[0].words) == ["sql", "select key, count(*) n from point where key = 'acc' group by key"]
            await sitting.press("q")

    tell(story)


def test_the_sql_screen_is_open_again_where_it_was_left(tmp_path, asked):
    async def story():
        async with sql(tmp_path, asked) as sitting:
            await sitting.press("escape")
            await sitting.pilot.press("q")
        async with workbench(tmp_path, query=LiveQuery(asked)) as sitting:
            await sitting.settle()
            assert isinstance(sitting.app.screen, SqlScreen)

    tell(story)
