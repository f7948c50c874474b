"""A monitor's windows: production rows sliced by time, by count or by file, each with its figures and its drift."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from workbench.core.config import MonitorConfig, WindowSpec
from workbench.core.model import ColumnDrift, Distribution, Window
from workbench.monitor.drift import dataset_drift
from workbench.monitor.exports import ExportMapping, effective_mapping, propose, readiness
from workbench.monitor.frames import Frame, stage_frame, window_start
from workbench.monitor.performance import WindowFigures, window_figures
from workbench.monitor.reference import Reference, load_reference
from workbench.monitor.session import Session, filled, open_session
from workbench.monitor.tables import Column, DriftInputError, Table, open_files, open_table

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


@dataclass(frozen=True, slots=True)
class Evaluation:
    """All windows of a monitor, oldest first, the roles they were read with, and the files left out with the reason."""

    results: Sequence[WindowResult]
    mapping: ExportMapping | None = None
    problems: Sequence[tuple[str, str]] = ()


def evaluate(
    config: MonitorConfig,
    root: Path,
    files: Sequence[Path],
    *,
    progress: Progress | None = None,
    memory_limit: str = "200MB",
) -> Evaluation:
    """Slice a monitor's exports into windows and judge each against the reference.

    files: the exports, absolute or relative to `root`. Empty ones and ones still being written are passed over; an
    unreadable one is a problem of its own and the others are judged.

    Raises:
        DriftInputError: the reference cannot be read, a configured column is missing, or windows by time lack a time.
    """
    tell = progress or (lambda _stage, _done, _total: None)
    with open_session(memory_limit) as session:
        tell("reading exports", 0, len(files))
        tables, problems = _open_exports(session, config, [root / file for file in files])
        if not tables:
            return Evaluation((), None, problems)
        union = _union(config, tables)
        mapping = effective_mapping(config, propose(session, tables[-1], config.path), union)
        if config.window.every and not mapping.timestamp:
            raise DriftInputError(f"[monitor.{config.name}] window.every needs a time: set `timestamp` to a column")
        tell("cutting windows", 0, 1)
        frame = stage_frame(session, tables, mapping, config.window)
        if frame.untimed:
            problems.append((config.path, f"{frame.untimed:,} rows without a time in {mapping.timestamp!r} left out"))
        figures = window_figures(session, frame)
        judged = list(_drift(session, config, root, frame, figures, tell)) if config.reference else []
    spans = [_span(config.window, figure, tables) for figure in figures]
    results = [
        _result(config, *pair, [column[i] for column in judged])
        for i, pair in enumerate(zip(figures, spans, strict=True))
    ]
    return Evaluation(tuple(_in_order(config, results)), mapping, tuple(problems))


def _open_exports(
    session: Session, config: MonitorConfig, files: Sequence[Path]
) -> tuple[list[Table], list[tuple[str, str]]]:
    """One table of all files, or one a file where each is a window; and what could not be read."""
    ready: list[Path] = []
    problems: list[tuple[str, str]] = []
    for file in sorted(files):
        try:
            if readiness(file) == "ready":
                ready.append(file)
        except (DriftInputError, OSError) as error:
            problems.append((str(file), str(error)))
    if ready and (config.window.every or config.window.rows):
        try:
            return [open_files(session, ready, config.path, config.format, tolerant=True)], problems
        except DriftInputError:
            good = [file for file in ready if _opened(session, config, file, problems)]
            return ([open_files(session, good, config.path, config.format, tolerant=True)] if good else []), problems
    opened = [_opened(session, config, file, problems) for file in ready]
    return [table for table in opened if table], problems


def _opened(session: Session, config: MonitorConfig, file: Path, problems: list[tuple[str, str]]) -> Table | None:
    try:
        return open_files(session, [file], str(file), config.format, tolerant=True)
    except DriftInputError as error:
        problems.append((str(file), str(error)))
        return None


def _union(config: MonitorConfig, tables: Sequence[Table]) -> Table:
    """A table that has every column of any, for looking up names."""
    columns: dict[str, Column] = {column.name: column for table in tables for column in table.columns}
    return dataclasses.replace(tables[0], label=config.path, columns=tuple(columns.values()))


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
    window = Window(config.name, *span, figures.rows, metrics, columns)
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


def _in_order(config: MonitorConfig, results: Sequence[WindowResult]) -> Iterator[WindowResult]:
    """Windows by start, no two alike, and those of time that had no rows."""
    every = config.window.every
    previous: float | None = None
    ordered = sorted(results, key=lambda result: result.window.start)
    gaps = every and ordered and (ordered[-1].window.start - ordered[0].window.start) / every < MOST_GAPS + len(ordered)
    for result in ordered:
        start = result.window.start
        if every and gaps and previous is not None:
            for i in range(1, round((start - previous) / every)):
                yield _empty(config, previous + i * every, every, result.window)
        if previous is not None and start <= previous:
            # Files that begin at the same moment: a window is known by its start.
            start = previous + 1e-3
        window = dataclasses.replace(result.window, start=start, end=max(start, result.window.end))
        yield dataclasses.replace(result, window=window)
        previous = start


def _empty(config: MonitorConfig, start: float, every: float, like: Window) -> WindowResult:
    metrics: dict[str, float | None] = dict.fromkeys(like.metrics)
    return WindowResult(Window(config.name, start, start + every, 0, metrics | {"rows": 0.0}))
