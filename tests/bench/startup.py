"""How long until there is something to see."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from tests.bench import stores
from tests.bench.data import once
from tests.bench.figures import Budget, Figure
from tests.bench.processes import PEERS, WORKBENCH, Plan, in_turns, measured, middle
from tests.bench.terminal import Terminal

ROWS_PAINTED = 28
"""Names of runs that must stand on a screen of 40 lines before it counts as painted."""
FIRST_PAINT = Budget("extra", 300)


def measure(plan: Plan) -> Sequence[Figure]:
    return [_help(plan), *_first_paint(plan)]


def _help(plan: Plan) -> Figure:
    sides = {
        "workbench --help": lambda: measured([WORKBENCH, "--help"]),
        "python -c pass": lambda: measured([sys.executable, "-c", "pass"]),
    }
    found = in_turns(plan, 4 * plan.rounds, sides)
    ours, peer = (1000 * middle(found[name]) for name in sides)
    return Figure("workbench --help", "ms", ours, peer, "python -c pass", Budget("extra", 100))


def crowded(plan: Plan) -> Path:
    """The project of many runs, made once in a run of the bench."""
    runs = plan.of(10_000, 1_000)
    plan.tell(f"a store of {runs:,} runs and {runs // 1000} M points")
    return once(plan.scratch / f"crowd-{runs}", lambda folder: stores.crowd(folder, runs))


def painted(text: str) -> bool:
    return len(set(re.findall(r"run-\d{5}", text))) >= ROWS_PAINTED


def _first_paint(plan: Plan) -> Sequence[Figure]:
    root = crowded(plan)
    session = root / ".workbench" / "session.json"
    live_after: list[float] = []

    def first_time() -> float:
        session.unlink(missing_ok=True)
        return again()

    def again() -> float:
        with Terminal([WORKBENCH, root]) as terminal:
            seen = terminal.until(painted) - terminal.began
            live_after.append(terminal.until(lambda text: "● live" in text) - terminal.began)
            terminal.settle()
            terminal.leave()
        return seen

    def bare() -> float:
        with Terminal([sys.executable, PEERS / "bare_app.py"]) as terminal:
            return terminal.until(lambda text: "the least there is" in text) - terminal.began

    found = in_turns(plan, plan.rounds, {"bare": bare, "first": first_time, "again": again})
    peer, first, second = (1000 * median(found[name]) for name in ("bare", "first", "again"))
    live = 1000 * median(live_after[1::2])
    size = f"{plan.of(10_000, 1_000):,} runs"
    return [
        Figure(f"TUI, first full paint, {size}, opened before", "ms", second, peer, "bare Textual app", FIRST_PAINT,
               f"rows from the session that was left; all rows live after {live:.0f} ms"),
        Figure(f"TUI, first full paint, {size}, never opened", "ms", first, peer, "bare Textual app", FIRST_PAINT,
               "rows from the store, nothing remembered"),
    ]  # fmt: skip
