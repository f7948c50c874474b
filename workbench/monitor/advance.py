"""What a monitor knows, and how new rows and labels carry it on: only windows that they touch are judged again."""

# ruff: noqa: S608 – SQL is put together from constants and quoted identifiers; values travel as parameters.
from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from msgspec import Struct, field, structs

from workbench.core.config import MonitorConfig
from workbench.monitor.frames import (
    Kept,
    batches,
    columns_of,
    labelled_windows,
    last_windows,
    look_at,
    window_numbers,
    window_of,
    window_start,
)
from workbench.monitor.judged import Progress
from workbench.monitor.parts import Part, Plan
from workbench.monitor.session import Session
from workbench.monitor.tables import Column, DriftInputError, Table
from workbench.monitor.task import Seen, Task, task_of
from workbench.monitor.windows import Evaluation, empty_windows, evaluate_windows, in_order

__all__ = [
    "Advance",
    "Ahead",
    "Known",
    "Touched",
    "closed_parts",
    "judged_batches",
    "outdated",
    "span_table",
    "touched",
    "untimed_rows",
]


BATCH = 500_000
"""Rows whose windows are judged together."""
HORIZON = 90 * 86_400.0
"""Seconds that rows are kept for where no labels are expected."""


class Ahead(Struct, frozen=True):
    """How far a judging that has not ended yet has come: whoever takes it up again goes on from there."""

    through: int
    """The commit of parts that is judged."""
    reference: str
    last: int
    """All windows up to this one are judged."""


class Known(Struct, frozen=True):
    """What a monitor knows beside its rows; as JSON it survives a restart."""

    plan: Plan
    seen: Seen = field(default_factory=Seen)
    task: Task = field(default_factory=Task)
    segments: Mapping[str, Sequence[str]] = field(default_factory=dict)
    reference: str = ""
    """What the windows were compared with: changes when that does."""
    cut: float | None = None
    """Windows that begin before this are judged no more: rows of theirs are kept no more."""
    ahead: Ahead | None = None


class Advance(Struct, frozen=True):
    """What is new: parts of rows and of labels, parts that no longer hold; and windows that were there before."""

    rows: Sequence[Part] = ()
    labels: Sequence[Part] = ()
    void: Sequence[Part] = ()
    windows: Collection[int] = ()
    written: Mapping[int, float] = field(default_factory=dict)
    """When the file of a window was, where each file is one."""
    through: int = 0
    """The commit that the newest part came with."""


class Touched(Struct, frozen=True):
    """Windows that something new touches, in batches; those that have no rows any more; and what is known now."""

    batches: Sequence[Sequence[int]]
    emptied: frozenset[int]
    known: Known


def touched(
    session: Session, config: MonitorConfig, kept: Kept, known: Known, new: Advance, fingerprint: str = ""
) -> Touched:
    """Find the windows that something new touches: all of them where the task or the reference changed.

    Those that were judged before it was cut short are left out.

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
        gone = structs.replace(kept, rows=[*kept.rows, *new.void])
        before = window_numbers(session, gone, config.window, new.void)
        left = window_numbers(session, kept, config.window, kept.rows)
        windows |= before & left
        emptied = before - left
    if known.cut is not None:
        windows, emptied = (
            {window for window in each if window_start(config.window, window) >= known.cut}
            for each in (windows, emptied)
        )
    ahead = known.ahead
    if ahead and (ahead.through, ahead.reference) == (new.through, fingerprint):
        windows = {window for window in windows if window > ahead.last}
    known = structs.replace(known, seen=seen, task=task, reference=fingerprint, ahead=None)
    groups = batches(session, kept, config.window, windows, BATCH) if windows else []
    return Touched(groups, frozenset(emptied), known)


def judged_batches(
    session: Session, config: MonitorConfig, kept: Kept, new: Advance, found: Touched, reference: Table | None,
    tell: Progress = lambda _stage, _done, _total: None,
) -> Iterator[Evaluation]:  # fmt: skip
    """Judge the windows that are touched, a batch at a time; the last one holds windows without rows."""
    segments, slots = found.known.segments, set(new.windows) - found.emptied
    metrics: Mapping[str, float | None] = {}
    for done, batch in enumerate(found.batches):
        tell("judging windows", done, len(found.batches))
        known = structs.replace(found.known, segments=segments)
        judged = evaluate_windows(
            session, config, kept, known.plan, known.task, batch, reference, segments=segments, written=new.written,
            tell=tell,
        )  # fmt: skip
        segments = judged.segments
        slots |= {result.slot for result in judged.results}
        metrics = next((result.window.metrics for result in judged.results), metrics)
        yield structs.replace(judged, results=in_order(judged.results))
    yield Evaluation(empty_windows(config, slots, metrics), found.known.plan.mapping, (), segments, found.emptied)


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


def closed_parts(session: Session, config: MonitorConfig, kept: Kept) -> list[Part]:
    """Parts all of whose windows are closed: rows may still come late, but exact values are needed no more.

    A window of time is closed when rows one whole window newer have come; one by file when there is a later file; one
    by count when the next is full.
    """
    rows, spec, span = [part for part in kept.rows if not part.scored], config.window, config.reference_window
    newest = max((part.ends for part in kept.rows if part.ends is not None), default=None)
    if not rows or (span and (newest is None or newest < span[1])):
        return []
    if span:
        rows = [part for part in rows if not _within(part, span)]
    if spec.every:
        if newest is None:
            return []
        open_from = window_start(spec, window_of(spec, newest) - 1)
        return [part for part in rows if part.ends is None or part.ends < open_from]
    if spec.rows:
        last = last_windows(session, kept, spec)
        return [part for part in rows if last.get(part.file, 0) < max(last.values()) - 1]
    latest = max(part.source for part in kept.rows)
    return [part for part in rows if part.source != latest]


def outdated(config: MonitorConfig, kept: Kept) -> tuple[float, list[Part]] | None:
    """Parts of windows whose labels are waited for no longer, and the time before which windows are judged no more."""
    newest = max((part.ends for part in kept.rows if part.ends is not None), default=None)
    if newest is None or not config.window.every:
        return None
    horizon, span = config.labels.horizon if config.labels else HORIZON, config.reference_window
    cut = window_start(config.window, window_of(config.window, newest - horizon))
    parts = [part for part in (*kept.rows, *kept.labels) if part.ends is not None and part.ends < cut]
    parts = [part for part in parts if part.kind == "labels" or not (span and _within(part, span))]
    return (cut, parts) if any(part.kind == "rows" for part in parts) else None
