"""The best so far, the front, and importances, on studies whose answers are known."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest
from workbench_optuna.coordinates import coordinates
from workbench_optuna.importance import FOREST_FROM, Shares, Table, importances
from workbench_optuna.model import OptunaData, StudyData
from workbench_optuna.panel import OptunaPanel
from workbench_optuna.ranking import best_first, best_so_far, pareto_front
from workbench_optuna.worker import shares_of

from workbench.plugin.api import Empty, Fit
from workbench.plugin.checks import check_block
from workbench.render.text import render_text


def test_the_best_so_far_goes_over_trials_without_a_value():
    values = [None, 3.0, math.nan, 4.0, 1.0, math.inf, 2.0]
    found = best_so_far(values, "minimize")
    assert math.isnan(found[0]) and found[1:] == [3.0, 3.0, 3.0, 1.0, 1.0, 1.0]
    assert best_so_far(values, "maximize")[-1] == math.inf


def test_only_complete_trials_with_a_value_are_ranked(made):
    study = made(
        [({"x": 1}, 3.0, "complete"), ({"x": 2}, 1.0, "pruned"), ({"x": 3}, math.nan, "complete"),
         ({"x": 4}, 2.0, "complete"), ({"x": 5}, None, "failed"), ({"x": 6}, 2.0, "complete")],
    )  # fmt: skip
    assert [trial.number for trial in best_first(study)] == [3, 5, 0]


def test_the_front_is_what_nothing_beats_checked_by_hand_and_by_brute_force(made):
    study = made([({"x": at}, pair, "complete") for at, pair in enumerate([(1, 9), (2, 8), (2, 9), (3, 8), (3, 1)])],
                 ("minimize", "minimize"))  # fmt: skip
    assert [trial.number for trial in pareto_front(study)] == [0, 1, 4]
    generator = np.random.default_rng(5)
    points = [tuple(map(float, point)) for point in generator.integers(0, 12, (200, 3))]
    study = made([({}, point, "complete") for point in points], ("minimize", "maximize", "minimize"))

    def beats(a, b):
        a, b = (a[0], -a[1], a[2]), (b[0], -b[1], b[2])
        return all(x <= y for x, y in zip(a, b, strict=True)) and a != b

    expected = {at for at, point in enumerate(points) if not any(beats(other, point) for other in points)}
    assert {trial.number for trial in pareto_front(study)} == expected


def rows(n: int, value, seed: int = 0):
    generator = np.random.default_rng(seed)
    found = []
    for _ in range(n):
        params = {"a": float(generator.uniform(-1, 1)), "b": float(generator.uniform(-1, 1)),
                  "c": str(generator.choice(["x", "y", "z"]))}  # fmt: skip
        found.append((params, value(params), "complete"))
    return found


def test_shares_are_those_of_a_function_whose_variances_are_known(made):
    """a + b/2 + nothing of c: the variances of uniform a and b/2 are 1/3 and 1/12, so 80 % and 20 %."""
    found = importances(made(rows(300, lambda p: p["a"] + p["b"] / 2)), 0, shares_of)
    shares = {each.param: each.share for each in found.params}
    assert shares["a"] == pytest.approx(0.8, abs=0.06)
    assert shares["b"] == pytest.approx(0.2, abs=0.06)
    assert shares["c"] < 0.02
    assert found.explained is not None and found.explained > 0.9


def test_what_two_parameters_do_only_together_is_nobody_s_alone(made):
    found = importances(made(rows(400, lambda p: p["a"] * p["b"])), 0, shares_of)
    assert sum(each.share for each in found.params) < 0.35


def test_ranks_see_a_valley_and_a_choice_that_a_correlation_does_not(made):
    study = made(rows(120, lambda p: p["a"] ** 2 + {"x": 0, "y": 1, "z": 3}[p["c"]] / 3, seed=1))
    found = {each.param: each for each in importances(study, 0, lambda tables: [Shares(problem="no forest")]).params}
    assert abs(found["a"].rank) < 0.3 < found["a"].strength
    assert found["c"].rank is None and found["c"].strength > 0.6
    assert found["b"].strength < 0.3


def test_a_parameter_that_hangs_on_a_choice_is_not_praised_for_the_choice(made):
    def conditional(p):
        return {**p, **({"gamma": p["b"]} if p["c"] == "x" else {})}

    study = made([(conditional(p), 5.0 if p["c"] == "x" else 0.0, "complete") for p, _, _ in rows(200, lambda p: 0)])
    shares = {each.param: each.share for each in importances(study, 0, shares_of).params}
    assert shares["c"] > 0.8 and shares["gamma"] < 0.1


def test_noise_is_not_called_importance(made):
    generator = np.random.default_rng(7)
    found = importances(made(rows(60, lambda p: float(generator.normal()))), 0, shares_of)
    assert "does not foretell" in found.remark
    assert all(each.share is None for each in found.params)


def test_few_trials_one_value_or_one_setting_say_so(made):
    def never(tables: Sequence[Table]) -> Sequence[Shares]:
        raise AssertionError("no forest for so little")

    few = importances(made(rows(FOREST_FROM - 1, lambda p: p["a"])), 0, never)
    assert f"needs {FOREST_FROM}" in few.remark and few.params[0].param == "a"
    assert "3 complete" in importances(made(rows(2, lambda p: p["a"])), 0, never).remark
    assert "same value" in importances(made(rows(20, lambda p: 1.0)), 0, never).remark
    still = made([({"a": 1}, float(at), "complete") for at in range(20)])
    assert "no parameter varied" in importances(still, 0, never).remark


def test_infinite_values_are_left_out_of_importances_and_do_not_break_the_charts(made):
    study = made([*rows(30, lambda p: p["a"]), ({"a": 0.5, "b": 0.1, "c": "x"}, math.inf, "complete")])
    found = importances(study, 0, shares_of)
    assert found.trials == 30
    block = OptunaPanel().view(OptunaData([StudyData(study, [found])]), Fit(80))
    check_block(block)
    assert "best so far" in render_text(block, Fit(80))


def test_parallel_coordinates_skip_what_a_trial_lacks_and_put_the_best_on_top(made):
    def params(at: int) -> dict[str, object]:
        return {"lr": 10.0**-at, "kind": "ab"[at % 2], **({"g": 1.0 * at} if at % 2 else {})}

    study = made([(params(at), float(at), "complete") for at in range(8)])
    drawn = coordinates(study, ["lr", "kind", "g"])
    assert drawn is not None
    lines, words = drawn
    best = next(line for line in lines.lines if line.name == "best 4")
    first = best.y[:3].tolist()
    assert best.x[:3].tolist() == [1.0, 2.0, 4.0], "trial 0 has no g"
    assert first[0] == 1.0 and first[2] == 1.0, "the largest lr, and the best loss on top"
    assert np.isfinite(best.y).all(), "what breaks a line is no NaN that a chart would warn of"
    assert "logarithmic" in words[0] and "from below a, b" in words[1]


def test_a_study_that_has_just_begun_and_none_at_all(made):
    panel = OptunaPanel()
    assert isinstance(panel.view(OptunaData(), Fit()), Empty)
    study = made([({"a": 1.0}, None, "running")])
    text = render_text(panel.view(OptunaData([StudyData(study, [importances(study, 0)])]), Fit(80)), Fit(80))
    assert "No trial is complete yet" in text and "running" in text


def test_hostile_names_of_parameters_stay_text(made):
    study = made([({"[/]\x1b[31m<script>": float(at)}, float(at), "complete") for at in range(20)])
    data = OptunaData([StudyData(study, [importances(study, 0, shares_of)])])
    block = OptunaPanel().view(data, Fit(80))
    check_block(block)
    assert "\x1b" not in render_text(block, Fit(80))
