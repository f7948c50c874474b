"""Gates in CI: what passes, what fails, and what a gate that cannot be judged says for itself."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.support.memory_query import MemoryQuery, series, with_points
from tests.support.sample_project import TREE, WINDOWS, sample_project, without_baseline
from workbench.core.config import GateConfig
from workbench.core.gates import GateResult
from workbench.core.model import Roles, Run
from workbench.rules import evaluate, evaluate_all
from workbench.rules.expression import GateError, parse

PROJECT = sample_project()


def judged(check: str, where: str = "", query: MemoryQuery = PROJECT) -> GateResult:
    return evaluate(GateConfig("gate", check, where), query, query.runs())


@pytest.mark.parametrize(
    ("check", "value", "limit"),
    [
        ("best(val/accuracy) >= 0.895", 0.895, 0.895),
        ("val/accuracy > 0.89", 0.895, 0.89),
        ("last(val/accuracy) >= 89%", 0.895, 0.89),
        ("first(val/accuracy) == 0.7", 0.7, 0.7),
        ("min(train/loss) < 0.25", 0.7 * 0.97**39, 0.25),
        ("max(mystery) <= 3", 3.0, 3.0),
        ("n(latency_ms) >= 40", 40.0, 40.0),
        ("latency_ms.p50 <= 14.5", 14.5, 14.5),
        ("p95(latency_ms) < 19.1", 19.0, 19.1),
        ("latency_ms.p95 <= 20 * baseline", 19.0, 20.0),
        ("val/accuracy >= 1.1 * baseline + 1%", 0.895, 0.89),
        ("1.5 * baseline > val/accuracy", 0.895, 1.2),
        ("last(val/loss) - last(train/loss) < 0.2", 0.8 * 0.98**39 - 0.7 * 0.97**39, 0.2),
        ("-(1 - 3) * 2 / 4 = last(mystery)", 1.0, 1.0),
        ("param(depth) == 6", 6.0, 6.0),
        ("param(model) == 'gbdt'", None, None),
        ("param(model) != 'rule'", None, None),
        ("drift(flights).share < 0.4", 1 / 3, 0.4),
        ("drift(flights).drifted <= 1", 1.0, 1.0),
        ("drift(flights).tested == 3", 3.0, 3.0),
        ("window(flights).latency_ms.p95 < 50", 41.0, 50.0),
        ("window(flights).error_rate < 5%", 0.03, 0.05),
        ("window(flights).rows > 1_000", 6300.0, 1000.0),
    ],
)
def test_a_gate_that_holds_passes_with_its_figures(check: str, value: float | None, limit: float | None) -> None:
    found = judged(check)
    assert found.passed, found.message
    assert found.value == (None if value is None else pytest.approx(value))
    assert found.limit == (None if limit is None else pytest.approx(limit))


@pytest.mark.parametrize(
    ("check", "message"),
    [
        ("best(val/accuracy) >= 0.9", "0.895 is not >= 0.9; the run is still going on"),
        ("latency_ms.p95 <= 1.1 * baseline", "19 is not <= 1.1; the baseline rule has 1; the run is still going on"),
        ("drift(flights).share < 0.3", "0.333333 is not < 0.3 in the window of 2025-12-29"),
        ("window(flights).latency_ms.p95 < 40", "41 is not < 40 in the window of 2025-12-29"),
        ("param(model) == 'rule'", "'gbdt' is not == 'rule'; the run is still going on"),
    ],
)
def test_a_gate_that_does_not_hold_fails_and_shows_both_sides(check: str, message: str) -> None:
    found = judged(check)
    assert (found.passed, found.message) == (False, message)


def test_the_newest_visible_run_is_judged_unless_where_says_otherwise() -> None:
    assert judged("val/accuracy > 0").subject == "run tree"
    assert judged("val/accuracy > 0", "state:failed").subject == "run logistic"
    assert judged("drift(flights).share < 1").subject == "monitor flights"
    assert judged("val/accuracy > drift(flights).share").subject == "run tree, monitor flights"


@pytest.mark.parametrize(
    ("check", "where", "says"),
    [
        ("best(val/acuracy) >= 0.9", "", "run tree has no metric 'val/acuracy' – did you mean 'val/accuracy'?"),
        ("best(mystery) >= 0.9", "", "which way mystery is better is unknown: write min(mystery) or max(mystery)"),
        ("latncy_ms.p95 < 3", "", "has no metric 'latncy_ms.p95' – did you mean 'latency_ms.p95'?"),
        ("param(dept) < 3", "", "no parameter 'dept' – did you mean 'depth'?"),
        ("param(model) < 3", "", "text cannot be ordered: 'gbdt' < 3"),
        ("param(model) * 2 < 3", "", "'gbdt' is no number"),
        ("drift(flight).share < 3", "", "no monitor 'flight' – did you mean 'flights'?"),
        ("window(flights).eror_rate < 3", "", "have no 'eror_rate' – did you mean 'error_rate'?"),
        ("drift(flights).share < baseline", "", "a baseline run has none"),
        ("3 < baseline", "", "baseline needs a metric on the other side"),
        ("val/loss <= 1.1 * baseline", "", "of the baseline: run rule has no metric 'val/loss'"),
        ("val/accuracy / (mystery - 1) > 1", "", "division by zero"),
        ("val/accuracy > 0", "tag:nobody", "no visible run matches where = 'tag:nobody'"),
        ("val/accuracy > 0", "dept>3", "no run has 'dept', did you mean 'depth'?"),
        ("val/accuracy > 0", "sate:failed", "did you mean 'state'"),
        ("best(val/accuracy", "", "cannot be read: best( is not closed (at character 1 of 'best(val/accuracy')"),
    ],
)
def test_a_gate_that_cannot_be_judged_fails_and_says_what_would_help(check: str, where: str, says: str) -> None:
    found = judged(check, where)
    assert not found.passed
    assert found.value is None
    assert says in found.message


def test_without_a_baseline_the_message_says_how_to_set_one() -> None:
    found = judged("val/accuracy >= baseline", query=without_baseline(PROJECT))
    assert (found.passed, found.subject) == (False, "run tree")
    assert "workbench baseline RUN" in found.message


def test_without_a_run_the_message_says_how_to_read_one() -> None:
    found = judged("val/accuracy >= 0", query=MemoryQuery())
    assert "workbench watch --once" in found.message
    assert "[monitor.NAME]" in judged("drift(x).share < 1", query=MemoryQuery()).message


def test_a_hidden_baseline_still_serves() -> None:
    hidden = replace(PROJECT, all_runs=tuple(replace(run, hidden=run.baseline) for run in PROJECT.all_runs))
    assert judged("val/accuracy >= baseline", query=hidden).passed


def test_a_metric_that_is_no_number_any_more_passes_no_gate() -> None:
    for check in ("train/loss < 9", "train/loss > 0", "train/loss != 1"):
        found = judged(check, "name:logistic")
        assert not found.passed
        assert found.message.startswith("NaN is not")


def test_a_window_too_small_to_test_cannot_pass_a_drift_gate() -> None:
    few = replace(WINDOWS[-1], columns=[replace(each, status="too-few", drifted=False) for each in WINDOWS[-1].columns])
    query = replace(PROJECT, all_windows={"flights": (*WINDOWS[:-1], few)})
    assert judged("drift(flights).share < 0.3", query=query).message.endswith("its columns are too-few")


def test_the_direction_set_in_the_configuration_makes_best_answerable() -> None:
    query = MemoryQuery(
        all_runs=(Run("1", "one", "csv", "one", "finished", ""),),
        points=with_points(series("1", "mystery", [3.0, 1.0])),
        configured={"mystery": Roles("lower")},
    )
    assert judged("best(mystery) == 1", query=query).passed


def test_failing_gates_come_first() -> None:
    gates = [GateConfig("a", "n(mystery) == 2"), GateConfig("b", "n(mystery) == 3"), GateConfig("c", "nonsense")]
    assert [(each.name, each.passed) for each in evaluate_all(gates, PROJECT)] == [
        ("b", False),
        ("c", False),
        ("a", True),
    ]
    assert evaluate_all([], PROJECT) == []


def test_a_limit_with_a_unit_is_refused_rather_than_misread() -> None:
    with pytest.raises(GateError, match="in the metric's own unit"):
        parse("latency_ms.p95 < 20ms")


@given(st.text(alphabet="abp95/.-_ ()\"'<>=!+*1e%baselinedriftwindow", max_size=60))
@settings(max_examples=300, deadline=None)
def test_whatever_is_written_as_a_gate_gives_a_verdict(text: str) -> None:
    found = evaluate(GateConfig("gate", text), PROJECT, [TREE])
    assert found.check == text
    assert found.passed or found.message
