"""A store of many runs, written by the store's own door in large batches."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tests.bench.data import START
from workbench.core.batch import Fact
from workbench.core.ids import hash64, run_id, series_id
from workbench.store.append import Cursor, Delta, PointRows, append
from workbench.store.place import place_of
from workbench.store.store import Store

KEYS = ("val/accuracy", "val/loss", "train/loss", "lr", "latency_ms")
STEPS = 200
"""Times 5 keys are 1,000 points a run."""
BATCH = 500


def name_of(place: int) -> str:
    return f"run-{place:05d}"


def crowd(folder: Path, runs: int) -> None:
    """`runs` finished runs of 1,000 points, the later ones newer; run `i` has `lr` i / runs."""
    store = Store(place_of(folder))
    store.create()
    for first in range(0, runs, BATCH):
        deltas = [_delta(place, runs) for place in range(first, min(first + BATCH, runs))]
        with store.write() as con:
            append(con, deltas)
    store.close()


def _delta(place: int, runs: int) -> Delta:
    path, started = f"runs/{name_of(place)}", START + 60.0 * place
    run = run_id(path=path)
    series = {series_id(run, key, "workbench"): key for key in KEYS}
    noise = np.random.default_rng(place).normal(0, 0.02, (len(KEYS), STEPS))
    level = np.array([0.8, 0.4, 0.35, 0.01, 12.0])[:, None]
    curve = 1 - 0.5 * np.exp(-np.arange(STEPS) / 40)
    step = np.tile(np.arange(STEPS, dtype=np.int64), len(KEYS))
    points = PointRows(
        np.array([*series], dtype=np.uint64), [run] * len(series),
        np.repeat(np.arange(len(series), dtype=np.uint16), STEPS), np.arange(step.size, dtype=np.int64) * 40, step,
        started + step.astype(np.float64) / 4, (level * (curve + noise)).ravel(),
    )  # fmt: skip
    facts = [
        Fact("name", name_of(place), wall=started), Fact("started", started, wall=started),
        Fact("ended", started + 50.0, wall=started + 50), Fact("status", "finished", wall=started + 50),
        Fact("param", place / runs, "lr", started), Fact("param", 2 ** (place % 5), "depth", started),
        Fact("param", place % 7, "seed", started), Fact("param", ("sgd", "adam")[place % 2], "optimizer", started),
        Fact("tag", "", f"sweep-{place % 20}", started),
    ]  # fmt: skip
    log = f"{path}/log.wb.jsonl"
    # No inode: there is no file, and an ingester takes none to be missing.
    cursor = Cursor(
        hash64("source", log), log, "workbench", 1, run, "", 0, 0, 0, 40 * step.size, 40 * step.size,
        int(started * 1e9), 0, "", "", step.size, 0, "live", "", "", 0, started + 50, 1.0, 1.0, started,
    )  # fmt: skip
    return Delta(
        cursor, points, [(id_, run, key, "workbench") for id_, key in series.items()], [(run, path, "workbench")],
        [(run, fact) for fact in facts],
    )  # fmt: skip
