"""The calibrated verdict: Evidently's scores, and drift only where it is large, beyond the noise, and no fluke.

A column has drifted if its score passes the threshold, exceeds what 95 % of samples of that size score by chance
(`noise_p95`), and its gap is too rare for the number of columns tested (`p_value` after `noise.settle`). Where tails
are so heavy that the distance is all noise, the gap of the distribution functions speaks for itself. One scale for all
sizes: normed Wasserstein for numbers, Jensen-Shannon for categories, unless another method is asked for. What a
column is (numbers, categories, text, names of rows) is decided by the reference alone, so that no window flips it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
from msgspec import Struct, structs
from numpy.typing import NDArray

from workbench.core.model import ColumnDrift, ColumnFinding
from workbench.core.units import number, percent
from workbench.monitor.binned import divergence
from workbench.monitor.comparison import Comparison
from workbench.monitor.hypotheses import NotDefined
from workbench.monitor.methods import JENSEN_SHANNON, KOLMOGOROV_SMIRNOV, WASSERSTEIN, Method, Sample, Tally
from workbench.monitor.noise import ALPHA, CountNoise, Drawn, count_noise, kolmogorov_p
from workbench.monitor.registry import ENERGY, EVIDENTLYS_CHOICE, MethodChoice, unfit
from workbench.monitor.remarks import (
    constant_findings,
    duplicate_findings,
    range_findings,
    sample_findings,
    value_findings,
)
from workbench.monitor.scores import DIVERGENCES, score_categories, score_joint
from workbench.monitor.tables import Kind
from workbench.monitor.timeblocks import INDEPENDENT, KOLMOGOROV_SQUARE, BlockNoise
from workbench.monitor.verdicts import FEW_INTEGERS, ID_SHARE, Type, join, no_values, untested

MIN_ROWS = 30
OFF_CONSTANT = Method("share off the constant", 0.01, "score >= threshold", "off_constant")
"""How a column is scored that never varied in the reference: there is no scale to measure a distance in."""
PLAIN_GAP = 0.25
"""With this share of values elsewhere numbers have moved, whatever heavy tails do to their distance."""
_FEWEST_IDS = 50


class Setting(Struct, frozen=True):
    """How strict to be: methods and thresholds, rows needed on each side, and the share of false alarms allowed."""

    choice: MethodChoice = EVIDENTLYS_CHOICE
    min_rows: int = MIN_ROWS
    alpha: float = ALPHA


DEFAULT = Setting()


def judge_comparison(
    name: str, pair: Comparison, kind: Kind, setting: Setting = DEFAULT, *, categorical: bool = False,
    codes: BlockNoise = INDEPENDENT, quick: Callable[[Method], float] | None = None,
) -> ColumnDrift:  # fmt: skip
    """The calibrated verdict on a column of numbers or booleans; `kind` is the reference's.

    categorical: treat the numbers as categories, whatever their count.
    codes: noise of their counts in blocks of time.
    quick: the K-S p-value, where another than the general way is at hand.
    """
    reference, current = pair.reference, pair.current
    counts = len(reference), len(current)
    notes = sample_findings(name, reference, current)
    cat = categorical or kind == "bool" or (kind == "int" and len(reference.distinct(FEW_INTEGERS + 1)) <= FEW_INTEGERS)
    type_: Type = "cat" if cat else "num"
    if not all(counts):
        return _with(untested(name, type_, "no-data", no_values(*counts), *counts), notes)
    if kind == "int" and not cat and (found := _names_rows(name, reference, current)):
        return _with(found, notes)
    few = len(reference.distinct(6)) <= 5
    notes += [] if cat else constant_findings(name, pair)
    if not cat and not pair.scale:
        return _judge_constant(name, pair, setting, notes)
    default = JENSEN_SHANNON if cat or few else WASSERSTEIN
    method = setting.choice.of(name, cat, default)
    if cat or (few and method.key == default.key):
        return judge_tally(name, pair.tally(), type_, setting, notes, codes=codes)
    if reason := unfit(method, cat):
        return _with(untested(name, type_, "unsupported", reason, *counts), notes)
    notes += range_findings(name, pair)
    return _judge_shape(name, pair, method, setting, notes, quick)


def judge_tally(
    name: str, tally: Tally, type_: Type, setting: Setting = DEFAULT, notes: Sequence[ColumnFinding] = (), *,
    codes: BlockNoise = INDEPENDENT, new: Sequence[str] = (), gone: Sequence[str] = (), drawn: Drawn | None = None,
) -> ColumnDrift:  # fmt: skip
    """The calibrated verdict on categories by count.

    new, gone: names of the most frequent values that only one side has; the tally's own where it has them.
    drawn: where laws that must be drawn are kept from window to window.
    """
    counts = int(tally.reference.sum()), int(tally.current.sum())
    if not all(counts):
        return _with(untested(name, type_, "no-data", no_values(*counts), *counts), notes)
    method = setting.choice.of(name, type_ == "cat", JENSEN_SHANNON)
    if len(tally.keys):
        new = [_written(tally.keys[i]) for i in _largest(tally.current, tally.reference == 0)]
        gone = [_written(tally.keys[i]) for i in _largest(tally.reference, tally.current == 0)]
    found = [*notes, *value_findings(name, tally, new, gone)]
    try:
        if reason := unfit(method, categories=True):
            raise NotDefined(reason)
        score = score_categories(method, tally)
    except NotDefined as error:
        return _with(untested(name, type_, "unsupported", f"{method.name}: {error}", *counts), found)
    inflation, _ = codes.at(counts[1])
    noise = count_noise(method, tally, inflation, drawn)
    effect = float(np.abs(tally.reference / counts[0] - tally.current / counts[1]).sum() / 2)
    what = f"{percent(effect)} of rows in another category"
    return _verdict(name, type_, method, score, noise, effect, counts, what, setting, found)


def text_verdict(name: str, distinct: int, n_reference: int, n_current: int) -> ColumnDrift:
    """Strings that are mostly distinct in the reference: no test, and what they look like instead."""
    ids = distinct > ID_SHARE * n_reference
    what = "names rows" if ids else "free text, not categories"
    reason = f"{what}: {min(distinct, n_reference):,} distinct of {n_reference:,} reference values; not scored"
    return untested(name, "text", "id-like" if ids else "unsupported", reason, n_reference, n_current)


def _judge_shape(
    name: str, pair: Comparison, method: Method, setting: Setting, notes: Sequence[ColumnFinding],
    quick: Callable[[Method], float] | None,
) -> ColumnDrift:  # fmt: skip
    counts = len(pair.reference), len(pair.current)
    try:
        score = _score(pair, method, quick)
    except NotDefined as error:
        return _with(untested(name, "num", "unsupported", f"{method.name}: {error}", *counts), notes)
    if not math.isfinite(score):
        reason = "values too large for a finite score"
        return _with(untested(name, "num", "unsupported", reason, *counts), notes)
    gap = pair.gap()
    noise = CountNoise(_gap_p_value(gap, *counts, pair.noise[0]), _floor(pair, method))
    medians = pair.medians()
    moved = medians and medians[0] != medians[1]
    what = f"median {number(medians[0])} → {number(medians[1])}" if medians and moved else ""
    what = what or f"{percent(gap)} of values lie elsewhere"
    plain = method.key == WASSERSTEIN.key and gap >= PLAIN_GAP
    return _verdict(name, "num", method, score, noise, gap, counts, what, setting, notes, plain=plain)


def _score(pair: Comparison, method: Method, quick: Callable[[Method], float] | None) -> float:
    if method.key == WASSERSTEIN.key:
        return pair.area() / pair.scale
    if method.key == KOLMOGOROV_SMIRNOV.key:
        return quick(method) if quick else kolmogorov_p(pair.gap(), _amount(len(pair.reference), len(pair.current)))
    if method.key in DIVERGENCES:
        return divergence(method, pair.tally_quantiles())
    return score_joint(method, pair.joint())


def _floor(pair: Comparison, method: Method) -> float | None:
    """What 95 % of samples of that size score at most; None for p-values."""
    n, m = len(pair.reference), len(pair.current)
    if method.key in DIVERGENCES:
        return count_noise(method, pair.tally_quantiles(), pair.noise[0].at(m)[0]).p95
    if method.key not in {WASSERSTEIN.key, ENERGY.key}:
        return None
    law = pair.laws()[0 if method.key == WASSERSTEIN.key else 1]
    inflation, blocks = pair.noise[1].at(m)
    spread = math.sqrt(1 / n + inflation / m)
    if not blocks:
        return law.p95 * spread
    return max(law.p95, _student(0.05, blocks) * math.sqrt(law.square)) * spread


def _gap_p_value(gap: float, n: int, m: int, noise: BlockNoise) -> float:
    inflation, blocks = noise.at(m)
    p_value = kolmogorov_p(gap, _amount(n, m / inflation))
    if not blocks:
        return p_value
    from scipy.special import stdtr

    # Rows that follow each other shift together: the gap is one shift more than many, and its law half-normal.
    deviation = math.sqrt(KOLMOGOROV_SQUARE * (1 / n + inflation / m))
    return max(p_value, float(2 * stdtr(blocks, -gap / deviation)))


def _student(level: float, freedom: int) -> float:
    from scipy.special import stdtrit

    return float(-stdtrit(freedom, level / 2))


def _amount(n: float, m: float) -> float:
    return n * m / (n + m)


def _judge_constant(name: str, pair: Comparison, setting: Setting, notes: Sequence[ColumnFinding]) -> ColumnDrift:
    """Against a constant any other value is a change; it is drift unless that few could have been missed before."""
    n, m = len(pair.reference), len(pair.current)
    low, high = pair.reference.ends
    slack = high - low + 8 * float(np.spacing(max(abs(low), abs(high))))
    off = sum(pair.outside(low - slack, high + slack))
    share = off / m
    noise = CountNoise((m / (n + m)) ** off, 0.0)
    what = "constant, unchanged" if not off else notes[-1].sentence.removeprefix(f"{name}: ") if notes else ""
    method = setting.choice.of(name, False, OFF_CONSTANT)
    method = OFF_CONSTANT if method.key != OFF_CONSTANT.key else method
    return _verdict(name, "num", method, share, noise, share, (n, m), what, setting, notes)


def _verdict(
    name: str, type_: Type, method: Method, score: float, noise: CountNoise, effect: float, counts: tuple[int, int],
    what: str, setting: Setting, notes: Sequence[ColumnFinding], *, plain: bool = False,
) -> ColumnDrift:  # fmt: skip
    large = plain or method.drifted(score)
    floor = None if method.is_p_value else noise.p95
    beyond = plain or floor is None or score > floor
    drifted = bool(large and beyond and noise.p_value <= setting.alpha)
    if min(counts) < setting.min_rows:
        side = "reference" if counts[0] < setting.min_rows else "current"
        reason = join(f"{min(counts):,} {side} values, at least {setting.min_rows:,} needed for a verdict", what)
        status, drifted = "too-few", False
    else:
        status = "drift" if drifted else "ok"
        reason = what if drifted or method is OFF_CONSTANT else _why(large, beyond, noise, counts)
    return ColumnDrift(
        name, type_, status, method.name, float(score), method.threshold, drifted, *counts, reason,  # type: ignore[arg-type]
        floor, noise.p_value, effect, tuple(notes),
    )  # fmt: skip


def _why(large: bool, beyond: bool, noise: CountNoise, counts: tuple[int, int]) -> str:
    """Why a column is ok where its score, or its p-value, alone would not say so."""
    if large and not beyond and noise.p95 is not None:
        return f"within the noise of {min(counts):,} values, which reaches {number(noise.p95, 3)}"
    if large:
        return f"could be chance with {min(counts):,} values"
    return "a real change, but a small one" if noise.p_value <= ALPHA / 10 else ""


def _names_rows(name: str, reference: Sample, current: Sample) -> ColumnDrift | None:
    """Integers that count or stamp rows in the reference: distinct, and in order of the file or without gaps."""
    n, m = len(reference), len(current)
    width = reference.ends[1] - reference.ends[0] + 1
    dense = ID_SHARE * n <= width < 2 * n
    if n < _FEWEST_IDS or not (dense or reference.rising) or reference.distinct_count() <= ID_SHARE * n:
        return None
    reason = "names rows: distinct integers " + ("without gaps" if dense else "that grow with every row")
    notes = duplicate_findings(name, n, reference.distinct_count(), m, current.distinct_count())
    return _with(untested(name, "num", "id-like", f"{reason}; drift of what names rows means nothing", n, m), notes)


def _largest(counts: NDArray[np.int64], chosen: NDArray[np.bool_]) -> list[int]:
    """Places of the greatest of the chosen counts, five at most."""
    places = np.flatnonzero(chosen)
    return [int(place) for place in places[np.argsort(-counts[places], kind="stable")][:5]]


def _written(key: object) -> str:
    return number(key) if isinstance(key, float) else str(key)


def _with(column: ColumnDrift, notes: Sequence[ColumnFinding]) -> ColumnDrift:
    return structs.replace(column, findings=(*column.findings, *notes)) if notes else column
