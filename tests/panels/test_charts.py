"""The charts of a page: every metric of several runs, in groups, with what is no series among them."""

from __future__ import annotations

import numpy as np
import pytest

from tests.panels.test_panels import NARROW, WIDE, seen
from tests.support.memory_query import MemoryQuery, series, with_points
from tests.support.sample_project import RULE, TREE
from workbench.core.blocks import Columns, Empty, Heat, Lines, Note, Stack
from workbench.core.model import StepHistogram
from workbench.core.query import Focus
from workbench.panels.charts import CHARTS, ChartsPanel

VALUES = np.linspace(1, 0.1, 41).tolist()


def project(*keys: str, **more: object) -> MemoryQuery:
    """Two runs with the same series."""
    points = with_points(*(series(run.id, key, VALUES) for run in (RULE, TREE) for key in keys))
    return MemoryQuery((RULE, TREE), points, **more)  # type: ignore[arg-type]


def lines(found) -> list[Lines]:
    return [block for block in found if isinstance(block, Lines)]


def test_groups_by_prefix_stand_below_each_other_with_their_charts_side_by_side() -> None:
    query = project("train/loss", "val/loss", "val/accuracy", "val/f1")
    focus = Focus(marked=(TREE.id, RULE.id))
    found = seen(ChartsPanel(), focus, query, WIDE)
    assert [block.title for block in found if isinstance(block, Stack)] == ["Charts", "val/", "train/"]
    assert {chart.title for chart in lines(found)} == {"train/loss", "val/loss", "val/accuracy", "val/f1"}
    assert any(isinstance(block, Columns) and len(block.blocks) == 2 for block in found)
    assert not any(isinstance(block, Columns) for block in seen(ChartsPanel(), focus, query, NARROW))
    assert all(len(chart.lines) == 2 for chart in lines(found)), "both runs on each"


def test_a_run_has_one_colour_on_every_chart() -> None:
    found = lines(seen(ChartsPanel(), Focus(marked=(TREE.id, RULE.id)), project("a", "b", "c")))
    colors = [{line.name: line.color for line in chart.lines} for chart in found]
    assert colors[0] == colors[1] == colors[2] and len(set(colors[0].values())) == 2


@pytest.mark.parametrize(("axis", "label"), [("step", "step"), ("epoch", "epoch"), ("metric:a", "a"), ("wall", "time")])
def test_charts_stand_over_the_axis_that_was_asked_for(axis: str, label: str) -> None:
    query = project("a", "loss")
    query = MemoryQuery(
        query.all_runs, {**query.points, **with_points(*(series(r.id, "epoch", [0, 1, 2]) for r in (RULE, TREE)))}
    )
    found = lines(seen(ChartsPanel(), Focus(options={"x": axis, "log_x": True, "smooth": 0.5}), query))
    chart = next(block for block in found if block.title == "loss")
    assert chart.x_label == label and chart.log_x == (axis != "wall")
    assert chart.lines[0].raw is not None
    if axis == "epoch":
        assert chart.lines[0].x.tolist()[:3] == [0, 1, 2] and chart.lines[0].x.max() == 2


def test_curves_matrices_and_histograms_are_drawn_as_what_they_are() -> None:
    histogram = StepHistogram(3, None, np.linspace(0, 1, 11), np.arange(10.0))
    keys = ("pr/recall", "pr/precision", "confusion/cat/cat", "confusion/cat/dog")
    query = project(*keys, all_histograms={(TREE.id, "w"): [histogram]})
    found = seen(ChartsPanel(), Focus(marked=(TREE.id,)), query)
    (curve,) = lines(found)
    assert (curve.title, curve.x_label, curve.y_label) == ("pr", "recall", "precision")
    heats = {block.title: block for block in found if isinstance(block, Heat)}
    matrix = heats[f"confusion, {TREE.name}: share of the true class"]
    assert matrix.values == [[0.5, 0.5]] and list(matrix.columns) == ["cat", "dog"]
    assert any(title.startswith(f"w, {TREE.name}") for title in heats)


def test_more_charts_than_a_page_holds_are_counted() -> None:
    found = seen(ChartsPanel(), Focus(marked=(TREE.id,)), project(*(f"m{at:02d}" for at in range(CHARTS + 3))))
    assert len(lines(found)) == CHARTS
    assert any(isinstance(block, Note) and block.text.startswith("3 more charts") for block in found)


def test_without_runs_or_metrics_it_says_what_to_do() -> None:
    assert isinstance(seen(ChartsPanel(), query=MemoryQuery())[0], Empty)
    assert isinstance(seen(ChartsPanel(), query=MemoryQuery((TREE,)))[0], Empty)
