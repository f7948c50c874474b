"""What the Run panel shows besides numbers: progress, aliases, histograms, and the last lines of the output."""

from __future__ import annotations

import numpy as np
import pytest
from msgspec.structs import replace

from tests.panels.test_panels import NARROW, WIDE, one, runs_panel, seen, table
from tests.support.memory_query import MemoryQuery, series, with_points
from tests.support.sample_project import NOW, TREE
from workbench.core.batch import ConsoleLine
from workbench.core.blocks import Heat, Note, Stack, Stat
from workbench.core.model import Run, StepHistogram
from workbench.core.query import Fit, Focus
from workbench.panels.logged import HISTOGRAMS
from workbench.panels.run import RunPanel
from workbench.panels.runs import RunsPanel
from workbench.panels.shapes import show_shape

UNDER_WAY = replace(TREE, total_steps=160)


def run_panel() -> RunPanel:
    return RunPanel(clock=lambda: NOW)


def project(run: Run = UNDER_WAY, **more: object) -> MemoryQuery:
    """One run of 40 of 160 steps, a step every 10 seconds."""
    return MemoryQuery((run,), with_points(series(run.id, "loss", np.linspace(1, 0.1, 41).tolist())), **more)  # type: ignore[arg-type]


def test_a_run_with_a_known_total_shows_how_far_it_is_and_how_long_it_still_takes() -> None:
    found = seen(run_panel(), query=project())
    progress = next(block for block in found if isinstance(block, Stat) and block.label == "progress")
    assert progress.value == "25.0 %, 20m 00s left"
    [row] = table(seen(runs_panel(), query=project()))
    assert (row["progress"].value, row["progress"].text) == (0.25, "25.0 %, 20m 00s left")
    panel = RunsPanel(clock=lambda: NOW)
    [shape] = panel.to_json(panel.load(project(), Focus()))
    assert (shape["progress"], shape["seconds_left"]) == (0.25, pytest.approx(1200.0))


def test_without_a_total_no_progress_is_made_up() -> None:
    query = project(TREE)
    assert not [block for block in seen(run_panel(), query=query) if isinstance(block, Stat) and "prog" in block.label]
    [row] = table(seen(runs_panel(), query=query))
    assert "progress" not in row
    shape = show_shape(query, query.runs()[0])
    assert (shape["progress"], shape["seconds_left"]) == (None, None)


def test_what_other_formats_have_too_is_named_once_and_dimly() -> None:
    aliases = {"loss": ("tensorboard",), "lr": ("tensorboard",), "auc": ("text", "csv")}
    query = project(replace(TREE, formats=("wandb", "tensorboard", "text", "csv"), aliases=aliases, group="sweep"))
    notes = [block for block in seen(run_panel(), query=query) if isinstance(block, Note)]
    assert notes[0].text.endswith("wandb + tensorboard + text + csv · runs/tree · group sweep")
    assert notes[1] == Note("Shown once: loss, lr also in tensorboard; auc also in text and csv", "dim")
    shape = show_shape(query, query.runs()[0])
    assert shape["formats"] == ["wandb", "tensorboard", "text", "csv"]
    assert shape["aliases"]["auc"] == ["text", "csv"]


def histograms(n: int) -> list[StepHistogram]:
    """Values that move up by 1 a step, in bins of 1."""
    return [StepHistogram(at, None, np.arange(at, at + 3.0), np.array([1.0, 3.0])) for at in range(n)]


def test_histograms_are_heat_maps_on_common_bins() -> None:
    query = project(all_histograms={(TREE.id, "weights"): histograms(9)})
    heat = one(seen(run_panel(), query=query), Heat, "weights")
    assert isinstance(heat, Heat)
    assert list(heat.columns) == [str(step) for step in range(9)]
    assert [heat.rows[0], heat.rows[-1]] == ["≥ 9", "≥ 0"]
    assert all(sum(row[column] or 0 for row in heat.values) == pytest.approx(1.0) for column in range(9))
    assert heat.values[0][8] == 0.75
    assert heat.values[0][0] == 0.0
    ascii_only = one(seen(run_panel(), query=query, fit=Fit(80, 24, unicode=False)), Heat, "weights")
    assert isinstance(ascii_only, Heat)
    assert ascii_only.rows[0] == ">= 9"


@pytest.mark.parametrize("fit", [NARROW, WIDE], ids=["80x24", "160x45"])
def test_many_steps_are_thinned_to_the_width_and_keep_the_last(fit: Fit) -> None:
    query = project(all_histograms={(TREE.id, "weights"): histograms(500)})
    heat = one(seen(run_panel(), query=query, fit=fit), Heat, "weights")
    assert isinstance(heat, Heat)
    assert 30 <= len(heat.columns) <= fit.columns // 2
    assert heat.columns[-1] == "499"


def test_more_histograms_than_there_is_room_for_are_counted() -> None:
    query = project(all_histograms={(TREE.id, f"layer{at}"): histograms(2) for at in range(HISTOGRAMS + 3)})
    found = seen(run_panel(), query=query)
    assert sum(isinstance(block, Heat) for block in found) == HISTOGRAMS
    assert Note("3 more histograms are not shown", "dim") in found


def test_the_last_lines_of_the_output_are_shown_and_errors_stand_out() -> None:
    lines = [*(ConsoleLine(f"line {at}") for at in range(50)), ConsoleLine("\x1b[31mboom", None, "err")]
    found = seen(run_panel(), query=project(lines={TREE.id: lines}))
    block = one(found, Stack, "Console")
    assert isinstance(block, Stack)
    assert len(block.blocks) == 20
    assert block.blocks[-1] == Note("\x1b[31mboom", "warn")
