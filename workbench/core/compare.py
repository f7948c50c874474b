"""Runs side by side: changes to the baseline, parameters that differ, metrics by runs, percentiles of latencies."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from msgspec import Struct

from workbench.core.compare_noise import Noise, is_own_place, is_seed, noise_of, same_as
from workbench.core.compare_values import Values
from workbench.core.model import Direction, Roles, Run, Summary
from workbench.core.query import Query
from workbench.core.roles import PERCENTILES, percentile_key

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

Percentiles = Mapping[tuple[str, str], Sequence[float]]
"""Percentiles at `PERCENTILES` by (run id, key), as `Query.percentiles` gives them."""


class Delta(Struct, frozen=True):
    """A change from the baseline's value; `relative` is None where the baseline is 0."""

    absolute: float
    relative: float | None
    better: bool | None
    """None while the direction is unknown or nothing changed."""


class MetricRow(Struct, frozen=True):
    """One metric over several runs, in their order; None where a run lacks it."""

    key: str
    roles: Roles
    values: tuple[float | None, ...]
    deltas: tuple[Delta | None, ...]
    """Against the baseline; None for the baseline itself and where either side is unknown."""
    noise: Noise | None = None
    """What the seed alone does to it; None where no settings were run with several seeds."""

    @property
    def within_noise(self) -> tuple[bool, ...]:
        """Which changes are so small that another seed may have made them."""
        if self.noise is None:
            return (False,) * len(self.deltas)
        threshold = self.noise.threshold
        return tuple(change is not None and abs(change.absolute) <= threshold for change in self.deltas)

    @property
    def best(self) -> int | None:
        """Place of the best of several runs; None while it is unknown which way is better, or all are alike."""
        known = [(value, at) for at, value in enumerate(self.values) if value is not None and math.isfinite(value)]
        if self.roles.direction is None or len({value for value, _ in known}) < 2:
            return None
        return (max if self.roles.direction == "higher" else min)(known, key=lambda item: item[0])[1]


class ParamRow(Struct, frozen=True):
    """One parameter that differs; a run that lacks it has None and False in `present`."""

    key: str
    values: tuple[Any, ...]
    present: tuple[bool, ...]


def delta(value: float | None, baseline: float | None, direction: Direction | None) -> Delta | None:
    """The change from a baseline's value; None where either is unknown or not finite."""
    if value is None or baseline is None or not (math.isfinite(value) and math.isfinite(baseline)):
        return None
    absolute = value - baseline
    relative = absolute / abs(baseline) if baseline else (0.0 if not absolute else None)
    better = None if direction is None or not absolute else (absolute > 0) == (direction == "higher")
    return Delta(absolute, relative, better)


def baseline_of(runs: Sequence[Run], chosen: str | None = None) -> Run | None:
    """The run chosen by id, else the newest that is marked as the baseline."""
    by_id = next((run for run in runs if run.id == chosen), None) if chosen else None
    return by_id or next((run for run in runs if run.baseline), None)


def latency_keys(runs: Sequence[Run], roles: Callable[[str], Roles]) -> tuple[str, ...]:
    """Series that are latencies, most common first: those shown with percentiles."""
    counts = Counter(key for run in runs for key in run.metrics)
    return tuple(key for key, _ in sorted(counts.items(), key=_common_first) if roles(key).kind == "latency")


def _common_first(item: tuple[str, int]) -> tuple[int, str]:
    return -item[1], item[0]


def latency_percentiles(query: Query, runs: Sequence[Run]) -> Percentiles:
    """p50, p95 and p99 of every latency series of the runs, in one query; empty where there is no such series."""
    keys = latency_keys(runs, query.roles)
    return query.percentiles([run.id for run in runs], keys, PERCENTILES) if keys else {}


def percentiles(values: ArrayLike, qs: Sequence[float] = PERCENTILES) -> tuple[float, ...] | None:
    """Exact percentiles of the finite values, interpolated linearly; None where no value is finite."""
    array = np.asarray(values, np.float64)
    finite = array[np.isfinite(array)]
    return tuple(np.percentile(finite, list(qs)).tolist()) if len(finite) else None


def with_percentiles(run: Run, found: Percentiles) -> dict[str, Summary]:
    """A run's metrics with an entry `KEY.p50`, `.p95`, `.p99` behind each series that has percentiles."""
    metrics: dict[str, Summary] = {}
    for key, summary in run.metrics.items():
        metrics[key] = summary
        values = found.get((run.id, key))
        for q, value in zip(PERCENTILES, values or (), strict=False):
            metrics[percentile_key(key, q)] = Summary(
                n=summary.n, last=value, last_step=summary.last_step, min=value, max=value, best=value
            )
    return metrics


def metric_rows(
    runs: Sequence[Run],
    roles: Callable[[str], Roles],
    baseline: Run | None = None,
    found: Percentiles | None = None,
    keys: Sequence[str] = (),
    values: Values | None = None,
    repeats: Sequence[Sequence[Run]] = (),
) -> tuple[MetricRow, ...]:
    """Metrics by runs with changes to the baseline; `keys` come first, then the most common ones.

    `values` stand for the series instead of their last ones; `repeats` are runs that differ in their seed alone, and
    `values` of theirs tell the noise.
    """
    tables = {run.id: with_percentiles(run, found or {}) for run in ([*runs, baseline] if baseline else runs)}
    counts = Counter(key for run in runs for key in tables[run.id])
    ordered = [*dict.fromkeys(key for key in keys if key in counts)]
    ordered += [key for key, _ in sorted(counts.items(), key=_common_first) if key not in set(ordered)]
    near = {run.id for run in runs}
    return tuple(
        _metric_row(
            key, roles(key), runs, baseline, _read(key, tables, values), noise_of(key, repeats, values or {}, near)
        )
        for key in ordered
    )


def _read(
    key: str, tables: Mapping[str, Mapping[str, Summary]], values: Values | None
) -> Callable[[Run], float | None]:
    """What stands for a series of a run: the value chosen; a percentile, which has no other, is what it is."""

    def read(run: Run) -> float | None:
        if values is not None and key in run.metrics:
            return values.get((run.id, key))
        summary = tables[run.id].get(key)
        return None if summary is None else summary.last

    return read


def _metric_row(
    key: str, roles: Roles, runs: Sequence[Run], baseline: Run | None, read: Callable[[Run], float | None],
    noise: Noise | None,
) -> MetricRow:  # fmt: skip
    base = None if baseline is None else read(baseline)
    own = None if baseline is None else baseline.id
    found = tuple(read(run) for run in runs)
    deltas = tuple(
        None if run.id == own else delta(value, base, roles.direction) for run, value in zip(runs, found, strict=True)
    )
    return MetricRow(key, roles, found, deltas, noise)


def param_differences(runs: Sequence[Run]) -> tuple[ParamRow, ...]:
    """Parameters that are not the same in all runs, by name; with fewer than two runs there are none.

    Seeds and the places that runs write to come last: they always differ.
    """
    found = {key for run in runs for key in run.params}
    keys = sorted(found, key=lambda key: (is_own_place(key), is_seed(key), key))
    rows = (
        ParamRow(key, tuple(run.params.get(key) for run in runs), tuple(key in run.params for run in runs))
        for key in keys
    )
    return tuple(row for row in rows if _differs(row))


def _differs(row: ParamRow) -> bool:
    """Whether values differ; 1 and 1.0 are the same, True and 1 are not, and a missing one differs from any."""
    seen = {(present, same_as(value)) for value, present in zip(row.values, row.present, strict=True)}
    return len(seen) > 1
