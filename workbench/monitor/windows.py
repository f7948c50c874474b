"""A monitor's windows: production rows sliced by time, by count or by file, each with its figures and its drift."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from msgspec import Struct, field, structs

from workbench.core.config import MonitorConfig, WindowSpec
from workbench.core.model import Distribution, Window
from workbench.monitor.drift import dataset_drift
from workbench.monitor.estimate import fit_calibration
from workbench.monitor.exports import ExportMapping
from workbench.monitor.figures import Beside, Segmentation, WindowFigures, segmentations, window_figures
from workbench.monitor.frames import Kept, stage_frame, window_start
from workbench.monitor.judged import Judged, Progress, judge_windows, outputs
from workbench.monitor.parts import Plan, redacted_table
from workbench.monitor.performance import Place
from workbench.monitor.quality import usual_values
from workbench.monitor.session import Session
from workbench.monitor.tables import Table
from workbench.monitor.task import Task

MOST_GAPS = 10_000
"""Empty windows between the first and the last are listed up to this many; beyond, a time is likely wrong."""


class WindowResult(Struct, frozen=True):
    """One window, and the distributions of its columns beside the reference's; `slot` is its number."""

    window: Window
    distributions: Sequence[Distribution] = ()
    slot: int = 0


class Evaluation(Struct, frozen=True):
    """Windows of a monitor, oldest first, the roles they were read with, and the files left out with the reason."""

    results: Sequence[WindowResult]
    mapping: ExportMapping | None = None
    problems: Sequence[tuple[str, str]] = ()
    segments: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Values that are segments, by column."""
    emptied: frozenset[int] = frozenset()
    """Windows that have no rows any more."""


def evaluate_windows(
    session: Session, config: MonitorConfig, kept: Kept, plan: Plan, task: Task, windows: Collection[int],
    reference: Table | None = None, *, segments: Mapping[str, Sequence[str]] | None = None,
    written: Mapping[int, float] | None = None, tell: Progress = lambda _stage, _done, _total: None,
) -> Evaluation:  # fmt: skip
    """Judge some windows: their figures, and each feature against the reference.

    windows: their numbers. segments: values that were segments before. written: when the file of a window was, where
    each file is one.
    """
    tell("cutting windows", 0, 1)
    frame = stage_frame(session, kept, config.window, plan, task, windows)
    table = redacted_table(reference, plan) if reference else None
    beside = Beside()
    if table:
        beside = Beside(usual_values(session, table, frame.features), fit_calibration(session, table, task, frame))
    ways, values = segmentations(session, frame, segments or {})
    parts = [(way, window_figures(session, frame, way, config.window, beside)) for way in ways]
    judged = judge_windows(session, config, table, frame, parts, tell) if table else {}
    predicted = [column.name for column in outputs(frame, table)] if table else []
    results = [
        result for way, figures in parts for result in _results(config, way, figures, judged, written or {}, predicted)
    ]
    return Evaluation(results, plan.mapping, (), values)


def _results(
    config: MonitorConfig, way: Segmentation, figures: Sequence[WindowFigures],
    judged: Mapping[Place, Sequence[Judged]], written: Mapping[int, float], predicted: Sequence[str],
) -> Iterator[WindowResult]:  # fmt: skip
    for figure in figures:
        columns = judged.get((figure.window, figure.segment), ())
        metrics = dict(figure.metrics)
        verdicts = tuple(verdict for verdict, _ in columns)
        if columns:
            drift = dataset_drift(verdicts)
            metrics["drift.share"] = drift.share if drift.tested else None
            metrics["drift.columns"] = float(drift.drifted) if drift.tested else None
            verdicts = tuple(drift.columns)  # settled: told beside each other, not each by itself
            said = next((each for each in verdicts if each.column in predicted), None)
            if said is not None:
                metrics["drift.prediction"] = said.score
        span = _span(config.window, figure, written)
        window = Window(config.name, *span, figure.rows, metrics, verdicts, figure.segment)
        yield WindowResult(window, tuple(shape for _, shape in columns if shape), figure.window)


def _span(spec: WindowSpec, figure: WindowFigures, written: Mapping[int, float]) -> tuple[float, float]:
    """Where a window begins and ends; without times, a file's age or the number of the window's first row."""
    if spec.every:
        start = window_start(spec, figure.window)
        return start, start + spec.every
    if figure.start is not None and figure.end is not None:
        return figure.start, figure.end
    if spec.rows:
        first = float(figure.window * spec.rows)
        return first, first + figure.rows
    modified = written.get(figure.window, 0.0)
    return modified, modified


def empty_windows(
    config: MonitorConfig, slots: Collection[int], like: Mapping[str, float | None]
) -> list[WindowResult]:
    """Windows of time that had no rows, between the first and the last of those that had; `like` has their metrics."""
    every = config.window.every
    if not every or not slots or max(slots) - min(slots) > MOST_GAPS + len(slots):
        return []
    metrics: dict[str, float | None] = dict.fromkeys(like)
    metrics |= {"rows": 0.0, "throughput": 0.0}
    found = []
    for slot in sorted(set(range(min(slots), max(slots) + 1)) - set(slots)):
        start = window_start(config.window, slot)
        found.append(WindowResult(Window(config.name, start, start + every, 0, metrics), (), slot))
    return found


def in_order(results: Sequence[WindowResult]) -> list[WindowResult]:
    """Windows by start; those of one segment never begin at the same moment, for a window is known by its start."""
    found: list[WindowResult] = []
    before: dict[str, float] = {}
    for result in sorted(results, key=lambda result: (result.window.start, result.window.segment, result.slot)):
        window, last = result.window, before.get(result.window.segment)
        if last is not None and window.start <= last:
            window = structs.replace(window, start=last + 1e-3, end=max(last + 1e-3, window.end))
        before[window.segment] = window.start
        found.append(structs.replace(result, window=window))
    return found
