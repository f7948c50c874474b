"""SQL from a person reads the documented tables and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.ingest import Project, line
from workbench.store.console import SqlError

pytestmark = pytest.mark.duckdb15

FORBIDDEN = [
    "SELECT * FROM read_csv('/etc/passwd')",
    "SELECT * FROM '/etc/passwd'",
    "SELECT * FROM glob('/*')",
    "SELECT * FROM read_text('/etc/hostname')",
    "COPY (SELECT 1) TO '/tmp/stolen.csv'",
    "ATTACH '/tmp/other.duckdb' AS other",
    "INSTALL httpfs",
    "LOAD httpfs",
    "SET enable_external_access = true",
    "PRAGMA database_list",
    "/* x */ -- y\n pragma table_info('run')",
    "EXPORT DATABASE '/tmp/stolen'",
    "INSERT INTO run SELECT * FROM run",
    "DROP TABLE run",
    "CREATE TABLE x AS SELECT 1",
    "SELECT 1; SELECT 2",
    "DETACH wb",
    "UPDATE run SET name = 'x'",
    "EXPLAIN ANALYZE COPY (SELECT 1) TO '/tmp/stolen.csv'",
    "EXPLAIN COPY (SELECT 1) TO '/tmp/stolen.csv'",
    "SELECT * FROM read_parquet('https://example.org/x.parquet')",
]


@pytest.fixture
def logged(project: Project) -> Project:
    project.write("run.jsonl", line(0, loss=1.0) + "no json\n" + line(1, loss=0.5))
    project.read()
    return project


@pytest.mark.parametrize("text", FORBIDDEN)
def test_what_does_not_only_read_the_store_is_refused(logged: Project, text: str) -> None:
    with pytest.raises(SqlError):
        logged.query.sql(text)


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("SELECT name, status, n FROM run JOIN series ON run.id = series.run_id", [("run.jsonl", "running", 2)]),
        ("SELECT key, step, value FROM point ORDER BY step", [("loss", 0, 1.0), ("loss", 1, 0.5)]),
        ("SELECT path, accepted, rejected FROM source", [("run.jsonl", 2, 1)]),
        ("SELECT path, byte_offset FROM reject", [("run.jsonl", len(line(0, loss=1.0)))]),
        ('SELECT count(*) FROM "window"', [(0,)]),
        ("SELECT count(*) > 0 FROM (DESCRIBE run)", [(True,)]),
        ("WITH a AS (SELECT 1 AS x) SELECT x FROM a", [(1,)]),
    ],
)
def test_the_documented_tables_answer(logged: Project, text: str, answer: list[tuple[object, ...]]) -> None:
    logged.now += 1
    assert list(logged.query.sql(text).rows) == answer


def test_python_variables_are_no_tables(logged: Project) -> None:
    rows = [1, 2, 3]
    assert rows
    with pytest.raises(SqlError, match="rows"):
        logged.query.sql("SELECT * FROM rows")


def test_parameters_are_bound(logged: Project) -> None:
    assert list(logged.query.sql("SELECT value FROM point WHERE step = ?", [1]).rows) == [(0.5,)]


def test_the_snapshot_stays_as_it_was(logged: Project) -> None:
    snapshot: Path = logged.store.snapshot()
    before = snapshot.read_bytes()
    logged.query.sql("SELECT 1")
    assert snapshot.read_bytes() == before
