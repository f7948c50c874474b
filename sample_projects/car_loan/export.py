"""A released model on car loans: a month of production a file, labels weeks later, and a break known to the row.

    python export.py [--out DIR] [--data DIR]

Fifty thousand loans from November 2018 on. From the 25,001st on, 31 March 2019, applicants are others: cars are dearer,
incomes higher. Whether a loan was repaid is known six weeks later. `workbench DIR` says what happened, and when.
`--data` takes nannyml's own files, with two more features, from `pip download nannyml --no-deps`, unpacked.
"""

from __future__ import annotations

import argparse
import datetime as dt
import shutil
from pathlib import Path

import polars as pl

HERE = Path(__file__).resolve().parent
FIRST = dt.datetime(2018, 10, 30, 18)
EVERY = dt.timedelta(milliseconds=523_152)
"""Loans arrive at this pace."""
FIRST_ID = 50_000
WINDOW = 5_000
"""Loans a file, about a month."""
LABELS_AFTER = dt.timedelta(weeks=6)


def extract() -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """Reference, production and labels from the committed extract."""
    data = HERE / "data"
    production = _readable(pl.read_parquet(data / "production.parquet")).with_row_index("id", FIRST_ID)
    production = production.with_columns(pl.lit(FIRST) + (pl.col("id") - FIRST_ID).cast(pl.Int64) * EVERY)
    production = production.rename({"literal": "timestamp"})
    reference = _readable(pl.read_parquet(data / "reference.parquet"))
    return reference, production.drop("repaid"), production.select("id", "repaid")


def _readable(frame: pl.DataFrame) -> pl.DataFrame:
    """The extract keeps probabilities as whole percent, and classes as bits."""
    return frame.with_columns(
        pl.col("y_pred_proba") / 100, pl.col("y_pred", "repaid").cast(pl.Int8),
        pl.col("salary_range", "size_of_downpayment").cast(pl.String),
        pl.col("car_value", "loan_length").cast(pl.Float64),
    )  # fmt: skip


def whole(folder: Path) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """Reference, production and labels from nannyml's files, wherever they lie below a folder."""
    names = ("reference", "analysis", "analysis_target")
    paths = [next(folder.rglob(f"synthetic_car_loan_{name}.csv"), None) for name in names]
    if None in paths:
        raise SystemExit(
            f"{folder} has no synthetic_car_loan_*.csv; pip download nannyml --no-deps, and unzip it there"
        )
    reference, production, labels = (pl.read_csv(path) for path in paths if path is not None)
    return reference.drop("id"), production.with_columns(pl.col("timestamp").str.to_datetime()), labels


def write(out: Path, reference: pl.DataFrame, production: pl.DataFrame, labels: pl.DataFrame) -> int:
    """Write the reference, a file of production a month, and its labels six weeks later; returns how many months."""
    out = out / "car_loan"
    for folder in (out / "exports", out / "labels"):
        folder.mkdir(parents=True, exist_ok=True)
    reference.write_parquet(out / "reference.parquet")
    months = production.sort("timestamp").iter_slices(WINDOW)
    for number, month in enumerate(months, 1):
        known = month["timestamp"].max()
        month.write_parquet(out / "exports" / f"loans-{number:02d}.parquet")
        told = month.select("id").join(labels, on="id", how="inner", maintain_order="left")
        told.with_columns(labelled_at=pl.lit(known + LABELS_AFTER)).write_csv(
            out / "labels" / f"repaid-{number:02d}.csv"
        )
    return -(-len(production) // WINDOW)


def main() -> None:
    """Write the project, and say what is in it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path(), help="where everything is written (default: here)")
    parser.add_argument(
        "--data", type=Path, help="folder with nannyml's files (default: the extract beside this script)"
    )
    arguments = parser.parse_args()
    out: Path = arguments.out
    out.mkdir(parents=True, exist_ok=True)
    months = write(out, *(whole(arguments.data) if arguments.data else extract()))
    if not (out / "workbench.toml").exists():
        shutil.copyfile(HERE / "workbench.toml", out / "workbench.toml")
    print(f"{months} months of {WINDOW:,} loans in {out / 'car_loan'}; next: workbench {out}")


if __name__ == "__main__":
    main()
