"""Which run an event file belongs to, seen through a project: folders that loggers make below a run are parts of it."""

from __future__ import annotations

import shutil

import pytest

from tests.fixtures import make_tensorboard as make
from tests.support.event_files import loop
from tests.support.ingest import Project

EVENTS = "events.out.tfevents.1763791200.host.0"


@pytest.fixture
def project(tmp_path):
    return Project(tmp_path)


def keys_of_runs(project):
    return {run.path: sorted(run.metrics) for run in project.query.runs()}


@pytest.mark.parametrize("writer", ["torch", "tensorboardX"])
def test_curves_of_add_scalars_are_series_of_the_run(project, writer):
    shutil.copytree(make.FOLDER / "curves" / writer, project.root / "exp")
    project.read()
    assert keys_of_runs(project) == {"exp": ["eval/loss/a", "eval/loss/b", "lr"]}
    assert [value for _, _, value in project.points("eval/loss/b")] == pytest.approx([2, 1, 2 / 3, 0.5, 0.4])


def test_a_curve_whose_first_value_is_late_does_not_become_a_run(project):
    project.write(f"exp/{EVENTS}", loop(["lr"], range(3)))
    late = make.event_file([])
    project.write(f"exp/loss_a/{EVENTS}", late)
    project.read()
    assert keys_of_runs(project) == {"exp": ["lr"]}
    assert "first values tell" in project.source(f"exp/loss_a/{EVENTS}").message
    project.write(f"exp/loss_a/{EVENTS}", loop(["loss"], range(3))[len(late) :])
    project.read()
    assert keys_of_runs(project) == {"exp": ["loss/a", "lr"]}
    project.write(f"exp/loss_a/{EVENTS}", loop(["loss"], range(3, 5))[len(late) :])
    project.read()
    assert len(project.points("loss/a")) == 5


@pytest.mark.parametrize(
    ("above", "folder", "tags"),
    [
        (True, "exp/loss_a", ["loss", "acc"]),
        (True, "exp/other", ["loss"]),
        (True, "exp/loss_", ["loss"]),
        (False, "exp/loss_a", ["loss"]),
    ],
)
def test_runs_below_a_run_stay_runs(project, above, folder, tags):
    if above:
        project.write(f"exp/{EVENTS}", loop(["lr"], range(3)))
    project.write(f"{folder}/{EVENTS}", loop(tags, range(3)))
    project.read()
    assert keys_of_runs(project)[folder] == sorted(tags)


def test_hyperparameters_and_subsets_join_the_run(project):
    shutil.copytree(make.FOLDER / "torch", project.root / "torch")
    shutil.copytree(make.FOLDER / "keras", project.root / "keras")
    project.read()
    runs = {run.path: run for run in project.query.runs()}
    assert set(runs) == {"torch", "keras"}
    assert dict(runs["torch"].params) == {"lr": 0.1, "layers": 2, "optimizer": "sgd", "amp": True}
    assert sorted(runs["keras"].metrics) == ["train/epoch_loss", "validation/epoch_loss"]


def test_a_resumed_run_hides_what_it_did_again(project):
    shutil.copytree(make.FOLDER / "resumed", project.root / "run")
    project.read()
    assert project.points("loss") == [("loss", s, 10.0 - s + 100 * (s >= 6)) for s in range(12)]
    assert project.stored() == 16
