"""Findings in the store: the latest of each monitor hold, none is remembered as none, and a crash loses nothing."""

from __future__ import annotations

import pytest

from tests.support.ingest import Project
from workbench.core.config import load_config
from workbench.core.model import Finding, Window
from workbench.ingest.findings import FindingWatch
from workbench.store.findings import append_findings, fetch_findings, unjudged_monitors
from workbench.store.windows import append_windows

pytestmark = pytest.mark.duckdb15


def finding(sentence: str, severity: str = "warn", since: float = 1.0, until: float | None = None) -> Finding:
    evidence = {"before": 0.97, "moved": [{"column": "ågé \x1b[31m", "after": 2.5}]}
    return Finding("drift", "age", severity, sentence, since, until, 0.98, evidence, "m")  # type: ignore[arg-type]


def evaluated(project: Project, monitor: str = "m", spec: str = "s", latency: tuple[float, ...] = ()) -> None:
    windows = [
        (Window(monitor, float(at), at + 1.0, 500, {"latency_ms.p95": value}), ()) for at, value in enumerate(latency)
    ]
    with project.store.write() as con:
        append_windows(con, monitor, spec, "inputs", "", windows)


def told(project: Project, *findings: Finding, monitor: str = "m", engine: int = 1) -> None:
    with project.store.write() as con:
        append_findings(con, monitor, engine, findings)


def sentences(project: Project, monitor: str = "") -> list[str]:
    return [each.sentence for each in project.query.findings(monitor)]


def waiting(project: Project, engine: int = 1) -> list[str]:
    with project.store.read() as con:
        return unjudged_monitors(con, engine)


def test_what_was_written_comes_back_as_it_was(project: Project) -> None:
    evaluated(project)
    told(project, finding("age drifted"))
    assert project.query.findings() == [finding("age drifted")]
    assert project.query.findings(monitor="other") == []
    assert project.query.sql("SELECT sentence FROM finding").rows == [("age drifted",)]


def test_those_that_go_on_come_first_the_worst_before_the_others(project: Project) -> None:
    evaluated(project)
    told(
        project, finding("over", "bad", until=9.0), finding("info", "info"), finding("older", since=1),
        finding("newer", since=5), finding("worst", "bad"),
    )  # fmt: skip
    assert sentences(project) == ["worst", "newer", "older", "info", "over"]


def test_a_new_evaluation_is_judged_anew_and_its_findings_replace_the_others(project: Project) -> None:
    evaluated(project)
    told(project, finding("before"))
    evaluated(project)
    assert waiting(project) == ["m"]
    assert sentences(project) == ["before"], "until it is judged, what was found before still stands"
    told(project)
    assert (sentences(project), waiting(project)) == ([], []), "nothing found is found, too"
    with project.store.read() as con:
        assert con.execute("SELECT count(*) FROM finding_log").fetchall() == [(1,)], "and history is kept"


def test_another_specification_hides_what_was_found_under_the_one_before(project: Project) -> None:
    evaluated(project)
    told(project, finding("before"))
    evaluated(project, spec="other")
    assert sentences(project) == []


def test_a_better_engine_looks_again(project: Project) -> None:
    evaluated(project)
    told(project, finding("by the first"))
    assert (waiting(project, 1), waiting(project, 2)) == ([], ["m"])
    told(project, finding("by the second"), engine=2)
    assert sentences(project) == ["by the second"]


def test_the_ingester_judges_what_was_evaluated_even_if_it_died_in_between(project: Project) -> None:
    evaluated(project, latency=(20.0, 20.1, 19.9, 20.2, 19.8, 20.1, 20.0, 61.0, 60.1, 61.2, 60.7, 60.2))
    watch = FindingWatch(load_config(project.root), project.store, clock=lambda: project.now)
    watch.update()
    (found,) = [finding for finding in project.query.findings("m") if finding.kind != "freshness"]
    assert (found.kind, found.since, found.severity) == ("latency", 7.0, "bad")
    revision = project.store.revision()
    watch.update()
    FindingWatch(load_config(project.root), project.store, clock=lambda: project.now).update()
    assert project.store.revision() == revision, "what is judged is not judged again"


def test_a_monitor_that_was_never_evaluated_has_no_findings(project: Project) -> None:
    told(project, finding("of nothing"))
    with project.store.read() as con:
        assert fetch_findings(con) == []
