"""The sample project runs as a user runs it, and what it writes is what the documentation says."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from workbench.core import config as configuration
from workbench.core.config import load_config

SAMPLE = Path(__file__).parents[2] / "sample_projects" / "flights"

pytest.importorskip("tensorboardX")
pytestmark = pytest.mark.skipif(
    not hasattr(configuration, "LabelSpec"), reason="labels in files of their own are not read yet"
)


@pytest.fixture(scope="module")
def projects(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two folders, trained side by side."""
    folders = [tmp_path_factory.mktemp("flights") for _ in range(2)]
    commands = [[sys.executable, str(SAMPLE / "train.py"), "--out", str(folder), "--quick"] for folder in folders]
    environment = {key: value for key, value in os.environ.items() if key != "WORKBENCH_DIR"}
    started = [
        subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        for command in commands
    ]
    errors = [process.communicate(timeout=200)[1] for process in started]
    assert errors == [b"", b""]
    return folders


@pytest.fixture(scope="module")
def project(projects: list[Path]) -> Path:
    return projects[0]


def test_three_runs_in_three_formats(project):
    runs = {path.name.rsplit("-", 1)[0]: path for path in (project / "runs").iterdir()}
    assert sorted(runs) == ["boosting", "logistic", "rule"]
    assert len(list(runs["rule"].glob("*.wb.jsonl"))) == 1
    assert (runs["logistic"] / "metrics.csv").exists() and (runs["logistic"] / "hparams.yaml").exists()
    assert len(list(runs["boosting"].rglob("events.out.tfevents.*"))) == 2


def test_the_baseline_logs_all_five_stages(project):
    [path] = (project / "runs").glob("rule-*/*.wb.jsonl")
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    finished = [line["name"] for line in lines if line["t"] == "stage" and line["status"] == "finished"]
    assert finished == ["ingestion", "preprocessing", "training", "evaluation", "result logging"]
    assert lines[0]["baseline"] is True and lines[-1]["status"] == "finished"
    assert {line["key"] for line in lines if line["t"] in ("data", "artifact")} == {"raw", "rule.txt"}


def test_the_models_beat_the_rule_by_auc(project):
    [path] = (project / "runs").glob("rule-*/*.wb.jsonl")
    logged = [json.loads(line)["m"] for line in path.read_text().splitlines() if '"t":"log"' in line]
    rule = [values["val/auc"] for values in logged if "val/auc" in values][-1]
    with next((project / "runs").glob("logistic-*/metrics.csv")).open() as file:
        rows = list(csv.DictReader(file))
    logistic = [float(row["val/auc"]) for row in rows if row["val/auc"]][-1]
    assert 0.5 < rule < logistic < 0.9
    assert sum(bool(row["latency_ms"]) for row in rows) > 10


def test_weekly_exports_match_the_configuration(project):
    import polars as pl

    config = load_config(project)
    monitor = config.monitors["flights"]
    exports = sorted(project.glob(monitor.path))
    assert [path.name for path in exports] == [f"flights-2013-W{week:02}.parquet" for week in (6, 7, 8, 9)]
    frame = pl.concat(map(pl.read_parquet, exports))
    roles = monitor.columns
    named = {
        monitor.timestamp,
        roles.prediction,
        roles.probability,
        roles.latency,
        roles.status,
        roles.business,
    }
    assert named <= set(frame.columns)
    assert frame["scheduled"].is_sorted() and frame["scheduled"].dt.week().n_unique() == 4
    served = frame.filter(pl.col("status") == 200)
    assert served["latency_ms"].min() > 0 and served["prediction"].null_count() == 0
    refused = frame.filter(pl.col("status") != 200)
    assert len(refused) > 0 and refused["prediction"].null_count() == len(refused)
    reference = pl.read_parquet(project / str(monitor.reference))
    assert {*reference.columns, "id"} == {*frame.columns, "late"} and reference["scheduled"].max() < frame[
        "scheduled"
    ].min()


def test_labels_come_a_week_late_and_those_of_the_last_week_are_still_to_come(project):
    import polars as pl

    spec = load_config(project).monitors["flights"].labels
    files = sorted(project.glob(spec.path))
    assert [path.stem for path in files] == [f"late-2013-W{week:02}" for week in (6, 7, 8)]
    labels = pl.concat(pl.read_csv(path, try_parse_dates=True) for path in files)
    rows = pl.concat(map(pl.read_parquet, sorted((project / "exports").glob("*.parquet"))))
    assert rows["id"].is_unique().all() and set(labels["id"]) < set(rows["id"])
    known = rows.join(labels, on="id", how="left")
    assert 0.9 < known.filter(pl.col("scheduled").dt.week() < 9)[spec.label].is_not_null().mean() < 1
    assert known.filter(pl.col("scheduled").dt.week() == 9)[spec.label].is_null().all()
    waited = known.select((pl.col(spec.timestamp) - pl.col("scheduled")).min()).item()
    assert waited.days >= 7


def test_the_released_model_is_tagged_so_that_production_stands_beside_its_training(project):
    (path,) = (project / ".workbench" / "annotations").glob("*.jsonl")
    assert '"production"' in path.read_text() and '"flights"' in path.read_text()


def test_the_same_seed_gives_the_same_predictions(projects):
    import polars as pl

    first, second = (pl.read_parquet(folder / "exports" / "*.parquet").drop("latency_ms") for folder in projects)
    assert first.equals(second)


def test_a_configuration_that_is_there_is_not_replaced(project):
    written = (project / "workbench.toml").read_bytes()
    assert written == (SAMPLE / "workbench.toml").read_bytes()
    assert set(tomllib.loads(written.decode())["gates"]) == {
        "model",
        "speed",
        "drift",
        "in_service",
        "answers",
        "complete",
    }
