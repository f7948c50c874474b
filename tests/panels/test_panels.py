"""The built-in panels on a small project: what a person sees, narrow and wide, full and empty."""

from __future__ import annotations

import json
from collections.abc import Iterator

import numpy as np
import pytest
from msgspec.structs import replace

from tests.support.memory_query import MemoryQuery
from tests.support.sample_project import LOGISTIC, NOW, TREE, WINDOWS, sample_project, without_baseline
from tests.support.sweep import sweep
from workbench.core.blocks import Bars, Block, Cell, Columns, Empty, Heat, Lines, Note, Stack, Stat, Table
from workbench.core.model import ColumnDrift, Run, Summary
from workbench.core.query import Fit, Focus
from workbench.core.strength import strength
from workbench.panels import built_in
from workbench.panels.compare import ComparePanel
from workbench.panels.drift import DriftPanel
from workbench.panels.parts import chart_groups
from workbench.panels.run import RunPanel
from workbench.panels.runs import RunsPanel
from workbench.panels.sources import SourcesPanel
from workbench.panels.windows import WindowsPanel
from workbench.plugin.api import Panel

PROJECT = sample_project()
NARROW, WIDE = Fit(80, 24), Fit(160, 45)


def blocks(block: Block) -> Iterator[Block]:
    """A block and everything in it."""
    yield block
    if isinstance(block, Stack | Columns):
        for inner in block.blocks:
            yield from blocks(inner)


def seen(panel: Panel, focus: Focus | None = None, query: MemoryQuery = PROJECT, fit: Fit = WIDE) -> list[Block]:
    return list(blocks(panel.view(panel.load(query, focus or Focus()), fit)))


def one(found: list[Block], kind: type, title: str = "") -> object:
    matching = [block for block in found if isinstance(block, kind) and title in getattr(block, "title", "")]
    assert matching, f"no {kind.__name__} {title!r}"
    return matching[0]


def table(found: list[Block], title: str = "") -> list[dict[str, Cell]]:
    block = one(found, Table, title)
    assert isinstance(block, Table)
    assert all(len(row) == len(block.columns) for row in block.rows)
    return [dict(zip([column.key for column in block.columns], row, strict=True)) for row in block.rows]


def runs_panel() -> RunsPanel:
    return RunsPanel(clock=lambda: NOW)


def test_the_run_table_shows_state_age_main_metric_delta_and_latency() -> None:
    tree, logistic, rule = table(seen(runs_panel()))
    assert [row["name"].value for row in (tree, logistic, rule)] == ["tree", "logistic", "rule"]
    assert tree["state"].text == "● running"
    assert tree["age"].value == 600
    assert tree["val/accuracy"].value == pytest.approx(0.895)
    assert tree["val/accuracy"].delta == pytest.approx(0.895 / 0.8 - 1)
    assert tree["val/accuracy"].tone == "good"
    assert tree["latency_ms.p95"].value == pytest.approx(19.0)
    assert (tree["latency_ms.p95"].delta, tree["latency_ms.p95"].tone) == (pytest.approx(18.0), "bad")
    assert len(tree["spark"].spark) > 5
    assert (logistic["val/accuracy"].delta, logistic["val/accuracy"].tone) == (pytest.approx(-0.0625), "bad")
    assert logistic["latency_ms.p95"].value is None
    assert rule["name"].text == "rule ◆"
    assert rule["val/accuracy"].delta is None, "the baseline is not compared with itself"


def test_parameters_and_metrics_become_columns_as_room_permits() -> None:
    narrow, wide = seen(runs_panel(), fit=NARROW), seen(runs_panel(), fit=Fit(200, 45))
    few, many = table(narrow)[0], table(wide)[0]
    assert {"state", "name", "val/accuracy", "latency_ms.p95"} <= set(few) < set(many)
    assert {"param:model", "param:depth", "metric:val/loss", "metric:train/loss"} <= set(many)
    assert "param:threshold" not in many, "a parameter that is the same everywhere says nothing"
    assert set(table(seen(runs_panel(), fit=Fit(20, 10)))[0]) == {"state", "name"}


def test_without_unicode_the_state_is_still_a_mark_and_a_word() -> None:
    tree = table(seen(runs_panel(), fit=Fit(80, 24, unicode=False)))[0]
    assert tree["state"].text == "* running"


def test_a_filter_that_finds_nothing_says_why() -> None:
    assert seen(runs_panel(), Focus(where="val/los<0.4")) == [
        Empty("No run matches the filter", "no run has 'val/los' – did you mean 'val/loss'?")
    ]
    assert seen(runs_panel(), Focus(where="state:lost")) == [Empty("No run matches the filter", "Filter: state:lost")]
    (broken,) = seen(runs_panel(), Focus(where="(lr>1"))
    assert isinstance(broken, Empty) and broken.hint.endswith("(lr>1\n  ^")


@pytest.mark.parametrize(
    ("options", "names"),
    [
        ({"sort": "name"}, ["logistic", "rule", "tree"]),
        ({"sort": "name", "descending": True}, ["tree", "rule", "logistic"]),
        ({"sort": "val/accuracy", "descending": True}, ["tree", "rule", "logistic"]),
        ({"sort": "param:depth"}, ["tree", "logistic", "rule"]),  # the unknown last
        ({"sort": "age", "descending": True}, ["rule", "logistic", "tree"]),
        ({"limit": 1}, ["tree"]),
    ],
)
def test_the_table_is_sorted_and_cut_as_asked(options: dict[str, object], names: list[str]) -> None:
    found = seen(runs_panel(), Focus(options=options))
    assert [row["name"].value for row in table(found)] == names
    assert any(isinstance(block, Note) and block.text == "1 of 3 runs shown" for block in found) is ("limit" in options)


def test_one_run_shows_all_that_is_known_of_it() -> None:
    found = seen(RunPanel(clock=lambda: NOW), Focus(run=TREE.id))
    stats = {block.label: block for block in found if isinstance(block, Stat)}
    assert stats["state"].value == "● running"
    assert stats["duration"].value == 600
    assert stats["val/accuracy"].delta == pytest.approx(0.11875)
    assert stats["best val/accuracy"].value == pytest.approx(0.895)
    assert stats["latency_ms.p95"].tone == "bad"
    metrics = {row["key"].value: row for row in table(found, "Metrics")}
    assert list(metrics)[:1] == ["val/accuracy"]
    assert metrics["latency_ms.p99"]["last"].text == "19 ms"
    assert metrics["mystery"]["best"].value is None, "which way is better is unknown"
    assert {row["key"].value for row in table(found, "Parameters")} == {"model", "threshold", "depth"}
    stages = table(found, "Stages")
    assert [(row["name"].value, row["duration"].value) for row in stages] == [("ingestion", 10.0), ("training", None)]
    environment = {row["key"].value: row["value"].value for row in table(found, "Environment")}
    assert environment == {"git.commit": "c0ffee", "git.dirty": False, "host": "node7"}
    assert any(isinstance(block, Note) and block.text == "deeper than before" for block in found)


def test_training_and_validation_share_a_chart() -> None:
    loss = one(seen(RunPanel(), Focus(run=TREE.id)), Lines, "loss")
    assert isinstance(loss, Lines)
    assert sorted(line.name for line in loss.lines) == ["train/loss", "val/loss"]
    assert chart_groups(["val_acc", "epoch", "acc", "train/loss"]) == [
        ("acc", ["val_acc", "acc"]),
        ("train/loss", ["train/loss"]),
    ]


def test_the_newest_run_is_opened_when_none_is_chosen_and_one_that_is_gone_is_missed() -> None:
    assert RunPanel().load(PROJECT, Focus()).run.id == TREE.id
    (gone,) = seen(RunPanel(), Focus(run="ffff"))
    assert isinstance(gone, Empty) and "gone" in gone.title


def test_marked_runs_are_compared_with_the_baseline() -> None:
    found = seen(ComparePanel(), Focus(marked=(TREE.id, LOGISTIC.id), metric="val/accuracy"))
    overlay = one(found, Lines)
    assert isinstance(overlay, Lines)
    assert [line.name for line in overlay.lines] == ["rule", "tree", "logistic"]
    assert len({line.color for line in overlay.lines}) == 3
    metrics = {row["key"].value: row for row in table(found, "Metrics")}
    assert next(iter(metrics)) == "val/accuracy"
    assert metrics["val/accuracy"][TREE.id].tone == "good"
    assert metrics["val/accuracy"][LOGISTIC.id].tone == "bad"
    assert metrics["latency_ms.p95"][TREE.id].delta == pytest.approx(18.0)
    params = {row["key"].value: row for row in table(found, "Parameters")}
    assert set(params) == {"C", "depth", "model"}


def test_the_chart_follows_the_options() -> None:
    options = {"x": "relative", "log_y": True, "smooth": 0.6}
    overlay = one(seen(ComparePanel(), Focus(marked=(TREE.id,), metric="val/accuracy", options=options)), Lines)
    assert isinstance(overlay, Lines)
    assert (overlay.x_kind, overlay.log_y) == ("duration", True)
    tree = overlay.lines[1]
    assert tree.raw is not None and np.ptp(tree.y) < np.ptp(tree.raw)
    wall = one(seen(ComparePanel(), Focus(marked=(TREE.id,), options={"x": "wall"})), Lines)
    assert isinstance(wall, Lines) and wall.x_kind == "time" and wall.lines[0].x[0] > 1e9


def test_a_run_keeps_its_colour_when_another_is_marked_too() -> None:
    few = one(seen(ComparePanel(), Focus(marked=(TREE.id,))), Lines)
    more = one(seen(ComparePanel(), Focus(marked=(TREE.id, LOGISTIC.id))), Lines)
    assert isinstance(few, Lines) and isinstance(more, Lines)
    colors = {line.name: line.color for line in more.lines}
    assert {line.name: line.color for line in few.lines} == {name: colors[name] for name in ("rule", "tree")}


def test_without_marks_and_baseline_the_newest_are_compared_and_one_run_is_not_enough() -> None:
    found = seen(ComparePanel(), query=without_baseline(PROJECT))
    assert all(row[TREE.id].delta is None for row in table(found, "Metrics"))
    (empty,) = seen(ComparePanel(), query=MemoryQuery(all_runs=(TREE,)))
    assert isinstance(empty, Empty) and "[[runs.mark]]" in empty.hint


def test_drift_is_a_heat_map_of_columns_by_windows_the_drifting_first() -> None:
    found = seen(DriftPanel())
    heat = one(found, Heat)
    assert isinstance(heat, Heat)
    assert heat.rows[0] == "dep_delay"
    assert heat.columns == ["12-01", "12-08", "12-15", "12-22", "12-29"]
    assert heat.values[0] == pytest.approx([0.2, 0.4, 0.3, 2.2, 3.2])
    assert list(heat.flags[0]) == [False, False, False, True, True]
    assert heat.values[list(heat.rows).index("tailnum")] == [None] * 5, "an id is not tested, and still has its row"
    stats = {block.label: block for block in found if isinstance(block, Stat)}
    assert stats["drifting since"].value == "12-22"
    assert stats["drifted, 12-29"].value == pytest.approx(1 / 3)
    verdicts = table(found, "Columns")
    assert verdicts[0]["column"].value == "dep_delay"
    assert len(verdicts) == 4


def test_a_column_opens_to_its_two_distributions() -> None:
    found = seen(DriftPanel(), Focus(monitor="flights", column="dep_delay", window=WINDOWS[-1].start))
    bars = one(found, Bars)
    assert isinstance(bars, Bars)
    assert [name for name, _ in bars.series] == ["reference", "12-29"]
    assert any(isinstance(block, Note) and block.text.startswith("dep_delay: drifted; Wasserstein") for block in found)
    (missing,) = [block for block in seen(DriftPanel(), Focus(column="dep_dely")) if isinstance(block, Empty)]
    assert "dep_delay" in missing.hint


@pytest.mark.parametrize(
    ("score", "threshold", "method", "expected"),
    [
        (0.1, 0.1, "Wasserstein distance (normed)", 1.0),
        (5.0, 0.1, "Jensen-Shannon distance", 10.0),
        (0.05, 0.05, "K-S p_value", 1.0),
        (0.0025, 0.05, "K-S p_value", 2.0),
        (1.0, 0.05, "chi-square p_value", 0.0),
        (0.0, 0.05, "Z-test p_value", 10.0),
        (None, 0.05, None, None),
    ],
)
def test_distances_and_p_values_are_shaded_on_one_scale(
    score: float | None, threshold: float, method: str | None, expected: float | None
) -> None:
    column = ColumnDrift("x", "num", "ok", method, score, threshold, False, 10, 10)
    assert strength(column) == (None if expected is None else pytest.approx(expected))


def test_windows_newest_first_tone_what_is_worse_than_usual() -> None:
    rows = table(seen(WindowsPanel()))
    assert [row["window"].value for row in rows] == ["12-29", "12-22", "12-15", "12-08", "12-01"]
    assert rows[0]["latency_ms.p95"].tone == "bad"
    assert rows[1]["latency_ms.p95"].tone == "warn"
    assert rows[2]["latency_ms.p95"].tone == ""
    assert rows[0]["error_rate"].tone == "bad"
    assert rows[0]["drift"].tone == "warn"
    assert rows[4]["drift"].tone == "good"


def test_sources_with_problems_come_first() -> None:
    rows = table(seen(SourcesPanel()), "Sources")
    assert [row["path"].value for row in rows] == [
        "exports/broken.parquet",
        "runs/tree/metrics.csv",
        "runs/rule/a.wb.jsonl",
    ]
    assert rows[0]["status"].tone == "bad"
    assert rows[1]["rejected"].tone == "warn"


@pytest.mark.parametrize("panel", built_in(), ids=lambda panel: panel.name)
def test_an_empty_project_teaches_the_next_step(panel: Panel) -> None:
    (empty,) = seen(panel, query=MemoryQuery())
    assert isinstance(empty, Empty)
    assert "`" in empty.hint, "a hint names a command or a key"


@pytest.mark.parametrize("panel", built_in(), ids=lambda panel: panel.name)
@pytest.mark.parametrize("fit", [Fit(20, 5), NARROW, WIDE, Fit(400, 0)], ids=lambda fit: f"{fit.columns}x{fit.rows}")
def test_every_panel_has_something_to_show_at_any_size(panel: Panel, fit: Fit) -> None:
    if panel.name in ("importance", "groups"):  # what takes more than two runs to tell
        found = seen(panel, Focus(metric="val/accuracy"), sweep(), fit)
    else:
        found = seen(panel, Focus(run=TREE.id, marked=(TREE.id, LOGISTIC.id)), fit=fit)
    assert not any(isinstance(block, Empty) for block in found)


@pytest.mark.parametrize("panel", built_in(), ids=lambda panel: panel.name)
def test_what_a_panel_gives_scripts_is_strict_json(panel: Panel) -> None:
    hostile = Run(
        "9", "\x1b]52;c;x\x07[/]", "csv", "p", "failed", "", started_at=float("inf"), params={"x": float("nan")}
    )
    query = replace(PROJECT, all_runs=(*PROJECT.all_runs, hostile))
    data = panel.to_json(panel.load(query, Focus(marked=("9", TREE.id))))
    assert json.loads(json.dumps(data, allow_nan=False)) == data


def test_runs_of_one_name_can_be_told_apart() -> None:
    metrics = {"loss": Summary(1, 0.5, 0, 0.5, 0.5)}
    runs = tuple(replace(TREE, id=f"{index}abc0000", metrics=metrics) for index in range(10))
    found = seen(ComparePanel(), Focus(marked=tuple(run.id for run in runs)), MemoryQuery(runs), Fit(400))
    names = [line.title for line in one(found, Table).columns]  # type: ignore[attr-defined]
    assert len(names) == len(set(names)) == 11
