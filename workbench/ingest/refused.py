"""Files that look like logs and that no reader took: listed in Sources with what was tried and why."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from pathlib import PurePath

from msgspec.structs import replace

from workbench.ingest import limits
from workbench.ingest.candidates import Bid, Candidates, looks_like_a_log, tried
from workbench.ingest.discovery import Found
from workbench.ingest.own import Own, decode_own, encode_state
from workbench.ingest.paths import to_text
from workbench.store.append import Cursor, Delta

COVERED = "covered"
"""Status of a file that is read through another one."""


class Refused:
    """Their rows by path; `remarks` gets each row that changed."""

    def __init__(
        self,
        candidates: Candidates,
        new_cursor: Callable[[Found, str], Cursor],
        clock: Callable[[], float],
        remarks: list[Delta],
    ) -> None:
        self._candidates = candidates
        self._new_cursor = new_cursor
        self._clock = clock
        self._remarks = remarks
        self._rows: dict[PurePath, Cursor] = {}

    def clear(self) -> None:
        """Forget all."""
        self._rows.clear()

    def add(self, path: PurePath, cursor: Cursor) -> None:
        """A row that the store has."""
        self._rows[path] = cursor

    def take(self, path: PurePath) -> Cursor | None:
        """The row of a file that becomes a source after all."""
        return self._rows.pop(path, None)

    def knows(self, item: Found) -> bool:
        """Whether these readers looked into the file as it is, and Sources says what they found."""
        old = self._rows.get(item.path)
        if old is None or old.status != "skipped" or decode_own(old.state).readers != self._candidates.fingerprint:
            return False
        return (old.bytes, old.mtime_ns) == (item.size, item.mtime_ns)

    def refuse(self, bid: Bid) -> None:
        """No reader took the file: Sources says why, where it looks like a log."""
        self._candidates.remember(bid.item)
        if bid.detection is None:
            self._note(bid.item, "unreadable", bid.error)
        elif bid.detection.claim.why:
            self._note(bid.item, "skipped", bid.detection.claim.why)
        elif looks_like_a_log(bid.item.path, bid.detection):
            self._note(bid.item, "skipped", f"no reader takes it; tried {tried(bid.detection)}")

    def give_up(self, owner: Callable[[PurePath], PurePath | None]) -> None:
        """Those that turn out to be read through another file say through which."""
        for path, cursor in list(self._rows.items()):
            through = owner(path) if cursor.status == "skipped" else None
            if through is not None:
                message = f"read through {to_text(through)}"
                self._rows[path] = replace(cursor, status=COVERED, message=message, seen_at=self._clock())
                self._remarks.append(Delta(self._rows[path]))

    def _note(self, item: Found, status: str, message: str) -> None:
        old = self._rows.get(item.path)
        if old is None and len(self._rows) >= limits.SKIPPED:
            return
        fresh = replace(
            old or self._new_cursor(item, ""), bytes=item.size, mtime_ns=item.mtime_ns, status=status, message=message,
            state=encode_state({}, Own(readers=self._candidates.fingerprint)), seen_at=self._clock(),
        )  # fmt: skip
        self._rows[item.path] = fresh
        if old is None or replace(old, seen_at=fresh.seen_at) != fresh:
            self._remarks.append(Delta(fresh))

    def forget_gone(self, listings: Mapping[PurePath, Mapping[str, Found]], missed: Collection[PurePath]) -> None:
        """Those that are gone say so."""
        for path, cursor in list(self._rows.items()):
            there = path.name in listings.get(path.parent, {}) or any(parent in missed for parent in path.parents)
            if not there and cursor.status != "vanished":
                self._rows[path] = replace(cursor, status="vanished", message="the file is gone")
                self._remarks.append(Delta(self._rows[path]))
