"""What an evaluation remembers, so that the next one reads only what changed, and what shares windows with it.

The files of a monitor grow at their end: of a year of exports, one changes. Everything that was decided over all rows
(roles, types, what labels mean) must still hold for the rows that are new; otherwise all is evaluated again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from workbench.monitor.exports import ExportMapping
from workbench.monitor.judging import Numbered
from workbench.monitor.performance import Labels
from workbench.monitor.tables import Table

Stamp = tuple[int, int, int]
"""Inode, size and modification in nanoseconds of a file."""


@dataclass(frozen=True, slots=True)
class Memory:
    """The files of an evaluation as they were, and what it made of them."""

    files: Mapping[Path, Stamp]
    reference: Mapping[Path, Stamp]
    mapping: ExportMapping
    labels: Labels
    columns: frozenset[tuple[str, str]]
    """Name and type of each column."""
    windows: Mapping[Path, frozenset[int]]
    """Windows of time that each file has rows in."""
    filled: frozenset[int]
    """Windows of time that have rows."""
    empty: frozenset[int]
    """Windows of time between them that have none."""
    begins: Mapping[Path, float]
    """When the window of each file begins, where files are windows."""
    keys: tuple[str, ...]
    """Names of the metrics of every window."""
    problems: tuple[tuple[str, str], ...] = ()
    """Files that could not be read, each with the reason: they are not tried again until they change."""

    def still_broken(self, files: Mapping[Path, Stamp]) -> tuple[tuple[str, str], ...]:
        """The problems of files that are there as they were."""
        changed = self.changed(files)
        return tuple(pair for pair in self.problems if Path(pair[0]) in files and Path(pair[0]) not in changed)

    def changed(self, files: Mapping[Path, Stamp]) -> set[Path]:
        """Files that are new or not what they were."""
        return {path for path, stamp in files.items() if self.files.get(path) != stamp}

    def touched(self, files: Iterable[Path]) -> set[int]:
        """Windows that rows of these files were in."""
        return {window for path in files for window in self.windows.get(path, ())}

    def sharing(self, windows: set[int], files: Iterable[Path]) -> set[Path]:
        """Which of these files had rows in any of the windows."""
        return {path for path in files if not windows.isdisjoint(self.windows.get(path, ()))}


def stamps_of(files: Iterable[Path]) -> dict[Path, Stamp]:
    """How each file is now; files that are gone are left out."""
    found: dict[Path, Stamp] = {}
    for path in files:
        try:
            stat = path.stat()
        except OSError:
            continue
        found[path] = (stat.st_ino, stat.st_size, stat.st_mtime_ns)
    return found


def columns_of(tables: Sequence[Table]) -> frozenset[tuple[str, str]]:
    """Name and type of every column of some tables."""
    return frozenset((column.name, column.type) for table in tables for column in table.columns)


def begins_of(ordered: Sequence[Numbered], tables: Sequence[Table]) -> dict[Path, float]:
    """When the window of each file begins; windows are numbered as the tables are."""
    return {Path(tables[number].label): result.window.start for number, result in ordered}


def has_extent(results: Iterable[Numbered]) -> bool:
    """Whether every window lasts: one that does not is a file without times, known by a moment that changes with it."""
    return all(result.window.end > result.window.start for _, result in results)
