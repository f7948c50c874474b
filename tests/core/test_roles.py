"""What a metric means, by the names that training scripts really use."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.core.model import Roles, Run, Summary
from workbench.core.roles import guess, main_metric, percentile_key, roles_for, split_percentile


def names(text: str) -> list[str]:
    return text.split()


LOWER = names("""
    loss train/loss val_loss Loss/train loss/classification loss_cls train/loss_epoch valLoss box_loss eval_loss
    val/mae RMSE mean_squared_error log_loss eval/perplexity ppl nll wer CER error_rate top-1/error
    negative_log_likelihood brier_score drift_score churn cost latency_ms p95 step_time request_duration_s
""")
HIGHER = names("""
    accuracy acc top1_acc accuracy_top1 train_acc_epoch roc_auc AUROC f1 F1Score f1_macro val/precision recall@10
    metrics/mAP50(B) metrics/mAP50-95(B) mAP mIoU bleu rouge1 rougeL R2 R² r2_score score bert_score reward
    episode_return revenue profit_eur conversion_rate neg_mean_squared_error neg_log_loss ndcg@10 pass@1
    samples_per_second it/s
""")
NEITHER = names("""
    lr learning_rate lr-AdamW/pg1 grad_norm epoch step global_step tokens num_input_tokens_seen loss_scale time
    elapsed_seconds timestamp wall_time seed batch_size weight_decay gpu.0.memoryAllocated x h2o 0 / 模型
""")


@pytest.mark.parametrize("key", LOWER)
def test_lower_is_better(key: str) -> None:
    assert guess(key).direction == "lower"


@pytest.mark.parametrize("key", HIGHER)
def test_higher_is_better(key: str) -> None:
    assert guess(key).direction == "higher"


@pytest.mark.parametrize("key", NEITHER)
def test_nobody_can_say_which_way_is_better(key: str) -> None:
    assert guess(key).direction is None


@pytest.mark.parametrize(
    ("key", "unit"),
    [
        ("latency_ms", "ms"),
        ("serving/batch_latency_s", "s"),
        ("inference_ms", "ms"),
        ("time_ms", "ms"),
        ("decode_ms", "ms"),
        ("eval_seconds", "s"),
        ("latency", ""),
        ("inference_time_us", "us"),
        ("latency_ms.p95", "ms"),
    ],
)
def test_latencies_are_a_kind_of_their_own_with_their_unit(key: str, unit: str) -> None:
    assert guess(key) == Roles("lower", unit, "latency")


@pytest.mark.parametrize(
    ("key", "kind", "unit"),
    [
        ("val/accuracy", "performance", ""),
        ("revenue_usd", "business", "USD"),
        ("missing_share", "data", ""),
        ("gpu_memory_mb", "system", "MB"),
        ("tokens_per_sec", "system", "/s"),
        ("elapsed_seconds", "system", "s"),  # a clock is no latency
        ("lr", "other", ""),
    ],
)
def test_kind_and_unit_come_from_the_name(key: str, kind: str, unit: str) -> None:
    assert (guess(key).kind, guess(key).unit) == (kind, unit)


def test_what_the_configuration_says_wins_and_what_it_leaves_open_is_guessed() -> None:
    configured = {
        "late_cost": Roles("lower", "EUR", "business"),
        "val/*": Roles(unit="%"),
        "latency_ms": Roles(unit="us"),
        "val/accuracy": Roles("lower"),
    }
    assert roles_for("late_cost", configured) == Roles("lower", "EUR", "business")
    assert roles_for("val/f1", configured) == Roles("higher", "%", "performance")
    assert roles_for("val/accuracy", configured) == Roles("lower", "", "performance"), "the exact name before patterns"
    assert roles_for("latency_ms.p99", configured) == Roles("lower", "us", "latency")
    assert roles_for("train/f1", configured) == guess("train/f1")


def test_a_percentile_has_a_name_of_its_own() -> None:
    assert percentile_key("latency_ms", 95.0) == "latency_ms.p95"
    assert split_percentile("latency_ms.p99.9") == ("latency_ms", 99.9)
    assert split_percentile("val/loss") is None


def run(*keys: str) -> Run:
    return Run("id", "n", "f", "p", "finished", "", metrics={key: Summary(1, 1.0, 0, 1.0, 1.0) for key in keys})


@pytest.mark.parametrize(
    ("keys", "main"),
    [
        (["lr", "epoch", "train/loss", "val/loss", "val/accuracy"], "val/accuracy"),
        (["lr", "epoch", "train/loss", "train/accuracy", "val/loss"], "val/loss"),
        (["loss", "accuracy"], "accuracy"),
        (["epoch", "train/box_loss", "metrics/mAP50(B)", "metrics/precision(B)"], "metrics/mAP50(B)"),
        (["latency_ms", "lr", "loss"], "loss"),
        (["lr", "epoch"], "epoch"),
    ],
)
def test_the_main_metric_is_the_one_a_person_would_look_at_first(keys: list[str], main: str) -> None:
    assert main_metric([run(*keys)]) == main


def test_the_main_metric_is_one_that_most_runs_have_unless_somebody_chose() -> None:
    runs = [run("train/loss")] * 5 + [run("val/accuracy", "train/loss")]
    assert main_metric(runs) == "train/loss"
    assert main_metric(runs, preferred="val/accuracy") == "val/accuracy"
    assert main_metric(runs, preferred="nowhere") == "train/loss"
    assert main_metric([run()]) is None
    assert main_metric([], preferred="val/accuracy") is None


@given(st.text(max_size=30))
def test_any_name_can_be_guessed(key: str) -> None:
    assert guess(key) == guess(key)
    assert guess(key).direction in ("higher", "lower", None)


@pytest.mark.parametrize(
    ("key", "roles"),
    [
        ("quality.missing.revenue", Roles("lower", "", "data")),
        ("staleness_s", Roles("lower", "", "data")),
        ("business.refund cost.mean", Roles("lower", "", "business")),
        ("business.revenue.sum", Roles("higher", "", "business")),
        ("business.mean", Roles(None, "", "business")),
        ("estimated.auc", Roles("higher", "", "performance")),
        ("throughput", Roles("higher", "", "system")),
    ],
)
def test_metrics_of_windows_mean_what_their_prefix_says(key: str, roles: Roles) -> None:
    assert guess(key) == roles
