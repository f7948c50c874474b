"""A reference column, sorted or counted once, against which any number of windows is judged in milliseconds."""

# ruff: noqa: S608 – SQL is put together from constants and quoted identifiers; values travel as parameters.
from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from itertools import pairwise

import numpy as np
from msgspec import Struct, structs
from numpy.typing import NDArray

from workbench.core.model import ColumnDrift, Distribution
from workbench.core.units import number as written
from workbench.monitor.calibrated import Setting
from workbench.monitor.drift import Mode
from workbench.monitor.methods import Numbers, Tally
from workbench.monitor.profiles import ReferenceProfile
from workbench.monitor.registry import EVIDENTLYS_CHOICE, MethodChoice
from workbench.monitor.samples import read_column, sorted_numbers
from workbench.monitor.session import Session, quoted
from workbench.monitor.tables import Column, Table
from workbench.monitor.timeblocks import INDEPENDENT, MOST_CODES, BlockNoise, blocks_of_categories
from workbench.monitor.verdicts import Pair, judge_numbers, judge_schema, judge_strings, missing_note, untested

BINS = 30
"""Most bars of a distribution."""
_TAIL = 0.005
_MOST_CATEGORIES = 200_000

Judged = tuple[ColumnDrift, Distribution | None]


class Reference(Struct, frozen=True, eq=False, dict=True):
    """One column of the reference table beside the same column of an export; `numbers` or `counts` where testable."""

    pair: Pair
    rows: int
    numbers: Numbers | None = None
    counts: Mapping[str, int] | None = None
    categorical: bool = False
    min_rows: int = 0
    choice: MethodChoice = EVIDENTLYS_CHOICE
    profile: ReferenceProfile | None = None
    """What windows are judged against in calibrated mode; without one they are judged as Evidently would."""

    @property
    def _setting(self) -> Setting:
        return Setting(self.choice, self.min_rows)

    def judge_numbers(self, values: NDArray[np.float64]) -> Judged:
        """The verdict on a window's numbers, missing ones as NaN, and the two distributions."""
        assert self.numbers is not None
        assert self.pair.current is not None
        current = sorted_numbers(values)
        known = len(self.numbers) + self.numbers.infinite, len(values) - current.missing
        verdict = judge_schema(self.pair, *known)
        if self.profile is not None and (verdict is None or verdict.status == "no-data"):
            verdict = self.profile.compare_numbers(values, self._setting)
        elif verdict is None:
            verdict = judge_numbers(
                self.pair.name,
                self.numbers,
                current,
                self.pair.current.kind,
                categorical=self.categorical,
                min_rows=self.min_rows,
                choice=self.choice,
            )
        if not len(self.numbers) or not len(current):
            return verdict, None
        labels, shares = self._number_bins
        return verdict, Distribution(self.pair.name, labels, shares, self._shares(current.values))

    def judge_strings(self, counts: Mapping[str, int], rows: int) -> Judged:
        """The verdict on a window's categories by count, of `rows` rows, and the two distributions."""
        assert self.counts is not None
        n_reference, n_current = sum(self.counts.values()), sum(counts.values())
        if self.profile is not None:
            verdict = self.profile.compare_counts(counts, rows, self._setting)
            shown = verdict.type == "cat" and n_reference and n_current
            return verdict, self._category_distribution(counts, n_current) if shown else None
        found = judge_schema(self.pair, n_reference, n_current)
        if found is not None:
            return found, None
        verdict = judge_strings(
            self.pair.name,
            self._tally(counts),
            missing=missing_note(self.rows - n_reference, self.rows, rows - n_current, rows),
            categorical=self.categorical,
            min_rows=self.min_rows,
            choice=self.choice,
        )
        return verdict, self._category_distribution(counts, n_current) if verdict.type == "cat" else None

    def judge_untested(self, n_current: int) -> ColumnDrift:
        """The verdict where the column cannot be tested at all; `n_current` values are not null."""
        verdict = judge_schema(self.pair, self.rows, n_current)
        if verdict is not None:
            return verdict
        reason = f"more than {_MOST_CATEGORIES:,} categories in the reference; list it under `ignore`"
        return untested(self.pair.name, "text", "unsupported", reason, self.rows, n_current)

    def _tally(self, counts: Mapping[str, int]) -> Tally:
        assert self.counts is not None
        keys = [*self.counts, *(key for key in counts if key not in self.counts)]
        if len(keys) <= 2:
            keys.sort()
        left = np.asarray([self.counts.get(key, 0) for key in keys], np.int64)
        return Tally(left, np.asarray([counts.get(key, 0) for key in keys], np.int64), keys)

    @cached_property
    def _edges(self) -> NDArray[np.float64]:
        """Bin edges over the reference's range but for its outermost values; the bins outside have no edge."""
        assert self.numbers is not None
        values = self.numbers.values
        low, high = (float(values[int(share * (len(values) - 1))]) for share in (_TAIL, 1 - _TAIL))
        if low == high:
            low, high = float(values[0]), float(values[-1])
        edges = np.linspace(low, high, BINS - 1)
        return edges if np.all(np.diff(edges) > 0) else np.asarray([low, high])

    @cached_property
    def _values(self) -> NDArray[np.float64] | None:
        """The reference's values where they are few enough for a bar each."""
        assert self.numbers is not None
        few = self.numbers.distinct(BINS)
        return few if len(few) < BINS else None

    @cached_property
    def _number_bins(self) -> tuple[Sequence[str], Sequence[float]]:
        assert self.numbers is not None
        if self._values is not None:
            labels = [written(value) for value in self._values.tolist()] + ["other"]
        else:
            names = [written(edge) for edge in self._edges.tolist()]
            inner = [f"{low} – {high}" for low, high in pairwise(names)]
            labels = [f"< {names[0]}", *inner, f"> {names[-1]}"]
        return tuple(labels), self._shares(self.numbers.values)

    def _shares(self, ordered: NDArray[np.float64]) -> Sequence[float]:
        """Shares of sorted values in each bin; they sum to 1."""
        if self._values is not None:
            counts = np.searchsorted(ordered, self._values, "right") - np.searchsorted(ordered, self._values)
            return tuple((np.append(counts, len(ordered) - counts.sum()) / len(ordered)).tolist())
        below = np.searchsorted(ordered, self._edges)
        below[-1] = np.searchsorted(ordered, self._edges[-1], "right")
        return tuple((np.diff(np.concatenate(([0], below, [len(ordered)]))) / len(ordered)).tolist())

    @cached_property
    def _shown(self) -> Sequence[str]:
        """The most frequent categories of the reference, in order of frequency, then of name."""
        assert self.counts is not None
        ranked = sorted(self.counts.items(), key=lambda item: (-item[1], item[0]))
        return tuple(key for key, _ in ranked[: BINS - 2])

    def _category_distribution(self, counts: Mapping[str, int], n_current: int) -> Distribution:
        assert self.counts is not None
        n_reference = sum(self.counts.values())
        left = [self.counts[key] / n_reference for key in self._shown]
        right = [counts.get(key, 0) / n_current for key in self._shown]
        new = sum(count for key, count in counts.items() if key not in self.counts) / n_current
        labels = list(self._shown)
        if len(self.counts) > len(labels):
            labels.append("other")
            left.append(max(0.0, 1 - sum(left)))
            right.append(max(0.0, 1 - sum(right) - new))
        if new:
            labels.append("new")
            left.append(0.0)
            right.append(new)
        return Distribution(self.pair.name, tuple(labels), tuple(left), tuple(right))


def load_reference(
    session: Session, table: Table, current: Column, *, categorical: bool = False, min_rows: int = 0,
    mode: Mode = "calibrated", choice: MethodChoice = EVIDENTLYS_CHOICE, time: str | None = None,
) -> Reference:  # fmt: skip
    """Read and sort, or count, the reference's side of one feature.

    time: the reference's column of times, if it has one; in calibrated mode its blocks tell the noise of windows.
    """
    pair = Pair(current.name, table.column(current.name), current)
    ordered = ordered_table(table, time) if mode == "calibrated" else table
    timed = ordered is not table
    if pair.reference and pair.numeric:
        kind = "bool" if "bool" in {pair.reference.kind, current.kind} else pair.reference.kind
        values = read_column(session, ordered, pair.reference)
        whole, single = pair.reference.kind == "int", pair.reference.type == "FLOAT"
        numbers = sorted_numbers(values, single=single, integers=whole)
        profile = None
        if mode == "calibrated":
            profile = ReferenceProfile.build(
                current.name, values, kind=kind, categorical=categorical, in_time_order=timed, numbers=numbers
            )
        return Reference(pair, table.rows, numbers, None, categorical, min_rows, choice, profile)
    if pair.reference and pair.textual:
        found = _count_strings(session, table, pair.reference)
        if len(found) <= _MOST_CATEGORIES:
            profile = None
            if mode == "calibrated":
                codes = _code_noise(session, ordered, pair.reference, len(found)) if timed else INDEPENDENT
                profile = ReferenceProfile(current.name, "string", table.rows, None, found, categorical, codes=codes)
            return Reference(pair, table.rows, None, found, categorical, min_rows, choice, profile)
    return Reference(pair, _values(session, table, pair.reference), categorical=categorical, min_rows=min_rows)


def ordered_table(table: Table, time: str | None) -> Table:
    """The table with its rows in the order of a column of times; as it is where it has no such column."""
    column = table.column(time) if time else None
    if column is None:
        return table
    return structs.replace(table, source=f"(SELECT * FROM {table.source} ORDER BY {quoted(column.sql)})")


def _count_strings(session: Session, table: Table, column: Column) -> dict[str, int]:
    name = quoted(column.sql)
    found = session.rows(
        f"SELECT {name}::VARCHAR, count(*) FROM {table.source} WHERE {name} IS NOT NULL GROUP BY 1 LIMIT ?",
        [*table.parameters, _MOST_CATEGORIES + 1],
    )
    return dict(sorted(found))


def _code_noise(session: Session, table: Table, column: Column, kinds: int) -> BlockNoise:
    if kinds > MOST_CODES:
        return INDEPENDENT
    name = quoted(column.sql)
    values = session.arrays(
        f"SELECT {name}::VARCHAR AS x FROM {table.source} WHERE {name} IS NOT NULL", table.parameters
    )
    names, codes = np.unique(np.ma.asarray(values[0]).compressed().astype(str), return_inverse=True)
    return blocks_of_categories(codes, len(names))


def _values(session: Session, table: Table, column: Column | None) -> int:
    if column is None:
        return 0
    return int(session.rows(f"SELECT count({quoted(column.sql)}) FROM {table.source}", table.parameters)[0][0])
