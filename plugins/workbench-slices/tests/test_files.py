"""Predictions in files: every format, names of columns as people give them, labels that come later, windows."""

from __future__ import annotations

import datetime as dt

import pytest
from workbench_slices.model import Columns, Labels, Question
from workbench_slices.views import slice_words
from workbench_slices.worker import answer


def told(ranking) -> list[str]:
    assert ranking is not None
    return [slice_words(each) for each in ranking.slices]


@pytest.mark.parametrize("format", ["csv", "jsonl", "parquet"])
def test_the_worst_slice_by_error_and_by_latency_from_a_file(tmp_path, writers, wrong_on_c3_o2, format):
    path = writers[format](tmp_path / f"predictions.{format}", wrong_on_c3_o2)
    found = answer(Question((str(path),)))
    assert found.problem == "" and found.notes == []
    assert (found.task, found.rows, found.labelled) == ("classification", 3000, 3000)
    assert told(found.error)[0] == "carrier = c3 ∧ origin = o2"
    assert told(found.latency)[0] == "device = d1"
    assert found.latency.slices[0].typical > 2 * found.latency.typical
    assert set(found.features) == {"x0", "x1", "x2", "x3", "amount", "age", "carrier", "origin", "device"}


def test_a_regression_is_ranked_by_its_absolute_error(tmp_path, writers, wrong_on_c3_o2):
    columns = dict(wrong_on_c3_o2)
    bad = [age >= 60 for age in columns["age"]]
    columns["y_true"] = [10.0 + 0.1 * at for at in range(3000)]
    noise = [float(((at * 7919) % 1000) / 1000 - 0.5) for at in range(3000)]
    columns["y_pred"] = [y + n * (4 if b else 1) for y, n, b in zip(columns["y_true"], noise, bad, strict=True)]
    for name in ("label", "prediction", "latency_ms"):
        del columns[name]
    found = answer(Question((str(writers["csv"](tmp_path / "p.csv", columns)),)))
    assert found.task == "regression"
    assert [each.feature for each in found.error.slices[0].conditions] == ["age"]
    assert 57 <= found.error.slices[0].conditions[0].low <= 63
    assert found.error.slices[0].loss == pytest.approx(1.0, rel=0.1)


def test_words_as_classes_and_true_beside_one(tmp_path, writers, wrong_on_c3_o2):
    columns = {**wrong_on_c3_o2, "label": ["late" if v else "on time" for v in wrong_on_c3_o2["label"]]}
    columns["prediction"] = ["late" if v else "on time" for v in wrong_on_c3_o2["prediction"]]
    assert told(answer(Question((str(writers["csv"](tmp_path / "p.csv", columns)),))).error)[0].startswith(
        "carrier = c3"
    )
    columns = {**wrong_on_c3_o2, "label": [bool(v) for v in wrong_on_c3_o2["label"]]}
    found = answer(Question((str(writers["csv"](tmp_path / "q.csv", columns)),)))
    assert found.error.overall == pytest.approx(0.115, abs=0.03)


def test_a_probability_alone_decides_at_one_half(tmp_path, writers, wrong_on_c3_o2):
    columns = dict(wrong_on_c3_o2)
    columns["proba"] = [0.9 if v else 0.2 for v in columns.pop("prediction")]
    found = answer(Question((str(writers["csv"](tmp_path / "p.csv", columns)),)))
    assert told(found.error)[0].startswith("carrier = c3")
    assert "1 from 0.5 on" in found.notes[0]


def test_labels_that_come_in_files_of_their_own(tmp_path, writers, wrong_on_c3_o2):
    columns = {"id": [9_007_199_254_740_993 + at for at in range(3000)], **wrong_on_c3_o2}
    labels = {"id": columns["id"][:2000], "late": columns.pop("label")[:2000]}
    for format, write in writers.items():
        path = write(tmp_path / f"export.{format}", columns)
        came = writers["csv"](tmp_path / "labels.csv", labels)
        question = Question((str(path),), Columns(id="id"), Labels((str(came),), "id", "late"))
        found = answer(question)
        assert found.labelled == 2000, "ids beyond what a float can tell apart"
        assert told(found.error)[0] == "carrier = c3 ∧ origin = o2"
    found = answer(Question((str(path),), Columns(id="id"), Labels(())))
    assert found.error is None and found.latency is not None
    assert "No file of labels yet." in found.notes


@pytest.mark.parametrize("kind", ["iso", "s", "ms"])
def test_only_the_rows_of_the_window_are_looked_at(tmp_path, writers, wrong_on_c3_o2, kind):
    first = 1_767_600_000
    moments = [first + at for at in range(3000)]
    shown = {
        "iso": [dt.datetime.fromtimestamp(at, dt.UTC).strftime("%Y-%m-%d %H:%M:%S") for at in moments],
        "s": moments, "ms": [1000 * at for at in moments],
    }[kind]  # fmt: skip
    path = writers["csv"](tmp_path / "p.csv", {"timestamp": shown, **wrong_on_c3_o2})
    found = answer(Question((str(path),), times=(first + 1000.0, first + 2500.0)))
    assert found.rows == 1500
    assert "timestamp" not in found.features
    found = answer(Question((str(path),), numbers=(0, 700)))
    assert found.rows == 700
    found = answer(Question((str(path),), times=(0.0, 1.0)))
    assert "in this window" in found.problem


def test_many_rows_are_drawn_evenly_and_the_same_each_time(tmp_path, writers, wrong_on_c3_o2):
    path = writers["csv"](tmp_path / "p.csv", wrong_on_c3_o2)
    first, second = (answer(Question((str(path),), most_rows=2000)) for _ in range(2))
    assert first == second
    assert (first.rows, first.read) == (3000, 2000)
    assert "A sample of 2,000 of the 3,000 rows, drawn evenly." in first.notes


def test_columns_that_change_their_type_between_files(tmp_path, writers, wrong_on_c3_o2):
    half = {key: value[:1500] for key, value in wrong_on_c3_o2.items()}
    rest = {key: value[1500:] for key, value in wrong_on_c3_o2.items()}
    rest["age"] = [f"{value:.0f}" for value in rest["age"]]
    rest["new"] = ["n"] * 1500
    paths = [writers["parquet"](tmp_path / f"{at}.parquet", part) for at, part in enumerate((half, rest))]
    found = answer(Question(tuple(map(str, paths))))
    assert found.rows == 3000 and told(found.error)[0] == "carrier = c3 ∧ origin = o2"


def test_latency_that_a_batch_shares_is_no_slice_s(tmp_path, writers, wrong_on_c3_o2):
    columns = {**wrong_on_c3_o2, "latency_ms": [float(at // 100) for at in range(3000)]}
    found = answer(Question((str(writers["csv"](tmp_path / "p.csv", columns)),)))
    assert found.latency is None and "batches" in found.notes[0]


@pytest.mark.parametrize(
    ("content", "name", "words"),
    [
        ("", "p.csv", "hardly any row"),
        ("prediction,label\n1,0\n", "p.csv", "no column is a feature"),
        ("PAR1 not really", "p.parquet", ""),
        ("{]\n", "p.jsonl", ""),
    ],
)
def test_files_that_are_no_predictions_say_so(tmp_path, content, name, words):
    path = tmp_path / name
    path.write_text(content)
    found = answer(Question((str(path),)))
    assert found.problem and words in found.problem


def test_no_file_a_column_that_is_not_there_and_another_format(tmp_path, writers, wrong_on_c3_o2):
    assert "no file" in answer(Question(())).problem
    path = writers["csv"](tmp_path / "p.csv", wrong_on_c3_o2)
    assert "no column 'score'" in answer(Question((str(path),), Columns(probability="score"))).problem
    assert ".parquet, .csv or .jsonl" in answer(Question((str(tmp_path / "p.xlsx"),))).problem
