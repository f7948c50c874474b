from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.command_line import record
from tests.support.ingest import Project, line

LONG_AGO = 1_700_000_000.0
"""2023-11-14 22:13:20 UTC: whatever the day of the test, these runs are old."""


def write_runs(project: Project) -> None:
    """A named run that ended, an older JSONL log without name, an oldest CSV log with what no number says."""
    project.now = LONG_AGO
    project.write("dense/hparams.yaml", "lr: 0.001\nseed: 20130101\n", at=LONG_AGO - 200)
    for step in range(20):
        values = {"val/accuracy": 0.5 + step / 50, "latency_ms": float(10 + step % 7), "mystery": step}
        project.write("dense/metrics.jsonl", line(step, **values), at=LONG_AGO - 200)
    rows = "0,1.0\n1,nan\n2,-inf\n3,0.30000000000000004\n"
    project.write("sparse/metrics.csv", "step,train/loss\n" + rows, at=LONG_AGO - 300)
    start = record("start", run="n1", name="named", ts=LONG_AGO - 100, params={"lr": 0.1, "seed": 7}, tags={"best": ""})
    project.write("runs/n/n.wb.jsonl", start)
    project.write("runs/n/n.wb.jsonl", record("log", step=0, ts=LONG_AGO - 99, m={"val/accuracy": 0.6}))
    project.write(
        "runs/n/n.wb.jsonl", record("log", step=1, ts=LONG_AGO - 98, m={"val/accuracy": 0.9, "latency_ms": 5.0})
    )
    project.write("runs/n/n.wb.jsonl", record("end", ts=LONG_AGO - 90, status="finished"))
    project.write("dense/metrics.jsonl", "not json\n", at=LONG_AGO - 200)


@pytest.fixture
def logs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of logs that nobody has read yet; the current one."""
    root = tmp_path / "logs"
    root.mkdir()
    writer = Project.__new__(Project)
    writer.root, writer.now = root, LONG_AGO
    write_runs(writer)
    monkeypatch.chdir(root)
    return root


@pytest.fixture(scope="session")
def read_once(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    root = tmp_path_factory.mktemp("cli") / "flights"
    root.mkdir()
    project = Project(root)
    write_runs(project)
    project.read(final=True)
    yield project
    project.store.close()


@pytest.fixture
def read(read_once: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    """The same logs, read into a store, for tests that change nothing; the current folder."""
    monkeypatch.chdir(read_once.root)
    return read_once


@pytest.fixture
def own(project: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    """The same logs, read into a store of the test's own; the current folder."""
    write_runs(project)
    project.read(final=True)
    monkeypatch.chdir(project.root)
    return project
