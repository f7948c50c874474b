"""The gates in the interface: failing ones first with the reason, each opening what it was judged on."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.support.sample_project import NOW, sample_project
from workbench.core.blocks import Empty, Note, Stack, Table
from workbench.core.config import Config, ConfigError, GateConfig
from workbench.core.query import Fit, Focus
from workbench.panels.gates import GatesPanel
from workbench.panels.registry import all_panels, check_options
from workbench.render.text import render_text

GATES = (
    GateConfig("good", "best(val/accuracy) >= 0.1"),
    GateConfig("data", "drift(flights).share < 0.0001"),
    GateConfig("typo", "best(val/acuracy) >= 0.1"),
)


def test_failing_gates_come_first_with_why_and_where_to_look() -> None:
    panel = GatesPanel(Config(Path("/project"), gates=GATES), clock=lambda: NOW)
    data = panel.load(sample_project(), Focus())
    assert [each.passed for each in data.results] == [False, False, True]
    assert data.judged["data"].panel == "drift" and data.judged["data"].focus == {"monitor": "flights"}
    (good,) = (each for each in data.results if each.name == "good")
    assert data.judged["good"].panel == "run" and data.judged["good"].focus == {"run": good.run}
    block = panel.view(data, Fit(100))
    assert isinstance(block, Stack)
    assert block.blocks[0] == Note("2 of 3 gates fail", "bad")
    assert any(isinstance(each, Table) and each.ids[0].startswith("gate:") for each in block.blocks)
    shown = render_text(block, Fit(100))
    assert "val/accuracy" in shown and "FAILED" in shown  # the nearest right name of a typo
    assert isinstance(panel.view(type(data)(), Fit(100)), Empty)


def test_the_run_that_a_gate_judged_is_opened_whatever_it_is_called() -> None:
    query = sample_project()
    twice = [replace(run, name="lr=0.1, bs=32") for run in query.runs()]
    named = replace(query, all_runs=twice)
    panel = GatesPanel(Config(Path("/project"), gates=GATES[:1]), clock=lambda: NOW)
    data = panel.load(named, Focus())
    assert data.judged["good"].focus == {"run": named.runs()[0].id}
    assert data.judged["good"].words == "lr=0.1, bs=32"


def test_the_name_of_the_panel_is_taken_and_its_options_are_known() -> None:
    config = Config(Path("/project"), gates=GATES, panels={"gates": {"key": "value"}})
    with pytest.raises(ConfigError, match="this panel has no options"):
        check_options(config)


def test_a_project_without_gates_has_no_such_tab() -> None:
    with_gates = {panel.name for panel in all_panels(Config(Path("/project"), gates=GATES))}
    assert with_gates - {panel.name for panel in all_panels(Config(Path("/project")))} == {"gates"}
