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
