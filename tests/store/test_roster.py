"""Runs in memory follow the store: the newest at once, the rest when asked for, and another store in its place."""

from __future__ import annotations

import math
import shutil

import numpy as np
import pytest

from tests.support.deltas import commit, delta
from tests.support.ingest import NOW, Project, line
from workbench.core.batch import Fact
from workbench.core.ids import run_id, series_id
from workbench.core.model import Run
from workbench.store import runs
from workbench.store.append import ConsoleRow, Delta, HistogramRow
from workbench.store.errors import StoreError, StoreGoneError

pytestmark = pytest.mark.duckdb15


def named(project: Project) -> dict[str, Run]:
    return {run.name: run for run in project.query.runs()}


def crowd(project: Project, n: int = 12) -> None:
    """Runs that start a minute apart: by their own word, by their first point, and two at the same moment."""
    deltas = []
    for at in range(n):
        facts = [Fact("name", f"run-{at:02d}"), Fact("param", at, "seed"), Fact("tag", "", "odd" if at % 2 else "even")]
        if at % 3:
            facts.append(Fact("started", NOW - 60.0 * (n - at - (at == 4))))
        if at == 7:
            facts.append(Fact("hidden", True, wall=NOW))
        if at == 2:
            facts.append(Fact("baseline", True, wall=NOW))
        deltas.append(delta(run_id(path=f"r{at}"), f"r{at}/log", "csv", {"loss": [1.0, 0.5]}, facts=facts,
                            wall=NOW - 60.0 * (n - at)))  # fmt: skip
    commit(project.store, *deltas)


@pytest.mark.parametrize("n", [0, 1, 5, 100])
def test_the_newest_runs_are_those_that_a_full_listing_starts_with(project: Project, n: int) -> None:
    crowd(project)
    everything = project.query.runs()
    assert len(everything) == 11, "one is hidden"
    unopened, opened = project.query, project.query
    opened.runs()
    assert unopened.newest(n) == everything[:n]
    assert opened.newest(n) == everything[:n]
    assert unopened.runs() == everything


def test_the_newest_runs_are_fetched_once_a_revision_of_the_store(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    crowd(project)
    query, fetched = project.query, []
    original = runs.fetch_runs
    monkeypatch.setattr(runs, "fetch_runs", lambda con, only: fetched.append(only) or original(con, only))
    assert query.newest(5) == query.newest(5)
    assert len(fetched) == 1
    late = delta(run_id(path="late"), "late/log", "csv", {"loss": [1.0]}, wall=NOW + 60)
    commit(project.store, late)
    assert query.newest(5)[0].id == run_id(path="late")
    assert len(query.newest(3)) == 3


def test_a_run_that_tells_no_start_began_with_its_first_point(project: Project) -> None:
    commit(project.store, delta("a" * 12, "a/log", "csv", {"loss": [1.0] * 50, "auc": [0.5] * 30}, wall=NOW))
    assert project.query.runs()[0].started_at == NOW


def test_keys_and_values_of_any_kind_come_back_as_they_were_said(project: Project) -> None:
    odd = ['quo"te', "back\\slash", "new\nline", "\x00\x1b[31m", "ünï 🦆", ""]
    facts = [Fact("param", index, key) for index, key in enumerate(odd)]
    facts += [Fact("param", math.nan, "nan"), Fact("param", [1, {"a": None}], "list"), Fact("name", 'na"me\n')]
    facts += [Fact("tag", "v", odd[0]), Fact("environment", {"commit": "c0ffee"}, "git")]
    commit(project.store, delta("a" * 12, "a/log", "csv", {"loss": [1.0]}, facts=facts))
    [run] = project.query.runs()
    assert {key: run.params[key] for key in odd} == {key: index for index, key in enumerate(odd)}
    assert math.isnan(run.params["nan"])
    assert (run.params["list"], run.name, run.tags) == ([1, {"a": None}], 'na"me\n', {'quo"te': "v"})
    assert run.environment == {"git": {"commit": "c0ffee"}}


def test_what_most_runs_say_is_better_decides_unless_it_is_configured(project: Project) -> None:
    (project.root / "workbench.toml").write_text('[metrics."score/c"]\ndirection = "lower"\n')
    goals = {"mystery": ["max", "max", "min"], "loss": ["max"], "score/c": ["max"]}
    for at in range(3):
        facts = [Fact("goal", said[at], key) for key, said in goals.items() if at < len(said)]
        series = {"mystery": [1.0, 3.0, 2.0], "loss": [1.0, 3.0, 2.0], "score/c": [1.0, 3.0, 2.0]}
        commit(project.store, delta(run_id(path=str(at)), f"{at}/log", "wandb", series, facts=facts))
    query = project.query
    assert [query.roles(key).direction for key in ("loss", "mystery")] == ["lower", None], "nothing was looked at yet"
    best = {key: summary.best for key, summary in query.runs()[0].metrics.items()}
    assert best == {"mystery": 3.0, "loss": 3.0, "score/c": 1.0}
    assert query.roles("mystery").direction == query.roles("mystery.p95").direction == "higher"


def test_a_goal_that_comes_later_changes_what_is_best_of_every_run(project: Project) -> None:
    commit(project.store, delta("a" * 12, "a/log", "wandb", {"mystery": [1.0, 3.0]}))
    query = project.query
    assert query.runs()[0].metrics["mystery"].best is None
    commit(project.store, delta("b" * 12, "b/log", "wandb", {"auc": [1.0]}, facts=[Fact("goal", "min", "mystery")]))
    assert {run.id: run for run in query.runs()}["a" * 12].metrics["mystery"].best == 1.0


def test_another_store_in_the_files_place_is_read_from_the_start(project: Project) -> None:
    crowd(project)
    query = project.query
    assert len(query.runs()) == 11
    project.store.path.unlink()
    project.store.create()
    commit(project.store, delta("f" * 12, "new/log", "csv", {"loss": [1.0]}))
    assert [run.path for run in query.runs()] == ["new"]


def test_a_backup_laid_over_the_store_takes_runs_away_again(project: Project) -> None:
    commit(project.store, delta("a" * 12, "a/log", "csv", {"loss": [1.0]}))
    backup = project.root / "backup.duckdb"
    shutil.copy(project.store.path, backup)
    commit(project.store, delta("b" * 12, "b/log", "csv", {"loss": [1.0]}))
    query = project.query
    assert {run.path for run in query.runs()} == {"a", "b"}
    project.store.path.write_bytes(backup.read_bytes())
    assert {run.path for run in query.runs()} == {"a"}


def test_a_store_removed_under_a_running_process_is_named_and_read_again(project: Project) -> None:
    project.write("run.jsonl", line(0, loss=1.0))
    engine, query = project.engine(), project.query
    try:
        engine.read_all(engine.scan())
        assert len(query.runs()) == 1
        shutil.rmtree(project.store.place.store)
        with pytest.raises(StoreGoneError, match=r"no store any more.\n  next: workbench watch --once"):
            query.runs()
        project.write("run.jsonl", line(1, loss=0.5))
        for _ in range(3):
            try:
                engine.read_all(engine.scan())
            except StoreError:
                continue
    finally:
        engine.close()
    assert query.runs()[0].metrics["loss"].n == 2


def test_histograms_belong_to_a_run_and_are_no_metrics_without_values(project: Project) -> None:
    run, key = "a" * 12, "weights"
    series = series_id(run, key, "tensorboard")
    rows = [HistogramRow(series, at, at, NOW + at, [0.0, 1.0, 2.0], [float(at), 1.0]) for at in range(20)]
    again = HistogramRow(series, 99, 19, NOW + 99, [0.0, 1.0], [7.0])
    base = delta(run, "a/log", "tensorboard", {"loss": [1.0]})
    announced = [*base.new_series, (series, run, key, "tensorboard")]
    commit(project.store, Delta(base.cursor, base.points, announced, base.new_runs, histograms=[*rows, again]))
    query = project.query
    assert list(query.runs()[0].metrics) == ["loss"]
    assert query.histogram_keys(run) == [key]
    found = query.histograms(run, key)
    assert [each.step for each in found] == list(range(20))
    assert (found[3].counts.tolist(), found[19].counts.tolist()) == ([3.0, 1.0], [7.0])
    thinned = query.histograms(run, key, 4)
    assert [each.step for each in thinned] == [4, 9, 14, 19]
    assert query.histograms(run, "loss") == []
    assert list(query.sql("SELECT key, count(*) FROM histogram GROUP BY key").rows) == [(key, 20 + 1)]


def test_the_last_lines_of_a_runs_output_keep_their_order(project: Project) -> None:
    run = "a" * 12
    base = delta(run, "a/log", "wandb", {"loss": [1.0]})
    lines = [ConsoleRow(run, at // 2, NOW + at, "err" if at == 9 else "out", f"line {at}") for at in range(10)]
    commit(project.store, Delta(base.cursor, base.points, base.new_series, base.new_runs, console=lines))
    query = project.query
    assert [item.text for item in query.console(run)] == [f"line {at}" for at in range(10)]
    last = query.console(run, last=2)
    assert [(item.text, item.stream, item.wall) for item in last] == [
        ("line 8", "out", NOW + 8), ("line 9", "err", NOW + 9),
    ]  # fmt: skip
    assert query.console("b" * 12) == []


def test_a_pace_is_that_of_the_metric_that_is_furthest(project: Project) -> None:
    run, still = "a" * 12, "b" * 12
    commit(project.store, delta(run, "a/log", "csv", {"val": [1.0] * 3, "loss": list(np.linspace(1, 0, 200))}))
    commit(project.store, delta(still, "b/log", "csv", {"loss": [1.0]}))
    assert project.query.paces([run, still, "c" * 12]) == {run: pytest.approx(1.0)}
    assert project.query.paces([]) == {}
