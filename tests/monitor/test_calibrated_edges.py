"""The edge cases of production tables, each with what a correct tool reports of it."""

from datetime import datetime, timedelta
from decimal import Decimal

import numpy as np
import polars as pl
import pytest

from workbench.core.model import ColumnDrift
from workbench.core.units import p_value
from workbench.monitor.drift import compare, dataset_drift
from workbench.monitor.profiles import ReferenceProfile
from workbench.monitor.registry import METHODS, MethodChoice

R = np.random.default_rng(5)
N = 2000
NORMAL, OTHER = R.normal(size=N), R.normal(size=N)
DAYS = [datetime(2025, 1, 1) + timedelta(hours=i) for i in range(N)]


@pytest.fixture
def judged(table):
    def judge(reference, current, **options):
        left, right = pl.DataFrame({"x": reference}, strict=False), pl.DataFrame({"x": current}, strict=False)
        [column] = compare(table("a.parquet", left), table("b.parquet", right), **options).columns
        return column

    return judge


CONSTANT = np.full(N, 5.0)
CASES = {
    "both constant and equal": (CONSTANT, CONSTANT, "ok", "constant, unchanged"),
    "a constant and another": (CONSTANT, CONSTANT + 1, "drift", "constant 5 → 6"),
    "a constant that varies by a millionth": (CONSTANT, 5 + OTHER * 1e-6, "drift", "was constant 5, now varies"),
    "a constant computed twice": (np.full(N, 0.3), np.full(N, 0.1 + 0.2), "ok", "constant, unchanged"),
    "varying and constant now": (NORMAL, np.full(N, 0.25), "drift", "median"),
    "a tiny scale": (NORMAL * 1e-9, OTHER * 1e-9 + 5e-10, "drift", "median"),
    "all null now": (NORMAL, [None] * N, "no-data", "no values in current"),
    "all null before": ([None] * N, NORMAL, "no-data", "no values in reference"),
    "an empty window": (NORMAL, NORMAL[:0], "no-data", "no rows in current"),
    "a tiny window": (NORMAL, OTHER[:12], "too-few", "12 current values, at least 30 needed for a verdict"),
    "a reference too short": (NORMAL[:12], OTHER, "too-few", "12 reference values"),
    "dates": (DAYS, [day + timedelta(days=400) for day in DAYS], "unsupported", "TIMESTAMP values are not tested"),
    "lists": ([[1]] * N, [[2]] * N, "unsupported", "BIGINT[]"),
    "unsigned": (
        pl.Series(range(300), dtype=pl.UInt16),
        pl.Series([i % 300 for i in range(300)], dtype=pl.UInt16),
        "id-like",
        "",
    ),
    "decimals": (
        [Decimal("1.25") * (i % 90) for i in range(N)],
        [Decimal("1.25") * (i % 91) for i in range(N)],
        "ok",
        "",
    ),
    "free text": ([f"t{i % 1200}" for i in range(N)], [f"u{i % 1200}" for i in range(N)], "unsupported", "free text"),
    "names of rows": ([f"id{i}" for i in range(N)], [f"id{i + N}" for i in range(N)], "id-like", "names rows"),
    "numbers that became words": (NORMAL, ["low", "high"] * (N // 2), "schema-changed", "DOUBLE → VARCHAR"),
    "beyond what doubles can sum": (NORMAL * 1e307, OTHER, "unsupported", "too large"),
}


@pytest.mark.parametrize("name", CASES)
def test_an_edge_case_has_its_status_and_a_reason(name, judged):
    reference, current, status, reason = CASES[name]
    column = judged(reference, current)
    assert (column.status, column.drifted) == (status, status == "drift")
    assert reason in column.reason
    assert column.reason or column.score is not None, "a column without a score has a reason"


def test_a_changed_share_of_missing_values_is_tested_by_itself_and_small_changes_are_not_told(judged):
    def missing(share):
        return np.where(R.random(N) < share, np.nan, R.normal(size=N))

    changed = judged(missing(0.02), missing(0.08))
    assert [finding.kind for finding in changed.findings] == ["missing"]
    assert changed.status == "ok"
    assert not judged(missing(0.05), missing(0.055)).findings
    words = judged(["a", "b"] * 1000, [None] * 500 + ["a", "b"] * 750)
    assert [(finding.kind, finding.severity) for finding in words.findings] == [("missing", "bad")]


def test_infinities_are_counted_and_left_out_on_both_paths(judged, monkeypatch):
    values = np.where(np.arange(N) % 50, OTHER, -np.inf)
    held = judged(NORMAL, values)
    monkeypatch.setattr("workbench.monitor.calibrated_tables.LARGE_ROWS", 100)
    monkeypatch.setattr("workbench.monitor.large.SLICE_ROWS", 170)
    sliced = judged(NORMAL, values)
    assert held.n_current == sliced.n_current == N - 40
    assert held.status == sliced.status == "ok"
    assert held.findings == sliced.findings
    assert "40 infinite values" in held.findings[0].sentence


def test_new_and_vanished_categories_are_named_with_their_share(judged):
    reference = ["red"] * 900 + ["green"] * 900 + ["blue"] * 200
    column = judged(reference, ["red"] * 880 + ["green"] * 900 + ["mauve"] * 220)
    found = {finding.kind: finding.sentence for finding in column.findings}
    assert found == {
        "new-values": "x: 1 new value in 220 rows (11.0 %): mauve",
        "gone-values": "x: 1 value gone that had 10.0 %: blue",
    }
    assert column.status == "drift"
    rare = judged(["red"] * 1999 + ["once"], ["red"] * 2000)
    assert (rare.status, rare.findings) == ("ok", ())


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ([True, False] * 500, [1, 0] * 500),
        ([1, 0] * 500, ["true", "false"] * 500),
        (["true", "false"] * 500, [True, False] * 500),
        ([True, False] * 500, [True, None, False, False] * 250),
    ],
    ids=["bool and 0/1", "0/1 and text", "text and bool", "nullable"],
)
def test_truth_values_are_two_categories_however_they_are_written(one, two, judged):
    column = judged(one, two)
    assert column.type in {"cat", "num"}
    assert column.method == "Jensen-Shannon distance"
    assert column.score == pytest.approx(0, abs=0.13)


def test_high_cardinality_is_judged_against_its_own_noise(judged):
    random = np.random.default_rng(8)  # noise_p95 is beaten by chance alone with one seed of twenty

    def drawn(kinds):
        return [f"zip{i}" for i in random.integers(0, kinds, N)]

    column = judged(drawn(300), drawn(300))
    assert (column.status, column.score > 0.1, column.noise_p95 > column.score) == ("ok", True, True)
    assert "within the noise of 2,000 values" in column.reason
    assert judged(drawn(300), drawn(200)).status == "drift"


def test_heavy_tails_and_piles_of_zeros_neither_fire_nor_hide(judged):
    cauchy, other = R.standard_cauchy(N), R.standard_cauchy(N)
    assert judged(cauchy, other).status == "ok"
    assert judged(cauchy, other + 1.5).status == "drift"
    zeros, same, fewer = (np.where(R.random(N) < share, 0, R.exponential(1, N)) for share in (0.95, 0.95, 0.80))
    assert judged(zeros, same).status == "ok"
    drifted = judged(zeros, fewer)
    assert (drifted.status, drifted.effect) == ("drift", pytest.approx(0.15, abs=0.03))


def test_values_out_of_the_reference_s_range_are_counted(judged):
    current = np.concatenate((OTHER, np.full(60, 30.0)))
    [finding] = judged(NORMAL, current).findings
    assert finding.kind == "range"
    assert finding.numbers["above"] >= 60
    assert finding.sentence.endswith("as far as 30")


def test_many_columns_tested_together_need_more_than_one_alone():
    def column(i, p):
        return ColumnDrift(
            f"c{i}", "num", "drift" if p <= 0.01 else "ok", "m", 0.4, 0.1, p <= 0.01, 99, 99, "", 0.2, p, 0.3
        )

    alone = dataset_drift([column(0, 0.004)])
    assert (alone.drifted, alone.verdict, alone.mode) == (1, "drift", "calibrated")
    together = dataset_drift([column(0, 0.004), *(column(i, 0.1 + i / 30) for i in range(1, 20))])
    assert (together.drifted, together.verdict) == (0, "ok")
    assert together.columns[0].reason == "not beyond what the worst of 20 columns does by chance"
    assert together.columns[0].p_value == pytest.approx(0.08)


@pytest.mark.parametrize("mode", ["calibrated", "evidently"])
def test_row_order_doubling_and_the_sign_of_zero_change_nothing(judged, mode):
    zeros = np.where(R.random(N) < 0.5, 0.0, R.normal(size=N))
    one = judged(zeros, OTHER, mode=mode)
    assert judged(R.permutation(zeros), np.sort(OTHER), mode=mode).score == pytest.approx(one.score, rel=1e-12)
    assert judged(np.repeat(zeros, 2), np.repeat(OTHER, 2), mode=mode).score == pytest.approx(one.score, rel=1e-9)
    assert judged(np.where(zeros == 0, -0.0, zeros), OTHER, mode=mode).score == pytest.approx(one.score, rel=1e-12)


def test_a_p_value_below_what_doubles_hold_is_written_as_such(judged):
    column = judged(NORMAL, OTHER + 9)
    assert p_value(column.p_value) == "<1e-16"


def test_a_score_on_its_threshold_is_drift_for_distances_in_one_documented_way():
    """Evidently mixes >=, >, <= and <; each method's rule is in one place, and calibrated mode adds none of its own."""
    rules = {key: method.drifted(method.threshold) for key, method in METHODS.items()}
    assert {key for key, on in rules.items() if on} == {
        "wasserstein", "jensenshannon", "psi", "kl_div", "hellinger", "ks", "cramer_von_mises",
    }  # fmt: skip


def test_every_column_is_listed_once_with_a_reason_where_it_was_not_tested(table, kinds_of_columns):
    left, right = kinds_of_columns(900, 1, 0), kinds_of_columns(700, 2, 0.3).drop("words").with_columns(extra=pl.lit(1))
    result = compare(table("a.parquet", left), table("b.parquet", right))
    names = [column.column for column in result.columns]
    assert sorted(names) == sorted({*left.columns, *right.columns})
    assert all(column.reason for column in result.columns if column.status not in {"ok", "drift"})


def test_columns_too_long_to_hold_get_the_same_calibrated_verdicts(table, kinds_of_columns, monkeypatch):
    left, right = table("a.parquet", kinds_of_columns(1500, 1, 0)), table("b.parquet", kinds_of_columns(600, 2, 0.3))
    for choice in (MethodChoice(), MethodChoice(num_method="psi", column_methods={"normal": "ed", "tiny": "ks"})):
        held = compare(left, right, choice=choice)
        with monkeypatch.context() as small:
            small.setattr("workbench.monitor.calibrated_tables.LARGE_ROWS", 500)
            small.setattr("workbench.monitor.large.SLICE_ROWS", 500)
            sliced = compare(left, right, choice=choice)
        for one, two in zip(held.columns, sliced.columns, strict=True):
            assert (one.column, one.status, one.method, one.reason) == (two.column, two.status, two.method, two.reason)
            assert (one.findings, one.n_reference, one.n_current) == (two.findings, two.n_reference, two.n_current)
            for figure in ("score", "noise_p95", "p_value", "effect"):
                expected = getattr(two, figure)
                expected = expected if expected is None else pytest.approx(expected, rel=1e-9, abs=1e-12)
                assert getattr(one, figure) == expected, (one.column, figure)


@pytest.mark.parametrize(
    "values", [NORMAL, R.integers(0, 5, N), ["a", "b"] * 1000, [True, False] * 1000, [1.5, None] * 1000]
)
def test_a_profile_that_was_stored_judges_as_it_did_before(values, tmp_path):
    profile = ReferenceProfile.build("x", values, in_time_order=True)
    profile.save(tmp_path / "x.profile")
    again = ReferenceProfile.load(tmp_path / "x.profile")
    window = values[:300]
    assert again.compare(window) == profile.compare(window)
