"""One look at a run's folder: its small files whole where they changed, its metrics by what was appended."""

from __future__ import annotations

import os
import zlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from msgspec import Struct, field
from msgspec.structs import replace

from workbench.core.batch import Batch, Chunk, Fact, Points, Reject
from workbench.readers.mlflow import folder as folders
from workbench.readers.mlflow.facts import LONGEST_KEY, facts_of, user_tags
from workbench.readers.mlflow.lines import MetricLines, parse

_BYTES = 4 << 20
"""Bytes of metric lines that one call reads."""
_LONGEST_LINE = 1 << 16
_EXCERPT = 4096
_TAIL = 48
"""Bytes before a file's offset that are looked at again, to know that it is still the same file."""


def read_folder(chunk: Chunk) -> Batch:
    """Whatever the folder tells that it did not before."""
    folder = os.path.dirname(chunk.place)
    reading = _Reading(folder, chunk.state)
    facts = reading.described()
    metrics = reading.metrics()
    if metrics is None:
        return Batch(restart=True, message="a metric file was replaced; read again from the start")
    lines = sum(len(item.step) for item in metrics.values())
    rejects = tuple(reject for item in metrics.values() for reject in item.rejects)
    return Batch(
        _points(metrics), facts, rejects, accepted=lines + bool(facts), consumed=reading.taken + len(facts),
        state=reading.state, message=reading.remark, more=reading.left,
    )  # fmt: skip


class _Reading(Struct):
    """One look at a run's folder; `state` begins as the last look left it."""

    folder: str
    before: Mapping[str, Any]
    state: dict[str, Any] = field(default_factory=dict)
    taken: int = 0
    """Bytes of metric lines."""
    left: bool = False
    remark: str = ""

    def __post_init__(self) -> None:
        self.state = dict(self.before)

    def described(self) -> Sequence[Fact]:
        """What the small files say anew; nothing is taken from a `meta.yaml` that is just being written."""
        digest = folders.digest(self.folder)
        if digest == self.before.get("digest"):
            return ()
        run = folders.described(self.folder)
        if run is None:
            self.remark = "meta.yaml is empty or half written; read again when it changes"
            return ()
        known = frozenset(self.before.get("facts", ()))
        facts = {_print(fact): fact for fact in facts_of(run)}
        tags = user_tags(run.tags)
        gone = [Fact("tag", False, key) for key in self.before.get("tags", ()) if key not in tags]
        self.state |= {"digest": digest, "facts": sorted(facts), "tags": tags}
        return [*gone, *(fact for mark, fact in facts.items() if mark not in known)]

    def metrics(self) -> dict[str, MetricLines] | None:
        """Complete lines that were appended, by metric; None where a file is no longer the one that was read."""
        offsets: dict[str, Any] = dict(self.before.get("metrics", {}))
        found: dict[str, MetricLines] = {}
        place = os.path.join(self.folder, folders.METRICS)
        sizes = {item.name: item.size for item in folders.files_below(place) if len(item.name) <= LONGEST_KEY}
        for name in sorted(sizes):
            start, mark = offsets.get(name, (0, 0))
            if sizes[name] == start or self.left:
                continue
            back = min(start, _TAIL)
            data = folders.content(os.path.join(place, name), _BYTES - self.taken + back, start - back)
            if sizes[name] >= start and len(data) <= back:
                continue  # not ours to read, or gone since it was listed
            if sizes[name] < start or zlib.crc32(data[:back]) != mark:
                return None
            lines, length = _complete(data[back:], start, name, inside=back > 0 and data[back - 1] != ord("\n"))
            if not length:
                continue
            found[name] = lines
            self.taken += length
            self.left = self.taken >= _BYTES - _LONGEST_LINE
            offsets[name] = start + length, zlib.crc32(data[: back + length][-_TAIL:])
        self.state["metrics"] = offsets
        return found


def _complete(data: bytes, start: int, name: str, *, inside: bool) -> tuple[MetricLines, int]:
    """The complete lines of a stretch, and how long it is; what is too long for a line is refused piece by piece.

    `inside` means that the stretch goes on in the midst of such a line.
    """
    end = data.rfind(b"\n") + 1
    cut = data.find(b"\n") + 1 if inside else 0
    if not end and len(data) >= _LONGEST_LINE:
        end = cut = len(data)
    if not cut:
        return parse(data[:end], start, name), end
    reason = f"E103 line longer than {_LONGEST_LINE >> 10} KiB; in {name}"
    rest = parse(data[cut:end], start + cut, name)
    return replace(rest, rejects=(Reject(start, cut, reason, data[: min(cut, _EXCERPT)]), *rest.rejects)), end


def _points(metrics: Mapping[str, MetricLines]) -> Points:
    """The points of all files, each file's in its order."""
    columns = list(metrics.values()) or [parse(b"", 0, "")]
    key = np.repeat(np.arange(len(metrics), dtype=np.int32), [len(item.step) for item in metrics.values()])
    return Points(
        tuple(metrics), key, np.concatenate([item.step for item in columns]),
        np.concatenate([item.wall for item in columns]), np.concatenate([item.value for item in columns]),
        np.concatenate([item.offset for item in columns]),
    )  # fmt: skip


def _print(fact: Fact) -> int:
    """A fingerprint of what a fact says."""
    return zlib.crc32(repr((fact.kind, fact.key, fact.value)).encode("utf-8", "surrogateescape"))
