"""Ten thousand small runs that nobody has read yet, and a thousand that do not change."""

from __future__ import annotations

import os
import re
import shutil
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from tests.bench import data
from tests.bench.figures import Budget, Figure
from tests.bench.ingest import committed
from tests.bench.processes import WORKBENCH, Plan
from tests.bench.terminal import Terminal
from workbench.core.config import load_config
from workbench.ingest.engine import Engine
from workbench.ingest.readers import all_readers
from workbench.store.place import STATE_NAME, place_of
from workbench.store.store import Store

LOOKS = 200


def measure(plan: Plan) -> Sequence[Figure]:
    runs = plan.of(10_000, 1_000)
    plan.tell(f"{runs:,} small runs")
    root = data.once(plan.scratch / f"small-{runs}", lambda folder: data.small_runs(folder, runs))
    return [_first_table(plan, root, runs), _all(plan, root, runs), *_unchanged(plan)]


def _first_table(plan: Plan, root: Path, runs: int) -> Figure:
    """From the command to the first row, in a project that has no store."""
    times = []
    for place in range(plan.rounds):
        plan.tell(f"first table of {runs:,} runs, {place + 1} of {plan.rounds}")
        shutil.rmtree(root / STATE_NAME, ignore_errors=True)
        with Terminal([WORKBENCH, root]) as terminal:
            times.append(terminal.until(lambda text: re.search(r"run-\d{5}", text) is not None) - terminal.began)
            terminal.leave()
    return Figure(f"{runs:,} small runs, cold: first rows of the table", "s", median(times), budget=Budget("most", 2))


def _all(plan: Plan, root: Path, runs: int) -> Figure:
    plan.tell(f"reading {runs:,} small runs")
    points = runs * data.SMALL_KEYS * data.SMALL_STEPS
    spent = committed(root, points)
    return Figure(
        f"{runs:,} small runs, cold: all read", "s", spent.wall, budget=Budget("most", 60),
        note=f"{points / 1e6:g} M points, processor {spent.cpu:.1f} s, peak {spent.peak:.0f} MB",
    )  # fmt: skip


def _unchanged(plan: Plan) -> Sequence[Figure]:
    """A look at runs that nobody writes: long after they were written, and while each may go on any moment."""
    root = data.once(plan.scratch / "small-1000", lambda folder: data.small_runs(folder, 1_000))
    shutil.rmtree(root / STATE_NAME, ignore_errors=True)
    written = max(path.stat().st_mtime for path in root.rglob("*.jsonl"))
    store = Store(place_of(root))
    store.create()
    found = {}
    for name, clock in (("an hour old", written + 3600), ("written just now", written + 60)):
        plan.tell(f"looks at 1,000 unchanged runs, {name}")
        engine = Engine(root, load_config(root), store, all_readers(), clock=lambda clock=clock: clock)
        engine.catch_up(final=True)
        _settle(engine)
        found[name] = [_look(engine) for _ in range(LOOKS)]
        engine.close()
    store.close()
    stats = 1000 * median(_stats([*root.rglob("*.jsonl")]) for _ in range(LOOKS))
    return [
        Figure(f"a look at 1,000 unchanged runs, {name}", "ms", 1000 * median(wall for wall, _ in looks), stats,
               "os.stat of each", Budget("most", 2), f"processor {1000 * median(cpu for _, cpu in looks):.2f} ms")
        for name, looks in found.items()
    ]  # fmt: skip


def _stats(paths: Sequence[Path]) -> float:
    began = time.perf_counter()
    for path in paths:
        os.stat(path, follow_symlinks=False)
    return time.perf_counter() - began


def _settle(engine: Engine) -> None:
    """A file that was read to its end is looked at once more, some of the old ones with each look."""
    quiet_since = time.monotonic()
    while time.monotonic() < quiet_since + 3:
        if engine.live() is not None:
            quiet_since = time.monotonic()


def _look(engine: Engine) -> tuple[float, float]:
    """Seconds, and of processor, of one poll of what is known; it must find nothing."""
    began, before = time.perf_counter(), time.thread_time()
    news = engine.live()
    took = time.perf_counter() - began, time.thread_time() - before
    if news is not None:
        raise RuntimeError(f"a look at unchanged runs read something: {news}")
    return took
