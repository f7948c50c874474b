"""Stories of the first minutes: an empty folder, the first run, an edited configuration, a line that was refused."""

from __future__ import annotations

import time
from typing import Any

from msgspec.structs import replace

from tests.support.ingest import Project, line
from tests.support.memory_query import MemoryQuery, series
from tests.tui.project import NOW, LiveQuery, Notebook, run
from tests.tui.stories import Story, clock, panels, tell, workbench
from workbench.core.config import load_config
from workbench.panels.registry import all_panels
from workbench.tui.app import WorkbenchApp


def test_an_empty_folder_is_looked_through_and_then_tells_the_next_command(tmp_path):
    async def story():
        now = [NOW]
        started: list[str] = []
        empty = LiveQuery(MemoryQuery())
        options = {"clock": lambda: now[0], "on_answer": lambda: started.append("reading")}
        async with workbench(tmp_path, query=empty, **options) as sitting:
            assert started == ["reading"]
            assert "Looking for logs in flights …" in sitting.text
            now[0] += 5
            sitting.app._tick()
            await sitting.settle()
            assert "No runs yet in flights" in sitting.text
            assert "run.log(" in sitting.text and "`workbench demo`" in sitting.text
            assert sitting.screen[-1].split() == ["?", "help", "q", "quit"], "no key that would do nothing"

    tell(story)


def test_a_new_run_appears_by_itself(tmp_path):
    async def story():
        query = LiveQuery(MemoryQuery())
        async with workbench(tmp_path, query=query, poll=0.01, clock=time.time) as sitting:
            assert "No runs yet" in sitting.text
            fresh = replace(run(3), name="just-started")
            query.change(all_runs=[fresh], points={(fresh.id, "loss"): series(fresh.id, "loss", [3.0, 2.0, 1.5])})
            await sitting.until("just-started")
            await sitting.until("1 run · 1 running")
            await sitting.until("loss   ━ just-started")

    tell(story)


def test_an_edited_configuration_is_taken_up_and_a_broken_one_is_named(tmp_path):
    async def story():
        file = tmp_path / "flights" / "workbench.toml"
        file.parent.mkdir()
        async with workbench(tmp_path, (120, 40)) as sitting:
            assert "val/accuracy" in sitting.screen[2]
            file.write_text('[project]\nmain_metric = "train/loss"\n')
            sitting.app.look_at_config()
            await sitting.settle()
            assert "train/loss" in sitting.screen[2]
            file.write_text('[project]\nmain_metrik = "val/accuracy"\n')
            sitting.app.look_at_config()
            await sitting.settle()
            assert "main_metrik" in sitting.said and "stays in use" in sitting.said
            assert "train/loss" in sitting.screen[2]

    tell(story)


def test_gates_follow_the_configuration(tmp_path):
    async def story():
        file = tmp_path / "flights" / "workbench.toml"
        file.parent.mkdir()

        async def edit(sitting: Story, text: str) -> None:
            file.write_text(text)
            sitting.app.look_at_config()
            await sitting.settle()

        async with workbench(tmp_path, (120, 40), with_panels=all_panels) as sitting:
            assert "gates" not in sitting.app.panels
            await edit(sitting, '[gates]\nmodel = "best(val/accuracy) >= 0.1"\n')
            await sitting.press("i")
            assert "all 1 pass" in sitting.text
            await edit(sitting, '[gates]\nmodel = "best(val/accuracy) >= 0.99"\n')
            assert "1 of 1 gates fail" in sitting.text

    tell(story)


def test_a_configuration_written_while_the_workbench_opens_is_taken_up(tmp_path):
    """The demo's training writes its settings a moment after the interface has read that there are none."""

    async def story():
        file = tmp_path / "flights" / "workbench.toml"
        file.parent.mkdir()
        file.write_text('[project]\nmain_metric = "train/loss"\n')
        async with workbench(tmp_path, (120, 40)) as sitting:
            sitting.app.look_at_config()
            await sitting.settle()
            assert "train/loss" in sitting.screen[2]

    tell(story)


def test_a_refused_line_is_reached_from_the_list_of_sources(tmp_path, project: Project):
    project.write("runs/a/metrics.jsonl", line(0, loss=1.0) + "not json [/]\x1b]0;x\x07\n" + line(1, loss=0.5))
    project.read(final=True)

    async def story():
        query: Any = project.query
        app = WorkbenchApp(query, Notebook(LiveQuery()), load_config(project.root), panels(), clock=clock, poll=0)
        async with app.run_test(size=(80, 24)) as pilot:
            sitting = Story(app, pilot, query, Notebook(LiveQuery()))
            await sitting.settle()
            await sitting.press("5")
            assert sitting.row("metrics.jsonl").split()[-4:] == ["2", "!", "1", "live"]
            await sitting.press("enter")
            assert sitting.screen[1].startswith(" runs/a/metrics.jsonl")
            refused = sitting.row("not json [/]␛]0;x␇")
            assert refused.split()[:2] == [str(len(line(0, loss=1.0))), "18"]
            await sitting.press("escape")
            assert sitting.screen[1].startswith(" Sources")

    tell(story)
