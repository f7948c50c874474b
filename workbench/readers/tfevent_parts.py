"""The files of PyTorch's `add_scalars`: one a curve, below the run in folders named after tag and curve.

Only the content tells such a folder from a run: everything in it has the tag that its name begins with.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import lru_cache
from pathlib import PurePath

from workbench.core.batch import Head
from workbench.readers.protobuf import WireError
from workbench.readers.tfevent import decode_event
from workbench.readers.tfrecord import HEADER, frame

_DEEPEST = 4
"""Folders between a run and the curves of one of its tags: one, or tensorboardX's one a part of the tag."""
_LOOKED_AT = 64
_FULL_HEAD = 60_000
"""Bytes of a head that, without one value in them, tell that the first value is behind something large."""


@dataclass(frozen=True, slots=True)
class Part:
    """A curve of `add_scalars`: the run's folder, and the curve's name."""

    folder: PurePath
    curve: str


def part_of(head: Head) -> Part | bool:
    """Which run's curve a file holds; False when none, True while that cannot be told because nothing is logged yet."""
    folder = head.path.parent
    tags = _tags(head.data)
    if not tags:
        return head.size < _FULL_HEAD and any(_is_run(head, above) for above in list(folder.parents)[:_DEEPEST])
    tag = tags.pop()
    if tags or not tag.strip("/"):
        return False
    flat = tag.replace("/", "_") + "_"
    if folder.name.startswith(flat) and len(folder.name) > len(flat) and _is_run(head, folder.parent):
        return Part(folder.parent, folder.name[len(flat) :])
    parts = PurePath(tag.strip("/")).parts
    if folder.parts[-1 - len(parts) : -1] == parts:
        run = PurePath(*folder.parts[: -1 - len(parts)])
        if _is_run(head, run):
            return Part(run, folder.name)
    return False


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


def _tags(data: bytes) -> set[str]:
    """Tags of the first values; one that is no scalar counts as a tag without a name."""
    frames = frame(data)
    tags: set[str] = set()
    for start, length in zip(frames.start[:_LOOKED_AT].tolist(), frames.length[:_LOOKED_AT].tolist(), strict=True):
        try:
            event = decode_event(data[start + HEADER : start + HEADER + length])
        except WireError:
            return {""}
        tags |= {value.tag if value.kind == "scalar" and not value.of_session else "" for value in event.values}
    return tags
