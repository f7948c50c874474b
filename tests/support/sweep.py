"""A small sweep in memory: five settings with three seeds each, whose best settings are known."""

from __future__ import annotations

import math

import numpy as np

from tests.support.memory_query import MemoryQuery, series, with_points
from workbench.core.model import Run

SETTINGS = (("adam", 1e-4, 2), ("adam", 1e-3, 4), ("adam", 1e-3, 8), ("sgd", 1e-2, 2), ("sgd", 1e-1, 4))
SEEDS = (1, 2, 3)
NOISE = 0.004
STEPS = 60
STARTED = 1_767_600_000.0


def quality(optimizer: str, lr: float, depth: int) -> float:
    """What the accuracy of a setting tends to: adam is better, deeper is better, far learning rates are worse."""
    return 0.80 + 0.03 * (optimizer == "adam") + 0.01 * math.log2(depth) - 0.02 * abs(math.log10(lr) + 3)


def sweep(*, baseline: str = "sgd-0.1-4-s1", rounds: int = 1) -> MemoryQuery:
    """Runs `adam-0.001-8-s2` and so on, newest last in the list of settings; with `rounds` each seed comes again."""
    random = np.random.default_rng(7)
    runs, points = [], []
    for number, (optimizer, lr, depth) in enumerate(SETTINGS):
        for seed in range(1, 3 * rounds + 1):
            name = f"{optimizer}-{lr:g}-{depth}-s{seed}"
            params = {
                "optimizer": optimizer, "lr": lr, "depth": depth, "seed": seed, "batch_size": 64,
                "output_dir": f"out/{name}",
            }  # fmt: skip
            start = STARTED + 3600 * number + 60 * seed
            runs.append(
                Run(
                    name, name, "jsonl", f"runs/{name}", "finished", "", start, start + 100 * depth,
                    start + 100 * depth, params, {"team": "vision"}, baseline=name == baseline,
                )
            )  # fmt: skip
            steps = np.arange(STEPS)
            end = quality(optimizer, lr, depth) + random.normal(0, NOISE)
            points.append(series(name, "val/accuracy", (end * (1 - np.exp(-steps / 8))).tolist(), wall=start))
            points.append(series(name, "val/loss", (2 * np.exp(-steps / 9) + 1 - end).tolist(), wall=start))
    return MemoryQuery(all_runs=tuple(runs), points=with_points(*points))
