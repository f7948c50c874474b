"""A monitor's windows: production rows sliced by time, by count or by file, each with its figures and its drift."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from workbench.core.config import MonitorConfig
from workbench.monitor.exports import ExportMapping, effective_mapping, propose, readiness
from workbench.monitor.frames import Frame, stage_frame
from workbench.monitor.judging import Numbered, Progress, WindowResult, empty_window, gaps, in_order, judge_windows
from workbench.monitor.memory import Memory, Stamp, begins_of, columns_of, has_extent, stamps_of
from workbench.monitor.performance import labels_of
from workbench.monitor.session import Session, open_session
from workbench.monitor.tables import Column, DriftInputError, Table, expand, open_files

__all__ = ["Evaluation", "Memory", "Progress", "WindowResult", "evaluate"]


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Windows of a monitor, oldest first, the roles they were read with, and the files left out with the reason."""

    results: Sequence[WindowResult]
    """All windows, or with a memory those that it changed."""
    mapping: ExportMapping | None = None
    problems: Sequence[tuple[str, str]] = ()
    memory: Memory | None = None
    """For the next evaluation; None where that one has to look at all files."""


def evaluate(
    config: MonitorConfig,
    root: Path,
    files: Sequence[Path],
    *,
    progress: Progress | None = None,
    memory_limit: str = "200MB",
    memory: Memory | None = None,
) -> Evaluation:
    """Slice a monitor's exports into windows and judge each against the reference.

    files: the exports, absolute or relative to `root`. Empty ones and ones still being written are passed over; an
    unreadable one is a problem of its own and the others are judged.
    memory: of an evaluation with the same configuration; then only what changed since is read, where that suffices.

    Raises:
        DriftInputError: the reference cannot be read, a configured column is missing, or windows by time lack a time.
    """
    tell = progress or (lambda _stage, _done, _total: None)
    work = _Work(config, root, stamps_of(root / file for file in files), _reference(config, root), tell)
    if memory is not None and memory.reference == work.reference:
        with open_session(memory_limit) as session:
            changes = work.changes(session, memory)
        if changes is not None:
            return changes
    with open_session(memory_limit) as session:
        return work.everything(session)


def _reference(config: MonitorConfig, root: Path) -> Mapping[Path, Stamp]:
    try:
        return stamps_of(expand(root / config.reference)) if config.reference else {}
    except DriftInputError:
        return {}  # said by whoever reads it


@dataclass(frozen=True, slots=True)
class _Work:
    """One evaluation: of everything, or of what changed."""

    config: MonitorConfig
    root: Path
    files: Mapping[Path, Stamp]
    """As they were before anything was read: what is written meanwhile is looked at next time."""
    reference: Mapping[Path, Stamp]
    tell: Progress

    @property
    def by_time(self) -> bool:
        return bool(self.config.window.every)

    def everything(self, session: Session) -> Evaluation:
        """All windows of all files."""
        config = self.config
        self.tell("reading exports", 0, len(self.files))
        tables, problems = self._open(session, sorted(self.files))
        if not tables:
            return Evaluation((), None, problems)
        mapping = effective_mapping(config, propose(session, tables[-1], config.path), _union(config, tables))
        if self.by_time and not mapping.timestamp:
            raise DriftInputError(f"[monitor.{config.name}] window.every needs a time: set `timestamp` to a column")
        self.tell("cutting windows", 0, 1)
        frame = self._stage(session, tables, mapping)
        if frame.untimed:
            problems.append((config.path, f"{frame.untimed:,} rows without a time in {mapping.timestamp!r} left out"))
        labels = labels_of(session, frame)
        judged = judge_windows(session, config, self.root, frame, labels, tables, self.tell)
        filled = frozenset(number for number, _ in judged) if self.by_time else frozenset()
        keys = tuple(judged[0][1].window.metrics) if judged else ()
        empty = frozenset(gaps(filled))
        ordered = in_order([*judged, *(empty_window(config, number, keys) for number in empty)])
        memory = Memory(
            self.files, self.reference, mapping, labels, columns_of(tables),
            frame.windows_by_file(session) if self.by_time else {}, filled, empty,
            {} if self.by_time or config.window.rows else begins_of(ordered, tables), keys, tuple(problems),
        )  # fmt: skip
        lasting = not frame.untimed and not config.window.rows and has_extent(ordered)
        return Evaluation(_results(ordered), mapping, tuple(problems), memory if lasting else None)

    def changes(self, session: Session, memory: Memory) -> Evaluation | None:
        """The windows that changed, or None where the memory does not hold for the new rows."""
        changed, gone = memory.changed(self.files), memory.files.keys() - self.files.keys()
        memory = dataclasses.replace(memory, problems=memory.still_broken(self.files))
        if not changed and not gone:
            return Evaluation((), memory.mapping, memory.problems, memory)
        self.tell("reading what changed", 0, len(changed))
        affected = memory.touched(changed | gone)
        reading = changed | memory.sharing(affected, self.files.keys() - changed)
        while reading:
            tables, problems = self._open(session, sorted(reading))
            if problems or not tables or columns_of(tables) != memory.columns:
                return None
            try:
                frame = self._stage(session, tables, memory.mapping)
            except DriftInputError:
                return None
            if frame.untimed:
                return None
            if not self.by_time:
                return self._by_file(session, memory, tables, frame)
            windows = frame.windows_by_file(session)
            affected |= {window for path in changed for window in windows.get(path, ())}
            more = memory.sharing(affected, self.files.keys() - reading)
            if not more:
                now = {path: windows.get(path, frozenset()) for path in changed}
                return self._by_time(session, memory, tables, frame.only(affected), affected, now)
            reading |= more
        return self._gathered(memory, [], affected, {})

    def _by_file(self, session: Session, memory: Memory, tables: Sequence[Table], frame: Frame) -> Evaluation | None:
        """The windows of the files that changed; they must not begin where another one does."""
        labels = labels_of(session, frame)
        if not memory.labels.hold(labels):
            return None
        judged = judge_windows(session, self.config, self.root, frame, memory.labels, tables, self.tell)
        fresh = in_order(judged)
        begins = begins_of(fresh, tables)
        others = {path: start for path, start in memory.begins.items() if path in self.files and path not in begins}
        if not has_extent(fresh) or not set(others.values()).isdisjoint(begins.values()):
            return None
        memory = dataclasses.replace(memory, files=self.files, begins=others | begins)
        return Evaluation(_results(fresh), memory.mapping, memory.problems, memory)

    def _by_time(
        self, session: Session, memory: Memory, tables: Sequence[Table], frame: Frame, affected: set[int],
        now: Mapping[Path, frozenset[int]],
    ) -> Evaluation | None:  # fmt: skip
        """The windows that rows came to or went from; `now` are those of the files that changed."""
        if not memory.labels.hold(labels_of(session, frame)):
            return None
        judged = judge_windows(session, self.config, self.root, frame, memory.labels, tables, self.tell)
        return self._gathered(memory, judged, affected, now)

    def _gathered(
        self, memory: Memory, judged: Sequence[Numbered], affected: set[int], now: Mapping[Path, frozenset[int]]
    ) -> Evaluation:
        """Windows of time judged again, and those between others that have no rows, or none any more."""
        filled = (memory.filled - affected) | {number for number, _ in judged}
        empty = frozenset(gaps(filled))
        new = (empty - memory.empty) | (empty & affected)
        fresh = in_order([*judged, *(empty_window(self.config, number, memory.keys) for number in new)])
        kept = {path: numbers for path, numbers in memory.windows.items() if path in self.files}
        memory = dataclasses.replace(memory, files=self.files, windows={**kept, **now}, filled=filled, empty=empty)
        return Evaluation(_results(fresh), memory.mapping, memory.problems, memory)

    def _stage(self, session: Session, tables: Sequence[Table], mapping: ExportMapping) -> Frame:
        return stage_frame(session, tables, mapping, self.config.window, origin=self.by_time)

    def _open(self, session: Session, files: Sequence[Path]) -> tuple[list[Table], list[tuple[str, str]]]:
        return _open_exports(session, self.config, files)


def _results(ordered: Sequence[Numbered]) -> tuple[WindowResult, ...]:
    return tuple(result for _, result in ordered)


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
            return [_joined(session, config, ready)], problems
        except DriftInputError:
            good = [file for file in ready if _opened(session, config, file, problems)]
            return ([_joined(session, config, good)] if good else []), problems
    opened = [_opened(session, config, file, problems) for file in ready]
    return [table for table in opened if table], problems


def _joined(session: Session, config: MonitorConfig, files: Sequence[Path]) -> Table:
    origin = bool(config.window.every)
    return open_files(session, files, config.path, config.format, tolerant=True, origin=origin)


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
