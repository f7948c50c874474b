"""A report as a reader of it would meet one: runs, a chart, drift, figures, and something wrong in each."""

from __future__ import annotations

import numpy as np
import pytest

from workbench.core.blocks import (
    Bars,
    Cell,
    Column,
    Columns,
    Empty,
    Heat,
    Line,
    Lines,
    Note,
    Stack,
    Stat,
    Table,
)
from workbench.core.gates import GateResult
from workbench.core.series import smooth
from workbench.render.document import Document, Section


def runs_table() -> Table:
    columns = (
        Column("state", "", priority=0),
        Column("name", "run", priority=0),
        Column("accuracy", "val/accuracy", align="right", priority=0),
        Column("p95", "p95", "ms", "right", priority=1),
        Column("loss", "loss", width=12, priority=2),
        Column("lr", "lr", align="right", priority=4),
        Column("model", "model", priority=3),
        Column("size", "model size", "bytes", "right", priority=6),
        Column("took", "took", "duration", "right", priority=5),
    )
    decay = np.exp(-np.arange(40) / 12)
    rows = (
        _run("● running", "gbdt-deep", "accent", 0.9132, 0.032, "good", 12.34, 0.12, "bad", decay, 1e-3, 23456789, 92),
        _run("✓ finished", "logistic", "good", 0.885, None, "", 11.0, None, "", decay[::-1], 0.01, 81_234, 12),
        _run("✗ failed", "gbdt-wide", "bad", float("nan"), None, "", None, None, "", [1.0, np.nan, 3], 0.1, None, 7300),
        _run("✓ finished", "baseline: the schedule", "good", 0.8, -0.096, "bad", 0.4, -0.96, "good", (), None, 0, 1),
    )  # fmt: skip
    return Table(columns, rows, ids=("a", "b", "c", "d"))


def _run(state, name, tone, accuracy, change, change_tone, p95, p95_change, p95_tone, loss, lr, size, took):
    return (
        Cell(state, tone), Cell(name), Cell(accuracy, change_tone, change), Cell(p95, p95_tone, p95_change),
        Cell(None, spark=loss), Cell(lr), Cell("xgboost" if "gbdt" in name else None), Cell(size), Cell(took),
    )  # fmt: skip


def loss_chart(log_y: bool = False) -> Lines:
    random = np.random.default_rng(3)
    x = np.arange(600.0)
    deep = 2.2 * np.exp(-x / 120) + 0.2 + random.normal(0, 0.03, 600)
    deep[420] = 1.9
    wide = 2.6 * np.exp(-x / 60) + 0.5 + random.normal(0, 0.05, 600)
    wide[300:] = np.nan
    lines = (Line("gbdt-deep", x, smooth(deep, 0.6), deep, 0), Line("gbdt-wide", x, wide, None, 1))
    return Lines(lines, "train/loss", marks=((200.0, "lr / 10"),), log_y=log_y)


def drift_heat() -> Heat:
    columns = ("dep_delay", "air_time", "carrier", "origin", "distance")
    values = [[0.02 + 0.045 * index * (row % 3) for index in range(12)] for row in range(4)]
    values.append([None, None, *[0.01 * index for index in range(10)]])
    weeks = [f"2013-02-{day:02d}" for day in range(1, 13)]
    return Heat(columns, weeks, values, "drift score by week", 0.0, 0.6, 0.3)


def figures() -> Columns:
    return Columns(
        (
            Stat("on-time share", 0.7812, "share", 0.021, "good"),
            Stat("p95 latency", 12.34, "ms", 0.12, "bad", tuple(range(20))),
            Stat("rows", 1_234_567, "count"),
            Stat("labels arrived", None, "share"),
        )
    )


def distributions() -> Bars:
    labels = [f"{10 * index}-{10 * index + 10}" for index in range(12)]
    reference = [float(np.exp(-((index - 4) ** 2) / 8) / 5) for index in range(12)]
    current = [float(np.exp(-((index - 6) ** 2) / 8) / 5) for index in range(12)]
    return Bars(labels, (("reference", reference), ("current", current)), "dep_delay")


def importance() -> Bars:
    labels = ("dep_delay", "distance", "carrier", "origin airport (EWR, JFK, LGA)")
    return Bars(labels, (("gain", (0.61, 0.2042, 0.151, 0.0348)),), "feature importance", "share")


@pytest.fixture
def report() -> Document:
    """The whole report."""
    note = "carrier has 2 categories never seen in the reference.\nThe rows with them are 4.1 % of the week."
    sections = (
        Section("Production", Stack((figures(), Note(note, "warn"))), "production"),
        Section("Runs", runs_table(), "runs"),
        Section("Training", loss_chart(), "training"),
        Section("Drift", Stack((drift_heat(), distributions(), importance())), "drift"),
        Section("Latency", Empty("No latency yet", "log `latency_ms` with each step"), "latency"),
    )
    gates = (
        GateResult("accuracy", "best(val/accuracy) >= 0.9", True, 0.9132, 0.9, "0.9132 >= 0.9", "gbdt-deep"),
        GateResult(
            "latency", "latency_ms.p95 <= 1.1 * baseline", False, 12.34, 12.1, "12.34 is above 12.1", "gbdt-deep"
        ),
        GateResult(
            "drift", "drift(flights).share < 0.3", False, None, 0.3, "monitor flights has no windows", "flights"
        ),
    )
    return Document("flights", "gbdt-deep against baseline", sections, gates, 1_763_787_600.0)


@pytest.fixture
def runs_and_losses() -> Stack:
    """A table and a logarithmic chart."""
    return Stack((runs_table(), loss_chart(log_y=True)))
