"""The files of PyTorch's `add_scalars`: one a curve, below the run in folders named after tag and curve.

Only the content tells such a folder from a run: everything in it has the tag that its name begins with.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import lru_cache
from pathlib import PurePath

from msgspec import Struct

from workbench.core.batch import Head
from workbench.readers.protobuf import WireError
from workbench.readers.tensorboard.events import decode_event
from workbench.readers.tensorboard.records import HEADER, OVERHEAD

_DEEPEST = 4
"""Folders between a run and the curves of one of its tags: one, or tensorboardX's one a part of the tag."""
_LOOKED_AT = 64
_FULL_HEAD = 60_000
"""Bytes of a head that, without one value in them, tell that the first value is behind something large."""


class Part(Struct, frozen=True):
    """A curve of `add_scalars`: the run's folder, and the curve's name."""

    folder: PurePath
    curve: str


def part_of(head: Head) -> Part | bool:
    """Which run's curve a file holds; False when none, True while that cannot be told because nothing is logged yet."""
    folder = head.path.parent
    tags = _tags(head.data)
    tag = next(tags, None)
    if tag is None:
        return head.size < _FULL_HEAD and any(_is_run(head, above) for above in list(folder.parents)[:_DEEPEST])
    part = _by_name(folder, tag)
    if part is None or any(other != tag for other in tags) or not _is_run(head, part.folder):
        return False
    return part


def _by_name(folder: PurePath, tag: str) -> Part | None:
    """The curve that a folder is named for, if it begins with the tag: `tag_curve`, or `tag/curve`."""
    parts = PurePath(tag.strip("/")).parts
    if not parts:
        return None
    flat = tag.replace("/", "_") + "_"
    if folder.name.startswith(flat) and len(folder.name) > len(flat):
        return Part(folder.parent, folder.name[len(flat) :])
    if folder.parts[-1 - len(parts) : -1] == parts:
        return Part(PurePath(*folder.parts[: -1 - len(parts)]), folder.name)
    return None


def _is_run(head: Head, folder: PurePath) -> bool:
    """Whether a folder above the file holds event files itself."""
    if not head.place:
        return False
    place = os.path.join(head.place[: -len(str(head.path))], folder)
    try:
        return _holds_events(place, os.stat(place).st_mtime_ns)
    except OSError:
        return False


@lru_cache(maxsize=1024)
def _holds_events(place: str, _changed: int) -> bool:
    """Whether a folder holds event files; listed once between two changes, as thousands of runs may lie in it."""
    with os.scandir(place) as entries:
        return any("tfevents" in entry.name for entry in entries)


def _tags(data: bytes) -> Iterator[str]:
    """Tags of the first values; what is no scalar has a tag without a name."""
    at = 0
    for _ in range(_LOOKED_AT):
        after = at + OVERHEAD + int.from_bytes(data[at : at + 8], "little")
        if at + OVERHEAD > len(data) or after > len(data):
            return
        try:
            event = decode_event(data[at + HEADER : after - 4])
        except WireError:
            yield ""
            return
        yield from (value.tag if value.kind == "scalar" and not value.of_session else "" for value in event.values)
        at = after
