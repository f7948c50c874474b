"""The ingester dies again and again in the middle of a large export: the windows are those of one clean read."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from tests.support.monitors import Production

WORKBENCH = [sys.executable, "-m", "workbench.cli.main"]
START = 1_704_067_200.0
CONFIG = """
[monitor.m]
path = "exports/*.csv"
[monitor.m.columns]
segments = ["country"]
[monitor.m.labels]
path = "labels/*.csv"
[monitor.m.reference]
path = "reference.parquet"
[monitor.m.window]
every = "1d"
"""
_AT_ONCE = 200_000


def rows(first: int, count: int) -> pl.DataFrame:
    """Rows of about 380 bytes, one every two seconds."""
    r = np.random.default_rng(first)
    score = r.random(count)
    frame = {
        "request_id": np.arange(first, first + count),
        "ts": START + (first + np.arange(count)) * 2.0,
        "country": r.choice(["DE", "FR", "IT"], count),
        "y_pred_proba": score,
        "y_pred": (score > 0.5).astype(int),
        "latency_ms": r.gamma(2, 10, count),
    }
    return pl.DataFrame(frame | {f"x{i}": r.normal(size=count) for i in range(15)})


def write(root: Path, size: int) -> None:
    """An export of `size` bytes, the labels of a tenth of its rows, and a reference."""
    for name in ("exports", "labels"):
        (root / name).mkdir(parents=True)
    with (root / "exports/log.csv").open("wb") as file:
        first = 0
        while file.tell() < size:
            part = rows(first, min(_AT_ONCE, size // 380 + 1))
            file.write(part.write_csv(include_header=not first).encode())
            labels = part.select("request_id", label=pl.col("y_pred")).gather_every(10)
            labels.write_csv(root / f"labels/{first}.csv")
            first += len(part)
    rows(10_000_000, 20_000).write_parquet(root / "reference.parquet")
    (root / "workbench.toml").write_text(CONFIG)


def kill_until_read(root: Path, seed: int, pace: float) -> int:
    """Start an ingester and kill it a random moment later, until one lives to the end; `pace` in seconds."""
    rng, killed = random.Random(seed), 0
    while True:
        ingester = subprocess.Popen([*WORKBENCH, "watch", "--once", str(root)], stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 0.5 + (0.2 + rng.random() + killed * 0.3) * pace
        while ingester.poll() is None and time.monotonic() < deadline:
            time.sleep(0.02)  # the moment of the kill is what is tried, not a wait for something
        if ingester.poll() is None:
            os.kill(ingester.pid, signal.SIGKILL)
            killed += 1
        if ingester.wait() == 0:
            return killed


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize(("size", "pace"), [(40_000_000, 0.6), (1_000_000_000, 4.0)], ids=["40 MB", "1 GB"])
def test_windows_of_an_export_survive_kills(
    size: int, pace: float, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path / "killed", size)
    (tmp_path / "clean").mkdir()
    for name in ("exports", "labels", "reference.parquet", "workbench.toml"):
        (tmp_path / "clean" / name).symlink_to(tmp_path / "killed" / name)
    killed = kill_until_read(tmp_path / "killed", seed=1, pace=pace)
    with capsys.disabled():
        print(f"\n  {size / 1e6:,.0f} MB read by {killed + 1} ingesters, all but the last of them killed", end="")
    assert killed >= 3
    clean = subprocess.run([*WORKBENCH, "watch", "--once", str(tmp_path / "clean")], check=False, capture_output=True)
    assert clean.returncode == 0, clean.stderr
    expected, found = (Production(tmp_path / name).query.windows("m") for name in ("clean", "killed"))
    assert len(found) == len(expected) > 4
    for window, other in zip(found, expected, strict=True):
        assert (window.start, window.segment, window.rows) == (other.start, other.segment, other.rows)
        assert window.columns == other.columns
        assert window.metrics == {key: value and pytest.approx(value, rel=1e-9) for key, value in other.metrics.items()}
