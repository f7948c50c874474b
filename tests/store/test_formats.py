"""One training seen through several formats is one run, and every metric is counted once."""

from __future__ import annotations

import io
import json

import pytest

from tests.support.deltas import commit, delta
from tests.support.event_files import loop
from tests.support.ingest import Project, line
from workbench.core.batch import Fact
from workbench.core.formats import PREFERENCE, TEXT
from workbench.core.ids import run_id
from workbench.core.model import Run
from workbench.store.export import export_points

pytestmark = pytest.mark.duckdb15


@pytest.fixture
def twice(project: Project) -> Project:
    """A run whose trainer wrote CSV and event files; `lr` went only to the events, `auc` only to the CSV."""
    rows = "".join(f"{step},{step / 7},{step / 10}\n" for step in range(8))
    project.write("runs/a/metrics.csv", f"step,loss,auc\n{rows}")
    project.write("runs/a/events.out.tfevents.1.host", loop(["loss", "lr"], range(8)))
    project.read()
    return project


def only_run(project: Project) -> Run:
    [run] = project.query.runs()
    return run


def test_a_metric_of_two_formats_is_shown_from_one_and_names_the_other(twice: Project) -> None:
    run = only_run(twice)
    assert {key: summary.n for key, summary in run.metrics.items()} == {"auc": 8, "loss": 8, "lr": 8}
    assert run.metrics["loss"].last == 1.0, "of the CSV, whose numbers are not rounded to 32 bits"
    assert run.aliases == {"loss": ("tensorboard",)}
    assert (run.format, run.formats) == ("csv", ("csv", "tensorboard"))


def test_every_way_to_the_points_takes_the_same_format(twice: Project) -> None:
    query, run = twice.query, only_run(twice)
    exact = [step / 7 for step in range(8)]
    assert query.series(run.id, "loss").value.tolist() == exact
    assert query.sparks([run.id], "loss")[run.id][-1] == 1.0
    assert query.percentiles([run.id], ["loss", "lr"], [100])[run.id, "loss"] == [1.0]
    assert [value for key, _, value in twice.points() if key == "loss"] == exact
    rows = query.sql("SELECT key, format, n FROM series ORDER BY key").rows
    assert list(rows) == [("auc", "csv", 8), ("loss", "csv", 8), ("lr", "tensorboard", 8)]
    assert list(query.sql("SELECT key, format, n FROM alias").rows) == [("loss", "tensorboard", 8)]
    out = io.BytesIO()
    export_points(twice.store.snapshot(), [run], "json", None, out)
    assert [row["value"] for row in json.loads(out.getvalue()) if row["key"] == "loss"] == exact


def test_rotated_files_of_one_format_still_add_up(twice: Project) -> None:
    twice.write("runs/a/events.out.tfevents.2.host", loop(["loss", "lr"], range(8, 20)))
    twice.read()
    run = only_run(twice)
    assert (run.metrics["loss"].n, run.metrics["lr"].n) == (20, 20)
    assert run.aliases == {"loss": ("csv",)}, "the event files have more points by now"
    assert run.format == "tensorboard"


def test_the_choice_follows_a_live_run_without_reading_the_others_again(twice: Project) -> None:
    query = twice.query
    [before] = query.runs()
    twice.write("runs/a/events.out.tfevents.2.host", loop(["loss"], range(8, 9)))
    twice.write("other/metrics.jsonl", line(0, loss=3.0))
    twice.read()
    found = {run.path: run for run in query.runs()}
    assert before.aliases["loss"] == ("tensorboard",)
    assert found["runs/a"].aliases["loss"] == ("csv",)
    assert query.series(before.id, "loss").n == 9


def test_a_printed_log_speaks_only_for_what_nothing_else_logged(project: Project) -> None:
    run = run_id(path="a")
    printed = delta(run, "a/train.log", TEXT[0], {"loss": [0.33] * 30, "mfu": [40.0]})
    commit(project.store, printed, delta(run, "a/metrics.csv", "csv", {"loss": [1 / 3] * 3}))
    found = only_run(project)
    assert (found.metrics["loss"].last, found.metrics["mfu"].n) == (1 / 3, 1)
    assert found.aliases == {"loss": (TEXT[0],)}


def test_at_equal_numbers_of_points_the_order_of_formats_decides(project: Project) -> None:
    run = run_id(path="a")
    names = ("zebra", PREFERENCE[3], "plugin", PREFERENCE[0])
    commit(project.store, *(delta(run, f"a/{name}", name, {"loss": [1.0, 2.0]}) for name in names))
    assert only_run(project).aliases == {"loss": (PREFERENCE[3], "plugin", "zebra")}
    assert only_run(project).formats == (PREFERENCE[0], PREFERENCE[3], "plugin", "zebra")


def test_points_that_were_superseded_do_not_count_for_a_format(project: Project) -> None:
    project.write("a/metrics.csv", "step,loss\n" + "".join(f"{step},0.5\n" for step in range(9)))
    project.write("a/events.out.tfevents.1.host", loop(["loss"], range(6)))
    project.read()
    (project.root / "a/metrics.csv").write_text("step,loss\n0,0.25\n1,0.25\n")
    project.touch(project.root / "a/metrics.csv", project.now + 1)
    project.read()
    run = only_run(project)
    assert run.aliases == {"loss": ("csv",)}
    assert run.metrics["loss"].n == 6


def test_groups_and_parents_come_from_facts(project: Project) -> None:
    child, parent = run_id("trial-3"), run_id("study")
    facts = [Fact("group", "sweep"), Fact("parent", "study")]
    commit(project.store, delta(child, "a/log", "mlflow", {"loss": [1.0]}, facts=facts))
    commit(project.store, delta(parent, "b/log", "mlflow", {"loss": [1.0]}))
    found = {run.id: run for run in project.query.runs()}
    assert (found[child].group, found[child].parent) == ("sweep", parent)
    assert (found[parent].group, found[parent].parent) == ("", "")
