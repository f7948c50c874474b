"""An interface, an ingester and commands in loops on one store: no error, no lost row, no long wait."""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from tests.support.ingest import Project
from tests.support.terminal import Terminal
from tests.torture.test_kill import WORKBENCH, start_writer, stop_writer
from tests.torture.writers import KEYS
from workbench.store.store import Store

LOOPS: Sequence[Sequence[str]] = (
    ("runs", "--format", "json"),
    ("report", "--format", "json"),
    ("sql", "select count(*) from point", "--format", "json"),
)


def fill(project: Project, points: int) -> None:
    """A finished run of `points` points as the ground that everybody queries."""
    step = np.arange(points // 20)
    keys = [f"layer{i}/norm" for i in range(20)]
    with (project.root / "ground.csv").open("w") as file:
        file.write(",".join(["step", *keys]) + "\n")
        for i in step.tolist():
            file.write(f"{i}," + ",".join([f"{i / 1000}"] * 20) + "\n")
    project.read()


def loop(command: Sequence[str], root: Path, until: float, answers: list[subprocess.CompletedProcess[str]]) -> None:
    while time.monotonic() < until:
        answers.append(
            subprocess.run([*WORKBENCH, *command], cwd=root, capture_output=True, text=True, check=False, timeout=120)
        )


def measure_waits(store: Store, until: float, waits: list[float]) -> None:
    """How long a lease takes to get, ten times a second."""
    while time.monotonic() < until:
        began = time.monotonic()
        with store.read() as con:
            waits.append(time.monotonic() - began)
            con.execute("SELECT 1").fetchall()
        time.sleep(0.1)


@pytest.mark.parametrize(
    ("seconds", "points"),
    [(8, 100_000), pytest.param(60, 1_000_000, marks=[pytest.mark.slow, pytest.mark.timeout(600)])],
)
def test_everybody_works_on_one_store_at_once(
    seconds: int, points: int, project: Project, capsys: pytest.CaptureFixture[str], request: pytest.FixtureRequest
) -> None:
    fill(project, points)
    writers = [start_writer("jsonl", project.root / f"live{i}.jsonl") for i in range(3)]
    watch = subprocess.Popen([*WORKBENCH, "watch", str(project.root)], stderr=subprocess.PIPE, text=True)
    screen = Terminal([*WORKBENCH, str(project.root)], project.root)
    request.addfinalizer(lambda: screen.__exit__())
    answers: list[subprocess.CompletedProcess[str]] = []
    waits: list[float] = []
    until = time.monotonic() + seconds
    threads = [threading.Thread(target=loop, args=(command, project.root, until, answers)) for command in LOOPS]
    threads.append(threading.Thread(target=measure_waits, args=(Store(project.store.place), until, waits)))
    for thread in threads:
        thread.start()
    while time.monotonic() < until:
        screen.keys("jk")
        screen.read(0.5)
    for thread in threads:
        thread.join()
    assert screen.process.poll() is None, screen.output[-3000:]
    screen.keys("q")
    assert screen.leave() == 0
    written = sum(stop_writer(writer) for writer in writers)
    watch.terminate()
    _, told = watch.communicate(timeout=30)
    subprocess.run([*WORKBENCH, "watch", "--once", str(project.root)], check=True, capture_output=True)
    with capsys.disabled():
        longest, median = max(waits), sorted(waits)[len(waits) // 2]
        print(f"\n  {written:,} lines, {len(answers)} commands; longest wait {longest:.3f} s, median {median:.4f} s")
    assert [answer.stderr for answer in answers if answer.returncode] == []
    assert watch.returncode == 0, told
    assert "rror" not in told, told
    with project.store.read() as con:
        assert con.execute("SELECT count(*) FROM point").fetchall() == [(points + written * len(KEYS),)]
    assert longest < 1.0
