"""What other programs read from the command line: names, types, order and exact values."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

from tests.cli.conftest import LONG_AGO
from tests.support.command_line import Answer, workbench
from tests.support.ingest import Project, line

pytestmark = pytest.mark.duckdb15

RUN = [
    "id", "name", "format", "path", "status", "status_reason", "started_at", "ended_at", "progress",
    "seconds_left", "params", "tags", "attention", "diagnosis", "metrics",
]  # fmt: skip
FIGURES = ["last", "best", "min", "max", "n", "last_step"]


@pytest.fixture
def runs(read: Project) -> dict[str, dict[str, Any]]:
    listed = workbench("runs", "--format", "json").json
    assert [run["name"] for run in listed] == ["named", "dense", "sparse"], "newest first"
    return {run["name"]: run for run in listed}


def test_runs_are_objects_with_exactly_the_documented_fields(runs: dict[str, dict[str, Any]]) -> None:
    named = runs["named"]
    assert [list(run) for run in runs.values()] == [RUN] * 3
    assert {key: value for key, value in named.items() if key not in ("id", "metrics")} == {
        "name": "named", "format": "workbench", "path": "runs/n", "status": "finished",
        "status_reason": "ended by itself", "started_at": "2023-11-14T22:11:40.000Z",
        "ended_at": "2023-11-14T22:11:50.000Z", "progress": None, "seconds_left": None,
        "params": {"lr": 0.1, "seed": 7}, "tags": ["best"], "attention": None, "diagnosis": "",
    }  # fmt: skip
    assert named["metrics"]["val/accuracy"] == {
        "last": 0.9, "best": 0.9, "min": 0.6, "max": 0.9, "n": 2, "last_step": 1,
    }  # fmt: skip
    assert all(list(metric) == FIGURES for run in runs.values() for metric in run["metrics"].values())


def test_a_run_without_a_name_is_called_by_its_path_and_its_silence_is_explained(
    runs: dict[str, dict[str, Any]],
) -> None:
    dense = runs["dense"]
    assert (dense["name"], dense["path"], dense["format"]) == ("dense", "dense", "jsonl")
    assert dense["status"] == "quiet"
    assert "no new data since 2023-11-14T22:10:00Z" in dense["status_reason"]
    assert dense["ended_at"] is None
    assert dense["params"] == {"lr": 0.001, "seed": 20130101}


def test_best_is_null_while_nobody_said_which_way_is_better(runs: dict[str, dict[str, Any]], own: Project) -> None:
    assert runs["dense"]["metrics"]["mystery"] == {
        "last": 19.0, "best": None, "min": 0.0, "max": 19.0, "n": 20, "last_step": 19,
    }  # fmt: skip
    (own.root / "workbench.toml").write_text('[metrics.mystery]\ndirection = "lower"\n')
    told = {run["name"]: run for run in workbench("runs", "--format", "json").json}
    assert told["dense"]["metrics"]["mystery"]["best"] == 0.0


def test_latency_percentiles_are_those_of_the_points(runs: dict[str, dict[str, Any]]) -> None:
    points = [10.0 + step % 7 for step in range(20)]
    metrics = runs["dense"]["metrics"]
    for q in (50, 95, 99):
        found = metrics[f"latency_ms.p{q}"]
        assert found["last"] == found["best"] == pytest.approx(np.percentile(points, q), abs=1e-12)
        assert found["n"] == 20


def test_what_is_not_finite_counts_but_is_no_best(runs: dict[str, dict[str, Any]]) -> None:
    assert runs["sparse"]["metrics"]["train/loss"] == {
        "last": 0.30000000000000004, "best": 0.30000000000000004, "min": 0.30000000000000004, "max": 1.0, "n": 4,
        "last_step": 3,
    }  # fmt: skip


def test_where_and_limit_narrow_a_listing_and_hidden_runs_are_asked_for(own: Project) -> None:
    def names(*options: str) -> list[str]:
        return [run["name"] for run in workbench("runs", "--format", "json", *options).json]

    assert names("--where", "lr<0.01") == ["dense"]
    assert names("--where", "latency_ms.p95>10 or name:sparse") == ["dense", "sparse"]
    assert names("--limit", "2") == ["named", "dense"]
    workbench("hide", "dense")
    assert names() == ["named", "sparse"]
    assert names("--all") == ["named", "dense", "sparse"]


@pytest.mark.parametrize(
    "command",
    [("runs",), ("compare",), ("export", "points"), ("report", "--format", "json")],
    ids=lambda words: words[0],
)
def test_a_filter_that_cannot_be_read_is_shown_with_a_caret(read: Project, command: tuple[str, ...]) -> None:
    answer = workbench(*command, "--where", "lr>1 and (acc>", code=2)
    assert answer.out == "", "data never mixes with errors"
    message, text, caret = answer.err.splitlines()[:3]
    assert message == "Error: --where: > needs a value"
    assert text.strip() == "lr>1 and (acc>"
    assert caret.index("^") == len(text), "where the value is missing"


def test_a_key_that_no_run_has_is_explained_beside_the_empty_list(read: Project) -> None:
    answer = workbench("runs", "--format", "json", "--where", "vall/accuracy>0")
    assert answer.json == []
    assert answer.err == "--where: no run has 'vall/accuracy' – did you mean 'val/accuracy'?\n"
    assert "did you mean 'val/accuracy'?" in workbench("runs", "--where", "vall/accuracy>0").out


def test_show_adds_stages_notes_and_environment_to_the_run(runs: dict[str, dict[str, Any]]) -> None:
    shown = workbench("show", "named", "--format", "json").json
    more = [
        "updated_at", "total_steps", "hidden", "baseline", "group", "parent", "formats", "aliases", "notes", "stages",
        "findings", "environment",
    ]  # fmt: skip
    assert list(shown) == [*RUN, *more]
    assert {key: shown[key] for key in RUN} == runs["named"]
    assert (shown["hidden"], shown["baseline"], shown["notes"], shown["stages"]) == (False, False, [], [])
    for name in (shown["id"], shown["id"][:6], "runs/n", "n"):
        assert workbench("show", name, "--format", "json").json["id"] == shown["id"]


def test_compare_gives_values_and_deltas_by_run_id(runs: dict[str, dict[str, Any]]) -> None:
    named, dense = runs["named"]["id"], runs["dense"]["id"]
    found = workbench("compare", "dense", "named", "--baseline", "dense", "--format", "json").json
    assert list(found) == ["baseline", "value", "runs", "metrics", "params"]
    assert found["baseline"] == dense
    assert [run["id"] for run in found["runs"]] == [dense, named]
    rows = {row["key"]: row for row in found["metrics"]}
    assert list(rows["val/accuracy"]) == ["key", "direction", "unit", "kind", "values", "deltas", "best", "noise"]
    assert (found["value"], rows["val/accuracy"]["best"], rows["val/accuracy"]["noise"]) == ("last", named, None)
    assert rows["val/accuracy"]["values"] == {dense: 0.88, named: 0.9}
    assert rows["val/accuracy"]["deltas"] == {
        dense: None,
        named: {"absolute": pytest.approx(0.02), "relative": pytest.approx(0.02 / 0.88), "better": True},
    }
    assert rows["latency_ms.p95"]["deltas"][named]["better"] is True
    assert rows["mystery"]["direction"] is None and rows["mystery"]["values"][named] is None
    assert found["params"] == [
        {"key": "lr", "values": {dense: 0.001, named: 0.1}}, {"key": "seed", "values": {dense: 20130101, named: 7}},
    ]  # fmt: skip


def test_sources_say_how_far_each_file_was_read(read: Project) -> None:
    listed = workbench("sources", "--format", "json").json
    size = (read.root / "dense/metrics.jsonl").stat().st_size
    assert listed[1] == {
        "path": "dense/metrics.jsonl", "format": "jsonl", "generation": 0, "bytes": size, "accepted": 20,
        "rejected": 1, "status": "live", "message": "",
    }  # fmt: skip
    assert [source["path"] for source in listed] == sorted(source["path"] for source in listed)
    assert [source["path"] for source in workbench("sources", "--problems", "--format", "json").json] == [
        "dense/metrics.jsonl"
    ]


LISTINGS = [
    ("runs",), ("show", "named"), ("compare",), ("sources",), ("doctor",), ("sql", "select * from run"),
    ("plugins", "list"),
]  # fmt: skip


@pytest.mark.parametrize("command", LISTINGS, ids=lambda words: words[0])
def test_every_listing_comes_as_table_json_csv_and_markdown(read: Project, command: tuple[str, ...]) -> None:
    def said(form: str) -> Answer:
        return workbench(*command, "--format", form)

    shape = said("json").json
    rows = said("csv").rows
    assert isinstance(shape, list | dict) and rows
    assert all(None not in row and None not in row.values() for row in rows), "as many cells as columns"
    if isinstance(shape, list):
        assert len(rows) == len(shape)
        assert {name.partition(".")[0] for name in rows[0]} <= set(shape[0])
    markdown = said("md").out
    assert "| --- |" in markdown.replace(" ---: |", " --- |")
    table = workbench(*command).out
    free = re.compile(r"[\d.]+ .iB free")  # other programs write to the disk meanwhile
    assert free.sub("", table) == free.sub("", said("table").out) and "──" in table and "| ---" not in table


def test_numbers_of_parameters_are_shown_as_they_were_logged(read: Project) -> None:
    assert "20130101" in workbench("runs").out
    assert "20130101" in workbench("compare", "named", "dense").out
    assert "20130101" in workbench("show", "dense", "--format", "md").out
    assert "20,130,101" not in workbench("report").out


def test_csv_of_runs_keeps_the_columns_of_one_object_together(read: Project) -> None:
    names = list(workbench("runs", "--format", "csv").rows[0])
    groups = [name.partition(".")[0] for name in names]
    assert list(dict.fromkeys(groups)) == RUN
    assert groups == sorted(groups, key=RUN.index)
    assert {"params.lr", "params.seed", "metrics.val/accuracy.best", "metrics.train/loss.n"} <= set(names)


def test_csv_of_a_comparison_has_a_row_for_each_metric_and_run(read: Project) -> None:
    rows = workbench("compare", "dense", "named", "--format", "csv").rows
    found = {(row["key"], row["run"]): row for row in rows}
    assert float(found["val/accuracy", "named"]["value"]) == 0.9
    assert float(found["val/accuracy", "named"]["delta.absolute"]) == pytest.approx(0.02)
    assert found["val/accuracy", "dense"]["delta.absolute"] == ""
    assert (found["seed", "dense"]["kind"], found["seed", "dense"]["value"]) == ("param", "20130101")


def test_the_report_in_json_holds_the_shapes_of_the_listings(read: Project) -> None:
    found = workbench("report", "--format", "json", "--gate", "best(val/accuracy) >= 0.5").json
    assert {"title", "generated_at", "passed", "gates", "sections"} <= set(found)
    assert found["passed"] is True
    assert found["gates"][0]["check"] == "best(val/accuracy) >= 0.5"
    data = {section["anchor"]: section["data"] for section in found["sections"]}
    assert data["runs"] == workbench("runs", "--format", "json").json
    assert data["run"] == workbench("show", "named", "--format", "json").json
    assert [run["name"] for run in data["compare"]["runs"]] == ["named", "dense", "sparse"], "the newest few"
    assert data["compare"]["baseline"] is None
    assert data["sources"] == workbench("sources", "--problems", "--format", "json").json


def test_the_report_compares_the_six_newest_runs_with_the_baseline(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(project.root)
    for number in range(9):
        project.write(f"run{number}/log.jsonl", line(0, loss=1.0 / (number + 1)), at=LONG_AGO + number)
    workbench("baseline", "run0")
    found = workbench("report", "--format", "json").json
    compared = {section["anchor"]: section["data"] for section in found["sections"]}["compare"]
    assert [run["name"] for run in compared["runs"]] == ["run0", "run8", "run7", "run6", "run5", "run4", "run3"]
    assert compared["baseline"] == compared["runs"][0]["id"]
