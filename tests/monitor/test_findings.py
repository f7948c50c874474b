"""What is worth attention in a monitor's windows, in one sentence each, and nothing that is noise."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping

import numpy as np
import pytest
from msgspec.structs import replace

from workbench.core.model import ColumnDrift, Finding, Window
from workbench.core.roles import guess
from workbench.monitor.findings import findings_of

DAY = 86_400.0
START = 1_551_398_400.0
"""Friday, 1 March 2019, UTC."""

Series = Mapping[str, Callable[[int], float | None]]


def column(name: str, score: float, threshold: float = 0.1) -> ColumnDrift:
    drifted = score >= threshold
    return ColumnDrift(
        name, "num", "drift" if drifted else "ok", "wasserstein", score, threshold, drifted, 9_000, 1_000
    )


def windows(
    n: int,
    metrics: Series | None = None,
    columns: Series | None = None,
    *,
    segment: str = "",
    rows: int = 1_000,
    seed: int = 3,
) -> list[Window]:
    """Days in which each metric and each column's score is what its function says, and a little noise."""

    random = np.random.default_rng(seed)

    def value(make: Callable[[int], float | None], day: int) -> float | None:
        exact = make(day)
        return None if exact is None else exact * (1 + 0.01 * random.normal())

    return [
        Window(
            "loans", START + day * DAY, START + (day + 1) * DAY, rows,
            {key: value(make, day) for key, make in (metrics or {}).items()},
            [column(name, value(make, day) or 0.0) for name, make in (columns or {}).items()], segment,
        )
        for day in range(n)
    ]  # fmt: skip


def step(before: float, after: float, at: int, until: int = 10_000) -> Callable[[int], float]:
    return lambda day: after if at <= day < until else before


def found(given: list[Window], **options: float) -> list[Finding]:
    return findings_of(given, guess, **options)  # type: ignore[arg-type]


def test_a_drop_says_from_what_to_what_since_when_and_which_columns_moved() -> None:
    days = windows(
        30,
        {"auc": step(0.9, 0.7, 20), "accuracy": step(0.85, 0.7, 20)},
        {"salary": step(0.03, 0.25, 20), "car_value": step(0.03, 0.9, 20), "tenure": step(0.03, 0.03, 20)},
    )
    drop, drift = found(days)
    assert (drop.kind, drop.subject, drop.severity) == ("performance", "auc", "bad")
    assert drop.since == START + 20 * DAY
    assert drop.sentence.startswith("auc fell from 0.")
    assert "since 2019-03-21 (" in drop.sentence
    assert drop.sentence.endswith("accuracy too; car_value and salary moved in the same window")
    assert drop.confidence is not None and drop.confidence > 0.95
    assert [moved["column"] for moved in drop.evidence["moved"]] == ["car_value", "salary"], "the strongest first"
    assert (drift.kind, drift.subject, drift.since) == ("drift", "car_value", drop.since)
    assert drift.sentence.startswith("2 of 3 columns drifted since 2019-03-21")
    assert json.loads(json.dumps(drop.evidence, allow_nan=False)) == drop.evidence


def test_quiet_weeks_are_worth_no_finding() -> None:
    quiet: Series = {"auc": lambda _: 0.9, "latency_ms.p95": lambda _: 40.0, "error_rate": lambda _: 0.01}
    scores: Series = {"age": lambda _: 0.03, "size": lambda _: 0.05}
    alarms = sum(bool(found(windows(30, quiet, scores, seed=seed))) for seed in range(60))
    assert alarms <= 1


@pytest.mark.parametrize(
    ("key", "before", "after", "kind", "severity", "verb"),
    [
        ("latency_ms.p95", 40.0, 90.0, "latency", "bad", "rose"),
        ("latency_ms.p95", 40.0, 47.0, "latency", "warn", "rose"),
        ("latency_ms.p95", 90.0, 40.0, "latency", "info", "fell"),
        ("error_rate", 0.01, 0.05, "errors", "bad", "rose"),
        ("revenue", 10.0, 7.0, "business", "bad", "fell"),
        ("estimated.auc", 0.9, 0.8, "estimated", "bad", "fell"),
        ("business.mean", 10.0, 7.0, "business", "info", "fell"),
        ("quality.missing.age", 0.01, 0.4, "missing", "bad", "rose"),
        ("quality.unseen.city", 0.001, 0.01, "quality", "warn", "rose"),
        ("mae", 2.0, 3.0, "performance", "bad", "rose"),
    ],
)
def test_severity_follows_direction_and_size(
    key: str, before: float, after: float, kind: str, severity: str, verb: str
) -> None:
    (finding,) = found(windows(24, {key: step(before, after, 15)}))
    assert (finding.kind, finding.severity, finding.since) == (kind, severity, START + 15 * DAY)
    assert f" {verb} from " in finding.sentence


def test_what_is_over_has_an_end_and_weighs_less() -> None:
    (slow,) = found(windows(40, {"latency_ms.p95": step(40, 90, 15, 25)}))
    assert (slow.since, slow.until, slow.severity) == (START + 15 * DAY, START + 25 * DAY, "warn")
    assert "from 2019-03-16 to 2019-03-26" in slow.sentence
    assert slow.sentence.endswith("and came back")


def test_one_bad_day_is_told_as_one_bad_day() -> None:
    (spike,) = found(windows(30, {"latency_ms.p95": step(40, 400, 12, 13)}))
    assert (spike.since, spike.until) == (START + 12 * DAY, START + 13 * DAY)
    assert "in the one window of 2019-03-13, and 40" in spike.sentence
    (newest,) = found(windows(30, {"latency_ms.p95": step(40, 400, 29)}))
    assert newest.until is None and "in the newest window, 2019-03-30" in newest.sentence


def test_a_slow_decline_is_a_slope() -> None:
    (decline,) = found(windows(40, {"auc": lambda day: 0.9 - 0.006 * max(day - 10, 0)}))
    assert decline.evidence["shape"] == "slope"
    assert decline.sentence.startswith("auc has been falling since 2019-03-1")


def test_windows_with_too_few_rows_or_labels_are_passed_over() -> None:
    days = windows(20, {"auc": step(0.9, 0.6, 18), "labelled.share": lambda day: 0.9 if day < 18 else 0.01})
    assert found(days) == []
    days = [
        replace(day, rows=10) if at >= 18 else day for at, day in enumerate(windows(20, {"auc": step(0.9, 0.6, 18)}))
    ]
    assert [each for each in found(days) if each.kind == "performance"] == []


def test_a_window_that_is_still_open_is_not_judged() -> None:
    days = windows(30, {"latency_ms.p95": step(40, 400, 29)})
    assert found(days, now=START + 29.5 * DAY) == []
    assert len(found(days, now=START + 30 * DAY)) == 1


def test_the_segment_that_moved_most_is_named_and_one_that_moved_alone_is_found() -> None:
    days = windows(24, {"auc": step(0.9, 0.8, 15)})
    for name, after in (("north", 0.6), ("south", 0.88)):
        days += windows(24, {"auc": step(0.9, after, 15)}, segment=name)
    (drop,) = found(days)
    assert "most in segment north" in drop.sentence
    alone = windows(24, {"auc": step(0.9, 0.9, 15)}) + windows(24, {"auc": step(0.9, 0.6, 15)}, segment="north")
    (part,) = found(alone)
    assert (part.segment, part.since) == ("north", START + 15 * DAY)
    assert part.sentence.startswith("auc in segment north fell")


def test_days_without_rows_are_a_finding_and_go_on_until_rows_come() -> None:
    days = [replace(day, rows=0, metrics={}) if at in (10, 11, 19) else day for at, day in enumerate(windows(20))]
    now, before = found(days)
    assert (now.kind, now.severity, now.until) == ("volume", "bad", None)
    assert (before.severity, before.sentence) == ("warn", "no rows in 2 windows, 2019-03-11 to 2019-03-12")


def test_rows_that_are_halved_are_found_and_weekends_are_not() -> None:
    random = np.random.default_rng(4)

    def rows(day: int) -> int:
        usual = 300 if day % 7 in (1, 2) else 1_000
        return int(usual * (0.3 if day >= 30 else 1) * (1 + 0.02 * random.normal()))

    days = [replace(day, rows=rows(at)) for at, day in enumerate(windows(48))]
    assert found(days[:29]) == []
    (fewer,) = found(days)
    assert (fewer.kind, fewer.since) == ("volume", START + 30 * DAY)


def test_a_changed_schema_and_an_empty_column_are_certain() -> None:
    def state(day: Window, status: str, n: int) -> Window:
        text = replace(column("age", 0.0), status=status, score=None, reason="int64 became text", n_current=n)
        return replace(day, columns=[text])

    days = windows(12, None, {"age": lambda _: 0.02})
    changed = [state(day, "schema-changed", 1_000) if at >= 8 else day for at, day in enumerate(days)]
    (schema,) = found(changed)
    assert (schema.kind, schema.since, schema.confidence) == ("schema", START + 8 * DAY, None)
    assert schema.sentence == "the schema of age changed since 2019-03-09: int64 became text"
    empty = [state(day, "no-data", 0) if at in (4, 5) else day for at, day in enumerate(days)]
    (gone,) = found(empty)
    assert (gone.kind, gone.until, gone.severity) == ("missing", START + 6 * DAY, "warn")


def test_with_fewer_than_five_windows_the_breach_is_told_plainly() -> None:
    latency, drift = found(windows(3, {"latency_ms.p95": step(40, 90, 2)}, {"age": step(0.02, 0.3, 2)}))[::-1]
    if latency.kind == "drift":
        latency, drift = drift, latency
    assert latency.confidence is None and latency.sentence.endswith("3 windows are too few to say since when")
    assert drift.sentence.startswith("age is past its threshold since 2019-03-03 (0.")


def test_a_column_that_always_drifted_is_said_to() -> None:
    (always,) = found(windows(12, None, {"age": lambda _: 0.5}))
    assert "in every window since the first, 2019-03-01" in always.sentence


def test_no_windows_no_findings() -> None:
    assert found([]) == []
