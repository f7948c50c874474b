"""Drift of tables beside Evidently's own run on the same files, of tables beyond memory, and of a thousand windows."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from statistics import median

import numpy as np

from tests.bench import data
from tests.bench.figures import Budget, Figure
from tests.bench.processes import HERE, PEERS, WORKBENCH, Plan, in_turns, measured, middle


def measure(plan: Plan) -> Sequence[Figure]:
    rows = plan.of(1_000_000, 100_000)
    return [
        *_beside_evidently(plan, rows, 20, plan.of(1, min(3, plan.rounds))),
        *_beside_evidently(plan, 10_000, 10, min(3, plan.rounds)),
        *_beyond_memory(plan),
        *_windows(plan),
    ]


def _beside_evidently(plan: Plan, rows: int, faster: float, turns: int) -> Sequence[Figure]:
    folder = data.once(plan.scratch / f"drift-{rows}", lambda path: data.tables(path, rows))
    files = [folder / "reference.parquet", folder / "current.parquet"]
    ours = [WORKBENCH, "drift", *files, "--format", "json"]
    theirs = [sys.executable, PEERS / "evidently_run.py", *files]
    sides = {"ours": lambda: measured(ours), "Evidently": lambda: measured(theirs)}
    found = in_turns(plan, turns, sides)
    found["ours"] += in_turns(plan, max(plan.rounds - turns, 0), {"ours": sides["ours"]})["ours"]
    peers = found["Evidently"]
    size = f"drift, 25 columns, {rows:,} rows a side"
    peak, theirs_peak = (median(each.peak for each in found[name]) for name in ("ours", "Evidently"))
    same = measured([*ours, "--mode", "evidently"])
    return [
        Figure(size, "s", middle(found["ours"]), middle(peers), "Evidently", Budget("speedup", faster)),
        Figure(f"{size}: peak memory", "MB", peak, theirs_peak, "Evidently", Budget("most", 300)),
        Figure(f"{size}: its own mode", "s", same.wall, middle(peers), "Evidently", Budget("speedup", faster)),
        Figure(
            f"{size}: widest difference of a score", "", _widest(same.output, peers[0].output),
            budget=Budget("most", 1e-9),
        ),
    ]  # fmt: skip


def _beyond_memory(plan: Plan) -> Sequence[Figure]:
    """Columns longer than are held: peak memory, and the score beside numpy's of the whole sorted column."""
    rows = plan.of(20_000_000, 5_000_000)
    folder = data.once(plan.scratch / f"drift-long-{rows}", lambda path: _long_tables(path, rows))
    files = [folder / "reference.parquet", folder / "current.parquet"]
    spent = measured([WORKBENCH, "drift", *files, "--format", "json"])
    found = {column["column"]: column["score"] for column in json.loads(spent.output)["columns"]}
    name = f"drift, 3 columns, {rows:,} rows a side"
    exact = max(abs(found[column] - _whole(folder, column)) / found[column] for column in ("normal", "skewed"))
    return [
        Figure(name, "s", spent.wall),
        Figure(f"{name}: peak memory", "MB", spent.peak, budget=Budget("most", 400)),
        Figure(f"{name}: difference to all rows sorted", "", exact, budget=Budget("most", 1e-9)),
    ]


def _windows(plan: Plan) -> Sequence[Figure]:
    windows = plan.of(1000, 100)
    folder = data.once(plan.scratch / f"drift-windows-{windows}", lambda path: _window_tables(path, windows))
    files = [folder / "reference.parquet", folder / "current.parquet"]
    spent = measured([sys.executable, HERE / "windows_run.py", *files])
    found = json.loads(spent.output)
    assert (found["windows"], found["columns"]) == (windows, 20)
    name = f"drift of {windows:,} windows, 1,000 rows x 20 columns"
    return [Figure(name, "s", spent.wall, budget=Budget("most", 60))]


def _long_tables(folder: Path, rows: int) -> None:
    import polars as pl

    for seed, (name, shift) in enumerate((("reference", 0.0), ("current", 0.05))):
        random = np.random.default_rng(seed)
        pl.DataFrame(
            {
                "normal": random.normal(shift, 1, rows),
                "skewed": random.gamma(2 + shift, 3, rows),
                "class": random.integers(0, 50, rows, dtype=np.int16),
            }
        ).write_parquet(folder / f"{name}.parquet", row_group_size=1_000_000)


def _window_tables(folder: Path, windows: int) -> None:
    import polars as pl

    for seed, (name, rows) in enumerate((("reference", 200_000), ("current", 1000 * windows))):
        random = np.random.default_rng(seed)
        columns = {f"n{i:02d}": random.normal(0, 1 + i, rows) for i in range(10)}
        columns |= {f"s{i:02d}": random.lognormal(0, 0.5, rows) for i in range(6)}
        columns |= {f"i{i:02d}": random.poisson(40, rows).astype(float) for i in range(4)}
        pl.DataFrame(columns).write_parquet(folder / f"{name}.parquet")


def _whole(folder: Path, column: str) -> float:
    """The normed Wasserstein distance of two columns of one length, both held and sorted."""
    import polars as pl

    left, right = (
        np.sort(pl.read_parquet(folder / f"{name}.parquet", columns=[column])[column].to_numpy())
        for name in ("reference", "current")
    )
    return float(np.mean(np.abs(left - right)) / left.std())


def _widest(ours: bytes, theirs: bytes) -> float:
    """The widest difference of a column's scores; a column that one side lacks counts as infinite."""
    mine = {column["column"]: column["score"] for column in json.loads(ours)["columns"]}
    other: dict[str, float] = json.loads(theirs)
    if mine.keys() != other.keys():
        return float("inf")
    return max(abs(mine[name] - other[name]) for name in other)
