"""The edge cases of production tables as they come: a day of each in an export, judged as a window of its own."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from tests.support.command_line import workbench
from tests.support.monitors import Production
from workbench.core.config import load_config
from workbench.core.model import ColumnDrift, Finding, Window
from workbench.ingest.findings import FindingWatch

N = 2000
DAY = 86_400.0
START = 1_704_067_200.0
CONFIG = """
[monitor.m]
path = "exports/*.parquet"
[monitor.m.reference]
path = "reference.parquet"
[monitor.m.window]
every = "1d"
min_rows = 30
"""
CONSTANT = np.full(N, 5.0)
R = np.random.default_rng(4)


def normal() -> Any:
    return R.normal(size=N)


def words(*names: str) -> Any:
    return R.choice(list(names), N)


def holes(values: Any, share: float) -> pl.Series:
    return pl.Series(values).set(pl.Series(R.random(N) < share), None)


def days(first: int) -> list[datetime]:
    return [datetime(2024, 1, 1) + timedelta(hours=i + first) for i in range(N)]


def cents(kinds: int) -> list[Decimal]:
    return [Decimal("1.25") * (i % kinds) for i in range(N)]


CASES: dict[str, tuple[Any, Any, str, str]] = {
    "constant": (CONSTANT, CONSTANT, "ok", "constant, unchanged"),
    "another constant": (CONSTANT, CONSTANT + 1, "drift", "constant 5 → 6"),
    "varies by a millionth": (CONSTANT, 5 + normal() * 1e-6, "drift", "was constant 5, now varies"),
    "tiny scale": (normal() * 1e-9, normal() * 1e-9 + 1e-9, "drift", "median"),
    "all null now": (normal(), pl.Series([None] * N, dtype=pl.Float64), "no-data", "no values in current"),
    "all null before": (pl.Series([None] * N, dtype=pl.Float64), normal(), "no-data", "no values in reference"),
    "more missing": (holes(normal(), 0.02), holes(normal(), 0.2), "ok", ""),
    "infinite": (normal(), np.where(np.arange(N) % 40, normal(), np.inf), "ok", ""),
    "new words": (words("a", "b"), words("a", "b", "c"), "drift", ""),
    "gone words": (words("a", "b", "c"), words("a", "b"), "drift", ""),
    "few integers": (R.integers(0, 5, N), R.integers(0, 3, N), "drift", ""),
    "dates": (days(0), days(9000), "unsupported", "TIMESTAMP"),
    "nullable flags": (R.random(N) < 0.5, holes(R.random(N) < 0.5, 0.3), "ok", ""),
    "names of rows": ([f"id{i}" for i in range(N)], [f"id{i + N}" for i in range(N)], "id-like", "names rows"),
    "many words": ([f"z{i}" for i in R.integers(0, 300, N)], [f"z{i}" for i in R.integers(0, 300, N)], "ok", ""),
    "unsigned": (R.integers(0, 200, N).astype(np.uint16), R.integers(0, 200, N).astype(np.uint16), "ok", ""),
    "decimals": (cents(90), cents(91), "ok", ""),
    "other type": (normal(), words("low", "high"), "schema-changed", "DOUBLE → VARCHAR"),
    "outliers": (normal(), np.where(np.arange(N) % 100, normal(), 1e12), "ok", ""),
    "heavy tails": (R.standard_cauchy(N), R.standard_cauchy(N), "ok", ""),
    "heavy tails moved": (R.standard_cauchy(N), R.standard_cauchy(N) + 1.5, "drift", ""),
    "mostly zero": (
        np.where(R.random(N) < 0.95, 0, R.exponential(1, N)),
        np.where(R.random(N) < 0.8, 0, R.exponential(1, N)),
        "drift",
        "",
    ),
    "signs of zero": (np.where(R.random(N) < 0.5, 0.0, -0.0), np.where(R.random(N) < 0.5, -0.0, 0.0), "ok", ""),
}
"""Reference, the day's values, status, and what the reason says."""
FOUND = {
    "more missing": "missing",
    "infinite": "infinite",
    "new words": "new-values",
    "gone words": "gone-values",
    "outliers": "range",
    "all null now": "missing",
}
"""What is told of a column beside its shape."""


def day(number: int, columns: dict[str, Any], rows: int = N) -> pl.DataFrame:
    at = START + number * DAY + np.arange(rows) * (DAY / rows)
    return pl.DataFrame({"ts": at, **columns}, strict=False)


@pytest.fixture(scope="module")
def production(tmp_path_factory: pytest.TempPathFactory) -> Production:
    """A day as the reference, a day of every edge, one of 12 rows, none for a day, and one with other columns."""
    made = Production(tmp_path_factory.mktemp("edges"))
    made.config(CONFIG)
    (made.root / "exports").mkdir()
    reference = {name: case[0] for name, case in CASES.items()}
    day(-100, reference).write_parquet(made.root / "reference.parquet")
    day(0, reference).write_parquet(made.root / "exports/0.parquet")
    day(1, {name: case[1] for name, case in CASES.items()}).write_parquet(made.root / "exports/1.parquet")
    tiny = {name: pl.Series(values)[:12] for name, values in reference.items()}
    day(2, tiny, 12).write_parquet(made.root / "exports/2.parquet")
    rest = {name: values for name, values in reference.items() if name != "decimals"}
    day(4, {**rest, "brand new": normal()}).write_parquet(made.root / "exports/4.parquet")
    made.update()
    FindingWatch(load_config(made.root), made.store, clock=lambda: made.now).update()
    return made


def verdicts(window: Window) -> dict[str, ColumnDrift]:
    return {column.column: column for column in window.columns}


def test_the_windows_are_the_days_with_an_empty_one_between(production: Production) -> None:
    assert [window.rows for window in production.windows()] == [N, N, 12, 0, N]


def test_a_day_like_the_reference_is_quiet(production: Production) -> None:
    first = production.windows()[0]
    assert {column.column for column in first.columns if column.drifted} == set()
    assert first.metrics["drift.share"] == 0


@pytest.mark.parametrize("name", CASES)
def test_an_edge_has_its_status_and_a_reason(name: str, production: Production) -> None:
    _, _, status, reason = CASES[name]
    column = verdicts(production.windows()[1])[name]
    assert (column.status, column.drifted) == (status, status == "drift")
    assert reason in column.reason
    assert column.reason or column.score is not None


@pytest.mark.parametrize("name", FOUND)
def test_what_is_wrong_beside_the_shape_is_told_of_the_window(name: str, production: Production) -> None:
    window = production.windows()[1]
    kinds = {finding.kind for finding in verdicts(window)[name].findings}
    assert FOUND[name] in kinds or window.metrics.get(f"quality.missing.{name}", 0) == 1
    assert production.query.findings("m")


def test_every_column_of_the_export_is_in_every_window_that_has_rows(production: Production) -> None:
    for window in production.windows():
        names = [column.column for column in window.columns]
        if window.rows:
            assert sorted(set(names)) == sorted(names)
            assert set(CASES) <= set(names)


def test_a_day_of_a_few_rows_is_no_verdict(production: Production) -> None:
    tiny = production.windows()[2]
    assert {column.status for column in tiny.columns} <= {"too-few", "no-data", "unsupported", "id-like", "ok"}
    assert not any(column.drifted for column in tiny.columns)
    assert verdicts(tiny)["heavy tails"].status == "too-few"
    assert tiny.metrics["drift.share"] is None


def test_columns_that_came_and_went_are_findings_one_can_gate(production: Production) -> None:
    last = verdicts(production.windows()[4])
    assert (last["decimals"].status, last["brand new"].status) == ("schema-changed", "schema-changed")
    told = {finding.subject: finding for finding in production.query.findings("m") if finding.kind == "schema"}
    assert {"decimals", "brand new"} <= set(told)
    assert "since 2024-01-05" in told["brand new"].sentence


def test_a_day_without_rows_is_a_finding_and_no_zero(production: Production) -> None:
    gap: list[Finding] = [finding for finding in production.query.findings("m") if "no rows in" in finding.sentence]
    assert [finding.since for finding in gap] == [START + 3 * DAY]
    empty = production.windows()[3]
    assert empty.metrics["rows"] == 0 and empty.metrics["drift.share"] is None


def test_the_report_names_them_for_people_and_for_machines(production: Production, tmp_path: Path) -> None:
    out = tmp_path / "report.md"
    workbench("report", production.root, "--out", out)
    text = out.read_text()
    assert "brand new" in text and "decimals" in text


@pytest.mark.parametrize(("days", "told"), [(6, None), (9, "bad"), (400, "info")])
def test_exports_that_stopped_coming_are_told_by_the_clock(days: int, told: str | None, production: Production) -> None:
    production.now, before = START + days * DAY, production.now
    found = [finding for finding in production.query.findings("m") if finding.kind == "freshness"]
    production.now = before
    assert [(finding.since, finding.severity) for finding in found] == ([(START + 5 * DAY, told)] if told else [])
    assert told != "bad" or found[0].sentence == (
        "no rows for 4 days: the newest window ended 2024-01-06 00:00, and windows last 1 day"
    )


def test_what_a_model_says_is_compared_with_what_it_said_in_the_reference(tmp_path: Path) -> None:
    made = Production(tmp_path)
    made.config(CONFIG)
    (made.root / "exports").mkdir()

    def said(shift: float) -> dict[str, Any]:
        score = 1 / (1 + np.exp(-(normal() + shift)))
        return {"x": normal(), "prediction": (score > 0.5).astype(int), "probability": score}

    day(-9, said(0)).write_parquet(made.root / "reference.parquet")
    day(0, said(0)).write_parquet(made.root / "exports/0.parquet")
    day(1, said(1)).write_parquet(made.root / "exports/1.parquet")
    made.update()
    quiet, moved = made.windows()
    assert {name: column.status for name, column in verdicts(quiet).items()} == {
        "x": "ok", "probability": "ok", "prediction": "ok",
    }  # fmt: skip
    assert {name for name, column in verdicts(moved).items() if column.drifted} == {"probability", "prediction"}
    before, after = quiet.metrics["drift.prediction"], moved.metrics["drift.prediction"]
    assert before is not None and after is not None and before < 0.1 < 0.8 < after


def test_columns_of_a_window_are_judged_beside_each_other(tmp_path: Path) -> None:
    """One of forty columns that alone would be beyond chance is not, among so many."""
    made = Production(tmp_path)
    made.config(CONFIG)
    (made.root / "exports").mkdir()
    quiet = {f"x{i}": R.permutation(N) / N for i in range(40)}
    slight = {**quiet, "x0": quiet["x0"] + 0.06}
    day(-9, quiet).write_parquet(made.root / "reference.parquet")
    day(0, slight).write_parquet(made.root / "exports/0.parquet")
    day(1, {"x0": slight["x0"]}).write_parquet(made.root / "exports/1.parquet")
    made.update()
    many, alone = made.windows()
    assert (verdicts(many)["x0"].drifted, many.metrics["drift.columns"]) == (False, 0)
    assert (verdicts(alone)["x0"].drifted, alone.metrics["drift.columns"]) == (True, 1)
