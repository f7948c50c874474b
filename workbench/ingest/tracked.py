"""A source as the ingester holds it: its cursor, its reader, and what the last look found."""

from __future__ import annotations

from pathlib import PurePath
from typing import Any

from msgspec import Struct, field
from msgspec.structs import replace

from workbench.ingest import limits
from workbench.ingest.discovery import Found
from workbench.ingest.identity import Mark
from workbench.ingest.own import Own, encode_state, reader_state
from workbench.plugin.api import Reader
from workbench.store.append import Cursor

REFUSED = "its rows cannot be stored: "
"""How the remark begins on a source whose rows the store did not take."""
COPY = "compressed copy of "
"""How it begins on a file whose content another source had before."""
_PAST = 3


class Tracked(Struct):
    """One source; `cursor` is ahead of the store while its last delta waits to be committed."""

    path: PurePath
    place: str
    """The same with the project's folder before it."""
    reader: Reader
    cursor: Cursor
    run_path: str
    makes_run: bool = True
    """False for parameter files: they describe a run but do not make one."""
    own: Own = field(default_factory=Own)
    found: Found | None = None
    """The file under its name at the last look."""
    seen: tuple[int, int, int] | None = None
    """(inode, size, mtime) when it was last read to its end."""
    seen_settled: bool = False
    """It was quiet for a while then, so that nothing can have come without another time."""
    strikes: int = 0
    """How often its reader failed in a row."""
    not_before: float = 0.0
    """It is left alone until then."""

    @property
    def inode(self) -> int:
        """Inode of the file under its name at the last look."""
        return self.cursor.inode if self.found is None else self.found.inode

    @property
    def written(self) -> float:
        """When it was last written, as far as is known; seconds since 1970."""
        return (self.cursor.mtime_ns if self.found is None else self.found.mtime_ns) / 1e9

    def take_up(self) -> None:
        """Go on from the store's cursor: read to its end, or again where the reader has changed."""
        cursor = self.cursor
        if cursor.reader_version < self.reader.version:
            self.next_generation("read again by a newer reader", replaces=True)
            self.cursor = replace(self.cursor, reader_version=self.reader.version)
        elif cursor.mtime_ns and (
            self.reader.framing == "path"
            or cursor.to_offset >= cursor.bytes
            or cursor.message.startswith((REFUSED, COPY))
        ):
            self.seen = (cursor.inode, self.own.packed or cursor.bytes, cursor.mtime_ns)
            self.seen_settled = cursor.seen_at - cursor.mtime_ns / 1e9 > limits.SETTLED

    def _is_done(self) -> bool:
        """Whether there is nothing to read as long as the file stays as it is."""
        cursor = self.cursor
        told = cursor.message.startswith((REFUSED, COPY))
        return told or self.reader.framing == "path" or cursor.to_offset >= cursor.bytes

    def stamped(self, item: Found) -> Found:
        """A look at the file with size and time of all that a database or folder is made of."""
        try:
            size, modified = self.reader.stamp(self.place)
        except Exception:  # noqa: BLE001 - a plugin's mistake must not stop the others; reading it will say what is wrong
            return item
        return replace(item, size=size, mtime_ns=modified)

    def may_wait(self, item: Found) -> bool:
        """Whether something may have been left unread that another look brings once the file has settled."""
        return self.reader.framing == "path" or self.own.packed > 0 or self.cursor.to_offset < item.size

    @property
    def mark(self) -> Mark:
        """What the content up to the cursor looked like."""
        return Mark(self.cursor.head_length, self.cursor.head_hash, self.cursor.tail_hash)

    @property
    def state(self) -> dict[str, Any]:
        """The reader's state at the cursor."""
        return reader_state(self.cursor.state)

    def next_generation(self, message: str, *, replaces: bool) -> None:
        """Go back to the start.

        With `replaces` the new content takes the old one's place wholly. Without, a log that goes on at a later step
        was truncated to save space: what it said before still holds.
        """
        steps = [step for step in (self.own.before, self.cursor.first_step) if step is not None]
        cursor, own = self.cursor, self.own
        mark = (cursor.to_offset, cursor.head_length, cursor.head_hash, cursor.tail_hash)
        self.own = replace(
            own, past=(*own.past, mark)[-_PAST:] if cursor.to_offset and not replaces else (), open=False,
            replaces=own.replaces or replaces or not steps, before=min(steps, default=None),
        )  # fmt: skip
        self.cursor = replace(
            self.cursor, generation=self.cursor.generation + 1, from_offset=0, to_offset=0, head_length=0, head_hash="",
            tail_hash="", accepted=0, rejected=0, state=encode_state({}, self.own), first_step=None, message=message,
        )  # fmt: skip
