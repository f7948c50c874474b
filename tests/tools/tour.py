"""The tour: questions people bring to the workbench, each answered by a few keys on a real terminal in tmux.

`python -m tests.tools.tour` records `docs/tour.md`; a test takes the same tours and holds them to their budget.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import numpy as np
import polars as pl

PAGE = Path(__file__).parents[2] / "docs" / "tour.md"
BUDGET = 12
"""Keys from the start of the workbench to the answer."""
RUNS, STEPS, WRONG = 50, 60, 40
START = 1_767_225_600.0
DAY = 86_400.0
NAMES = {"Enter": "enter", "Up": "↑"}
"""How keys that tmux calls by a name are called in the page."""


@dataclass(frozen=True)
class Tour:
    """A question, the keys with what is seen after each, and what answers it at the end."""

    question: str
    keys: Sequence[tuple[str, str]]
    answer: Sequence[str]

    @property
    def shown_keys(self) -> str:
        """The keys as they stand in the page."""
        return " ".join(f"`{NAMES.get(key, key)}`" for key, _ in self.keys)


TOURS = (
    Tour(
        "Which of 50 runs is the best, and why?",
        (("s", "Sort by"), ("Up", "val/accuracy"), ("Enter", "last▼"), ("I", "Importance")),
        ("lr", "depth"),
    ),
    Tour(
        "Where did this run go wrong?",
        (("Enter", "Next: lower the learning rate"), ("w", "│ step 39")),
        ("train/loss 0.1405", "20 NaN or inf"),
    ),
    Tour(
        "How do two models in production stand on all four metrics?",
        (("6", "Scoreboard"),),
        ("blue", "green", "business", "performance", "latency", "data", "drifting since 2026-01-07"),
    ),
    Tour(
        "Which gate fails, and on what?",
        (("i", "FAILED"), ("Enter", "Drift")),
        ("Drift: green", "amount", "drifting since"),
    ),
)
CONFIG = """
[project]
main_metric = "val/accuracy"
[gates]
quality = "best(val/accuracy) >= 0.5"
data = "drift(green).share < 0.3"
""" + "".join(
    f"""
[monitor.{name}]
path = "{name}/*.parquet"
[monitor.{name}.columns]
business = "earned_usd"
[monitor.{name}.reference]
path = "{name}-reference.parquet"
[monitor.{name}.window]
every = "1d"
"""
    for name in ("blue", "green")
)


def write_project(root: Path) -> None:
    """Fifty runs of a sweep, the newest of which turns NaN, and ten days of two models in production."""
    for number in range(RUNS):
        _write_run(root / f"runs/run-{number:02d}", number)
    for name in ("blue", "green"):
        (root / name).mkdir()
        _rows(0, 2000, 0.0).write_parquet(root / f"{name}-reference.parquet")
        for day in range(10):
            moved = 1.0 if name == "green" and day >= 6 else 0.0
            _rows(day, 1000, moved).write_parquet(root / name / f"{day}.parquet")
    (root / "workbench.toml").write_text(CONFIG)


def _write_run(folder: Path, number: int) -> None:
    random = np.random.default_rng(number)
    lr, depth, began = 10.0 ** -(1 + number % 5), 2 + number % 3, START + number * 60
    best = 0.9 - 0.08 * abs(number % 5 - 2) + 0.002 * depth
    start = {"v": 1, "t": "start", "run": f"r{number}", "name": f"run-{number:02d}", "ts": began}
    lines = [start | {"params": {"lr": lr, "depth": depth, "seed": number}}]
    for step in range(STEPS):
        values = {
            "val/accuracy": best * (1 - np.exp(-step / 8)) + 0.003 * random.normal(),
            "train/loss": float("nan") if number == RUNS - 1 and step >= WRONG else 2 * np.exp(-step / 10) + 0.1,
        }
        lines.append({"v": 1, "t": "log", "ts": began + step / 2, "step": step, "m": values})
    lines.append({"v": 1, "t": "end", "ts": began + 30, "status": "finished"})
    folder.mkdir(parents=True)
    (folder / "log.wb.jsonl").write_text("".join(json.dumps(each) + "\n" for each in lines))


def _rows(day: int, rows: int, moved: float) -> pl.DataFrame:
    random = np.random.default_rng(day)
    score = random.random(rows)
    return pl.DataFrame({
        "timestamp": START + day * DAY + np.arange(rows) * (DAY / rows),
        "amount": random.normal(10 + 3 * moved, 3, rows),
        "age": random.integers(18, 80, rows),
        "probability": score,
        "label": (random.random(rows) < score).astype(int),
        "latency_ms": random.gamma(4, 5, rows),
        "earned_usd": random.gamma(2, 3, rows),
    })  # fmt: skip


_SERVERS = count()


class Sitting:
    """The workbench in a tmux of its own."""

    def __init__(self, root: Path, columns: int = 100, rows: int = 30) -> None:
        self.columns, self.rows = columns, rows
        self._server = f"workbench-tour-{os.getpid()}-{next(_SERVERS)}"
        command = f"{sys.executable} -m workbench.cli.main {root}"
        home = root / "home"  # nobody's settings, and no session of another tour
        home.mkdir(exist_ok=True)
        environment = {**os.environ, "HOME": str(home), "XDG_CONFIG_HOME": str(home), "TERM": "xterm-256color"}
        environment["EDITOR"] = "true"
        for name in ("COLUMNS", "LINES"):  # the terminal's own size counts
            environment.pop(name, None)
        size = ("-x", str(columns), "-y", str(rows))
        stay = (";", "set-option", "remain-on-exit", "on")
        self._tmux("new-session", "-d", *size, command, *stay, env=environment)

    def _tmux(self, *words: str, env: dict[str, str] | None = None) -> str:
        done = subprocess.run(["tmux", "-L", self._server, *words], check=True, capture_output=True, text=True, env=env)
        return done.stdout

    @property
    def screen(self) -> str:
        """What stands on the terminal."""
        return self._tmux("capture-pane", "-p")

    @property
    def pid(self) -> int:
        """The workbench's process."""
        return int(self._tmux("display-message", "-p", "#{pane_pid}"))

    @property
    def ended(self) -> str:
        """How it ended, by its exit code or a signal; empty while it runs."""
        return self._tmux("display-message", "-p", "#{?pane_dead,#{pane_dead_status}#{pane_dead_signal},}").strip()

    def resize(self, columns: int, rows: int) -> None:
        """Make the terminal another size."""
        self._tmux("resize-window", "-x", str(columns), "-y", str(rows))

    def press(self, key: str) -> None:
        """One key."""
        self.send(key)

    def send(self, *words: str) -> None:
        """Keys as tmux's `send-keys` takes them."""
        self._tmux("send-keys", *words)

    def see(self, *words: str, seconds: float = 40.0) -> str:
        """The screen as soon as all the words are on it."""
        until = time.monotonic() + seconds
        while not all(word in (shown := self.screen) for word in words):
            assert time.monotonic() < until, f"{words} never seen; the screen is\n{shown}"
            time.sleep(0.05)
        return shown

    def close(self) -> None:
        """End the workbench and its tmux."""
        self._tmux("kill-server")


def taken(root: Path, tour: Tour) -> str:
    """The screen that answers the question."""
    sitting = Sitting(root)
    try:
        sitting.see("run-49", "live")
        for key, seen in tour.keys:
            sitting.press(key)
            sitting.see(seen)
        return sitting.see(*tour.answer)
    finally:
        sitting.close()


def page(root: Path) -> str:
    """The page of all tours."""
    parts = ["# A tour\n\nFour questions, and the keys that answer them from the start of `workbench`. Recorded by",
             "`python -m tests.tools.tour`; a test takes the same tours.\n"]  # fmt: skip
    for tour in TOURS:
        screen = "\n".join(line.rstrip() for line in taken(root, tour).splitlines()).rstrip()
        parts.append(f"## {tour.question}\n\n{tour.shown_keys}\n\n```text\n{screen}\n```\n")
    return "\n".join(parts)


def main() -> None:
    """Record the page."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "shop"
        root.mkdir()
        write_project(root)
        subprocess.run([sys.executable, "-m", "workbench.cli.main", "watch", "--once", root], check=True)
        PAGE.write_text(page(root), encoding="utf-8")


if __name__ == "__main__":
    main()
