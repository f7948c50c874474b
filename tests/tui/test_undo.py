"""Stories of taking back: what was written about a run is undone by writing its inverse, the last first."""

from __future__ import annotations

import pytest

from tests.support.ingest import Project, line
from tests.tui.stories import tell, workbench
from workbench.ingest.annotate import Annotator


def test_u_takes_back_the_last_tag_note_baseline_and_hiding(tmp_path):
    async def story():
        async with workbench(tmp_path) as sitting:
            await sitting.press("t")
            await sitting.type("keep")
            await sitting.press("enter", "n")
            await sitting.type("warmup helps")
            await sitting.press("enter", "b", "H")
            assert "u takes it back" in sitting.said
            del sitting.notebook.written[:]
            await sitting.press("u", "u", "u", "u")
            assert sitting.notebook.written == [
                ("show", "r07"),
                ("no baseline", "r07"),
                ("no note", "r07", "warmup helps"),
                ("no tag", "r07", "keep"),
            ]
            await sitting.press("u")
            assert sitting.said == "nothing to take back"
            assert len(sitting.notebook.written) == 4

    tell(story)


def test_a_tag_that_replaced_another_value_gives_it_back(tmp_path):
    async def story():
        async with workbench(tmp_path) as sitting:
            await sitting.press("t")
            await sitting.type("sweep=b")
            await sitting.press("enter", "u")
            assert sitting.notebook.written == [("tag", "r07", "sweep=b"), ("tag", "r07", "sweep=a")]

    tell(story)


def test_what_was_taken_back_is_done_again_until_something_else_is_written(tmp_path):
    async def story():
        async with workbench(tmp_path) as sitting:
            await sitting.press("R")
            await sitting.type(" v2")
            await sitting.press("enter", "H", "u", "u")
            assert "U does it again" in sitting.said
            del sitting.notebook.written[:]
            await sitting.press("U", "U")
            assert sitting.notebook.written == [("rename", "r07", "night-sweep-01 v2"), ("hide", "r07")]
            await sitting.press("U")
            assert sitting.said == "nothing to do again"
            await sitting.press("u", "b", "U")
            assert sitting.said == "nothing to do again", "something else was written since"

    tell(story)


def test_what_could_not_be_taken_back_can_be_tried_again(tmp_path):
    async def story():
        async with workbench(tmp_path) as sitting:
            await sitting.press("H")
            works = sitting.notebook.hide

            def full(run_id: str, *, on: bool = True) -> None:
                raise OSError("no space left on device")

            sitting.notebook.hide = full
            await sitting.press("u")
            assert "not written: no space left" in sitting.said
            sitting.notebook.hide = works
            await sitting.press("u")
            assert sitting.notebook.written[-1] == ("show", "r07")

    tell(story)


def test_a_new_name_is_shown_and_the_old_one_comes_back(tmp_path):
    async def story():
        async with workbench(tmp_path) as sitting:
            await sitting.press("end", "enter", "R")
            assert "another name for rules-dummy" in sitting.text
            await sitting.type("!")
            await sitting.press("enter")
            await sitting.store_changes()
            assert sitting.app.name_of("r00") == "rules-dummy!"
            await sitting.press("u")
            assert sitting.notebook.written == [("rename", "r00", "rules-dummy!"), ("rename", "r00", "rules-dummy")]

    tell(story)


def test_what_could_not_be_written_is_not_taken_back(tmp_path):
    async def story():
        async with workbench(tmp_path) as sitting:

            def full(run_id: str, *, on: bool = True) -> None:
                raise OSError("no space left on device")

            sitting.notebook.hide = full
            await sitting.press("H")
            assert "not written: no space left" in sitting.said
            await sitting.press("u")
            assert sitting.said == "nothing to take back"

    tell(story)


@pytest.mark.parametrize("what", ["tag", "note"])
def test_the_log_of_annotations_reads_back_as_if_it_had_not_been_said(project: Project, what):
    project.write("runs/a/metrics.jsonl", line(0, loss=1.0))
    project.read(final=True)
    run = project.query.runs()[0]
    annotator = Annotator(project.root, lambda: project.now)
    getattr(annotator, what)(run.id, "first")
    project.now += 1
    getattr(annotator, what)(run.id, "second")
    getattr(annotator, what)(run.id, "second", on=False)
    project.read(final=True)
    run = project.query.runs()[0]
    assert (list(run.tags) or list(run.notes)) == ["first"]
