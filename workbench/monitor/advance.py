"""What a monitor knows, and how new rows and labels carry it on: only windows that they touch are judged again."""

# ruff: noqa: S608 – SQL is put together from constants and quoted identifiers; values travel as parameters.
from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from workbench.core.config import MonitorConfig
from workbench.monitor.figures import Segmentation
from workbench.monitor.frames import Kept, columns_of, labelled_windows, look_at, window_numbers, window_start
from workbench.monitor.judged import Progress
from workbench.monitor.parts import Part, Plan
from workbench.monitor.session import Session
from workbench.monitor.tables import Column, DriftInputError, Table
from workbench.monitor.task import Seen, Task, task_of
from workbench.monitor.windows import Evaluation, empty_windows, evaluate_windows, in_order

__all__ = ["Advance", "Known", "Segmentation", "advance", "closed_parts", "span_table"]


@dataclass(frozen=True, slots=True)
class Known:
    """What a monitor knows beside its rows; as JSON it survives a restart."""

    plan: Plan
    seen: Seen = field(default_factory=Seen)
    task: Task = field(default_factory=Task)
    segments: Mapping[str, Sequence[str]] = field(default_factory=dict)
    reference: str = ""
    """What the windows were compared with: changes when that does."""
    dropped: int = 0
    """Rows of windows by count that are kept no more."""


@dataclass(frozen=True, slots=True)
class Advance:
    """What is new: parts of rows and of labels, parts that no longer hold, and windows that were there before."""

    rows: Sequence[Part] = ()
    labels: Sequence[Part] = ()
    void: Sequence[Part] = ()
    windows: Collection[int] = ()
    newest: float | None = None
    """When the newest file was written."""
    written: Mapping[int, float] = field(default_factory=dict)
    """When the file of a window was, where each file is one."""


def advance(
    session: Session, config: MonitorConfig, kept: Kept, known: Known, new: Advance, reference: Table | None,
    fingerprint: str = "", tell: Progress = lambda _stage, _done, _total: None,
) -> tuple[Evaluation, Known]:  # fmt: skip
    """Judge the windows that something new touches; all of them where the task or the reference changed.

    Raises:
        DriftInputError: windows follow time, and no row has one.
    """
    _require_times(config, kept, known.plan)
    seen = look_at(session, kept, new.rows, new.labels, known.seen)
    roles = known.plan.mapping.columns
    task = task_of(seen, [role for role in ("prediction", "probability") if getattr(roles, role)], roles.positive)
    if task != known.task or fingerprint != known.reference:
        windows = window_numbers(session, kept, config.window, kept.rows)
    else:
        windows = window_numbers(session, kept, config.window, new.rows)
        windows |= labelled_windows(session, kept, config.window, new.labels)
    emptied: set[int] = set()
    if new.void:
        gone = dataclasses.replace(kept, rows=[*kept.rows, *new.void])
        touched = window_numbers(session, gone, config.window, new.void)
        left = window_numbers(session, kept, config.window, kept.rows)
        windows |= touched & left
        emptied = touched - left
    found = Evaluation((), known.plan.mapping)
    if windows:
        found = evaluate_windows(
            session, config, kept, known.plan, task, windows, reference, segments=known.segments, newest=new.newest,
            written=new.written, tell=tell,
        )  # fmt: skip
    results = [*found.results, *empty_windows(config, found.results, set(new.windows) - emptied)]
    segments = found.segments or known.segments
    known = dataclasses.replace(known, seen=seen, task=task, segments=segments, reference=fingerprint)
    return dataclasses.replace(found, results=in_order(results)), known


def _require_times(config: MonitorConfig, kept: Kept, plan: Plan) -> None:
    if not config.window.every:
        return
    at = plan.mapping.timestamp
    if not at:
        raise DriftInputError(f"[monitor.{config.name}] window.every needs a time: set `timestamp` to a column")
    if kept.rows and all(part.begins is None for part in kept.rows):
        raise DriftInputError(f"{config.path}: no row has a time in {at!r}; set `timestamp_unit`")


def untimed_rows(config: MonitorConfig, parts: Sequence[Part], plan: Plan) -> list[tuple[str, str]]:
    """Rows that no window of time can hold, as a problem to be told."""
    untimed = sum(part.untimed for part in parts) if config.window.every else 0
    return [(config.path, f"{untimed:,} rows without a time in {plan.mapping.timestamp!r} left out")] if untimed else []


def span_table(session: Session, kept: Kept, span: tuple[float, float], plan: Plan) -> Table | None:
    """The rows of a span of production as a reference; None until the span is over."""
    newest = max((part.ends for part in kept.rows if part.ends is not None), default=None)
    if newest is None or newest < span[1]:
        return None
    inside = [part for part in kept.rows if _within(part, span)]
    if not inside:
        return None
    described = columns_of(session, kept, inside)
    names = {alias: name for part in inside for name, alias, _ in part.columns}
    columns = [Column(name, alias, described[alias]) for alias, name in names.items()]
    roles = plan.mapping.columns
    for role in ("prediction", "probability", "label", *(f"s{i}" for i in range(len(roles.segments)))):
        name = roles.segments[int(role[1:])] if role[0] == "s" else getattr(roles, role)
        if role in described and name and all(column.name != name for column in columns):
            columns.append(Column(name, role, described[role]))
    where = f"t >= {span[0]!r} AND t < {span[1]!r}"
    source, files = f"(SELECT * FROM read_parquet(?, union_by_name=true) WHERE {where})", [kept.files(inside)]
    rows = int(session.rows(f"SELECT count(*) FROM {source}", files)[0][0])
    return Table("the reference window", "parquet", source, files, tuple(columns), rows) if rows else None


def _within(part: Part, span: tuple[float, float]) -> bool:
    return part.begins is not None and part.ends is not None and part.ends >= span[0] and part.begins < span[1]


def closed_parts(config: MonitorConfig, kept: Kept) -> list[Part]:
    """Parts all of whose windows are closed: rows may still come late, but exact values are needed no more.

    A window of time is closed when rows one whole window newer have come; one by file when there is a later file; one
    by count when the next is full.
    """
    rows, every, span = [part for part in kept.rows if not part.scored], config.window.every, config.reference_window
    if not rows or (span and max((part.ends or 0 for part in kept.rows), default=0) < span[1]):
        return []
    if span:
        rows = [part for part in rows if not _within(part, span)]
    newest = max((part.ends for part in kept.rows if part.ends is not None), default=None)
    if every:
        if newest is None:
            return []
        open_from = window_start(config.window, int((newest - window_start(config.window, 0)) // every)) - every
        return [part for part in rows if part.ends is None or part.ends < open_from]
    if config.window.rows is None:
        last = max(part.source for part in kept.rows)
        return [part for part in rows if part.source != last]
    return []
