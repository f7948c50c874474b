"""The files of PyTorch's `add_scalars`: one a curve, below the run in folders named after tag and curve.

Only the content tells such a folder from a run: everything in it has the tag that its name begins with.
"""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass
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
    above = _runs_above(head)
    if not above:
        return False
    tags = _tags(head.data)
    if not tags:
        return head.size < _FULL_HEAD
    if len(tags) > 1:
        return False
    (tag,) = tags
    by_path = PurePath(*tag.strip("/").split("/"))
    if not tag or ".." in by_path.parts:
        return False
    flat = tag.replace("/", "_") + "_"
    if folder.parent in above and folder.name.startswith(flat) and len(folder.name) > len(flat):
        return Part(folder.parent, folder.name[len(flat) :])
    run = PurePath(*folder.parts[: -1 - len(by_path.parts)])
    if run in above and run / by_path / folder.name == folder:
        return Part(run, folder.name)
    return False


def _runs_above(head: Head) -> set[PurePath]:
    """Folders above a file's own that hold event files themselves."""
    if not head.place:
        return set()
    root = head.place[: -len(str(head.path))]
    found: set[PurePath] = set()
    for folder in list(head.path.parent.parents)[:_DEEPEST]:
        with contextlib.suppress(OSError), os.scandir(os.path.join(root, folder)) as entries:
            if any("tfevents" in entry.name for entry in entries):
                found.add(folder)
    return found


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
