"""Tables and documents as real trainers left them, read by the whole ingester: names, params, status, every point."""

from __future__ import annotations

import json
import math
import os
import shutil
from operator import itemgetter
from pathlib import Path
from typing import Any

import pytest

from tests.support.ingest import Project, line
from workbench.core.ids import run_id
from workbench.core.model import Run

FIXTURES = Path(__file__).parent.parent / "fixtures" / "csv"
EXPECTED: dict[str, dict[str, Any]] = json.loads((FIXTURES / "expected.json").read_text())
FORMATS = {"mmengine": "jsonl", "sklearn": "sklearn", "xgboost": "json", "lightgbm": "json"}


def copied(project: Project, *names: str) -> None:
    """Fixtures in the project, all written at its clock's time."""
    for name in names:
        shutil.copytree(FIXTURES / name, project.root / name)
    for folder, _, files in os.walk(project.root):
        for file in files:
            if ".workbench" not in folder:
                project.touch(Path(folder) / file)
    project.read(final=True)


def series_of(project: Project, run: Run) -> dict[str, list[tuple[int, float]]]:
    """Every stored point of a run by key, in the order of the steps and, within one, of the file."""
    with project.store.read() as con:
        rows = con.execute(
            "SELECT key, step, value FROM point WHERE run_id = ? ORDER BY key, step, byte_offset", [run.id]
        ).fetchall()
    found: dict[str, list[tuple[int, float]]] = {}
    for key, step, value in rows:
        found.setdefault(key, []).append((step, value))
    return found


def told(points: dict[str, list[list[float | None]]]) -> dict[str, list[tuple[int, float]]]:
    """What a writer says, by step, and within one in the order it was said."""
    return {
        key: [
            (int(step or 0), math.nan if value is None else value) for step, value in sorted(pairs, key=itemgetter(0))
        ]
        for key, pairs in points.items()
    }


def same(found: dict[str, list[tuple[int, float]]], expected: dict[str, list[tuple[int, float]]]) -> None:
    assert found.keys() == expected.keys()
    for key, pairs in expected.items():
        assert [step for step, _ in found[key]] == [step for step, _ in pairs], key
        # Trainers round what they print; pandas and Python write all digits.
        values = [value for _, value in found[key]]
        assert values == pytest.approx([value for _, value in pairs], rel=1e-6, abs=1e-9, nan_ok=True), key


@pytest.fixture(scope="module")
def everything(tmp_path_factory: pytest.TempPathFactory) -> Project:
    project = Project(tmp_path_factory.mktemp("logs"))
    copied(project, *sorted({path.split("/")[0] for path in EXPECTED}))
    return project


def found_run(project: Project, path: str) -> Run:
    runs = {run.id: run for run in project.query.runs(hidden=True)}
    return runs[run_id(path) if "#" in path else next(id for id, run in runs.items() if run.path == path)]


@pytest.mark.parametrize("path", EXPECTED)
def test_every_run_is_what_its_writer_says(path: str, everything: Project) -> None:
    run = found_run(everything, path)
    assert run.format == FORMATS.get(path.split("/", 1)[0], "csv")
    same(series_of(everything, run), told(EXPECTED[path]["points"]))
    params = EXPECTED[path]["params"]
    assert {key: run.params.get(key) for key in params} == params


def test_nothing_is_read_twice_or_refused(everything: Project) -> None:
    assert len(everything.query.runs(hidden=True)) == len(EXPECTED)
    assert everything.rejects() == []


def test_lightnings_params_carry_python_tags(everything: Project) -> None:
    run = found_run(everything, "lightning/lightning_logs/version_0")
    assert run.params["layers"] == "[64, 32]"
    assert run.params["optimizer"] == "builtins.dict"
    assert run.name == "lightning/lightning_logs/version_0"


def test_a_search_is_a_group_of_finished_runs_with_their_times(everything: Project) -> None:
    runs = [run for run in everything.query.runs() if run.group == "sklearn/search.csv"]
    assert {run.name for run in runs} == {"search #0", "search #1", "search #2"}
    assert {run.status for run in runs} == {"finished"}
    assert everything.query.roles("mean_fit_time").kind == "latency"
    assert all(run.metrics["mean_fit_time"].last is not None for run in runs)


def test_a_parameter_with_more_digits_than_a_number_can_have_is_text_of_a_search(project: Project) -> None:
    digits = "1" + "0" * 400
    project.write("cv_results.csv", f"mean_fit_time,param_C,params,mean_test_score\n0.1,{digits},\"{{'C': 1}}\",0.5\n")
    project.read(final=True)
    (run,) = project.query.runs()
    assert run.metrics["mean_test_score"].last == 0.5


def test_timm_is_finished_when_its_last_epoch_is_there(project: Project) -> None:
    copied(project, "timm")
    assert [(run.total_steps, run.status) for run in project.query.runs()] == [(3, "running")]
    project.now += 3600
    (run,) = project.query.runs()
    assert (run.status, run.status_reason) == ("finished", "all 3 steps are logged")


def test_the_last_value_of_an_epoch_that_was_run_again_holds(everything: Project) -> None:
    run = found_run(everything, "keras")
    series = everything.query.series(run.id, "loss")
    again = [value for epoch, value in EXPECTED["keras"]["points"]["loss"] if epoch == 2]
    assert series.step.tolist() == [0, 1, 2, 3, 4]
    assert series.value[2] == pytest.approx(again[-1])


# Written live ------------------------------------------------------------------------------------------------------


def test_a_header_that_lightning_rewrites_in_place_costs_no_row_and_doubles_none(project: Project) -> None:
    name = "lightning_logs/version_3/metrics.csv"
    project.write(name, "epoch,step,train_loss\n0,9,4.0\n0,19,3.0\n")
    project.read()
    (project.root / name).write_text("epoch,step,train_loss,val_loss\n0,9,4.0,\n0,19,3.0,\n0,19,,3.5\n")
    project.now += 1
    project.touch(project.root / name)
    project.read()
    project.write(name, "1,29,2.0,\n")
    project.read()
    assert project.points("train_loss") == [("train_loss", 9, 4.0), ("train_loss", 19, 3.0), ("train_loss", 29, 2.0)]
    assert project.points("val_loss") == [("val_loss", 19, 3.5)]
    (run,) = project.query.runs()
    assert (run.path, run.metrics["train_loss"].n, run.metrics["epoch"].last) == ("lightning_logs/version_3", 3, 1.0)


def ultralytics(project: Project, epochs: int) -> Run:
    folder = "runs/detect/train4"
    project.write(f"{folder}/args.yaml", "task: detect\nmode: train\nmodel: yolov8n.pt\nepochs: 3\nimgsz: 640\n")
    head = "                  epoch,                   time,         train/box_loss,       metrics/mAP50(B)\n"
    body = "".join(f"{i:>23},{12.5 * i:>23},{1 / i:>23.5f},{i / 10:>23}\n" for i in range(1, epochs + 1))
    project.write(f"{folder}/results.csv", head + body)
    project.read(final=True)
    (run,) = project.query.runs()
    return run


def test_ultralytics_pads_its_names_and_counts_its_epochs(project: Project) -> None:
    run = ultralytics(project, 2)
    assert (run.path, run.total_steps, run.params["model"]) == ("runs/detect/train4", 3, "yolov8n.pt")
    assert project.points("time") == [("time", 1, 12.5), ("time", 2, 25.0)]
    project.now += 3600
    (run,) = project.query.runs()
    assert run.status == "quiet"


def test_ultralytics_is_finished_at_its_last_epoch(project: Project) -> None:
    ultralytics(project, 3)
    project.now += 60
    (run,) = project.query.runs()
    assert (run.status, run.metrics["metrics/mAP50(B)"].last) == ("finished", 0.3)


def test_a_document_that_is_rewritten_replaces_what_it_said(project: Project) -> None:
    path = project.write("history.json", json.dumps({"loss": [3.0, 2.0]}))
    project.read()
    path.write_text('{"loss": [3.0, 2.0, 1.')
    project.now += 1
    project.touch(path)
    project.read()
    assert [value for *_, value in project.points("loss")] == [3.0, 2.0]
    assert "not complete JSON" in project.source("history.json").message
    path.write_text(json.dumps({"loss": [3.0, 2.0, 1.0]}))
    project.now += 1
    project.touch(path)
    project.read()
    assert [value for *_, value in project.points("loss")] == [3.0, 2.0, 1.0]
    assert project.source("history.json").message == ""


# A quote that is never closed ----------------------------------------------------------------------------------------


def stray(lines: int) -> str:
    return 'step,note,loss\n1,"open,3\n' + "".join(f"{i},fine,1.0\n" for i in range(2, lines))


def test_a_stray_quote_is_named_while_it_holds_lines_back_and_given_up_when_nothing_more_comes(
    project: Project,
) -> None:
    project.write("metrics.csv", stray(30))
    project.read()
    assert project.points("loss") == []
    assert project.source("metrics.csv").message == (
        "an unfinished quoted field holds back what follows byte 15, at most 1 MiB of it"
    )
    project.now += 60
    project.read(final=True)
    assert len(project.points("loss")) == 28
    assert project.rejects() == [("metrics.csv", 15, "E101 the file ends within a quoted field")]
    assert project.source("metrics.csv").message == ""


def test_a_stray_quote_holds_back_no_more_than_a_mebibyte(project: Project) -> None:
    project.write("metrics.csv", stray(90_000))
    project.read()
    assert project.rejects() == [("metrics.csv", 15, "E172 a quote that is not closed within 1 MiB")]
    assert project.query.runs()[0].metrics["loss"].n == 89_998
    project.write("metrics.csv", line(1).replace(line(1), "90000,fine,1.0\n"))
    project.read()
    assert project.query.runs()[0].metrics["loss"].n == 89_999
