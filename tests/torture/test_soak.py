"""A day at the terminal in small: runs log, come and end, exports arrive, and keys are pressed at random all along."""

from __future__ import annotations

import random
import string
import subprocess
import sys
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

import pytest

from tests.tools.tour import Sitting, write_project
from tests.torture.test_kill import start_writer, stop_writer

NAMED = ("Enter", "Escape", "Up", "Down", "Left", "Right", "Home", "End", "PPage", "NPage", "Tab", "BTab", "Space",
         "BSpace", "F1", "F2")  # fmt: skip
TYPED = sorted(set(string.ascii_letters + string.digits + string.punctuation) - set("q"))
WRONG = ("Traceback", "failed in", "a mistake of workbench")
LIVE = 6
"""Runs that log at once."""
PAUSE = 0.1


@dataclass
class Training:
    """Runs of every kind, a tenth of a second a step; the oldest ends when a new one begins."""

    root: Path
    running: deque[subprocess.Popen[str]] = field(default_factory=deque)
    begun: int = 0

    def begin(self) -> None:
        """One run more, and at most `LIVE` of them."""
        folder = self.root / f"live-{self.begun:03d}"
        folder.mkdir()
        kind = ("jsonl", "csv", "events")[self.begun % 3]
        path = folder if kind == "events" else folder / f"metrics.{kind}"
        self.running.append(start_writer(kind, path, PAUSE))
        self.begun += 1
        if len(self.running) > LIVE:
            stop_writer(self.running.popleft())

    def end(self) -> None:
        """All of them."""
        while self.running:
            stop_writer(self.running.popleft())


@dataclass
class Memory:
    """Resident MiB of the processes of one sitting, moment by moment."""

    by_process: dict[str, list[float]] = field(default_factory=dict)

    def look(self, pid: int) -> None:
        """The interface, and whatever it has started."""
        for name, each in (("interface", pid), *((_command(child), child) for child in _children(pid))):
            if (found := _resident(each)) is not None:
                self.by_process.setdefault(name, []).append(found)

    def grown(self, name: str) -> float:
        """By how much the last third is more than the third before it, as a share."""
        seen = self.by_process[name]
        third = len(seen) // 3
        return median(seen[-third:]) / median(seen[third : 2 * third]) - 1


def _children(pid: int) -> list[int]:
    found = [_read(task / "children").split() for task in Path(f"/proc/{pid}/task").iterdir()]
    return [int(child) for each in found for child in each]


def _command(pid: int) -> str:
    return "ingester" if "watch" in _read(Path(f"/proc/{pid}/cmdline")).split("\0") else "worker"


def _resident(pid: int) -> float | None:
    found = [line for line in _read(Path(f"/proc/{pid}/status")).splitlines() if line.startswith("VmRSS")]
    return int(found[0].split()[1]) / 1024 if found else None


def _read(place: Path) -> str:
    """A file of a process; nothing once that has ended."""
    try:
        return place.read_text()
    except (FileNotFoundError, ProcessLookupError):
        return ""


def random_input(chance: random.Random, columns: int, rows: int) -> Sequence[str]:
    """Words for tmux's send-keys: mostly a key, at times a click, the wheel, or a burst of typing."""
    kind = chance.random()
    if kind < 0.08:
        where = f"{chance.randint(1, columns)};{chance.randint(1, rows - 1)}"  # to quit is in the last line
        button = chance.choice((0, 0, 0, 64, 65))
        return ["-l", "--", f"\x1b[<{button};{where}M" + ("" if button else f"\x1b[<{button};{where}m")]
    if kind < 0.12:
        return ["-l", "--", _literal("".join(chance.choices(TYPED, k=chance.randint(2, 12))))]
    if kind < 0.6:
        return [chance.choice(NAMED)]
    return ["-l", "--", _literal(chance.choice(TYPED))]


def _literal(typed: str) -> str:
    """A semicolon at the end would part two commands of tmux."""
    return typed[:-1] + "\\;" if typed.endswith(";") else typed


@pytest.mark.parametrize(
    "seconds", [20, pytest.param(1800, marks=[pytest.mark.slow, pytest.mark.timeout(2400)])], ids=["short", "long"]
)
def test_keys_at_random_through_a_day_of_live_writing(
    seconds: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = tmp_path / "shop"
    root.mkdir()
    write_project(root)
    subprocess.run([sys.executable, "-m", "workbench.cli.main", "watch", "--once", root], check=True)
    training, memory = Training(root), Memory()
    for _ in range(LIVE):
        training.begin()
    sitting = Sitting(root, 120, 40)
    try:
        sitting.see("live-005", "live")
        pressed = press_at_random(sitting, training, memory, seconds)
        for _ in range(8):
            sitting.press("Escape")
        sitting.press("1")
        sitting.see(" Runs", "live")
    finally:
        sitting.close()
        training.end()
    with capsys.disabled():
        told = ", ".join(f"{name} {seen[-1]:.0f} MiB" for name, seen in memory.by_process.items())
        print(f"\n{pressed} keys in {seconds} s, {training.begun} runs; {told}")
    assert pressed > 2 * seconds
    if seconds >= 600:
        for name in ("interface", "ingester"):
            assert memory.grown(name) <= 0.05, (name, memory.by_process[name])


def press_at_random(sitting: Sitting, training: Training, memory: Memory, seconds: int) -> int:
    """Press keys for so long, a new run every half minute; how many it were."""
    chance, began = random.Random(seconds), time.monotonic()
    pressed, looked, begun, recent = 0, 0.0, 0.0, deque[Sequence[str]](maxlen=40)
    while (passed := time.monotonic() - began) < seconds:
        recent.append(random_input(chance, sitting.columns, sitting.rows))
        sitting.send(*recent[-1])
        pressed += 1
        time.sleep(0.1)  # the pace of a hand
        assert not sitting.ended, f"it ended with {sitting.ended} after {list(recent)}:\n{sitting.screen}"
        if pressed % 5 == 0:
            screen = sitting.screen
            assert not any(word in screen for word in WRONG), f"after {list(recent)}:\n{screen}"
        if passed - looked >= 5:
            memory.look(sitting.pid)
            looked = passed
        if passed - begun >= 30:
            training.begin()
            begun = passed
    return pressed
