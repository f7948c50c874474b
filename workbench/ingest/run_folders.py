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
            self._in_folder.setdefault(source.path.parent, Counter())[source.cursor.run_id] += 1

    def remove(self, source: Tracked) -> None:
        """It does no longer."""
        runs = self._in_folder.get(source.path.parent)
        if runs is not None and source.makes_run:
            runs[source.cursor.run_id] -= 1
            if runs[source.cursor.run_id] <= 0:
                del runs[source.cursor.run_id]

    def owner(self, folder: PurePath) -> str | None:
        """The run whose logs lie in a folder, if it is the only one there; else the run that the folder stands for."""
        runs = self._in_folder.get(folder)
        if runs is not None and len(runs) == 1:
            return next(iter(runs))
        return self._by_path.get(str(folder))
