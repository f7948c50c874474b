"""A project with something for every screen: a sweep, a failed run, pipelines, two monitored models, their gates."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from msgspec.structs import replace

from tests.support.memory_query import MemoryQuery, series, with_points
from tests.tui.full_production import COLUMNS, TEMPERATURE, findings, flights, loans
from tests.tui.project import DAY, NOW, curve, project
from workbench.core.batch import ConsoleLine
from workbench.core.config import Config, GateConfig
from workbench.core.model import (
    Artifact,
    Finding,
    Roles,
    Run,
    Series,
    Source,
    Stage,
    StepHistogram,
)
from workbench.core.run_logs import LogPlace

FAILED = "r04"
"""The run that has everything: a finding, stages, output, histograms, files, notes."""
LOG = "runs/mlp-2x64/train.log"
SETTINGS = (("adam", 1e-4, 2), ("adam", 1e-3, 4), ("adam", 1e-3, 8), ("sgd", 1e-2, 2), ("sgd", 1e-1, 4))
GATES = (
    GateConfig("better than the rule", "best(val/accuracy) >= 0.8"),
    GateConfig("fast enough", "window(flights).latency_ms.p95 <= 30"),
    GateConfig("no drift", "drift(flights).share <= 0.3"),
    GateConfig("loss is finite", "last(val/loss) < 1"),
)


def full() -> MemoryQuery:
    """The project of the other stories, with all that it lacks there."""
    base = project()
    named = [_described(each) for each in base.all_runs]
    swept, points = _sweep()
    weeks = flights()
    return replace(
        base,
        all_runs=[*named, *swept],
        points={**base.points, **with_points(*_more_points(named)), **with_points(*points)},
        all_stages={each.id: _stages(place, each) for place, each in enumerate(named) if place > 1},
        all_sources=[*base.all_sources, *_sources()],
        all_windows={"flights": weeks, "loans": loans()},
        distributions={("flights", name): replace(TEMPERATURE, column=name) for name in COLUMNS},
        configured=dict.fromkeys(("business.mean", "saved_usd"), Roles("higher", "USD", "business")),
        all_histograms={(FAILED, "grads/layer1"): _histograms(), (FAILED, "weights/layer1"): _histograms()},
        lines={FAILED: _console()},
        all_findings=[*_run_findings(), *findings(weeks)],
        logs={FAILED: ["t1"]},
        places=_places(),
        all_artifacts={FAILED: [Artifact("model", "runs/mlp-2x64/model.pt"), Artifact("plot", "runs/mlp-2x64/pr.png")]},
    )  # fmt: skip


def bare() -> MemoryQuery:
    """A project with the one run that has everything in `full`, before it logged anything."""
    why = "the process is alive"
    return MemoryQuery([Run(FAILED, "mlp-2x64", "workbench", "runs/mlp-2x64", "running", why, NOW - 30, None, NOW - 5)])


def with_gates(root: Path) -> Config:
    """The configuration with four gates, two of which fail."""
    return Config(root / "flights", gates=GATES)


def write_log(root: Path) -> None:
    """The failed run's text log, where the project has it."""
    path = root / "flights" / LOG
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{line}\n" for line in _log()))


# Runs


def _described(run: Run) -> Run:
    place = int(run.id[1:])
    kind = ("rule", "linear", "trees", "trees", "net", "net", "trees", "trees")[place]
    optimizer = "sgd" if place % 2 else "adam"
    params = {**run.params, "model": kind, "batch_size": 64 << place % 3, "dropout": place % 4 / 10}
    params |= {"optimizer": optimizer, "depth": 2 + place // 2}
    tags = {**run.tags, "team": "ops"} | ({"production": "flights"} if place == 2 else {})
    notes = ("loss jumped after the learning rate was raised", "try gradient clipping") if run.id == FAILED else ()
    environment = {"python": "3.11.9", "host": "gpu-07", "git": "4f1c2ab", "gpu": "H100"} if run.id == FAILED else {}
    ill = {"attention": "bad", "diagnosis": _NOT_FINITE.sentence} if run.id == FAILED else {}
    return replace(
        run, params=params, tags=tags, notes=notes, environment=environment, total_steps=60,
        ended_at=run.updated_at if run.status == "finished" else None, **ill,  # type: ignore[arg-type]
    )  # fmt: skip


def _more_points(runs: list[Run]) -> list[Series]:
    found = []
    for place, run in enumerate(runs):
        wall, accuracy = run.started_at or 0.0, curve(0.62 + 0.03 * place, place, 60)
        loss = [1.3 - value for value in accuracy]
        if run.id == FAILED:
            loss[38:] = [float("nan")] * 22
        extra = {
            "val/loss": loss,
            "val/f1": [0.95 * value for value in accuracy],
            "saved_usd": [1_000 * value for value in accuracy],
            "train/grad_norm": np.random.default_rng(place).gamma(2, 0.3, 60).tolist(),
            "train/lr": [0.1 * 0.97**step for step in range(60)],
            "system/gpu0/util": (60 + 25 * np.sin(np.arange(60) / 4 + place)).tolist(),
        }
        found += [series(run.id, key, values, wall=wall) for key, values in extra.items()]
        if run.status == "finished":
            found.append(series(run.id, "test/auc", [0.6 + 0.04 * place], wall=wall))
            cells = {"0/0": 412, "0/1": 38, "1/0": 51, "1/1": 99}
            found += [series(run.id, f"confusion/{cell}", [count], wall=wall) for cell, count in cells.items()]
    return found


def _sweep() -> tuple[list[Run], list[Series]]:
    """Five settings with three seeds each, a day before."""
    runs, points, random = [], [], np.random.default_rng(7)
    for number, (optimizer, lr, depth) in enumerate(SETTINGS):
        for seed in (1, 2, 3):
            name = f"{optimizer}-{lr:g}-{depth}-s{seed}"
            start = NOW - DAY + 3600 * number + 60 * seed
            params = {"optimizer": optimizer, "lr": lr, "depth": depth, "seed": seed, "batch_size": 64, "dropout": 0.1}
            params |= {"model": "net"}
            end = 0.7 + 0.04 * (optimizer == "adam") + 0.01 * depth + random.normal(0, 0.004)
            steps = np.arange(40)
            runs.append(
                Run(name, name, "jsonl", f"runs/{name}", "finished", "all 40 steps are logged", start,
                    start + 100 * depth, start + 100 * depth, params, {"sweep": "b", "team": "ops"})
            )  # fmt: skip
            points.append(series(name, "val/accuracy", (end * (1 - np.exp(-steps / 8))).tolist(), wall=start))
            points.append(series(name, "val/loss", (2 * np.exp(-steps / 9) + 1 - end).tolist(), wall=start))
    return runs, points


_SPENT = {"ingestion": 21.0, "preprocessing": 34.0, "training": 410.0, "evaluation": 12.0, "result logging": 2.0}


def _stages(place: int, run: Run) -> list[Stage]:
    """The five steps; a failed run ends in its training, one that runs is still there."""
    at = run.started_at or NOW
    found: list[Stage] = []
    for name, usual in _SPENT.items():
        took = usual * (1 + 0.07 * place) * (2.4 if place == 7 and name == "preprocessing" else 1)
        if name == "training" and run.status in ("failed", "running", "lost"):
            state = {"failed": "failed", "lost": "lost"}.get(run.status, "running")
            return [*found, Stage(name, at, at + took / 2 if state == "failed" else None, 269_421, state)]
        found.append(Stage(name, at, at + took, None if name == "result logging" else 336_776, "finished"))
        at += took
    return found


def _console() -> list[ConsoleLine]:
    said = ["epoch 37 loss 0.513", "epoch 38 loss nan", "ValueError: loss is not finite"]
    return [ConsoleLine(line, NOW - 4000 + at, "err" if at == 2 else "out", run=FAILED) for at, line in enumerate(said)]


def _histograms() -> list[StepHistogram]:
    edges = np.linspace(-1, 1, 17)
    middle = (edges[1:] + edges[:-1]) / 2
    return [
        StepHistogram(step, NOW - 4000 + 10 * step, edges, np.round(500 * np.exp(-((middle * (2 + step / 9)) ** 2))))
        for step in range(0, 40, 4)
    ]


def _log() -> list[str]:
    lines = [
        f"2026-01-05 03:{at // 60:02d}:{at % 60:02d} INFO train: step {at} loss {1.3 / (1 + at / 9):.4f} "
        f"accuracy {0.66 - 0.35 / (1 + at / 5):.4f} grad_norm {0.4 + at % 7 / 10:.2f} lr {0.1 * 0.97**at:.5f}"
        for at in range(38)
    ]
    return [
        *lines,
        "2026-01-05 03:00:38 WARNING train: gradient norm 81.2 is far above its usual 0.6",
        "2026-01-05 03:00:39 ERROR train: loss is nan at step 38",
        "Traceback (most recent call last):",
        '  File "train.py", line 88, in <module>',
        "    fit(model, loader)",
        "ValueError: loss is not finite",
    ]


def _places() -> list[LogPlace]:
    offset, places = 0, []
    for line in _log():
        if " step " in line and "INFO" in line:
            places.append(LogPlace(LOG, "t1", 1, offset, int(line.split(" step ")[1].split()[0])))
        offset += len(line) + 1
    return places


def _sources() -> list[Source]:
    size = sum(len(line) + 1 for line in _log())
    weeks = [
        Source(f"w{week}", f"exports/week-{week:02d}.parquet", "parquet", 1, 9_000_000 + 7_919 * week,
               9_000_000 + 7_919 * week, 3900, 0, "ok", "", NOW - 600 * (12 - week))
        for week in range(1, 9)
    ]  # fmt: skip
    return [
        Source("t1", LOG, "text", 1, size, size, 38, 0, "ok", "", NOW - 7),
        Source("b1", "runs/old/broken.tfevents", "tensorboard", 1, 40_960, 16_384, 1_204, 1, "damaged",
               "record at byte 16,384 fails its checksum; what stands behind it is read", NOW - 9),
        *weeks,
    ]  # fmt: skip


_NOT_FINITE = Finding(
    "not-finite", "val/loss", "bad", "val/loss is NaN since step 38, after 1 step of the loss rising",
    NOW - 14_000, None, None, {"step": 38}, "", "", FAILED,
)  # fmt: skip


def _run_findings() -> list[Finding]:
    return [
        _NOT_FINITE,
        Finding("slow", "step time", "warn", "9.8 s a step, where its siblings took 4.1 s", NOW - 9_000, None, 0.97,
                {}, "", "", "r07"),
        Finding("silent", "progress", "warn", "nothing new for 80 minutes, where the longest gap was 12 s", NOW - 4_800,
                None, None, {}, "", "", "r05"),
    ]  # fmt: skip
