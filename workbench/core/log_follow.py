"""A log that grows while somebody looks: what is new, and whether it began anew."""

from __future__ import annotations

from msgspec import Struct

from workbench.core.log_file import Bytes, FileBytes

_AT_ONCE = 4 * 1024 * 1024
"""Bytes counted in one look, so that a flood holds nobody up."""


class News(Struct, frozen=True):
    """What a look at a log found."""

    lines: int = 0
    """Complete lines since the last look."""
    began_anew: bool = False
    """The file was cut or another one took its name; its places mean nothing any more."""


class Followed:
    """One log with the place up to which it is known."""

    def __init__(self, source: Bytes) -> None:
        self.source = source
        self.known = source.size

    def look(self) -> News:
        """What has come since the last look; a file that was replaced is opened anew.

        Raises:
            OSError: the file that took its name cannot be read.
        """
        if isinstance(self.source, FileBytes) and self.source.replaced:
            fresh = FileBytes(self.source.path)
            self.source.close()
            self.source, self.known = fresh, 0
            return News(self._count(), True)
        if self.source.size < self.known:
            self.known = 0
            return News(self._count(), True)
        return News(self._count())

    def _count(self) -> int:
        block = self.source.read(self.known, min(self.source.size - self.known, _AT_ONCE))
        self.known += len(block)
        return block.count(b"\n")
