"""MLflow's SQLite store, checked against what MLflow's own API returns of the same database."""

from __future__ import annotations

import json
import random
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path, PurePath
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.readers.test_mlflow import shown
from tests.support.path_source import PathSource, as_mlflow
from workbench.core.batch import Head
from workbench.readers.mlflow import database as mlflow_database
from workbench.readers.mlflow.sqlite import MlflowSqliteReader

FIXTURES = Path(__file__).parents[1] / "fixtures" / "mlflow"
STORE = FIXTURES / "mlflow.db"
EXPECTED: dict[str, Any] = json.loads((FIXTURES / "expected_sqlite.json").read_text())
UUIDS = {run["name"]: uuid for uuid, run in EXPECTED.items()}
TABLES = ("experiments", "experiment_tags", "runs", "tags", "params", "metrics", "datasets", "inputs", "input_tags",
          "logged_models")  # fmt: skip


def source(place: Path) -> PathSource:
    return PathSource(MlflowSqliteReader, place)


def read(place: Path) -> PathSource:
    found = source(place)
    found.read()
    return found


def claim(place: Path) -> float:
    data = place.read_bytes()
    return MlflowSqliteReader().claim(Head(PurePath(place.name), data[:65536], len(data), place=str(place))).score


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """A copy of the database, to be changed."""
    return Path(shutil.copy(STORE, tmp_path / "50% of #1?.db"))


def change(place: Path, *statements: str) -> None:
    with closing(sqlite3.connect(place)) as con:
        con.executescript(";".join(statements))
        con.commit()


# What MLflow writes


@pytest.mark.parametrize("uuid", EXPECTED, ids=[run["name"] for run in EXPECTED.values()])
def test_a_run_reads_as_mlflow_itself_reads_it(uuid):
    expected = shown(EXPECTED[uuid])
    for rows in expected["metrics"].values():  # MLflow clamps infinity as it writes, and does not undo it
        rows[:] = [(*row[:2], row[2].replace("1.7976931348623157e+308", "inf")) for row in rows]
    found = read(STORE)
    assert as_mlflow(found, uuid) == expected
    assert (found.said("native_id", uuid), found.rejects, found.messages) == ({"": uuid}, [], [])


def test_a_database_is_known_by_its_tables_whatever_its_name(store, tmp_path):
    assert claim(store) == 1.0
    other = tmp_path / "mlflow.db"
    change(other, "CREATE TABLE runs (a)", "CREATE TABLE metrics (a)")
    assert claim(other) == 0.0
    other.write_bytes(b"")
    assert claim(other) == 0.0


@pytest.mark.parametrize(("name", "score"), [("mlflow.db", 0.6), ("study.db", 0.0)])
def test_a_database_that_cannot_be_read_now_is_judged_by_its_name(store, name, score):
    place = store.rename(store.with_name(name))
    with closing(sqlite3.connect(place)) as con:
        con.execute("BEGIN EXCLUSIVE")
        assert claim(place) == score


def test_tables_beyond_the_first_64_kib_are_seen_too(tmp_path):
    place = tmp_path / "all.db"
    wide = ", ".join(f"a_column_with_a_long_name_{i}" for i in range(100))
    with closing(sqlite3.connect(STORE)) as con:
        made = [row[0] for row in con.execute("SELECT sql FROM sqlite_master WHERE type = 'table'")]
    change(place, "PRAGMA synchronous = OFF", *(f"CREATE TABLE other_{i} ({wide})" for i in range(80)), *made)
    assert b"alembic_version" not in place.read_bytes()[:65536]
    assert claim(place) == 1.0


def test_nested_runs_environment_and_goal():
    found, search, trial = read(STORE), UUIDS["search"], UUIDS["trial 0"]
    assert found.said("parent", trial) == {"": search}
    assert found.said("goal", trial) == {"val/accuracy": "max"}
    assert found.said("environment", search)["git/branch"] == "main"
    assert found.said("note", search) == {"mlflow": "First *sweep*.\nRates from 0.1 down."}
    assert "s3cret" not in repr(found.facts)


# Growing


@settings(max_examples=8)
@given(st.randoms(use_true_random=False), st.booleans())
def test_a_database_written_in_pieces_reads_as_the_whole(tmp_path_factory, rng, wal):
    place = tmp_path_factory.mktemp("pieces") / "mlflow.db"
    with closing(sqlite3.connect(STORE)) as whole, closing(sqlite3.connect(place)) as con:
        con.executescript(f"PRAGMA journal_mode = {'wal' if wal else 'delete'}; PRAGMA synchronous = OFF")
        for (sql,) in whole.execute("SELECT sql FROM sqlite_master WHERE type = 'table'"):
            con.execute(sql)
        reading = source(place)
        for statement, row in in_pieces(whole, rng):
            con.execute(statement, row)
            if rng.random() < 0.1:
                con.commit()
                reading.read()
        con.commit()
        reading.read()
        assert reading.read() == 0
    expected = read(STORE)
    for uuid in EXPECTED:
        assert as_mlflow(reading, uuid) == as_mlflow(expected, uuid)
    assert reading.restarts == 0


def in_pieces(whole: sqlite3.Connection, rng: random.Random) -> Iterator[tuple[str, tuple[Any, ...]]]:
    """All rows, each table's in their order, tables mixed; runs begin as running and unnamed.

    Inputs come last: MLflow writes a dataset, its link and the link's tags in one transaction.
    """
    rows = []
    for table in TABLES:
        listed = whole.execute(f"SELECT * FROM {table} ORDER BY rowid").fetchall()
        statement = f"INSERT INTO {table} VALUES ({', '.join('?' * len(listed[0]))})"
        rows += [(2.0 if table == "inputs" else i / len(listed), statement, row) for i, row in enumerate(listed)]
    jitter = {statement: rng.random() / 2 for _, statement, _ in rows}
    rows.sort(key=lambda item: item[0] + jitter[item[1]])
    for _, statement, row in rows:
        if "INTO runs" in statement:
            yield statement, (row[0], None, *row[2:6], "RUNNING", row[7], None, *row[9:])
        else:
            yield statement, row
    for name, status, end, uuid in whole.execute("SELECT name, status, end_time, run_uuid FROM runs"):
        yield "UPDATE runs SET name = ?, status = ?, end_time = ? WHERE run_uuid = ?", (name, status, end, uuid)


def test_only_what_changed_is_told_again(store):
    reading, trial = read(store), UUIDS["trial 3"]
    assert reading.read() == 0
    change(store, f"UPDATE runs SET status = 'FINISHED', end_time = 1763791290000 WHERE run_uuid = '{trial}'")
    told = len([1 for of, _, _ in reading.facts if of == trial])
    assert reading.read() == told
    assert (as_mlflow(reading, trial)["status"], as_mlflow(reading, trial)["end"]) == ("finished", 1763791290000)
    change(store, f"UPDATE tags SET value = 'good' WHERE key = 'fold' AND run_uuid = '{trial}'")
    assert reading.read() == told
    assert reading.said("tag", trial) == {"fold": "good"}
    change(store, f"UPDATE runs SET status = 'RUNNING', end_time = NULL WHERE run_uuid = '{trial}'")
    reading.read()
    assert as_mlflow(reading, trial)["status"] == "running"
    change(store, f"UPDATE runs SET lifecycle_stage = 'deleted' WHERE run_uuid = '{trial}'")
    reading.read()
    assert as_mlflow(reading, trial)["stage"] == "deleted"
    change(store, "UPDATE experiments SET name = 'digits/sweep' WHERE name = 'digits/search'")
    reading.read()
    assert reading.said("group", trial) == {"": "digits/sweep"}
    assert reading.said("group", UUIDS["odd"]) == {"": "odd values"}


def test_more_rows_and_runs_than_one_call_takes(store, monkeypatch):
    whole = read(STORE)
    monkeypatch.setattr(mlflow_database, "_ROWS", 5)
    monkeypatch.setattr(mlflow_database, "_RUNS", 2)
    reading = read(store)
    assert reading.spelled() == whole.spelled()
    assert reading.facts == whole.facts
    change(store, "UPDATE runs SET name = name || '!'")
    reading.read()
    assert {as_mlflow(reading, uuid)["name"] for uuid in EXPECTED} == {f"{name}!" for name in UUIDS}


def test_a_large_store_is_looked_through_now_and_then_while_metrics_come_in(store, monkeypatch):
    monkeypatch.setattr(mlflow_database, "_LARGE", 0)
    reading = source(store)
    reading.read(modified=100.0)
    uuid = UUIDS["trial 3"]
    metric = "INSERT INTO metrics (key, value, timestamp, run_uuid, step) VALUES ('loss', 1, 1, '{}', {})"
    change(store, "UPDATE tags SET value = 'x' WHERE key = 'fold'", metric.format(uuid, 1))
    assert reading.read(modified=101.0) == 1
    change(store, metric.format(uuid, 2))
    reading.read(modified=103.0)
    assert reading.said("tag", uuid) == {"fold": "x"}
    change(store, "UPDATE tags SET value = 'y' WHERE key = 'fold'")
    reading.read(modified=103.1)
    assert reading.said("tag", uuid) == {"fold": "y"}


@pytest.mark.parametrize(
    "statements",
    [
        ("DELETE FROM metrics WHERE rowid > 40",),
        ("DELETE FROM metrics", "INSERT INTO metrics (key, value, timestamp, run_uuid, step)"
         " SELECT 'new', 1.0, 1, run_uuid, 1 FROM runs"),
    ],
)  # fmt: skip
def test_rows_that_were_deleted_or_replaced_are_read_again(store, statements):
    reading = read(store)
    change(store, *statements)
    reading.read()
    assert reading.restarts == 1
    assert reading.spelled() == read(store).spelled()


# Beside a writer


def test_nothing_is_written_and_no_file_is_left_behind(store):
    for mode in ("delete", "wal"):
        change(store, f"PRAGMA journal_mode = {mode}", "UPDATE runs SET name = name")
        before = {path.name: path.read_bytes() for path in store.parent.iterdir()}
        assert claim(store) == 1.0
        assert read(store).points
        assert {path.name: path.read_bytes() for path in store.parent.iterdir()} == before


def test_a_database_that_its_writer_locks_is_read_later(store):
    reading = source(store)
    with closing(sqlite3.connect(store)) as con:
        con.execute("BEGIN EXCLUSIVE")
        assert reading.read() == 0
        assert "locked; its writer is at work, tried again" in reading.messages[-1]
        con.rollback()
    reading.read()
    assert reading.spelled() == read(STORE).spelled()


def test_what_a_living_writer_has_only_in_its_log_is_read(store):
    change(store, "PRAGMA journal_mode = wal")
    with closing(sqlite3.connect(store)) as con:
        con.execute("PRAGMA wal_autocheckpoint = 0")
        reading = read(store)
        con.execute(f"INSERT INTO metrics VALUES ('live', 0.5, 5, '{UUIDS['odd']}', 3, 0)")
        con.commit()
        assert reading.read() == 1
        assert reading.series(UUIDS["odd"])["live"][0][:3] == (3, 0.005, 0.5)


# Hostile databases


def test_values_of_other_types_are_refused_one_by_one(store):
    uuid = UUIDS["odd"]
    bad = ["('k', 'text', 1, '{0}', 1, 0)", "('k', 1.0, 'soon', '{0}', 1, 0)", "('k', 1.0, 1, '{0}', 0.5, 0)",
           "(x'00', 1.0, 1, '{0}', 1, 0)", "('', 1.0, 2, '{0}', 1, 0)", "('k', 1.0, 1, '', 1, 0)",
           "('k', x'41', 1, '{0}', 1, 0)", "(printf('%.2000c', 'k'), 1.0, 1, '{0}', 1, 0)"]  # fmt: skip
    change(store, *(f"INSERT INTO metrics VALUES {row.format(uuid)}" for row in bad))
    change(store, f"INSERT INTO metrics VALUES ('after', 1.0, 1, '{uuid}', 1, 0)")
    found = read(store)
    assert len(found.rejects) == len(bad)
    assert {item.reason[:4] for item in found.rejects} == {"E131"}
    assert all(len(item.excerpt) <= 4096 for item in found.rejects)
    assert set(found.series(uuid)) == {"odd", "repeated", "a/b/c/deep", "a/b/flat", "after"}


def test_a_database_from_before_steps_and_nan_is_read(store):
    columns = {"metrics": "key, value, timestamp, run_uuid", "experiments": "experiment_id, name"}
    for table, kept in columns.items():
        change(store, f"CREATE TABLE old AS SELECT {kept} FROM {table}", f"DROP TABLE {table}",
               f"ALTER TABLE old RENAME TO {table}")  # fmt: skip
    change(store, *(f"DROP TABLE {table}" for table in ("inputs", "logged_models", "experiment_tags")))
    found = read(store)
    assert [row[0] for row in found.series(UUIDS["trial 3"])["epoch_seconds"]] == [0, 0, 0]
    assert as_mlflow(found, UUIDS["trial 3"])["experiment"] == "digits/search"


ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i AS {} FROM n"
HOSTILE = {
    "views": ("DROP TABLE metrics", f"CREATE VIEW metrics AS {ENDLESS.format('key')}"),
    "no metrics": ("DROP TABLE metrics",),
    "no value": ("DROP TABLE metrics", "CREATE TABLE metrics (key, timestamp, run_uuid)"),
    "a rowid of its own": ("DROP TABLE metrics",
                                   "CREATE TABLE metrics (rowid, key, value, timestamp, run_uuid)"),
    "no rowid": ("DROP TABLE metrics",
                         "CREATE TABLE metrics (key, value, timestamp, run_uuid PRIMARY KEY) WITHOUT ROWID"),
    "virtual": ("DROP TABLE metrics",
                        "CREATE VIRTUAL TABLE metrics USING fts5(key, value, timestamp, run_uuid)"),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_tables_that_are_none_of_mlflows_are_named(store, name):
    change(store, *HOSTILE[name])
    reading = source(store)
    assert reading.read() == 0
    assert reading.messages and reading.messages[-1]


def test_other_hostile_contents_come_to_an_end(store):
    uuid = UUIDS["odd"]
    change(
        store, "PRAGMA ignore_check_constraints = ON",
        "DROP TABLE tags", f"CREATE VIEW tags AS {ENDLESS.format('run_uuid')}",
        f"INSERT INTO params VALUES ('huge', printf('%.3000000c', 'x'), '{uuid}')",
        f"INSERT INTO params VALUES (x'ff00', x'ff', '{uuid}')",
        "INSERT INTO runs (run_uuid, status, start_time, experiment_id) VALUES ('../etc', 'FINISHED', 1, 1)",
        "INSERT INTO runs (run_uuid, status, start_time, end_time) VALUES ('fine', 'NOPE', 'soon', 9e999)",
        "INSERT INTO runs (rowid, run_uuid, status) VALUES (-9223372036854775808, 'first', 'FAILED')",
        "INSERT INTO runs (rowid, run_uuid, status) VALUES (9223372036854775807, 'last', 'FAILED')",
        "CREATE TRIGGER t AFTER UPDATE ON runs BEGIN DELETE FROM metrics; END",
    )  # fmt: skip
    found = read(store)
    assert len(found.said("param", uuid)["huge"]) <= 16_384
    assert {of for of, _, _ in found.facts} >= {"fine", "first", "last", *EXPECTED} - {"../etc"}
    assert "../etc" not in {of for of, _, _ in found.facts}
    assert len(found.points) == len(read(STORE).points)


@settings(max_examples=40)
@given(
    st.lists(st.tuples(st.floats(0, 1), st.binary(min_size=1, max_size=64)), min_size=1, max_size=8), st.floats(0, 1)
)
def test_a_damaged_database_brings_rows_refusals_or_a_message(tmp_path_factory, damages, kept):
    place = tmp_path_factory.mktemp("damaged") / "mlflow.db"
    data = bytearray(STORE.read_bytes())
    for where, junk in damages:
        at = int(where * (len(data) - len(junk)))
        data[at : at + len(junk)] = junk
    place.write_bytes(bytes(data[: int(len(data) * max(kept, 0.05) * 2)]))
    claim(place)
    reading = source(place)
    reading.read()
    reading.read()
    assert list(place.parent.iterdir()) == [place]
