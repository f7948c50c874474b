"""The ingester dies at any moment, again and again, while three writers go on: nothing is lost, nothing comes twice."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from tests.support.ingest import Project
from tests.torture.writers import KEYS, values

WORKBENCH = [sys.executable, "-m", "workbench.cli.main"]


def start_writer(kind: str, path: Path, pause: float = 0.002) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.torture.writers", kind, str(path), str(pause)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def stop_writer(writer: subprocess.Popen[str]) -> int:
    out, _ = writer.communicate()
    return int(out)


def kill_cycles(root: Path, cycles: int, seed: int) -> None:
    """Start an ingester and kill it a random moment later, over and over."""
    rng = random.Random(seed)
    for _ in range(cycles):
        ingester = subprocess.Popen([*WORKBENCH, "watch", str(root)], stderr=subprocess.DEVNULL)
        time.sleep(0.3 + rng.random() * 0.5)  # the moment of the kill is what is tried, not a wait for something
        os.kill(ingester.pid, signal.SIGKILL)
        ingester.wait()


def check(project: Project, written: dict[str, int], capsys: pytest.CaptureFixture[str]) -> None:
    sources = {source.format: source for source in project.query.sources()}
    lines = {"jsonl": written["jsonl"], "csv": written["csv"] + 1, "tensorboard": written["events"] + 1}
    with capsys.disabled():
        for name, count in lines.items():
            source = sources[name]
            print(f"\n  {name}: {count:,} written = {source.accepted:,} accepted + {source.rejected} refused", end="")
    for name, count in lines.items():
        assert sources[name].accepted + sources[name].rejected == count
        assert sources[name].rejected == 0
    with project.store.read() as con:
        [(total, distinct)] = con.execute(
            "SELECT count(*), count(DISTINCT (series_id, source_id, generation, byte_offset)) FROM point_log"
        ).fetchall()
    assert total == distinct == len(KEYS) * (written["jsonl"] + written["csv"]) + written["events"]
    for run in project.query.runs():
        for key in KEYS:
            series = project.query.series(run.id, key)
            expected = np.array([values(step)[key] for step in series.step.tolist()])
            if run.format == "tensorboard":
                expected = expected.astype(np.float32).astype(np.float64)
            np.testing.assert_array_equal(series.step, np.arange(len(series.step)))
            np.testing.assert_array_equal(series.value, expected)
            assert run.metrics[key].n == len(series.step)


@pytest.mark.parametrize("cycles", [25, pytest.param(500, marks=[pytest.mark.slow, pytest.mark.timeout(3600)])])
def test_every_line_survives_kill_9_of_the_ingester(
    cycles: int, project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    root = project.root
    (root / "tb").mkdir()
    writers = {
        "jsonl": start_writer("jsonl", root / "train.jsonl"),
        "csv": start_writer("csv", root / "history_of_run.csv"),
        "events": start_writer("events", root / "tb"),
    }
    try:
        kill_cycles(root, cycles, seed=cycles)
    finally:
        written = {kind: stop_writer(writer) for kind, writer in writers.items()}
    done = subprocess.run([*WORKBENCH, "watch", "--once", str(root)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    check(project, written, capsys)
