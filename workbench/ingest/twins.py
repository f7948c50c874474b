"""Rotated copies: a compressed file may hold what its log said before, and that counts once."""

from __future__ import annotations

from collections.abc import Iterable

from workbench.ingest.identity import Mark, head_digest, still_at
from workbench.ingest.inflate import Inflated
from workbench.ingest.own import decode_own
from workbench.store.append import Cursor


def twin_of(content: Inflated, own_id: int, form: str, cursors: Iterable[Cursor]) -> tuple[Cursor, int] | None:
    """The source that has read what a compressed file begins with, and how much of it; the longest such stretch."""
    heads: dict[int, str] = {}
    best: tuple[Cursor, int] | None = None
    for cursor in cursors:
        if cursor.source_id == own_id or cursor.format != form:
            continue
        now = (cursor.to_offset, cursor.head_length, cursor.head_hash, cursor.tail_hash)
        for length, head_length, head_hash, tail_hash in (now, *decode_own(cursor.state).past):
            if not 0 < length <= content.size or (best is not None and length <= best[1]):
                continue
            if head_length not in heads:
                heads[head_length] = head_digest(content.descriptor, head_length)
            mark = Mark(head_length, head_hash, tail_hash)
            if heads[head_length] == head_hash and still_at(content.descriptor, content.size, length, mark):
                best = cursor, length
    return best
