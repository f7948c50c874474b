"""Which charts a run's metrics make, and what they are drawn over."""

import numpy as np
import pytest

from workbench.core.model import Series
from workbench.core.series_axes import axis_key, epoch_key, steps_within, x_of
from workbench.core.series_charts import PINNED, Chart, cells, charts_of, grouped, matching

WALL = 1_767_600_000.0


def series(values, steps=None, wall=None, key="loss"):
    steps = np.arange(len(values)) if steps is None else np.asarray(steps, np.int64)
    wall = WALL + 10.0 * np.arange(len(values)) if wall is None else np.asarray(wall, float)
    return Series("run", key, steps, wall, np.asarray(values, float), len(values))


def titles(charts):
    return [chart.title for chart in charts]


def test_metrics_are_grouped_by_prefix_in_the_order_they_come_the_pinned_first():
    charts = charts_of(["val/acc", "train/loss", "lr", "val/loss", "train/grad/norm"])
    groups = grouped(charts, pinned=("lr", "gone", "val/loss"))
    assert [(group.title, titles(group.charts)) for group in groups] == [
        ("pinned", ["lr", "val/loss"]),
        ("val/", ["val/acc"]),
        ("train/", ["train/loss", "train/grad/norm"]),
    ]
    assert groups[0].id == PINNED
    assert [group.title for group in grouped(charts_of(["loss", "val/acc"]))] == ["metrics", "val/"]


def test_rates_of_one_curve_are_one_chart_and_what_is_half_a_curve_stays_a_metric():
    charts = charts_of(["val/roc/cat/tpr", "loss", "val/roc/cat/fpr", "pr/recall", "roc/tpr", "pr/precision"])
    assert charts == [
        Chart("val/roc/cat", ("val/roc/cat/fpr", "val/roc/cat/tpr"), "curve"),
        Chart("loss", ("loss",)),
        Chart("pr", ("pr/recall", "pr/precision"), "curve"),
        Chart("roc/tpr", ("roc/tpr",)),
    ]


def test_precision_and_recall_elsewhere_are_two_metrics():
    assert titles(charts_of(["val/precision", "val/recall"])) == ["val/precision", "val/recall"]


def test_cells_of_a_confusion_matrix_are_one_chart_with_its_classes_in_the_order_they_were_logged():
    keys = ["val/confusion/dog/cat", "val/confusion/dog/dog", "acc", "val/confusion/cat/cat", "val/confusion/cat/fox"]
    matrix = charts_of(keys)[0]
    assert (matrix.title, matrix.kind) == ("val/confusion", "confusion")
    assert cells(matrix) == (["dog", "cat"], ["dog", "cat", "fox"])
    assert titles(charts_of(["confusion/ratio"])) == ["confusion/ratio"], "one name more is no cell"


def test_histograms_stand_behind_the_metrics():
    charts = charts_of(["loss"], {"weights/b", "weights/a"})
    assert [(chart.title, chart.kind) for chart in charts] == [
        ("loss", "metric"), ("weights/a", "histogram"), ("weights/b", "histogram"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("words", "left"),
    [("", 4), ("LOSS", 2), ("loss train", 1), ("!train", 2), ("loss !val", 1), ("!", 0), ("zebra", 0)],
)
def test_a_filter_holds_every_word_and_leaves_out_what_is_behind_an_exclamation_mark(words, left):
    charts = charts_of(["train/loss", "val/loss", "val/acc", "train/lr"])
    assert len(matching(charts, words)) == left


def test_the_epoch_is_whatever_key_says_so():
    assert epoch_key(["loss", "train/epoch", "epoch", "epoch_time"]) == "epoch"
    assert epoch_key(["train/epochs"]) == "train/epochs"
    assert epoch_key(["epoch/time"]) is None
    assert axis_key("metric:samples", ["loss"]) == "samples"
    assert axis_key("wall", ["epoch"]) is None


def test_values_stand_over_another_metric_between_whose_points_it_is_interpolated():
    epochs = series([1, 2, 3], steps=[10, 20, 30], key="epoch")
    x = x_of(series([5, 4, 3, 2, 1], steps=[0, 10, 15, 30, 40]), "epoch", epochs)
    assert np.isnan(x[0]), "no epoch is known before its first"
    assert x[1:].tolist() == [1.0, 1.5, 3.0, 3.0]
    unknown = x_of(series([5, 4]), "epoch", series([np.nan, np.nan], key="epoch"))
    assert np.isnan(unknown).all()


def test_values_stand_over_step_time_and_the_time_since_the_start():
    points = series([5, 4, 3])
    assert x_of(points, "step").tolist() == [0, 1, 2]
    assert x_of(points, "wall").tolist() == [WALL, WALL + 10, WALL + 20]
    assert x_of(points, "relative", None, WALL - 60).tolist() == [60, 70, 80]
    assert x_of(points, "relative").tolist() == [0, 10, 20]
    untimed = series([5, 4], wall=[np.nan, np.nan])
    assert np.isnan(x_of(untimed, "relative")).all()


def test_the_steps_in_sight_reach_one_point_further_on_either_side():
    points = series([0] * 5, steps=[0, 100, 200, 300, 400])
    x = x_of(points, "step")
    assert steps_within(points, x, 150, 250) == (100, 300)
    assert steps_within(points, x, 120, 130) == (100, 200), "between two points, both"
    assert steps_within(points, x, -50, 1000) == (0, 400)
    assert steps_within(points, x, 500, 600) is None
