"""Answers in SQL as files: every format reads back as what was asked."""

from __future__ import annotations

import csv
import datetime as dt
import decimal
import json
import uuid
from pathlib import Path

import polars as pl
import pytest

from workbench.core.query import Rows
from workbench.report.tables import FormatError, distinct, format_of, rows_shape, write_rows

MOMENT = dt.datetime(2026, 1, 5, 12, 0, 1)
ROWS = Rows(
    ["name", "n", "value", "at", "n"],
    [
        ("a", 1, 0.5, MOMENT, None),
        ("=cmd()", 2, float("nan"), None, 7),
        ("\x1b[31mred", 3, None, MOMENT, 2**70),
    ],
)


def test_csv_keeps_digits_and_is_safe_for_spreadsheets_and_terminals(tmp_path: Path) -> None:
    write_rows(ROWS, tmp_path / "out.csv")
    with (tmp_path / "out.csv").open(encoding="utf-8", newline="") as file:
        head, *rows = list(csv.reader(file))
    assert head == ["name", "n", "value", "at", "n"]
    assert rows[0] == ["a", "1", "0.5", "2026-01-05 12:00:01", ""]
    assert rows[1][0] == "'=cmd()"
    assert rows[2][0] == "␛[31mred"
    assert rows[2][4] == str(2**70)


def test_json_is_strict_and_gives_a_second_column_of_a_name_a_number(tmp_path: Path) -> None:
    write_rows(ROWS, tmp_path / "out.json")
    made = json.loads((tmp_path / "out.json").read_text(encoding="utf-8"), parse_constant=pytest.fail)
    assert made == rows_shape(ROWS)
    assert made[1]["n_2"] == 7
    assert made[0]["value"] == 0.5


def test_parquet_keeps_types_and_turns_what_has_none_into_text(tmp_path: Path) -> None:
    odd = Rows(
        ["d", "u", "mixed", "none", "list"],
        [(decimal.Decimal("1.50"), uuid.UUID(int=1), 1, None, [1, 2]), (None, None, "x", None, None)],
    )
    write_rows(odd, tmp_path / "odd.parquet")
    made = pl.read_parquet(tmp_path / "odd.parquet")
    assert made["d"].to_list() == [decimal.Decimal("1.50"), None]
    assert made["u"].to_list() == ["00000000-0000-0000-0000-000000000001", None]
    assert made["mixed"].to_list() == ["1", "x"]
    assert made["none"].to_list() == [None, None]
    assert made["list"].to_list() == [[1, 2], None]
    write_rows(ROWS, tmp_path / "out.parquet")
    made = pl.read_parquet(tmp_path / "out.parquet")
    assert made.columns == ["name", "n", "value", "at", "n_2"]
    assert made["n"].dtype == pl.Int64
    assert made["at"].to_list() == [MOMENT, None, MOMENT]


def test_markdown_has_a_row_a_row(tmp_path: Path) -> None:
    write_rows(ROWS, tmp_path / "out.md")
    lines = (tmp_path / "out.md").read_text(encoding="utf-8").strip().splitlines()
    assert len([line for line in lines if line.startswith("|")]) == 5


def test_an_answer_without_rows_is_a_file_with_its_columns(tmp_path: Path) -> None:
    for ending in ("csv", "parquet", "json", "md"):
        write_rows(Rows(["a"], []), tmp_path / f"none.{ending}")
    assert pl.read_parquet(tmp_path / "none.parquet").columns == ["a"]
    assert (tmp_path / "none.csv").read_text(encoding="utf-8") == "a\n"


def test_a_file_that_is_there_is_replaced_only_when_asked(tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    path.write_text("mine", encoding="utf-8")
    with pytest.raises(FileExistsError):
        write_rows(ROWS, path, replace=False)
    assert path.read_text(encoding="utf-8") == "mine"
    write_rows(ROWS, path)
    assert [each.name for each in tmp_path.iterdir()] == ["out.csv"]


def test_an_ending_of_no_format_is_refused() -> None:
    with pytest.raises(FormatError, match="\\.csv, \\.parquet, \\.json, \\.md"):
        format_of(Path("out.xls"))
    assert (format_of(Path("A.CSV")), format_of(Path("a.markdown"))) == ("csv", "md")


def test_names_that_come_again_get_numbers_that_are_free() -> None:
    assert distinct(["n", "n", "n_2", "n"]) == ["n", "n_2", "n_2_2", "n_3"]
