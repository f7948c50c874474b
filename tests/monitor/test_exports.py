"""An export shows its columns' roles by their names and values; what is configured goes over what is guessed."""

import tomllib
from datetime import datetime

import numpy as np
import pytest

from workbench.core.config import ColumnRoles, MonitorConfig, load_config
from workbench.monitor.exports import (
    propose_mapping,
    readiness,
)
from workbench.monitor.mapping import effective_mapping, mapping_toml
from workbench.monitor.names import latency_unit
from workbench.monitor.session import open_session
from workbench.monitor.tables import DriftInputError, open_table

N = 400
R = np.random.default_rng(1)
EXPORT = {
    "prediction_id": [f"p{i}" for i in range(N)],
    "timestamp": 1_700_000_000_000 + np.arange(N) * 1000,
    "loaded_at": [datetime(2024, 1, 1)] * N,
    "model_version": ["v1"] * N,
    "distance": R.normal(size=N),
    "dep_time": R.integers(1, 2400, N),
    "marital_status": R.choice(["single", "married"], N),
    "carrier": R.choice(["AA", "UA"], N),
    "y_pred": R.integers(0, 2, N),
    "y_pred_proba": R.random(N),
    "y_true": R.integers(0, 2, N),
    "inferenceLatencyMs": R.lognormal(2, 1, N),
    "status_code": R.choice([200, 500], N),
    "revenue_usd": R.normal(size=N),
    "comment": [f"free text {i}" for i in range(N)],
}


def test_a_usual_export_maps_itself(table):
    mapping = propose_mapping(table("export.parquet", EXPORT))
    assert (mapping.timestamp, mapping.timestamp_unit) == ("timestamp", "ms")
    assert mapping.columns == ColumnRoles(
        prediction="y_pred",
        probability="y_pred_proba",
        label="y_true",
        latency="inferenceLatencyMs",
        latency_unit="ms",
        status="status_code",
        business="revenue_usd",
        features=("distance", "dep_time", "marital_status", "carrier"),
        version="model_version",
    )
    assert mapping.id == "prediction_id"
    assert dict(mapping.unplaced) == {
        "loaded_at": "a time, and another column is the timestamp",
        "comment": "text that is mostly unique",
    }


@pytest.mark.parametrize("name", ["export.csv", "export.jsonl"])
def test_text_formats_map_the_same(name, table):
    expected = propose_mapping(table("export.parquet", EXPORT))
    found = propose_mapping(table(name, EXPORT))
    assert found.columns == expected.columns
    assert (found.timestamp, found.timestamp_unit) == (expected.timestamp, expected.timestamp_unit)


def test_the_proposal_pasted_into_the_configuration_reads_back(table, tmp_path):
    mapping = propose_mapping(table("export.parquet", EXPORT))
    text = mapping_toml(mapping, "flights")
    assert "# 'comment' has no role: text that is mostly unique" in text
    (tmp_path / "workbench.toml").write_text(text)
    monitor = load_config(tmp_path).monitors["flights"]
    assert monitor.columns == mapping.columns
    assert (monitor.timestamp, monitor.timestamp_unit) == ("timestamp", "ms")
    assert tomllib.loads(mapping_toml(propose_mapping(table('a"\\\x7f\n.csv', {"x": [1]}))))


@pytest.mark.parametrize(
    ("values", "unit"),
    [(1.7e9, "s"), (1.7e12, "ms"), (1.7e15, "us"), (1.7e18, "ns"), ("2024-01-01T00:00:00Z", "iso")],
)
def test_the_unit_of_a_time_shows_in_its_size(values, unit, table):
    path = table("times.csv", {"ts": [values] * 3, "x": [1, 2, 3]})
    assert (propose_mapping(path).timestamp, propose_mapping(path).timestamp_unit) == ("ts", unit)


def test_a_time_of_day_or_a_count_is_no_timestamp(table):
    mapping = propose_mapping(table("t.csv", {"arr_time": [517, 533], "date": [20240101, 20240102]}))
    assert mapping.timestamp is None
    assert "not time" in mapping.notes[0]


@pytest.mark.parametrize(
    ("name", "unit"),
    [("latency_ms", "ms"), ("request_time_seconds", "s"), ("took_us", "us"), ("durationNs", "ns"), ("latency", None)],
)
def test_the_unit_of_a_latency_is_the_end_of_its_name(name, unit):
    assert latency_unit(name) == unit


def test_what_is_configured_goes_over_what_is_guessed(table):
    path = table("export.parquet", EXPORT)
    asked = ColumnRoles(label="carrier", latency="distance", latency_unit="s", ignore=("y_pred", "dep_time"))
    config = MonitorConfig("m", "export.parquet", timestamp="loaded_at", columns=asked)
    with open_session() as session:
        found = effective_mapping(config, propose_mapping(path), open_table(session, path))
    assert (found.timestamp, found.columns.label, found.columns.latency) == ("loaded_at", "carrier", "distance")
    assert (found.columns.latency_unit, found.columns.prediction) == ("s", None)
    assert found.columns.probability == "y_pred_proba"
    assert not {"carrier", "distance", "y_pred", "dep_time", "prediction_id"} & set(found.columns.features)
    assert "marital_status" in found.columns.features


def test_a_configured_column_that_is_not_there_is_answered_with_the_nearest(table):
    path = table("export.parquet", EXPORT)
    config = MonitorConfig("web", "export.parquet", columns=ColumnRoles(prediction="y_prd"))
    with (
        open_session() as session,
        pytest.raises(DriftInputError, match=r"monitor\.web\.columns\.prediction: .* 'y_prd' – did you mean 'y_pred'"),
    ):
        effective_mapping(config, propose_mapping(path), open_table(session, path))


def test_a_parquet_file_without_its_end_is_still_being_written(table, tmp_path):
    whole = table("whole.parquet", EXPORT).read_bytes()
    for content, expected in (
        (whole, "ready"),
        (whole[:-50], "being written"),
        (b"PA", "being written"),
        (b"", "empty"),
    ):
        (tmp_path / "export.parquet").write_bytes(content)
        assert readiness(tmp_path / "export.parquet") == expected
    (tmp_path / "export.parquet").write_bytes(b"a,b\n1,2\n")
    with pytest.raises(DriftInputError, match="not a Parquet file"):
        readiness(tmp_path / "export.parquet")
