"""A small project in memory, the same at every start: what the stories of the interface are told on."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from msgspec.structs import replace

from tests.support.memory_query import MemoryQuery, series, with_points
from workbench.core.config import Config
from workbench.core.model import ColumnDrift, Distribution, Run, Source, Stage, Window

NOW = 1_767_600_000.0
DAY = 86_400.0
NAMES = ("rules-dummy", "logistic", "gbm-small", "gbm-deep", "mlp-2x64", "mlp-wide", "gbm-lr0.3", "night-sweep-01")
STATES = ("finished", "finished", "finished", "running", "failed", "quiet", "running", "lost")
REASONS = (
    "ended by itself",
    "ended by itself",
    "all 60 steps are logged",
    "the process is alive",
    "ValueError: loss is not finite",
    "no new data since 2026-01-05T06:40:00Z",
    "data is coming in",
    "the process is gone without an end line",
)
LEVELS = (0.61, 0.71, 0.83, 0.86, 0.66, 0.79, 0.84, 0.74)


def curve(level: float, seed: int, n: int = 60) -> list[float]:
    noise = np.random.default_rng(seed).normal(0, 0.008, n)
    return [float(value) for value in level - 0.35 * np.exp(-np.arange(n) / 12) + noise]


def run(place: int) -> Run:
    return Run(
        id=f"r{place:02d}",
        name=NAMES[place],
        format="workbench",
        path=f"runs/{NAMES[place]}",
        status=STATES[place],  # type: ignore[arg-type]
        status_reason=REASONS[place],
        started_at=NOW - (3600 * (8 - place) + 90),
        updated_at=NOW - 5,
        params={"lr": (0.1, 0.01, 0.3)[place % 3], "depth": 2 + place, "seed": 7},
        tags={"sweep": "a"} if place % 2 else {},
        baseline=place == 0,
    )


def windows() -> list[Window]:
    found = []
    for week in range(10):
        columns = []
        for place, name in enumerate(("dep_delay", "distance", "carrier", "origin", "temp", "wind_speed")):
            score = 0.02 + 0.018 * place * (week / 4) + (0.12 if name == "temp" and week > 5 else 0)
            columns.append(
                ColumnDrift(
                    name, "num", "drift" if score >= 0.1 else "ok", "wasserstein", score, 0.1, score >= 0.1, 4000, 3900
                )
            )
        metrics = {"latency_ms.p50": 8 + week / 3, "latency_ms.p95": 20.0 + week * week / 6, "error_rate": 0.01}
        found.append(Window("flights", NOW - (10 - week) * 7 * DAY, NOW - (9 - week) * 7 * DAY, 3900, metrics, columns))
    return found


def project() -> MemoryQuery:
    """Eight runs in every state, a monitor of ten weeks, three sources."""
    runs = [run(place) for place in range(len(NAMES))]
    points = []
    for place, each in enumerate(runs):
        length = 60 if each.status == "finished" else 25 + 4 * place
        points.append(series(each.id, "val/accuracy", curve(LEVELS[place], place, length), wall=each.started_at or 0))
        losses = [1.2 - value for value in curve(LEVELS[place], place + 50, length)]
        points.append(series(each.id, "train/loss", losses, wall=each.started_at or 0))
        latencies = np.random.default_rng(place).gamma(3, 3 + place, 200).tolist()
        points.append(series(each.id, "latency_ms", latencies, wall=each.started_at or 0))
    distribution = Distribution(
        "temp",
        [f"{low}–{low + 5}" for low in range(-10, 40, 5)],
        [0.02, 0.05, 0.1, 0.15, 0.2, 0.2, 0.13, 0.1, 0.04, 0.01],
        [0.0, 0.01, 0.02, 0.05, 0.1, 0.15, 0.25, 0.24, 0.13, 0.05],
    )
    return MemoryQuery(
        runs,
        with_points(*points),
        {
            "r03": [
                Stage("ingestion", NOW - 300, NOW - 280, 336_776, "finished"),
                Stage("training", NOW - 280, None, None, "running"),
            ]
        },
        [
            Source("s1", "runs/gbm-deep/log.jsonl", "workbench", 1, 48_211, 48_211, 410, 0, "ok", "", NOW - 2),
            Source("s2", "exports/week-09.parquet", "parquet", 1, 9_122_113, 9_122_113, 3900, 0, "ok", "", NOW - 60),
            Source(
                "s3", "runs/old/metrics.csv", "csv", 2, 1_204, 1_204, 88, 2, "ok", "header changed at line 40", NOW - 9
            ),
        ],
        {"flights": windows()},
        {("flights", "temp"): distribution},
    )


@dataclass
class LiveQuery:
    """A project that changes: every method of whichever project is current, and what to raise instead."""

    now: MemoryQuery = field(default_factory=project)
    failing: Exception | None = None
    asked: list[str] = field(default_factory=list)
    held: threading.Event | None = None
    """Until it is set, whoever asks waits."""

    def __getattr__(self, name: str) -> Any:
        self.asked.append(name)
        if self.held is not None:
            return partial(self._held, self.held, name)
        return self._answer(name)

    def _answer(self, name: str) -> Any:
        if self.failing is not None:
            raise self.failing
        return getattr(self.now, name)

    def _held(self, held: threading.Event, name: str, *args: Any, **kwargs: Any) -> Any:
        assert held.wait(60)
        return self._answer(name)(*args, **kwargs)

    def hold(self) -> None:
        """Let everybody who asks wait."""
        self.held = threading.Event()

    def let_go(self) -> None:
        """Answer them, and everybody after them."""
        if self.held is not None:
            self.held.set()
            self.held = None

    def change(self, **changes: Any) -> None:
        """Let the project become another one."""
        self.now = replace(self.now, version=str(int(self.now.version) + 1), **changes)

    def log(self, run_id: str, key: str, values: Sequence[float]) -> None:
        """More points of a series."""
        before = self.now.points[run_id, key]
        more = series(run_id, key, [*before.value.tolist(), *values], wall=float(before.wall[0]))
        self.change(points={**self.now.points, (run_id, key): more})

    def with_run(self, run_id: str, **changes: Any) -> None:
        """One run becomes another."""
        runs = [replace(each, **changes) if each.id == run_id else each for each in self.now.all_runs]
        self.change(all_runs=runs)


@dataclass
class Notebook:
    """An annotator that remembers, and lets the project follow."""

    query: LiveQuery
    written: list[tuple[str, ...]] = field(default_factory=list)

    def baseline(self, run_id: str, *, on: bool = True) -> None:
        self.written.append(("baseline", run_id) if on else ("no baseline", run_id))
        runs = [replace(each, baseline=on and each.id == run_id) for each in self.query.now.all_runs]
        self.query.change(all_runs=runs)

    def tag(self, run_id: str, tag: str, *, on: bool = True) -> None:
        self.written.append(("tag", run_id, tag) if on else ("no tag", run_id, tag))
        key, _, value = tag.partition("=")
        tags = {name: kept for name, kept in self._run(run_id).tags.items() if name != key}
        self.query.with_run(run_id, tags={**tags, key: value} if on else tags)

    def note(self, run_id: str, text: str, *, on: bool = True) -> None:
        self.written.append(("note", run_id, text) if on else ("no note", run_id, text))
        notes = [note for note in self._run(run_id).notes if on or note != text]
        self.query.with_run(run_id, notes=(*notes, text) if on else tuple(notes))

    def rename(self, run_id: str, name: str) -> None:
        self.written.append(("rename", run_id, name))
        self.query.with_run(run_id, name=name)

    def _run(self, run_id: str) -> Run:
        return next(run for run in self.query.now.all_runs if run.id == run_id)

    def hide(self, run_id: str, *, on: bool = True) -> None:
        self.written.append(("hide", run_id) if on else ("show", run_id))
        self.query.with_run(run_id, hidden=on)


def config(root: Path) -> Config:
    return Config(root / "flights")
