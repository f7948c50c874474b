"""Files of production rows that monitors read: they are no logs, whatever their names."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path

from workbench.core.config import Config
from workbench.ingest.discovery import Found
from workbench.ingest.globs import glob_regex


class Exports:
    """The patterns of all monitors, matched on paths relative to the project."""

    def __init__(self, root: Path, config: Config) -> None:
        patterns = [pattern for monitor in config.monitors.values() for pattern in (monitor.path, monitor.reference)]
        made = [glob_regex(_relative(pattern, root)) for pattern in patterns if pattern]
        self._pattern = re.compile("|".join(made), re.DOTALL) if made else None

    def without(self, files: Iterable[Found]) -> dict[str, Found]:
        """A folder's files by name, exports left out."""
        pattern = self._pattern
        if pattern is None:
            return {item.path.name: item for item in files}
        return {item.path.name: item for item in files if pattern.fullmatch(str(item.path)) is None}


def _relative(pattern: str, root: Path) -> str:
    whole = os.path.normpath(root / pattern)
    return os.path.relpath(whole, root)
