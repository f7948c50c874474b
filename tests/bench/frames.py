"""What live runs send down an SSH pipe: bytes a frame of the table and of a grid of charts, in full colour."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from tests.bench.figures import Budget, Figure
from tests.bench.live import POLL, RUNS
from tests.bench.processes import PEERS, WORKBENCH, Plan, beside, processor_seconds
from tests.bench.terminal import Terminal

RATE = 1
"""Lines a second and run: with every look a quarter of the rows is new."""
SETTLING = 4.0
SIZE = (160, 45)
SSH = "192.0.2.1 50000 192.0.2.2 22"
GAP = 0.05
"""Seconds without a byte that part two frames; looks are five times as far apart."""


@dataclass(frozen=True, slots=True)
class Sent:
    """Bytes of each frame, and the interface's share of a core meanwhile."""

    frames: Sequence[int]
    busy: float


def measure(plan: Plan) -> Sequence[Figure]:
    seconds = plan.of(20, 8)
    peer = _live(plan, "frames-datatable", [sys.executable, PEERS / "datatable_app.py"], "running", "", seconds)
    table = _live(plan, "frames-table", [WORKBENCH], "● live", "", seconds)
    charts = _live(plan, "frames-charts", [WORKBENCH], "● live", "c", seconds)
    size = f"{SIZE[0]}x{SIZE[1]}"
    return [
        Figure(f"{RUNS} live runs over SSH at {size}: bytes a frame of the table", "bytes", median(table.frames),
               median(peer.frames), "stock DataTable", Budget("ratio", 1.0), _note(table, peer)),
        Figure(f"{RUNS} live runs over SSH at {size}: bytes a frame of the charts", "bytes", median(charts.frames),
               note=_note(charts)),
    ]  # fmt: skip


def _note(ours: Sent, peer: Sent | None = None) -> str:
    beside = f" (peer {peer.busy:.0%})" if peer else ""
    return f"{len(ours.frames)} frames, largest {max(ours.frames):,} bytes; processor {ours.busy:.0%} of a core{beside}"


def _live(plan: Plan, name: str, command: Sequence[str | Path], ready: str, key: str, seconds: int) -> Sent:
    """A program on a folder of live runs, after a key, for so long."""
    root = plan.scratch / name
    shutil.rmtree(root, ignore_errors=True)
    root.mkdir()
    (root / "workbench.toml").write_text('[project]\nmain_metric = "loss"\n')
    plan.tell(f"bytes a frame: {name}, {seconds} s")
    writer = [sys.executable, PEERS / "writer.py", root, str(RUNS), str(RATE), str(seconds + 30), root / "stamps"]
    with beside(writer, stderr=None), Terminal([*command, root], *SIZE, SSH_CONNECTION=SSH) as terminal:
        terminal.until(lambda text: ready in text)
        _frames(terminal, SETTLING)
        terminal.send(key)
        _frames(terminal, SETTLING)
        before, began = processor_seconds(terminal.process.pid), time.monotonic()
        frames = _frames(terminal, seconds)
        return Sent(frames, (processor_seconds(terminal.process.pid) - before) / (time.monotonic() - began))


def _frames(terminal: Terminal, seconds: float) -> list[int]:
    """Bytes of each frame drawn in so many seconds."""
    end, found, size = time.monotonic() + seconds, [], 0
    while time.monotonic() < end:
        before = terminal.taken
        terminal.forget()
        if terminal.read(GAP if size else POLL):
            size += terminal.taken - before
        elif size:
            found.append(size)
            size = 0
    return found
