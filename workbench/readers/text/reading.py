"""One stretch of a text log: its lines in groups of equal shape, what they measure, and what they say of the run."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

import numpy as np
from msgspec.structs import replace

from workbench.core.batch import Batch, Chunk, Fact, Points
from workbench.readers.key_index import MAX_KEYS
from workbench.readers.lines import UTF16_REASON, Lines, is_utf16, split
from workbench.readers.rows import Rows
from workbench.readers.text.clean import clean
from workbench.readers.text.ends import End, Ending, find_end
from workbench.readers.text.params import LOOKED_AT, MOST, arguments, entry, pairs
from workbench.readers.text.plan import plans_of
from workbench.readers.text.shapes import Shapes, shapes_of
from workbench.readers.text.steps import Group, Place, resolve

if TYPE_CHECKING:
    from numpy.typing import NDArray

_SLURM_NAME = re.compile(r"slurm-(\d+(?:_\d+)?)")
_TOO_LONG = "lines longer than 8 KiB are read up to there"
_TOO_MANY = f"E180 more than {MAX_KEYS:,} keys in this source (is a counter in the name?)"


def read_lines(chunk: Chunk) -> Batch:
    """Read all lines of a stretch at once, by their shapes."""
    rows, lines = Rows(chunk.state, chunk.start), split(chunk)
    if is_utf16(chunk):
        for i in range(len(lines)):
            rows.refuse(int(lines.starts[i]), lines.raw(i), UTF16_REASON)
        return rows.batch(lines.consumed, {"utf16": True})
    reading = _Reading(chunk, rows, lines)
    if len(lines):
        reading.read()
    return reading.batch()


class _Reading:
    """One stretch of a text log being read."""

    def __init__(self, chunk: Chunk, rows: Rows, lines: Lines) -> None:
        self.chunk, self.rows, self.lines = chunk, rows, lines
        self.state: dict[str, Any] = dict(chunk.state.get("text", {}))
        self.facts: list[Fact] = []
        if not self.state:
            self._introduce(chunk.path)

    def _introduce(self, path: PurePath) -> None:
        """What the file's name says, once."""
        self.state["told"] = True
        self._say("console", str(path), path.name)
        if job := _SLURM_NAME.match(path.name):
            self._say("environment", job[1], "slurm_job")

    def _say(self, kind: Any, value: Any, key: str = "", *, line: int = 0, wall: float | None = None) -> None:
        offset = self.chunk.start + (int(self.lines.starts[line]) if len(self.lines) else 0)
        self.facts.append(Fact(kind, value, key, wall, offset))

    def read(self) -> None:
        cleaned = clean(self.lines)
        if cleaned.cut:
            self.rows.note(_TOO_LONG)
        shapes = shapes_of(cleaned.text)
        ending = find_end(shapes.text, shapes.line_start, shapes.line, is_open=bool(self.state.get("open")))
        groups = _outside(ending.tracebacks, list(plans_of(shapes)))
        self._preamble(shapes, groups)
        refused = self._points(shapes, groups)
        self._ending(ending, groups)
        self.rows.accept(len(self.lines) - len(refused))
        for i in refused:
            self.rows.refuse(int(self.lines.starts[i]), self.lines.raw(i), _TOO_MANY)

    def _preamble(self, shapes: Shapes, groups: Sequence[Group]) -> None:
        """Parameters from the lines before the first one that measures something."""
        if self.state.get("started"):
            return
        first = min(
            (int(rows[0]) for plan, rows in groups if plan.measures and not plan.is_setting), default=len(shapes)
        )
        self.state["started"] = first < len(shapes)
        looked = int(self.state.get("looked", 0))
        for i in range(min(first, LOOKED_AT - looked)):
            self._settings(shapes.line(i), i)
        self.state["looked"] = min(looked + first, LOOKED_AT)

    def _settings(self, raw: bytes, i: int) -> None:
        line = raw.decode("utf-8", "replace")
        if found := [*arguments(line)] or pairs(line):
            self._params(found, i)
            return
        pair, waiting = entry(line), self.state.pop("waiting", None)
        if pair is None:
            return
        if waiting is not None:
            self._params([*([tuple(waiting)] if waiting[0] else []), pair], i)
            self.state["waiting"] = ["", None]
        else:
            self.state["waiting"] = list(pair)

    def _params(self, found: Sequence[tuple[str, Any]], i: int) -> None:
        from workbench.tracking import redact

        for key, value in found:
            self.state["params"] = int(self.state.get("params", 0)) + 1
            if self.state["params"] <= MOST:
                self._say("param", redact(key, value), key, line=i)

    def _points(self, shapes: Shapes, groups: Sequence[Group]) -> list[int]:
        """Hand the points on, each group of equal lines at once; numbers of the lines that are refused."""
        started = self._measured(groups)
        steps = resolve(shapes, started, Place.load(self.state.get("place", {})))
        refused: list[int] = []
        for plan, rows in started:
            if not plan.measures:
                continue
            if not self.rows.room_for(plan.keys):
                refused += rows.tolist()
                continue
            matrix = np.column_stack([measure.values(shapes, rows) for measure in plan.measures])
            wall = plan.moment.seconds(shapes, rows) if plan.moment else np.full(len(rows), np.nan)
            self.rows.block(plan.keys, matrix, None, (steps.step[rows], wall, self.lines.starts[rows]))
        if steps.place.total not in (None, self.state.get("place", {}).get("total")):
            self._say("total_steps", steps.place.total)
        self.state["place"] = steps.place.dump()
        return refused

    def _measured(self, groups: Sequence[Group]) -> list[Group]:
        """The lines that are metrics: those of settings are only where something was measured before them."""
        if self.state.get("running"):
            return list(groups)
        first = min((int(rows[0]) for plan, rows in groups if plan.measures and not plan.is_setting), default=None)
        self.state["running"] = first is not None
        kept = []
        for plan, rows in groups:
            late = rows if not plan.is_setting else rows[rows > first] if first is not None else rows[:0]
            if len(late):
                kept.append((plan, late))
        return kept

    def _ending(self, ending: Ending, groups: Sequence[Group]) -> None:
        """Say how the run ended where nothing was measured after the sign of it, and take it back where it went on."""
        at, end = ending.at, ending.end
        self.state["open"] = ending.is_open
        last = max((int(rows[-1]) for plan, rows in groups if plan.measures), default=-1)
        wall = self.chunk.modified or None
        said: Mapping[str, str] = self.state.get("end", {})
        stands = end is not None and at > last
        if said and stands and end is not None and end.is_secondhand and last < 0:
            return
        if said and (last >= 0 or stands):
            self._say("status", "", said["reason"], wall=wall)
            self.state.pop("end")
        if stands and end is not None:
            self._conclude(end, at, wall)

    def _conclude(self, end: End, at: int, wall: float | None) -> None:
        self._say("status", end.status, end.reason, line=at, wall=wall)
        self.state["end"] = {"status": end.status, "reason": end.reason}

    def batch(self) -> Batch:
        """The batch, its points in the order of lines."""
        state = {key: value for key, value in self.state.items() if value or key == "place"}
        batch = self.rows.batch(self.lines.consumed, {"text": state})
        return replace(batch, points=_in_order(batch.points), facts=[*self.facts, *batch.facts])


def _outside(tracebacks: Sequence[range], groups: list[Group]) -> list[Group]:
    """The lines that belong to no traceback: what an exception says is no metric."""
    end = max((span.stop for span in tracebacks), default=0)
    if not end:
        return groups
    inside = np.zeros(end, np.bool_)
    for span in tracebacks:
        inside[span.start : span.stop] = True
    kept = [(plan, rows[(rows >= end) | ~inside[np.minimum(rows, end - 1)]]) for plan, rows in groups]
    return [(plan, rows) for plan, rows in kept if len(rows)]


def _in_order(points: Points) -> Points:
    """The points by line, so that of two at one step the later line's is the later one."""
    order: NDArray[np.int64] = np.argsort(points.offset, kind="stable")
    return replace(
        points, key=points.key[order], step=points.step[order], wall=points.wall[order], value=points.value[order],
        offset=points.offset[order],
    )  # fmt: skip
