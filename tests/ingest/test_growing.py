"""Every format as its writer makes it, read as it grows by ingesters that come and go: equal to one read at the end."""

from __future__ import annotations

import functools
import json
import random
import re
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.support.growing import LOGS, Log, finish, steps
from tests.support.ingest import Project
from workbench.core.ids import run_id

NOW = 1_796_000_000.0
LATER = NOW + 10 * 86400
PLAIN = settings(deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.explicit, Phase.generate])
"""A smaller seed is no smaller case: nothing is shrunk."""
QUICK = settings(PLAIN, max_examples=2, derandomize=True)
LONG = settings(PLAIN, max_examples=150)


def content(project: Project, timed: bool) -> dict[str, Any]:
    """All that the store shows, without what tells when it was read."""
    project.now = LATER
    wall = "wall_time" if timed else "NULL"
    asked = {
        "points": f"SELECT run_id, key, step, {wall}, value FROM point",
        "histograms": "SELECT run_id, key, step, edges, counts FROM histogram",
        "console": "SELECT run_id, stream, text FROM console",
        "rejects": "SELECT path, byte_offset, reason FROM reject",
    }
    with project.store.read() as con:
        found: dict[str, Any] = {
            name: sorted(map(repr, con.execute(query).fetchall())) for name, query in asked.items()
        }
    for run in project.query.runs(hidden=True):
        if run.hidden and not run.metrics:
            continue  # of a file that turned out to be read through another
        times = (run.started_at, run.ended_at) if timed else ()
        reason = re.sub(r"since \S+Z", "since then", run.status_reason)
        found[f"run {run.id}"] = repr((
            run.name, run.format, run.path, run.status, reason, times, run.hidden,
            sorted(run.params.items()), sorted(run.tags), sorted(map(str, run.notes)),
            sorted((key, series.n, series.last, series.min, series.max) for key, series in run.metrics.items()),
        ))  # fmt: skip
    return found


@functools.cache
def read_once(log: Log) -> dict[str, Any]:
    """What one read of the finished files brings."""
    with tempfile.TemporaryDirectory() as folder:
        project = Project(Path(folder))
        finish(log, project.root, NOW)
        project.now = LATER
        project.read(final=True)
        found = content(project, log.timed)
        project.store.close()
    assert len(found) > 4, "a fixture without runs proves nothing"
    return found


def grow(log: Log, seed: int) -> None:
    chance = random.Random(seed)
    with tempfile.TemporaryDirectory() as folder:
        project = Project(Path(folder))
        count = chance.randint(1, 6)
        for number in steps(log, project.root, chance, count, NOW):
            project.now = NOW - count + number + chance.choice([0.5, 20.0])
            if number < count:
                project.read()
        project.now = LATER
        project.read(final=True)
        found = content(project, log.timed)
        project.store.close()
    expected = read_once(log)
    for name in sorted(expected.keys() | found.keys()):
        assert found.get(name) == expected.get(name), name


named = pytest.mark.parametrize("log", LOGS, ids=[log.name for log in LOGS])


@named
@given(seed=st.integers(0, 2**32))
@QUICK
def test_a_log_read_as_it_grows_is_the_log_read_at_the_end(log: Log, seed: int) -> None:
    grow(log, seed)


@pytest.mark.slow
@named
@given(seed=st.integers(0, 2**32))
@LONG
def test_a_log_read_as_it_grows_is_the_log_read_at_the_end_many_times(log: Log, seed: int) -> None:
    grow(log, seed)


# What growing has found


def test_a_run_keeps_its_folders_path_when_the_ingester_starts_anew_before_its_first_words(project: Project) -> None:
    entry = (
        '{"command": "main", "experiment": {"name": "e"}, "status": "COMPLETED", "start_time": "2026-01-01T00:00:00"}'
    )
    project.write("runs/1/run.json", entry[:-20])
    project.read()
    assert not project.query.runs()
    project.write("runs/1/run.json", entry[-20:], at=project.now + 1)
    project.read()
    assert [run.path for run in project.query.runs()] == ["runs/1"]


def test_a_log_copied_long_after_its_run_ended_says_that_it_ended(project: Project) -> None:
    start = {"t": "start", "v": 1, "run": "r", "name": "r", "ts": 1e9}
    rows = [
        {"t": "log", "ts": 1e9 + 1, "step": 0, "m": {"loss": 1.0}},
        {"t": "end", "ts": 1e9 + 2, "status": "finished"},
    ]
    for each in (start, *rows):
        project.write("r.wb.jsonl", json.dumps(each) + "\n")
        project.read()
    assert [run.status for run in project.query.runs()] == ["finished"]


def test_a_state_written_again_takes_back_what_a_checkpoint_said_meanwhile(project: Project) -> None:
    entries = [{"loss": 1 / step, "epoch": step / 9, "step": step} for step in range(1, 6)]
    states = [json.dumps({"global_step": n, "max_steps": 9, "log_history": entries[:n]}) for n in (3, 4, 5)]
    (project.root / "out/checkpoint-3").mkdir(parents=True)
    (project.root / "out/checkpoint-3/trainer_state.json").write_text(states[0])
    place, start = project.root / "out/trainer_state.json", project.now
    project.touch(project.root / "out/checkpoint-3/trainer_state.json")
    for text, written, read in ((states[1], 0, 0.5), (states[2][:60], 1, 20), (states[2], 21, 21.5)):
        place.write_text(text)
        project.touch(place, start + written)
        project.now = start + read
        project.read()
    assert [step for _, step, _ in project.points("train/loss")] == [1, 2, 3, 4, 5]


def test_half_a_header_is_nobodys_table_yet(project: Project) -> None:
    engine = project.engine()
    for text in ("step\tlo", "ss\n0\t1.0\n"):
        project.write("dvclive/plots/metrics/train/loss.tsv", text)
        engine.read_all(engine.scan())
    engine.close()
    assert [(run.path, *run.metrics) for run in project.query.runs()] == [("dvclive", "train/loss")]


def test_half_an_id_is_no_runs_id_yet(project: Project) -> None:
    meta = "artifact_uri: x\nlifecycle_stage: active\nrun_uuid: 0123456789abcdef0123456789abcdef\nstatus: 1\n"
    project.write("mlruns/1/abc/meta.yaml", meta[:60])
    project.read()
    project.write("mlruns/1/abc/meta.yaml", meta[60:], at=project.now + 1)
    project.read()
    assert [run.id for run in project.query.runs()] == [run_id("0123456789abcdef0123456789abcdef")]
