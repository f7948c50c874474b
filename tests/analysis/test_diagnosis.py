"""What went wrong in a run, told from its curves: each finding on a curve made to show it, and silence elsewhere."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from tests.analysis.healthy import BEGAN, curve, healthy
from workbench.analysis.diagnosis import Curve, diagnose
from workbench.analysis.diagnosis_curves import Floats
from workbench.core.model import Finding
from workbench.core.roles import guess

RULES = ("not-finite", "diverged", "spiked", "plateaued", "overfitting", "gpu-idle")


def falling(n: int = 1000, noise: float = 0.05, seed: int = 0, floor: float = 0.3) -> Floats:
    """A training loss as it should be."""
    t = np.arange(n) / n
    return np.asarray((floor + 2 * np.exp(-5 * t)) * np.exp(noise * np.random.default_rng(seed).normal(size=n)))


def one(*curves: Curve) -> Finding:
    """The only finding there is."""
    (found,) = diagnose(curves)
    return found


def test_a_loss_that_becomes_nan_is_told_with_the_step_the_value_before_and_what_the_gradients_did() -> None:
    loss, norm = falling(400), np.full(400, 1.2)
    loss[301:], norm[297:] = np.nan, 9400.0
    found = one(curve("train/loss", loss), curve("grad_norm", norm), curve("lr", np.full(400, 3e-3)))
    assert (found.kind, found.severity, found.confidence, found.until) == ("not-finite", "bad", None, None)
    assert found.evidence["step"] == 301
    assert found.since == BEGAN + 602
    assert found.sentence == (
        f"train/loss is NaN since step 301; {loss[300]:.4g} at step 300;"
        " grad_norm had risen from 1.2 to 9,400, lr was 0.003"
    )


def test_a_nan_that_went_away_is_over() -> None:
    loss = falling(200)
    loss[[50, 51]] = np.nan
    found = one(curve("loss", loss))
    assert found.sentence == "2 values of loss were NaN, the first at step 50; finite again"
    assert (found.severity, found.until) == ("warn", BEGAN + 104)


def test_an_accuracy_of_an_empty_class_is_no_finding() -> None:
    value = np.full(60, 0.9)
    value[30] = np.nan
    assert diagnose([curve("val/f1_class_3", value)]) == []


@pytest.mark.parametrize("start", [0, 30, 300])
def test_a_metric_that_is_mostly_zero_is_judged_too(start: int) -> None:
    value = np.zeros(500)
    value[start : start + 60] = 0.4
    kinds = [each.kind for each in diagnose([curve("val/accuracy", value)])]
    assert kinds == ["diverged"]
    assert [each.kind for each in diagnose([curve("train/loss", value)])] == []
    (never,) = diagnose([curve("val/accuracy", np.zeros(500))])
    assert never.sentence.startswith("val/accuracy has never improved")


@pytest.mark.parametrize("n", [60, 500, 6000])
def test_a_loss_that_runs_away_is_told_from_the_step_on_where_it_left(n: int) -> None:
    loss = falling(n)
    left = int(0.7 * n)
    loss[left:] = loss[left] * np.exp(np.linspace(0, 4, n - left))
    found = one(curve("train/loss", loss))
    assert (found.kind, found.severity, found.until) == ("diverged", "bad", None)
    assert left <= found.evidence["step"] <= left + 0.15 * n
    assert found.confidence is not None
    assert found.confidence > 0.9
    assert f"diverged at step {found.evidence['step']:,}" in found.sentence


def test_a_loss_that_jumps_back_to_chance_and_stays_there_has_diverged() -> None:
    loss = falling(800)
    loss[500:] = 2.3 + 0.02 * np.random.default_rng(1).normal(size=300)
    found = one(curve("train/loss", loss))
    assert (found.kind, abs(found.evidence["step"] - 500) < 30) == ("diverged", True)


def test_an_accuracy_that_breaks_down_has_collapsed() -> None:
    value = 0.9 - 0.7 * np.exp(-np.arange(60) / 6)
    value[45:] = 0.1
    found = one(curve("val/accuracy", value))
    assert (found.kind, "collapsed at step 45" in found.sentence) == ("diverged", True)


def test_a_spike_that_came_back_is_told_as_over_with_its_height() -> None:
    loss = falling(1000)
    loss[600:604] = [4.0, 7.5, 5.0, 2.0]
    found = one(curve("train/loss", loss))
    assert (found.kind, found.severity, found.evidence["step"]) == ("spiked", "info", 601)
    assert found.until is not None
    assert "→ 7.5" in found.sentence


def test_a_loss_that_never_moved_has_never_improved() -> None:
    loss = 2.303 + 0.004 * np.random.default_rng(3).normal(size=500)
    found = one(curve("train/loss", loss))
    assert (found.kind, found.severity) == ("plateaued", "warn")
    assert found.sentence.startswith("train/loss has never improved")


def test_a_metric_that_stops_half_way_up_has_plateaued_since_that_step() -> None:
    value = np.minimum(0.3 + 0.3 * np.arange(1000) / 150, 0.6) + 0.003 * np.random.default_rng(4).normal(size=1000)
    found = one(curve("val/accuracy", value))
    assert (found.kind, found.severity) == ("plateaued", "info")
    assert 120 <= found.evidence["step"] <= 160


@pytest.mark.parametrize("epochs", [20, 100])
def test_overfitting_is_told_since_the_best_epoch_with_both_sides(epochs: int) -> None:
    random = np.random.default_rng(5)
    t = np.arange(epochs) / epochs
    train = 0.05 + 1.5 * np.exp(-5 * t) + 0.005 * random.normal(size=epochs)
    val = 0.4 + 1.2 * np.exp(-9 * t) + 0.6 * np.maximum(t - 0.35, 0) + 0.008 * random.normal(size=epochs)
    found = one(curve("train/loss", train, every=100), curve("val/loss", val, every=100))
    assert (found.kind, found.subject, found.severity) == ("overfitting", "val/loss", "warn")
    assert 0.25 * epochs <= found.evidence["step"] / 100 <= 0.5 * epochs
    assert "while train/loss fell from" in found.sentence


def test_validation_that_rises_while_training_stands_still_is_no_overfitting() -> None:
    t = np.arange(60) / 60
    val = 0.5 + 0.3 * t + 0.005 * np.random.default_rng(6).normal(size=60)
    kinds = {each.kind for each in diagnose([curve("train_loss", np.full(60, 0.4)), curve("val_loss", val)])}
    assert "overfitting" not in kinds


def test_a_gpu_that_waits_for_ten_minutes_is_idle_since_then() -> None:
    random = np.random.default_rng(7)
    use = np.concatenate([random.uniform(85, 99, 120), random.uniform(0, 3, 120)])
    found = one(curve("system/gpu.0.utilization", use, seconds=10.0), curve("loss", falling(240), seconds=10.0))
    assert (found.kind, found.since) == ("gpu-idle", BEGAN + 1200)
    assert "median" in found.sentence


def test_losses_that_something_works_against_may_rise() -> None:
    rising = 5 * (1 - np.exp(-np.arange(500) / 100)) + 0.05
    for key in ("train/kl_loss", "policy_loss", "discriminator_loss", "train/entropy_loss"):
        assert diagnose([curve(key, rising)]) == [], key


def test_metrics_that_tell_the_same_are_one_finding() -> None:
    loss = falling(300)
    loss[200:] = np.nan
    found = one(*(curve(key, loss) for key in ("loss", "loss_cls", "loss_box")))
    assert [each["subject"] for each in found.evidence["also"]] == ["loss_box", "loss_cls"]


def test_buckets_of_a_long_series_tell_the_step_that_they_hide() -> None:
    step = np.arange(0, 100_000, 100, dtype=np.int64)
    value = falling(1000)
    high = value.copy()
    high[500] = 60.0
    spiky = Curve("loss", guess("loss"), step, BEGAN + step, value, value, high, n=100_000)
    assert (one(spiky).kind, one(spiky).evidence["after"]) == ("spiked", pytest.approx(60.0))
    value[700:] = np.nan
    broken = Curve("loss", guess("loss"), step, BEGAN + step, value, value, high, 100_000, 30_000, 69_987)
    assert one(broken).sentence.startswith("loss is NaN since step 69,987")


@pytest.mark.parametrize("n", [0, 1, 2, 5])
def test_next_to_nothing_tells_nothing(n: int) -> None:
    assert diagnose([curve("train/loss", falling(n)), curve("val/accuracy", falling(n))]) == []


EDGES = (0.0, -0.0, 1e-308, 5e-324, 1.7e308, -1.7e308, np.inf, -np.inf, np.nan, 1e16, 1.0, -1.0)


@pytest.mark.parametrize("seed", range(40))
def test_whatever_is_logged_no_rule_falls_over(seed: int) -> None:
    random = np.random.default_rng(seed)
    n = int(random.integers(1, 300))
    keys = ("train/loss", "val/loss", "val/accuracy", "grad_norm", "lr", "gpu_util", "rollout/reward")
    curves = []
    for key in keys:
        value = random.choice(EDGES, n) if seed % 2 else random.normal(size=n) * 10.0 ** random.integers(-300, 300)
        step = np.sort(random.choice([0, 1, 2**62, -(2**62)], n) if seed % 3 else random.integers(0, 10**9, n))
        wall = random.choice([np.nan, 0.0, 1e9, 1e308], n)
        curves.append(
            Curve(key, guess(key), step.astype(np.int64), wall, value, n=n, broken=int((~np.isfinite(value)).sum()))
        )
    for found in diagnose(curves, BEGAN):
        assert found.sentence
        assert found.severity in ("bad", "warn", "info")


def alarms(runs: int) -> dict[str, float]:
    """Share of healthy runs that each rule speaks up about."""
    found = Counter(kind for seed in range(runs) for kind in {each.kind for each in diagnose(healthy(seed)[1])})
    return {rule: found[rule] / runs for rule in RULES}


def test_healthy_runs_are_left_in_peace() -> None:
    assert all(share <= 0.01 for share in alarms(200).values()), alarms(200)


@pytest.mark.slow
def test_a_thousand_healthy_runs_give_at_most_one_false_alarm_in_a_hundred_a_rule() -> None:
    shares = alarms(1000)
    print({rule: f"{share:.2%}" for rule, share in shares.items()})
    assert all(share <= 0.01 for share in shares.values())


def _broken(kind: str, seed: int) -> list[Curve]:
    """A run of any length and noise that goes wrong somewhere."""
    random = np.random.default_rng(seed)
    n, noise = int(np.exp(random.uniform(np.log(60), np.log(4000)))), random.uniform(0.01, 0.15)
    at, loss = int(random.uniform(0.3, 0.85) * n), falling(n, noise, seed)
    if kind == "not-finite":
        loss[at:] = np.nan
    elif kind == "diverged":
        loss[at:] *= np.exp(np.linspace(0, 3, n - at))
    elif kind == "spiked":
        loss[at] *= 8
    else:
        loss = 2.3 * np.exp(min(noise, 0.05) * random.normal(size=n))
    return [curve("train/loss", loss)]


@pytest.mark.parametrize(
    ("kind", "share"), [("not-finite", 1.0), ("diverged", 0.95), ("spiked", 0.75), ("plateaued", 0.7)]
)
def test_keeping_quiet_about_healthy_runs_does_not_mean_missing_broken_ones(kind: str, share: float) -> None:
    found = [any(each.kind == kind for each in diagnose(_broken(kind, seed))) for seed in range(60)]
    assert np.mean(found) >= share
