"""Columns that other tools drop, crash on, or misjudge: each is listed with a status and a reason, and never alone."""

import gzip
import subprocess
import sys
from datetime import date, datetime
from decimal import Decimal

import numpy as np
import polars as pl
import pytest

from workbench.monitor.drift import DriftInputError, compare, drift_json

N = 1200
R = np.random.default_rng(3)
NORMAL = R.normal(size=N)


def judged(table, reference, current):
    """The verdict on a column of these values, beside a healthy one that must come through unharmed."""
    healthy = {"healthy": NORMAL}
    left = table("reference.parquet", pl.DataFrame({**healthy, "x": reference}))
    right = table("current.parquet", pl.DataFrame({**healthy, "x": current}))
    result = compare(left, right, mode="evidently")
    assert [column.column for column in result.columns] == ["healthy", "x"]
    assert result.columns[0].status == "ok"
    assert result.columns[0].score == 0
    return result.columns[1]


NULLS = pl.Series([None] * N, dtype=pl.Float64)
CASES = {
    "all null now": (NORMAL, NULLS, "no-data", "no values in current"),
    "all null before": (NULLS, NORMAL, "no-data", "no values in reference"),
    "all null on both sides": (NULLS, NULLS, "no-data", "reference and current"),
    "all NaN now": (NORMAL, np.full(N, np.nan), "no-data", "no values in current"),
    "all infinite now": (NORMAL, np.full(N, np.inf), "no-data", "infinite left out"),
    "all null text": (["a"] * N, pl.Series([None] * N, dtype=pl.String), "no-data", "no values in current"),
    "constant and the same": (np.full(N, 5.0), np.full(N, 5.0), "ok", "constant, unchanged"),
    "constant and another": (np.full(N, 5.0), np.full(N, 6.0), "drift", "constant 5 → 6"),
    "constant and now varying": (np.full(N, 5.0), NORMAL, "drift", "was constant 5"),
    "varying and now constant": (NORMAL, np.full(N, 0.25), "drift", "constant now"),
    "constant, then varying too little": (np.full(N, 5.0), 5 + NORMAL * 1e-6, "ok", "does not vary"),
    "small scale, shifted 3 deviations": (NORMAL * 1e-5, NORMAL * 1e-5 + 3e-5, "ok", "really 3.01 standard deviations"),
    "some infinite": (NORMAL, np.where(np.arange(N) < 7, -np.inf, NORMAL), "ok", "7 infinite left out"),
    "half missing now": (NORMAL, np.where(np.arange(N) % 2, np.nan, NORMAL), "ok", "missing 0 % → 50.0 %"),
    "beyond what doubles can sum": (NORMAL * 1e307, NORMAL, "unsupported", "too large"),
    "text that became numbers": ([f"{i % 9}" for i in range(N)], NORMAL, "schema-changed", "VARCHAR → DOUBLE"),
    "numbers that became text": (NORMAL, [f"{i % 9}" for i in range(N)], "schema-changed", "DOUBLE → VARCHAR"),
    "dates": ([date(2024, 1, 1)] * N, [date(2024, 1, 2)] * N, "unsupported", "DATE values"),
    "times": ([datetime(2024, 1, 1)] * N, [datetime(2025, 1, 1)] * N, "unsupported", "TIMESTAMP"),
    "lists": ([[1]] * N, [[2]] * N, "unsupported", "BIGINT[]"),
    "names of rows": ([f"id{i}" for i in range(N)], [f"id{i + N}" for i in range(N)], "id-like", "1,200 distinct"),
    "free text": ([f"t{i % 800}" for i in range(N)], [f"u{i % 800}" for i in range(N)], "unsupported", "800 distinct"),
    "a category that is new": (["a", "b"] * 600, ["a", "c"] * 600, "drift", "1 new value (50.0 %); 1 gone value"),
    "unsigned": (pl.Series(range(N), dtype=pl.UInt16), pl.Series(range(N), dtype=pl.UInt16), "ok", ""),
    "decimals": ([Decimal("1.25") * i for i in range(N)], [Decimal("1.25") * i for i in range(N)], "ok", ""),
    "booleans with nulls": ([True, False, None] * 400, [True, None, None] * 400, "drift", "missing 33.3 % → 66.7 %"),
}


@pytest.mark.parametrize("name", CASES)
def test_an_odd_column_has_a_status_and_a_reason(name, table):
    reference, current, status, reason = CASES[name]
    column = judged(table, reference, current)
    assert (column.status, column.drifted) == (status, status == "drift")
    assert reason in column.reason
    assert (column.score is None) == (status not in {"ok", "drift"})


def test_columns_on_one_side_only_are_named_with_the_side(table):
    left = table("reference.csv", {"both": [1.5, 2.5, 9.5], "old": ["a", "b", "b"]})
    right = table("current.csv", {"new": [1, 2, 3], "both": [1.5, 2.5, 9.5]})
    found = {column.column: (column.status, column.reason) for column in compare(left, right, min_rows=3).columns}
    assert list(found) == ["new", "both", "old"]
    assert found["new"] == ("schema-changed", "missing in the reference")
    assert found["old"] == ("schema-changed", "missing in the current data")
    assert found["both"][0] == "ok"


def test_what_cannot_be_tested_does_not_count_in_the_share(table):
    left = table("reference.parquet", {"a": NORMAL, "b": NORMAL, "gone": NORMAL, "when": [date(2024, 1, 1)] * N})
    right = table("current.parquet", {"a": NORMAL + 1, "b": NORMAL, "when": [date(2025, 1, 1)] * N})
    dataset = drift_json(compare(left, right, mode="evidently"))["dataset"]
    assert dataset == {"drifted": 1, "share": 0.5, "columns": 2, "verdict": "drift", "mode": "evidently"}


def test_names_that_differ_in_case_or_hold_quotes_are_separate_columns(table):
    columns = {"a": NORMAL, "A": NORMAL + 1, 'the "x"; DROP': NORMAL, "it's ü": NORMAL}
    path = table("odd.parquet", columns)
    shifted = table("shifted.parquet", columns | {"A": NORMAL + 2})
    assert {c.column: c.drifted for c in compare(path, shifted).columns} == dict.fromkeys(columns, False) | {"A": True}


@pytest.mark.parametrize("content", ["", "a,b\n"], ids=["no byte", "a header only"])
def test_an_empty_table_gives_every_column_no_data(content, table, tmp_path):
    (tmp_path / "empty.csv").write_text(content)
    result = compare(table("reference.csv", {"a": [1, 2], "b": ["x", "y"]}), tmp_path / "empty.csv")
    assert [(c.column, c.status, c.reason) for c in result.columns] == [
        ("a", "no-data", "no rows in current"),
        ("b", "no-data", "no rows in current"),
    ]
    assert result.verdict == "no-data"


def test_the_formats_agree_gzip_included(table, tmp_path):
    columns = {"x": NORMAL.round(3), "n": np.arange(N), "c": ["p", "q", "r"] * 400}
    moved = columns | {"x": (NORMAL + 0.2).round(3)}
    expected = compare(table("a.parquet", columns), table("b.parquet", moved))
    for suffix in ("csv", "jsonl"):
        left, right = table(f"a.{suffix}", columns), table(f"b.{suffix}", moved)
        packed = tmp_path / f"c.{suffix}.gz"
        packed.write_bytes(gzip.compress(right.read_bytes()))
        assert compare(left, right) == expected
        assert compare(left, packed) == expected


def test_a_glob_is_one_table_and_a_name_with_brackets_is_itself(table):
    for name, values in {
        "part-1.parquet": NORMAL[:500],
        "part-2.parquet": NORMAL[500:],
        "p[1].parquet": NORMAL,
    }.items():
        table(name, {"x": values})
    folder = table("whole.parquet", {"x": NORMAL}).parent
    assert compare(folder / "whole.parquet", folder / "part-*.parquet").columns[0].score == 0
    assert compare(folder / "whole.parquet", folder / "p[1].parquet").columns[0].n_current == N


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("double.csv", b"a,b,a\n1,2,3\n", "column 'a' occurs twice"),
        ("ragged.csv", b"a,b\n1,2\n1,2,3,4\n" + b"5,6\n" * 9, "differ in their number of columns"),
        ("double.jsonl", b'{"a":1}\n{"a":2,"a":3}\n', "line 2"),
        ("torn.jsonl", b'{"a":1}\n{"a":', "torn.jsonl"),
        ("text.parquet", b"a,b\n1,2\n" * 9, "not a Parquet file"),
        ("torn.parquet", b"PAR1" + b"\0" * 99, "still being written, or was cut off"),
        ("broken.parquet", b"PAR1" + b"\0" * 99 + b"PAR1", "broken.parquet"),
    ],
)
def test_a_table_that_cannot_be_read_is_refused_with_its_name_and_the_place(name, content, message, table, tmp_path):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DriftInputError, match=name.split(".")[0]) as caught:
        compare(table("reference.csv", {"a": [1, 2]}), tmp_path / name)
    assert message in str(caught.value)


def test_a_misspelt_file_or_column_is_answered_with_the_nearest(table):
    path = table("january.parquet", {"arr_delay": NORMAL})
    with pytest.raises(DriftInputError, match=r"did you mean 'january\.parquet'"):
        compare(path, path.with_name("januray.parquet"))
    with pytest.raises(DriftInputError, match="did you mean 'arr_delay'"):
        compare(path, path, columns=["arr_dely"])
    with pytest.raises(DriftInputError, match="is a folder"):
        compare(path, path.parent)


def test_columns_and_ignore_choose_what_is_compared(table):
    path = table("t.parquet", {"a": NORMAL, "b": NORMAL, "c": NORMAL})
    assert [c.column for c in compare(path, path, columns=["a", "c"]).columns] == ["a", "c"]
    assert [c.column for c in compare(path, path, ignore=["a"]).columns] == ["b", "c"]


def test_the_json_form_is_the_one_scripts_rely_on(table):
    path = table("t.parquet", {"a": NORMAL})
    assert drift_json(compare(path, path, mode="evidently")) == {
        "dataset": {"drifted": 0, "share": 0.0, "columns": 1, "verdict": "ok", "mode": "evidently"},
        "columns": [
            {
                "column": "a",
                "type": "num",
                "status": "ok",
                "method": "Wasserstein distance (normed)",
                "score": 0.0,
                "threshold": 0.1,
                "drifted": False,
                "n_reference": N,
                "n_current": N,
                "reason": "",
                "noise_p95": None,
                "p_value": None,
                "effect": None,
            }
        ],
        "findings": [],
    }


def test_nothing_is_left_behind_in_the_temporary_folder(table, tmp_path):
    path = table("t.csv", {"a": NORMAL})
    (tmp_path / "scratch").mkdir()
    code = "import sys; from workbench.monitor.drift import compare; compare(sys.argv[1], sys.argv[1])"
    subprocess.run([sys.executable, "-c", code, path], check=True, env={"TMPDIR": str(tmp_path / "scratch")})
    assert not list((tmp_path / "scratch").iterdir())
