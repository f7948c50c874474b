"""CatBoost's `catboost_info` tells what CatBoost's own API tells."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.support.ingest import Project
from tests.support.reading import at, head_of
from workbench.readers.catboost import CatBoostReader

FOLDER = Path(__file__).parents[1] / "fixtures" / "catboost"
PLACE = FOLDER / "catboost_info" / "catboost_training.json"
EXPECTED = json.loads((FOLDER / "expected.json").read_text())
SETS = {"learn": "learn", "validation_0": "test", "validation_1": "test1"}


def test_every_metric_of_every_set_point_by_point() -> None:
    reading = at(CatBoostReader(), PLACE).look()
    expected = {
        f"{SETS[subset]}/{name}": list(enumerate(values))
        for subset, metrics in EXPECTED["series"].items()
        for name, values in metrics.items()
    }
    for name in ("passed_time", "remaining_time"):
        assert [step for step, _ in reading.values(name)] == list(range(12))
    found = {key: reading.values(key) for _, key in reading.series if "/" in key}
    assert found.keys() == expected.keys()
    for key, rows in expected.items():  # the file keeps ten digits
        assert found[key] == [(step, pytest.approx(value, rel=1e-9)) for step, value in rows]


def test_goals_total_and_best_iteration() -> None:
    reading = at(CatBoostReader(), PLACE).look()
    assert reading.fact("total_steps") == EXPECTED["iterations"]
    assert reading.of_kind("goal") == {
        "learn/Logloss": "min", "learn/Accuracy": "max", "test/AUC": "max", "test/Logloss": "min",
        "test/Accuracy": "max", "test1/AUC": "max", "test1/Logloss": "min", "test1/Accuracy": "max",
    }  # fmt: skip


def test_a_training_grows_and_the_next_one_replaces_it(tmp_path: Path) -> None:
    place = tmp_path / "catboost_training.json"
    loaded = json.loads(PLACE.read_text())
    reading = at(CatBoostReader(), place)
    for n in range(0, 13, 3):
        text = json.dumps(loaded | {"iterations": loaded["iterations"][:n]})
        place.write_text(text[:-5])
        reading.look()
        place.write_text(text)
        assert len(reading.look().values("learn/Logloss")) == n
    assert reading.told == at(CatBoostReader(), PLACE).look().told
    assert "catboost_training.json is not complete" in reading.messages
    place.write_text(json.dumps(loaded | {"iterations": [{"iteration": 0, "learn": [9.0, 1.0]}]}))
    assert reading.look().generation == 1
    assert reading.values("learn/Logloss") == [(0, 9.0)]


def test_the_folder_is_one_run_and_nothing_is_read_twice(project: Project) -> None:
    shutil.copytree(FOLDER / "catboost_info", project.root / "fit" / "catboost_info")
    project.read()
    [run] = project.query.runs()
    assert [source.format for source in project.query.sources()] == ["catboost"]
    assert (run.name, run.status) == ("fit", "finished")
    assert run.metrics["test/AUC"].n == 12
    assert CatBoostReader().claim(head_of(PLACE)).covers
