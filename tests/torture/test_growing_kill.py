"""Every format grows while the ingester dies, again and again: what is in the store is what one read would bring."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import pytest

from tests.ingest.test_growing import content
from tests.support.growing import LOGS, finish, steps
from tests.support.ingest import Project
from tests.torture.test_kill import WORKBENCH


def killed_after(root: Path, seconds: float) -> None:
    ingester = subprocess.Popen([*WORKBENCH, "watch", str(root)], stderr=subprocess.DEVNULL)
    time.sleep(seconds)  # the moment of the kill is what is tried, not a wait for something
    os.kill(ingester.pid, signal.SIGKILL)
    ingester.wait()


@pytest.mark.parametrize("cycles", [6, pytest.param(300, marks=[pytest.mark.slow, pytest.mark.timeout(3600)])])
def test_every_format_survives_kill_9_of_the_ingester(cycles: int, project: Project) -> None:
    chance, now = random.Random(cycles), time.time()
    growing = [steps(log, project.root, chance, cycles, now) for log in LOGS]
    for _ in range(cycles):
        for log in growing:
            next(log)
        killed_after(project.root, 0.3 + 0.6 * chance.random())
    assert [list(log) for log in growing] == [[cycles]] * len(LOGS)
    done = subprocess.run([*WORKBENCH, "watch", "--once", str(project.root)], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    found = content(project, timed=False)
    with tempfile.TemporaryDirectory() as folder:
        whole = Project(Path(folder))
        for log in LOGS:
            finish(log, whole.root, now)
        whole.read(final=True)
        expected = content(whole, timed=False)
        whole.store.close()
    assert len(found) > 60
    for name in sorted(expected.keys() | found.keys()):
        assert found.get(name) == expected.get(name), name
