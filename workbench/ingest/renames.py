"""Rotation: a known inode under a new name is the same source, if its content says so as well."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Mapping
from pathlib import Path, PurePath

from workbench.ingest.discovery import Found
from workbench.ingest.identity import opened, still_at
from workbench.ingest.tracked import Tracked

Listing = Mapping[str, Found]
_NUMBERED = re.compile(r"([^0-9]*)([0-9]*)")


def by_name(path: str) -> tuple[tuple[str, int], ...]:
    """A path as files are ordered: `checkpoint-500` comes before `checkpoint-1000`."""
    return tuple((text, int(digits or 0)) for text, digits in _NUMBERED.findall(path) if text or digits)


def moves(
    root: Path,
    tracked: Mapping[PurePath, Tracked],
    listings: Mapping[PurePath, Listing],
    *,
    whole: bool,
    missed: Collection[PurePath] = (),
) -> tuple[dict[PurePath, PurePath], list[PurePath]]:
    """Where sources went, and which are gone; `whole` says that the listings are of the entire project,
    but for folders that were `missed`.

    An inode alone proves nothing: a deleted file's is given to the next new one, often at once.
    """
    inodes: dict[int, Found] | None = None
    moved: dict[PurePath, PurePath] = {}
    gone: list[PurePath] = []
    for path, source in tracked.items():
        listing = listings.get(path.parent, {} if whole else None)
        if listing is None:
            continue
        here = listing.get(path.name)
        if here is not None and here.inode == source.cursor.inode:
            continue
        if inodes is None:
            inodes = {item.inode: item for listing in listings.values() for item in listing.values()}
        there = inodes.get(source.cursor.inode)
        if there is not None and is_same(root, there, source):
            moved[path] = there.path
        elif here is None and whole and not any(parent in missed for parent in path.parents):
            gone.append(path)
    for path, target in list(moved.items()):
        if target in tracked and target not in moved:
            del moved[path]  # an atomic replacement: the log that has the name goes on with the new content
            gone.append(path)
    return moved, gone


def is_same(root: Path, there: Found, source: Tracked) -> bool:
    """Whether a file of the same inode is the source, by its content; a database, by a stamp that is still the same."""
    cursor = source.cursor
    if not cursor.to_offset:
        return False
    try:
        if source.reader.framing == "path":
            return source.reader.stamp(os.path.abspath(root / there.path)) == (cursor.bytes, cursor.mtime_ns)
        if source.own.packed:
            return (there.size, there.mtime_ns) == (source.own.packed, cursor.mtime_ns)
        with opened(root / there.path) as descriptor:
            return still_at(descriptor, there.size, cursor.to_offset, source.mark)
    except Exception:  # noqa: BLE001 - the file went, or a plugin's stamp failed: either way nothing is proven
        return False
