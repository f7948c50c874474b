"""Fifty runs that log ten lines a second: from a line in its file to the screen, and what that costs."""

from __future__ import annotations

import bisect
import re
import shutil
import subprocess
import sys
import time
from array import array
from collections.abc import Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median

from tests.bench.figures import Budget, Figure
from tests.bench.processes import PEERS, WORKBENCH, Plan, beside, children, processor_seconds
from tests.bench.terminal import Terminal
from workbench.core.config import load_config
from workbench.ingest.run_findings import REST
from workbench.store.place import place_of
from workbench.store.query import StoreQuery
from workbench.store.store import Store

RUNS, RATE = 50, 10
FIRST = 1000
"""The `loss` of the n-th line is (FIRST + n) / 1000: four digits, so that the table shows each line's own number."""
POLL = 0.25
SETTLING = 3.0
"""Seconds at the start that are left out: files are being discovered."""
SEEN = Budget("most", 500)

Sighting = tuple[float, int]
"""A moment, and the number of a line that was visible then."""


def measure(plan: Plan) -> Sequence[Figure]:
    seconds = plan.of(18, 9)
    return [*_through_query(plan, seconds), *_through_screen(plan, seconds)]


@contextmanager
def training(root: Path, seconds: int):
    """Runs that log for so long; gives the process and where it leaves its stamps."""
    stamps = root.parent / f"{root.name}.stamps"
    stamps.unlink(missing_ok=True)
    command = [sys.executable, PEERS / "writer.py", root, str(RUNS), str(RATE), str(seconds), stamps]
    with beside(command, stderr=None) as process:
        yield process, stamps


def project(plan: Plan, name: str) -> Path:
    root = plan.scratch / name
    shutil.rmtree(root, ignore_errors=True)
    root.mkdir()
    (root / "workbench.toml").write_text('[project]\nmain_metric = "loss"\n')
    return root


def delays(stamps: Path, sightings: Sequence[Sighting]) -> list[float]:
    """Milliseconds from each line's write to the first sight of it or of a later line of its run, in rising order."""
    written = array("d", stamps.read_bytes())
    seen: dict[int, list[Sighting]] = {run: [] for run in range(RUNS)}
    for moment, number in sightings:
        if number < len(written) and written[number] <= moment:
            seen[number % RUNS].append((moment, number))
    found = []
    for run, rows in seen.items():
        highest, line = [], -1
        for moment, number in sorted(rows):
            if number > line:
                line = number
                highest.append((number, moment))
        numbers = [number for number, _ in highest]
        for number in range(run + int(SETTLING * RATE) * RUNS, len(written), RUNS):
            place = bisect.bisect_left(numbers, number)
            found.append(float("inf") if place == len(numbers) else (highest[place][1] - written[number]) * 1000)
    return sorted(found)


def _figure(name: str, found: Sequence[float], extra: str = "") -> Figure:
    lost = sum(delay == float("inf") for delay in found)
    note = f"median {median(found):.0f} ms, worst {max(found):.0f} ms, {len(found):,} lines, {lost} never seen{extra}"
    return Figure(name, "ms", found[int(0.99 * len(found))], budget=SEEN, note=note)


def _through_query(plan: Plan, seconds: int) -> Sequence[Figure]:
    """An ingester alone, and this process asking the store four times a second."""
    root = project(plan, "live-query")
    plan.tell(f"{RUNS} live runs through a poll of the store, {seconds} s")
    with beside([WORKBENCH, "watch", root]) as ingester:
        place = place_of(root)
        while not place.database.exists():
            time.sleep(0.05)
        with training(root, seconds) as (writer, stamps):
            time.sleep(SETTLING)
            before, began = processor_seconds(ingester.pid), time.monotonic()
            sightings = _poll(root, writer)
            busy = (processor_seconds(ingester.pid) - before) / (time.monotonic() - began - 2.0)
        plan.tell("nothing changes any more, 20 s")
        after, idle = _share(ingester.pid, REST + 2.0), _share(ingester.pid, 10.0)
    found = delays(stamps, sightings)
    return [
        _figure(f"line written → seen by a poll at 4 Hz, {RUNS} live runs, p99", found),
        Figure(f"watch: processor with {RUNS} live runs", "% of a core", 100 * busy, budget=Budget("most", 15)),
        Figure(
            "watch: processor, nothing changes",
            "% of a core",
            100 * idle,
            budget=Budget("most", 1),
            note=f"{100 * after:.1f} % in the {REST + 2:.0f} s before, right after the runs fell silent and while they"
            " are judged a last time",
        ),
    ]


def _poll(root: Path, writer: subprocess.Popen[bytes]) -> list[Sighting]:
    """Look at the store until two seconds after the last line."""
    query, seen, end = StoreQuery(Store(place_of(root)), load_config(root)), [], None
    revision, last = "", {}
    due = time.monotonic()
    while end is None or time.monotonic() < end:
        if end is None and writer.poll() is not None:
            end = time.monotonic() + 2.0
        if query.revision() != revision:
            revision = query.revision()
            runs = query.runs()
            now = time.monotonic()
            for run in runs:
                value = run.metrics["loss"].last if "loss" in run.metrics else None
                if value is not None and last.get(run.id) != value:
                    last[run.id] = value
                    seen.append((now, round(value * 1000) - FIRST))
        due += POLL
        time.sleep(max(0.0, due - time.monotonic()))
    return seen


def _share(pid: int, seconds: float) -> float:
    before = processor_seconds(pid)
    time.sleep(seconds)
    return (processor_seconds(pid) - before) / seconds


def _through_screen(plan: Plan, seconds: int) -> Sequence[Figure]:
    """The interface with its own ingester, on a terminal that shows every run and no chart."""
    root = project(plan, "live-screen")
    plan.tell(f"{RUNS} live runs on the screen, {seconds} s")
    with Terminal([WORKBENCH, root], columns=110, rows=RUNS + 10) as terminal:
        terminal.until(lambda text: "● live" in text)
        terminal.settle(1.0)
        with training(root, seconds) as (writer, stamps):
            sightings = _watch_screen(terminal, time.monotonic() + SETTLING)
            before, began = _both(terminal.process.pid), time.monotonic()
            while writer.poll() is None:
                sightings += _sight(terminal)
            after, window = _both(terminal.process.pid), time.monotonic() - began
            sightings += _watch_screen(terminal, time.monotonic() + 2.0)
        terminal.leave()
    interface, ingester = ((end - start) / window for start, end in zip(before, after, strict=True))
    cost = f"; processor: interface {interface:.0%}, its ingester {ingester:.0%} of a core"
    name = f"line written → on the screen, {RUNS} live runs, p99"
    return [_figure(name, delays(stamps, sightings), cost)]


def _watch_screen(terminal: Terminal, end: float) -> list[Sighting]:
    sightings = []
    while time.monotonic() < end:
        sightings += _sight(terminal)
    return sightings


def _sight(terminal: Terminal) -> list[Sighting]:
    """The numbers of lines that were drawn now."""
    if not terminal.read(0.05):
        return []
    return [
        (terminal.moment, round(float(found) * 1000) - FIRST)
        for found in re.findall(r"(?<![\d.,])[1-9]\.\d{1,3}(?![\d.%])", terminal.forget())
    ]


def _both(pid: int) -> tuple[float, float]:
    """Processor seconds of the interface and of its ingester."""
    return processor_seconds(pid), sum(processor_seconds(child) for child in children(pid))
