"""Which run a folder or file stands for, so that formats seen in one run folder are one run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import PurePath

from workbench.core.ids import run_id
from workbench.ingest.tracked import Tracked


class RunFolders:
    """Runs by the path that stands for them, and by the folders that hold their logs."""

    def __init__(self, runs: Mapping[str, str] | None = None) -> None:
        self._by_path: dict[str, str] = dict(runs or {})
        self._in_folder: dict[PurePath, Counter[str]] = {}
        self._standing: dict[str, Counter[str]] = {}
        """How many logs each run has that names a path as its own."""

    def assign(self, path: str, native_id: str) -> str:
        """The run of a path: its native one, else the one already known there, else one of the path itself."""
        if native_id:
            run = run_id(native_id)
            self._by_path.setdefault(path, run)
            return run
        return self._by_path.setdefault(path, run_id(path=path))

    def add(self, source: Tracked) -> None:
        """A log of its run lies in its folder."""
        if source.makes_run and source.cursor.run_id:
            self._by_path.setdefault(source.run_path, source.cursor.run_id)
            self._in_folder.setdefault(source.path.parent, Counter())[source.cursor.run_id] += 1
            self._standing.setdefault(source.run_path, Counter())[source.cursor.run_id] += 1

    def remove(self, source: Tracked) -> None:
        """It does no longer."""
        if source.makes_run:
            _take_one(self._in_folder.get(source.path.parent), source.cursor.run_id)
            _take_one(self._standing.get(source.run_path), source.cursor.run_id)

    def owner(self, folder: PurePath) -> str | None:
        """The run that a folder stands for, else the only one whose logs lie in it.

        None where several took turns in it: its parameter files are the latest one's, what was read of them before
        stays with the first, and nothing tells whose they are by now.
        """
        standing, inside = self._standing.get(str(folder)), self._in_folder.get(folder)
        if standing:
            return next(iter(standing)) if len(standing) == 1 else None
        if inside and len(inside) == 1:
            return next(iter(inside))
        return self._by_path.get(str(folder))


def _take_one(runs: Counter[str] | None, run: str) -> None:
    if runs is not None:
        runs[run] -= 1
        if runs[run] <= 0:
            del runs[run]
