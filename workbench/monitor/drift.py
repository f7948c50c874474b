"""Drift of one table against another, column by column, in bounded memory: calibrated, or as Evidently judges it."""

# ruff: noqa: S608 – SQL is put together from constants and quoted identifiers; values travel as parameters.
from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Literal

from msgspec.structs import asdict
from numpy.typing import NDArray

from workbench.core.config import nearest
from workbench.core.model import ColumnDrift, DatasetDrift
from workbench.monitor.calibrated import MIN_ROWS, Setting
from workbench.monitor.calibrated_tables import Tables, judge_calibrated, time_column
from workbench.monitor.large import LARGE_ROWS, judge_large, tally_values
from workbench.monitor.methods import Numbers
from workbench.monitor.noise import settle
from workbench.monitor.registry import EVIDENTLYS_CHOICE, MethodChoice
from workbench.monitor.samples import sorted_numbers
from workbench.monitor.session import Session, filled, open_session, quoted
from workbench.monitor.tables import Column, DriftInputError, Table, open_table
from workbench.monitor.verdicts import (
    TEXT_SHARE,
    Pair,
    judge_numbers,
    judge_schema,
    judge_strings,
    judge_text,
    missing_note,
    untested,
)

Mode = Literal["calibrated", "evidently"]
DATASET_SHARE = 0.5
"""To Evidently a table has drifted when at least this share of its tested columns has."""
_BATCH_BYTES = 16 << 20
_CLEARLY_TEXT = 0.65
"""Share of distinct strings, estimated to a few per cent, above which no exact count is needed."""

__all__ = ["DriftInputError", "compare", "dataset_drift", "drift_json", "read_numbers", "sorted_numbers"]


def compare(
    reference: Path | str,
    current: Path | str,
    *,
    mode: Mode = "calibrated",
    columns: Collection[str] | None = None,
    ignore: Collection[str] = (),
    choice: MethodChoice = EVIDENTLYS_CHOICE,
    min_rows: int = MIN_ROWS,
    time: str | None = None,
    drift_share: float | None = None,
    memory_limit: str = "200MB",
) -> DatasetDrift:
    """Compare two tables (Parquet, CSV or JSONL; a path or a glob each) column by column.

    mode: `evidently` gives its verdicts; `calibrated` gives drift that is large, beyond the noise, and no fluke.
    columns: only these; ignore: all but these. Every remaining column of either table is in the result once.
    choice: methods and thresholds other than the default ones.
    min_rows, time: of the calibrated mode: values needed on each side for a verdict, and the reference's column of
        times, whose blocks then tell how much rows that follow each other vary.
    drift_share: see `dataset_drift`. memory_limit: what DuckDB may hold; it spills beyond.

    Raises:
        DriftInputError: a table that cannot be read, or a column name that neither table has.
    """
    with open_session(memory_limit) as session:
        left, right = open_table(session, reference), open_table(session, current)
        pairs = _pairs(left, right, columns, ignore)
        if mode == "evidently":
            judged = _judge(session, left, right, pairs, choice)
        else:
            counts = _counts(session, left), _counts(session, right)
            setting = Setting(choice, min_rows)
            tables = Tables(
                session, left, right, counts, setting, time_column(left, time), read_numbers, _BATCH_BYTES // 8
            )
            judged = judge_calibrated(tables, pairs)
        found = {drift.column: drift for drift in judged}
    return dataset_drift([found[pair.name] for pair in pairs], mode=mode, drift_share=drift_share)


def dataset_drift(
    columns: Sequence[ColumnDrift], *, mode: Mode | None = None, drift_share: float | None = None
) -> DatasetDrift:
    """The verdict on a table from those on its columns; only columns with a verdict of their own count.

    Calibrated columns are settled here: the result's columns are final, those given are not yet.
    mode: by default that of the columns: calibrated ones have a p-value.
    drift_share: the share of columns that must drift; by default Evidently's half, and in calibrated mode, where false
        alarms are held down, any one.
    """
    mode = mode or ("calibrated" if any(column.p_value is not None for column in columns) else "evidently")
    settled = settle(columns) if mode == "calibrated" else list(columns)
    tested = [column for column in settled if column.status in {"ok", "drift"}]
    drifted = sum(column.drifted for column in tested)
    share = drifted / len(tested) if tested else 0.0
    enough = drift_share if drift_share is not None else DATASET_SHARE if mode == "evidently" else 0.0
    verdict = "no-data" if not tested else "drift" if drifted and share >= enough else "ok"
    return DatasetDrift(tuple(settled), share, drifted, len(tested), verdict, mode)  # type: ignore[arg-type]


def drift_json(result: DatasetDrift) -> dict[str, Any]:
    """The JSON form: `dataset` (`columns` counts those tested), `columns`, each once, and `findings`."""
    return {
        "dataset": {
            "drifted": result.drifted,
            "share": result.share,
            "columns": result.tested,
            "verdict": result.verdict,
            "mode": result.mode,
        },
        "columns": [
            {
                "column": column.column,
                "type": column.type,
                "status": column.status,
                "method": column.method,
                "score": column.score if column.score is not None and math.isfinite(column.score) else None,
                "threshold": column.threshold,
                "drifted": column.drifted,
                "n_reference": column.n_reference,
                "n_current": column.n_current,
                "reason": column.reason,
                "noise_p95": column.noise_p95,
                "p_value": column.p_value,
                "effect": column.effect,
            }
            for column in result.columns
        ],
        "findings": [asdict(finding) for finding in result.findings],
    }


def read_numbers(session: Session, table: Table, columns: Sequence[Column]) -> list[Numbers]:
    """Columns of numbers in one scan, each sorted, nulls and infinities counted apart."""
    select = ", ".join(f"{column.number} AS c{i}" for i, column in enumerate(columns))
    arrays = session.arrays(f"SELECT {select} FROM {table.source}", table.parameters)
    with ThreadPoolExecutor(2) as pool:  # numpy sorts without holding the interpreter's lock
        return list(pool.map(_sorted_column, arrays, columns))


def _sorted_column(array: NDArray[Any], column: Column) -> Numbers:
    return sorted_numbers(filled(array), single=column.type == "FLOAT", integers=column.kind == "int")


def _pairs(left: Table, right: Table, columns: Collection[str] | None, ignore: Collection[str]) -> list[Pair]:
    names = list(dict.fromkeys([column.name for column in (*right.columns, *left.columns)]))
    for asked in (*(columns or ()), *ignore):
        if asked not in names and names:
            raise DriftInputError(f"{right.label}: no column {asked!r}{nearest(asked, names)}")
    wanted = [name for name in names if (columns is None or name in columns) and name not in ignore]
    return [Pair(name, left.column(name), right.column(name)) for name in wanted]


def _judge(
    session: Session, left: Table, right: Table, pairs: Sequence[Pair], choice: MethodChoice
) -> Iterator[ColumnDrift]:
    counts = _counts(session, left), _counts(session, right)
    judge_one = judge_large if max(left.rows, right.rows) > LARGE_ROWS else None
    numeric: list[Pair] = []
    for pair in pairs:
        n_reference, n_current = counts[0].get(pair.name, 0), counts[1].get(pair.name, 0)
        if not left.rows or not right.rows:
            sides = " and ".join(side for side, table in (("reference", left), ("current", right)) if not table.rows)
            yield untested(pair.name, "other", "no-data", f"no rows in {sides}", n_reference, n_current)
        elif verdict := judge_schema(pair, n_reference, n_current):
            yield verdict
        elif pair.numeric and judge_one:
            yield judge_one(session, left, right, pair, choice)
        elif pair.numeric:
            numeric.append(pair)
        else:
            yield _judge_strings(session, left, right, pair, n_reference, n_current, choice)
    step = max(1, _BATCH_BYTES // (8 * max(left.rows, right.rows, 1)))
    for start in range(0, len(numeric), step):
        yield from _judge_numbers(session, left, right, numeric[start : start + step], choice)


def _judge_numbers(
    session: Session, left: Table, right: Table, pairs: Sequence[Pair], choice: MethodChoice
) -> Iterator[ColumnDrift]:
    references = read_numbers(session, left, [pair.reference for pair in pairs if pair.reference])
    currents = read_numbers(session, right, [pair.current for pair in pairs if pair.current])
    for pair in pairs:
        assert pair.current is not None
        yield judge_numbers(pair.name, references.pop(0), currents.pop(0), pair.current.kind, choice=choice)


def _judge_strings(
    session: Session, left: Table, right: Table, pair: Pair, n_reference: int, n_current: int, choice: MethodChoice
) -> ColumnDrift:
    assert pair.reference is not None
    assert pair.current is not None
    estimate = session.rows(
        f"SELECT approx_count_distinct({quoted(pair.current.sql)}) FROM {right.source}", right.parameters
    )
    if n_current > 10_000 and estimate[0][0] > _CLEARLY_TEXT * n_current > TEXT_SHARE * n_current:
        return judge_text(pair.name, min(int(estimate[0][0]), n_current), n_reference, n_current, about="about ")
    tally = tally_values(
        session, left, right, *(f"{quoted(side.sql)}::VARCHAR" for side in (pair.reference, pair.current))
    )
    missing = missing_note(left.rows - n_reference, left.rows, right.rows - n_current, right.rows)
    return judge_strings(pair.name, tally, missing=missing, choice=choice)


def _counts(session: Session, table: Table) -> dict[str, int]:
    """How many values of each column are not null, in one scan."""
    if not table.columns:
        return {}
    select = ", ".join(f"count({quoted(column.sql)})" for column in table.columns)
    row = session.rows(f"SELECT {select} FROM {table.source}", table.parameters)[0]
    return dict(zip((column.name for column in table.columns), map(int, row), strict=True))
