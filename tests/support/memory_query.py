"""A project in memory: the whole `Query` protocol over frozen records, for tests of what reads a project."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from msgspec import Struct, field
from msgspec.structs import replace

from workbench.core.batch import ConsoleLine
from workbench.core.compare import percentiles
from workbench.core.lineage import trained_by
from workbench.core.model import (
    Artifact,
    Distribution,
    Finding,
    Roles,
    Run,
    Series,
    Source,
    Stage,
    StepHistogram,
    Summary,
    Window,
)
from workbench.core.progress import RECENT, pace
from workbench.core.query import Limits, Rows
from workbench.core.roles import roles_for
from workbench.core.run_logs import LogPlace
from workbench.core.series import thin
from workbench.core.where import matches, parse, percentiles_of


class MemoryQuery(Struct, frozen=True):
    """Runs with their points, windows and sources; summaries are derived from the points, as a store derives them."""

    all_runs: Sequence[Run] = ()
    points: Mapping[tuple[str, str], Series] = field(default_factory=dict)
    all_stages: Mapping[str, Sequence[Stage]] = field(default_factory=dict)
    all_sources: Sequence[Source] = ()
    all_windows: Mapping[str, Sequence[Window]] = field(default_factory=dict)
    distributions: Mapping[tuple[str, str], Distribution] = field(default_factory=dict)
    configured: Mapping[str, Roles] = field(default_factory=dict)
    all_histograms: Mapping[tuple[str, str], Sequence[StepHistogram]] = field(default_factory=dict)
    lines: Mapping[str, Sequence[ConsoleLine]] = field(default_factory=dict)
    all_findings: Sequence[Finding] = ()
    logs: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Ids of the sources that a run was read from."""
    places: Sequence[LogPlace] = ()
    all_artifacts: Mapping[str, Sequence[Artifact]] = field(default_factory=dict)
    version: str = "1"
    folder: Path = Path("/nowhere/project")

    def runs(self, where: str = "", *, hidden: bool = False) -> Sequence[Run]:
        expr = parse(where)
        wanted = percentiles_of(expr)
        kept = []
        for run in self.all_runs:
            if run.hidden and not hidden:
                continue
            run = self._summarised(run)
            found = {
                f"{key}.p{q:g}": values[0]
                for key, q in wanted
                if (values := self.percentiles([run.id], [key], [q]).get((run.id, key))) is not None
            }
            if matches(expr, run, found):
                kept.append(run)
        return sorted(kept, key=lambda run: -(run.started_at or 0.0))

    def newest(self, n: int) -> Sequence[Run]:
        return self.runs()[:n]

    def _summarised(self, run: Run) -> Run:
        own = {key: self._summary(series) for (run_id, key), series in self.points.items() if run_id == run.id}
        return replace(run, metrics={**run.metrics, **own})

    def _summary(self, series: Series) -> Summary:
        finite = series.value[np.isfinite(series.value)]
        low, high = (float(finite.min()), float(finite.max())) if len(finite) else (None, None)
        direction = self.roles(series.key).direction
        return Summary(
            n=len(series.value),
            last=float(series.value[-1]) if len(series.value) else None,
            last_step=int(series.step[-1]) if len(series.step) else None,
            min=low,
            max=high,
            best={"lower": low, "higher": high}.get(direction or ""),
            first=float(series.value[0]) if len(series.value) else None,
            not_finite=len(series.value) - len(finite),
        )

    def series(self, run_id: str, key: str, points: int = 0, steps: tuple[int, int] | None = None) -> Series:
        nothing = Series(run_id, key, np.empty(0, np.int64), np.empty(0), np.empty(0), 0)
        found = self.points.get((run_id, key), nothing)
        if steps is not None:
            inside = (found.step >= steps[0]) & (found.step <= steps[1])
            part = (found.step[inside], found.wall[inside], found.value[inside])
            found = Series(run_id, key, *part, int(inside.sum()))
        if not points or len(found.value) <= points:
            return found
        step, value = thin(found.step, found.value, max(points // 3, 1))
        wall = np.asarray(np.interp(step, found.step, found.wall), np.float64)
        return Series(run_id, key, step.astype(np.int64), wall, value, found.n)

    def series_of(self, run_ids: Sequence[str], keys: Sequence[str]) -> Mapping[tuple[str, str], Series]:
        return {(run, key): self.points[run, key] for run in run_ids for key in keys if (run, key) in self.points}

    def percentiles(
        self, run_ids: Sequence[str], keys: Sequence[str], qs: Sequence[float]
    ) -> Mapping[tuple[str, str], Sequence[float]]:
        found = {}
        for run_id in run_ids:
            for key in keys:
                values = percentiles(self.series(run_id, key).value, qs)
                if values is not None:
                    found[run_id, key] = values
        return found

    def at_step(self, run_ids: Sequence[str], keys: Sequence[str], step: int) -> Mapping[tuple[str, str], float]:
        found = {}
        for run_id in run_ids:
            for key in keys:
                own = self.series(run_id, key)
                until = np.flatnonzero(own.step <= step)
                if len(until):
                    found[run_id, key] = float(own.value[until[-1]])
        return found

    def sparks(self, run_ids: Sequence[str], key: str, points: int = 30) -> Mapping[str, Sequence[float]]:
        found = {run_id: self.series(run_id, key, points).value.tolist() for run_id in run_ids}
        return {run_id: values for run_id, values in found.items() if values}

    def paces(self, run_ids: Sequence[str]) -> Mapping[str, float]:
        found = {}
        for run_id in run_ids:
            own = [series for (run, _), series in self.points.items() if run == run_id and len(series.step)]
            furthest = max(own, key=lambda series: series.step[-1], default=None)
            steps = None if furthest is None else pace(furthest.step[-RECENT:], furthest.wall[-RECENT:])
            if steps is not None:
                found[run_id] = steps
        return found

    def histogram_keys(self, run_id: str) -> Sequence[str]:
        return sorted(key for run, key in self.all_histograms if run == run_id)

    def histograms(self, run_id: str, key: str, steps: int = 0) -> Sequence[StepHistogram]:
        found = self.all_histograms.get((run_id, key), ())
        n = len(found)
        return [
            each for at, each in enumerate(found) if not steps or n <= steps or (at + 1) * steps // n != at * steps // n
        ]

    def console(self, run_id: str, last: int = 1000) -> Sequence[ConsoleLine]:
        return self.lines.get(run_id, ())[-last:]

    def run_sources(self, run_id: str) -> Sequence[Source]:
        return [source for source in self.all_sources if source.id in self.logs.get(run_id, ())]

    def log_place(self, run_id: str, step: int) -> LogPlace | None:
        found = [each for each in self.places if each.source in self.logs.get(run_id, ()) and each.step <= step]
        return max(found, key=lambda each: (each.step, each.offset), default=None)

    def log_step(self, source: str, offset: int) -> LogPlace | None:
        found = [each for each in self.places if each.source == source and each.offset <= offset]
        return max(found, key=lambda each: each.offset, default=None)

    def artifacts(self, run_id: str) -> Sequence[Artifact]:
        return self.all_artifacts.get(run_id, ())

    def stages(self, run_id: str) -> Sequence[Stage]:
        return self.all_stages.get(run_id, ())

    def sources(self) -> Sequence[Source]:
        return sorted(self.all_sources, key=lambda source: source.path)

    def monitors(self) -> Sequence[str]:
        return sorted(self.all_windows)

    def windows(self, monitor: str) -> Sequence[Window]:
        return sorted(self.all_windows.get(monitor, ()), key=lambda window: (window.start, window.segment))

    def distribution(self, monitor: str, column: str, window: float | None = None) -> Distribution | None:
        return self.distributions.get((monitor, column))

    def findings(self, monitor: str = "", run: str = "") -> Sequence[Finding]:
        return [each for each in self.all_findings if monitor in ("", each.monitor) and run in ("", each.run)]

    def trained_by(self, monitor: str) -> Run | None:
        return trained_by(self.runs(hidden=True), monitor)

    def roles(self, key: str) -> Roles:
        return roles_for(key, self.configured)

    def sql(self, text: str, parameters: Sequence[Any] = (), limits: Limits | None = None) -> Rows:
        raise NotImplementedError("the project in memory speaks no SQL")

    def revision(self) -> str:
        return self.version

    def root(self) -> Path:
        return self.folder


def series(run_id: str, key: str, values: Sequence[float], *, wall: float = 1_767_600_000.0, first: int = 0) -> Series:
    """A series with one value a step and a step every 10 seconds."""
    steps = np.arange(first, first + len(values), dtype=np.int64)
    return Series(run_id, key, steps, wall + 10.0 * steps, np.asarray(values, np.float64), len(values))


def with_points(*all_series: Series) -> dict[tuple[str, str], Series]:
    """Series by run and key, as `MemoryQuery.points` wants them."""
    return {(each.run_id, each.key): each for each in all_series}
