"""Windows of a monitor and drift between two files, as other programs read them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from tests.support.command_line import workbench
from tests.support.production import write_exports

pytestmark = pytest.mark.duckdb15

COLUMN = [
    "column", "type", "status", "method", "score", "threshold", "drifted", "n_reference", "n_current", "reason",
    "noise_p95", "p_value", "effect",
]  # fmt: skip


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("shop")
    write_exports(root)
    workbench("watch", "--once", root)
    return root


@pytest.fixture
def in_shop(shop: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(shop)
    return shop


def test_a_monitor_lists_its_windows_oldest_first(in_shop: Path) -> None:
    found = workbench("monitor", "shop", "--format", "json").json
    assert list(found) == ["monitor", "windows", "findings"]
    assert found["monitor"] == "shop"
    windows = found["windows"]
    assert [window["start"] for window in windows] == [f"2023-11-{day}T00:00:00.000Z" for day in (14, 15, 16)]
    last = windows[-1]
    assert list(last) == ["start", "end", "segment", "rows", "metrics", "columns"]
    assert last["rows"] == 400
    day = pl.read_parquet("exports/day2.parquet")
    for q in (50, 95, 99):
        assert last["metrics"][f"latency_ms.p{q}"] == pytest.approx(np.percentile(day["latency_ms"], q), rel=1e-9)
    assert last["metrics"]["error_rate"] == pytest.approx((day["status"] == 500).mean())
    columns = {column["column"]: column for column in last["columns"]}
    assert len(columns) == len(last["columns"]), "every column once"
    assert list(columns["age"]) == COLUMN
    assert columns["age"]["drifted"] is True and columns["size"]["drifted"] is False


def test_a_monitor_in_csv_and_on_screen_and_one_that_does_not_exist(in_shop: Path) -> None:
    rows = workbench("monitor", "--format", "csv").rows
    assert [row["drift.drifted"] for row in rows] == ["0", "0", "1"]
    assert float(rows[-1]["metrics.latency_ms.p95"]) > float(rows[0]["metrics.latency_ms.p95"])
    assert "2023-11-16" not in workbench("monitor").out and "11-16" in workbench("monitor").out
    assert "no monitor 'shopp' – did you mean 'shop'?" in workbench("monitor", "shopp", code=2).err


def test_drift_of_two_files_names_every_column_once(in_shop: Path) -> None:
    found = workbench("drift", "reference.parquet", "exports/day2.parquet", "--format", "json").json
    assert list(found) == ["dataset", "columns", "findings"]
    assert list(found["dataset"]) == ["drifted", "share", "columns", "verdict", "mode"]
    assert [list(column) for column in found["columns"]] == [COLUMN] * len(found["columns"])
    names = [column["column"] for column in found["columns"]]
    assert sorted(names) == sorted(pl.read_parquet("reference.parquet").columns)
    age = found["columns"][names.index("age")]
    assert (age["type"], age["status"], age["n_reference"], age["n_current"]) == ("num", "drift", 400, 400)
    assert age["score"] > age["threshold"] or "p_value" in age["method"]
    only = workbench("drift", "reference.parquet", "exports/*.parquet", "--column", "size", "--format", "csv").rows
    assert [row["column"] for row in only] == ["size"]
    assert only[0]["n_current"] == "1200"


@pytest.mark.parametrize(
    ("files", "says"),
    [(("nix.parquet", "reference.parquet"), "nix.parquet: no such file"),
     (("reference.parquet", "refrence.parquet"), "did you mean 'reference.parquet'"),
     (("exports", "reference.parquet"), "is a folder")],
)  # fmt: skip
def test_drift_of_what_cannot_be_read_is_exit_code_4(in_shop: Path, files: tuple[str, str], says: str) -> None:
    answer = workbench("drift", *files, code=4)
    assert says in answer.err and answer.out == ""
