"""Runs are judged as their logs grow: what is found reaches the store, and only what changed is looked at again."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from tests.support.ingest import NOW, Project, line
from workbench.core.config import load_config
from workbench.ingest import run_findings
from workbench.ingest.run_findings import REST, RunFindingWatch

pytestmark = pytest.mark.duckdb15


class Clock:
    """Monotonic seconds that pass when told."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def losses(n: int, broken_from: int | None = None) -> str:
    """A log of a loss that falls, and is NaN from a step on."""
    noise = np.random.default_rng(n).normal(0, 0.02, n)
    values = 0.3 + 2 * np.exp(-np.arange(n) / 60) + noise
    values[n if broken_from is None else broken_from :] = math.nan
    return "".join(line(step, loss=values[step], timestamp=NOW - 10_000 + 10 * step) for step in range(n))


def judged(project: Project, **options: Any) -> RunFindingWatch:
    project.read()
    watch = RunFindingWatch(load_config(project.root), project.store, **{"patience": None, **options})
    watch.update()
    return watch


def fetched(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """Runs whose points were asked for, a list for each time."""
    asked: list[list[str]] = []
    original = run_findings.fetch_curves

    def spy(con: Any, states: Any) -> Any:
        asked.append(sorted({state.run for state in states}))
        return original(con, states)

    monkeypatch.setattr(run_findings, "fetch_curves", spy)
    return asked


def test_a_run_gone_wrong_is_found_everywhere_that_shows_runs(project: Project) -> None:
    project.write("runs/good/log.jsonl", losses(200))
    project.write("runs/bad/log.jsonl", losses(200, broken_from=120))
    judged(project)
    query = project.query
    by_name = {run.name.split("/")[-1]: run for run in query.runs()}
    bad, good = by_name["bad"], by_name["good"]
    assert (bad.attention, bad.diagnosis) == ("bad", query.findings(run=bad.id)[0].sentence)
    assert bad.diagnosis.startswith("loss is NaN since step 120;")
    assert (good.attention, good.diagnosis) == ("", "")
    (found, *_) = [each for each in query.findings() if each.kind == "not-finite"]
    assert (found.run, found.severity, found.evidence["step"]) == (bad.id, "bad", 120)
    assert found.since == NOW - 10_000 + 1200
    (told,) = query.sql("SELECT run, sentence FROM finding WHERE kind = 'not-finite'").rows
    assert told == (bad.id, found.sentence)


def test_what_did_not_change_is_not_read_again(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = fetched(monkeypatch)
    for name in ("a", "b", "c"):
        project.write(f"runs/{name}/log.jsonl", losses(100))
    watch = judged(project)
    assert [len(each) for each in asked] == [3]
    revision = project.store.revision()
    watch.update()
    judged(project)
    assert (len(asked), project.store.revision()) == (1, revision), "nothing new: nothing read, nothing written"
    project.write("runs/b/log.jsonl", line(100, loss=0.3))
    project.read()
    watch.update()
    run_b = next(run.id for run in project.query.runs() if run.name.endswith("b"))
    assert asked[1:] == [[run_b]]


def test_a_run_that_goes_on_is_judged_again_after_a_rest_and_written_down_when_there_is_news(project: Project) -> None:
    clock = Clock()
    project.write("log.jsonl", losses(100))
    watch = judged(project, patience=5.0, clock=clock)
    project.write("log.jsonl", line(100, loss=math.nan))
    project.read()
    clock.now += 1
    watch.update()
    assert project.query.findings() == [], "not before it has had its rest"
    clock.now += REST
    watch.update()
    assert [each.kind for each in project.query.findings()] == ["not-finite"]
    revision = project.store.revision()
    project.write("log.jsonl", line(101, loss=math.nan))
    project.read()
    between = project.store.revision()
    clock.now += 10 * REST
    watch.update()
    assert project.store.revision() == between != revision, "the same finding is not written again"


def test_a_few_runs_at_a_time_the_rest_waits_for_the_next_look(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_findings, "POINTS_LIVE", 100)
    clock = Clock()
    for place in range(5):
        project.write(f"runs/{place}/log.jsonl", losses(60))
    project.read()
    watch = RunFindingWatch(load_config(project.root), project.store, patience=0.5, clock=clock)
    original, asked = run_findings.fetch_curves, []

    def slowly(con: Any, states: Any) -> Any:
        clock.now += 1.0
        asked.append(len({state.run for state in states}))
        return original(con, states)

    monkeypatch.setattr(run_findings, "fetch_curves", slowly)
    waiting = []
    for _ in range(3):
        clock.now += 60
        waiting.append(watch.update())
    assert (waiting, asked) == ([True, True, False], [2, 2, 1])


def test_a_better_engine_judges_all_again(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    project.write("log.jsonl", losses(100))
    judged(project)
    monkeypatch.setattr(run_findings, "ENGINE", run_findings.ENGINE + 1)
    asked = fetched(monkeypatch)
    judged(project)
    assert len(asked) == 1


def test_a_long_series_is_judged_by_buckets_and_still_knows_the_very_step(project: Project) -> None:
    project.write("log.jsonl", losses(6000, broken_from=4321))
    judged(project)
    (found, *_) = project.query.findings()
    assert (found.kind, found.evidence["step"]) == ("not-finite", 4321)
    assert found.evidence["last_finite_step"] <= 4320


def test_who_is_silent_is_told_by_the_clock_with_its_usual_gap(project: Project) -> None:
    project.write("runs/a/log.jsonl", losses(50))
    judged(project)
    run = project.query.runs()[0]
    project.now = (run.updated_at or 0.0) + 3 * 3600
    found = next(each for each in project.query.findings(run=run.id) if each.kind == "silent")
    assert found.sentence == "silent for 3h 00m after step 49, usually a point every 10s"
    assert found.since == run.updated_at
    project.now += 40 * 86_400
    assert [each.kind for each in project.query.findings(run=run.id)] == [], "after weeks it is no news"


def test_a_run_far_slower_than_its_siblings_is_told_with_what_it_has_otherwise(project: Project) -> None:
    for place in range(6):
        seconds = 40 if place == 3 else 10
        rows = [line(step, loss=1 / (step + 1), timestamp=NOW - 50_000 + seconds * step) for step in range(60)]
        project.write(f"sweep/{place}/log.jsonl", "".join(rows))
        project.write(f"sweep/{place}/params.json", f'{{"batch_size": {512 if place == 3 else 64}, "seed": {place}}}')
    judged(project)
    (found,) = [each for each in project.query.findings() if each.kind == "slow"]
    assert found.sentence == (
        "slower than its siblings: 40s a step against 10s a step, the median of 5; it differs in batch_size=512"
    )
    assert found.severity == "info"


def test_the_pace_is_that_of_the_longest_series_with_times_whatever_it_tells(project: Project) -> None:
    rows = [line(step, grad_norm=1.0 / (step + 1), timestamp=NOW - 5_000 + 2 * step) for step in range(1000)]
    rows += [line(step, **{"val/loss": 0.5}, timestamp=NOW - 5_000 + 2 * step) for step in (300, 600, 900)]
    rows.append(line(1000, **{"test/accuracy": 0.9}, timestamp=NOW - 3_000))
    project.write("runs/a/log.jsonl", "".join(rows))
    judged(project)
    with project.store.read() as con:
        told = con.execute("SELECT points, gap, pace FROM run_judgement_log").fetchall()
    assert told == [(1004, 2.0, 0.5)]
