"""Columns too long to be held: the same scores from slices of the value range, read one after the other."""

# ruff: noqa: S608 – SQL is put together from constants and quoted identifiers; values travel as parameters.
from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from workbench.core.model import ColumnDrift
from workbench.monitor.joint import Block, Joint, join_sorted
from workbench.monitor.methods import WASSERSTEIN, Method, Numbers, Tally, normed, score_numbers
from workbench.monitor.registry import EVIDENTLYS_CHOICE, MethodChoice
from workbench.monitor.scores import QUICK, score_joint
from workbench.monitor.session import Session
from workbench.monitor.tables import Column, Table
from workbench.monitor.verdicts import FEW_INTEGERS, Pair, judge_samples

LARGE_ROWS = 4_000_000
"""With more rows on a side, a column is not held as a whole."""
SLICE_ROWS = 2_000_000
_SAMPLE = 20_000
_EXACT = 10_000

Slice = tuple[float, int, int, NDArray[np.float64], NDArray[np.float64]]
"""A cut, how many reference and current values lie on it, and those between it and the next, sorted."""


class LargeNumbers(Struct, frozen=True):
    """What is known of a long column without holding it; `few` are all distinct values if at most 10."""

    n: int
    missing: int
    infinite: int
    std: float
    ends: tuple[float, float]
    few: NDArray[np.float64]
    single: bool = False
    integers: bool = False
    rising: bool = False
    about: int = 0
    """How many distinct values there are, estimated."""

    def __len__(self) -> int:
        return self.n

    def distinct_count(self) -> int:
        """How many distinct values there are, to a few per cent."""
        return self.about

    def distinct(self, limit: int) -> NDArray[np.float64]:
        """All distinct values, or `limit` of them where there are more; `limit` is at most 11."""
        return self.few[:limit]


def judge_large(
    session: Session, left: Table, right: Table, pair: Pair, choice: MethodChoice = EVIDENTLYS_CHOICE
) -> ColumnDrift:
    """Test a long column of numbers or booleans, in memory that does not grow with it."""
    assert pair.reference is not None
    assert pair.current is not None
    sides = describe(session, left, pair.reference), describe(session, right, pair.current)
    names = [column.number for column in (pair.reference, pair.current)]

    def score(method: Method) -> float:
        cuts = cut_range(session, left, right, names, len(sides[0]) + len(sides[1]))
        if method.key not in QUICK:
            return score_joint(method, join_slices(sides, lambda: read_slices(session, left, right, names, cuts)))
        area, gap = sweep(read_slices(session, left, right, names, cuts), len(sides[0]), len(sides[1]))
        if method.key == WASSERSTEIN.key:
            return normed(area, sides[0])
        if max(map(len, sides)) <= _EXACT:  # mostly nulls: scipy then has an exact p-value
            *_, values, others = next(read_slices(session, left, right, names, np.empty(0)))
            return score_numbers(method, Numbers(values), Numbers(others))
        return _ks_p_value(gap, len(sides[0]), len(sides[1]))

    def tally() -> Tally:
        return tally_values(session, left, right, *(f"CASE WHEN isfinite({name}) THEN {name} END" for name in names))

    return judge_samples(pair.name, *sides, pair.current.kind, score, tally, choice=choice)


def tally_values(
    session: Session, left: Table, right: Table, reference: str, current: str, *, keys: bool = False
) -> Tally:
    """Counts by value of two SQL expressions; DuckDB orders text as Python does.

    keys: fetch the values too, for columns known to hold few; else they stay where they are.
    """
    counts = session.arrays(
        f"""SELECT sum(r)::BIGINT AS c0, sum(c)::BIGINT AS c1{", x AS c2" if keys else ""} FROM (
              SELECT {reference} AS x, count(*) AS r, 0 AS c FROM {left.source} GROUP BY ALL
              UNION ALL
              SELECT {current}, 0, count(*) FROM {right.source} GROUP BY ALL
            ) WHERE x IS NOT NULL GROUP BY x ORDER BY x""",
        [*left.parameters, *right.parameters],
    )
    return Tally(counts[0].astype(np.int64), counts[1].astype(np.int64), counts[2].tolist() if keys else ())


def named_values(
    session: Session, left: Table, right: Table, reference: str, current: str, limit: int = 5
) -> tuple[list[str], list[str]]:
    """The most frequent values that only the current side has, and those that only the reference has."""
    found = []
    for one, (other, expression, lacks) in (
        (right, (left, current, reference)), (left, (right, reference, current)),
    ):  # fmt: skip
        rows = session.rows(
            f"""SELECT x FROM (SELECT {expression} AS x, count(*) AS n FROM {one.source} GROUP BY ALL)
                WHERE x IS NOT NULL AND x NOT IN
                  (SELECT {lacks} FROM {other.source} WHERE {lacks} IS NOT NULL) ORDER BY n DESC, x LIMIT {limit}""",
            [*one.parameters, *other.parameters],
        )
        found.append([str(row[0]) for row in rows])
    return found[0], found[1]


def describe(
    session: Session, table: Table, column: Column, *, within: tuple[float, float] | None = None
) -> LargeNumbers:
    """What there is to know of a long column; values beyond `within` stand on its ends."""
    name = column.number if within is None else clipped(column.number, within)
    finite = f"FILTER (isfinite({name}))"
    n, missing, infinite, low, high, mean = session.rows(
        f"""SELECT count(*) {finite}, count(*) FILTER ({name} IS NULL OR isnan({name})),
              count(*) FILTER (isinf({name})), min({name}) {finite}, max({name}) {finite},
              favg({name} / 2) {finite} * 2 FROM {table.source}""",
        table.parameters,
    )[0]
    if not n:
        return LargeNumbers(0, missing, infinite, 0.0, (0.0, 0.0), np.empty(0))
    # In two passes, and in units of the range: squares neither cancel nor overflow.
    spread = session.rows(
        f"SELECT favg(pow(({name} - ?) / ?, 2)) {finite} FROM {table.source}",
        [mean, scale := max(abs(high - mean), abs(low - mean), 1e-300), *table.parameters],
    )[0][0]
    few = session.rows(
        f"SELECT DISTINCT {name} FROM {table.source} WHERE isfinite({name}) LIMIT {FEW_INTEGERS + 1}", table.parameters
    )
    std = float(np.sqrt(spread) * scale)
    std = float(np.float32(std)) if column.type == "FLOAT" else std
    values = np.sort(np.asarray([row[0] for row in few], np.float64))
    integers = column.kind == "int" and not missing
    rising, about = _order(session, table, name, n) if column.kind == "int" else (False, 0)
    return LargeNumbers(n, missing, infinite, std, (low, high), values, column.type == "FLOAT", integers, rising, about)


def _order(session: Session, table: Table, name: str, n: int) -> tuple[bool, int]:
    """Whether the first rows rise, and about how many distinct values there are: enough to know names of rows."""
    first = session.arrays(f"SELECT {name} AS x FROM {table.source} LIMIT {_SAMPLE}", table.parameters)[0]
    about = session.rows(f"SELECT approx_count_distinct({name}) FROM {table.source}", table.parameters)[0][0]
    # The estimate is good to a few per cent: near n it stands for n.
    return bool(np.all(np.diff(np.asarray(first)) >= 0)), n if about > 0.9 * n else int(about)


def join_slices(sides: tuple[LargeNumbers, LargeNumbers], slices: Callable[[], Iterator[Slice]]) -> Joint:
    """The two samples by value, read slice by slice."""

    def blocks() -> Iterator[Block]:
        for cut, on_left, on_right, left, right in slices():
            if on_left or on_right:
                yield Block(np.array([cut]), np.array([float(on_left)]), np.array([float(on_right)]))
            if len(left) or len(right):
                yield join_sorted(left, right)

    one, two = sides
    return Joint(len(one), len(two), blocks, one.integers and two.integers, one.single and two.single)


def clipped(expression: str, within: tuple[float, float]) -> str:
    """SQL of a number, put on the nearer end where it is beyond; missing and infinite ones stay."""
    low, high = (f"{end!r}::DOUBLE" for end in within)
    return f"CASE WHEN isfinite({expression}) THEN least(greatest({expression}, {low}), {high}) ELSE {expression} END"


def cut_range(session: Session, left: Table, right: Table, names: list[str], rows: int) -> NDArray[np.float64]:
    """Values that part the range into slices of about equal numbers of rows, from a sample of both sides."""
    parts = []
    for table, name in zip((left, right), names, strict=True):
        found = session.arrays(
            f"""SELECT x FROM (SELECT {name} AS x FROM {table.source} WHERE isfinite({name}))
                USING SAMPLE reservoir({_SAMPLE} ROWS) REPEATABLE (1)""",
            table.parameters,
        )
        parts.append(np.asarray(found[0], np.float64))
    shares = np.linspace(0, 1, max(2, -(-rows // SLICE_ROWS)) + 1)[1:-1]
    return np.unique(np.quantile(np.concatenate(parts), shares, method="inverted_cdf"))


def read_slices(
    session: Session, left: Table, right: Table, names: list[str], cuts: NDArray[np.float64]
) -> Iterator[Slice]:
    """The slices in order of value; a value that many rows share is counted, not fetched."""
    bounds = [-np.inf, *cuts.tolist(), np.inf]
    shared = [_shared(session, table, name, cuts) for table, name in zip((left, right), names, strict=True)]
    for low, high in pairwise(bounds):
        between = []
        for table, name in zip((left, right), names, strict=True):
            inside = f"SELECT {name} AS x FROM {table.source} WHERE {name} > ? AND {name} < ? AND isfinite({name})"
            found = session.arrays(inside, [*table.parameters, low, high])[0]
            between.append(np.sort(np.asarray(found, np.float64)))
        # An infinite bound is no cut: what lies on it is left out like every infinity.
        yield low, shared[0].get(low, 0), shared[1].get(low, 0), between[0], between[1]


def _shared(session: Session, table: Table, name: str, cuts: NDArray[np.float64]) -> dict[float, int]:
    """How many values lie on each cut, in one reading."""
    on = f"{name} IN (SELECT unnest(?::DOUBLE[]))"
    rows = session.rows(
        f"SELECT {name} AS x, count(*) FROM {table.source} WHERE {on} GROUP BY 1", [*table.parameters, cuts.tolist()]
    )
    return {float(value): int(count) for value, count in rows}


def sweep(slices: Iterator[Slice], n: int, m: int) -> tuple[float, float]:
    """Area between, and greatest gap of, the two distribution functions."""
    area = gap = 0.0
    last, below, under = -np.inf, 0, 0
    for cut, on_left, on_right, left, right in slices:
        if on_left or on_right:
            area += abs(below / n - under / m) * (cut - last) if np.isfinite(last) else 0.0
            below, under, last = below + on_left, under + on_right, cut
            gap = max(gap, abs(below / n - under / m))
        values = np.sort(np.concatenate((left, right)), kind="stable")
        if not len(values):
            continue
        area += abs(below / n - under / m) * (values[0] - last) if np.isfinite(last) else 0.0
        gaps = np.abs(
            (below + np.searchsorted(left, values, "right")) / n - (under + np.searchsorted(right, values, "right")) / m
        )
        area += float(np.dot(gaps[:-1], np.diff(values)))
        gap = max(gap, float(gaps.max()))
        below, under, last = below + len(left), under + len(right), float(values[-1])
    return area, gap


def _ks_p_value(gap: float, n: int, m: int) -> float:
    """Kolmogorov's distribution of the gap at the sample size that two samples amount to, as scipy rounds it."""
    from scipy.stats import kstwo

    return float(np.clip(kstwo.sf(gap, np.round(n * m / (n + m))), 0, 1))
