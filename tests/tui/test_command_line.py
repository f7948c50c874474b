"""Stories of the colon: commands in the command line's own words, completed, remembered, and refused with a hint."""

from __future__ import annotations

import pytest

from tests.tui.stories import tell, workbench
from workbench.cli.vocabulary import vocabulary


async def typed(sitting, line):
    await sitting.press("colon")
    await sitting.type(line)
    await sitting.press("enter")


@pytest.mark.parametrize(
    ("line", "changes"),
    [
        ("runs --where 'val/accuracy>0.8'", {"where": "val/accuracy>0.8", "hidden": False}),
        ("runs --all --sort name --desc", {"hidden": True, "sort": "name", "descending": True}),
        ("runs --columns param:depth,lr", {"columns": ("param:depth", "param:lr")}),
        ("filter lr>0.05 tag:sweep", {"where": "lr>0.05 tag:sweep"}),
        ("sort train/loss", {"sort": "metric:train/loss", "descending": False}),
        ("sort val/accuracy --desc", {"sort": "main", "descending": True}),
        ("columns depth param:lr", {"columns": ("param:depth", "param:lr")}),
        ("metric train/loss", {"metric": "train/loss"}),
        ("mark gbm-deep logistic", {"marks": ("r03", "r01")}),
        ("compare gbm-deep r01", {"marks": ("r03", "r01")}),
        ("compare --where lr<0.05", {"marks": ("r07", "r04", "r01")}),
    ],
)
def test_a_command_does_what_the_command_line_calls_it(tmp_path, line, changes):
    async def story():
        async with workbench(tmp_path) as sitting:
            await typed(sitting, line)
            assert {name: getattr(sitting.app.view, name) for name in changes} == changes

    tell(story)


@pytest.mark.parametrize(
    ("line", "written"),
    [
        ("tag good", ("tag", "r07", "good")),
        ("tag gbm-deep good", ("tag", "r03", "good")),
        ("tag sweep --remove", ("no tag", "r07", "sweep")),
        ("note 'warm up longer'", ("note", "r07", "warm up longer")),
        ("note gbm-deep look here", ("note", "r03", "look here")),
        ("baseline logistic", ("baseline", "r01")),
        ("baseline rules-dummy --clear", ("no baseline", "r00")),
        ("hide mlp-wide", ("hide", "r05")),
        ("hide mlp-wide --undo", ("show", "r05")),
        ("rename the one", ("rename", "r07", "the one")),
        ("rename gbm-deep champion", ("rename", "r03", "champion")),
    ],
)
def test_what_is_said_of_runs_can_be_typed_and_taken_back(tmp_path, line, written):
    async def story():
        async with workbench(tmp_path) as sitting:
            await typed(sitting, line)
            assert sitting.notebook.written == [written]
            await sitting.press("u")
            assert len(sitting.notebook.written) == 2

    tell(story)


@pytest.mark.parametrize(
    ("line", "seen"),
    [
        ("open drift", " Drift"),
        ("panel sources", " Sources"),
        ("monitor flights", " Windows"),
        ("sources", " Sources"),
        ("compare", " Compare"),
        ("show gbm-deep", " Run"),
        ("help", "Keys"),
    ],
)
def test_a_view_is_opened_by_its_name(tmp_path, line, seen):
    async def story():
        async with workbench(tmp_path) as sitting:
            await typed(sitting, line)
            assert seen in sitting.text

    tell(story)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("rusn", "^ no command 'rusn' – did you mean 'runs'?"),
        ("open drfit", "^ no view 'drfit' – did you mean 'drift'?"),
        ("sort val/los", "did you mean"),
        ("show gbm-dep", "^ no run 'gbm-dep' – did you mean 'gbm-deep'?"),
        ("runs --where 'lr>'", "^ "),
        ("theme dracla", "did you mean 'dracula'?"),
        ("export points --formt csv", "did you mean '--format'?"),
    ],
)
def test_a_mistake_is_told_under_the_line_and_nothing_is_done(tmp_path, line, said):
    async def story():
        async with workbench(tmp_path) as sitting:
            sitting.app.outside = vocabulary
            before = sitting.app.view
            await typed(sitting, line)
            assert said in sitting.text
            await sitting.press("escape")
            assert sitting.app.view == before

    tell(story)


def test_the_caret_stands_under_what_is_wrong_in_the_filter(tmp_path, golden):
    async def story():
        async with workbench(tmp_path) as sitting:
            await sitting.press("colon")
            await sitting.type("runs --where 'lr>1 and ('")
            golden("command-error-80x24", sitting.text)

    tell(story)


def test_tab_completes_what_is_common_then_goes_through_the_candidates(tmp_path, golden):
    async def story():
        async with workbench(tmp_path) as sitting:
            await sitting.press("colon", "r", "u", "tab")
            line = sitting.app.focused
            assert line.value == "runs "
            await sitting.type("--s")
            await sitting.press("tab")
            assert line.value == "runs --sort "
            await sitting.press("tab")
            assert line.value == "runs --sort main "
            golden("command-complete-80x24", sitting.text)
            await sitting.press("tab", "shift+tab")
            assert line.value == "runs --sort main "
            await sitting.pilot.click("#verdict", offset=(sitting.screen[-2].index(" name ") + 2, 0))
            await sitting.settle()
            assert line.value == "runs --sort name "

    tell(story)


def test_within_a_filter_its_keys_are_completed_and_its_runs_are_counted(tmp_path):
    async def story():
        async with workbench(tmp_path) as sitting:
            await sitting.press("colon")
            await sitting.type("runs --where 'val/accuracy>0.8 de")
            assert "depth" in sitting.screen[-2]
            await sitting.press("tab")
            assert sitting.app.focused.value == "runs --where 'val/accuracy>0.8 depth"
            await sitting.type(">=8")
            assert "1 run matches · ' closes" in sitting.screen[-2]
            await sitting.press("enter")
            assert sitting.app.view.where == "", "a quote that is open is not done"
            await sitting.press("'")
            await sitting.press("enter")
            assert sitting.app.view.where == "val/accuracy>0.8 depth>=8"

    tell(story)


def test_the_arrows_bring_back_what_was_typed_before(tmp_path):
    async def story():
        async with workbench(tmp_path) as sitting:
            await typed(sitting, "sort name")
            await typed(sitting, "filter gbm")
            await sitting.press("colon", "up", "up")
            assert sitting.app.focused.value == "sort name"
            await sitting.press("down", "down")
            assert sitting.app.focused.value == ""

    tell(story)


def test_the_palette_lists_the_same_as_the_line_takes(tmp_path):
    async def story():
        async with workbench(tmp_path) as sitting:
            sitting.app.outside = vocabulary
            known = sitting.app.known_words()
            await sitting.press("ctrl+p")
            options = sitting.app.screen._options()
            typed_here = {option.key.removeprefix("type:") for option in options if option.key.startswith("type:")}
            done_here = {option.label.casefold().split(" – ")[0].replace(" ", "-") for option in options}
            assert set(known) <= typed_here | done_here
            await sitting.type("one of report")
            await sitting.press("escape", "ctrl+p")
            await sitting.type("report and gates")
            await sitting.press("enter")
            assert sitting.app.focused.value == "report "

    tell(story)


def test_what_a_key_does_here_can_be_typed_by_its_label(tmp_path):
    async def story():
        async with workbench(tmp_path) as sitting:
            await typed(sitting, "mark-all")
            assert len(sitting.app.view.marks) == 8
            await typed(sitting, "q")
            await sitting.pilot.pause()
            assert not sitting.app.is_running

    tell(story)
