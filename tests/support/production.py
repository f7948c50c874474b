"""A small shop in production: three days of exports, their reference, and the monitor over them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl

START = 1_699_920_000.0
"""2023-11-14 00:00:00 UTC."""
DAY = 86_400


def write_exports(root: Path) -> None:
    """Three days of production, two of them like the reference; on the last it is slower, and one feature has moved."""
    random = np.random.default_rng(7)
    rows = 400
    usual = pl.DataFrame({
        "time": START + np.arange(rows) * 60.0,
        "age": random.normal(40, 10, rows),
        "size": random.normal(0, 1, rows),
        "prediction": random.integers(0, 2, rows),
        "label": random.integers(0, 2, rows),
        "latency_ms": random.gamma(2, 10.0, rows),
        "status": random.choice([200, 500], rows, p=[0.95, 0.05]),
    })  # fmt: skip
    (root / "exports").mkdir()
    usual.write_parquet(root / "reference.parquet")
    for day in range(3):
        frame = usual.with_columns(pl.col("time") + day * DAY)
        if day == 2:
            frame = frame.with_columns(pl.col("age") + 15, pl.col("latency_ms") * 2)
        frame.write_parquet(root / "exports" / f"day{day}.parquet")
    (root / "workbench.toml").write_text(MONITOR)


MONITOR = """
[monitor.shop]
path = "exports/*.parquet"
timestamp = "time"
timestamp_unit = "s"
[monitor.shop.columns]
prediction = "prediction"
label = "label"
latency = "latency_ms"
status = "status"
[monitor.shop.reference]
path = "reference.parquet"
[monitor.shop.window]
every = "1d"
"""
