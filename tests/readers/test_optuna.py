"""Both of Optuna's file storages tell what Optuna's own API tells."""

from __future__ import annotations

import json
import random
import shutil
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from tests.support.ingest import Project
from tests.support.reading import Reading, at, head_of, rounded
from workbench.readers.optuna.journal import OptunaJournalReader
from workbench.readers.optuna.reader import OptunaReader

FOLDER = Path(__file__).parents[1] / "fixtures" / "optuna"
EXPECTED = json.loads((FOLDER / "expected.json").read_text())
ENDINGS = {"COMPLETE": "finished", "PRUNED": "finished", "FAIL": "failed", "RUNNING": None}
DIRECTIONS = {"tune": {"error": "min"}, "pair": {"values_0": "min", "values_1": "max"}}


def read(name: str) -> Reading:
    if name == "study.db":
        return at(OptunaReader(), FOLDER / name).look()
    return at(OptunaJournalReader(), FOLDER / name).feed((FOLDER / name).read_bytes())


@pytest.mark.parametrize("storage", ["study.db", "journal.log"])
def test_every_trial_is_a_run_with_what_optuna_says_of_it(storage: str) -> None:
    reading = read(storage)
    for study, trials in EXPECTED[storage].items():
        for trial in trials:
            run = f"optuna:{storage}:{study}:{trial['number']}"
            if trial["waits"]:
                assert not [name for name in reading.facts if name[0] == run]
                continue
            check(reading, run, study, trial)
    shown = {run for run, kind, _ in reading.facts if kind == "name"}
    assert len(shown) == sum(not trial["waits"] for trials in EXPECTED[storage].values() for trial in trials)
    assert not reading.rejects


def check(reading: Reading, run: str, study: str, trial: dict[str, Any]) -> None:
    assert reading.fact("name", run=run) == f"{study}/{trial['number']}"
    assert reading.fact("group", run=run) == study
    assert reading.of_kind("param", run) == trial["params"]
    ending = ENDINGS[trial["state"]]
    assert list(reading.of_kind("status", run).values()) == ([ending] if ending else [])
    assert (reading.fact("tag", "pruned", run) == "true") == (trial["state"] == "PRUNED")
    assert reading.fact("started", run=run) == trial["started"]
    assert reading.fact("ended", run=run) == trial["ended"]
    attrs = {key: value if isinstance(value, str) else json.dumps(value) for key, value in trial["attrs"].items()}
    assert reading.of_kind("summary", run) == attrs
    steps = [(int(step), value) for step, value in trial["steps"].items()]
    assert rounded(reading.values("intermediate_value", run)) == rounded(steps)
    names = list(DIRECTIONS[study])
    for name, value in zip(names, trial["values"] or [], strict=False):
        last = max((step for step, _ in steps), default=0)
        assert reading.series[run, name] == [(last, trial["ended"], value)]
    goals = {key: way for key, way in reading.of_kind("goal", run).items() if key in names}
    assert goals == DIRECTIONS[study]


def test_a_storage_of_an_older_optuna_has_local_times(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copy(FOLDER / "study.db", tmp_path)
    with sqlite3.connect(tmp_path / "study.db") as database:
        database.execute("UPDATE version_info SET library_version = '4.6.0'")
    database.close()
    monkeypatch.setenv("TZ", "Asia/Seoul")
    import time

    time.tzset()
    try:
        old = at(OptunaReader(), tmp_path / "study.db").look().fact("started", run="optuna:study.db:tune:0")
    finally:
        monkeypatch.undo()
        time.tzset()
    assert EXPECTED["study.db"]["tune"][0]["started"] - old == 9 * 3600


def growing(path: Path) -> sqlite3.Connection:
    """A study's tables without rows."""
    source = sqlite3.connect(FOLDER / "study.db")
    target = sqlite3.connect(path, isolation_level=None)
    target.execute("PRAGMA synchronous = OFF")
    for (sql,) in source.execute("SELECT sql FROM sqlite_master WHERE type = 'table'").fetchall():
        target.execute(sql)
    source.close()
    target.execute("INSERT INTO studies VALUES (1, 'live')")
    target.execute("INSERT INTO study_directions VALUES (1, 'MAXIMIZE', 1, 0)")
    return target


def test_a_trial_grows_while_it_runs(tmp_path: Path) -> None:
    database = growing(tmp_path / "live.db")
    reading, run = at(OptunaReader(), tmp_path / "live.db"), "optuna:live.db:live:0"
    database.execute("INSERT INTO trials VALUES (1, 0, 1, 'WAITING', NULL, NULL)")
    assert not reading.look().facts
    database.execute("UPDATE trials SET state = 'RUNNING', datetime_start = '2026-01-01 00:00:00' WHERE trial_id = 1")
    assert reading.look().fact("name", run=run) == "live/0"
    assert reading.fact("status", run=run) is None
    for step in range(3):
        database.execute("INSERT INTO trial_intermediate_values VALUES (NULL, 1, ?, ?, 'FINITE')", (step, step / 2))
        assert reading.look().values("intermediate_value", run)[-1] == (step, step / 2)
    before = reading.offset
    assert reading.look().offset == before, "nothing new moves no cursor"
    database.execute("INSERT INTO trial_heartbeats VALUES (1, 1, '2026-01-01 00:01:00')")
    assert reading.look().fact("heartbeat", run=run) == 1767225660 + 180
    database.execute("INSERT INTO trial_values VALUES (NULL, 1, 0, NULL, 'INF_NEG')")
    database.execute("UPDATE trials SET state = 'COMPLETE', datetime_complete = '2026-01-01 00:02:00'")
    assert reading.look().values("value", run) == [(2, float("-inf"))]
    assert [len(rows) for rows in reading.series.values()] == [3, 1]
    again = at(OptunaReader(), tmp_path / "live.db").look()
    assert again.series == reading.series
    assert again.facts == {name: value for name, value in reading.facts.items() if name[1] != "heartbeat"}
    database.close()


def test_a_study_of_thousands_of_trials_comes_in_slices(tmp_path: Path) -> None:
    database = growing(tmp_path / "big.db")
    database.execute("BEGIN")
    rows = [(i + 1, i, 1, "COMPLETE", None, None) for i in range(4_500)]
    database.executemany("INSERT INTO trials VALUES (?, ?, ?, ?, ?, ?)", rows)
    values = [(i + 1, i) for i in range(4_500)]
    database.executemany("INSERT INTO trial_values VALUES (NULL, ?, 0, ?, 'FINITE')", values)
    database.execute("COMMIT")
    database.close()
    reading = at(OptunaReader(), tmp_path / "big.db").look()
    assert [rows[0][2] for rows in reading.series.values()] == list(range(4_500))
    assert reading.state["last"] == 4_500 and reading.state["open"] == {}


def test_a_deleted_study_is_forgotten(tmp_path: Path) -> None:
    database = growing(tmp_path / "live.db")
    database.execute("INSERT INTO trials VALUES (1, 0, 1, 'COMPLETE', NULL, NULL)")
    reading = at(OptunaReader(), tmp_path / "live.db").look()
    database.execute("DELETE FROM trials")
    database.execute("UPDATE studies SET study_name = 'second'")
    assert reading.look().generation == 1
    assert not reading.facts
    database.close()


def test_a_journal_cut_anywhere_reads_the_same() -> None:
    data = (FOLDER / "journal.log").read_bytes()
    whole = read("journal.log").told
    for seed in range(20):
        cuts = random.Random(seed).sample(range(len(data)), 30)
        assert at(OptunaJournalReader(), FOLDER / "journal.log").feed(data, cuts).told == whole


def test_broken_operations_are_refused_and_the_rest_is_read() -> None:
    data = (FOLDER / "journal.log").read_bytes()
    broken = [b"{", b"[]", b'{"op_code": 5, "trial_id": 0}', b'{"op_code": 4}', b'{"op_code": true}', b"\xff\xfe"]
    reading = at(OptunaJournalReader(), FOLDER / "journal.log")
    first, rest = data.split(b"\n", 1)
    reading.feed(first + b"\n" + b"\n".join(broken) + b"\n" + rest)
    assert len(reading.rejects) == 5, "an operation on a trial that is not there is ignored, as Optuna does"
    assert len(reading.series) == len(read("journal.log").series)


def test_a_parameter_that_contradicts_its_study_is_ignored() -> None:
    def operation(code: int, **more: Any) -> str:
        return json.dumps({"op_code": code, "worker_id": "w", **more}) + "\n"

    def choice(*choices: Any) -> str:
        return json.dumps({"name": "CategoricalDistribution", "attributes": {"choices": choices}})

    text = operation(0, study_name="s", directions=[1])
    for trial, choices in enumerate((["a", "b"], ["c", "d"])):
        text += operation(4, study_id=0, datetime_start=None)
        text += operation(5, trial_id=trial, param_name="p", param_value_internal=1, distribution=choice(*choices))
    reading = at(OptunaJournalReader(), FOLDER / "journal.log").feed(text.encode())
    assert reading.fact("param", "p", "optuna:journal.log:s:0") == "b"
    assert reading.fact("param", "p", "optuna:journal.log:s:1") is None


def test_claims() -> None:
    assert OptunaReader().claim(head_of(FOLDER / "study.db")).score == 1.0
    assert OptunaReader().claim(head_of(FOLDER.parent / "trackio" / "data" / "myproj.db")).score == 0.0
    assert OptunaJournalReader().claim(head_of(FOLDER / "journal.log")).score == 1.0


def test_both_storages_in_a_project(project: Project) -> None:
    for name in ("study.db", "journal.log"):
        shutil.copy(FOLDER / name, project.root)
    project.read()
    assert {source.format for source in project.query.sources()} == {"optuna", "optuna-journal"}
    names = sorted(run.name for run in project.query.runs())
    shown = sorted(
        f"{study}/{trial['number']}"
        for study, trials in EXPECTED["study.db"].items()
        for trial in trials
        if not trial["waits"]
    )
    assert names == sorted(shown * 2)
    project.read()
    assert len(project.query.runs()) == len(names)
