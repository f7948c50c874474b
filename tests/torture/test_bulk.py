"""The same points as TensorBoard events, JSON lines and CSV: every one is stored, with its exact value."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from tensorboardX import SummaryWriter

from tests.support.ingest import Project

TAGS = [f"metrics/tag{i}" for i in range(20)]


def write_run(root: Path, number: int, values: NDArray[np.float64]) -> None:
    """One run in three formats; `values` is steps by tags."""
    folders = [root / kind / f"run{number:03d}" for kind in ("tensorboard", "jsonl", "csv")]
    for folder in folders:
        folder.mkdir(parents=True)
    with SummaryWriter(str(folders[0])) as writer:
        for step, row in enumerate(values.tolist()):
            for tag, value in zip(TAGS, row, strict=True):
                writer.add_scalar(tag, value, step, walltime=1_700_000_000 + step)
    with (folders[1] / "metrics.jsonl").open("w") as file:
        file.writelines(
            json.dumps({"step": step, **dict(zip(TAGS, row, strict=True))}) + "\n"
            for step, row in enumerate(values.tolist())
        )
    with (folders[2] / "metrics.csv").open("w") as file:
        file.write(",".join(["step", *TAGS]) + "\n")
        file.writelines(f"{step},{','.join(map(repr, row))}\n" for step, row in enumerate(values.tolist()))


@pytest.mark.parametrize(
    ("runs", "steps"), [(8, 100), pytest.param(100, 1_000, marks=[pytest.mark.slow, pytest.mark.timeout(1800)])]
)
def test_three_formats_give_the_same_points(runs: int, steps: int, project: Project) -> None:
    values = np.random.default_rng(7).random((runs, steps, len(TAGS)))
    for number in range(runs):
        write_run(project.root, number, values[number])
    command = [sys.executable, "-m", "workbench.cli.main", "watch", "--once", str(project.root)]
    subprocess.run(command, check=True, capture_output=True)
    with project.store.read() as con:
        counts = con.execute(
            "SELECT format, count(*) FROM point JOIN source USING (source_id) GROUP BY format ORDER BY format"
        ).fetchall()
    assert counts == [(name, runs * steps * len(TAGS)) for name in ("csv", "jsonl", "tensorboard")]
    found = {run.path: run for run in project.query.runs()}
    assert len(found) == 3 * runs
    for number in (0, runs // 2, runs - 1):
        for kind in ("tensorboard", "jsonl", "csv"):
            run = found[f"{kind}/run{number:03d}"]
            for position, tag in enumerate(TAGS):
                expected = values[number, :, position]
                if kind == "tensorboard":
                    expected = expected.astype(np.float32).astype(np.float64)
                np.testing.assert_array_equal(project.query.series(run.id, tag).value, expected)
                assert run.metrics[tag].n == steps
