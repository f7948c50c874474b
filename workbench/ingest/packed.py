"""Decompressed content of the compressed sources that are being read now; only a few are kept at a time."""

from __future__ import annotations

from pathlib import Path

from workbench.ingest.discovery import Found
from workbench.ingest.inflate import Inflated, inflate
from workbench.ingest.tracked import Tracked

_KEPT = 4


class Packed:
    """Contents by source, each of one state of its file; `scratch` is a folder with room for them."""

    def __init__(self, scratch: Path) -> None:
        self._scratch = scratch
        self._kept: dict[int, tuple[Found, Inflated]] = {}

    def content(self, source: Tracked, descriptor: int, found: Found) -> Inflated:
        """What the file holds, decompressed once for all stretches of it.

        Raises:
            OSError: it cannot be read, or there is no room.
        """
        key = source.cursor.source_id
        kept = self._kept.get(key)
        if kept is not None and kept[0] == found:
            return kept[1]
        self.drop(source)
        while len(self._kept) >= _KEPT:
            self._kept.pop(next(iter(self._kept)))[1].close()
        made = inflate(descriptor, source.path, self._scratch)
        self._kept[key] = (found, made)
        return made

    def drop(self, source: Tracked) -> None:
        """It was read to its end."""
        kept = self._kept.pop(source.cursor.source_id, None)
        if kept is not None:
            kept[1].close()

    def close(self) -> None:
        """Nothing is read any more."""
        for _, made in self._kept.values():
            made.close()
        self._kept.clear()
