"""Waiting for another process's ingester: until it has read what the files held when we asked."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePath

from workbench.core.config import Config
from workbench.ingest.identity import opened
from workbench.ingest.registry import Registry
from workbench.plugin.api import Reader
from workbench.store.append import latest_cursors
from workbench.store.store import Store

_STEP = 1 << 20


class CatchingUp:
    """What is still unread of the bytes that were there when this was made."""

    def __init__(self, root: Path, config: Config, store: Store, readers: Iterable[Reader]) -> None:
        registry = Registry(root, config, tuple(readers), time.time)
        registry.load(store)
        self._root = root
        self._store = store
        self._framings = {source.path: source.reader.framing for source in registry.scan()}
        self._sizes: Mapping[PurePath, int] = {path: _size(root / path) for path in self._framings}

    def left(self) -> list[PurePath]:
        """Files that the ingester has not read as far as they went."""
        with self._store.read() as con:
            reached = {PurePath(cursor.path): cursor.to_offset for cursor in latest_cursors(con)}
        return [path for path, size in self._sizes.items() if self._is_behind(path, reached.get(path, 0), size)]

    def _is_behind(self, path: PurePath, reached: int, size: int) -> bool:
        """An unfinished last line is not waited for, nor is what vanished."""
        if reached >= size:
            return False
        if self._framings[path] != "lines":
            return _size(self._root / path) >= size
        try:
            with opened(self._root / path) as descriptor:
                return _has_line_end(descriptor, reached, size)
        except OSError:
            return False


def _has_line_end(descriptor: int, start: int, end: int) -> bool:
    return any(b"\n" in os.pread(descriptor, min(_STEP, end - offset), offset) for offset in range(start, end, _STEP))


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
