"""Stories of the first second: the newest runs first, nothing heavy before them, and a collector that keeps out."""

from __future__ import annotations

import gc
import subprocess
import sys
import threading
from types import SimpleNamespace

import pytest
from msgspec.structs import replace

from tests.support.memory_query import MemoryQuery
from tests.tui.project import NOW, LiveQuery, run
from tests.tui.stories import tell, workbench
from workbench.store.errors import StoreError
from workbench.tui import asking, collector, key_order
from workbench.tui.session import NEWEST


def many(runs: int) -> LiveQuery:
    """A project of so many runs, the higher numbers newer."""
    every = [replace(run(1), id=f"m{n:03d}", name=f"run-{n:03d}", started_at=NOW - 9999 + n) for n in range(runs)]
    return LiveQuery(MemoryQuery(every))


def test_the_newest_runs_are_seen_and_used_while_all_others_are_still_read(tmp_path):
    query, may_open = many(NEWEST + 20), threading.Event()

    def slowly() -> None:
        assert may_open.wait(60)

    async def story():
        async with workbench(tmp_path, query=query, opening=slowly, quick=lambda _: query, settle=False) as sitting:
            await sitting.until("run-119")
            assert "◌ reading" in sitting.screen[0]
            assert f"{NEWEST} runs" in sitting.screen[1]
            await sitting.pilot.press("down")
            await sitting.until("▌  ✓ finished run-118")
            may_open.set()
            await sitting.settle()
            assert "● live" in sitting.screen[0] and "120 runs" in sitting.screen[1]
            assert "run-118" in sitting.row("▌"), "the cursor stays where it was put"

    tell(story)


def test_the_chart_of_the_newest_runs_comes_with_the_store(tmp_path):
    query, may_open = LiveQuery(), threading.Event()

    def slowly() -> None:
        assert may_open.wait(60)

    async def story():
        options = {"query": query, "opening": slowly, "quick": lambda _: query, "settle": False}
        async with workbench(tmp_path, (160, 45), **options) as sitting:
            await sitting.until("Reading points")
            may_open.set()
            await sitting.settle()
            assert "Reading points" not in sitting.text
            assert any("val/accuracy" in line and "night-sweep-01" in line for line in sitting.screen[12:])

    tell(story)


def test_curves_that_could_not_be_read_are_asked_for_again(tmp_path):
    async def story():
        async with workbench(tmp_path, (160, 45)) as sitting:
            sitting.query.failing = StoreError("locked")
            await sitting.press("down")
            assert not any("val/accuracy" in line and "gbm-lr0.3" in line for line in sitting.screen[12:])
            sitting.query.failing = None
            await sitting.store_changes()
            assert any("val/accuracy" in line and "gbm-lr0.3" in line for line in sitting.screen[12:])

    tell(story)


def test_a_view_that_begins_with_other_runs_waits_for_all_of_them(tmp_path):
    query = many(NEWEST + 20)

    async def story():
        async with workbench(tmp_path, query=query) as sitting:
            await sitting.press("s")
            await sitting.type("name")
            await sitting.press("enter", "q")
        query.asked.clear()
        async with workbench(tmp_path, query=query, quick=lambda _: query):
            assert "newest" not in query.asked

    tell(story)


def test_nothing_heavy_is_loaded_before_the_first_paint(tmp_path):
    code = f"""
import asyncio, sys, threading
from pathlib import Path
from workbench.core.config import Config
from workbench.tui.app import WorkbenchApp
wait = threading.Event()
async def main():
    app = WorkbenchApp(lambda _: wait.wait(60), None, Config(Path({str(tmp_path)!r})), lambda _: [], poll=0)
    async with app.run_test() as pilot:
        await pilot.pause()
        print(sorted({{"numpy", "duckdb", "polars", "plotext"}} & set(sys.modules)))
        wait.set()
asyncio.run(main())
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=True)
    assert done.stdout == "[]\n"


@pytest.fixture
def unfrozen():
    before = gc.get_threshold()
    gc.enable()
    gc.unfreeze()
    collector._worth, collector._counted = 0, None
    yield
    collector._worth, collector._counted = 0, None
    gc.unfreeze()
    gc.set_threshold(*before)
    gc.enable()


def test_what_a_large_load_made_is_not_searched_for_cycles_again(unfrozen):
    collector.set_aside(collector.MANY - 1)
    assert gc.get_freeze_count() == 0
    made = [[] for _ in range(5_000)]
    collector.set_aside(collector.MANY)
    assert gc.get_freeze_count() > len(made)


def test_what_was_set_aside_is_searched_in_an_idle_moment(unfrozen):
    gc.disable()
    collector.set_aside(collector.MANY, whole=True)
    made = [[] for _ in range(gc.get_freeze_count())]
    for each in made:
        each.append(each)
    del each
    collector.set_aside(collector.MANY)
    grown = gc.get_freeze_count()
    made.clear()
    collector.tidy(idle=False)
    assert gc.get_freeze_count() == grown, "a key may come the next moment"
    collector.tidy(idle=True)
    assert gc.get_freeze_count() < 0.7 * grown


def test_cycles_set_aside_by_chance_do_not_pile_up():
    code = """
import weakref
from workbench.tui import collector
class Cycle:
    def __init__(self):
        self.itself = self
seen = weakref.WeakSet()
for _ in range(100):
    made = [Cycle() for _ in range(5_000)]
    seen.update(made[:1])
    made.clear()
    collector.set_aside(collector.MANY, whole=True)
    collector.tidy(idle=False)
print(len(seen))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=True)
    assert int(done.stdout) < 60, "most of them were freed"


def test_many_runs_are_loaded_again_in_a_pause_of_typing_but_somebody_who_makes_none_gets_news_too(
    tmp_path, monkeypatch
):
    clock = [100.0]
    monkeypatch.setattr(asking, "time", SimpleNamespace(monotonic=lambda: clock[0]))
    monkeypatch.setattr(key_order, "time", SimpleNamespace(monotonic=lambda: clock[0]))

    async def story():
        async with workbench(tmp_path) as at:
            looks, look = [], at.app.look_at_store
            monkeypatch.setattr(at.app, "look_at_store", lambda: (looks.append(clock[0]), look()))

            async def passes(seconds, key=""):
                clock[0] += seconds
                at.app._next_load = 0.0
                if key:
                    await at.press(key)
                at.app.look_between_keys()
                await at.settle()

            await passes(1.0, "j")
            assert len(looks) == 1, "few runs are quickly loaded"
            monkeypatch.setattr(collector, "MANY", 2)
            for _ in range(10):
                await passes(0.25, "j")
            assert len(looks) == 1, "a key comes before news"
            await passes(asking.PAUSE + 0.1)
            assert len(looks) == 2, "a pause"
            for _ in range(20):
                await passes(0.25, "j")
            assert len(looks) == 3 and looks[2] - looks[1] >= asking.WITHOUT_NEWS, "no pause for too long"

    tell(story)
