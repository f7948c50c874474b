"""Gates on production: which window is judged, what is said when none can be, and what would have failed."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from tests.support.memory_query import MemoryQuery
from tests.support.sample_project import DAY, WINDOWS, sample_project
from workbench.core.config import GateConfig, MonitorConfig, WindowSpec
from workbench.core.gates import GateResult
from workbench.core.model import Finding, Run, Summary, Window
from workbench.rules import evaluate_all, replay
from workbench.rules.expression import GateError, parse

START = WINDOWS[0].start
MONITORS = {"flights": MonitorConfig("flights", "exports/*", window=WindowSpec(every=7 * DAY, min_rows=100))}
AUC = (0.71, 0.72, 0.58, 0.57, None)


def project(*, rows: tuple[int, ...] = (6_300,) * 5, labelled: tuple[float, ...] = (1, 1, 1, 0.9, 0)) -> MemoryQuery:
    """Five weeks: performance fell in the third, labels of the last are still to come."""
    windows = [
        replace(window, rows=rows[at], metrics={**window.metrics, "auc": AUC[at], "labelled.share": labelled[at],
                                                "quality.missing.carrier": 0.02 * at})
        for at, window in enumerate(WINDOWS)
    ]  # fmt: skip
    fell = Finding(
        "performance", "auc", "bad", "auc fell from 0.715 to 0.575 since 2025-12-15 (98 %)", WINDOWS[2].start, None,
        0.98, {"also": [{"subject": "accuracy"}]}, "flights",
    )  # fmt: skip
    over = Finding("latency", "latency_ms.p95", "warn", "slow", WINDOWS[0].start, WINDOWS[1].start, 0.9, {}, "flights")
    return replace(sample_project(), all_windows={"flights": windows}, all_findings=(fell, over))


def judged(check: str, query: MemoryQuery | None = None, now: float | None = None) -> GateResult:
    (result,) = evaluate_all([GateConfig("gate", check)], query or project(), monitors=MONITORS, now=now)
    return result


@pytest.mark.parametrize(
    ("check", "value"),
    [
        ("flights.latency_ms.p95 <= 250", 41.0),
        ("flights.error_rate < 5%", 0.03),
        ("flights.rows > 1_000", 6_300.0),
        ("flights.auc >= 0.5", 0.57),
        ("missing(flights.carrier) < 0.1", 0.08),
        ("missing(flights.distance) < 5%", 0.0),
        ("findings(flights) == 1", 1.0),
        ("findings(flights).bad == 1", 1.0),
        ("findings(flights).warn == 0", 0.0),
        ("flights.latency_ms.p99 - flights.latency_ms.p50 < 100", 41.0),
    ],
)
def test_every_metric_of_a_window_can_be_a_gate(check: str, value: float) -> None:
    found = judged(check)
    assert found.passed, found.message
    assert found.value == pytest.approx(value)
    assert found.subject == "monitor flights"


def test_performance_is_judged_on_the_newest_window_whose_labels_came() -> None:
    found = judged("flights.auc >= 0.6")
    assert (found.passed, found.value) == (False, 0.57)
    assert found.message == (
        "0.57 is not >= 0.6 in the window of 2025-12-22; "
        "the newest window of flights, 2025-12-29, has 0 rows with a label, fewer than 100; "
        "auc fell from 0.715 to 0.575 since 2025-12-15 (98 %)"
    )


def test_a_window_with_too_few_rows_is_passed_over_and_said_to_be() -> None:
    found = judged("flights.latency_ms.p95 <= 30", project(rows=(6_300, 6_300, 6_300, 6_300, 12)))
    assert (found.passed, found.value) == (True, 26.0)
    assert "the newest window of flights, 2025-12-29, has 12 rows, fewer than 100" in found.message


def test_a_gate_fails_where_no_window_has_enough_rows_and_says_why() -> None:
    found = judged("drift(flights).share < 1", project(rows=(12, 9, 3, 0, 12)))
    assert (found.passed, found.value) == (False, None)
    assert found.message == ("cannot be evaluated: no window of 'flights' has the 100 rows a verdict needs (most: 12)")


def test_a_window_that_is_still_open_is_not_judged() -> None:
    assert judged("flights.latency_ms.p95 <= 30", now=WINDOWS[-1].end - 1).value == 26.0
    assert judged("flights.latency_ms.p95 <= 50", now=WINDOWS[-1].end).value == 41.0
    none = judged("flights.rows > 0", now=START)
    assert "has no window that is closed yet" in none.message


@pytest.mark.parametrize(
    ("check", "says"),
    [
        ("flights.eror_rate < 1", "have no 'eror_rate' – did you mean 'error_rate'?"),
        ("missing(flights.carier) < 1", "have no column 'carier' – did you mean 'carrier'?"),
        ("missing(flight.carrier) < 1", "'flight.carrier' begins with no monitor – did you mean 'flights'?"),
        ("findings(flight) == 0", "no monitor 'flight' – did you mean 'flights'?"),
        ("missing(flights) < 1", "needs a monitor and a column"),
        ("findings(flights).worst == 0", "ask for one of .bad, .warn, .info"),
        ("findings(flights) == baseline", "a baseline run has none"),
    ],
)
def test_what_cannot_be_judged_fails_with_the_nearest_right_name(check: str, says: str) -> None:
    found = judged(check)
    assert (found.passed, found.value) == (False, None)
    assert says in found.message


def test_a_run_that_has_a_metric_of_that_name_keeps_it() -> None:
    run = Run(
        "1", "one", "csv", "one", "finished", "", started_at=9e9, metrics={"flights.auc": Summary(1, 0.9, 0, 0.9, 0.9)}
    )
    query = replace(project(), all_runs=(run,), points={})
    assert (judged("flights.auc >= 0.6", query).subject, judged("flights.auc >= 0.6", query).value) == ("run one", 0.9)


def test_findings_that_are_over_count_no_more() -> None:
    closed = replace(project(), all_findings=[replace(each, until=WINDOWS[4].start) for each in project().all_findings])
    assert judged("findings(flights) == 0", closed).passed


def test_a_failing_count_of_findings_names_them() -> None:
    assert judged("findings(flights) == 0").message.endswith("; auc fell from 0.715 to 0.575 since 2025-12-15 (98 %)")


def test_replay_says_which_of_the_last_windows_would_have_failed() -> None:
    gates = [
        GateConfig("slow", "flights.latency_ms.p95 <= 25"),
        GateConfig("good", "flights.auc >= 0.6"),
        GateConfig("calm", "findings(flights) == 0"),
        GateConfig("run", "best(val/accuracy) >= 0.9"),
        GateConfig("broken", "flights.auc >="),
    ]
    found = {each.gate.name: each for each in replay(gates, project(), 4, monitors=MONITORS)}
    assert list(found) == ["slow", "good", "calm"], "a run's gate has no windows"
    days = {
        name: [round((window.start - START) / DAY / 7) for window, _ in each.failed] for name, each in found.items()
    }
    assert days == {"slow": [3, 4], "good": [2, 3, 4], "calm": [2, 3, 4]}
    assert [len(each.verdicts) for each in found.values()] == [4, 4, 4]
    assert found["good"].failed[0][1].message.startswith("0.58 is not >= 0.6 in the window of 2025-12-15")


def test_replay_of_more_windows_than_there_are_takes_those_there_are() -> None:
    (found,) = replay([GateConfig("a", "flights.rows > 0")], project(), 100)
    assert (len(found.verdicts), found.failed) == (5, [])
    (none,) = replay([GateConfig("a", "nothing.here > 0"), GateConfig("b", "drift(none).share < 1")], project(), 3)
    assert (none.monitor, none.verdicts) == ("none", [])


def test_a_monitor_whose_name_begins_another_is_not_taken_for_it() -> None:
    windows = [Window("flights.eu", START, START + DAY, 500, {"auc": 0.9})]
    query = replace(project(), all_windows={**project().all_windows, "flights.eu": windows})
    assert judged("flights.eu.auc > 0.8", query).value == 0.9


def test_the_parts_of_production_functions_are_checked_as_they_are_read() -> None:
    with pytest.raises(GateError, match="write best"):
        parse("best(flights).auc > 1")
