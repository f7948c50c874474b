"""W&B folders seen through a project: each run once, by its own id, with what lies beside its log left alone."""

from __future__ import annotations

import random
import shutil
from pathlib import Path

import pytest

from tests.support.ingest import Project
from tests.support.wandb_files import facts, field, framed, points, read, record, row, run

FIXTURES = Path(__file__).parents[1] / "fixtures" / "wandb"


@pytest.fixture
def project(tmp_path):
    return Project(tmp_path)


def of(project, name):
    return next(found for found in project.query.runs() if found.name == name)


def test_a_folder_of_runs_shows_each_once_by_its_name(project):
    shutil.copytree(FIXTURES, project.root / "wandb")
    for folder in (project.root / "wandb").iterdir():
        (folder / "files").mkdir()
        (folder / "files" / "config.yaml").write_text("lr:\n  value: 7\n")
        (folder / "files" / "metrics.csv").write_text("step,loss\n1,2\n")
        (folder / "logs").mkdir()
        (folder / "logs" / "debug.log").write_text("step: 1 loss: 5\n" * 50)
    latest = sorted((project.root / "wandb").iterdir())[-1]
    (project.root / "wandb" / "latest-run").symlink_to(latest)
    project.read()
    runs = project.query.runs()
    assert len(runs) == len(list(FIXTURES.glob("*/*.wandb"))) == 6
    assert {found.format for found in runs} == {"wandb"}
    every = of(project, "everything")
    assert dict(every.params)["opt.name"] == "adam"
    assert every.status == "finished"
    assert every.environment["project"] == "demo"


def test_a_run_that_grows_by_pieces_while_ingesters_come_and_go_is_read_as_at_once(project):
    (path,) = FIXTURES.glob("*/run-every*.wandb")
    data, at = path.read_bytes(), 0
    for cut in [*sorted(random.Random(3).choices(range(len(data)), k=6)), len(data)]:
        project.write("wandb/run-20260101_000000-every123/run-every123.wandb", data[at:cut])
        project.read()
        at = cut
    batch = read(data)
    wanted = [(key, step, repr(value)) for key, step, value in project.points()]
    assert sorted(wanted) == sorted((key, step, value) for key, step, _, value, _ in points(batch))
    params = {key: value for (kind, key), value in facts(batch).items() if kind == "param"}
    found = of(project, "everything")
    assert dict(found.params) == params
    assert [line.text for line in project.query.console(found.id)] == [line.text for line in batch.console]
    drawn = project.query.histograms(found.id, "weights")
    assert [(each.step, sum(each.counts)) for each in drawn] == [(each.step, 1000) for each in batch.histograms]


def test_a_resumed_run_is_one_run_that_goes_on(project):
    first = framed([run(), row(0, loss=1.0), row(1, loss=0.5), record(18, field(1, 1))])
    project.write("wandb/run-20260101_000000-abc/run-abc.wandb", first)
    project.read()
    again = framed([run("abc", field(14, 2), field(18, 1)), row(2, loss=0.25), record(18, b"")])
    project.write("wandb/run-20260102_000000-abc/run-abc.wandb", again)
    project.read()
    (found,) = project.query.runs()
    assert [step for _, step, _ in project.points("loss")] == [0, 1, 2]
    assert found.status == "finished"
