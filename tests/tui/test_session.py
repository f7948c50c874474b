"""The kept view: what is unreadable or of another version never keeps the workbench from starting."""

from __future__ import annotations

import json

import pytest

from tests.tui.stories import tell, workbench
from workbench.core.blocks import Cell, Column
from workbench.tui.session import Painting, ViewState, load_session, save_session


def test_a_view_and_a_painting_come_back_as_they_were(tmp_path):
    path = tmp_path / "deep" / "session.json"
    view = ViewState(
        "r1", ("r1", "r2"), "lr>0.1", "main", True, ("param:lr",), "val/loss", None, False, "wall", True, 0.9
    )
    painting = Painting(
        5.0, 70, (Column("name", width=9),), 1, ("r1",), ((Cell(None, "good", 0.5, text="\x1b[31mgbm \ud800"),),)
    )
    save_session(path, view, painting)
    assert load_session(path) == (view, painting)


@pytest.mark.parametrize(
    "content",
    ["", "{", "[]", "null", '{"version": 99}', '{"version": 1}', '{"version": 1, "view": [], "painting": null}'],
)
def test_a_broken_session_is_as_good_as_none(tmp_path, content):
    path = tmp_path / "session.json"
    path.write_text(content, encoding="utf-8")
    assert load_session(path) == (ViewState(), None)


def test_values_of_a_wrong_kind_keep_their_defaults(tmp_path):
    path = tmp_path / "session.json"
    view = {"where": 7, "sort": "name", "smooth": True, "descending": "yes", "marks": ["a"], "later": 1}
    path.write_text(json.dumps({"version": 1, "view": view}), encoding="utf-8")
    assert load_session(path) == (ViewState(sort="name", marks=("a",)), None)


def test_a_folder_that_cannot_be_written_is_no_reason_to_fail(tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("", encoding="utf-8")
    save_session(blocked / "session.json", ViewState(), None)
    assert blocked.read_text(encoding="utf-8") == ""


def test_the_next_sitting_goes_on_where_this_one_ended(tmp_path):
    async def story():
        async with workbench(tmp_path) as sitting:
            await sitting.press("slash")
            await sitting.type("gbm")
            await sitting.press("enter", "s")
            await sitting.type("name")
            await sitting.press("enter", "space", "space", "4")
            await sitting.pilot.press("q")
            await sitting.pilot.pause()
        async with workbench(tmp_path) as sitting:
            assert sitting.screen[1].startswith(" Windows")
            view = sitting.app.view
            assert (view.where, view.sort, view.cursor) == ("gbm", "name", "r02")
            assert view.marks == ("r06", "r02")
            await sitting.press("escape", "enter")
            assert "gbm-small" in sitting.text
            await sitting.pilot.press("q")
            await sitting.pilot.pause()
        async with workbench(tmp_path) as sitting:
            assert type(sitting.app.screen).__name__ == "RunScreen"
            assert sitting.app.screen.current_run().id == "r02"
            await sitting.press("escape")
            assert type(sitting.app.screen).__name__ == "RunsScreen"

    tell(story)


def test_a_run_that_is_gone_and_a_view_that_is_gone_are_not_opened(tmp_path):
    async def story():
        view = ViewState(cursor="gone", marks=("gone", "r01"), screen="no-such", run="gone")
        save_session(tmp_path / "flights" / ".workbench" / "session.json", view, None)
        async with workbench(tmp_path) as sitting:
            assert type(sitting.app.screen).__name__ == "RunsScreen"
            assert sitting.row("▌")

    tell(story)
