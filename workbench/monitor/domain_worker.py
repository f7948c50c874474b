"""Trains the classifier of `workbench.monitor.domain`; run as `python -m workbench.monitor.domain_worker JSON`."""

# ruff: noqa: S608 – SQL is put together from constants and quoted identifiers; values travel as parameters.
from __future__ import annotations

import json
import math
import os
import sys
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench.monitor.domain import THRESHOLD
from workbench.monitor.noise import ALPHA
from workbench.monitor.session import Session, filled, open_session, quoted
from workbench.monitor.tables import Column, DriftInputError, Table, open_table
from workbench.monitor.worker import say

_FOLDS = 5
_MOST_CATEGORIES = 200
"""More categories than the classifier has bins: the rarer ones count as one."""
_UNIQUE = 0.95
_NULL_ROUNDS = 2
_LEAST_ROWS = 50


def main(argument: str) -> int:
    """Print the result as JSON; 0 is a result, 4 a table that cannot be used."""
    # So few rows are learnt faster by one thread than by several that wait for each other.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    try:
        asked = json.loads(argument)
        print(json.dumps(_run(asked)))  # noqa: T201 – what the process that started this one reads
    except DriftInputError as error:
        sys.stderr.write(f"{error}\n")
        return 4
    except Exception as error:  # noqa: BLE001 – whatever a foreign library raises ends as one line for the caller
        sys.stderr.write(f"{type(error).__name__}: {' '.join(str(error).split())[:500]}\n")
        return 1
    return 0


def _run(asked: Mapping[str, Any]) -> dict[str, Any]:
    say("reading the tables")
    with open_session() as session:
        tables = open_table(session, asked["reference"]), open_table(session, asked["current"])
        names, values, categorical = _read(session, tables, asked)
    sides = np.concatenate([np.full(len(part), side) for side, part in enumerate(values)])
    rows = np.concatenate(values)
    if min(len(part) for part in values) < _LEAST_ROWS:
        raise DriftInputError(f"fewer than {_LEAST_ROWS} rows on a side: too few to learn from")
    say(f"training on {len(rows):,} rows of {len(names)} columns")
    auc, losses, noise = _cross_validate(rows, sides, categorical)
    say("asking what chance gives")
    null = [_cross_validate(rows, shuffled, categorical, losses=False)[0] for shuffled in _shuffles(sides)]
    n, m = (int(np.sum(sides == side)) for side in (0, 1))
    # The deviation of Mann and Whitney's statistic; shuffled sides say whether cross-validation adds to it.
    deviation = max(math.sqrt((n + m + 1) / (12 * n * m)), float(np.sqrt(np.mean((np.asarray(null) - 0.5) ** 2))))
    p = math.erfc(max(auc - 0.5, 0.0) / deviation / math.sqrt(2)) / 2 if auc > 0.5 else 0.5
    telling = sorted(((name, float(loss)) for name, loss in zip(names, losses, strict=True)), key=lambda item: -item[1])
    return {
        "auc": auc, "noise_p95": 0.5 + 1.645 * deviation, "p_value": p,
        "drifted": bool(auc >= THRESHOLD and p <= ALPHA), "n_reference": n, "n_current": m,
        "columns": [item for item in telling if item[1] > max(noise, 0.002)],
    }  # fmt: skip


def _shuffles(sides: NDArray[np.int64]) -> Sequence[NDArray[np.int64]]:
    random = np.random.default_rng(20240229)
    return [random.permutation(sides) for _ in range(_NULL_ROUNDS)]


def _read(
    session: Session, tables: tuple[Table, Table], asked: Mapping[str, Any]
) -> tuple[list[str], list[NDArray[np.float64]], list[bool]]:
    """Columns that both sides have, as numbers: categories by code, missing ones as NaN."""
    left, right = tables
    only: Collection[str] | None = asked["columns"]
    names, parts, categorical = [], [], []
    samples = [_thinned(table, asked["rows"]) for table in tables]
    for column in left.columns:
        other = right.column(column.name)
        if other is None or column.name in asked["ignore"] or (only is not None and column.name not in only):
            continue
        numeric = {column.kind, other.kind} <= {"int", "float", "bool"}
        if not numeric and not column.kind == other.kind == "string":
            continue
        read = [
            _column(session, table, side, sample)
            for table, side, sample in zip(tables, (column, other), samples, strict=True)
        ]
        made = _numbers(read) if numeric else _codes(read)
        if made is None:
            continue
        names.append(column.name)
        parts.append(made)
        categorical.append(not numeric)
    if not names:
        raise DriftInputError("the tables have no column in common that a classifier can use")
    return names, [np.column_stack([made[side] for made in parts]) for side in (0, 1)], categorical


def _thinned(table: Table, rows: int) -> str:
    """Every k-th row in the order of the file: the same rows at every run, and from all of its parts."""
    step = max(1, -(-table.rows // rows))
    return f'(SELECT * FROM (SELECT *, row_number() OVER () AS "\x01" FROM {table.source}) WHERE "\x01" % {step} = 0)'


def _column(session: Session, table: Table, column: Column, sample: str) -> NDArray[Any]:
    name = quoted(column.sql) + ("::VARCHAR" if column.kind == "string" else "::DOUBLE")
    return session.arrays(f'SELECT {name} AS x FROM {sample} ORDER BY "\x01"', table.parameters)[0]


def _numbers(sides: Sequence[NDArray[Any]]) -> list[NDArray[np.float64]] | None:
    """Numbers, infinities as missing; None for integers that name or order rows, which tell any two files apart."""
    made = [filled(side) for side in sides]
    for side in made:
        side[np.isinf(side)] = np.nan
    known = made[0][~np.isnan(made[0])]
    whole = len(known) and bool(np.all(known == np.floor(known)))
    if whole and len(np.unique(known)) > _UNIQUE * len(known) and bool(np.all(np.diff(known) > 0)):
        return None
    return made


def _codes(sides: Sequence[NDArray[Any]]) -> list[NDArray[np.float64]] | None:
    """Categories by frequency in both sides; None where they are mostly distinct."""
    texts = [np.ma.asarray(side) for side in sides]
    known = np.concatenate([side.compressed().astype(str) for side in texts])
    names, counts = np.unique(known, return_counts=True)
    if len(names) > 0.5 * len(known):
        return None
    order = names[np.argsort(-counts, kind="stable")][: _MOST_CATEGORIES - 1]
    codes = {name: float(code) for code, name in enumerate(order.tolist())}
    rest = float(len(order))
    return [
        np.asarray(
            [np.nan if value is np.ma.masked or value is None else codes.get(str(value), rest) for value in side]
        )
        for side in texts
    ]


def _cross_validate(
    rows: NDArray[np.float64], sides: NDArray[np.int64], categorical: Sequence[bool], *, losses: bool = True
) -> tuple[float, NDArray[np.float64], float]:
    """Area under the curve over folds, what it loses by column shuffled, and how much of that is chance.

    Folds are stretches of each file: rows beside each other may be near copies, and one must not teach the other.
    """
    from sklearn.metrics import roc_auc_score
    from sklearn.model_selection import StratifiedKFold

    random = np.random.default_rng(20240229)
    areas: list[float] = []
    lost: list[list[float]] = []
    for train, test in StratifiedKFold(_FOLDS).split(rows, sides):
        model = _model(categorical).fit(rows[train], sides[train])
        area = float(roc_auc_score(sides[test], model.predict_proba(rows[test])[:, 1]))
        areas.append(area)
        if losses:
            lost.append([])
            for column in range(rows.shape[1]):
                shuffled = rows[test].copy()
                shuffled[:, column] = random.permutation(shuffled[:, column])
                lost[-1].append(area - float(roc_auc_score(sides[test], model.predict_proba(shuffled)[:, 1])))
    if not losses:
        return float(np.mean(areas)), np.empty(0), 0.0
    table = np.asarray(lost)
    return float(np.mean(areas)), table.mean(axis=0), float(2 * np.median(table.std(axis=0)) / math.sqrt(_FOLDS))


def _model(categorical: Sequence[bool]) -> Any:
    from sklearn.ensemble import HistGradientBoostingClassifier

    return HistGradientBoostingClassifier(
        max_iter=60, max_leaf_nodes=15, min_samples_leaf=20, learning_rate=0.1, l2_regularization=1.0,
        categorical_features=list(categorical), class_weight="balanced", random_state=0, early_stopping=False,
    )  # fmt: skip


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1]))
