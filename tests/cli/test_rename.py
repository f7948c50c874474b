"""`rename`, the order and the columns of `runs`, and `panel`: what the interface does, on the command line."""

from __future__ import annotations

import json

import pytest

from tests.support.command_line import workbench


def names(*arguments):
    return [run["name"] for run in workbench("runs", *arguments, "--format", "json").json]


def test_a_run_is_shown_by_another_name_and_by_its_own_again(logs):
    before = workbench("show", "named", "--format", "json").json
    assert workbench("rename", "named", "champion of May").err.strip() == "named: is shown as champion of May"
    found = workbench("show", "champion of May", "--format", "json").json
    assert (found["id"], found["path"], found["metrics"]) == (before["id"], before["path"], before["metrics"])
    assert names("--where", "name:champion") == ["champion of May"]
    workbench("rename", before["id"], "again")
    workbench("rename", "again", "--undo")
    assert "named" in names()
    said = [json.loads(line) for path in (logs / ".workbench/annotations").iterdir() for line in path.open()]
    assert [(row["t"], row["run"], row["value"]) for row in said] == [
        ("name", before["id"], name) for name in ("champion of May", "again", "named")
    ]


def test_a_run_without_a_name_of_its_own_goes_back_to_its_path(logs):
    workbench("rename", "dense", "deep one")
    assert "deep one" in names()
    workbench("rename", "deep one", "--undo")
    assert "dense" in names()


@pytest.mark.parametrize("arguments", [("named",), ("named", "x", "--undo"), ("named", "  ")])
def test_a_rename_that_says_nothing_is_refused(logs, arguments):
    assert "give the new NAME, or --undo" in workbench("rename", *arguments, code=2).err


@pytest.mark.parametrize(
    ("options", "order"),
    [
        ((), ["named", "dense", "sparse"]),
        (("--desc",), ["sparse", "dense", "named"]),
        (("--sort", "name"), ["dense", "named", "sparse"]),
        (("--sort", "val/accuracy", "--desc"), ["named", "dense", "sparse"]),
        (("--sort", "metric:val/accuracy"), ["dense", "named", "sparse"]),
        (("--sort", "param:seed", "--desc"), ["dense", "named", "sparse"]),
        (("--sort", "latency_ms.p95"), ["named", "dense", "sparse"]),
        (("--sort", "p95", "--desc"), ["dense", "named", "sparse"]),
        (("--sort", "name", "--limit", "1"), ["dense"]),
    ],
)
def test_runs_are_listed_in_the_order_asked_for_with_what_is_unknown_last(logs, options, order):
    assert names(*options) == order
    shown = workbench("runs", *options).out
    assert sorted(order, key=shown.index) == order


def test_columns_are_those_asked_for_in_that_order(logs):
    header = workbench("runs", "--columns", "param:seed,tag:best,metric:mystery").out.splitlines()[1].split()
    assert header[-3:] == ["seed", "best", "mystery"]
    assert "seed" not in workbench("runs", "--columns", "").out.splitlines()[1]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--sort", "val/acuracy"), "--sort: no run has 'val/acuracy' – did you mean 'metric:val/accuracy'?"),
        (("--columns", "seed"), "--columns: no run has 'seed' – did you mean 'param:seed'?"),
        (("--metric", "val/acc"), "--metric: no run has 'val/acc' – did you mean 'val/accuracy'?"),
    ],
)
def test_a_column_that_no_run_has_is_refused_with_the_nearest(logs, options, said):
    assert said in workbench("runs", *options, code=2).err


def test_a_panel_is_printed_as_the_interface_shows_it(logs):
    listed = {panel["name"] for panel in workbench("panel", "--format", "json").json}
    assert {"runs", "run", "compare", "drift", "sources", "scoreboard"} <= listed
    assert "lr" in workbench("panel", "run", "--run", "named").out
    rows = workbench("panel", "sources", "--format", "csv").rows
    assert {row["path"] for row in rows} >= {"dense/metrics.jsonl", "runs/n/n.wb.jsonl"}
    sql = "select lower(hex(source_id)) as id from source where path = 'dense/metrics.jsonl'"
    refused = workbench("sql", sql, "--format", "json").json[0]["id"]
    page = workbench("panel", "source", "--option", f'source="{refused}"').out
    assert "not json" in page


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("drfit",), "no panel 'drfit' – did you mean 'drift'?"),
        (("drift", "--option", "x"), "--option: 'x' is not NAME=VALUE"),
        (("run", "--run", "nmaed"), "did you mean 'named'?"),
    ],
)
def test_a_panel_that_is_not_there_is_refused_with_the_nearest(logs, arguments, said):
    assert said in workbench("panel", *arguments, code=2).err
