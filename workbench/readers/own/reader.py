"""Files of the tracking API: points by columns, everything else as facts."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any, ClassVar

import msgspec
import numpy as np

from workbench.plugin.api import Batch, Chunk, Claim, Fact, Framing, Head, Points, Reader, Reject, no_points
from workbench.readers.json.refusal import Refused
from workbench.readers.key_index import KeyIndex
from workbench.readers.lines import UTF8_BOM, Lines, is_object, split
from workbench.readers.own.records import (
    Fork,
    Log,
    Record,
    Start,
    decode_lines,
    facts_of,
    parse,
)
from workbench.tracking import FORMAT

if TYPE_CHECKING:
    from numpy.typing import NDArray

SUFFIX = ".wb.jsonl"
_BLOCK = 4096
"""Lines decoded at once; one bad line sends its block to the line-by-line path."""
_EXCERPT = 4096
_FIRST_LINE = re.compile(rb'\s*\{"v":\d+,"t":"(?:start|fork)","run":("(?:[^"\\]|\\.)*")')


class WorkbenchReader(Reader):
    """Reads what `workbench.tracking` writes, at several million points a second."""

    name: ClassVar[str] = "workbench"
    framing: ClassVar[Framing] = "lines"
    names: ClassVar[Sequence[str]] = (f"*{SUFFIX}",)

    def claim(self, head: Head) -> Claim:
        """Certain by name and first line, which tells the run's own id."""
        if not head.name.endswith(SUFFIX):
            return Claim(0.0, f"not named *{SUFFIX}")
        data = head.data.removeprefix(UTF8_BOM)
        if found := _FIRST_LINE.match(data):
            return Claim(1.0, "begins with the tracking API's first line", native_id=_text(found[1]))
        if b"\n" not in data:
            return Claim(0.0, "named like a tracking file; its first line is not complete")
        try:
            first = parse(data.split(b"\n", 1)[0])
        except Refused:
            return Claim(0.9, "named like a tracking file; its first line is damaged")
        return Claim(1.0, "named like a tracking file", native_id=getattr(first, "run", ""))

    def is_whole(self, tail: bytes) -> bool:
        """A closed object lacks nothing."""
        return is_object(tail)

    def read(self, chunk: Chunk) -> Batch:
        """Blocks of good lines at once, others one by one; every line is accepted or refused."""
        lines = split(chunk)
        gathered = _Gathered(chunk)
        for first in range(0, len(lines), _BLOCK):
            last = min(first + _BLOCK, len(lines))
            if not gathered.block(lines, first, last):
                for i in range(first, last):
                    gathered.line(lines, i)
        return gathered.batch(lines.consumed)


class _Gathered:
    """What one chunk said so far."""

    def __init__(self, chunk: Chunk) -> None:
        self._start = chunk.start
        self._keys = KeyIndex(chunk.state.get("keys", ""))
        self._message = ""
        self._columns: list[tuple[NDArray[Any], ...]] = []
        self._facts: dict[tuple[str, str], Fact] = {}
        self._rejects: list[Reject] = []
        self._accepted = 0

    def block(self, lines: Lines, first: int, last: int) -> bool:
        """Take lines `first` to `last` - 1 in at once; False if any of them needs to be looked at by itself."""
        if not _objects(lines, first, last):
            return False
        try:
            records = decode_lines(lines.stretch(first, last))
            if len(records) != last - first:
                return False
            self._take(records, lines.starts[first:last] + self._start)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, Refused):
            return False
        return True

    def line(self, lines: Lines, i: int) -> None:
        """Accept one line or refuse it."""
        raw, offset = lines.raw(i), self._start + int(lines.starts[i])
        try:
            record = parse(raw) if raw.strip() else None
            if record is None or isinstance(record, str):
                self._accepted += 1
                self._message = f"lines of kind {record!r} are not known to this version" if record else self._message
            else:
                self._take([record], np.array([offset]))
        except (Refused, RecursionError) as refused:
            cut = lines.unterminated and i == len(lines) - 1
            words = "E106 nested too deeply" if isinstance(refused, RecursionError) else str(refused)
            reason = "E101 the file ends within this line" if cut else words
            self._rejects.append(Reject(offset, len(raw), reason, raw[:_EXCERPT]))

    def _take(self, records: Sequence[Record], offsets: NDArray[np.int64]) -> None:
        """Take records in, all of them or none of their points.

        Raises:
            Refused: a value is no number, a step does not fit 64 bits, or there are too many keys.
        """
        logs: list[Log] = [record for record in records if type(record) is Log]
        facts: list[Fact] = []
        if len(logs) < len(records) or any(log.a for log in logs):
            pairs = zip(records, offsets.tolist(), strict=True)
            facts = [fact for record, offset in pairs for fact in facts_of(record, offset)]
        if len(logs) < len(records):
            offsets = offsets[np.fromiter((type(record) is Log for record in records), np.bool_, len(records))]
        self._points(logs, offsets)
        for fact in facts:
            self._state(fact)
        newer = [record.v for record in records if isinstance(record, (Start, Fork)) and record.v > FORMAT]
        if newer:
            self._message = f"written in format {newer[0]}; this version knows {FORMAT}"
        self._accepted += len(records)

    def _state(self, fact: Fact) -> None:
        """The latest of a kind and key holds, and the key of a status is its reason; a run starts only once."""
        place = fact.kind, "" if fact.kind == "status" else fact.key
        if fact.kind != "started" or place not in self._facts:
            self._facts[place] = fact

    def _points(self, logs: Sequence[Log], offsets: NDArray[np.int64]) -> None:
        values = [log.m for log in logs]
        counts = np.fromiter(map(len, values), np.int64, len(values))
        total = int(counts.sum())
        try:
            value = np.fromiter(chain.from_iterable(map(dict.values, values)), np.float64, total)
            step = np.fromiter((log.step for log in logs), np.int64, len(logs))
        except ValueError as error:
            raise Refused(f"E107 a metric that is no number: {error}") from None
        except OverflowError:
            raise Refused("E107 the step does not fit 64 bits") from None
        if refused := self._keys.admit(chain.from_iterable(values)):
            raise Refused(refused)
        key = np.fromiter(map(self._keys.codes.__getitem__, chain.from_iterable(values)), np.int32, total)
        wall = np.fromiter((log.ts for log in logs), np.float64, len(logs))
        self._columns.append(
            (key, *(np.repeat(column, counts) for column in (step, wall)), value, np.repeat(offsets, counts))
        )

    def batch(self, consumed: int) -> Batch:
        """Everything gathered."""
        points = no_points()
        if self._columns:
            key, step, wall, value, offset = map(np.concatenate, zip(*self._columns, strict=True))
            points = Points(tuple(self._keys.codes), key, step, wall, value, offset)
        packed = self._keys.packed()
        state = {"keys": packed} if packed else {}
        return Batch(
            points, tuple(self._facts.values()), self._rejects, self._accepted, consumed, state, self._message
        )  # fmt: skip


def _objects(lines: Lines, first: int, last: int) -> bool:
    """Whether every line begins and ends with a brace.

    The decoder takes any white space for the end of a line. Between such lines only an object can end, so that as many
    objects as lines then means one on each.
    """
    starts, ends = lines.starts[first:last], lines.ends[first:last]
    if not (starts < ends).all():
        return False
    return bool((lines.view[starts] == ord("{")).all() and (lines.view[ends - 1] == ord("}")).all())


def _text(quoted: bytes) -> str:
    try:
        return str(json.loads(quoted)).encode("utf-8", "replace").decode()
    except ValueError:
        return ""
