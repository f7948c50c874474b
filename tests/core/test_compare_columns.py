"""Runs as columns: what a name stands for, numbers and names, values at a step, ranks, fronts and groups."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tests.support.memory_query import MemoryQuery, series, with_points
from tests.support.sweep import sweep
from workbench.core.compare_columns import (
    RunColumn,
    column_key,
    column_keys,
    column_of,
    config_names,
    varying_params,
)
from workbench.core.compare_groups import Group, band_of, differ, groups_of
from workbench.core.compare_ranks import correlation_ratio, front_of, rank_correlation
from workbench.core.compare_values import ChoiceError, ValueAt, value_at, values_of
from workbench.core.model import Run
from workbench.core.roles import guess

QUERY = sweep()
RUNS = QUERY.runs()


def run(name: str, **params: object) -> Run:
    return Run(name, name, "jsonl", name, "finished", "", params=params)


def column(*params: object) -> RunColumn:
    return column_of("param:p", [run(str(at), p=value) for at, value in enumerate(params)], {}, guess)


@pytest.mark.parametrize(
    ("asked", "meant"),
    [
        ("lr", "param:lr"), ("val/loss", "metric:val/loss"), ("team", "tag:team"), ("duration", "duration"),
        ("param:depth", "param:depth"), ("config", "config"),
    ],
)  # fmt: skip
def test_a_bare_name_is_a_parameter_then_a_metric_then_a_tag(asked: str, meant: str) -> None:
    assert column_key(asked, RUNS) == meant
    assert meant in column_keys(RUNS)


def test_a_column_that_no_run_has_is_answered_with_the_nearest() -> None:
    with pytest.raises(ChoiceError, match="'dept' – did you mean 'depth'"):
        column_key("dept", RUNS)


def test_numbers_written_as_text_are_numbers_and_truth_is_a_name() -> None:
    assert column("1e-4", 0.01).values == (1e-4, 0.01)
    assert column(True, False).names == ("no", "yes")
    mixed = column("auto", 10, 9)
    assert mixed.names == ("9", "10", "auto"), "numbers in their order, then words"
    assert mixed.places == (2.0, 1.0, 0.0)
    assert column(math.nan, 1).values == (None, 1.0)


@pytest.mark.parametrize(("values", "log"), [((1e-4, 1e-1), True), ((1, 8), False), ((0.0, 100.0), False)])
def test_wide_positive_numbers_are_spread_by_their_logarithm(values: tuple[float, ...], log: bool) -> None:
    assert column(*values).is_log is log


def test_settings_are_named_by_what_tells_them_apart() -> None:
    runs = [run("a", lr=0.1, depth=2, seed=1, same=0), run("b", lr=0.1, depth=3, seed=1, same=0)]
    assert config_names(runs) == ["depth=2", "depth=3"]
    long = [run(str(at), note="x" * 60, kind=at) for at in range(2)]
    assert len({*config_names(long)}) == 2


def test_axes_are_the_parameters_that_differ_but_for_seeds_and_names() -> None:
    assert [each.title for each in varying_params(RUNS, {}, QUERY.roles)] == ["depth", "lr", "optimizer"]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("last", ValueAt()),
        ("BEST", ValueAt("best")),
        ("step:1_500", ValueAt("step", 1500)),
        ("@30", ValueAt("step", 30)),
    ],
)
def test_what_stands_for_a_series_can_be_written(text: str, value: ValueAt) -> None:
    assert value_at(text) == value
    assert value_at(value.option) == value


def test_a_metric_may_have_a_value_of_its_own() -> None:
    at = value_at("best, val/loss=min, latency*=step:30")
    assert (at.of("val/accuracy"), at.of("val/loss")) == (ValueAt("best"), ValueAt("min"))
    assert at.of("latency_ms") == ValueAt("step", 30)
    assert value_at(at.option) == at
    assert at.words == "best values (val/loss: min, latency*: step:30)"
    values = values_of(QUERY, RUNS, value_at("val/loss=max"))
    series = QUERY.series(RUNS[0].id, "val/loss").value
    assert values[RUNS[0].id, "val/loss"] == pytest.approx(series.max())
    assert values[RUNS[0].id, "val/accuracy"] == pytest.approx(QUERY.series(RUNS[0].id, "val/accuracy").value[-1])


def test_a_mistyped_value_is_answered_with_the_nearest() -> None:
    with pytest.raises(ChoiceError, match="did you mean 'best'"):
        value_at("bst")


def test_values_are_the_last_the_best_an_extreme_or_those_at_a_step() -> None:
    query = MemoryQuery(
        all_runs=(run("long"), run("short")),
        points=with_points(
            series("long", "val/loss", [5.0, 1.0, 3.0, 4.0]), series("short", "val/loss", [2.0, 9.0]),
            series("long", "mystery", [1.0]),
        ),
    )  # fmt: skip
    runs = query.runs()

    def of(text: str) -> dict[str, float]:
        return {run_id: value for (run_id, key), value in values_of(query, runs, value_at(text), ["val/loss"]).items()}

    assert of("last") == {"long": 4.0, "short": 9.0}
    assert of("best") == of("min") == {"long": 1.0, "short": 2.0}
    assert of("max") == {"long": 5.0, "short": 9.0}
    assert of("first") == {"long": 5.0, "short": 2.0}
    assert of("step:1") == {"long": 1.0, "short": 9.0}
    assert of("step:3") == {"long": 4.0}, "the short one had ended by then"
    assert ("long", "mystery") not in values_of(query, runs, value_at("best")), "nobody knows which way is better"


def test_ranks_are_those_of_the_text_books() -> None:
    assert rank_correlation([1, 2, 3, 4], [1, 8, 27, 64]) == pytest.approx(1.0)
    assert rank_correlation([1, 2, 3, 4, None], [4, 3, 2, 1, 9]) == pytest.approx(-1.0)
    assert rank_correlation([1, 1, 2, 2], [1, 2, 3, 4]) == pytest.approx(0.8944, abs=1e-4), "ties share their ranks"
    assert rank_correlation([1, 2], [1, 2]) is None and rank_correlation([1, 1, 1], [1, 2, 3]) is None
    assert correlation_ratio(["a", "a", "b", "b"], [1, 2, 3, 4]) == pytest.approx(0.8)


def test_a_front_holds_the_runs_that_no_other_beats_in_both() -> None:
    fast = RunColumn("metric:ms", (1.0, 2.0, 3.0, 4.0, 2.0, None), direction="lower")
    good = RunColumn("metric:acc", (0.5, 0.7, 0.6, 0.9, 0.7, 0.99), direction="higher")
    assert front_of(fast, good) == {0, 1, 3, 4}
    assert front_of(RunColumn("param:lr", (1.0, 2.0)), good) == frozenset()


def test_groups_have_the_mean_and_span_of_their_runs() -> None:
    runs = [run(name) for name in "abc"]
    x, y = groups_of(["x", "y", "x"], runs, {"a": 1.0, "b": math.nan, "c": 3.0})
    assert (x.name, x.values, x.mean, x.deviation) == ("x", (1.0, 3.0), 2.0, pytest.approx(math.sqrt(2)))
    assert (y.values, y.mean, y.deviation) == ((), None, None)


def test_means_differ_beyond_chance_or_do_not() -> None:
    def group(*values: float) -> Group:
        return Group("g", (), values)

    assert differ(group(0.80, 0.81, 0.79), group(0.90, 0.91, 0.89)) is True
    assert differ(group(0.80, 0.90, 0.70), group(0.82, 0.95, 0.75)) is False
    assert differ(group(0.8), group(0.9, 0.91)) is None, "one value has no spread"


def test_a_band_is_the_mean_and_the_span_of_its_curves_while_half_of_them_go_on() -> None:
    long, short = np.arange(10.0), np.arange(4.0)
    band = band_of([(long, np.full(10, 2.0)), (long, np.full(10, 4.0)), (short, np.full(4, 9.0))])
    assert band is not None
    assert band.x.tolist() == long.tolist()
    assert band.mean[:4].tolist() == [5.0] * 4 and band.mean[4:].tolist() == [3.0] * 6
    assert (band.low[0], band.high[0], band.high[9]) == (2.0, 9.0, 4.0)
    assert band.count.tolist() == [3] * 4 + [2] * 6
    alone = band_of([(long, long), (short, short), (short, short), (short, short)])
    assert alone is not None and alone.x.max() == 3, "one of four is no group"
    assert band_of([(long, np.full(10, np.nan))]) is None
