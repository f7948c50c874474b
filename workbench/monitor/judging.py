"""The windows of a frame judged: figures of each, every column against the reference, and those without rows."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from workbench.core.config import MonitorConfig, WindowSpec
from workbench.core.model import ColumnDrift, Distribution, Window
from workbench.monitor.drift import dataset_drift
from workbench.monitor.frames import Frame, window_start
from workbench.monitor.performance import Labels, WindowFigures, window_figures
from workbench.monitor.reference import Reference, load_reference
from workbench.monitor.session import Session, filled
from workbench.monitor.tables import Column, Table, open_table

Progress = Callable[[str, int, int], None]
"""Told what is being done, how much of it is done, and how much there is."""

SLAB_ROWS = 1_000_000
"""Rows of one column held at once; a larger window is held whole."""
MOST_GAPS = 10_000
"""Empty windows between the first and the last are listed up to this many; beyond, a time is likely wrong."""


@dataclass(frozen=True, slots=True)
class WindowResult:
    """One window, and the distributions of its columns beside the reference's."""

    window: Window
    distributions: Sequence[Distribution] = ()


Numbered = tuple[int, WindowResult]
"""A window with its number: of a file, of a time, of some rows."""


def judge_windows(
    session: Session, config: MonitorConfig, root: Path, frame: Frame, labels: Labels, tables: Sequence[Table],
    tell: Progress,
) -> list[Numbered]:  # fmt: skip
    """Every window of the frame that has rows, by its number; `tables` are those the frame was staged from."""
    figures = window_figures(session, frame, labels)
    judged = list(_drift(session, config, root, frame, figures, tell)) if config.reference and figures else []
    spans = [_span(config.window, figure, tables) for figure in figures]
    return [
        (figure.window, _result(config, figure, span, [column[i] for column in judged]))
        for i, (figure, span) in enumerate(zip(figures, spans, strict=True))
    ]


def _drift(
    session: Session, config: MonitorConfig, root: Path, frame: Frame, figures: Sequence[WindowFigures], tell: Progress
) -> Iterator[list[tuple[ColumnDrift, Distribution | None]]]:
    """For each feature, its verdict in every window: one reference column at a time is held, sorted once."""
    table = open_table(session, root / (config.reference or ""))
    for done, column in enumerate(frame.features):
        tell("comparing columns", done, len(frame.features))
        categorical = column.name in config.columns.categorical
        reference = load_reference(session, table, column, categorical=categorical, min_rows=config.window.min_rows)
        yield [verdict for slab in _slabs(figures) for verdict in _judge(session, frame, reference, column, slab)]
    tell("comparing columns", len(frame.features), len(frame.features))


def _slabs(figures: Sequence[WindowFigures]) -> Iterator[Sequence[WindowFigures]]:
    """Consecutive windows of at most `SLAB_ROWS` rows together, at least one."""
    start = rows = 0
    for i, figure in enumerate(figures):
        if i > start and rows + figure.rows > SLAB_ROWS:
            yield figures[start:i]
            start, rows = i, 0
        rows += figure.rows
    if start < len(figures):
        yield figures[start:]


def _judge(
    session: Session, frame: Frame, reference: Reference, column: Column, slab: Sequence[WindowFigures]
) -> Iterator[tuple[ColumnDrift, Distribution | None]]:
    bounds = [*frame.parameters, slab[0].window, slab[-1].window]
    where = f"FROM {frame.source} WHERE w BETWEEN ? AND ?"
    if reference.numbers is not None:
        values = filled(session.arrays(f"SELECT {column.sql}::DOUBLE AS x {where}", bounds)[0])
        start = 0
        for figure in slab:
            yield reference.judge_numbers(values[start : start + figure.rows])
            start += figure.rows
    elif reference.counts is not None:
        counts: dict[int, dict[str, int]] = {figure.window: {} for figure in slab}
        sql = f"SELECT w, {column.sql}::VARCHAR, count(*) {where} AND {column.sql} IS NOT NULL GROUP BY ALL"
        for window, value, n in session.rows(sql, bounds):
            counts[window][value] = n
        for figure in slab:
            yield reference.judge_strings(counts[figure.window], figure.rows)
    else:
        found = dict(session.rows(f"SELECT w, count({column.sql}) {where} GROUP BY w", bounds))
        for figure in slab:
            yield reference.judge_untested(found[figure.window]), None


def _result(
    config: MonitorConfig,
    figures: WindowFigures,
    span: tuple[float, float],
    judged: Sequence[tuple[ColumnDrift, Distribution | None]],
) -> WindowResult:
    columns = tuple(verdict for verdict, _ in judged)
    drift = dataset_drift(columns)
    metrics = dict(figures.metrics)
    if config.reference:
        metrics["drift.share"] = drift.share if drift.tested else None
        metrics["drift.columns"] = float(drift.drifted) if drift.tested else None
    window = Window(config.name, *span, figures.rows, metrics, drift.columns)
    return WindowResult(window, tuple(shape for _, shape in judged if shape))


def _span(spec: WindowSpec, figures: WindowFigures, tables: Sequence[Table]) -> tuple[float, float]:
    """Where a window begins and ends; without times, a file's age or the number of the window's first row."""
    if spec.every:
        start = window_start(spec, figures.window)
        return start, start + spec.every
    if figures.start is not None and figures.end is not None:
        return figures.start, figures.end
    if spec.rows:
        first = float(figures.window * spec.rows)
        return first, first + figures.rows
    modified = Path(tables[figures.window].label).stat().st_mtime
    return modified, modified


def in_order(results: Sequence[Numbered]) -> list[Numbered]:
    """Windows by start, no two alike: files may begin at the same moment, and a window is known by its start."""
    ordered: list[Numbered] = []
    for number, result in sorted(results, key=lambda item: item[1].window.start):
        start = result.window.start
        if ordered and start <= ordered[-1][1].window.start:
            start = ordered[-1][1].window.start + 1e-3
        window = dataclasses.replace(result.window, start=start, end=max(start, result.window.end))
        ordered.append((number, dataclasses.replace(result, window=window)))
    return ordered


def gaps(filled: Collection[int]) -> list[int]:
    """Numbers of the windows of time without rows, between those that have some."""
    ordered = sorted(filled)
    if not ordered or ordered[-1] - ordered[0] >= MOST_GAPS + len(ordered):
        return []
    return [number for left, right in pairwise(ordered) for number in range(left + 1, right)]


def empty_window(config: MonitorConfig, number: int, keys: Collection[str]) -> Numbered:
    """A window of time without rows; its metrics are unknown."""
    start = window_start(config.window, number)
    metrics: dict[str, float | None] = dict.fromkeys(keys)
    window = Window(config.name, start, start + (config.window.every or 0.0), 0, metrics | {"rows": 0.0})
    return number, WindowResult(window)
