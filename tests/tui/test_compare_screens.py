"""Stories of many runs compared: the views, what is chosen in them, and where they lead."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from tests.support.sweep import STARTED, sweep
from tests.tui.project import NOW, LiveQuery
from tests.tui.stories import clock, tell, workbench
from workbench.analysis.importance import Importance, Importances
from workbench.panels import importance as importance_panel
from workbench.panels.compare import ComparePanel
from workbench.panels.groups import GroupsPanel
from workbench.panels.importance import ImportancePanel
from workbench.panels.parallel import ParallelPanel
from workbench.panels.params import ParamsPanel
from workbench.panels.run import RunPanel
from workbench.panels.runs import RunsPanel
from workbench.panels.scatter import ScatterPanel

FOUND = Importances(
    (
        Importance("param:optimizer", 0.5, 0.06, -0.8, None, None, 0.002, 15, "adam"),
        Importance("param:lr", 0.3, 0.05, -0.6, -0.9, -0.2, 0.02, 15),
        Importance("param:depth", 0.01, 0.04, 0.2, -0.3, 0.6, 0.6, 15),
    ),
    0.8, 15,
)  # fmt: skip
VIEWS = {"C": "scatter", "A": "parallel", "I": "importance", "B": "groups", "d": "params"}


@pytest.fixture(autouse=True)
def known_importance(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importance_panel, "importance_of", lambda columns, target: FOUND)


def panels():
    return [
        RunsPanel(clock), RunPanel(clock), ComparePanel(), ParamsPanel(clock), ScatterPanel(clock),
        ParallelPanel(clock), ImportancePanel(clock), GroupsPanel(clock),
    ]  # fmt: skip


def swept() -> LiveQuery:
    """The sweep, made an hour ago."""
    query = sweep()
    shift = NOW - 86_400 - STARTED
    runs = tuple(
        replace(
            run, started_at=run.started_at + shift, ended_at=run.ended_at + shift, updated_at=run.updated_at + shift
        )
        for run in query.all_runs
    )
    return LiveQuery(replace(query, all_runs=runs))


def test_every_view_of_a_sweep_reads_well(tmp_path, golden):
    async def story():
        async with workbench(tmp_path, (120, 40), swept(), panels()) as sitting:
            for key, name in VIEWS.items():
                await sitting.press(key)
                golden(f"{name}-120x40", sitting.text)

    tell(story)


def test_all_marked_runs_are_compared_below_each_other(tmp_path, golden):
    async def story():
        async with workbench(tmp_path, (120, 40), swept(), panels()) as sitting:
            await sitting.press("asterisk", "2")
            golden("compare-sweep-120x40", sitting.text)
            assert "≈ within noise" in sitting.text
            assert "C Scatter" in sitting.screen[1]

    tell(story)


def test_v_steps_through_values_and_o_chooses_one_that_is_kept(tmp_path):
    async def story():
        async with workbench(tmp_path, (120, 40), swept(), panels()) as sitting:
            await sitting.press("2", "v")
            assert "Metrics, best values" in sitting.text and "value of a metric: best" in sitting.screen[1]
            await sitting.press("o")
            await sitting.type("step:59")
            await sitting.press("enter")
            assert "Metrics, values at step 59" in sitting.text
            assert sitting.app.view.chosen == ("compare.value=step:59",)
            await sitting.press("o")
            await sitting.type("let")
            await sitting.press("enter")
            assert sitting.app.view.chosen == () and "best values" not in sitting.text

    tell(story)


def test_another_step_is_typed(tmp_path):
    async def story():
        async with workbench(tmp_path, (120, 40), swept(), panels()) as sitting:
            await sitting.press("2", "o")
            await sitting.type("type")
            await sitting.press("enter")
            await sitting.press("backspace", "backspace", "backspace", "backspace")
            await sitting.type("step:30")
            await sitting.press("enter")
            assert "Metrics, values at step 30" in sitting.text

    tell(story)


def test_the_axes_of_a_scatter_are_chosen_by_name(tmp_path):
    async def story():
        async with workbench(tmp_path, (120, 40), swept(), panels()) as sitting:
            await sitting.press("C", "o")
            await sitting.type("x axis")
            await sitting.press("enter")
            await sitting.type("dura")
            await sitting.press("enter")
            assert "val/accuracy over duration" in sitting.text
            assert "x axis: duration" in sitting.screen[1]
            await sitting.press("enter")
            assert sitting.screen[1].startswith(" adam-0.001-8-s"), "the best run is open"

    tell(story)


def test_a_parameter_that_matters_opens_to_its_scatter(tmp_path):
    async def story():
        async with workbench(tmp_path, (120, 40), swept(), panels()) as sitting:
            await sitting.press("I", "down", "enter")
            assert "val/accuracy over lr, log" in sitting.text
            await sitting.press("escape")
            assert "What matters for val/accuracy" in sitting.text

    tell(story)


def test_a_group_opens_to_the_comparison_of_its_runs(tmp_path):
    async def story():
        async with workbench(tmp_path, (120, 40), swept(), panels()) as sitting:
            await sitting.press("B", "down", "enter")
            assert "depth=8" in sitting.screen[1]
            assert "adam-0.001-8-s1" in sitting.text and "adam-0.001-8-s3" in sitting.text

    tell(story)


def test_another_metric_is_chosen_where_no_chart_is(tmp_path):
    async def story():
        async with workbench(tmp_path, (120, 40), swept(), panels()) as sitting:
            await sitting.press("A", "m")
            await sitting.type("loss")
            await sitting.press("enter")
            assert "val/loss" in sitting.text and "lowest first" in sitting.text

    tell(story)
