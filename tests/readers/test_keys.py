"""Names and first values decide what a column is."""

import math
import time

import pytest

from workbench.readers.keys import (
    Clock,
    iso_seconds,
    metric_like,
    moment_unit,
    number,
    production_columns,
    roles_of,
    view_of_folder,
    whole,
)


@pytest.mark.parametrize(
    ("value", "unit"),
    [
        (1_700_000_000, "s"), (1_700_000_000.5, "s"), (1_700_000_000_000, "ms"), (1_700_000_000_000_000, "us"),
        (1_700_000_000_000_000_000, "ns"), ("2024-01-01T00:00:00", "iso"), ("2024-01-01", "iso"),
        (0, None), (12.5, None), (3600, None), (-1, None), (math.nan, None), (math.inf, None), ("12:30", None),
        ("2024-99-99T00:00:00", None),
    ],
)  # fmt: skip
def test_a_moment_shows_its_unit_and_a_duration_shows_none(value, unit):
    assert moment_unit(value) == unit


def test_a_text_without_a_zone_is_local_time(monkeypatch):
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    try:
        assert iso_seconds("1970-01-02T09:00:00") == 86400.0
        assert iso_seconds("1970-01-02T09:00:00Z") == 118800.0
    finally:
        monkeypatch.undo()
        time.tzset()


def test_a_clock_gives_nan_for_what_is_no_moment():
    assert math.isnan(Clock("ts", "s").seconds(None))
    assert math.isnan(Clock("ts", "iso").seconds("soon"))
    assert Clock("ts", "ms").seconds(1500) == 1.5


@pytest.mark.parametrize(
    ("text", "value"),
    [("0.5", 0.5), (" 5 ", 5.0), ("1e-3", 0.001), ("inf", math.inf), ("9007199254740993", 9007199254740993),
     ("1_000", None), ("٣", None), ("0x10", None), ("", None), ("train", None)],
)  # fmt: skip
def test_a_text_is_a_number_as_python_reads_floats(text, value):
    assert number(text) == value


@pytest.mark.parametrize(
    ("value", "step"), [(3, 3), (3.0, 3), (-1, -1), (0.5, None), (math.nan, None), (math.inf, None), (2**63, None)]
)
def test_a_step_is_whole_and_fits_int64(value, step):
    assert whole(value) == step


def test_roles_prefer_the_likelier_name_whatever_the_order():
    roles = roles_of(["time", "iter", "Epoch", "step", "timestamp", "batch"])
    assert (roles.steps, roles.epoch, roles.times) == (("step", "iter"), "Epoch", ("timestamp", "time"))


@pytest.mark.parametrize("name", ["loss", "train/loss", "val_acc", "train_loss_ce", "LearningRate", "f1", "bbox_mloss"])
def test_usual_metrics_are_known(name):
    assert metric_like(name)


@pytest.mark.parametrize("name", ["carrier", "step", "latency_ms", "id", "glossary_id"])
def test_other_columns_are_not_metrics(name):
    assert not metric_like(name)


def test_latency_beside_a_metric_is_a_training_log():
    assert production_columns(["timestamp", "latency_ms", "loss"]) == ()
    assert production_columns(["timestamp", "latency_ms", "carrier"]) == ("latency_ms",)
    assert production_columns(["step", "timestamp", "prediction"]) == ()


@pytest.mark.parametrize(
    ("name", "folder"),
    [("metrics.csv", True), ("train.log", True), ("results.csv", True), ("val_metrics.jsonl", True),
     ("metrics_rank1.jsonl", True), ("metrics.rank.3.jsonl", True), ("log_2.csv", False), ("mnist.csv", False),
     ("0001.jsonl", False)],
)  # fmt: skip
def test_conventional_names_belong_to_the_folder(name, folder):
    assert view_of_folder(name) is folder
