"""From a key to the changed screen, in the run table of many runs on a terminal of 120x40."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from statistics import median

from tests.bench.figures import Budget, Figure
from tests.bench.processes import PEERS, WORKBENCH, Plan
from tests.bench.startup import crowded, painted
from tests.bench.terminal import Terminal

DOWN, UP, PAGE_DOWN, ENTER, BACKSPACE = "\x1b[B", "\x1b[A", "\x1b[6~", "\r", "\x7f"
PER_KEY = Budget("most", 50)


def measure(plan: Plan) -> Sequence[Figure]:
    root = crowded(plan)
    (root / ".workbench" / "session.json").unlink(missing_ok=True)
    runs = plan.of(10_000, 1_000)
    plan.tell("keys in the run table")
    floor = bare()
    with Terminal([WORKBENCH, root]) as terminal:
        terminal.until(lambda text: "● live" in text)
        terminal.settle(1.0)
        took = {"scroll": _scroll(terminal, runs), "sort": _sort(terminal), "filter": _filter(terminal, runs)}
        terminal.leave()
    return [
        Figure(f"run table, {runs:,} runs: {kind}, p95 of a key", "ms", high(times), floor, "a bare Textual app",
               PER_KEY, f"{len(times)} keys, median {median(times):.0f} ms, slowest {max(times):.0f} ms")
        for kind, times in took.items()
    ]  # fmt: skip


def pressed(terminal: Terminal, key: str, there: Callable[[str], bool]) -> float:
    """Milliseconds from a key, sent when all is quiet, until the words it must bring are drawn."""
    terminal.settle(0.15)
    sent = terminal.send(key)
    return (terminal.until(there) - sent) * 1000


def high(times: Sequence[float]) -> float:
    return sorted(times)[min(len(times) - 1, round(0.95 * len(times)))]


def bare() -> float:
    with Terminal([sys.executable, PEERS / "bare_app.py"]) as terminal:
        terminal.until(lambda text: "the least there is" in text)
        return high([pressed(terminal, "x", lambda text, n=n: f"key {n}." in text) for n in range(1, 31)])


def _scroll(terminal: Terminal, runs: int) -> list[float]:
    """One row at a time, pages, and from end to end."""
    times = [pressed(terminal, DOWN, lambda text, n=n: f"run-{runs - 1 - n:05d}" in text) for n in range(1, 31)]
    times += [pressed(terminal, PAGE_DOWN, painted) for _ in range(20)]
    return times + [pressed(terminal, key, painted) for key in "GgGgGg"]


def _sort(terminal: Terminal) -> list[float]:
    """Turn the order, and sort by name and by age through the list of columns."""
    times = [pressed(terminal, "S", painted) for _ in range(10)]
    for move in (DOWN, UP, DOWN, UP, DOWN, UP):
        pressed(terminal, "s", lambda text: "Sort by" in text)
        pressed(terminal, move, lambda text: "age" in text)
        times.append(pressed(terminal, ENTER, painted))
    return times


def _filter(terminal: Terminal, runs: int) -> list[float]:
    """Type a filter with the table following, change it, and take it back, five times."""
    times = []
    for _ in range(5):
        pressed(terminal, "/", lambda text: "keep" in text)
        typed, shown = "", runs
        for key in ("l", "r", ">", "0", ".", "5", BACKSPACE, "9", BACKSPACE, "2"):
            typed = typed[:-1] if key == BACKSPACE else typed + key
            before, shown = shown, _matching(typed, runs, shown)
            count = f" {shown:,} of {runs:,} runs" if shown != before else ""
            times.append(pressed(terminal, key, lambda text, typed=typed, count=count: typed in text and count in text))
        terminal.send(BACKSPACE * len(typed))
        pressed(terminal, ENTER, painted)
    return times


def _matching(typed: str, runs: int, before: int) -> int:
    """How many runs the table shows: a filter that cannot be read yet leaves it as it was."""
    if ">" not in typed:
        return 0
    limit = typed.partition(">")[2]
    return runs - 1 - round(float(limit) * runs) if limit else before
