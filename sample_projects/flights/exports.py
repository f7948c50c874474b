"""What the released model predicted, week after week, as a serving system exports it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
from data import FEATURES
from models import Encoder
from numpy.typing import NDArray
from scores import THRESHOLD, saved, timed_batches

FIRST_WEEK = dt.datetime(2013, 2, 4)
"""Monday; whole weeks from here to the end of the year."""
AFTER_LAST = dt.datetime(2013, 12, 30)
LABELS_AFTER = dt.timedelta(weeks=1)
"""Arrivals are reported so long after their week is over; those of the last week are still to come."""
SLOW_WEEK = "2013-W38"
"""A week in which the service asked the model three times for each answer."""
TEXT_FROM = "2013-W44"
"""From this week on the export writes `plane_age` as text."""

Floats = NDArray[np.float64]


def write_exports(
    flights: pl.DataFrame, encoder: Encoder, predict: Callable[[Floats], Floats], out: Path, weeks: int | None = None
) -> list[Path]:
    """Predict every flight of each week in batches; one Parquet file a week in exports/, and what came true in labels/.

    `latency_ms` is the measured time of the request a flight was in. A flight whose weather is unknown is refused with
    status 503, as it would be in service. A flight that never arrived has no label.
    """
    for folder in (out / "exports", out / "labels"):
        folder.mkdir(parents=True, exist_ok=True)
    served = flights.filter(pl.col("scheduled").is_between(FIRST_WEEK, AFTER_LAST, closed="left"))
    parts = served.with_columns(week=pl.col("scheduled").dt.truncate("1w")).partition_by("week", maintain_order=True)
    written = []
    for number, week in enumerate(parts[:weeks], 1):
        name = f"{week['week'][0]:%G-W%V}"
        rows = predictions(week, encoder, _three_times(predict) if name == SLOW_WEEK else predict)
        rows = rows.with_columns(id=pl.lit(f"{name}-") + pl.int_range(pl.len()).cast(pl.String))
        if name >= TEXT_FROM:
            rows = rows.with_columns(pl.col("plane_age").cast(pl.Int64).cast(pl.String))
        path = out / "exports" / f"flights-{name}.parquet"
        rows.drop("late").write_parquet(path)
        written.append(path)
        if number < len(parts[:weeks]):
            reported = week["week"][0] + dt.timedelta(weeks=1) + LABELS_AFTER
            labels = rows.filter(pl.col("late").is_not_null()).select("id", "late", reported_at=pl.lit(reported))
            labels.write_csv(out / "labels" / f"late-{name}.csv")
    return written


def _three_times(predict: Callable[[Floats], Floats]) -> Callable[[Floats], Floats]:
    """A client that retries what has already been answered."""

    def answer(rows: Floats) -> Floats:
        predict(rows)
        predict(rows)
        return predict(rows)

    return answer


def predictions(flights: pl.DataFrame, encoder: Encoder, predict: Callable[[Floats], Floats]) -> pl.DataFrame:
    """The rows of an export: time, features, prediction, probability, label, latency, status and USD saved."""
    known = flights["known_weather"].to_numpy()
    probability = np.full(len(flights), np.nan)
    latency = np.full(len(flights), np.nan)
    milliseconds, parts = zip(*timed_batches(predict, encoder.ordinal(flights.filter(known))), strict=True)
    probability[known] = np.concatenate(parts)
    latency[known] = np.repeat(milliseconds, [len(part) for part in parts])
    warned = probability >= THRESHOLD
    late = flights["late"]
    money = saved(late.fill_null(0).to_numpy(), warned)
    return flights.select("scheduled", "flight", *FEATURES).with_columns(
        prediction=pl.Series(np.where(known, warned, np.nan)).fill_nan(None).cast(pl.Int8),
        probability=pl.Series(probability).fill_nan(None),
        late=late,
        saved_usd=pl.when(late.is_not_null() & pl.Series(known)).then(pl.Series(money)),
        latency_ms=pl.Series(latency).fill_nan(None),
        status=pl.Series(np.where(known, 200, 503)).cast(pl.Int16),
    )
