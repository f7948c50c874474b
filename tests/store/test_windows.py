"""Windows of a monitor in the store: which of several evaluations shows, and how they are written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import pytest

from tests.support.ingest import Project
from workbench.core.model import ColumnDrift, ColumnFinding, Distribution, Window
from workbench.store.migrations import MIGRATIONS, migrate
from workbench.store.windows import append_windows, fetch_distribution, fetch_windows

pytestmark = pytest.mark.duckdb15
Span = tuple[float, float]


def window(start: float, end: float) -> tuple[Window, list[Distribution]]:
    column = ColumnDrift("age", "num", "ok", "KS", None, 0.05, False, 3, 4)
    shapes = [Distribution(name, ("a", "b"), (0.5, 0.5), (0.25, 0.75)) for name in ("age", "size")]
    return Window("m", start, end, 7, {"rows": 7.0, "latency_ms.p50": None}, (column,)), shapes


def evaluated(project: Project, *spans: Span, spec: str = "spec", gone: Sequence[int] = ()) -> list[Span]:
    """Write an evaluation, each window known by the first digit of its start; the windows that show then."""
    slots = [int(str(span[0])[0]) for span in spans]
    with project.store.write() as con:
        windows = [window(*span) for span in spans]
        append_windows(con, "m", spec, "inputs", "", windows, slots, [("", slot) for slot in gone])
    with project.store.read() as con:
        return [(found.start, found.end) for found in fetch_windows(con, "m")]


@pytest.mark.parametrize(
    ("before", "after", "gone", "shown"),
    [
        ([(0, 10), (10, 20)], [(0, 12), (12, 20)], [], [(0, 12), (12, 20)]),  # a late row moved a boundary
        ([(0, 10), (20, 30)], [(20, 30)], [], [(0, 10), (20, 30)]),  # rows that are gone keep their window
        ([(5, 5), (6, 6)], [(5, 5), (8, 8)], [], [(5, 5), (6, 6), (8, 8)]),  # windows without extent
        ([(0, 10), (10, 20)], [], [1], [(0, 10)]),  # a file was written anew, with fewer rows
        ([(0, 30), (10, 20)], [(2, 25)], [], [(0, 30), (2, 25), (10, 20)]),  # files of the same time
    ],
)  # fmt: skip
def test_a_later_evaluation_replaces_the_windows_it_names(
    before: list[Span], after: list[Span], gone: list[int], shown: list[Span], project: Project
) -> None:
    assert evaluated(project, *before) == before
    assert evaluated(project, *after, gone=gone) == shown


def test_another_specification_hides_every_window(project: Project) -> None:
    evaluated(project, (0, 10), (10, 20))
    assert evaluated(project, (0, 5), spec="other") == [(0, 5)]


def test_an_evaluation_is_written_with_one_statement_a_table(project: Project) -> None:
    written: Counter[str] = Counter()

    class Counted:
        def __init__(self, con: Any) -> None:
            self.con = con

        def execute(self, sql: str, *parameters: Any) -> Any:
            written[sql.split()[2]] += sql.startswith("INSERT")
            return self.con.execute(sql, *parameters)

    with project.store.write() as con:
        append_windows(Counted(con), "m", "s", "i", "", [window(i, i + 1) for i in range(50)])  # type: ignore[arg-type]
    tables = ("monitor_log", "window_log", "window_metric_log", "window_column_log", "profile_log")
    assert {table: written[table] for table in tables} == dict.fromkeys(tables, 1)
    with project.store.read() as con:
        windows = fetch_windows(con, "m")
        assert fetch_distribution(con, "m", "size", 49.0) == Distribution("size", ("a", "b"), (0.5, 0.5), (0.25, 0.75))
    assert len(windows) == 50
    assert windows[0].metrics == {"rows": 7.0, "latency_ms.p50": None}
    assert (windows[0].columns[0].score, windows[0].columns[0].n_current) == (None, 4)


FINDING = ColumnFinding("missing", "age", "age: missing 1.0 % → 9.0 %", "bad", {"reference": 0.01, "current": 0.09})
JUDGED = ColumnDrift(
    "age", "num", "drift", "Wasserstein distance (normed)", 0.4, 0.1, True, 30, 40, "why", 0.2, 1e-9, 0.3, (FINDING,)
)


def test_a_verdict_comes_back_with_its_noise_and_findings(project: Project) -> None:
    with project.store.write() as con:
        append_windows(con, "m", "spec", "inputs", "", [(Window("m", 0, 10, 40, {}, (JUDGED,)), [])])
    with project.store.read() as con:
        assert fetch_windows(con, "m")[0].columns == (JUDGED,)


def test_a_store_of_version_1_begins_anew_with_a_copy_kept(project: Project) -> None:
    project.write("a.jsonl", '{"step": 1, "loss": 0.5}\n{"step": 2, "loss": 0.25}\n')
    project.read(final=True)
    points = project.points()
    with project.store.write() as con:
        con.execute("DROP TABLE finding_log")
        con.execute("ALTER TABLE series_log DROP COLUMN format")
        con.execute("UPDATE schema_version SET version = 1")
    with project.store._lease(exclusive=True) as con:
        migrate(con, project.store.path, "test", MIGRATIONS, 2)
    assert project.points() == []
    project.read(final=True)
    assert project.points() == points != []
    assert list(project.store.path.parent.glob("backups/version-1-*.duckdb"))
