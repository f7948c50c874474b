"""`compare` on the command line: every view in every format, and what is wrong with what was asked for."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.command_line import record, workbench
from tests.support.ingest import Project
from tests.support.sweep import SEEDS, SETTINGS, quality

STARTED = 1_700_000_000.0
VIEWS = ("table", "params", "scatter", "parallel", "groups")


@pytest.fixture(scope="module")
def swept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Five settings with three seeds, read into a store."""
    root = tmp_path_factory.mktemp("sweep")
    project = Project(root)
    for number, (optimizer, lr, depth) in enumerate(SETTINGS):
        for seed in SEEDS:
            name, start = f"{optimizer}-{lr:g}-{depth}-s{seed}", STARTED + 100 * number + seed
            params = {"optimizer": optimizer, "lr": lr, "depth": depth, "seed": seed}
            path = f"runs/{name}/a.wb.jsonl"
            project.write(path, record("start", run=name, name=name, ts=start, params=params))
            for step in range(5):
                value = quality(optimizer, lr, depth) * (step + 1) / 5 + seed / 1000
                project.write(path, record("log", step=step, ts=start + step, m={"val/accuracy": value}))
            project.write(path, record("end", ts=start + 9, status="finished"))
    project.read(final=True)
    yield root
    project.store.close()


@pytest.fixture
def here(swept: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(swept)
    return swept


@pytest.mark.parametrize("view", VIEWS)
def test_every_view_comes_as_table_markdown_json_and_csv(here: Path, view: str) -> None:
    for form in ("table", "md"):
        assert "adam" in workbench("compare", "--as", view, "--format", form).out
    assert isinstance(workbench("compare", "--as", view, "--format", "json").json, dict)
    assert len(workbench("compare", "--as", view, "--format", "csv").rows) >= 5


def test_runs_of_one_setting_differ_by_noise_alone(here: Path) -> None:
    one, other, far = "adam-0.001-8-s1", "adam-0.001-8-s2", "sgd-0.1-4-s1"
    shape = workbench("compare", one, other, far, "--format", "json").json
    (accuracy,) = shape["metrics"]
    assert accuracy["noise"]["within"] == [False, True, False]
    assert accuracy["noise"]["groups"] == 2
    rows = workbench("compare", one, other, far, "--format", "csv").rows
    assert [row["within_noise"] for row in rows if row["key"] == "val/accuracy"] == ["False", "True", "False"]
    assert "≈ 0.862" in workbench("compare", one, other, far).out


def test_another_value_than_the_last_is_asked_for_by_its_name(here: Path) -> None:
    def value(word: str) -> float:
        shape = workbench("compare", "adam-0.001-8-s1", "sgd-0.1-4-s1", "--value", word, "--format", "json").json
        return next(iter(shape["metrics"][0]["values"].values()))

    last = quality("adam", 1e-3, 8) + 0.001
    assert value("last") == value("best") == pytest.approx(last)
    assert value("min") == value("first") == value("step:0") == pytest.approx(quality("adam", 1e-3, 8) / 5 + 0.001)


def test_an_axis_or_a_group_says_which_view_is_meant(here: Path) -> None:
    scatter = workbench("compare", "--x", "lr", "--format", "json").json
    assert (scatter["x"], scatter["y"], len(scatter["points"])) == ("param:lr", "metric:val/accuracy", 15)
    groups = workbench("compare", "--by", "optimizer,depth", "--format", "json").json
    assert {group["group"] for group in groups["groups"]} >= {"optimizer=adam depth=2", "optimizer=sgd depth=4"}
    parallel = workbench("compare", "--axes", "depth", "--where", "optimizer=adam", "--format", "json").json
    assert [axis["key"] for axis in parallel["axes"]] == ["param:depth"] and len(parallel["runs"]) == 9


def test_importance_is_told_with_its_uncertainty(here: Path) -> None:
    shape = workbench("compare", "--as", "importance", "--format", "json").json
    assert shape["runs"] == 15 and shape["reason"] == ""
    assert {each["param"] for each in shape["params"]} == {"lr", "depth", "optimizer"}
    best = shape["params"][0]
    assert best["importance"] > 0 and best["error"] > 0 and 0 < best["p"] < 0.05
    few = workbench("compare", "--as", "importance", "--where", "depth=8", "--format", "json").json
    assert "3 ended runs" in few["reason"] and few["params"] == []


def test_the_report_holds_what_many_runs_tell(here: Path) -> None:
    anchors = [section["anchor"] for section in workbench("report", "--format", "json").json["sections"]]
    assert [name for name in anchors[anchors.index("compare") + 1 :] if name in VIEWS or name == "importance"] == [
        "groups", "scatter", "parallel", "importance",
    ]  # fmt: skip
    sections = workbench("report", "--option", "value=min", "--option", "by=depth", "--format", "json").json["sections"]
    data = {section["anchor"]: section["data"] for section in sections}
    assert (data["compare"]["value"], data["groups"]["by"], data["scatter"]["value"]) == ("min", "param:depth", "min")
    assert "is not NAME=VALUE" in workbench("report", "--option", "best", code=2).err
    page = workbench("report", "--format", "html").out
    assert 'class="chart scatter"' in page and "★" in page


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--value", "bst"), "--value: no value 'bst' – did you mean 'best'?"),
        (("--x", "dept"), "none of these runs has 'dept' – did you mean 'depth'?"),
        (("--by", "optimizer,teem"), "none of these runs has 'teem'"),
        (("--as", "pie"), "'pie' is not one of"),
    ],
)
def test_what_does_not_exist_is_answered_with_the_nearest(here: Path, words: tuple[str, ...], says: str) -> None:
    answer = workbench("compare", *words, code=2)
    assert says in " ".join(answer.err.split())
    assert answer.out == ""


def test_a_filter_that_leaves_no_run_is_an_error_with_the_next_step(here: Path) -> None:
    assert "next: workbench runs" in workbench("compare", "--as", "scatter", "--where", "depth>99", code=2).err
    json.dumps(workbench("compare", "--as", "params", "--format", "json").json, allow_nan=False)
