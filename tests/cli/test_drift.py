"""`workbench drift` as a person and as a script use it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from tests.support.command_line import workbench

R = np.random.default_rng(6)
N = 900


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("drift")
    columns = {
        "moved": R.normal(size=N), "same": R.normal(size=N), "word": R.choice(["a", "b"], N).tolist(),
        "gone": np.ones(N), "at": np.arange(N) * 60.0,
    }  # fmt: skip
    pl.DataFrame(columns).write_parquet(made / "reference.parquet")
    current = columns | {"moved": R.normal(0.7, 1, N), "word": R.choice(["a", "b", None], N).tolist()}
    current.pop("gone")
    pl.DataFrame(current, strict=False).write_parquet(made / "current.parquet")
    return made


@pytest.fixture
def files(folder: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[str, str]:
    monkeypatch.chdir(folder)
    return "reference.parquet", "current.parquet"


@pytest.mark.parametrize("form", ["table", "md"])
def test_the_answer_says_what_why_and_what_to_do_next(form: str, files: tuple[str, str]) -> None:
    said = workbench("drift", *files, "--ignore", "at", "--format", form).out
    assert "The data has drifted: 1 of 3 tested columns differ" in said
    assert " x what chance reaches; p " in said and "; median " in said
    assert "word: missing 0 %" in said
    assert "Next: look at moved first" in said
    assert "settle the schema of gone" in said


def test_nothing_to_do_is_said_too(files: tuple[str, str]) -> None:
    said = workbench("drift", files[0], files[0]).out
    assert "No drift: 0 of 5 tested columns" in said
    assert "Next: nothing; keep a gate on it" in said


def test_methods_and_thresholds_are_given_by_name(files: tuple[str, str]) -> None:
    found = workbench(
        "drift", *files, "--mode", "evidently", "--num-method", "psi", "--column-method", "same=ks",
        "--threshold", "0.3", "--column-threshold", "same=0.001", "--format", "json",
    ).json  # fmt: skip
    columns = {column["column"]: column for column in found["columns"]}
    assert (columns["moved"]["method"], columns["moved"]["threshold"]) == ("PSI", 0.3)
    assert (columns["same"]["method"], columns["same"]["threshold"]) == ("K-S p_value", 0.001)
    assert found["dataset"]["mode"] == "evidently"
    assert columns["moved"]["noise_p95"] is None


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--method", "wasserstien"], "did you mean 'wasserstein'"),
        (["--column-threshold", "same"], "write NAME=VALUE"),
        (["--column-threshold", "same=high"], "write NAME=VALUE"),
    ],
)
def test_a_slip_in_the_options_is_exit_code_2(options: list[str], says: str, files: tuple[str, str]) -> None:
    assert says in workbench("drift", *files, *options, code=2).err


def test_one_table_alone_is_told_what_is_missing(files: tuple[str, str]) -> None:
    assert "REFERENCE and CURRENT" in workbench("drift", files[0], code=2).err


def test_a_time_that_is_not_there_is_answered_with_the_nearest_column(files: tuple[str, str]) -> None:
    assert "no column 'a'" in workbench("drift", *files, "--time", "a", code=4).err
    timed = workbench("drift", *files, "--time", "at", "--column", "moved", "--format", "json").json
    assert timed["columns"][0]["status"] == "drift"


def test_the_columns_together_are_in_json_and_in_words(files: tuple[str, str]) -> None:
    options = ["--multivariate", "--column", "moved", "--column", "same", "--format"]
    found = workbench("drift", *files, *options, "json").json["multivariate"]
    assert found["drifted"] is True
    assert [item["column"] for item in found["columns"]] == ["moved"]
    assert found["sentence"].startswith("A classifier tells 900 reference and 900 current rows apart")


def test_a_snapshot_is_shown_as_a_comparison_is(folder: Path, files: tuple[str, str]) -> None:
    config = {"type": "evidently:metric_v2:ValueDrift", "column": "age", "method": "psi", "threshold": 0.1}
    metrics = [
        {"id": "1", "metric_name": "ValueDrift", "config": config, "value": 0.4},
        {"id": "2", "metric_name": "RowCount()", "config": {"type": "evidently:metric_v2:RowCount"}, "value": 9},
    ]
    (folder / "snapshot.json").write_text(json.dumps({"metrics": metrics, "tests": []}))
    found = workbench("drift", "--snapshot", "snapshot.json", "--format", "json").json
    assert found["dataset"]["verdict"] == "drift"
    assert found["metrics"] == [{"name": "RowCount()", "value": 9.0}]
    assert "age" in workbench("drift", "--snapshot", "snapshot.json").out
    assert "not JSON" in workbench("drift", "--snapshot", "reference.parquet", code=4).err
