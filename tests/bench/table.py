"""From a key to the changed screen, in the run table of many runs on a terminal of 120x40."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Sequence
from statistics import median

from tests.bench.figures import Budget, Figure
from tests.bench.processes import PEERS, WORKBENCH, Plan
from tests.bench.startup import crowded, painted
from tests.bench.terminal import Terminal

DOWN, UP, PAGE_DOWN, PAGE_UP, ENTER = "\x1b[B", "\x1b[A", "\x1b[6~", "\x1b[5~", "\r"
PER_KEY = Budget("most", 50)


def measure(plan: Plan) -> Sequence[Figure]:
    root = crowded(plan)
    (root / ".workbench" / "session.json").unlink(missing_ok=True)
    runs = plan.of(10_000, 1_000)
    plan.tell("keys in the run table")
    floor = _bare()
    with Terminal([WORKBENCH, root]) as terminal:
        terminal.until(lambda text: "● live" in text)
        terminal.settle(1.0)
        took = {"scroll": _scroll(terminal, runs), "sort": _sort(terminal), "filter": _filter(terminal, runs)}
        terminal.leave()
    return [
        Figure(f"run table, {runs:,} runs: {kind}, 95th of 100 keys", "ms", _high(times), floor, "a bare Textual app",
               PER_KEY, f"{len(times)} keys, median {median(times):.0f} ms, slowest {max(times):.0f} ms")
        for kind, times in took.items()
    ]  # fmt: skip


def pressed(terminal: Terminal, key: str, there: Callable[[str], bool]) -> float:
    """Milliseconds from a key, sent when all is quiet, until the words it must bring are drawn."""
    terminal.settle(0.15)
    sent = terminal.send(key)
    return (terminal.until(there) - sent) * 1000


def _high(times: Sequence[float]) -> float:
    return sorted(times)[min(len(times) - 1, round(0.95 * len(times)))]


def _bare() -> float:
    with Terminal([sys.executable, PEERS / "bare_app.py"]) as terminal:
        terminal.until(lambda text: "the least there is" in text)
        return _high([pressed(terminal, "x", lambda text, n=n: f"key {n}." in text) for n in range(1, 31)])


def _scroll(terminal: Terminal, runs: int) -> list[float]:
    """One row at a time, pages, and from end to end."""
    times = [pressed(terminal, DOWN, lambda text, n=n: f"run-{runs - 1 - n:05d}" in text) for n in range(1, 31)]
    times += [pressed(terminal, key, painted) for key in (*[PAGE_DOWN] * 20, *[PAGE_UP] * 10)]
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
    """Type a filter with the table following, and take it back key by key, five times."""
    times = []
    for _ in range(5):
        pressed(terminal, "/", lambda text: "keep" in text)
        times += [pressed(terminal, key, _says(runs, typed)) for typed, key in _growing("lr>0.5")]
        times += [pressed(terminal, "\x7f", _says(runs, typed)) for typed in ("lr>0.", "lr>0")]
        times += [pressed(terminal, key, _says(runs, typed)) for typed, key in ((("lr>0.", "."), ("lr>0.9", "9")))]
        for _ in range(6):
            terminal.settle(0.1)
            terminal.send("\x7f")
        pressed(terminal, ENTER, painted)
    return times


def _growing(words: str) -> list[tuple[str, str]]:
    return [(words[: end + 1], words[end]) for end in range(len(words))]


def _says(runs: int, typed: str) -> Callable[[str], bool]:
    """What must be drawn once this much has been typed: the verdict, and the table's count where it follows."""
    if typed.endswith(">"):
        return lambda text: "needs a value" in text
    if typed.endswith("."):
        return lambda text: typed in text
    shown = runs - 1 - int(float(typed.partition(">")[2]) * runs) if ">" in typed else 0
    return lambda text: re.search(rf"\b{shown:,} of {runs:,} runs", text) is not None
