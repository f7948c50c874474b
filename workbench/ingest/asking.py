"""Asks a source's reader, and says in Sources what went wrong with it or with its file."""

from __future__ import annotations

from collections.abc import Callable

from msgspec.structs import replace

from workbench.core.batch import Batch, Chunk
from workbench.ingest.checked import ReaderFault, checked
from workbench.ingest.tracked import Tracked
from workbench.store.append import Delta

_STRIKES = 3
_COOL_OFF = 60.0
"""Seconds that a source is left alone after its reader failed `_STRIKES` times in a row."""


class Asking:
    """Lets readers read; a source whose reader fails again and again is left alone for a while."""

    def __init__(self, clock: Callable[[], float], say: Callable[[Delta], None]) -> None:
        self._clock = clock
        self._say = say

    def ask(self, source: Tracked, chunk: Chunk) -> Batch:
        """Let the reader read; one that fails is named in Sources and the bytes wait for a better one."""
        try:
            batch = checked(source.reader.read(chunk), chunk, many_runs=source.own.many_runs)
        except ReaderFault as fault:
            self.strike(source, f"reader {source.reader.name} failed at byte {chunk.start}: {fault}")
        except Exception as error:  # noqa: BLE001 - a plugin's mistake must not stop the others
            told = f"{type(error).__name__}: {error}"
            self.strike(source, f"reader {source.reader.name} failed at byte {chunk.start}: {told}")
        else:
            source.strikes = 0
            return batch
        return Batch()

    def strike(self, source: Tracked, message: str) -> None:
        """A reader failed; after some times in a row its source is left alone for a while."""
        self.remark(source, message, status="damaged")
        source.strikes += 1
        if source.strikes % _STRIKES == 0:
            source.not_before = self._clock() + _COOL_OFF

    def remark(self, source: Tracked, message: str, status: str = "live") -> None:
        """Note something in Sources, once, without moving the cursor."""
        if message and message != source.cursor.message:
            cursor = source.cursor
            source.cursor = replace(cursor, message=message, status=status, from_offset=cursor.to_offset)
            self._say(Delta(source.cursor))

    def trouble(self, source: Tracked, error: OSError) -> None:
        """Note in Sources that a file cannot be read; what was read of it stays."""
        status = "vanished" if isinstance(error, FileNotFoundError) else "unreadable"
        if source.cursor.status != status:
            cursor = source.cursor
            message = error.strerror or str(error)
            source.cursor = replace(
                cursor, status=status, message=message, from_offset=cursor.to_offset, seen_at=self._clock()
            )
            self._say(Delta(source.cursor))
