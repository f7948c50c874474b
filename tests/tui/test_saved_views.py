"""Saved views and the column chooser: kept in a plain file, opened by name, seen at once, done by mouse as well."""

from __future__ import annotations

import json

import pytest
from msgspec.structs import replace

from tests.tui.stories import tell, workbench
from workbench.tui.session import ViewState
from workbench.tui.views import ViewsError, delete_view, load_views, save_view


def test_a_view_comes_back_by_its_name_and_leaves_the_cursor_alone(tmp_path):
    path = tmp_path / ".workbench" / "views.json"
    view = ViewState(
        where="lr>1", sort="name", columns=("param:lr",), widths={"param:lr": 20}, marks=("r1",), log_y=True
    )
    save_view(path, "lr", view)
    save_view(path, "all", ViewState())
    here = ViewState(cursor="r9", monitor="flights", where="x", screen="drift")
    assert load_views(path).opened("lr", here) == replace(view, cursor="r9", monitor="flights", screen="drift")
    assert list(delete_view(path, "lr").by_name) == ["all"]
    assert list(json.loads(path.read_text())) == ["all"]


@pytest.mark.parametrize("content", ["{", "[]", '{"a": 1}', "\xff"])
def test_a_file_that_cannot_be_read_is_named_and_stays(tmp_path, content):
    path = tmp_path / "views.json"
    path.write_text(content, encoding="latin-1")
    with pytest.raises(ViewsError, match=r"views\.json"):
        save_view(path, "new", ViewState())
    assert path.read_text(encoding="latin-1") == content


def test_a_view_edited_by_hand_keeps_what_can_be_used(tmp_path):
    path = tmp_path / "views.json"
    path.write_text('{"mine": {"where": "lr>1", "sort": 7, "cursor": "r5", "later": true, "widths": {"a": -1}}}')
    assert load_views(path).opened("mine", ViewState()) == ViewState(where="lr>1")


def test_a_view_is_saved_opened_and_deleted_by_keys(tmp_path, golden):
    async def story():
        async with workbench(tmp_path) as sitting:
            await sitting.press("colon")
            await sitting.type("runs --where gbm --sort name")
            await sitting.press("enter", "space", "V", "enter")
            await sitting.type("boosted trees")
            await sitting.press("enter")
            assert "view boosted trees is kept: filter gbm · by name" in sitting.said
            await sitting.press("escape", "asterisk", "V")
            golden("views-80x24", sitting.text)
            await sitting.press("enter")
            view = sitting.app.view
            assert (view.where, view.sort, view.marks) == ("gbm", "name", ("r03",))
            await sitting.press("V", "delete", "escape", "V")
            assert "boosted trees" not in sitting.text.split("Views")[1]

    tell(story)


def test_a_view_is_saved_opened_and_deleted_by_its_name(tmp_path):
    async def typed(sitting, line):
        await sitting.press("colon")
        await sitting.type(line)
        await sitting.press("enter")

    async def story():
        async with workbench(tmp_path) as sitting:
            await typed(sitting, "sort name")
            await typed(sitting, "view names --save")
            await typed(sitting, "sort age")
            await typed(sitting, "view names")
            assert sitting.app.view.sort == "name"
            await typed(sitting, "view nmaes")
            assert "no view 'nmaes' – did you mean 'names'?" in sitting.text
            await sitting.press("escape")
            await typed(sitting, "view names --delete")
            assert sitting.app.saved_views() == []

    tell(story)


def test_columns_are_turned_off_moved_and_made_wider_by_keys(tmp_path, golden):
    async def story():
        async with workbench(tmp_path, (120, 40)) as sitting:
            assert sitting.screen[2].split()[-3:] == ["depth", "lr", "sweep"]
            await sitting.press("o", "enter")
            assert sitting.app.view.columns[:3] == ("param:lr", "tag:sweep", "metric:train/loss")
            await sitting.type("loss")
            await sitting.press("less_than_sign", "less_than_sign", "right", "right", "right")
            golden("columns-120x40", sitting.text)
            await sitting.press("escape")
            assert sitting.app.view.columns[0] == "metric:train/loss"
            assert sitting.screen[2].split()[-3:] == ["train/loss", "lr", "sweep"]
            loss = sitting.app.workbench_screens[0].grid.layout_now.columns[-3]
            assert (loss.key, loss.width) == ("metric:train/loss", sitting.app.view.widths["metric:train/loss"])
            await sitting.press("o", "delete", "escape")
            assert (sitting.app.view.columns, sitting.app.view.widths) == (None, {})

    tell(story)


def test_columns_are_chosen_by_mouse(tmp_path):
    async def story():
        async with workbench(tmp_path, (120, 40)) as sitting:
            await sitting.press("o")
            view = sitting.app.screen.query_one("#options")
            x, width = view.region.x, view.size.width

            async def click(column, row):
                await sitting.pilot.click(offset=(x + column, view.region.y + row))
                await sitting.settle()

            await click(1, 0)
            assert "param:depth" not in sitting.app.view.columns
            before = sitting.app.view.columns
            await click(width - 11, 1)
            assert sitting.app.view.columns[:2] == (before[1], before[0]), "the first button moves it left"
            await click(width - 2, 0)
            assert list(sitting.app.view.widths) == [before[1]], "the last button makes it wider"

    tell(story)


def test_columns_and_widths_are_there_in_the_next_sitting(tmp_path):
    async def story():
        async with workbench(tmp_path) as sitting:
            await sitting.press("o", "right", "enter", "escape")
            kept = sitting.app.view.columns, sitting.app.view.widths
            await sitting.pilot.press("q")
            await sitting.pilot.pause()
        async with workbench(tmp_path) as sitting:
            assert (sitting.app.view.columns, sitting.app.view.widths) == kept

    tell(story)
