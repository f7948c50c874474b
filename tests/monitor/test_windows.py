"""Production rows cut into windows, each with figures that numpy and a comparison of the same rows confirm."""

import numpy as np
import polars as pl
import pytest

from workbench.core.config import ColumnRoles, MonitorConfig, WindowSpec
from workbench.monitor.drift import DriftInputError, compare
from workbench.monitor.windows import evaluate

HOUR = 3600.0
MIDNIGHT = 1_704_067_200.0  # Monday, 1 January 2024, UTC
N = 2000


def export(n=N, seed=0, start=MIDNIGHT, every=HOUR / 400, shift=0.0):
    """Rows of a binary model, `every` seconds apart, whose features shift as time goes by."""
    r = np.random.default_rng(seed)
    late = np.linspace(0, shift, n)
    return {
        "timestamp": start + np.arange(n) * every,
        "distance": r.normal(late, 1, n),
        "stops": r.integers(0, 4, n),
        "seats": pl.Series(r.integers(0, 300, n)).set(pl.Series(r.random(n) < 0.1), None),
        "carrier": r.choice(["AA", "UA", "DL"], n),
        "y_pred": r.integers(0, 2, n),
        "y_pred_proba": np.round(r.random(n), 2),
        "y_true": r.integers(0, 2, n),
        "latency_s": r.lognormal(-3, 1, n),
        "status_code": r.choice([200, 204, 404, 500], n, p=[0.8, 0.1, 0.05, 0.05]),
        "revenue": r.normal(10, 3, n),
    }


FEATURES = ["distance", "stops", "seats", "carrier"]


def monitor(**options):
    return MonitorConfig("flights", "*.parquet", **{"window": WindowSpec(every=HOUR), **options})


def metrics(evaluation):
    return [result.window.metrics for result in evaluation.results]


def test_an_hour_of_traffic_has_the_figures_numpy_gives(table, tmp_path):
    rows = export()
    table("export.parquet", rows)
    found = evaluate(monitor(), tmp_path, [tmp_path / "export.parquet"])

    assert [(w.window.start, w.window.end, w.window.rows) for w in found.results] == [
        (MIDNIGHT + i * HOUR, MIDNIGHT + (i + 1) * HOUR, 400) for i in range(5)
    ]
    for i, figures in enumerate(metrics(found)):
        part = {name: np.asarray(values)[i * 400 : (i + 1) * 400] for name, values in rows.items()}
        hit, said, real = part["y_pred"] == part["y_true"], part["y_pred"] == 1, part["y_true"] == 1
        precision, recall = hit[said].mean(), hit[real].mean()
        expected = {
            "rows": 400,
            **{f"latency_ms.p{q}": 1000 * np.percentile(part["latency_s"], q) for q in (50, 90, 95, 99)},
            "latency_ms.max": 1000 * part["latency_s"].max(),
            "error_rate": (part["status_code"] >= 400).mean(),
            "business.mean": part["revenue"].mean(),
            "business.sum": part["revenue"].sum(),
            "labelled.share": 1.0,
            "accuracy": hit.mean(),
            "precision": precision,
            "recall": recall,
            "f1": 2 * precision * recall / (precision + recall),
        }
        wins = np.subtract.outer(part["y_pred_proba"][real], part["y_pred_proba"][~real])
        expected["auc"] = ((wins > 0) + 0.5 * (wins == 0)).mean()
        assert figures == {name: pytest.approx(value, rel=1e-12) for name, value in expected.items()}


def test_a_window_drifts_as_the_same_rows_compared_as_a_file_do(table, tmp_path):
    reference = table("reference.parquet", {name: export(3000, 9)[name] for name in FEATURES})
    rows = pl.DataFrame(export(shift=1.5))
    table("export.parquet", rows)
    found = evaluate(monitor(reference="reference.parquet"), tmp_path, [tmp_path / "export.parquet"])

    assert len(found.results) == 5
    for i, result in enumerate(found.results):
        part = table(f"part-{i}.parquet", rows[i * 400 : (i + 1) * 400].select(FEATURES))
        expected = compare(reference, part)
        for ours, theirs in zip(result.window.columns, expected.columns, strict=True):
            assert (ours.column, ours.type, ours.status, ours.method, ours.n_current, ours.reason) == (
                theirs.column, theirs.type, theirs.status, theirs.method, theirs.n_current, theirs.reason,
            )  # fmt: skip
            assert ours.score == pytest.approx(theirs.score, rel=1e-11, abs=1e-12)
        assert result.window.metrics["drift.share"] == expected.share
        assert result.window.metrics["drift.columns"] == expected.drifted
    last = {column.column: column.drifted for column in found.results[-1].window.columns}
    assert last == {"distance": True, "stops": False, "seats": False, "carrier": False}


def test_distributions_lie_on_common_edges_and_sum_to_one(table, tmp_path):
    table("reference.parquet", {name: export(3000, 9)[name] for name in FEATURES})
    shifted = export(shift=3.0)
    shifted["carrier"] = ["XX"] * 1000 + list(shifted["carrier"][1000:])
    table("export.parquet", shifted)
    found = evaluate(monitor(reference="reference.parquet"), tmp_path, [tmp_path / "export.parquet"])
    for result in found.results:
        assert [shape.column for shape in result.distributions] == FEATURES
        for shape in result.distributions:
            assert len(shape.labels) == len(shape.reference) == len(shape.current) <= 30
            assert sum(shape.reference) == pytest.approx(1)
            assert sum(shape.current) == pytest.approx(1)
    first, last = found.results[0].distributions, found.results[-1].distributions
    assert first[0].labels == last[0].labels
    assert last[0].labels[-1].startswith("> ")
    assert last[0].current[-1] > 0.3 > 0.006 > last[0].reference[-1]
    assert dict(zip(first[3].labels, first[3].current, strict=True))["new"] == 1
    assert list(last[1].labels) == ["0", "1", "2", "3", "other"]


def test_too_few_rows_show_a_score_and_no_verdict(table, tmp_path):
    table("reference.parquet", {name: export(3000, 9)[name] for name in FEATURES})
    table("export.parquet", export(420, shift=9.0))
    config = monitor(reference="reference.parquet", window=WindowSpec(every=HOUR, min_rows=30))
    full, few = (result.window for result in evaluate(config, tmp_path, [tmp_path / "export.parquet"]).results)
    assert few.rows == 20
    assert {column.status for column in few.columns} == {"too-few"}
    assert few.columns[0].score > few.columns[0].threshold
    assert not any(column.drifted for column in few.columns)
    assert "at least 30 needed" in few.columns[0].reason
    assert few.metrics["drift.share"] is None
    assert full.metrics["drift.share"] > 0


def test_weeks_begin_on_monday_and_a_week_without_rows_is_a_window(table, tmp_path):
    week = 7 * 24 * HOUR
    rows = export(3)
    rows["timestamp"] = [MIDNIGHT - 1, MIDNIGHT, MIDNIGHT + 2.5 * week]
    table("export.parquet", rows)
    found = evaluate(monitor(window=WindowSpec(every=week)), tmp_path, [tmp_path / "export.parquet"])
    assert [(w.window.start, w.window.rows) for w in found.results] == [
        (MIDNIGHT - week, 1),
        (MIDNIGHT, 1),
        (MIDNIGHT + week, 0),
        (MIDNIGHT + 2 * week, 1),
    ]
    empty = found.results[2].window.metrics
    assert empty["rows"] == 0
    assert {value for key, value in empty.items() if key != "rows"} == {None}


def test_windows_by_count_follow_time_across_files_and_ties_follow_the_files(table, tmp_path):
    r = np.random.default_rng(4)
    times = MIDNIGHT + np.sort(r.integers(0, 300, 1000))
    value = r.normal(size=1000)
    order = r.permutation(1000)
    for i, part in enumerate(np.split(order, 4)):
        table(f"part-{i}.parquet", {"ts": times[part], "latency_ms": value[part]})
    found = evaluate(monitor(window=WindowSpec(rows=300)), tmp_path, sorted(tmp_path.glob("part-*.parquet")))
    at = order[np.argsort(times[order], kind="stable")]
    assert [w.window.rows for w in found.results] == [300, 300, 300, 100]
    for i, figures in enumerate(metrics(found)):
        expected = np.percentile(value[at[i * 300 : (i + 1) * 300]], 50)
        assert figures["latency_ms.p50"] == pytest.approx(expected, rel=1e-12)


def test_windows_by_count_without_times_keep_the_order_of_the_rows(table, tmp_path):
    value = np.random.default_rng(5).normal(size=250_000)
    table("a.parquet", {"latency_ms": value[:130_000]})
    table("b.csv", {"latency_ms": value[130_000:]})
    table("c.parquet", {"latency_ms": value[130_000:]})
    found = evaluate(
        monitor(window=WindowSpec(rows=100_000)), tmp_path, [tmp_path / "a.parquet", tmp_path / "c.parquet"]
    )
    assert [(w.window.start, w.window.end) for w in found.results] == [(0, 1e5), (1e5, 2e5), (2e5, 2.5e5)]
    for i, figures in enumerate(metrics(found)):
        assert figures["latency_ms.max"] == value[i * 100_000 : (i + 1) * 100_000].max()


@pytest.mark.parametrize("suffix", ["parquet", "csv", "jsonl"])
def test_without_a_rule_each_file_is_a_window(suffix, table, tmp_path):
    for day in range(3):
        table(f"day-{day}.{suffix}", export(50 + day, day, MIDNIGHT + day * 24 * HOUR))
    config = monitor(window=WindowSpec())
    found = evaluate(config, tmp_path, sorted(tmp_path.glob(f"day-*.{suffix}")))
    assert [(w.window.start, w.window.rows) for w in found.results] == [
        (MIDNIGHT + day * 24 * HOUR, 50 + day) for day in range(3)
    ]


def test_files_that_begin_at_the_same_moment_stay_apart(table, tmp_path):
    for name in "abc":
        table(f"{name}.parquet", export(40))
    found = evaluate(monitor(window=WindowSpec()), tmp_path, sorted(tmp_path.glob("*.parquet")))
    assert len({w.window.start for w in found.results}) == 3


def test_a_file_being_written_is_passed_over_and_a_broken_one_is_a_problem(table, tmp_path):
    whole = table("a.parquet", export(100)).read_bytes()
    (tmp_path / "b.parquet").write_bytes(whole[:-30])
    (tmp_path / "c.parquet").write_bytes(b"no table" * 9)
    (tmp_path / "d.parquet").write_bytes(b"PAR1" + b"\1" * 50 + b"PAR1")
    (tmp_path / "e.parquet").write_bytes(b"")
    for spec in (WindowSpec(every=HOUR), WindowSpec(rows=1000), WindowSpec()):
        found = evaluate(monitor(window=spec), tmp_path, sorted(tmp_path.glob("*.parquet")))
        assert [w.window.rows for w in found.results] == [100]
        assert [path.rsplit("/", 1)[1] for path, _ in found.problems] == ["c.parquet", "d.parquet"]


def test_the_last_line_of_a_growing_file_counts_once_it_is_whole(table, tmp_path):
    path = table("log.jsonl", export(50))
    whole = path.read_bytes()
    for content, rows in ((whole, 50), (whole[:-40], 49), (whole[: whole.index(b"\n") + 10], 1)):
        path.write_bytes(content)
        for spec in (WindowSpec(rows=1000), WindowSpec(every=HOUR), WindowSpec()):
            found = evaluate(monitor(window=spec), tmp_path, [path])
            assert [w.window.rows for w in found.results] == [rows]


def test_rows_without_a_time_are_left_out_and_said(table, tmp_path):
    rows = export(100)
    rows["timestamp"] = pl.Series(rows["timestamp"]).set(pl.Series(np.arange(100) < 7), None)
    table("export.parquet", rows)
    found = evaluate(monitor(), tmp_path, [tmp_path / "export.parquet"])
    assert found.results[0].window.rows == 93
    assert found.problems == (("*.parquet", "7 rows without a time in 'timestamp' left out"),)


def test_windows_by_time_need_one(table, tmp_path):
    table("export.parquet", {"x": [1, 2]})
    with pytest.raises(DriftInputError, match=r"window\.every needs a time"):
        evaluate(monitor(), tmp_path, [tmp_path / "export.parquet"])


def test_times_as_iso_text_and_as_milliseconds_fall_into_the_same_windows(table, tmp_path):
    rows = pl.DataFrame(export(1000))
    millis = rows.with_columns((pl.col("timestamp") * 1000).cast(pl.Int64))
    text = millis.with_columns(pl.from_epoch("timestamp", "ms").dt.strftime("%Y-%m-%dT%H:%M:%S%.3f+00:00"))
    zoned = millis.with_columns(pl.from_epoch("timestamp", "ms").dt.replace_time_zone("UTC"))
    expected = None
    for name, frame in {"a": rows, "b": millis, "c": text, "d": zoned}.items():
        for suffix in ("parquet", "csv"):
            path = table(f"{name}.{suffix}", frame)
            found = [(w.window.start, w.window.rows) for w in evaluate(monitor(), tmp_path, [path]).results]
            expected = expected or found
            assert found == expected
    assert expected == [(MIDNIGHT, 400), (MIDNIGHT + HOUR, 400), (MIDNIGHT + 2 * HOUR, 200)]


def figures(table, tmp_path, columns, **roles):
    path = table("export.parquet", columns)
    config = monitor(window=WindowSpec(), columns=ColumnRoles(**roles))
    return evaluate(config, tmp_path, [path]).results[0].window.metrics


def test_numbers_that_are_predicted_are_judged_by_their_distance(table, tmp_path):
    found = figures(table, tmp_path, {"prediction": [1.5, 2.5, 8.0, 3.0], "label": [1.0, 4.5, 8.5, None]})
    assert found["labelled.share"] == 0.75
    assert found["mae"] == pytest.approx((0.5 + 2 + 0.5) / 3)
    assert found["rmse"] == pytest.approx(np.sqrt((0.25 + 4 + 0.25) / 3))
    assert "accuracy" not in found


def test_several_classes_have_an_accuracy_only(table, tmp_path):
    found = figures(table, tmp_path, {"prediction": ["a", "b", "c", "c"], "label": ["a", "b", "a", "c"]})
    assert (found["accuracy"], "precision" in found) == (0.75, False)


def test_fractions_predicted_for_two_classes_are_probabilities(table, tmp_path):
    found = figures(table, tmp_path, {"prediction": [0.1, 0.9, 0.4, 0.6], "label": [0, 1, 1, 0]})
    assert (found["accuracy"], found["auc"]) == (0.5, 0.75)


def test_labels_that_have_not_come_yet_are_unknown_not_wrong(table, tmp_path):
    empty = pl.Series([None, None], dtype=pl.Int64)
    found = figures(table, tmp_path, {"prediction": [0, 1], "label": empty, "latency_ms": [1.0, 3.0]})
    assert found["latency_ms.p50"] == 2
    assert found.get("accuracy") is None


@pytest.mark.parametrize(
    ("name", "values", "rate"),
    [
        ("status", [200, 302, 404, 500], 0.5),
        ("status", ["200", "503", None, "200"], 1 / 3),
        ("status", ["ok", "error", "Timeout", "success"], 0.5),
        ("is_error", [True, False, False, False], 0.25),
        ("success", [True, False, False, True], 0.5),
        ("status", [0, 0, 1, 2], 0.5),
    ],
)
def test_a_failure_is_a_code_a_word_or_a_flag(name, values, rate, table, tmp_path):
    found = figures(table, tmp_path, {name: values, "x": [1, 2, 3, 4]}, status=name)
    assert found["error_rate"] == pytest.approx(rate)


def test_odd_features_do_not_stop_a_window(table, tmp_path):
    n = 600
    r = np.random.default_rng(0)
    left = {"a": r.normal(size=n), "gone": r.normal(size=n), "turned": r.normal(size=n), "l": [[1]] * n, "e": [1.0] * n}
    right = {"a": r.normal(size=n), "new": r.normal(size=n), "turned": ["x", "y"] * (n // 2), "l": [[1]] * n}
    right["e"] = pl.Series([None] * n, dtype=pl.Float64)
    right["word"] = [f"w{i}" for i in range(n)]
    table("reference.parquet", left | {"word": [f"v{i}" for i in range(n)]})
    path = table("export.parquet", right)
    config = monitor(window=WindowSpec(), reference="reference.parquet")
    window = evaluate(config, tmp_path, [path]).results[0].window
    assert {column.column: column.status for column in window.columns} == {
        "a": "ok", "new": "schema-changed", "turned": "schema-changed", "l": "unsupported", "e": "no-data",
        "word": "id-like",
    }  # fmt: skip


def test_progress_is_told_in_words(table, tmp_path):
    table("reference.parquet", {name: export(300, 9)[name] for name in FEATURES})
    table("export.parquet", export(100))
    told = []
    config = monitor(reference="reference.parquet")
    evaluate(config, tmp_path, [tmp_path / "export.parquet"], progress=lambda *step: told.append(step))
    assert told[0] == ("reading exports", 0, 1)
    assert told[-1] == ("comparing columns", 4, 4)
