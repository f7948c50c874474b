"""What a training loop pays for one `log()`."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Sequence
from statistics import median

from tests.bench.data import TAGS
from tests.bench.figures import Budget, Figure
from tests.bench.processes import Plan, in_turns
from workbench import tracking

CALLS = 2_000
BLOCKS = 20


def measure(plan: Plan) -> Sequence[Figure]:
    folder = plan.scratch / "tracking"
    folder.mkdir(exist_ok=True)
    scalars = {tag: 0.123456789 + place for place, tag in enumerate(TAGS[:10])}
    plain = os.open(folder / "plain.jsonl", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    run = tracking.init(dir=folder)
    steps = {"ours": 0, "peer": 0}

    def ours(step: int) -> None:
        run.log(scalars, step=step)

    def peer(step: int) -> None:
        os.write(plain, (json.dumps({"step": step, "time": time.time(), **scalars}) + "\n").encode())

    def block(name: str, call: Callable[[int], None]) -> Callable[[], float]:
        def timed() -> float:
            first = steps[name]
            steps[name] += CALLS
            began = time.perf_counter()
            for step in range(first, first + CALLS):
                call(step)
            return (time.perf_counter() - began) / CALLS * 1e6

        return timed

    quietly = Plan(plan.quick, plan.rounds, plan.scratch, lambda _: None)
    found = in_turns(quietly, plan.of(BLOCKS, BLOCKS // 2), {"ours": block("ours", ours), "peer": block("peer", peer)})
    run.finish()
    os.close(plain)
    return [
        Figure("log() of 10 scalars, written", "µs", median(found["ours"]), median(found["peer"]), "json.dumps + write",
               Budget("ratio", 1.3))
    ]  # fmt: skip
