"""Two tables compared in calibrated mode: each pair of columns is read, its noise measured, and its verdict given."""

# ruff: noqa: S608 – SQL is put together from constants and quoted identifiers; values travel as parameters.
from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np
from msgspec import Struct, structs

from workbench.core.model import ColumnDrift, ColumnFinding
from workbench.monitor.calibrated import Setting, judge_comparison, judge_tally, text_verdict
from workbench.monitor.comparison import Baseline, Comparison, HeldComparison
from workbench.monitor.large import LARGE_ROWS, named_values, tally_values
from workbench.monitor.large_comparison import LargeComparison
from workbench.monitor.methods import Numbers
from workbench.monitor.remarks import missing_findings
from workbench.monitor.session import Session, filled, quoted
from workbench.monitor.tables import Column, DriftInputError, Table
from workbench.monitor.timeblocks import INDEPENDENT, MOST_CODES, BlockNoise, blocks_of_categories, blocks_of_numbers
from workbench.monitor.verdicts import TEXT_SHARE, Pair, judge_schema, untested

ReadNumbers = Callable[[Session, Table, Sequence[Column]], list[Numbers]]
_TIMED_ROWS = 1_000_000
"""Of a longer reference, the latest rows tell how much rows that follow each other vary."""


class Tables(Struct, frozen=True):
    """Both tables open in one session, how many values of each column are not null, and how strict to be.

    time: the reference's column of times, if one is known; its blocks then tell the noise.
    """

    session: Session
    left: Table
    right: Table
    counts: tuple[Mapping[str, int], Mapping[str, int]]
    setting: Setting
    time: Column | None
    read: ReadNumbers
    batch_rows: int

    @property
    def large(self) -> bool:
        """Whether a column is too long to be held."""
        return max(self.left.rows, self.right.rows) > LARGE_ROWS


def time_column(table: Table, name: str | None) -> Column | None:
    """The column of times of that name.

    Raises:
        DriftInputError: the table has none of that name.
    """
    if name is None:
        return None
    column = table.column(name)
    if column is None:
        from workbench.core.config import nearest

        names = [column.name for column in table.columns]
        raise DriftInputError(f"{table.label}: no column {name!r} to order rows by{nearest(name, names)}")
    return column


def judge_calibrated(tables: Tables, pairs: Sequence[Pair]) -> Iterator[ColumnDrift]:
    """The calibrated verdict on each pair, those of numbers last; p-values are of each column alone."""
    numeric: list[tuple[Pair, list[ColumnFinding]]] = []
    for pair in pairs:
        counts = tables.counts[0].get(pair.name, 0), tables.counts[1].get(pair.name, 0)
        if not tables.left.rows or not tables.right.rows:
            sides = (("reference", tables.left), ("current", tables.right))
            empty = " and ".join(side for side, table in sides if not table.rows)
            yield untested(pair.name, "other", "no-data", f"no rows in {empty}", *counts)
            continue
        found, notes = reconciled(tables.session, tables.left, tables.right, pair)
        notes += _missing(tables, pair, counts)
        verdict = judge_schema(found, *counts)
        if verdict:
            yield _noted(verdict, [*_schema(verdict, pair), *_times(tables, found, verdict), *notes])
        elif found.numeric:
            numeric.append((found, notes))
        else:
            yield _noted(_judge_strings(tables, found, counts), notes)
    step = max(1, tables.batch_rows // max(tables.left.rows, tables.right.rows, 1))
    for start in range(0, len(numeric), step):
        yield from _judge_numbers(tables, numeric[start : start + step])


def reconciled(session: Session, left: Table, right: Table, pair: Pair) -> tuple[Pair, list[ColumnFinding]]:
    """The pair with text read as numbers or truth values where the other side holds those and all of it can be."""
    one, two = pair.reference, pair.current
    if one is None or two is None or one.kind == two.kind:
        return pair, []
    sentence = f"{pair.name}: type changed {one.type} → {two.type}"
    numbers = {"int", "float", "bool"}
    if {one.kind, two.kind} <= numbers:
        told = one.kind != two.kind and "bool" in {one.kind, two.kind}
        return pair, [ColumnFinding("schema", pair.name, sentence, "info")] if told else []
    text, table = (one, left) if one.kind == "string" else (two, right)
    other = two if text is one else one
    if text.kind != "string" or other.kind not in numbers:
        return pair, []
    cast = next((cast for cast in ("DOUBLE", "BOOLEAN") if _lossless(session, table, text, cast)), None)
    truth = other.kind == "bool" or (
        cast == "BOOLEAN" and _zeros_and_ones(session, left if other is one else right, other)
    )
    if cast is None or (cast == "BOOLEAN" and not truth):
        return pair, []
    read = structs.replace(text, type=other.type, cast=cast)
    note = ColumnFinding("schema", pair.name, f"{sentence}; compared as {other.type}, nothing is lost by it", "warn")
    return Pair(pair.name, read if text is one else one, read if text is two else two), [note]


def _lossless(session: Session, table: Table, text: Column, cast: str) -> bool:
    """Whether all text of a column can be read as another type."""
    name = quoted(text.sql)
    lost = f"SELECT count(*) FROM {table.source} WHERE {name} IS NOT NULL AND try_cast({name} AS {cast}) IS NULL"
    return not session.rows(lost, table.parameters)[0][0]


def _zeros_and_ones(session: Session, table: Table, column: Column) -> bool:
    name = quoted(column.sql)
    return (
        session.rows(f"SELECT min({name}) >= 0 AND max({name}) <= 1 FROM {table.source}", table.parameters)[0][0]
        is True
    )


def _missing(tables: Tables, pair: Pair, counts: tuple[int, int]) -> list[ColumnFinding]:
    """Nulls that appeared or went; of numbers NaN count too, and are seen when these are read."""
    if pair.reference is None or pair.current is None or (pair.numeric and all(counts)):
        return []
    rows = tables.left.rows, tables.right.rows
    return missing_findings(pair.name, rows[0] - counts[0], rows[0], rows[1] - counts[1], rows[1])


def _schema(verdict: ColumnDrift, pair: Pair) -> list[ColumnFinding]:
    if verdict.status != "schema-changed":
        return []
    severity = "bad" if pair.current is None else "warn"
    return [ColumnFinding("schema", pair.name, f"{pair.name}: {verdict.reason}", severity)]  # type: ignore[arg-type]


def _times(tables: Tables, pair: Pair, verdict: ColumnDrift) -> list[ColumnFinding]:
    """From when to when both sides go, for columns of dates and times."""
    sides = ((tables.left, pair.reference), (tables.right, pair.current))
    if verdict.status != "unsupported" or any(
        not side or not side.type.startswith(("DATE", "TIME")) for _, side in sides
    ):
        return []
    ends = []
    for table, column in sides:
        name = quoted(column.sql)  # type: ignore[union-attr]
        ends += list(
            tables.session.rows(
                f"SELECT min({name})::VARCHAR, max({name})::VARCHAR FROM {table.source}", table.parameters
            )[0]
        )
    sentence = f"{pair.name}: {ends[0]} – {ends[1]} in the reference, {ends[2]} – {ends[3]} now"
    return [ColumnFinding("time", pair.name, sentence, "info")]


def _judge_strings(tables: Tables, pair: Pair, counts: tuple[int, int]) -> ColumnDrift:
    assert pair.reference is not None
    assert pair.current is not None
    session, left, right = tables.session, tables.left, tables.right
    name = quoted(pair.reference.sql)
    distinct = int(session.rows(f"SELECT approx_count_distinct({name}) FROM {left.source}", left.parameters)[0][0])
    if distinct > TEXT_SHARE * 0.9 * counts[0]:
        exact = f"SELECT count(DISTINCT {name}) FROM {left.source}"
        distinct = int(session.rows(exact, left.parameters)[0][0]) if counts[0] <= LARGE_ROWS else distinct
    if distinct > TEXT_SHARE * counts[0] and counts[0] > 1:
        return text_verdict(pair.name, distinct, *counts)
    texts = f"{name}::VARCHAR", f"{quoted(pair.current.sql)}::VARCHAR"
    tally = tally_values(session, left, right, *texts)
    apart = bool(np.any(tally.reference == 0) or np.any(tally.current == 0))
    new, gone = named_values(session, left, right, *texts) if apart else ([], [])
    codes = _code_noise(tables, f"{name}::VARCHAR", distinct)
    return judge_tally(pair.name, tally, "cat", tables.setting, codes=codes, new=new, gone=gone)


def _judge_numbers(tables: Tables, pairs: Sequence[tuple[Pair, list[ColumnFinding]]]) -> Iterator[ColumnDrift]:
    references = [pair.reference for pair, _ in pairs if pair.reference]
    currents = [pair.current for pair, _ in pairs if pair.current]
    held: list[tuple[Numbers, Numbers]] = []
    if not tables.large:
        sides = (
            tables.read(tables.session, tables.left, references),
            tables.read(tables.session, tables.right, currents),
        )
        held = list(zip(*sides, strict=True))
    for (pair, notes), one, two in zip(pairs, references, currents, strict=True):
        sides_of = held.pop(0) if held else None
        noise = _time_noise(tables, one)
        comparison: Comparison
        if sides_of:
            comparison = HeldComparison(Baseline(sides_of[0], noise), sides_of[1])
        else:
            comparison = LargeComparison(tables.session, tables.left, tables.right, (one, two), noise)
        kind = "bool" if "bool" in {one.kind, two.kind} or "BOOLEAN" in {one.cast, two.cast} else one.kind
        codes = _code_noise(tables, one.number, MOST_CODES) if tables.time and kind in {"int", "bool"} else INDEPENDENT
        yield _noted(judge_comparison(pair.name, comparison, kind, tables.setting, codes=codes), notes)


def _time_noise(tables: Tables, column: Column) -> tuple[BlockNoise, BlockNoise]:
    """How much the reference's own blocks of time differ, where its times are known."""
    if tables.time is None:
        return INDEPENDENT, INDEPENDENT
    values = filled(tables.session.arrays(*_in_order(tables, column.number))[0])
    values = values[np.isfinite(values)]
    return blocks_of_numbers(values, Numbers(np.sort(values)))


def _code_noise(tables: Tables, expression: str, distinct: int) -> BlockNoise:
    if tables.time is None or distinct > MOST_CODES:
        return INDEPENDENT
    values = np.ma.asarray(tables.session.arrays(*_in_order(tables, expression))[0])
    known = values.compressed()
    kinds, codes = np.unique(known.astype(str) if known.dtype == object else known, return_inverse=True)
    return blocks_of_categories(codes, len(kinds)) if len(kinds) <= MOST_CODES else INDEPENDENT


def _in_order(tables: Tables, expression: str) -> tuple[str, Sequence[object]]:
    """SQL of the reference's values in the order of time, of the latest rows where there are very many."""
    assert tables.time is not None
    time = quoted(tables.time.sql)
    latest = f"FROM {tables.left.source} ORDER BY t DESC NULLS LAST LIMIT {_TIMED_ROWS}"
    return f"SELECT x FROM (SELECT {expression} AS x, {time} AS t {latest}) ORDER BY t", tables.left.parameters


def _noted(column: ColumnDrift, notes: Sequence[ColumnFinding]) -> ColumnDrift:
    return structs.replace(column, findings=(*notes, *column.findings)) if notes else column
