"""Snapshots that Evidently wrote: read in both forms, with the verdicts that it gave."""

import json

import numpy as np
import pytest

from workbench.monitor.drift import compare
from workbench.monitor.evidently_worker import evidently_report
from workbench.monitor.registry import MethodChoice
from workbench.monitor.snapshots import read_snapshot
from workbench.monitor.tables import DriftInputError

R = np.random.default_rng(8)
N = 1200


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """Two tables, and Evidently's full snapshot of them with a method of our choice."""
    import polars as pl

    folder = tmp_path_factory.mktemp("snapshots")
    for name, shift in (("reference", 0.0), ("current", 0.6)):
        columns = {"x": R.normal(shift, 1, N), "y": R.normal(0, 1, N), "w": R.choice(["a", "b", "c"], N)}
        pl.DataFrame(columns).write_parquet(folder / f"{name}.parquet")
    tables = folder / "reference.parquet", folder / "current.parquet"
    choice = MethodChoice(num_method="psi", column_thresholds={"y": 0.5})
    evidently_report(*tables, snapshot=folder / "full.json", html=folder / "report.html", choice=choice)
    return folder, compare(*tables, mode="evidently", choice=choice)


def short_form(full, *, tests):
    """What `snapshot.json()` holds of a full snapshot."""
    metrics, judged = [], []
    for name, result in full["metric_results"].items():
        config = result["metric_value_location"]["metric"]["params"]
        value = result.get("value", {part: result[part]["value"] for part in ("count", "share") if part in result})
        metrics.append({"id": name, "metric_name": result["display_name"], "config": config, "value": value})
        judged += result["tests"]
    return {"metrics": metrics, "tests": judged if tests else []}


def verdicts(drift):
    return {c.column: (c.threshold, pytest.approx(c.score, rel=1e-9), c.drifted) for c in drift.columns}


@pytest.mark.parametrize("form", ["full", "short", "short without tests"])
def test_a_snapshot_says_what_evidently_said_in_either_form(form, written, tmp_path):
    folder, ours = written
    full = json.loads((folder / "full.json").read_text())
    path = tmp_path / "snapshot.json"
    path.write_text(json.dumps(full if form == "full" else short_form(full, tests=form == "short")))
    found = read_snapshot(path)
    assert found.form == form.split()[0]
    assert verdicts(found.drift) == verdicts(ours)
    assert {column.column: column.method for column in found.drift.columns} == {
        "x": "PSI", "y": "PSI", "w": "Jensen-Shannon distance",
    }  # fmt: skip
    assert (found.drift.drifted, found.drift.tested, found.drift.verdict) == (1, 3, "ok")
    told = all("by Evidently's rule" in column.reason for column in found.drift.columns)
    assert told == (form == "short without tests")
    assert [test.status for test in found.tests].count("FAIL") == (0 if told else 1)


def test_the_full_form_has_the_distributions_of_its_columns(written):
    folder, _ = written
    shapes = {shape.column: shape for shape in read_snapshot(folder / "full.json").distributions}
    assert set(shapes) <= {"x", "y", "w"}
    for shape in shapes.values():
        assert len(shape.labels) == len(shape.reference) == len(shape.current)
        assert sum(shape.reference) == pytest.approx(1)
        assert sum(shape.current) == pytest.approx(1)


def test_the_report_was_written_beside_it(written):
    assert "<html" in (written[0] / "report.html").read_text()


@pytest.mark.parametrize(
    ("content", "says"),
    [("{", "not JSON"), ("[]", "not a snapshot"), ('{"metrics": 3}', "not a snapshot"), ("[" * 100_000, "not JSON")],
)
def test_what_is_no_snapshot_is_refused_with_how_to_make_one(content, says, tmp_path):
    (tmp_path / "s.json").write_text(content)
    with pytest.raises(DriftInputError, match=says):
        read_snapshot(tmp_path / "s.json")
    with pytest.raises(DriftInputError, match="No such file"):
        read_snapshot(tmp_path / "none.json")


@pytest.mark.parametrize(
    "broken",
    [
        {
            "metrics": [
                {"id": 1, "config": None, "value": None},
                7,
                {"config": {"type": "x:ValueDrift"}, "value": "high"},
            ]
        },
        {"metric_results": {"a": None, "b": {}, "c": {"metric_value_location": [], "tests": [3]}}, "widgets": 9},
        {"metric_results": {}, "widgets": [{"type": "big_table", "params": {"data": [{"column_name": "x"}, 4]}}]},
    ],
)
def test_a_snapshot_with_holes_is_read_as_far_as_it_goes(broken, tmp_path):
    (tmp_path / "s.json").write_text(json.dumps(broken))
    found = read_snapshot(tmp_path / "s.json")
    assert not found.drift.drifted
