"""What of an older generation still shows: points, facts and refused lines always agree."""

from __future__ import annotations

import os
from typing import Any

import pytest

from tests.support.ingest import Project, line
from workbench.readers.json.lines import JsonlReader

pytestmark = pytest.mark.duckdb15


def shown(project: Project) -> dict[str, Any]:
    """Steps, attributes and refused lines that the store shows."""
    with project.store.read() as con:
        facts = con.execute("SELECT key, value FROM fact WHERE kind IN ('param', 'tag', 'summary') ORDER BY key")
        told = {key: value.strip('"') for key, value in facts.fetchall()}
    steps = [step for key, step, _ in project.points() if key == "loss"]
    return {"steps": steps, "facts": told, "rejects": [offset for _, offset, _ in project.rejects()]}


def start(**attributes: str) -> str:
    """A first line that says something about the run, and one that nobody can read."""
    return line(0, loss=1.0, **attributes) + "{nonsense\n"


@pytest.fixture
def first(project: Project) -> dict[str, Any]:
    project.write("log.jsonl", start(optimizer="adam", dataset="flights") + line(1, loss=0.5))
    project.read()
    found = shown(project)
    assert found["steps"] == [0, 1]
    assert len(found["facts"]) == 2
    assert len(found["rejects"]) == 1
    return found


def test_a_truncated_log_that_goes_on_keeps_all_it_said(project: Project, first: dict[str, Any]) -> None:
    os.truncate(project.root / "log.jsonl", 0)
    project.write("log.jsonl", line(2, loss=0.25) + line(3, loss=0.125))
    project.read()
    assert shown(project) == {**first, "steps": [0, 1, 2, 3]}
    os.truncate(project.root / "log.jsonl", 0)
    project.write("log.jsonl", line(4, loss=0.1))
    project.read()
    assert shown(project) == {**first, "steps": [0, 1, 2, 3, 4]}


def test_a_log_rewritten_in_place_replaces_all_it_said(project: Project, first: dict[str, Any]) -> None:
    (project.root / "log.jsonl").write_text(line(0, loss=9.0, optimizer="sgd"))
    project.touch(project.root / "log.jsonl", project.now + 1)
    project.read()
    assert shown(project) == {
        "steps": [0],
        "facts": {key: "sgd" for key in first["facts"] if "opt" in key},
        "rejects": [],
    }
    [run] = project.query.runs()
    assert run.metrics["loss"].max == 9.0


def test_a_log_started_over_after_a_truncation_replaces_both(project: Project, first: dict[str, Any]) -> None:
    os.truncate(project.root / "log.jsonl", 0)
    project.write("log.jsonl", line(2, loss=0.25))
    project.read()
    os.truncate(project.root / "log.jsonl", 0)
    project.write("log.jsonl", line(0, loss=7.0))
    project.read()
    assert shown(project) == {"steps": [0], "facts": {}, "rejects": []}


def test_a_resumed_log_supersedes_only_the_steps_it_goes_over_again(project: Project) -> None:
    project.write("log.jsonl", "".join(line(i, loss=1.0) for i in range(10)))
    project.read()
    os.truncate(project.root / "log.jsonl", 0)
    project.write("log.jsonl", "".join(line(i, loss=2.0) for i in range(5, 8)))
    project.read()
    assert [value for _, _, value in project.points()] == [1.0] * 5 + [2.0] * 3


def test_a_newer_reader_reads_everything_anew(
    project: Project, first: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(JsonlReader, "version", JsonlReader.version + 1)
    project.read()
    assert shown(project) == first
    assert project.stored() == 4
    assert project.source("log.jsonl").generation == 1
    project.read()
    assert project.stored() == 4


def test_an_ingester_killed_before_the_new_generation_has_a_point_decides_later(
    project: Project, first: dict[str, Any]
) -> None:
    os.truncate(project.root / "log.jsonl", 0)
    project.write("log.jsonl", "{broken\n" * 3)
    project.read()
    assert shown(project)["steps"] == first["steps"]
    project.write("log.jsonl", line(0, loss=3.0))
    project.read()
    assert shown(project)["steps"] == [0]


def test_parameters_rewritten_replace_the_old_ones(project: Project) -> None:
    project.write("run/log.jsonl", line(0, loss=1.0))
    params = project.write("run/config.yaml", "lr: 0.1\nold: 1\n")
    project.read()
    for rate in (0.2, 0.3):
        params.write_text(f"lr: {rate}\n")
        project.now += 1
        project.touch(params)
        project.read()
    [run] = project.query.runs()
    assert run.params == {"lr": 0.3}
