"""From a key to the last byte of the changed frame, in a grid of six charts of five runs on a terminal of 120x40."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from statistics import median

import numpy as np

from tests.bench.data import once
from tests.bench.figures import Budget, Figure
from tests.bench.processes import WORKBENCH, Plan, measured
from tests.bench.table import DOWN, bare, high
from tests.bench.terminal import NotDrawn, Terminal

RUNS = 5
KEYS = ("train/loss", "train/accuracy", "train/grad_norm", "val/loss", "val/accuracy", "val/f1")
LEFT, RIGHT, FAR_LEFT = "\x1b[D", "\x1b[C", "<"
PER_KEY = Budget("most", 50)
QUIET = 0.03
"""Seconds without a byte after which a frame is whole."""


def measure(plan: Plan) -> Sequence[Figure]:
    points = plan.of(10_000, 1_000)
    plan.tell(f"keys in a grid of {len(KEYS)} charts, {RUNS} runs of {points:,} points")
    root = once(plan.scratch / f"curves-{points}", lambda folder: _project(folder, points))
    (root / ".workbench" / "session.json").unlink(missing_ok=True)
    floor = bare()
    with Terminal([WORKBENCH, root]) as terminal:
        terminal.until(lambda text: "● live" in text)
        terminal.settle(1.0)
        terminal.send("*")
        terminal.settle(0.5)
        terminal.send("c")
        terminal.settle(2.0)
        took = {
            "crosshair": [frame(terminal, key) for key in ("x", *[LEFT] * 20, *[FAR_LEFT] * 5, *[RIGHT] * 10)],
            "zoom and pan": [frame(terminal, key) for key in ("+", "+", *"(((())))", "-", "-") * 2],
            "cursor": [frame(terminal, key) for key in (".", ".", ",", DOWN) * 5],
        }
        terminal.leave()
    return [
        Figure(f"grid of {len(KEYS)} charts, {RUNS} runs of {points:,} points: {kind}, p95 of a key", "ms", high(times),
               floor, "a bare Textual app", PER_KEY,
               f"{len(times)} keys, median {median(times):.0f} ms, slowest {max(times):.0f} ms")
        for kind, times in took.items()
    ]  # fmt: skip


def frame(terminal: Terminal, key: str) -> float:
    """Milliseconds from a key to the last byte that it brings."""
    terminal.settle(0.15)
    sent = last = terminal.send(key)
    while terminal.read(1.0 if last == sent else QUIET):
        last = terminal.moment
    if "does nothing here" in terminal.text:
        raise NotDrawn(f"{key!r} is no key of the charts any more")
    return (last - sent) * 1000


def _project(folder: Path, points: int) -> None:
    """Runs as JSON lines, read once."""
    for run in range(RUNS):
        rng = np.random.default_rng(run)
        curves = [
            np.exp(-np.arange(points) / (points / (3 + at + run))) + rng.normal(0, 0.01, points)
            for at in range(len(KEYS))
        ]
        log = folder / "runs" / f"run-{run}" / "metrics.jsonl"
        log.parent.mkdir(parents=True)
        rows = zip(*(curve.tolist() for curve in curves), strict=True)
        log.write_text(
            "".join(
                json.dumps({"step": step, **dict(zip(KEYS, row, strict=True))}) + "\n" for step, row in enumerate(rows)
            )
        )
    measured([WORKBENCH, "watch", "--once", folder])
