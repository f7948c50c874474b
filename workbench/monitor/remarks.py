"""Findings about a column besides the shape of its values: missing, infinite, new, gone, out of range, constant."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from workbench.core.model import ColumnFinding
from workbench.core.units import number, percent
from workbench.monitor.comparison import Comparison, is_constant
from workbench.monitor.methods import Sample, Tally

_RARE = 1e-3
"""A change that chance makes this seldom is told, if it is also large enough to matter."""
_MISSING_STEP = 0.01
_RANGE_SHARE = 0.01
_NAMED = 5
_EXPECTED = 5.0


def sample_findings(name: str, reference: Sample, current: Sample) -> list[ColumnFinding]:
    """What is missing or infinite in a column of numbers."""
    rows = [len(side) + side.missing + side.infinite for side in (reference, current)]
    found = missing_findings(name, reference.missing, rows[0], current.missing, rows[1])
    if current.infinite:
        sentence = f"{name}: {current.infinite:,} infinite values, left out of every score"
        counts = {"reference": float(reference.infinite), "current": float(current.infinite)}
        found.append(ColumnFinding("infinite", name, sentence, "warn", counts))
    return found


def missing_findings(
    name: str, missing_reference: int, rows_reference: int, missing_current: int, rows_current: int
) -> list[ColumnFinding]:
    """A share of missing values that changed by a point or more, and by more than chance."""
    if not rows_reference or not rows_current:
        return []
    before, now = missing_reference / rows_reference, missing_current / rows_current
    p_value = two_shares(missing_reference, rows_reference, missing_current, rows_current)
    if abs(now - before) < _MISSING_STEP or p_value > _RARE:
        return []
    severity = "bad" if now - before >= 0.2 else "warn" if now > before else "info"
    sentence = f"{name}: missing {percent(before)} → {percent(now)}"
    numbers = {"reference": before, "current": now, "p_value": p_value}
    return [ColumnFinding("missing", name, sentence, severity, numbers)]  # type: ignore[arg-type]


def range_findings(name: str, pair: Comparison) -> list[ColumnFinding]:
    """Values outside what the reference has seen: outliers beyond its fences, and more strays than chance gives."""
    if not pair.scale:
        return []
    low, high = pair.reference.ends
    below, above = pair.outside(low, high)
    far = sum(pair.outside(*pair.fences))
    if not below + above:
        return []
    size, share = len(pair.current), (below + above) / len(pair.current)
    expected = 2 * size / (len(pair.reference) + 1)
    often = share >= _RANGE_SHARE and below + above > 2 * expected + 5
    if not far and not often:
        return []
    ends = f"the reference's range {number(low)} – {number(high)}"
    least, most = pair.current.ends
    worst = most if most - high >= low - least else least
    sentence = f"{name}: {below + above:,} values ({percent(share)}) outside {ends}, as far as {number(worst)}"
    sentence += f"; {far:,} of them outliers, counted apart" if far else ""
    numbers = {"below": float(below), "above": float(above), "outliers": float(far), "share": share}
    return [ColumnFinding("range", name, sentence, "warn", numbers)]


def constant_findings(name: str, pair: Comparison) -> list[ColumnFinding]:
    """A column that no longer varies, or no longer holds the one value it held."""
    before, now = is_constant(pair.reference.ends), is_constant(pair.current.ends)
    first, last = pair.reference.ends[0], pair.current.ends[0]
    if not before and not now:
        return []
    if before and now and is_constant((min(first, last), max(first, last))):
        return []
    if before and now:
        sentence = f"{name}: constant {number(first)} → {number(last)}"
    elif before:
        sentence = f"{name}: was constant {number(first)}, now varies"
    else:
        sentence = f"{name}: constant {number(last)} now"
    return [ColumnFinding("constant", name, sentence, "warn", {"reference": first, "current": last})]


def value_findings(name: str, tally: Tally, new: Sequence[str] = (), gone: Sequence[str] = ()) -> list[ColumnFinding]:
    """Categories that the reference has not seen, and ones expected in the current data that are not there.

    new, gone: the most frequent of them by name, where these are known.
    """
    found: list[ColumnFinding] = []
    n, m = int(tally.reference.sum()), int(tally.current.sum())
    fresh = tally.current[tally.reference == 0]
    if len(fresh):
        share = float(fresh.sum() / m)
        sentence = f"{name}: {_counted(len(fresh), 'new value')} in {_counted(int(fresh.sum()), 'row')}"
        sentence += f" ({percent(share)}){_list(new, len(fresh))}"
        numbers = {"values": float(len(fresh)), "rows": float(fresh.sum()), "share": share}
        severity = "warn" if share >= 0.01 else "info"
        found.append(ColumnFinding("new-values", name, sentence, severity, numbers))  # type: ignore[arg-type]
    lost = tally.reference[tally.current == 0]
    expected = lost * (m / n)
    if len(lost) and expected.max() >= _EXPECTED:
        share = float(lost.sum() / n)
        sentence = f"{name}: {_counted(len(lost), 'value')} gone that had {percent(share)}{_list(gone, len(lost))}"
        numbers = {"values": float(len(lost)), "share": share, "expected": float(expected.sum())}
        found.append(ColumnFinding("gone-values", name, sentence, "warn", numbers))
    return found


def duplicate_findings(
    name: str, n: int, distinct_reference: int, m: int, distinct_current: int
) -> list[ColumnFinding]:
    """Names of rows that name more than one, where those of the reference do so less."""
    twice, before = m - distinct_current, n - distinct_reference
    if not twice or twice / m <= 2 * before / max(n, 1):
        return []
    sentence = f"{name}: {_counted(twice, 'duplicate')} ({percent(twice / m)}) among what names rows"
    numbers: Mapping[str, float] = {"reference": float(before), "current": float(twice)}
    return [ColumnFinding("ids", name, sentence, "warn", numbers)]


def two_shares(a: int, n: int, b: int, m: int) -> float:
    """Two-sided p-value of a of n and b of m being of one share, in the normal limit."""
    common = (a + b) / (n + m)
    if common in {0.0, 1.0}:
        return 1.0
    z = (a / n - b / m) / math.sqrt(common * (1 - common) * (1 / n + 1 / m))
    return math.erfc(abs(z) / math.sqrt(2))


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _list(names: Sequence[str], count: int) -> str:
    shown = ", ".join(names[:_NAMED])
    return f": {shown}{', …' if count > len(names[:_NAMED]) else ''}" if shown else ""
