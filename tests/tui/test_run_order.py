"""Which runs the table shows: what is remembered of a filter is what a search of all runs would find."""

from __future__ import annotations

import random

from msgspec.structs import replace

from tests.tui.project import run
from workbench.core.model import Run
from workbench.tui.ordering import RunOrder
from workbench.tui.run_columns import Snapshot
from workbench.tui.session import ViewState

FILTERS = ("", "lr>0.5", "lr<=0.3 tag:x", "state:failed", "run1", "not lr>0.2", "latency_ms.p95>3")


def snapshot(runs: dict[str, Run]) -> Snapshot:
    return replace(Snapshot(), runs=list(runs.values()), telling=list(runs.values()))


def some_run(number: int, dice: random.Random) -> Run:
    made = run(number % 8)
    return replace(
        made, id=f"r{number}", path=f"runs/{number}", name=f"run{number}", params={"lr": dice.random()},
        tags={"x": ""} if dice.random() < 0.5 else {}, status=dice.choice(["running", "failed"]),
        hidden=dice.random() < 0.2,
    )  # fmt: skip


def test_a_filter_that_is_remembered_finds_what_a_new_search_finds() -> None:
    dice = random.Random(4)
    runs = {f"r{number}": some_run(number, dice) for number in range(40)}
    kept, latencies = RunOrder(), {}
    for _ in range(200):
        for number in range(dice.choice([0, 0, 1, 2, 60])):
            number = dice.randrange(80)
            runs[f"r{number}"] = some_run(number, dice)
        for gone in dice.sample(sorted(runs), k=dice.choice([0, 0, 1])):
            del runs[gone]
        kept.take(snapshot(runs))
        learnt = {(each, "latency_ms"): [1.0, dice.uniform(0, 6), 9.0] for each in dice.sample(sorted(runs), k=2)}
        latencies |= learnt
        kept.learn({}, learnt)
        for where in dice.sample(FILTERS, k=3):
            view = ViewState(where=where, hidden=dice.random() < 0.5)
            anew = RunOrder()
            anew.take(snapshot(runs))
            anew.learn({}, latencies)
            assert list(kept.arrange(view)) == list(anew.arrange(view)), where
