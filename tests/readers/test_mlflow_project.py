"""MLflow's stores in a project: read by the ingester into the store, started anew for each look."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.readers.test_mlflow import FIXTURES, named
from workbench.core.ids import run_id

EXPECTED = {
    "files": json.loads((FIXTURES / "expected_files.json").read_text()),
    "sqlite": json.loads((FIXTURES / "expected_sqlite.json").read_text()),
}
SHOWN = {
    "FINISHED": ("finished", "status set in MLflow"), "FAILED": ("failed", "status set in MLflow"),
    "KILLED": ("failed", "killed: status set in MLflow"),
}  # fmt: skip


def place(project, store: str) -> Path:
    """Puts a store's fixture into the project."""
    if store == "files":
        return Path(shutil.copytree(FIXTURES / "mlruns", project.root / "mlruns"))
    return Path(shutil.copy(FIXTURES / "mlflow.db", project.root / "tracking.sqlite"))


@pytest.mark.parametrize("store", ["files", "sqlite"])
def test_every_run_is_listed_once_as_mlflow_has_it(project, store):
    place(project, store)
    project.read()
    runs = {run.id: run for run in project.query.runs()}
    expected = EXPECTED[store]
    assert set(runs) == {run_id(uuid) for uuid, run in expected.items() if run["stage"] == "active"}
    for uuid, said in expected.items():
        run = runs.get(run_id(uuid))
        if run is None:
            continue
        parent = said["tags"].get("mlflow.parentRunId", "")
        assert (run.name, run.group, run.parent) == (said["name"], said["experiment"], parent and run_id(parent))
        assert {key: summary.n for key, summary in run.metrics.items()} == {
            key: len(rows) for key, rows in said["metrics"].items()
        }
        if said["status"] in SHOWN:
            assert (run.status, run.status_reason) == SHOWN[said["status"]]
            assert (run.started_at, run.ended_at) == (said["start"] / 1000, said["end"] / 1000)
        else:
            assert run.status in ("running", "quiet")
    assert project.read().points == 0


def test_what_lies_in_a_runs_folder_belongs_to_it(project):
    folder = place(project, "files") / named("trial 3").relative_to(FIXTURES / "mlruns")
    artifacts = folder / "artifacts" / "logs"
    artifacts.mkdir(parents=True)
    (artifacts / "metrics.csv").write_text("epoch,loss\n0,1\n1,2\n")
    project.read()
    assert {run.format for run in project.query.runs()} == {"mlflow"}
    assert len(project.query.runs()) == 8


def test_a_live_run_grows_and_finishes_as_mlflow_writes_it(project):
    folder = place(project, "files") / named("trial 3").relative_to(FIXTURES / "mlruns")
    run = run_id(folder.name)
    project.read()
    for step in range(3, 6):
        with (folder / "metrics" / "train" / "loss").open("a") as file:
            file.write(f"{1763791261000 + 1000 * step} {1 / step} {step}\n")
        project.read()
    meta = (folder / "meta.yaml").read_text()
    written = project.root / "tmpfile.yaml"  # MLflow moves a new file into place
    written.write_text(meta.replace("status: 1", "status: 3").replace("end_time: null", "end_time: 1763791270000"))
    os.replace(written, folder / "meta.yaml")
    project.read()
    [found] = [item for item in project.query.runs() if item.id == run]
    assert (found.status, found.ended_at, found.metrics["train/loss"].n) == ("finished", 1763791270.0, 6)
    assert [step for _, step, value in project.points("train/loss") if value in (1 / 3, 1 / 4, 1 / 5)] == [3, 4, 5]


def test_a_note_written_long_after_the_end_does_not_bring_a_run_back(project):
    folder = place(project, "files") / named("trial 0").relative_to(FIXTURES / "mlruns")
    project.read()
    (folder / "tags" / "mlflow.note.content").write_text("the best so far")
    project.read()
    [found] = [item for item in project.query.runs() if item.name == "trial 0"]
    assert (found.status, list(found.notes)) == ("finished", ["the best so far"])


def test_a_database_grows_and_its_runs_change(project):
    database = place(project, "sqlite")
    uuid = next(uuid for uuid, run in EXPECTED["sqlite"].items() if run["name"] == "trial 3")
    project.read()
    with closing(sqlite3.connect(database)) as con:
        for step in range(3, 6):
            con.execute("INSERT INTO metrics VALUES ('train/loss', ?, 1763791265000, ?, ?, 0)", (1 / step, uuid, step))
            con.commit()
            assert project.read().points == 1
        con.execute("UPDATE runs SET status = 'KILLED', end_time = 1763791270000 WHERE run_uuid = ?", (uuid,))
        con.execute("UPDATE runs SET lifecycle_stage = 'active' WHERE name = 'deleted'")
        con.commit()
    project.read()
    runs = {run.name: run for run in project.query.runs()}
    assert (runs["trial 3"].status, runs["trial 3"].metrics["train/loss"].n) == ("failed", 6)
    assert runs["deleted"].metrics["train/loss"].last == 3.0
    assert project.source("tracking.sqlite").format == "mlflow-sqlite"


def test_the_same_run_in_both_stores_is_one(project):
    place(project, "files")
    database = place(project, "sqlite")
    uuid = named("trial 1").name
    with closing(sqlite3.connect(database)) as con:
        [(old,)] = con.execute("SELECT run_uuid FROM runs WHERE name = 'trial 1'").fetchall()
        for table in ("runs", "metrics", "params", "tags"):
            con.execute(f"UPDATE {table} SET run_uuid = ? WHERE run_uuid = ?", (uuid, old))
        con.commit()
    project.read()
    [run] = [item for item in project.query.runs() if item.id == run_id(uuid)]
    assert run.metrics["train/loss"].n == 3
