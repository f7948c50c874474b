"""The drift of each feature in every window and segment: one column of the reference at a time is held, sorted once."""

# ruff: noqa: S608 – SQL is put together from constants and quoted identifiers; values travel as parameters.
from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence

from msgspec import structs

from workbench.core.config import MonitorConfig
from workbench.core.model import ColumnDrift, Distribution
from workbench.monitor.figures import OTHER, UNKNOWN, Segmentation, WindowFigures
from workbench.monitor.frames import Frame
from workbench.monitor.performance import Place
from workbench.monitor.reference import Reference, load_reference
from workbench.monitor.registry import MethodChoice
from workbench.monitor.session import Session, filled, quoted
from workbench.monitor.tables import Column, Table
from workbench.monitor.verdicts import Pair

Progress = Callable[[str, int, int], None]
"""Told what is being done, how much of it is done, and how much there is."""
Judged = tuple[ColumnDrift, Distribution | None]

SLAB_ROWS = 500_000
"""Rows of one column held at once; a larger window is held whole."""


def judge_windows(
    session: Session, config: MonitorConfig, reference: Table, frame: Frame,
    parts: Sequence[tuple[Segmentation, Sequence[WindowFigures]]], tell: Progress,
) -> dict[Place, list[Judged]]:  # fmt: skip
    """For each window and segment, the verdict on every feature, in their order, and then on what was predicted.

    A segment is compared with the same segment of the reference, where that has the column.
    """
    found: dict[Place, list[Judged]] = defaultdict(list)
    columns = [*frame.features, *outputs(frame, reference)]
    for done, column in enumerate(columns):
        tell("comparing columns", done, len(columns))
        for segmentation, figures in parts:
            for segment, own in _by_segment(figures):
                table = _like(reference, segmentation, segment)
                for figure, judged in _judge_column(session, config, table, frame, column, segmentation, segment, own):
                    found[figure.window, segment].append(judged)
    tell("comparing columns", len(columns), len(columns))
    return found


def outputs(frame: Frame, reference: Table) -> list[Column]:
    """What the model said, by the names the export has for it, where the reference has it too."""
    roles, score = frame.plan.mapping.columns, frame.task.score
    probability = roles.probability or (roles.prediction if score else None)
    found = [Column(probability, "probability", "DOUBLE")] if probability and reference.column(probability) else []
    told = reference.column(roles.prediction or "") if not score else None
    if told is not None:
        words = told.kind == "string"
        found.append(Column(told.name, "yhat" if words else "guess", "VARCHAR" if words else "DOUBLE"))
    return [column for column in found if column.name not in roles.redact]


def _by_segment(figures: Sequence[WindowFigures]) -> list[tuple[str, list[WindowFigures]]]:
    found: dict[str, list[WindowFigures]] = defaultdict(list)
    for figure in figures:
        found[figure.segment].append(figure)
    return list(found.items())


def _like(table: Table, segmentation: Segmentation, segment: str) -> Table:
    """The reference's rows of a segment, or all of them where it does not tell."""
    column = table.column(segmentation.column) if segmentation.column else None
    if column is None:
        return table
    value, name = segment.partition("=")[2], f"{quoted(column.sql)}::VARCHAR"
    parameters: list[object]
    if value in segmentation.values:
        where, parameters = f"{name} = ?", [value]
    elif value == UNKNOWN:
        where, parameters = f"{name} IS NULL", []
    else:
        assert value == OTHER
        where, parameters = f"{name} IS NOT NULL AND NOT list_contains(?, {name})", [list(segmentation.values)]
    source = f"(SELECT * FROM {table.source} WHERE {where})"
    return structs.replace(table, source=source, parameters=(*table.parameters, *parameters))


def _judge_column(
    session: Session, config: MonitorConfig, table: Table, frame: Frame, column: Column, segmentation: Segmentation,
    segment: str, figures: Sequence[WindowFigures],
) -> Iterator[tuple[WindowFigures, Judged]]:  # fmt: skip
    def load(side: Column) -> Reference:
        categorical = column.name in config.columns.categorical
        return load_reference(
            session, table, side, categorical=categorical, min_rows=config.window.min_rows,
            time=frame.plan.mapping.timestamp, choice=MethodChoice(**structs.asdict(config.drift)),
        )  # fmt: skip

    told = table.column(column.name)
    where = segmentation.where(segment)
    if column.name in frame.partial:
        lacking = _windows_without(session, frame, column, where)
        if told is not None:  # a column that neither side has is none
            gone = Reference(Pair(column.name, told, None), table.rows)
            yield from ((item, (gone.judge_untested(0), None)) for item in figures if item.window in lacking)
        figures = [item for item in figures if item.window not in lacking]
    mixed: set[int] = set()
    if column.kind == "string" and told is not None and told.kind in {"int", "float"}:
        mixed = _windows_with_text(session, frame, column, where)
        numbers = structs.replace(column, sql=f"try_cast({column.sql} AS DOUBLE)", type="DOUBLE")
        if len(mixed) < len(figures):
            reference = load(numbers)
            yield from _judge_slabs(
                session, frame, reference, numbers, where, [item for item in figures if item.window not in mixed]
            )
        figures = [item for item in figures if item.window in mixed]
    if figures:
        reference = load(column)
        yield from _judge_slabs(session, frame, reference, column, where, figures)


def _windows_without(session: Session, frame: Frame, column: Column, where: str) -> set[int]:
    """Windows in which a column that some files lack has no value."""
    rows = session.rows(
        f"SELECT w FROM {frame.source} WHERE {where} GROUP BY w HAVING count({column.sql}) = 0", frame.parameters
    )
    return {row[0] for row in rows}


def _windows_with_text(session: Session, frame: Frame, column: Column, where: str) -> set[int]:
    """Windows in which a column of numbers holds something else."""
    rows = session.rows(
        f"""SELECT DISTINCT w FROM {frame.source} WHERE {where} AND {column.sql} IS NOT NULL
            AND try_cast({column.sql} AS DOUBLE) IS NULL""",
        frame.parameters,
    )
    return {row[0] for row in rows}


def _judge_slabs(
    session: Session, frame: Frame, reference: Reference, column: Column, where: str, figures: Sequence[WindowFigures]
) -> Iterator[tuple[WindowFigures, Judged]]:
    for slab in _slabs(figures):
        yield from zip(slab, _judge(session, frame, reference, column, where, slab), strict=True)


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
    session: Session, frame: Frame, reference: Reference, column: Column, segment: str, slab: Sequence[WindowFigures]
) -> Iterator[Judged]:
    bounds = [*frame.parameters, [figure.window for figure in slab]]
    where = f"FROM {frame.source} WHERE {segment} AND list_contains(?, w)"
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
