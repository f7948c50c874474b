"""What Evidently 0.7.23 gets wrong, one test each: the calibrated verdict says the right thing."""

import numpy as np
import polars as pl
import pytest

from workbench.monitor.drift import compare
from workbench.monitor.profiles import ReferenceProfile
from workbench.monitor.registry import MethodChoice

R = np.random.default_rng(11)
N = 5000
NORMAL = R.normal(size=N)
OTHER = R.normal(size=N)


@pytest.fixture
def judged(table):
    """The calibrated verdict on one column `x`, beside a healthy one that must come through unharmed."""

    def judge(reference, current, **options):
        left = table("reference.parquet", pl.DataFrame({"x": reference, "healthy": NORMAL[: len(reference)]}))
        right = table("current.parquet", pl.DataFrame({"x": current, "healthy": OTHER[: len(current)]}))
        result = compare(left, right, **options)
        column, healthy = result.columns
        assert (column.column, healthy.status) == ("x", "ok" if len(current) >= 30 else "too-few")
        return column

    return judge


def kinds(column):
    return {finding.kind: finding for finding in column.findings}


def test_1_a_column_missing_now_is_a_schema_finding_and_the_others_are_judged(table):
    left = table("a.parquet", {"x": NORMAL, "gone": NORMAL})
    right = table("b.parquet", {"x": OTHER, "new": OTHER})
    result = compare(left, right)
    found = {column.column: column for column in result.columns}
    assert (found["gone"].status, found["new"].status, found["x"].status) == ("schema-changed", "schema-changed", "ok")
    assert [(item.kind, item.column, item.severity) for item in result.findings] == [
        ("schema", "gone", "bad"), ("schema", "new", "warn"),
    ]  # fmt: skip


def test_2_one_infinity_is_counted_and_changes_no_verdict(judged):
    current = OTHER.copy()
    current[7] = np.inf
    column = judged(NORMAL, current)
    assert column.status == "ok"
    assert kinds(column)["infinite"].numbers == {"reference": 0.0, "current": 1.0}


@pytest.mark.parametrize("scale", [1e-5, 1e-12, 1.0, 1e9])
def test_3_a_shift_of_three_deviations_is_drift_whatever_the_scale(judged, scale):
    column = judged(NORMAL * scale, (OTHER + 3) * scale)
    assert (column.status, column.score) == ("drift", pytest.approx(3, abs=0.1))


def test_3_any_change_from_a_constant_is_drift(judged):
    column = judged(np.full(N, 5.0), 5 + OTHER * 1e-6)
    assert (column.status, column.reason) == ("drift", "was constant 5, now varies")


@pytest.mark.parametrize("method", ["wasserstein", "psi", "jensenshannon", "kl_div"])
@pytest.mark.parametrize("side", ["reference", "current", "both"])
def test_4_an_outlier_hides_nothing(judged, method, side):
    reference, current = NORMAL.copy(), OTHER + 1
    if side != "current":
        reference[0] = 1e12
    if side != "reference":
        current[0] = 1e12
    column = judged(reference, current, choice=MethodChoice(num_method=method))
    assert column.status == "drift"
    assert ("range" in kinds(column)) == (side == "current") or "outliers" in kinds(column)["range"].sentence


def test_5_half_of_the_values_missing_is_told(judged):
    column = judged(NORMAL, np.where(np.arange(N) % 2, np.nan, OTHER))
    assert column.status == "ok"
    assert kinds(column)["missing"].severity == "bad"
    assert kinds(column)["missing"].sentence == "x: missing 0 % → 50.0 %"


@pytest.mark.parametrize("dtype", [pl.Float64, pl.String], ids=str)
def test_6_a_column_that_is_empty_now_ends_nothing_and_is_listed(judged, dtype):
    reference = NORMAL if dtype == pl.Float64 else ["a", "b"] * (N // 2)
    column = judged(reference, pl.Series([None] * N, dtype=dtype))
    assert (column.status, column.reason) == ("no-data", "no values in current")
    assert kinds(column)["missing"].sentence == "x: missing 0 % → 100.0 %"


@pytest.mark.parametrize("rows", [1, 7, 29])
def test_7_a_tiny_window_gives_a_score_its_noise_and_no_verdict(judged, rows):
    column = judged(NORMAL, OTHER[:rows] + 5)
    assert (column.status, column.drifted) == ("too-few", False)
    assert column.score > 4
    assert column.noise_p95 > 0.3
    assert column.reason.startswith(f"{rows} current values, at least 30 needed")


def test_8_one_row_of_a_new_category_is_told_and_is_no_drift(judged):
    column = judged(["a", "b"] * 250, ["a"] * 250 + ["b"] * 249 + ["c"])
    assert (column.status, column.p_value) == ("ok", 1.0)
    assert kinds(column)["new-values"].sentence == "x: 1 new value in 1 row (0.2 %): c"
    chosen = judged(["a", "b"] * 250, ["a"] * 250 + ["b"] * 249 + ["c"], choice=MethodChoice(cat_method="chisquare"))
    assert (chosen.score, chosen.status) == (0.0, "ok")


@pytest.mark.parametrize(
    ("reference", "current"),
    [
        (np.arange(N), np.arange(N) + N),
        (np.cumsum(R.integers(1, 90, N)) + 1_700_000_000, np.cumsum(R.integers(1, 90, N)) + 1_800_000_000),
        (R.permutation(N), R.permutation(N) + N),
        ([f"{i:08x}-uuid" for i in range(N)], [f"{i:08x}-uuid" for i in range(N, 2 * N)]),
    ],
    ids=["counted", "stamped", "shuffled", "text"],
)
def test_9_what_names_rows_is_not_scored(judged, reference, current):
    column = judged(reference, current)
    assert (column.status, column.score) == ("id-like", None)


def test_9_duplicates_among_names_of_rows_are_told(judged):
    column = judged(np.arange(N), np.repeat(np.arange(N, N + N // 2), 2))
    assert kinds(column)["ids"].sentence == "x: 2,500 duplicates (50.0 %) among what names rows"


def test_10_text_that_holds_the_same_numbers_is_compared_as_numbers(judged):
    column = judged((NORMAL * 100).astype(int), [str(int(value * 100)) for value in OTHER])
    assert (column.status, column.type) == ("ok", "num")
    assert (
        kinds(column)["schema"].sentence
        == "x: type changed BIGINT → VARCHAR; compared as BIGINT, nothing is lost by it"
    )
    other = judged(NORMAL, ["n/k"] * N)
    assert (other.status, other.score) == ("schema-changed", None)


def test_11_the_method_is_the_same_at_every_size_and_scores_can_be_compared(judged):
    found = [judged(NORMAL[:n], OTHER[:700] + 0.4) for n in (900, 1000, 1001, 5000)]
    assert {column.method for column in found} == {"Wasserstein distance (normed)"}
    assert np.ptp([column.score for column in found]) < 0.1


def test_12_what_a_column_is_follows_from_the_reference_not_from_the_window(judged):
    reference, window = R.integers(0, 12, N), R.integers(0, 9, 400)
    profile = ReferenceProfile.build("x", reference)
    assert {profile.compare(part).type for part in (window, window[window < 5], R.integers(0, 12, 500))} == {"num"}
    assert judged(reference, window).method == "Wasserstein distance (normed)"
    assert judged(R.integers(0, 8, N), R.integers(0, 90, N)).type == "cat"


def test_13_identical_distributions_do_not_drift_at_any_of_the_sizes_that_evidently_gets_wrong():
    """Section 1.9: at a reference of 1001 and 50 rows its thresholds fire in 95 % of windows, 300 categories always."""
    random = np.random.default_rng(0)
    numbers = ReferenceProfile.build("x", random.normal(size=1001))
    fired = sum(numbers.compare(random.normal(size=50)).drifted for _ in range(300))
    assert fired <= 3
    for kinds_, n, m in ((100, 2000, 2000), (300, 2000, 2000), (1000, 20_000, 2000)):
        many = ReferenceProfile.build("x", np.char.add("k", random.integers(0, kinds_, n).astype(str)))
        columns = [many.compare(np.char.add("k", random.integers(0, kinds_, m).astype(str))) for _ in range(20)]
        assert np.mean([column.score > 0.1 for column in columns]) > 0.7, "Evidently says drift"
        assert sum(column.drifted for column in columns) <= 1
