"""Drift of 25 columns beside Evidently's own run on the same files."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from statistics import median

from tests.bench import data
from tests.bench.figures import Budget, Figure
from tests.bench.processes import PEERS, WORKBENCH, Plan, in_turns, measured, middle


def measure(plan: Plan) -> Sequence[Figure]:
    rows = plan.of(1_000_000, 100_000)
    folder = data.once(plan.scratch / f"drift-{rows}", lambda path: data.tables(path, rows))
    files = [folder / "reference.parquet", folder / "current.parquet"]
    ours = [WORKBENCH, "drift", *files, "--format", "json"]
    theirs = [sys.executable, PEERS / "evidently_run.py", *files]
    sides = {"ours": lambda: measured(ours), "Evidently": lambda: measured(theirs)}
    found = in_turns(plan, plan.of(1, min(3, plan.rounds)), sides)
    found["ours"] += in_turns(plan, plan.rounds - 1, {"ours": sides["ours"]})["ours"]
    peers = found["Evidently"]
    size = f"drift, 25 columns, {rows:,} rows a side"
    peak, theirs_peak = (median(each.peak for each in found[name]) for name in ("ours", "Evidently"))
    widest = _widest(found["ours"][0].output, peers[0].output)
    return [
        Figure(size, "s", middle(found["ours"]), middle(peers), "Evidently", Budget("speedup", 20)),
        Figure(f"{size}: peak memory", "MB", peak, theirs_peak, "Evidently", Budget("most", 300)),
        Figure(f"{size}: widest difference of a score", "", widest, budget=Budget("most", 1e-9)),
    ]


def _widest(ours: bytes, theirs: bytes) -> float:
    """The widest difference of a column's scores; a column that one side lacks counts as infinite."""
    mine = {column["column"]: column["score"] for column in json.loads(ours)["columns"]}
    other: dict[str, float] = json.loads(theirs)
    if mine.keys() != other.keys():
        return float("inf")
    return max(abs(mine[name] - other[name]) for name in other)
