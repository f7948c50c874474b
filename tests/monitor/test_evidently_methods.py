"""Every method of Evidently by its name: the score and the verdict are those of Evidently's own function beside it."""

import json
import math
import subprocess
import sys
from pathlib import Path

import pytest

from workbench.monitor.drift import DriftInputError, compare
from workbench.monitor.registry import METHODS, MethodChoice

ORACLE = Path(__file__).with_name("evidently_oracle.py")
SIZES = [(1001, 700), (900, 900), (15, 18)]
SINGLE = {"t_test", "mannw", "es"}
"""Evidently sums 32-bit floats in 32 bits for these, in the order of rows: it is right to 6 digits, ours to 15."""
EVIDENTLY_ERRS = {
    # It looks a boolean up under an integer, finds nothing, and counts nothing as "the other value".
    ("fisher_exact", "booleans or integers"),
    # Two values have one degree of freedom; scipy inverts what rounding left of the other three.
    ("es", "two integers"), ("es", "two floats"), ("es", "booleans or integers"), ("es", "zeros of both signs"),
}  # fmt: skip


@pytest.fixture(scope="module")
def pairs(tmp_path_factory, kinds_of_columns):
    folder = tmp_path_factory.mktemp("methods")
    found = []
    for n, m in SIZES:
        found.append((folder / f"{n}-{m}-a.parquet", folder / f"{n}-{m}-b.parquet"))
        kinds_of_columns(n, n, 0).write_parquet(found[-1][0])
        kinds_of_columns(m, m + 1, 0.3).write_parquet(found[-1][1])
    return found


@pytest.fixture(scope="module")
def evidently(pairs):
    paths = [str(path) for pair in pairs for path in pair]
    done = subprocess.run([sys.executable, str(ORACLE), "--all-methods", *paths], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout)


def comparable(key, column, rows):
    if (key, column) in EVIDENTLY_ERRS or (column == "float32" and key in SINGLE):
        return False
    # With 20 rows a side or fewer Evidently counts arrangements in single precision: equal to 7 digits only.
    return key != "cramer_von_mises" or rows > 20


@pytest.mark.parametrize("key", METHODS)
def test_a_method_scores_and_judges_every_column_as_evidently_does(key, pairs, evidently):
    cases = 0
    for (reference, current), expected, rows in zip(pairs, evidently, map(max, SIZES), strict=True):
        ours = {
            column.column: column
            for column in compare(reference, current, mode="evidently", choice=MethodChoice(method=key)).columns
        }
        for name, theirs in expected.items():
            found = theirs["scores"].get(key)
            mine = ours[name]
            if found is None or isinstance(found, str) or not math.isfinite(found[0]):
                assert mine.score is not None or mine.reason, name
            elif comparable(key, name, rows):
                cases += 1
                assert mine.score == pytest.approx(found[0], rel=1e-9, abs=1e-9), name
                assert mine.drifted == found[1], name
    assert cases >= (15 if key in {"g_test", "fisher_exact"} else 36) / 3, "Evidently judged too few columns"


def test_columns_too_long_to_hold_get_the_same_scores_by_every_method(pairs, monkeypatch):
    for key in METHODS:
        choice = MethodChoice(method=key)
        held = compare(*pairs[0], mode="evidently", choice=choice)
        with monkeypatch.context() as small:
            small.setattr("workbench.monitor.drift.LARGE_ROWS", 500)
            small.setattr("workbench.monitor.large.SLICE_ROWS", 170)
            sliced = compare(*pairs[0], mode="evidently", choice=choice)
        for one, two in zip(held.columns, sliced.columns, strict=True):
            assert (one.column, one.status, one.method, one.reason) == (two.column, two.status, two.method, two.reason)
            expected = two.score if two.score is None else pytest.approx(two.score, rel=1e-9, abs=1e-12)
            assert one.score == expected, (key, one.column)


def test_methods_and_thresholds_are_chosen_by_column_then_type_then_for_all(pairs):
    choice = MethodChoice(
        method="psi", num_method="anderson", column_methods={"normal": "ed"},
        threshold=0.3, cat_threshold=0.2, column_thresholds={"words": 0.01},
    )  # fmt: skip
    found = {
        column.column: (column.method, column.threshold)
        for column in compare(*pairs[0], mode="evidently", choice=choice).columns
    }
    assert found["normal"] == ("Energy-distance", 0.3)
    assert found["lognormal"] == ("Anderson-Darling", 0.3)
    assert found["booleans"] == ("PSI", 0.2)
    assert found["words"] == ("PSI", 0.01)


def test_a_method_for_the_other_type_leaves_the_column_out_and_says_what_to_do(pairs):
    found = {
        column.column: column
        for column in compare(*pairs[0], mode="evidently", choice=MethodChoice(method="ks")).columns
    }
    assert (found["words"].status, found["normal"].method) == ("unsupported", "K-S p_value")
    assert "--cat-method" in found["words"].reason


@pytest.mark.parametrize(
    ("key", "says"), [("wasserstien", "did you mean 'wasserstein'"), ("TVD", "draws at random"), ("zz", "there are: ")]
)
def test_a_method_that_is_not_there_is_answered_with_those_that_are(key, says):
    with pytest.raises(DriftInputError, match=says):
        MethodChoice(num_method=key)
