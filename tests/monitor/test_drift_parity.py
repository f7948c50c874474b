"""The same scores and verdicts as Evidently, which runs beside on the same files in a process of its own."""

import json
import subprocess
import sys
from pathlib import Path

import duckdb
import polars as pl
import pytest

from workbench.monitor.drift import compare

ORACLE = Path(__file__).with_name("evidently_oracle.py")
SIZES = ["300 against 500.parquet", "1001 against 700.parquet", "2500 against 900.csv", "1000 against 11000.parquet"]
MONTHS = ["January against February", "January against July"]


@pytest.fixture(scope="module")
def pairs(tmp_path_factory, kinds_of_columns, flights):
    """Pairs of files by name: generated columns of every kind in several sizes and formats, and real flights."""
    folder = tmp_path_factory.mktemp("parity")
    found = {}
    for name in SIZES:
        sizes, suffix = name.rsplit(".", 1)
        n, m = (int(part) for part in sizes.split(" against "))
        found[name] = (folder / f"{n}-reference.{suffix}", folder / f"{n}-current.{suffix}")
        for path, frame in zip(
            found[name], (kinds_of_columns(n, 2 * n, 0), kinds_of_columns(m, 2 * n + 1, 0.3)), strict=True
        ):
            frame.write_parquet(path) if suffix == "parquet" else frame.write_csv(path)
    for month, number in (("January", 1), ("February", 2), ("July", 7)):
        flights.filter(pl.col("month") == number).write_parquet(folder / f"{month}.parquet")
    for name in MONTHS:
        first, second = name.split(" against ")
        found[name] = (folder / f"{first}.parquet", folder / f"{second}.parquet")
    return found


@pytest.fixture(scope="module")
def evidently(pairs):
    """Evidently's verdicts on all pairs, from one process."""
    paths = [str(path) for pair in pairs.values() for path in pair]
    done = subprocess.run([sys.executable, str(ORACLE), *paths], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return dict(zip(pairs, json.loads(done.stdout), strict=True))


@pytest.mark.parametrize("name", SIZES + MONTHS)
def test_every_score_and_verdict_is_evidentlys(name, pairs, evidently):
    expected, result = evidently[name], compare(*pairs[name], mode="evidently")
    ours = {column.column: column for column in result.columns}

    assert len(expected["columns"]) >= 15
    for column, theirs in expected["columns"].items():
        mine = ours[column]
        assert (mine.method, mine.threshold) == (theirs["method"], theirs["threshold"]), column
        assert mine.score == pytest.approx(theirs["score"], rel=1e-9, abs=1e-9), column
        assert mine.drifted == theirs["drifted"], column
    assert [c.column for c in result.columns if c.score is None] == [c for c in ours if c not in expected["columns"]]
    assert (result.drifted, result.tested) == (expected["drifted"], len(expected["columns"]))
    assert result.share == pytest.approx(expected["share"])


@pytest.mark.parametrize("name", MONTHS)
def test_every_column_of_the_flights_is_listed_once(name, pairs):
    result = compare(*pairs[name], mode="evidently")
    assert [column.column for column in result.columns] == pl.read_parquet(pairs[name][1]).columns


def test_delays_of_july_differ_from_january_and_those_of_february_do_not(pairs):
    def drifted(name):
        return {column.column for column in compare(*pairs[name]).columns if column.drifted}

    assert {"dep_delay", "arr_delay"} <= drifted("January against July")
    assert not {"dep_delay", "arr_delay"} & drifted("January against February")


@pytest.mark.skipif(duckdb.__version__ < "2", reason="before 2.0 DuckDB imports pandas itself to bind a parameter")
def test_no_pandas_evidently_or_arrow_is_loaded_to_compare(pairs):
    code = (
        "import sys; from workbench.monitor.drift import compare; compare(*sys.argv[1:]);"
        "print(sorted({'pandas', 'pyarrow', 'evidently', 'sklearn', 'polars', 'textual'} & set(sys.modules)))"
    )
    paths = [str(path) for path in pairs["300 against 500.parquet"]]
    done = subprocess.run([sys.executable, "-c", code, *paths], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
