"""A statement is limited, stopped, and its mistakes are placed and named."""

from __future__ import annotations

import threading

import pytest

from tests.support.ingest import Project, line
from workbench.core.query import Limits, Stop
from workbench.store.console import SCHEMA, TABLES, SqlError
from workbench.store.sql_errors import Names, nearest_name

pytestmark = pytest.mark.duckdb15

FOREVER = "SELECT count(*) FROM range(100000000) a, range(100000000) b"


@pytest.fixture
def logged(project: Project) -> Project:
    project.write("run.jsonl", line(0, loss=1.0) + line(1, loss=0.5))
    project.read()
    return project


def refused(project: Project, text: str, limits: Limits | None = None) -> SqlError:
    with pytest.raises(SqlError) as caught:
        project.query.sql(text, (), limits)
    return caught.value


def test_more_rows_than_the_limit_are_left_and_said(logged: Project) -> None:
    rows = logged.query.sql("SELECT * FROM range(10)", (), Limits(rows=3))
    assert ([row[0] for row in rows.rows], rows.more) == ([0, 1, 2], True)
    assert not logged.query.sql("SELECT * FROM range(3)", (), Limits(rows=3)).more


def test_time_ends_a_statement(logged: Project) -> None:
    assert refused(logged, FOREVER, Limits(seconds=0.2)).reason == (
        "stopped after 0.2 s: narrow it with WHERE or LIMIT"
    )


def test_another_thread_stops_a_statement_and_the_store_goes_on(logged: Project) -> None:
    stop = Stop()
    threading.Timer(0.3, stop).start()
    assert refused(logged, FOREVER, Limits(stop=stop)).reason == "stopped"
    assert logged.query.sql("SELECT 1").rows == [(1,)]
    stop()


def test_a_statement_that_was_stopped_before_it_began_never_runs(logged: Project) -> None:
    stop = Stop()
    stop()
    assert refused(logged, FOREVER, Limits(stop=stop)).reason == "stopped"


@pytest.mark.parametrize(
    ("text", "place", "said"),
    [
        ("SELECT key, vlaue FROM point", (1, 13), "did you mean 'value'?"),
        ("SELECT key,\n  vlaue\nFROM point", (2, 3), "did you mean 'value'?"),
        ("SELECT * FROM pont", (1, 15), "did you mean 'point'?"),
        ("SELECT * FORM run", (1, 15), "did you mean 'FROM'?"),
        ("SELEC * FROM run", (1, 1), "did you mean 'SELECT'?"),
        ("SELECT p.vlaue FROM point p", (1, 8), "did you mean 'value'?"),
        ("SELECT '" + "x" * 200 + "', vlaue FROM point", (1, 212), "did you mean 'value'?"),
    ],
)
def test_a_mistake_has_a_place_and_a_right_name(logged: Project, text: str, place: tuple[int, int], said: str) -> None:
    error = refused(logged, text)
    assert (error.line, error.column) == place
    assert said in error.reason
    assert str(error).endswith("^")


def test_what_is_far_from_every_name_gets_none() -> None:
    assert nearest_name('Referenced column "zzzzzz" not found in FROM clause!', Names({"value"}, {"point"})) == ""
    assert nearest_name("division by zero", Names({"value"}, {"point"})) == ""


def test_every_table_that_can_be_asked_is_described(logged: Project) -> None:
    found = logged.query.sql(SCHEMA).rows
    assert {table for table, _, _ in found} == set(TABLES)
    assert ("point", "value", "DOUBLE") in found
