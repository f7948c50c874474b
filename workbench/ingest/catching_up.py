"""Waiting for another process's ingester: until it has read what the files held when we asked."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePath

from workbench.core.batch import Chunk
from workbench.core.config import Config
from workbench.ingest import limits
from workbench.ingest.checked import ReaderFault, checked
from workbench.ingest.identity import opened
from workbench.ingest.inflate import is_packed
from workbench.ingest.own import reader_state
from workbench.ingest.paths import from_text
from workbench.ingest.registry import Registry
from workbench.ingest.tracked import Tracked
from workbench.plugin.api import Reader
from workbench.store.append import Cursor, latest_cursors
from workbench.store.store import Store

_STEP = 1 << 20


class CatchingUp:
    """What is still unread of the bytes that were there when this was made."""

    def __init__(self, root: Path, config: Config, store: Store, readers: Iterable[Reader]) -> None:
        registry = Registry(root, config, tuple(readers), time.time)
        registry.load(store)
        self._store = store
        self._sources: Mapping[PurePath, Tracked] = {source.path: source for source in registry.scan()}

    def left(self) -> list[PurePath]:
        """Files that the ingester has not read as far as they went."""
        with self._store.read() as con:
            cursors = {from_text(cursor.path): cursor for cursor in latest_cursors(con)}
        return [path for path, source in self._sources.items() if self._is_behind(source, cursors.get(path))]

    def _is_behind(self, source: Tracked, cursor: Cursor | None) -> bool:
        """What is torn, damaged or gone is not waited for: nobody can tell when it will be read."""
        found = source.found
        if found is None or (cursor is not None and cursor.status != "live"):
            return False
        try:
            if source.reader.framing == "path":
                return cursor is None or (cursor.mtime_ns < found.mtime_ns and _would_read(source, cursor, b"", 0))
            with opened(source.place) as descriptor:
                offset = 0 if cursor is None else cursor.to_offset
                if is_packed(source.path):
                    return cursor is None
                if source.reader.framing == "lines":
                    return _has_line_end(descriptor, offset, found.size)
                if offset >= found.size or source.reader.framing == "file":
                    return offset != found.size
                data = os.pread(descriptor, min(limits.CHUNK, found.size - offset), offset)
                return _would_read(source, cursor, data, offset)
        except OSError:
            return False


def _would_read(source: Tracked, cursor: Cursor | None, data: bytes, offset: int) -> bool:
    """Whether the reader gets on with what is there: half a record is not waited for."""
    place = os.path.abspath(source.place) if source.reader.framing == "path" else ""
    start = cursor.to_offset if place and cursor is not None else offset
    state = reader_state("" if cursor is None else cursor.state)
    chunk = Chunk(source.path, data, start, state, False, source.written, place)
    try:
        batch = checked(source.reader.read(chunk), chunk, many_runs=source.own.many_runs)
    except ReaderFault:
        return False
    except Exception:  # noqa: BLE001 - a plugin's mistake: the ingester names it, and it is not waited for
        return False
    return batch.consumed > 0 or batch.restart


def _has_line_end(descriptor: int, start: int, end: int) -> bool:
    return any(b"\n" in os.pread(descriptor, min(_STEP, end - offset), offset) for offset in range(start, end, _STEP))
