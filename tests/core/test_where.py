"""Filtering runs, as a person types it under the run table or behind `--where`."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.core.model import Run, Summary
from workbench.core.where import WhereError, matches, parse, percentiles_of, unknown_keys


def summary(last: float, best: float | None = None, low: float = 0.0, high: float = 1.0) -> Summary:
    return Summary(n=10, last=last, last_step=9, min=low, max=high, best=best)


RESNET = Run(
    id="a1b2c3d4e5f6",
    name="resnet50-lr3e4",
    format="tensorboard",
    path="runs/vision/resnet50",
    status="running",
    status_reason="data is coming in",
    params={"lr": 3e-4, "optimizer.name": "AdamW", "amp": True, "batch size": 64, "warmup": None, "seed": "17"},
    tags={"vision": "", "owner": "ann", "date": "2026-01-05"},
    metrics={
        "val/loss": summary(0.42, best=0.31, low=0.31),
        "val/accuracy": summary(0.91, best=0.93),
        "lr": summary(1e-5),
        "metrics/mAP50(B)": summary(0.5, best=0.5),
        "train/loss": summary(math.nan),
    },
    notes=("restarted after the power cut",),
)


def found(text: str, run: Run = RESNET, **percentiles: float) -> bool:
    return matches(parse(text), run, {key.replace("__", "."): value for key, value in percentiles.items()})


@pytest.mark.parametrize(
    "text",
    [
        "",
        "resnet",
        "VISION",  # path, whatever the case
        "ann",  # the value of a tag
        "name:resnet*lr3e4",
        "tag:vision",
        "tag:owner",
        "tag:owner=ann",
        "tag:vis*",
        "state:running",
        "status:running",
        "format:tensorboard",
        "id:a1b2",
        "has:val/loss",
        "has:amp",
        "note:power",
        "lr>1e-4",
        "lr=0.0003",
        "lr=3e-4",
        "last(lr)<1e-4",
        "param(lr)>1e-4",
        "tag(owner)=ANN",
        "val/loss<0.5",
        "best(val/loss)<0.4",
        "min(val/loss) = 0.31",
        "max(val/loss)>=1",
        "n(val/loss)==10",
        "val/accuracy>=90%",
        "best(metrics/mAP50(B))>=0.5",
        '"metrics/mAP50(B)">0.4',
        '"batch size"=64',
        "optimizer.name=adamw",
        "optimizer.name~dam",
        "optimizer.name!~sgd",
        "amp=true",
        "seed=17",
        "seed<20",
        "date>2026-01-01",
        "train/loss=nan",
        "val/loss!=nan",
        "lr>1e-4 tag:vision state:running val/loss<0.5",
        "nothing or resnet",
        "resnet and not nothing",
        "!nothing",
        "!(nothing or state:failed) lr>0",
        "(lr>1 or val/loss<1) && (resnet || nothing)",
        "'resnet50-lr3e4'",
        "name='resnet50-lr3e4'",
    ],
)
def test_the_run_is_found_by(text: str) -> None:
    assert found(text)


@pytest.mark.parametrize(
    "text",
    [
        "nothing",
        "resnet nothing",
        "tag:visio",
        "tag:owner=bob",
        "state:failed",
        "lr>1",
        "last(lr)>1e-4",
        "val/loss<0.3",
        "best(val/loss)<0.3",
        "best(lr)>0",  # which way is better is unknown
        "train/loss<1",  # NaN is not less than anything
        "train/loss>=1",
        "unknown>0",
        "unknown!=0",
        "not unknown!=0 and unknown=0",
        "amp>0",  # a truth value has no order
        "optimizer.name>3",
        "warmup>0",
        "!resnet",
        "not (resnet or lr>1)",
    ],
)
def test_the_run_is_not_found_by(text: str) -> None:
    assert not found(text)


def test_a_percentile_is_asked_for_by_name_and_compared_in_the_units_one_thinks_in() -> None:
    expr = parse("latency_ms.p95<20ms or p99.9_of_nothing>1")
    assert percentiles_of(expr) == {("latency_ms", 95.0)}
    assert found("latency_ms.p95<20ms", latency_ms__p95=18.2)
    assert found("latency_ms.p95<0.02s", latency_ms__p95=18.2)
    assert not found("latency_ms.p95<0.01s", latency_ms__p95=18.2)
    assert not found("latency_ms.p95<20"), "without the percentile at hand nothing matches"


def test_a_hidden_baseline_is_found_as_what_it_is() -> None:
    run = Run("1", "rule", "csv", "rule", "finished", "", baseline=True, hidden=True)
    assert found("is:baseline is:hidden", run)
    assert not found("is:baseline")


@pytest.mark.parametrize(
    ("text", "position", "says"),
    [
        ("sate:running", 0, "did you mean 'state'"),
        ("tag:x state:runing", 12, "did you mean 'running'"),
        ("lr>", 3, "needs a value"),
        (">3", 0, "needs a parameter or metric before it"),
        ("(lr>1", 0, "not closed"),
        ("lr>1)", 4, "closes nothing"),
        ("lr>1>2", 4, "one operator"),
        ("a or", 4, "missing at the end"),
        ("a and or b", 6, "expected a condition"),
        ("bst(val/loss)<1", 0, "did you mean 'best'"),
        ("best(val/loss)", 14, "needs a comparison"),
        ("best(val/loss<1", 0, "not closed"),
        ("best()<1", 0, "needs a name"),
        ('name:"x', 5, "quote is not closed"),
        ("is:main", 3, "did you mean 'baseline'"),
        ("not " * 200 + "a", 400, "nested deeper"),
    ],
)
def test_a_mistake_is_named_and_pointed_at(text: str, position: int, says: str) -> None:
    with pytest.raises(WhereError) as caught:
        parse(text)
    assert caught.value.position == position
    assert says in caught.value.message


def test_the_caret_stands_under_the_mistake_even_behind_wide_letters() -> None:
    with pytest.raises(WhereError) as caught:
        parse("模型 sate:running")
    message, line, caret = str(caught.value).split("\n")
    assert message == "no field 'sate' – did you mean 'state'?"
    assert line == "  模型 sate:running"
    assert caret == "  " + " " * 5 + "^"


def test_keys_that_no_run_has_come_back_with_the_nearest_that_some_run_has() -> None:
    expr = parse("val/los<0.4 and (zzz>1 or lr>0) param(learning)>0 latency_ms.p95<1 optimizer.nam=adam")
    unknown = unknown_keys(expr, [RESNET])
    assert unknown == {
        "val/los": "val/loss",
        "zzz": None,
        "learning": None,
        "latency_ms.p95": None,
        "optimizer.nam": "optimizer.name",
    }
    assert unknown_keys(parse("resnet tag:x"), [RESNET]) == {}


@given(st.text(alphabet="ab/.-_ ()\"'<>=!~:1e%&|\\\n*?andornotbest模", max_size=40))
@settings(max_examples=400, deadline=None)
def test_whatever_is_typed_is_read_or_refused_and_reads_back_as_it_is_written(text: str) -> None:
    mistake = None
    try:
        expr = parse(text)
    except WhereError as error:
        mistake = error
    if mistake is not None:
        assert 0 <= mistake.position <= len(text)
        assert str(mistake).count("\n") in (0, 2)
    else:
        matches(expr, RESNET, {})
        assert parse(str(expr)) == expr


@given(
    st.text(min_size=1, max_size=20),
    st.sampled_from(["<", "<=", ">", ">=", "=", "!=", "~", "!~"]),
    st.floats(allow_nan=False, allow_infinity=False),
)
@settings(max_examples=150, deadline=None)
def test_any_name_and_number_can_be_asked_for_in_quotes(key: str, operator: str, value: float) -> None:
    quoted = '"' + key.replace("\\", "\\\\").replace('"', '\\"') + '"'
    expr = parse(f"{quoted}{operator}{value!r}")
    assert parse(str(expr)) == expr
    run = Run("1", "n", "f", "p", "finished", "", params={key: value})
    assert matches(expr, run) is (operator in ("<=", ">=", "=") or (operator == "~" and str(value) == repr(value)))
