"""Databases and folders: read by their reader, incrementally, many runs in one, and exactly once like any log."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest

from tests.support.ingest import Project, line
from workbench.core.batch import Framing
from workbench.core.config import load_config
from workbench.ingest.engine import Engine, Outcome
from workbench.ingest.readers import all_readers
from workbench.plugin.api import Batch, Chunk, Claim, ConsoleLine, Fact, Head, Histogram, Points, Reader

pytestmark = pytest.mark.duckdb15

SLICE = 40


class TrialsReader(Reader):
    """Reads a table of (trial, step, loss), at most `SLICE` rows at a time."""

    name: ClassVar[str] = "trials"
    framing: ClassVar[Framing] = "path"
    names: ClassVar[Sequence[str]] = ("*.db",)

    def claim(self, head: Head) -> Claim:
        return Claim(0.9, "a study", many_runs=True, covers=("**/*.jsonl",))

    def read(self, chunk: Chunk) -> Batch:
        with closing(sqlite3.connect(f"file:{chunk.place}?mode=ro", uri=True)) as con:
            rows = con.execute(
                "SELECT rowid, trial, step, loss FROM loss WHERE rowid > ? ORDER BY rowid LIMIT ?", [chunk.start, SLICE]
            ).fetchall()
        if not rows:
            return Batch()
        ids, trials, steps, losses = zip(*rows, strict=True)
        names = sorted(set(trials))
        points = Points(
            ("loss",), np.zeros(len(rows), np.int32), np.array(steps, np.int64), np.full(len(rows), np.nan),
            np.array(losses, np.float64), np.array(ids, np.int64), names,
            np.array([names.index(trial) for trial in trials], np.int32),
        )  # fmt: skip
        facts = [Fact("name", f"trial {name}", run=name, offset=ids[0]) for name in names]
        facts += [Fact("group", "study", run=name, offset=ids[0]) for name in names]
        edges, counts = np.array([0.0, 1.0, 2.0]), np.array([3.0, 4.0])
        return Batch(
            points, facts, accepted=len(rows), consumed=ids[-1] - chunk.start, more=len(rows) == SLICE,
            histograms=[Histogram("weights", steps[0], float("nan"), edges, counts, ids[0], names[0])],
            console=[ConsoleLine(f"row {ids[-1]}", offset=ids[-1], run=names[-1])],
        )  # fmt: skip


@pytest.fixture
def study(project: Project) -> Iterator[sqlite3.Connection]:
    with closing(table(project.root / "study.db")) as con:
        yield con


def table(path: Path) -> sqlite3.Connection:
    con = sqlite3.connect(path)
    con.execute("PRAGMA journal_mode=WAL")
    con.execute("CREATE TABLE loss (trial TEXT, step INTEGER, loss REAL)")
    return con


def log(con: sqlite3.Connection, trial: str, steps: range, loss: float = 0.5) -> None:
    con.executemany("INSERT INTO loss VALUES (?, ?, ?)", [(trial, step, loss) for step in steps])
    con.commit()


def engine(project: Project) -> Engine:
    readers = [TrialsReader(), *all_readers()]
    return Engine(project.root, load_config(project.root), project.store, readers, clock=lambda: project.now)


def read(project: Project) -> Outcome:
    made = engine(project)
    try:
        return made.read_all(made.scan())
    finally:
        made.close()


def trials(project: Project) -> dict[str, int]:
    """How many points each run shows."""
    return {run.name: run.metrics["loss"].n for run in project.query.runs()}


def test_rows_are_read_as_they_come_and_each_run_is_its_own(project: Project, study: sqlite3.Connection) -> None:
    log(study, "a", range(100))
    log(study, "b", range(50))
    assert read(project).accepted == 150
    assert trials(project) == {"trial a": 100, "trial b": 50}
    assert read(project).accepted == 0
    log(study, "b", range(50, 70))
    assert read(project).accepted == 20
    assert trials(project) == {"trial a": 100, "trial b": 70}
    assert project.stored() == 170
    assert {run.path for run in project.query.runs()} == {"study.db"}


def test_a_writer_that_only_touches_the_write_ahead_log_is_noticed(project: Project, study: sqlite3.Connection) -> None:
    log(study, "a", range(10))
    made = engine(project)
    made.read_all(made.scan())
    assert made.registry.hot(0.0) == []
    before = os.stat(project.root / "study.db")
    log(study, "a", range(10, 20))
    after = os.stat(project.root / "study.db")
    assert (before.st_size, before.st_mtime_ns) == (after.st_size, after.st_mtime_ns)
    [news] = made.registry.hot(0.0)
    made.read_all([news])
    made.close()
    assert trials(project) == {"trial a": 20}


def test_an_ingester_killed_between_two_slices_goes_on_where_the_store_is(
    project: Project, study: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    log(study, "a", range(200))
    made = engine(project)
    [source] = made.scan()
    step = made._reading.step(source, False)
    assert step is not None
    assert step.more
    made._add(step.delta)
    made.flush()
    made._reading.step(source, False)  # read ahead of the store, and lost with the process
    made.close()
    assert project.stored() == SLICE
    assert read(project).accepted == 200 - SLICE
    assert project.points() == [("loss", step, 0.5) for step in range(200)]
    assert project.stored() == 200


def test_a_database_put_in_the_place_of_another_replaces_what_it_said(
    project: Project, study: sqlite3.Connection
) -> None:
    log(study, "a", range(100))
    log(study, "gone", range(3))
    read(project)
    with closing(table(project.root / "new.sqlite")) as fresh:
        log(fresh, "a", range(20), loss=0.25)
    study.close()
    (project.root / "new.sqlite").replace(project.root / "study.db")
    read(project)
    assert project.points() == [("loss", step, 0.25) for step in range(20)]
    [run] = [run for run in project.query.runs() if run.metrics]
    assert (run.name, run.metrics["loss"].n, run.metrics["loss"].max) == ("trial a", 20, 0.25)
    assert project.source("study.db").generation == 1
    with project.store.read() as con:
        assert con.execute("SELECT DISTINCT value FROM fact WHERE kind = 'name'").fetchall() == [('"trial a"',)]


def test_a_database_moved_elsewhere_goes_on_there(project: Project, study: sqlite3.Connection) -> None:
    log(study, "a", range(10))
    study.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    study.close()
    read(project)
    (project.root / "old").mkdir()
    (project.root / "study.db").rename(project.root / "old" / "study.db")
    assert read(project).accepted == 0
    with closing(sqlite3.connect(project.root / "old" / "study.db")) as con:
        log(con, "a", range(10, 15))
    assert read(project).accepted == 5
    assert trials(project) == {"trial a": 15}


def test_histograms_and_console_lines_are_kept(project: Project, study: sqlite3.Connection) -> None:
    log(study, "a", range(10))
    read(project)
    with project.store.read() as con:
        [(key, step, wall, edges, counts)] = con.execute(
            "SELECT key, step, wall_time, edges, counts FROM histogram_log JOIN series_log USING (series_id)"
        ).fetchall()
        console = con.execute("SELECT stream, text, wall_time, byte_offset FROM console_log").fetchall()
    assert (key, step, wall, list(edges), list(counts)) == ("weights", 0, None, [0.0, 1.0, 2.0], [3.0, 4.0])
    assert console == [("out", "row 10", None, 10)]


def test_files_read_through_another_are_no_sources(project: Project, study: sqlite3.Connection) -> None:
    log(study, "a", range(10))
    project.write("deep/er/worker.jsonl", line(0, loss=1.0))
    read(project)
    assert [source.path for source in project.query.sources()] == ["study.db"]
    read(project)
    assert trials(project) == {"trial a": 10}


def test_sources_that_turn_out_to_be_covered_are_dropped_with_their_runs(project: Project) -> None:
    project.write("worker.jsonl", line(0, loss=1.0) + line(1, loss=1.0))
    read(project)
    assert trials(project) == {"worker.jsonl": 2}
    with closing(table(project.root / "study.db")) as con:
        log(con, "a", range(10))
    read(project)
    assert trials(project) == {"trial a": 10}
    assert len(project.points()) == 10
    given_up = project.source("worker.jsonl")
    assert (given_up.status, given_up.message) == ("covered", "read through study.db")
    (project.root / "study.db").unlink()
    read(project)
    read(project)
    assert trials(project) == {"trial a": 10, "worker.jsonl": 2}


def test_a_file_that_nobody_reads_but_another_covers_is_not_called_skipped(
    project: Project, study: sqlite3.Connection
) -> None:
    project.write("worker.jsonl", "no log at all\n")
    log(study, "a", range(10))
    read(project)
    assert [source.path for source in project.query.sources()] == ["study.db"]


def test_a_skipped_file_says_through_which_other_one_it_is_read_by_now(project: Project) -> None:
    project.write("worker.jsonl", "no log at all\n")
    read(project)
    assert project.source("worker.jsonl").status == "skipped"
    with closing(table(project.root / "study.db")) as con:
        log(con, "a", range(10))
    read(project)
    given_up = project.source("worker.jsonl")
    assert (given_up.status, given_up.message) == ("covered", "read through study.db")
    read(project)
    assert project.source("worker.jsonl") == given_up


def test_a_database_that_cannot_be_opened_is_named_and_tried_again(project: Project) -> None:
    project.write("study.db", b"not a database at all, but long enough to be one" * 100)
    read(project)
    source = project.source("study.db")
    assert source.status == "damaged"
    assert "DatabaseError: file is not a database" in source.message
