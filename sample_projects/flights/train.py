"""Predicts late arrivals three times, logs it in three formats, and exports a year of production.

    python train.py [--out DIR] [--quick]

The rule logs through the tracking API, logistic regression to CSV, gradient boosting to TensorBoard's event files; then
the boosted model serves from February on. `workbench DIR` shows all of it.
"""

from __future__ import annotations

import argparse
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from data import FEATURES, LATE_MINUTES, data_folder, load_flights
from exports import predictions, write_exports
from loggers import CsvLog, EventLog
from models import SEED, Boosting, Encoder, Logistic, Rule
from numpy.typing import NDArray
from scores import BATCH, THRESHOLD, saved, scores, timed_batches
from threadpoolctl import threadpool_limits

import workbench
from workbench.core.ids import run_id
from workbench.ingest.annotate import Annotator

HERE = Path(__file__).resolve().parent
VALIDATION_EVERY = 4
"""Every fourth day of January validates, the others train, and everything from February on is production."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Sets:
    """Training and validation rows with their labels, and how they were encoded."""

    encoder: Encoder
    train: pl.DataFrame
    rows: Floats
    late: NDArray[np.int8]
    val_rows: Floats
    val_late: NDArray[np.int8]


@dataclass(frozen=True)
class Plan:
    """How much to do."""

    epochs: int
    rounds: int
    weeks: int | None


def split(flights: pl.DataFrame) -> Sets:
    """January's flights that arrived; whole days validate, since flights of one day share its weather."""
    january = flights.filter(pl.col("known_weather") & pl.col("late").is_not_null() & (pl.col("month") == 1))
    validates = pl.col("day").dt.day() % VALIDATION_EVERY == 0
    train, val = january.filter(~validates), january.filter(validates)
    encoder = Encoder.fit(train)
    labels = (part["late"].to_numpy() for part in (train, val))
    rows, val_rows = (encoder.ordinal(part) for part in (train, val))
    return Sets(encoder, train, rows, next(labels), val_rows, next(labels))


def run_rule(out: Path) -> tuple[pl.DataFrame, Sets]:
    """The baseline: one rule, all five stages of the pipeline logged through the tracking API."""
    params = {"model": "rule", "threshold": THRESHOLD, "late_after_minutes": LATE_MINUTES}
    candidates = range(4, 44, 4)
    with workbench.init(
        project="flights", name="rule", params=params, tags=["rule"], total_steps=len(candidates) + 1, dir=out / "runs",
        baseline=True,
    ) as run:  # fmt: skip
        with run.stage("ingestion") as stage:
            flights = load_flights()
            stage.rows = len(flights)
            run.data(data_folder() / "flights.csv.zip", role="raw", rows=len(flights))
        with run.stage("preprocessing", rows=len(flights)):
            sets = split(flights)
        with run.stage("training", rows=len(sets.late)):
            rules = [Rule(minutes).fit(sets.rows, sets.late) for minutes in candidates]
            for step, rule in enumerate(rules):
                run.log(_rule_scores(rule, sets), step=step)
        with run.stage("evaluation", rows=len(sets.val_late)):
            best = max(rules, key=lambda rule: saved(sets.late, rule.holds(sets.rows)).mean())
            val = _rule_scores(best, sets)
            run.log(val, step=len(rules))
            for step, (milliseconds, _) in enumerate(timed_batches(best.probability, sets.val_rows)):
                run.log(latency_ms=milliseconds, step=step)
        with run.stage("result logging"):
            run.config.update(minutes=best.minutes)
            run.summary(rule=f"late if earlier flights left {best.minutes} minutes late or more")
            rule_path = Path(run.dir or out) / "rule.txt"
            rule_path.write_text(f"recent_delay >= {best.minutes}: {best.share_if:.4f}, else {best.share_else:.4f}\n")
            run.artifact(rule_path)
    print(f"rule      {best.minutes} minutes        {_line(val)}")
    return flights, sets


def run_logistic(out: Path, sets: Sets, epochs: int) -> None:
    """Logistic regression, logged to CSV."""
    model = Logistic(sets.encoder)
    params = {
        "model": "logistic", "alpha": model.alpha, "learning_rate": model.learning_rate, "power": model.power,
        "epochs": epochs, "threshold": THRESHOLD, "seed": SEED,
    }  # fmt: skip
    metrics = ("accuracy", "auc", "loss", "saved_usd")
    columns = ["epoch", "step", *(f"{part}/{name}" for part in ("train", "val") for name in metrics), "latency_ms"]
    with CsvLog(_new_folder(out / "runs", "logistic"), columns, params) as log:
        for epoch in model.epochs(sets.rows, sets.late, epochs):
            log.write(epoch, _both(sets, model.probability), epoch)
        for step, (milliseconds, _) in enumerate(timed_batches(model.probability, sets.val_rows)):
            log.write(step, {"latency_ms": milliseconds})
    print(f"logistic  {epochs} epochs         {_line(_both(sets, model.probability))}")


def run_boosting(out: Path, sets: Sets, rounds: int) -> Boosting:
    """Gradient boosting, logged to TensorBoard's event files."""
    model = Boosting()
    params = {
        "model": "boosting", "learning_rate": model.learning_rate, "max_leaf_nodes": model.max_leaf_nodes,
        "min_samples_leaf": model.min_samples_leaf, "trees": rounds * model.trees_per_round, "threshold": THRESHOLD,
        "seed": SEED,
    }  # fmt: skip
    with EventLog(_new_folder(out / "runs", "boosting")) as log:
        for step in model.rounds(sets.rows, sets.late, rounds):
            log.write(step, _both(sets, model.probability))
        for step, (milliseconds, _) in enumerate(timed_batches(model.probability, sets.val_rows)):
            log.write(step, {"latency_ms": milliseconds})
        final = _both(sets, model.probability)
        log.hparams(params, {f"final/{key}": value for key, value in final.items() if key.startswith("val/")})
    print(f"boosting  {params['trees']} trees         {_line(final)}")
    return model


def _rule_scores(rule: Rule, sets: Sets) -> dict[str, float]:
    """Scores of a rule, whose warnings follow its answer and not a probability."""
    train = _scored("train", sets.late, rule.probability(sets.rows), rule.holds(sets.rows))
    val = _scored("val", sets.val_late, rule.probability(sets.val_rows), rule.holds(sets.val_rows))
    return {**train, **val, "rule/minutes": rule.minutes}


def _both(sets: Sets, probability: Callable[[Floats], Floats]) -> dict[str, float]:
    train = _scored("train", sets.late, probability(sets.rows))
    return {**train, **_scored("val", sets.val_late, probability(sets.val_rows))}


def _scored(
    part: str, late: NDArray[np.int8], probability: Floats, warned: NDArray[np.bool_] | None = None
) -> dict[str, float]:
    return {f"{part}/{name}": value for name, value in scores(late, probability, warned).items()}


def _line(values: dict[str, float]) -> str:
    return (
        f"val: accuracy {values['val/accuracy']:.3f}, AUC {values['val/auc']:.3f}, loss {values['val/loss']:.3f},"
        f" saves {values['val/saved_usd']:,.0f} USD per 1,000 flights"
    )


def _new_folder(runs: Path, name: str) -> Path:
    """The next free run folder: `boosting-1`, `boosting-2`, …"""
    number = 1
    while (runs / f"{name}-{number}").exists():
        number += 1
    return runs / f"{name}-{number}"


def main() -> None:
    """Train, export, and say what came out."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path(), help="where everything is written (default: here)")
    parser.add_argument("--quick", action="store_true", help="fewer epochs and 4 weeks: a few seconds")
    arguments = parser.parse_args()
    out: Path = arguments.out
    plan = Plan(epochs=4, rounds=5, weeks=4) if arguments.quick else Plan(epochs=20, rounds=40, weeks=None)
    began = time.perf_counter()
    out.mkdir(parents=True, exist_ok=True)
    if not (out / "workbench.toml").exists():
        shutil.copyfile(HERE / "workbench.toml", out / "workbench.toml")
    with threadpool_limits(1):  # a request is served by one core, and so are all that are compared with it
        flights, sets = run_rule(out)
        run_logistic(out, sets, plan.epochs)
        model = run_boosting(out, sets, plan.rounds)
        predictions(sets.train, sets.encoder, model.probability).write_parquet(out / "reference.parquet")
        weeks = write_exports(flights, sets.encoder, model.probability, out, plan.weeks)
        Annotator(out).tag(run_id(path="runs/boosting-1"), "production=flights")
    print(f"exports   {len(weeks)} weeks in {out / 'exports'}; {len(FEATURES)} features, {BATCH} flights a request")
    print(f"done in {time.perf_counter() - began:.0f} s; next: workbench {out}")


if __name__ == "__main__":
    main()
