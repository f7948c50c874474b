"""Performance, estimates, traffic and quality of a window: the figures are those of scikit-learn and numpy."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from sklearn import metrics as sk
from sklearn.isotonic import IsotonicRegression

from tests.support.monitors import evaluate
from workbench.core.config import ColumnRoles, Measure, MonitorConfig, WindowSpec
from workbench.monitor.estimate import calibrate
from workbench.monitor.task import Task

N = 3000
R = np.random.default_rng(3)
SCORE = np.round(R.beta(2, 3, N), 3)
LABEL = (R.random(N) < SCORE).astype(int)
GUESS = (SCORE >= 0.4).astype(int)
WORDS = {0: "no", 1: "yes"}


def window(table, tmp_path, columns, roles=None, **options):
    """The only window of one export."""
    path = table("export.parquet", columns)
    config = MonitorConfig("m", "*.parquet", columns=roles or ColumnRoles(), window=WindowSpec(), **options)
    return evaluate(config, tmp_path, [path]).results[0].window


BINARY = {
    "accuracy": sk.accuracy_score(LABEL, GUESS),
    "precision": sk.precision_score(LABEL, GUESS),
    "recall": sk.recall_score(LABEL, GUESS),
    "f1": sk.f1_score(LABEL, GUESS),
    "auc": sk.roc_auc_score(LABEL, SCORE),
    "average_precision": sk.average_precision_score(LABEL, SCORE),
    "log_loss": sk.log_loss(LABEL, SCORE),
    "brier": sk.brier_score_loss(LABEL, SCORE),
}


@pytest.mark.parametrize(
    ("guess", "label", "positive"),
    [
        (GUESS, LABEL, None),
        (GUESS.astype(bool), LABEL.astype(float), None),
        ([WORDS[x] for x in GUESS], [WORDS[x] for x in LABEL], None),
        (GUESS.astype(str), LABEL, "1"),
        ([{0: "a", 1: "b"}[x] for x in GUESS], [{0: "a", 1: "b"}[x] for x in LABEL], "b"),
    ],
    ids=["integers", "booleans and floats", "yes and no", "text and integers", "configured"],
)
def test_two_classes_are_measured_as_scikit_learn_does(guess, label, positive, table, tmp_path):
    columns = {"prediction": guess, "label": label, "probability": SCORE}
    found = window(table, tmp_path, columns, ColumnRoles(positive=positive)).metrics
    assert {key: found[key] for key in BINARY} == {k: pytest.approx(v, rel=1e-9) for k, v in BINARY.items()}


def test_the_positive_class_can_be_the_lesser_one(table, tmp_path):
    found = window(
        table, tmp_path, {"prediction": GUESS, "label": LABEL, "probability": 1 - SCORE}, ColumnRoles(positive="0")
    ).metrics
    assert found["precision"] == pytest.approx(sk.precision_score(LABEL, GUESS, pos_label=0))
    assert found["auc"] == pytest.approx(BINARY["auc"])


def test_probabilities_of_0_and_1_do_not_make_the_loss_infinite(table, tmp_path):
    score = np.where(R.random(N) < 0.5, 0.0, 1.0)
    found = window(table, tmp_path, {"probability": score, "label": LABEL}).metrics
    assert found["log_loss"] == pytest.approx(sk.log_loss(LABEL, score), rel=1e-9)
    assert found["accuracy"] == pytest.approx(sk.accuracy_score(LABEL, score))


def test_many_classes_are_measured_as_scikit_learn_does(table, tmp_path):
    truth = R.choice(["a", "b", "c", "d"], N, p=[0.5, 0.3, 0.15, 0.05])
    guess = np.where(R.random(N) < 0.6, truth, R.choice(["a", "b", "c", "e"], N))
    found = window(table, tmp_path, {"prediction": guess, "label": truth}).metrics
    assert found["accuracy"] == pytest.approx(sk.accuracy_score(truth, guess))
    for key, function in (("f1", sk.f1_score), ("precision", sk.precision_score), ("recall", sk.recall_score)):
        assert found[f"{key}_macro"] == pytest.approx(function(truth, guess, average="macro", zero_division=0))
    assert "auc" not in found and "precision" not in found


def test_numbers_are_measured_as_scikit_learn_does(table, tmp_path):
    truth = R.normal(50, 10, N)
    guess = truth + R.normal(1, 3, N)
    found = window(table, tmp_path, {"prediction": guess, "label": truth}).metrics
    expected = {
        "mae": sk.mean_absolute_error(truth, guess),
        "rmse": sk.root_mean_squared_error(truth, guess),
        "r2": sk.r2_score(truth, guess),
        "mape": sk.mean_absolute_percentage_error(truth, guess),
        "mean_error": (guess - truth).mean(),
    }
    assert {key: found[key] for key in expected} == {k: pytest.approx(v, rel=1e-9) for k, v in expected.items()}


def test_a_window_of_one_class_has_no_auc_and_no_recall(table, tmp_path):
    frame = pl.DataFrame({"day": [0] * 50 + [86_400] * 50, "prediction": [0] * 100, "probability": [0.1] * 100,
                          "label": [0] * 50 + [0, 1] * 25})  # fmt: skip
    path = table("export.parquet", frame.with_columns(pl.col("day") + 1_700_000_000))
    config = MonitorConfig("m", "*.parquet", timestamp="day", window=WindowSpec(every=86_400))
    first, second = (result.window.metrics for result in evaluate(config, tmp_path, [path]).results)
    assert (first["accuracy"], first["auc"], first["recall"], first["precision"]) == (1.0, None, None, None)
    assert (second["auc"], second["recall"], second["f1"]) == (0.5, 0.0, 0.0)


def test_the_calibration_is_scikit_learns_isotonic_regression():
    scores, hits = np.round(R.random(4000), 2), (R.random(4000) < 0.3).astype(float)
    hits[scores > 0.6] = R.random(int((scores > 0.6).sum())) < 0.7
    found = calibrate(scores, hits, Task("binary"))
    assert found is not None
    grid = np.linspace(0, 1, 333)
    expected = IsotonicRegression(out_of_bounds="clip").fit(scores, hits).predict(grid)
    assert found(grid) == pytest.approx(expected, abs=1e-9)


def test_without_labels_performance_is_estimated_and_close_to_what_labels_would_say(table, tmp_path):
    """Overconfident probabilities, which the labelled reference shows for what they are."""

    def rows(n, seed, shift=0.0):
        r = np.random.default_rng(seed)
        truth = r.beta(2 + shift, 3, n)
        score = truth**2 / (truth**2 + (1 - truth) ** 2)
        guess, label = (score > 0.5).astype(int), (r.random(n) < truth).astype(int)
        return {"probability": score, "prediction": guess, "label": label}

    reference = rows(20_000, 1)
    table("reference.csv", reference)
    production = rows(20_000, 2, shift=1.0)
    label = production.pop("label")
    config = MonitorConfig("m", "*.parquet", reference="reference.csv", columns=ColumnRoles(label="label"))
    path = table("export.parquet", production)
    found = evaluate(config, tmp_path, [path]).results[0].window.metrics
    assert "accuracy" not in found and "auc" not in found
    guess, score = production["prediction"], production["probability"]
    assert found["estimated.accuracy"] == pytest.approx(sk.accuracy_score(label, guess), abs=0.01)
    assert found["estimated.f1"] == pytest.approx(sk.f1_score(label, guess), abs=0.01)
    assert found["estimated.auc"] == pytest.approx(sk.roc_auc_score(label, score), abs=0.01)


def test_a_sampled_log_counts_the_requests_it_stands_for(table, tmp_path):
    columns = {
        "ts": 1_700_000_000 + np.arange(100.0), "code": ["500"] * 10 + ["200"] * 90,
        "sampling_fraction": [1.0] * 10 + [0.1] * 90,
    }  # fmt: skip
    found = window(table, tmp_path, columns, ColumnRoles(error="code >= 500")).metrics
    assert found["requests"] == pytest.approx(910)
    assert found["throughput"] == pytest.approx(910 / 99)
    assert found["error_rate"] == pytest.approx(10 / 910)


def test_business_metrics_are_columns_or_expressions_each_with_its_name(table, tmp_path):
    columns = {"price": [1.0, 2.0, 4.0], "sold": [3, None, 2], "refund due": [0.5, 0.0, 1.0]}
    measures = (Measure("revenue", "price * sold", "higher"), Measure("refunds", '"refund due"', "lower"))
    found = window(table, tmp_path, columns, ColumnRoles(measures=measures)).metrics
    assert (found["business.revenue.mean"], found["business.revenue.sum"]) == (5.5, 11.0)
    assert (found["business.refunds.mean"], found["business.refunds.sum"]) == (0.5, 1.5)


def test_what_is_wrong_with_rows_is_told_by_column(table, tmp_path):
    n = 200
    table("reference.parquet", {
        "age": R.integers(18, 90, n), "city": R.choice(["A", "B"], n), "flag": R.random(n) < 0.5,
        "level": R.normal(size=n), "fixed": [7.0] * n,
    })  # fmt: skip
    age = R.integers(18, 90, n).astype(float)
    age[:20], age[20:30], age[30] = np.nan, 999, np.inf
    path = table("export.parquet", {
        "request_id": [f"r{i % 190}" for i in range(n)], "age": age, "city": ["A"] * 150 + ["Z"] * 40 + [None] * 10,
        "flag": R.random(n) < 0.5, "level": [1.5] * n, "fixed": [7.0] * n,
    })  # fmt: skip
    config = MonitorConfig("m", "*.parquet", id="request_id", reference="reference.parquet")
    found = evaluate(config, tmp_path, [path]).results[0].window.metrics
    quality = {key.removeprefix("quality."): value for key, value in found.items() if key.startswith("quality.")}
    assert {key: value for key, value in quality.items() if value} == {
        "duplicates": pytest.approx(0.05), "missing.age": pytest.approx(0.1), "out_of_range.age": pytest.approx(0.05),
        "infinite.age": pytest.approx(1 / n), "missing.city": pytest.approx(0.05), "unseen.city": pytest.approx(0.2),
        "constant.level": 1.0,
    }  # fmt: skip


def test_a_column_of_numbers_that_turns_to_text_is_another_schema_only_where_it_did(table, tmp_path):
    table("reference.csv", {"size": R.normal(size=500), "x": R.normal(size=500)})
    lines = ["ts,size,x"] + [f"{1_700_006_400 + i * 864},{R.normal():.6f},{R.normal():.6f}" for i in range(200)]
    lines[150] = lines[150].replace(lines[150].split(",")[1], "large")
    (tmp_path / "export.csv").write_text("\n".join(lines) + "\n")
    config = MonitorConfig("m", "*.csv", reference="reference.csv", window=WindowSpec(every=86_400, min_rows=10))
    first, second = (result.window for result in evaluate(config, tmp_path, [tmp_path / "export.csv"]).results)
    assert [(column.column, column.status) for column in first.columns] == [("size", "ok"), ("x", "ok")]
    assert [(column.column, column.status) for column in second.columns] == [("size", "schema-changed"), ("x", "ok")]
