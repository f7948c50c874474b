"""Writers that log as training scripts do, run as `python -m tests.torture.writers KIND PATH PAUSE` until stdin closes.

Each prints how many lines (or events) it wrote.
"""

from __future__ import annotations

import json
import os
import random
import select
import sys
import time
from collections.abc import Iterator
from pathlib import Path

KEYS = ("loss", "accuracy", "grad_norm")


def values(step: int) -> dict[str, float]:
    """What is logged at a step; anybody can work it out again."""
    rng = random.Random(step)
    return {key: rng.random() for key in KEYS}


def steps(pause: float) -> Iterator[int]:
    """Steps until stdin closes, seconds apart; pauses are part of what a live writer is."""
    step = 0
    while not select.select([sys.stdin], [], [], 0)[0]:
        yield step
        step += 1
        time.sleep(pause)


def write_lines(path: Path, kind: str, pause: float) -> int:
    """JSONL or CSV, each line in one or two writes, cut anywhere."""
    count = 0
    rng = random.Random(1)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    if kind == "csv":
        os.write(descriptor, ",".join(("step", *KEYS)).encode() + b"\n")
    for step in steps(pause):
        row = values(step)
        text = json.dumps({"step": step, **row}) if kind == "jsonl" else ",".join(map(repr, (step, *row.values())))
        data = text.encode() + b"\n"
        cut = rng.randrange(len(data))
        os.write(descriptor, data[:cut])
        os.write(descriptor, data[cut:])
        count += 1
    return count


def write_events(folder: Path, pause: float) -> int:
    """TensorBoard events by tensorboardX, flushed as they come."""
    from tensorboardX import SummaryWriter

    count = 0
    with SummaryWriter(str(folder), flush_secs=1) as writer:
        for step in steps(pause):
            for key, value in values(step).items():
                writer.add_scalar(key, value, step)
                count += 1
            if step % 20 == 0:
                writer.flush()
    return count


if __name__ == "__main__":
    kind, path, pause = sys.argv[1], Path(sys.argv[2]), float(sys.argv[3])
    print(write_events(path, pause) if kind == "events" else write_lines(path, kind, pause), flush=True)
