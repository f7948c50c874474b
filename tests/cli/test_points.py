"""`export points`: every point of every series, bit by bit and in the order of its file."""

from __future__ import annotations

import json
import math
import struct
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tests.cli.conftest import LONG_AGO
from tests.support.command_line import record, workbench
from tests.support.ingest import Project

pytestmark = pytest.mark.duckdb15

POINT = ["run_id", "run", "key", "step", "wall_time", "value"]


def bits(value: float) -> bytes:
    return b"nan" if math.isnan(value) else struct.pack("<d", value)


def exported(form: str, *options: str) -> list[tuple[Any, ...]]:
    """Points as (run, key, step, wall time, bits of the value), in the order of the file."""
    out = Path(f"points.{form}")
    workbench("export", "points", "--format", form, "--out", str(out), *options)
    if form == "parquet":
        frame = pl.read_parquet(out)
        assert frame.columns == POINT
        assert [str(kind) for kind in frame.dtypes] == ["String", "String", "String", "Int64", "Float64", "Float64"]
        rows = frame.rows()
    elif form == "csv":
        frame = pl.read_csv(out, infer_schema=False)
        assert frame.columns == POINT
        rows = [(*row[:3], int(row[3]), float(row[4]) if row[4] else None, float(row[5])) for row in frame.rows()]
    else:
        listed = json.loads(out.read_text(), parse_constant=pytest.fail)
        assert all(list(row) == POINT for row in listed)
        rows = [(*list(row.values())[:5], float(row["value"])) for row in listed]
    return [(run, key, step, wall, bits(value)) for _, run, key, step, wall, value in rows]


VALUES = [
    0.1 + 0.2, 5e-324, 1.7976931348623157e308, -0.0, 2.0**53 + 2, 1 / 3, math.pi * 1e-200, 1e22, 123456789.123456789,
    math.nan, math.inf, -math.inf, 9007199254740993.0, 1e16, 0.1,
]  # fmt: skip
"""Numbers that lose their last bits, or all of them, on a careless way."""


@pytest.mark.parametrize("form", ["csv", "parquet", "json"])
def test_points_come_out_with_the_same_bits_and_in_file_order(
    project: Project, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    monkeypatch.chdir(project.root)
    steps = [3, 1, 2, 7, 5, 6, 0, 4, 9, 8, 12, 11, 10, 14, 13]
    lines = [json.dumps({"step": step, "x": value}) for step, value in zip(steps, VALUES, strict=True)]
    project.write("odd/log.jsonl", "\n".join(lines) + "\n", at=LONG_AGO)
    expected = [("odd", "x", step, None, bits(value)) for step, value in zip(steps, VALUES, strict=True)]
    assert exported(form) == expected


@pytest.mark.parametrize("form", ["csv", "parquet", "json"])
def test_two_processes_of_one_run_follow_each_other_by_path(
    project: Project, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    monkeypatch.chdir(project.root)
    expected = []
    for part in range(5):
        name = f"runs/r/{part}.wb.jsonl"
        project.write(name, record("start", run="r1", name="shared", ts=LONG_AGO), at=LONG_AGO)
        for step in (20 - part, 3 * part, 3 * part):
            project.write(name, record("log", step=step, ts=LONG_AGO + part, m={"loss": step / 7}), at=LONG_AGO)
            expected.append(("shared", "loss", step, LONG_AGO + part, bits(step / 7)))
    assert exported(form) == expected, "all points, repeated steps too, source by source"


def test_points_of_some_runs_on_stdout(read: Project) -> None:
    rows = workbench("export", "points", "--where", "name:sparse").rows
    assert list(rows[0]) == POINT
    assert [(row["run"], row["step"], row["value"]) for row in rows] == [
        ("sparse", "0", "1.0"), ("sparse", "1", "nan"), ("sparse", "2", "-inf"), ("sparse", "3", "0.30000000000000004"),
    ]  # fmt: skip
    listed = workbench("export", "points", "--where", "name:sparse", "--format", "json").json
    assert [row["value"] for row in listed] == [1.0, "NaN", "-Infinity", 0.30000000000000004]
    assert workbench("export", "points", "--where", "name:nobody", "--format", "json").json == []


def test_the_file_name_says_the_format_and_a_failed_export_leaves_nothing(read: Project, tmp_path: Path) -> None:
    target = tmp_path / "all.parquet"
    workbench("export", "points", "--out", str(target))
    assert pl.read_parquet(target).height == 20 * 3 + 4 + 3
    answer = workbench("export", "points", "--out", str(tmp_path / "nowhere" / "x.csv"), code=2)
    assert "nowhere/x.csv: cannot be written" in answer.err
    assert sorted(item.name for item in tmp_path.iterdir()) == ["all.parquet"]
