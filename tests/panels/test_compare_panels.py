"""Many runs compared: what a person sees of a sweep with three seeds, narrow and wide, in every panel."""

from __future__ import annotations

import json
from collections.abc import Iterator
from types import SimpleNamespace

import numpy as np
import pytest
from msgspec.structs import replace

from tests.support.memory_query import MemoryQuery
from tests.support.sweep import STARTED, sweep
from workbench.analysis.importance import Importance, Importances
from workbench.core.blocks import Block, Columns, Empty, Lines, Note, Scatter, Stack, Table
from workbench.core.query import Fit, Focus
from workbench.core.text import width
from workbench.panels import importance as importance_panel
from workbench.panels.compare import ComparePanel
from workbench.panels.groups import GroupsPanel
from workbench.panels.importance import ImportancePanel
from workbench.panels.parallel import ParallelPanel
from workbench.panels.params import ParamsPanel
from workbench.panels.scatter import ScatterPanel
from workbench.plugin.api import Panel
from workbench.plugin.checks import check_block
from workbench.render.html import render_block_html
from workbench.render.json import to_json
from workbench.render.markdown import render_markdown
from workbench.render.text import render_text

QUERY = sweep()
NARROW, WIDE = Fit(80, 24), Fit(160, 45)
ACCURACY = "val/accuracy"
BEST = "adam-0.001-8-s"


def blocks(block: Block) -> Iterator[Block]:
    yield block
    if isinstance(block, Stack | Columns):
        for inner in block.blocks:
            yield from blocks(inner)


def seen(panel: Panel, focus: Focus | None = None, query: MemoryQuery = QUERY, fit: Fit = WIDE) -> SimpleNamespace:
    """What a panel shows: its blocks by kind, its words, its JSON."""
    data = panel.load(query, focus or Focus(metric=ACCURACY))
    block = panel.view(data, fit)
    check_block(block)
    every = list(blocks(block))
    tables = [each for each in every if isinstance(each, Table)]
    words = render_text(block, fit)
    assert max(map(width, words.splitlines())) <= fit.columns
    json.dumps(panel.to_json(data), allow_nan=False)
    return SimpleNamespace(
        data=data, every=every, tables=tables, words=words, shape=panel.to_json(data), choices=panel.choices(data),
        notes=" ".join(each.text for each in every if isinstance(each, Note)),
        first=lambda kind: next(each for each in every if isinstance(each, kind)),
    )  # fmt: skip


def rows(table: Table) -> list[dict[str, object]]:
    return [{column.key: cell for column, cell in zip(table.columns, row, strict=True)} for row in table.rows]


PANELS = [ComparePanel, ParamsPanel, ScatterPanel, ParallelPanel, GroupsPanel]


# Compare ---------------------------------------------------------------------------------------------------------


def test_few_runs_stand_side_by_side_with_noise_marked() -> None:
    marked = ("sgd-0.1-4-s2", "adam-0.001-8-s1")
    found = seen(ComparePanel(), Focus(metric=ACCURACY, marked=marked))
    accuracy = rows(found.tables[0])[0]
    assert accuracy["key"].value == ACCURACY
    again, better = accuracy[marked[0]], accuracy[marked[1]]
    assert again.text.startswith("≈ ") and again.tone == "dim" and again.delta is not None
    assert better.tone == "good" and "≈" not in better.text
    assert "another seed may change as much (6 seeds of 2 settings, 95 %)" in found.notes
    assert accuracy["best"].value == "adam-0.001-8-s1"
    assert accuracy["noise"].value == pytest.approx(found.shape["metrics"][0]["noise"]["threshold"])


def test_more_runs_than_fit_stand_below_each_other_the_best_first() -> None:
    marked = tuple(run.id for run in QUERY.runs())
    table = seen(ComparePanel(), Focus(metric=ACCURACY, marked=marked), fit=NARROW).tables[0]
    assert [column.key for column in table.columns][:2] == ["run", ACCURACY]
    names = [row["run"].text for row in rows(table)]
    assert names[0] == "sgd-0.1-4-s1 ◆" and all(name.startswith("adam") for name in names[1:10])
    assert list(table.ids) == [name.split()[0] for name in names], "enter opens a run"


def test_any_number_of_runs_is_compared_and_the_curves_of_the_first_are_drawn() -> None:
    query = sweep(rounds=20)
    found = seen(ComparePanel(), Focus(metric=ACCURACY, marked=tuple(run.id for run in query.runs())), query)
    assert len(found.tables[0].rows) == 300
    assert len(found.first(Lines).lines) == 12
    assert "curves of the first 12 runs" in found.notes


@pytest.mark.parametrize("value", ["best", "min", "max", "first", "step:30"])
def test_other_values_than_the_last_may_stand_for_a_series(value: str) -> None:
    marked = ("adam-0.001-8-s1", "sgd-0.01-2-s1")
    found = seen(ComparePanel(), Focus(metric=ACCURACY, marked=marked, options={"value": value}))
    points = QUERY.series(marked[0], ACCURACY).value
    wanted = {"best": points.max(), "min": points.min(), "max": points.max(), "first": points[0], "step:30": points[30]}
    assert rows(found.tables[0])[0][marked[0]].value == pytest.approx(wanted[value])
    assert found.shape["value"] == value
    assert found.choices[0].current == value and "step:30" in ("step:30", *found.choices[0].values)


def test_a_value_that_does_not_exist_is_said_and_the_last_shown() -> None:
    found = seen(ComparePanel(), Focus(metric=ACCURACY, marked=("sgd-0.01-2-s1",), options={"value": "bets"}))
    assert "did you mean 'best'" in found.notes and found.data.at.option == "last"


def test_without_repeated_seeds_nothing_is_called_noise() -> None:
    query = replace(QUERY, all_runs=tuple(run for run in QUERY.all_runs if run.name.endswith("s1")))
    found = seen(ComparePanel(), Focus(metric=ACCURACY, marked=("adam-0.001-8-s1",)), query)
    assert "≈" not in found.words and found.shape["metrics"][0]["noise"] is None


# Params ----------------------------------------------------------------------------------------------------------


def test_parameters_that_differ_are_listed_with_how_the_runs_of_each_value_did() -> None:
    found = seen(ParamsPanel())
    levels = {(row["param"].value, row["value"].value): row for row in rows(found.tables[-1]) if row["value"].value}
    assert levels["optimizer", "adam"]["runs"].value == 9
    assert levels["optimizer", "adam"]["mean"].value > levels["", "sgd"]["mean"].value
    assert not any(name in ("batch_size", "seed") for name, _ in levels)
    assert "the same in all of these runs: 1 more" in found.notes


def test_two_marked_runs_show_their_parameters_side_by_side() -> None:
    found = seen(ParamsPanel(), Focus(metric=ACCURACY, marked=("adam-0.001-8-s1", "sgd-0.01-2-s1")))
    side = {row["key"].value: row for row in rows(found.tables[0])}
    assert side["depth"]["adam-0.001-8-s1"].value == 8 and side["depth"]["sgd-0.01-2-s1"].value == 2


# Scatter ---------------------------------------------------------------------------------------------------------


def test_a_scatter_names_its_runs_and_marks_the_best() -> None:
    found = seen(ScatterPanel(), Focus(metric=ACCURACY, options={"scatter_x": "lr"}))
    scatter = found.first(Scatter)
    assert scatter.x.log and scatter.x.label == "lr, log"
    (best,) = [point for point in scatter.points if point.tone == "good"]
    assert best.name.startswith(BEST)
    assert found.tables[0].ids[0] == best.name
    assert f"★ {best.name} is best in {ACCURACY}" in found.notes


def test_two_metrics_with_a_better_way_have_a_front() -> None:
    found = seen(ScatterPanel(), Focus(metric=ACCURACY, options={"scatter_x": "duration"}))
    assert "no run is better in both" in found.notes
    front = [point["run"] for point in found.shape["points"] if point["on_front"]]
    assert any(name.startswith("adam-0.0001-2") for name in front), "quick, if not the best"


def test_a_column_that_no_run_has_is_named_and_the_usual_one_shown() -> None:
    found = seen(ScatterPanel(), Focus(metric=ACCURACY, options={"scatter_x": "dept"}))
    assert "did you mean 'depth'" in found.notes
    assert found.shape["x"] in ("param:lr", "param:depth", "param:optimizer")


def test_names_are_an_axis_too() -> None:
    scatter = seen(ScatterPanel(), Focus(metric=ACCURACY, options={"scatter_x": "optimizer"})).first(Scatter)
    assert scatter.x.names == ("adam", "sgd")
    assert {point.x for point in scatter.points} == {0.0, 1.0}


# Parallel --------------------------------------------------------------------------------------------------------


def test_strips_show_where_the_good_runs_lie() -> None:
    found = seen(ParallelPanel(), fit=NARROW)
    table = found.tables[0]
    scale, best, *runs = rows(table)
    assert {column.title for column in table.columns[2:]} == {"lr", "depth", "optimizer"}
    assert scale["param:lr"].text.replace("log", "").split() == ["0.0001", "0.1"]
    assert best["param:optimizer"].text.startswith("adam")
    assert [row["metric"].value for row in runs] == sorted((row["metric"].value for row in runs), reverse=True)
    top = runs[0]["param:depth"].text
    assert top.endswith("●"), "the deepest is best"
    assert len(runs) == 15 and table.ids[2].startswith(BEST)


def test_axes_are_those_asked_for() -> None:
    found = seen(ParallelPanel(), Focus(metric=ACCURACY, options={"axes": "depth, val/loss, nonsense"}))
    assert [axis["key"] for axis in found.shape["axes"]] == ["param:depth", "metric:val/loss"]
    assert "nonsense" in found.notes


def test_the_best_runs_are_lines_from_axis_to_axis_that_end_at_the_metric() -> None:
    found = seen(ParallelPanel(), fit=Fit(120, 40))
    chart = found.first(Lines)
    assert chart.x_names[-1] == ACCURACY and set(chart.x_names[:-1]) == {"lr", "depth", "optimizer"}
    ends = [line.y[-1] for line in chart.lines]
    assert ends == sorted(ends, reverse=True) and ends[0] == 1.0
    assert [line.color for line in chart.lines] == list(range(len(chart.lines)))
    assert chart.lines[0].name.startswith(BEST) and "the best 6 of 15 runs" in found.notes
    depth = chart.x_names.index("depth")
    assert [line.y[depth] for line in chart.lines[:3]] == [1.0, 1.0, 1.0], "the deepest are best"


@pytest.mark.parametrize(("option", "lines"), [("all", 15), ("none", 0), ("best", 6)])
def test_which_runs_have_a_line_can_be_chosen(option: str, lines: int) -> None:
    found = seen(ParallelPanel(), Focus(metric=ACCURACY, options={"lines": option}))
    assert sum(len(block.lines) for block in found.every if isinstance(block, Lines)) == lines


def test_where_there_are_few_rows_the_strips_have_them_and_an_unknown_wish_is_named() -> None:
    assert not [block for block in seen(ParallelPanel(), fit=Fit(60, 11)).every if isinstance(block, Lines)]
    found = seen(ParallelPanel(), Focus(metric=ACCURACY, options={"lines": "al"}))
    assert "lines: no 'al' – did you mean 'all'?" in found.notes


def test_a_run_without_a_value_has_a_gap_in_its_line() -> None:
    query = sweep()
    runs = tuple(replace(run, params={**run.params, "depth": None}) if run.id == f"{BEST}2" else run
                 for run in query.all_runs)  # fmt: skip
    found = seen(ParallelPanel(), query=replace(query, all_runs=runs), fit=Fit(120, 40))
    chart = found.first(Lines)
    first = next(line for line in chart.lines if line.name == f"{BEST}2")
    assert np.isnan(first.y[chart.x_names.index("depth")]) and np.isfinite(first.y[-1])


# Groups ----------------------------------------------------------------------------------------------------------


def test_seeds_of_one_setting_are_a_group_by_themselves() -> None:
    found = seen(GroupsPanel())
    assert found.shape["by"] == "config"
    assert [group["n"] for group in found.shape["groups"]] == [3] * 5
    reference, best, *_ = rows(found.tables[0])
    assert reference["group"].text.endswith("◆") and "lr=0.1" in reference["group"].value
    assert "depth=8" in best["group"].value and best["mean"].tone == "good"
    lines = found.first(Lines).lines
    assert len(lines) == 5 and all(
        (line.low <= line.y + 1e-12).all() and (line.y <= line.high + 1e-12).all() for line in lines
    )


@pytest.mark.parametrize(
    ("by", "names"),
    [
        ("optimizer", {"adam", "sgd"}),
        ("tag:team", {"vision"}),
        ("optimizer, depth", {"optimizer=adam depth=8", "optimizer=sgd depth=2"}),
        ("state", {"finished"}),
    ],
)
def test_runs_are_grouped_by_any_parameter_or_tag(by: str, names: set[str]) -> None:
    found = seen(GroupsPanel(), Focus(metric=ACCURACY, options={"by": by}))
    assert names <= {group["group"] for group in found.shape["groups"]}


def test_many_different_numbers_become_ranges() -> None:
    found = seen(GroupsPanel(), Focus(metric=ACCURACY, options={"by": "started"}))
    assert sum(group["n"] for group in found.shape["groups"]) == 15
    assert len(found.shape["groups"]) == 4


def test_a_difference_that_chance_explains_is_marked() -> None:
    query = replace(QUERY, all_runs=tuple(replace(run, params={**run.params, "coin": "ab"[at % 2]})
                                          for at, run in enumerate(QUERY.all_runs)))  # fmt: skip
    found = seen(GroupsPanel(), Focus(metric=ACCURACY, options={"by": "coin"}), query)
    (other,) = [group for group in found.shape["groups"] if group["delta"]]
    assert other["differs"] is False
    assert any("≈" in row["mean"].text for row in rows(found.tables[0]))


# Importance ------------------------------------------------------------------------------------------------------

FOUND = Importances(
    (
        Importance("param:lr", 0.5, 0.06, -0.7, -0.9, -0.4, 0.002, 15),
        Importance("param:optimizer", 0.3, 0.05, 0.6, None, None, 0.01, 15, "adam"),
        Importance("param:depth", 0.01, 0.04, 0.2, -0.3, 0.6, 0.6, 15),
    ),
    0.8, 15, (("param:lr", "param:warmup"),),
)  # fmt: skip


def test_importance_says_what_matters_which_way_and_how_surely(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importance_panel, "importance_of", lambda columns, target: FOUND)
    found = seen(ImportancePanel())
    lr, optimizer, depth = rows(found.tables[0])
    assert lr["better"].value == "with lower" and optimizer["better"].value == "with adam"
    assert depth["better"].value == "not clear" and depth["loss"].tone == "dim"
    assert lr["loss"].text == "0.5 ±0.12" and lr["interval"].text == "-0.90 … -0.40"
    assert "80.0 % of the order of unseen runs" in found.notes
    assert "lr and warmup were changed together" in found.notes
    middle = replace(FOUND, params=(Importance("param:width", 0.4, 0.05, 0.1, -0.4, 0.5, 0.7, 15, "", 5.0),))
    monkeypatch.setattr(importance_panel, "importance_of", lambda columns, target: middle)
    assert rows(seen(ImportancePanel()).tables[0])[0]["better"].value == "around 5"
    narrow = seen(ImportancePanel(), fit=NARROW).tables[0]
    assert {"param", "loss", "rank", "better"} <= {column.key for column in narrow.columns}


def test_a_forest_that_explains_nothing_is_not_to_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importance_panel, "importance_of", lambda columns, target: replace(FOUND, explained=-0.1))
    assert "do not read its importances" in seen(ImportancePanel()).notes


def test_runs_under_way_and_too_few_runs_are_refused_with_the_reason() -> None:
    running = tuple(replace(run, status="running") if run.name.endswith("s1") else run for run in QUERY.all_runs[:9])
    found = seen(ImportancePanel(), Focus(metric=ACCURACY), replace(QUERY, all_runs=running))
    empty = found.first(Empty)
    assert "6 ended runs" in empty.hint and "3 runs are still under way" in empty.hint
    assert found.shape["reason"] and found.shape["params"] == []


# All -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("panel", PANELS, ids=lambda panel: panel.name)
@pytest.mark.parametrize("fit", [Fit(60, 15), NARROW, WIDE, Fit(220, 60), Fit(80, 24, 0, unicode=False)])
def test_every_panel_is_drawn_in_every_format_at_every_size(panel: type[Panel], fit: Fit) -> None:
    made = panel()
    block = made.view(made.load(QUERY, Focus(metric=ACCURACY)), fit)
    assert max(map(width, render_text(block, fit).splitlines())) <= fit.columns
    assert render_markdown(block) and render_block_html(block) and to_json(block)


@pytest.mark.parametrize("panel", [*PANELS, ImportancePanel], ids=lambda panel: panel.name)
@pytest.mark.parametrize("runs", [0, 1])
def test_nothing_to_look_at_is_said(panel: type[Panel], runs: int) -> None:
    (empty,) = seen(panel(), Focus(), replace(QUERY, all_runs=QUERY.all_runs[:runs])).every
    assert isinstance(empty, Empty) and empty.hint


@pytest.mark.parametrize("panel", PANELS, ids=lambda panel: panel.name)
def test_runs_without_a_metric_or_a_parameter_break_nothing(panel: type[Panel]) -> None:
    bare = replace(QUERY, all_runs=tuple(replace(run, params={}, tags={}) for run in QUERY.all_runs))
    seen(panel(), Focus(), bare)
    seen(panel(), Focus(), replace(QUERY, points={}))
    late = tuple(replace(run, started_at=None, ended_at=None, updated_at=STARTED) for run in QUERY.all_runs)
    seen(panel(), Focus(), replace(QUERY, all_runs=late))
