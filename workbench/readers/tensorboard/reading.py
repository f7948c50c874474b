"""One stretch of an event file: what repeats decoded by columns, the rest event by event, in file order."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from msgspec import Struct, field

from workbench.core.batch import Batch, Chunk, Fact, Histogram, Points, Purge, Reject
from workbench.readers.histograms import compact
from workbench.readers.protobuf import WireError
from workbench.readers.tensorboard.columns import gather_columns
from workbench.readers.tensorboard.events import Event, Value, decode_event
from workbench.readers.tensorboard.facts import hparams_facts
from workbench.readers.tensorboard.layout import Columns
from workbench.readers.tensorboard.records import HEADER, LONGEST, OVERHEAD, Frames, frame, masked_crc

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from workbench.readers.tensorboard.events import Bins

_EXCERPT = 4096
_LONGEST_NOTE = 16_384
_MOST_REMEMBERED = 4096
_PLURALS = {"histogram": "histograms", "image": "images", "tensor": "tensors"}


def read_records(chunk: Chunk) -> Batch:
    """Decode the complete records of a stretch; what comes after them waits for the next."""
    skipped = min(int(chunk.state.get("skip", 0)), len(chunk.data))
    data = chunk.data[skipped:]
    reading = _Reading(chunk.start + skipped, dict(chunk.state))
    reading.state["skip"] = int(chunk.state.get("skip", 0)) - skipped
    frames = frame(data)
    columns, singles = gather_columns(data, frames)
    end = reading.events(data, frames, singles)
    points = _points(frames, columns, reading)
    done = reading.rest(data, frames, end)
    return Batch(
        points, tuple(reading.facts.values()), tuple(reading.rejects), purges=tuple(reading.purges),
        histograms=tuple(reading.histograms), consumed=skipped + done,
        accepted=int(np.searchsorted(frames.start, end)) - reading.refused,
        state={key: value for key, value in reading.state.items() if value}, message=reading.message(),
    )  # fmt: skip


class _Scalars(Struct):
    """Points of records that were decoded one by one, in file order."""

    record: list[int] = field(default_factory=list)
    key: list[int] = field(default_factory=list)
    step: list[int] = field(default_factory=list)
    wall: list[float] = field(default_factory=list)
    value: list[float] = field(default_factory=list)


class _Reading(Struct):
    """What one stretch has said so far."""

    base: int
    """Offset in the source of the stretch's first byte."""
    state: dict[str, Any]
    keys: dict[str, int] = field(default_factory=dict)
    scalars: _Scalars = field(default_factory=_Scalars)
    facts: dict[tuple[str, str], Fact] = field(default_factory=dict)
    rejects: list[Reject] = field(default_factory=list)
    purges: list[Purge] = field(default_factory=list)
    histograms: list[Histogram] = field(default_factory=list)
    refused: int = 0
    remark: str = ""

    def __post_init__(self) -> None:
        self.state["plugins"] = dict(self.state.get("plugins", {}))
        self.state["unread"] = dict(self.state.get("unread", {}))

    def events(self, data: bytes, frames: Frames, singles: NDArray[np.int64]) -> int:
        """Decode these records one by one; returns where reading stops, the end of the frames as a rule."""
        for i in singles.tolist():
            at = int(frames.start[i])
            after = at + int(frames.length[i]) + OVERHEAD
            body = data[at + HEADER : after - 4]
            if masked_crc(body) != int.from_bytes(data[after - 4 : after], "little"):
                if not data[after - 4 :].strip(b"\0"):
                    return at  # the record's end has not arrived yet
                self.refuse("E201 checksum of the record's data is wrong", data, at, after)
                continue
            try:
                self.event(decode_event(body), i, self.base + at)
            except WireError as error:
                self.refuse(f"E202 not a TensorBoard event: {error}", data, at, after)
        return frames.end

    def refuse(self, reason: str, data: bytes, at: int, after: int) -> None:
        """Keep a record that cannot be read among the rejects."""
        self.refused += 1
        self.rejects.append(Reject(self.base + at, after - at, reason, data[at : min(after, at + _EXCERPT)]))

    def event(self, event: Event, record: int, offset: int) -> None:
        """Take in one event."""
        if event.session_start:
            self.purges.append(Purge(event.step, offset))
        if any(number == 4 for number, _ in event.order):
            self.count("graphs")
        for value in event.values:
            self.value(value, event, record, offset)

    def value(self, value: Value, event: Event, record: int, offset: int) -> None:
        """Take in one value of a summary."""
        plugin = value.plugin or self.state["plugins"].get(value.tag, "")
        wall = event.wall if math.isfinite(event.wall) else None
        if value.of_session:
            self.remember(hparams_facts(value.content, wall, offset))
        elif value.kind == "scalar" and value.number is not None:
            self.scalar(value.tag, value.number.value, event, record)
        elif value.kind == "text" and plugin == "text":
            note = Fact(
                "note", value.words[:_LONGEST_NOTE], value.tag.removesuffix("/text_summary"), event.wall, offset
            )
            self.remember([note])
        elif value.bins and (value.kind == "histogram" or plugin == "histograms"):
            self.histogram(value.tag, value.bins, event, offset)
        elif value.picture is not None:
            self.picture(value.tag, *value.picture, wall, offset)
        elif value.kind != "metadata":
            self.count(plugin or _PLURALS.get(value.kind, value.kind))
        if value.plugin and value.kind != "scalar" and len(self.state["plugins"]) < _MOST_REMEMBERED:
            self.state["plugins"][value.tag] = value.plugin

    def scalar(self, tag: str, value: float, event: Event, record: int) -> None:
        """Add one point."""
        self.scalars.record.append(record)
        self.scalars.key.append(self.key(tag))
        self.scalars.step.append(event.step)
        self.scalars.wall.append(event.wall)
        self.scalars.value.append(value)

    def histogram(self, tag: str, bins: Bins, event: Event, offset: int) -> None:
        """Keep a histogram; an empty one is counted."""
        kept = compact(*bins)
        if kept is None:
            self.count("histograms")
        else:
            self.histograms.append(Histogram(tag, event.step, event.wall, *kept, offset))

    def picture(self, tag: str, at: int, length: int, wall: float | None, offset: int) -> None:
        """Remember where an image lies; the newest of a tag holds."""
        place = {"path": "", "offset": offset + HEADER + at, "length": length}
        self.remember([Fact("artifact", place, tag, wall, offset)])

    def key(self, tag: str) -> int:
        """The code of a tag."""
        return self.keys.setdefault(tag, len(self.keys))

    def remember(self, facts: Iterable[Fact]) -> None:
        """Keep facts; of several about one thing the last holds."""
        self.facts.update({(fact.kind, fact.key): fact for fact in facts})

    def count(self, what: str) -> None:
        """Count what is there but not read."""
        unread = self.state["unread"]
        what = what if what in unread or len(unread) < 32 else "others"
        unread[what] = unread.get(what, 0) + 1

    def rest(self, data: bytes, frames: Frames, end: int) -> int:
        """How much of the stretch is done with, now that `end` is reached; notes what stands in the way."""
        left = len(data) - end
        if end < frames.end or frames.rest == "zeros":
            self.remark = f"the last {left} bytes have not arrived yet"
        elif frames.rest == "damaged":
            self.remark = (
                f"damaged at byte {self.base + end}: the checksum of a record's length is wrong, and no later record "
                f"can be found without it; {left} bytes or more wait, in case the right ones arrive"
            )
        elif frames.rest == "huge":
            reason = f"E200 record of {frames.needed} bytes, longer than {LONGEST >> 20} MiB"
            self.rejects.append(Reject(self.base + end, frames.needed, reason, data[end : end + _EXCERPT]))
            self.state["skip"] = frames.needed - left
            return len(data)
        return end

    def message(self) -> str:
        """The remark for Sources."""
        unread: Mapping[str, int] = self.state["unread"]
        counts = ", ".join(f"{what} {n}" for what, n in sorted(unread.items()))
        return "; ".join(part for part in (self.remark, f"not read yet: {counts}" if counts else "") if part)


def _run_of(place: NDArray[np.int64]) -> NDArray[np.int64] | slice:
    """The places as a slice where they follow each other, which is several times faster to write to."""
    n = len(place)
    if n and place[-1] - place[0] == n - 1 and (np.diff(place) == 1).all():
        return slice(int(place[0]), int(place[0]) + n)
    return place


def _points(frames: Frames, columns: list[Columns], reading: _Reading) -> Points:
    """All points in file order: each record's place follows from how many points come before it."""
    singles = reading.scalars
    count = np.bincount(np.array(singles.record, np.int64), minlength=len(frames))
    for part in columns:
        count[part.record] = len(part.values)
    place = np.cumsum(count) - count
    n = int(count.sum())
    key, step, offset = np.empty(n, np.int32), np.empty(n, np.int64), np.empty(n, np.int64)
    wall, value = np.empty(n, np.float64), np.empty(n, np.float64)
    for part in columns:
        for slot, values in enumerate(part.values):
            codes = np.array([reading.key(tags[slot]) if tags else 0 for tags in part.tags], np.int32)
            at = _run_of(place[part.record] + slot)
            key[at], step[at], wall[at], value[at] = codes[part.template], part.step, part.wall, values
            offset[at] = frames.start[part.record]
    if singles.record:
        record = np.array(singles.record, np.int64)
        first = np.searchsorted(record, record)
        at = place[record] + np.arange(len(record)) - first
        key[at], step[at], wall[at], value[at] = singles.key, singles.step, singles.wall, singles.value
        offset[at] = frames.start[record]
    return Points(tuple(reading.keys), key, step, wall, value, offset + reading.base)
