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

Floats = NDArray[np.float64]


def write_exports(
    flights: pl.DataFrame, encoder: Encoder, predict: Callable[[Floats], Floats], folder: Path, weeks: int | None = None
) -> list[Path]:
    """Predict every flight of each week in batches, and write one Parquet file a week.

    `latency_ms` is the measured time of the request a flight was in. A flight whose weather is unknown is refused with
    status 503, as it would be in service. `late` stays null where the flight never arrived.
    """
    folder.mkdir(parents=True, exist_ok=True)
    served = flights.filter(pl.col("scheduled").is_between(FIRST_WEEK, AFTER_LAST, closed="left"))
    parts = served.with_columns(week=pl.col("scheduled").dt.truncate("1w")).partition_by("week", maintain_order=True)
    written = []
    for week in parts[:weeks]:
        path = folder / f"flights-{week['week'][0]:%G-W%V}.parquet"
        predictions(week, encoder, predict).write_parquet(path)
        written.append(path)
    return written


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
