"""From two samples of one column to its verdict, with a reason wherever the figure alone would mislead.

Where the verdict differs from Evidently's (0.7.23), which follows the current side's pandas type:

- It raises, and the whole report with it, on a column that is empty on a side, missing in the reference, or numeric
  on one side and text on the other. Here that column is `no-data` or `schema-changed`, and the others are judged.
- It leaves out, silently, a column missing in the current data, dates, nested values, unsigned integers, decimals and
  booleans with nulls. Here the first three are listed with the reason, and the last three are tested as what they are.
- It trains a text classifier on text that is mostly unique. Here that is `id-like` or `unsupported`.
- Infinities are left out of every score; its dataset count keeps them where the column holds no NaN.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Literal

import numpy as np
from msgspec import Struct

from workbench.core.model import ColumnDrift
from workbench.core.units import number, percent
from workbench.monitor.hypotheses import NotDefined
from workbench.monitor.methods import (
    STD_FLOOR,
    WASSERSTEIN,
    Method,
    Numbers,
    Sample,
    Tally,
    default_method,
    tally_numbers,
)
from workbench.monitor.registry import EVIDENTLYS_CHOICE, MethodChoice, unfit
from workbench.monitor.scores import score_categories, score_held
from workbench.monitor.tables import Column, Kind

Type = Literal["num", "cat", "text", "other"]
Status = Literal["ok", "drift", "no-data", "too-few", "id-like", "unsupported", "schema-changed"]

FEW_INTEGERS = 10
"""Integers with up to this many distinct values are categories."""
TEXT_SHARE = 0.5
"""Strings are text, not categories, where more than this share of them is distinct."""
ID_SHARE = 0.95
"""Strings of which more than this share is distinct name rows; their distribution means nothing."""
_MISSING_STEP = 0.05


class Pair(Struct, frozen=True):
    """A column's name and its two sides; None where a side lacks it."""

    name: str
    reference: Column | None
    current: Column | None

    @property
    def numeric(self) -> bool:
        """Both sides hold numbers or booleans."""
        kinds = {self.reference.kind if self.reference else None, self.current.kind if self.current else None}
        return kinds <= {"int", "float", "bool"}

    @property
    def textual(self) -> bool:
        """Both sides hold strings."""
        return bool(self.reference and self.current) and self.reference.kind == self.current.kind == "string"  # type: ignore[union-attr]


def untested(
    name: str, kind: Type, status: Status, reason: str, n_reference: int = 0, n_current: int = 0
) -> ColumnDrift:
    """A column without a score, and why."""
    return ColumnDrift(name, kind, status, None, None, None, False, n_reference, n_current, reason)


def judge_schema(pair: Pair, n_reference: int, n_current: int) -> ColumnDrift | None:
    """The verdict on a column that cannot be tested for what it is; None where it can.

    n_reference, n_current: values that are not null.
    """
    left, right = pair.reference, pair.current
    counts = (n_reference, n_current)
    if left is None or right is None:
        side = "the reference" if left is None else "the current data"
        return untested(pair.name, "other", "schema-changed", f"missing in {side}", *counts)
    if not n_reference or not n_current:
        return untested(pair.name, type_of(right.kind), "no-data", no_values(*counts), *counts)
    if pair.name.startswith("__index_level_"):
        return untested(pair.name, "other", "unsupported", "the row index that pandas wrote", *counts)
    if pair.numeric or pair.textual:
        return None
    if left.kind == right.kind:
        return untested(pair.name, "other", "unsupported", f"{right.type} values are not tested", *counts)
    return untested(pair.name, "other", "schema-changed", f"type changed: {left.type} → {right.type}", *counts)


def judge_numbers(
    name: str,
    reference: Numbers,
    current: Numbers,
    kind: Kind,
    *,
    categorical: bool = False,
    min_rows: int = 0,
    choice: MethodChoice = EVIDENTLYS_CHOICE,
) -> ColumnDrift:
    """Test a column of numbers or booleans held in memory; see `judge_samples`."""
    return judge_samples(
        name,
        reference,
        current,
        kind,
        lambda method: score_held(method, reference, current),
        lambda: tally_numbers(reference, current),
        categorical=categorical,
        min_rows=min_rows,
        choice=choice,
    )


def judge_samples(
    name: str,
    reference: Sample,
    current: Sample,
    kind: Kind,
    score: Callable[[Method], float],
    tally: Callable[[], Tally],
    *,
    categorical: bool = False,
    min_rows: int = 0,
    choice: MethodChoice = EVIDENTLYS_CHOICE,
) -> ColumnDrift:
    """Test a column of numbers or booleans; `kind` is the current side's.

    score, tally: the distance or p-value of the two, and their counts by value; only one of them is asked for.
    categorical: treat the numbers as categories, whatever their count.
    min_rows: with fewer current values the score is shown and no verdict given.
    """
    if not len(reference) or not len(current):
        reason = join(no_values(len(reference), len(current)), _odd_values(reference, current))
        return untested(name, type_of(kind), "no-data", reason, len(reference), len(current))
    cat = categorical or kind == "bool" or (kind == "int" and not current.missing and _few(current, FEW_INTEGERS))
    distinct = np.union1d(reference.distinct(6), current.distinct(6))
    default = default_method(not cat, len(reference), len(distinct))
    method = choice.of(name, cat, default)
    type_: Type = "cat" if cat else "num"
    counts = len(reference), len(current)
    note = join(_odd_values(reference, current), _constants(reference, current))
    asked = method.key != default.key
    if asked and (reason := unfit(method, cat)):
        return untested(name, type_, "unsupported", join(reason, note), *counts)
    try:
        if cat or (len(distinct) <= 5 and not asked):
            found = tally()
            note = join(note, _new_values(found) if cat else "")
            return _verdict(name, type_, method, score_categories(method, found), counts, note, min_rows)
        value = float(score(method))
    except NotDefined as error:
        return untested(name, type_, "unsupported", join(f"{method.name}: {error}", note), *counts)
    note = join(note, _floor_note(method, reference, value))
    return _verdict(name, "num", method, value, counts, note, min_rows)


def judge_strings(
    name: str,
    tally: Tally,
    *,
    missing: str = "",
    categorical: bool = False,
    min_rows: int = 0,
    choice: MethodChoice = EVIDENTLYS_CHOICE,
) -> ColumnDrift:
    """Test a column of strings, or say why they are no categories."""
    n_reference, n_current = int(tally.reference.sum()), int(tally.current.sum())
    if not n_reference or not n_current:
        return untested(
            name, "cat", "no-data", join(no_values(n_reference, n_current), missing), n_reference, n_current
        )
    distinct = int(np.count_nonzero(tally.current))
    if not categorical and distinct > TEXT_SHARE * n_current:
        return judge_text(name, distinct, n_reference, n_current)
    method = choice.of(name, True, default_method(False, n_reference, len(tally)))
    note = join(missing, _new_values(tally))
    try:
        if reason := unfit(method, True):
            raise NotDefined(reason)
        score = score_categories(method, tally)
    except NotDefined as error:
        reason = join(f"{method.name}: {error}", note)
        return untested(name, "cat", "unsupported", reason, n_reference, n_current)
    return _verdict(name, "cat", method, score, (n_reference, n_current), note, min_rows)


def judge_text(name: str, distinct: int, n_reference: int, n_current: int, *, about: str = "") -> ColumnDrift:
    """The verdict on strings that are mostly distinct: no test, and what they look like instead.

    about: "about " where the number of distinct values is an estimate.
    """
    share = min(1.0, distinct / n_current)
    status: Status = "id-like" if share > ID_SHARE and n_current > 1 else "unsupported"
    what = "names rows" if status == "id-like" else "free text, not categories"
    reason = f"{what}: {about}{distinct:,} distinct of {n_current:,} values; drift of text is not scored"
    return untested(name, "text", status, reason, n_reference, n_current)


def missing_note(missing_reference: int, rows_reference: int, missing_current: int, rows_current: int) -> str:
    """Words for a share of missing values that changed by 5 points or more; the scores leave them out."""
    left = missing_reference / rows_reference if rows_reference else 0.0
    right = missing_current / rows_current if rows_current else 0.0
    return f"missing {percent(left)} → {percent(right)}" if abs(left - right) >= _MISSING_STEP else ""


def type_of(kind: Kind) -> Type:
    """The type shown for a column that is not looked into further."""
    if kind == "other":
        return "other"
    return "num" if kind in {"int", "float"} else "cat"


def join(*notes: str) -> str:
    """Notes in one line."""
    return "; ".join(note for note in notes if note)


def _verdict(
    name: str,
    kind: Type,
    method: Method,
    score: float,
    counts: tuple[int, int],
    note: str,
    min_rows: int,
) -> ColumnDrift:
    n_reference, n_current = counts
    if not math.isfinite(score):
        reason = join("values too large for a finite score", note)
        return untested(name, kind, "unsupported", reason, n_reference, n_current)
    drifted = method.drifted(score)
    status: Status = "drift" if drifted else "ok"
    if n_current < min_rows:
        status, drifted, note = "too-few", False, join(f"{n_current:,} values, at least {min_rows:,} needed", note)
    return ColumnDrift(name, kind, status, method.name, score, method.threshold, drifted, n_reference, n_current, note)


def _few(numbers: Sample, limit: int) -> bool:
    return len(numbers.distinct(limit + 1)) <= limit


def no_values(n_reference: int, n_current: int) -> str:
    """Which side holds nothing."""
    sides = [side for side, n in (("reference", n_reference), ("current", n_current)) if not n]
    return "no values in " + " and ".join(sides)


def _odd_values(reference: Sample, current: Sample) -> str:
    rows = [len(side) + side.missing + side.infinite for side in (reference, current)]
    infinite = reference.infinite + current.infinite
    return join(
        missing_note(reference.missing, rows[0], current.missing, rows[1]),
        f"{infinite:,} infinite left out" if infinite else "",
    )


def _constants(reference: Sample, current: Sample) -> str:
    (first, last), (now, later) = reference.ends, current.ends
    if first != last:
        return "constant now" if now == later else ""
    if now == later:
        return "constant, unchanged" if first == now else f"constant {number(first)} → {number(now)}"
    return f"was constant {number(first)}"


def _floor_note(method: Method, reference: Sample, score: float) -> str:
    """Evidently's floor hides shifts of small-scale columns; the true multiple of the deviation is given beside it."""
    if method.key != WASSERSTEIN.key or reference.std >= STD_FLOOR or score == 0:
        return ""
    if reference.std == 0:
        return "the reference does not vary: the score is the distance / 0.001"
    true = score * STD_FLOOR / reference.std
    return f"scale below {STD_FLOOR}: understated, really {number(true, 3)} standard deviations"


def _new_values(tally: Tally) -> str:
    new, gone = tally.reference == 0, tally.current == 0
    notes = []
    for what, mask, counts in (("new", new, tally.current), ("gone", gone, tally.reference)):
        if mask.any():
            share = counts[mask].sum() / counts.sum()
            notes.append(f"{int(mask.sum()):,} {what} value{'s' if mask.sum() > 1 else ''} ({percent(share)})")
    return join(*notes)
