"""What chance alone does: seeds found among parameters, and the noise between runs that differ in nothing else."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tests.support.sweep import NOISE, sweep
from workbench.core.compare import metric_rows
from workbench.core.compare_noise import is_seed, noise_of, repeats_of, settings_of, t_quantile
from workbench.core.compare_values import LAST, values_of
from workbench.core.model import Run

QUERY = sweep()


def run(name: str, status: str = "finished", commit: str | None = None, **params: object) -> Run:
    environment = {} if commit is None else {"git.commit": commit}
    return Run(name, name, "jsonl", name, status, "", params=params, environment=environment)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("key", "seed"),
    [
        ("seed", True), ("data/seed", True), ("random_state", True), ("model.randomSeed", True), ("rng", True),
        ("seed_everything", True), ("manual_seed", True), ("lr", False), ("state", False), ("speed", False),
        ("random_crop", False), ("seeds", False),
    ],
)  # fmt: skip
def test_a_seed_is_known_by_its_name(key: str, seed: bool) -> None:
    assert is_seed(key) is seed


def test_runs_repeat_each_other_when_only_seed_and_output_folder_differ() -> None:
    one, two = run("a", lr=0.1, seed=1, output_dir="out/a"), run("b", lr=0.1, seed=2, output_dir="out/b")
    assert repeats_of([one, two]) == [[one, two]]
    assert settings_of(one) == {"lr": 0.1}
    assert repeats_of([one, run("c", lr=0.2, seed=2)]) == [], "another setting"
    assert repeats_of([one, run("c", lr=0.1, seed=1)]) == [], "the same seed again tells no spread"
    assert repeats_of([one, run("c", "running", lr=0.1, seed=2)]) == [], "not at its end yet"
    assert repeats_of([one, run("c", commit="c0ffee", lr=0.1, seed=2)]) == [], "other code"
    assert repeats_of([run("d", lr=0.1), run("e", lr=0.1)]) == [], "nobody said that these are repeats"


def test_the_model_path_is_a_setting_though_it_names_a_folder() -> None:
    assert settings_of(run("a", model_path="big.pt", run_name="a")) == {"model_path": "big.pt"}


def test_the_noise_is_the_spread_between_seeds() -> None:
    runs = QUERY.runs()
    groups = repeats_of(runs)
    assert len(groups) == 5
    noise = noise_of("val/accuracy", groups, values_of(QUERY, runs))
    assert noise is not None
    assert (noise.freedom, noise.groups) == (10, 5)
    assert 0.5 * NOISE < noise.deviation < 1.8 * NOISE
    assert noise.threshold == pytest.approx(2.228 * math.sqrt(2) * noise.deviation, rel=1e-3)


def test_the_noise_of_the_compared_settings_comes_before_that_of_others() -> None:
    values = {("a", "acc"): 0.5, ("b", "acc"): 0.6, ("c", "acc"): 0.7, ("x", "acc"): 5.0, ("y", "acc"): 9.0}
    near = [run("a", lr=1, seed=1), run("b", lr=1, seed=2), run("c", lr=1, seed=3)]
    far = [run("x", lr=9, seed=1), run("y", lr=9, seed=2)]
    own = noise_of("acc", repeats_of([*near, *far]), values, {"a"})
    assert own is not None and (own.freedom, own.deviation) == (2, pytest.approx(0.1))
    only = noise_of("acc", repeats_of([*near, *far]), values, {"x"})
    assert only is not None and only.freedom == 3, "two seeds alone tell too little"
    assert noise_of("other", repeats_of(near), values) is None


def test_changes_within_noise_are_told_from_real_ones() -> None:
    runs = {each.name: each for each in QUERY.runs()}
    shown = [runs["sgd-0.1-4-s1"], runs["sgd-0.1-4-s2"], runs["adam-0.001-8-s1"]]
    values = values_of(QUERY, QUERY.runs(), LAST)
    groups = repeats_of(QUERY.runs())
    rows = {row.key: row for row in metric_rows(shown, QUERY.roles, shown[0], values=values, repeats=groups)}
    assert rows["val/accuracy"].within_noise == (False, True, False)
    assert rows["val/accuracy"].best == 2


def test_two_seeds_differ_beyond_noise_one_time_in_twenty() -> None:
    random = np.random.default_rng(5)
    beyond = 0
    for _ in range(2_000):
        seeds = [run(str(at), lr=1, seed=at) for at in range(4)]
        drawn = random.normal(0, 1, 6)
        noise = noise_of("acc", [seeds], {(str(at), "acc"): float(value) for at, value in enumerate(drawn[:4])})
        assert noise is not None
        beyond += abs(drawn[4] - drawn[5]) > noise.threshold
    assert 0.035 < beyond / 2_000 < 0.065


@pytest.mark.parametrize(("freedom", "expected"), [(1, 12.706), (2, 4.303), (5, 2.571), (10, 2.228), (30, 2.042)])
def test_quantiles_are_those_of_the_tables(freedom: int, expected: float) -> None:
    assert t_quantile(freedom) == pytest.approx(expected, abs=4e-3)
