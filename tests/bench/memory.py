"""How much memory reading takes, whatever the size of the file."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from tests.bench import data
from tests.bench.figures import Budget, Figure
from tests.bench.ingest import committed
from tests.bench.processes import Plan

JSON_LINE, EVENT = 520, 48
"""About how many bytes a line of 20 scalars, and one event take."""


def measure(plan: Plan) -> Sequence[Figure]:
    json_mb, event_mb = plan.of(2000, 100), plan.of(300, 60)
    return [
        _peak(plan, "one JSONL file", data.json_files, json_mb * 1_000_000 // JSON_LINE),
        _peak(plan, "one TensorBoard file", data.event_files, event_mb * 1_000_000 // EVENT // len(data.TAGS)),
    ]


def _peak(plan: Plan, what: str, make: Callable[[Path, int, int], None], steps: int) -> Figure:
    plan.tell(f"{what} of {steps:,} steps")
    root = data.once(plan.scratch / f"{make.__name__}-{steps}", lambda folder: make(folder, 1, steps))
    size = sum(path.stat().st_size for path in root.rglob("*") if path.is_file() and ".workbench" not in path.parts)
    plan.tell(f"reading {what} of {size / 1e6:,.0f} MB")
    spent = committed(root, steps * len(data.TAGS))
    rate = steps * len(data.TAGS) / spent.wall / 1e6
    return Figure(
        f"peak memory, {what} of {size / 1e6:,.0f} MB", "MB", spent.peak, budget=Budget("most", 400),
        note=f"{steps * len(data.TAGS) / 1e6:.0f} M points in {spent.wall:.1f} s, {rate:.2f} M points/s",
    )  # fmt: skip
