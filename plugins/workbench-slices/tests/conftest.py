"""Tables of predictions whose worst slices are known, and projects that hold them."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from workbench_slices import client

from workbench.cli.project import Project, open_project, read_news

Columns = dict[str, Any]
client.PATIENCE = 120.0  # a machine under load is no reason to fail


def table(seed: int, n: int) -> tuple[np.random.Generator, Columns]:
    """Features that have nothing to do with each other: numbers, counts, choices, and gaps."""
    rng = np.random.default_rng(seed)
    columns: Columns = {f"x{at}": rng.normal(size=n) for at in range(4)}
    columns["amount"] = rng.lognormal(size=n)
    columns["age"] = rng.integers(18, 80, n).astype(float)
    columns["x3"][rng.random(n) < 0.1] = np.nan
    for name in ("carrier", "origin", "device"):
        columns[name] = [f"{name[0]}{value}" for value in rng.integers(0, 6, n)]
    return rng, columns


def is_in(columns: Columns, name: str, value: str) -> np.ndarray:
    """Rows with a value."""
    return np.array([each == value for each in columns[name]])


def write_csv(path: Path, columns: Mapping[str, Sequence[Any]]) -> Path:
    """A file of predictions as a script writes it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows(zip(*columns.values(), strict=True))
    return path


def write_jsonl(path: Path, columns: Mapping[str, Sequence[Any]]) -> Path:
    """The same as lines of JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = (dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True))
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def write_parquet(path: Path, columns: Mapping[str, Sequence[Any]]) -> Path:
    """The same as Parquet, by way of CSV: no other writer is needed."""
    import duckdb

    text = write_csv(path.with_suffix(".for-parquet"), columns)
    with duckdb.connect() as con:
        con.execute(f"COPY (SELECT * FROM read_csv_auto('{text}')) TO '{path}' (FORMAT parquet)")
    text.unlink()
    return path


WRITERS = {"csv": write_csv, "jsonl": write_jsonl, "parquet": write_parquet}


def classified(seed: int = 0, n: int = 3000) -> Columns:
    """A classifier that is wrong on every second row of carrier c3 from origin o2, and on 10 % of the others."""
    rng, columns = table(seed, n)
    bad = is_in(columns, "carrier", "c3") & is_in(columns, "origin", "o2")
    wrong = rng.random(n) < np.where(bad, 0.6, 0.1)
    label = rng.integers(0, 2, n)
    slow = np.where(is_in(columns, "device", "d1"), 3.0, 1.0)
    more = {"latency_ms": rng.gamma(4, 10, n) * slow, "label": label, "prediction": np.where(wrong, 1 - label, label)}
    return {key: [None if v != v else v for v in np.asarray(value).tolist()] for key, value in (columns | more).items()}


@pytest.fixture(scope="session")
def writers() -> Mapping[str, Callable[[Path, Mapping[str, Sequence[Any]]], Path]]:
    """What writes a file of predictions, by format."""
    return WRITERS


@pytest.fixture
def make_table() -> Callable[[int, int], tuple[np.random.Generator, Columns]]:
    return table


@pytest.fixture(scope="session")
def wrong_on_c3_o2() -> Columns:
    return classified()


@pytest.fixture
def opened() -> Callable[[Path], Project]:
    """A folder as a project, with everything in it read."""

    def make(root: Path) -> Project:
        project = open_project(root, fresh=False)
        read_news(project, None, final=True)
        return project

    return make
