"""Parameter files and annotations: whose they are, which of them holds, and what is refused."""

from __future__ import annotations

import json
from itertools import permutations
from typing import Any

import pytest

from tests.support.ingest import Project, line
from workbench.core.model import Run
from workbench.readers.params import PARAM_FILES

pytestmark = pytest.mark.duckdb15


def native(project: Project, folder: str, run: str, at: float) -> None:
    """A log of workbench's own, which tells its run by itself."""
    start = {"t": "start", "v": 1, "run": run, "name": run, "ts": at}
    row = {"t": "log", "ts": at + 1, "step": 0, "m": {"loss": 1.0}}
    project.write(f"{folder}/{run}.wb.jsonl", "".join(json.dumps(each) + "\n" for each in (start, row)))


def by_name(project: Project) -> dict[str, Run]:
    return {run.name: run for run in project.query.runs()}


def test_a_second_run_in_a_folder_leaves_the_first_its_parameters(project: Project) -> None:
    native(project, "out", "one", 1e9)
    project.write("out/config.yaml", "lr: 0.1\n")
    project.read()
    assert by_name(project)["one"].params["lr"] == 0.1
    native(project, "out", "two", 1e9 + 60)
    (project.root / "out/config.yaml").write_text("lr: 0.2\n")
    project.touch(project.root / "out/config.yaml", project.now + 5)
    project.read()
    found = by_name(project)
    assert found["one"].params["lr"] == 0.1
    assert "lr" not in found["two"].params, "nothing says whose the file is"


def test_a_run_file_beside_a_run_folders_logs_takes_no_parameters_away(project: Project) -> None:
    project.write("out/metrics.csv", "step,loss\n0,1\n")
    project.write("out/other.jsonl", line(0, loss=2.0))
    project.write("out/config.yaml", "lr: 0.1\n")
    project.read()
    assert {run.path: dict(run.params) for run in project.query.runs()}["out"] == {"lr": 0.1}


@pytest.mark.parametrize("order", [*permutations(["config.yaml", "args.json", "hparams.yaml"])])
def test_the_order_of_reading_does_not_decide_which_parameter_file_holds(
    project: Project, order: tuple[str, ...]
) -> None:
    project.write("out/metrics.csv", "step,loss\n0,1\n")
    for name in order:
        project.write(f"out/{name}", json.dumps({"lr": name, name: 1}))
        project.read()
    params = project.query.runs()[0].params
    assert params["lr"] == max(order, key=PARAM_FILES.index) == "hparams.yaml"
    assert set(params) == {"lr", *order}


def test_an_edit_of_equal_size_far_inside_a_parameter_file_is_noticed(project: Project) -> None:
    body = {f"p{at:03d}": at for at in range(300)}
    project.write("out/metrics.csv", "step,loss\n0,1\n")
    file = project.write("out/config.json", json.dumps(body))
    project.read()
    text = file.read_text()
    assert 1024 < text.index('"p150": 150') < len(text) - 1024
    file.write_text(text.replace('"p150": 150', '"p150": 999'))
    project.touch(file, project.now + 5)
    project.read()
    assert project.query.runs()[0].params["p150"] == 999


@pytest.mark.parametrize(
    "wrong",
    [
        {"t": "name", "value": 7},
        {"t": "name", "value": ["x"]},
        {"t": "note", "value": {"a": 1}},
        {"t": "hidden", "value": "yes"},
        {"t": "baseline", "value": 1},
        {"t": "name", "value": "x", "ts": float("inf")},
        {"t": "name", "value": "x", "ts": float("nan")},
        {"t": "name", "value": "x", "ts": "soon"},
    ],
)
def test_annotations_of_a_wrong_type_or_moment_are_refused(project: Project, wrong: dict[str, Any]) -> None:
    project.write("out/metrics.csv", "step,loss\n0,1\n")
    project.read()
    [run] = project.query.runs()
    said = {"run": run.id, "ts": project.now, **wrong}
    good = {"run": run.id, "ts": project.now, "t": "name", "value": "mine"}
    project.write(".workbench/annotations/host-1.jsonl", f"{json.dumps(said)}\n{json.dumps(good)}\n")
    project.read()
    [run] = project.query.runs()
    assert (run.name, run.hidden, run.baseline, list(run.notes)) == ("mine", False, False, [])
    assert [reason[:4] for _, _, reason in project.rejects()] == ["E101"]
