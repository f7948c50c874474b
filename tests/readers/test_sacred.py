"""Sacred's run folders tell what the runs themselves knew."""

from __future__ import annotations

import datetime as dt
import json
import shutil
from pathlib import Path

from tests.support.ingest import Project
from tests.support.reading import at, head_of, rounded
from workbench.readers.sacred import SacredReader

FOLDER = Path(__file__).parents[1] / "fixtures" / "sacred"
EXPECTED = json.loads((FOLDER / "expected.json").read_text())


def seconds(text: str) -> float:
    return dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC).timestamp()


def test_a_completed_run() -> None:
    reading = at(SacredReader(), FOLDER / "runs" / "1" / "run.json", FOLDER).look()
    expected = EXPECTED["1"]
    assert rounded(reading.values("train/loss"), 6) == rounded([(i * 10, 0.1 / (i + 1)) for i in range(4)], 6)
    assert rounded(reading.values("acc")) == rounded([(0, 0.0), (1, 0.1), (2, float("nan")), (3, 0.3)])
    walls = [wall for rows in reading.series.values() for _, wall, _ in rows]
    assert all(wall and abs(wall - seconds(expected["started"])) < 5 for wall in walls)
    params = reading.of_kind("param")
    assert params.pop("api_key").startswith("«redacted:")
    assert params == {
        "lr": 0.1, "net.act": "relu", "net.width": "[1, 2]", "half": 0.5, "seed": expected["config"]["seed"],
    }  # fmt: skip
    assert reading.of_kind("status") == {"Sacred says COMPLETED": "finished"}
    assert reading.fact("started") == seconds(expected["started"])
    assert reading.fact("ended") == seconds(expected["stopped"])
    assert reading.of_kind("summary") == {"best": 3.25, "result": expected["result"]}
    assert (reading.fact("name"), reading.fact("group")) == ("train mnist/1", "train mnist")
    assert reading.fact("console") == "runs/1/cout.txt"
    assert reading.fact("environment", "python")


def test_a_failed_run_says_why_in_its_last_line() -> None:
    reading = at(SacredReader(), FOLDER / "runs" / "2" / "run.json", FOLDER).look()
    assert reading.of_kind("status") == {"ValueError: diverged": "failed"}
    assert reading.fact("note", "traceback").startswith("Traceback")
    assert reading.fact("param", "fail") is True


def test_a_run_grows_heartbeat_by_heartbeat_and_half_written_files_wait(tmp_path: Path) -> None:
    shutil.copytree(FOLDER / "runs" / "1", tmp_path / "1")
    run, metrics = tmp_path / "1" / "run.json", tmp_path / "1" / "metrics.json"
    whole = metrics.read_text()
    loaded = json.loads(whole)
    entry = json.loads(run.read_text()) | {"status": "RUNNING", "heartbeat": "2026-01-01T00:00:00"}
    run.write_text(json.dumps({key: value for key, value in entry.items() if key != "stop_time"}))
    reading = at(SacredReader(), run)
    for length in range(1, 5):
        grown = {key: {part: rows[:length] for part, rows in item.items()} for key, item in loaded.items()}
        text = json.dumps(grown)
        metrics.write_text(text[: len(text) // 2])
        assert len(reading.look().series.get(("", "acc"), [])) == length - 1
        metrics.write_text(text)
        assert len(reading.look().series["", "acc"]) == length
    assert "metrics.json is not complete" in reading.messages
    assert not reading.of_kind("status")
    assert reading.fact("heartbeat") == 1767225600 + 60
    assert reading.generation == 0
    shutil.copy(FOLDER / "runs" / "1" / "run.json", run)
    assert reading.look().of_kind("status")
    before = reading.offset
    assert reading.look().offset == before


def test_metrics_that_begin_anew_replace_what_was_read(tmp_path: Path) -> None:
    shutil.copytree(FOLDER / "runs" / "1", tmp_path / "1")
    reading = at(SacredReader(), tmp_path / "1" / "run.json").look()
    (tmp_path / "1" / "metrics.json").write_text('{"acc": {"steps": [0], "values": [7], "timestamps": ["x"]}}')
    assert reading.look().generation == 1
    assert reading.series == {("", "acc"): [(0, None, 7.0)]}


def test_its_stamp_changes_with_any_of_its_files(tmp_path: Path) -> None:
    shutil.copytree(FOLDER / "runs" / "1", tmp_path / "1")
    place = str(tmp_path / "1" / "run.json")
    before = SacredReader().stamp(place)
    (tmp_path / "1" / "cout.txt").write_text("more output\n")
    assert SacredReader().stamp(place) != before


def test_in_a_project_each_folder_is_one_run_and_one_source(project: Project) -> None:
    shutil.copytree(FOLDER / "runs", project.root / "runs")
    project.read()
    runs = {run.name: run for run in project.query.runs()}
    assert {name: run.status for name, run in runs.items()} == {"train mnist/1": "finished", "train mnist/2": "failed"}
    assert runs["train mnist/1"].params["net.act"] == "relu"
    assert runs["train mnist/1"].metrics["train/loss"].n == 4
    assert SacredReader().claim(head_of(FOLDER / "runs" / "1" / "run.json")).score == 1.0
    read = [source for source in project.query.sources() if source.status != "skipped"]
    assert {source.format for source in read} == {"sacred"}
