"""What a reader is given and what it gives back: bytes in, columns and facts out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from msgspec import Struct, field

if TYPE_CHECKING:
    from numpy.typing import NDArray

Framing = Literal["lines", "records", "file", "path"]
"""How a source is cut: complete lines, records the reader frames itself, the file as a whole, or not at all.

`path` is for what is not one stream of bytes, a database or a folder: the reader opens `Chunk.place` itself, read-only.
"""

FactKind = Literal[
    "name", "native_id", "format", "param", "tag", "note", "started", "ended", "status", "total_steps",
    "flush_interval", "heartbeat", "stage", "artifact", "data", "summary", "environment", "hidden", "baseline",
    "group", "parent", "goal", "console",
]  # fmt: skip
"""What a fact is about; `docs` of each kind stand at `Fact`."""


class Head(Struct, frozen=True):
    """What detection may look at: the name, its neighbours, and at most 64 KiB of content."""

    path: PurePath
    data: bytes
    size: int
    siblings: frozenset[str] = frozenset()
    place: str = ""
    """Absolute path where the file itself may be opened, read-only, when its head cannot tell: tables of a database."""

    @property
    def name(self) -> str:
        """The file's own name."""
        return self.path.name

    @property
    def first_line(self) -> bytes:
        """The first complete line without its terminator, or all there is when none is complete."""
        return self.data.split(b"\n", 1)[0].rstrip(b"\r")


class Claim(Struct, frozen=True):
    """A reader's bid for a source: 0 is no, 1 is certain; the highest bid wins."""

    score: float
    why: str
    per_file_run: bool = False
    """The file is a run of its own, rather than one of several views of its folder's run."""
    native_id: str = ""
    """The run's own id, where the head tells it; formats beside it in the folder join that run."""
    many_runs: bool = False
    """The file tells of several runs, all named by their native ids; none is the file's own."""
    covers: Sequence[str] = ()
    """Glob patterns, relative to the file's folder, of files that are read through this one, or not to be read at all.

    `**` also matches sub-folders: `("metrics/**", "params/*")`.
    """
    run_folder: str = ""
    """The folder of the run, relative to the project, where the head tells it better than the path: the run of other
    formats there is this one."""
    key_suffix: str = ""
    """What the keys of the file's points then end with, since they are one curve of several in that run."""
    nearly: bool = False
    """Refused although it looks like one of the reader's files: Sources names it, and why it is not read."""


NO = Claim(0.0, "")
"""The bid of a reader that does not know the file."""


class Chunk(Struct, frozen=True):
    """A stretch of a source from byte `start` on; for lines it ends with a line's end unless `final`.

    With the framing `path`, `data` is empty and `start` counts what was consumed before, in the reader's own unit.
    """

    path: PurePath
    data: bytes
    start: int
    state: Mapping[str, Any]
    """What the reader returned as `Batch.state` for the stretch before; empty at byte 0."""
    final: bool = False
    """No more is coming: a last line without its terminator is in `data`."""
    modified: float = 0.0
    """Modification time, seconds since 1970: the time of points that carry none."""
    place: str = ""
    """Absolute path of the source, for the framing `path` alone."""


class Points(Struct, frozen=True):
    """Points as columns of one length n; keys and runs are coded, so that no string repeats.

    key: int32 index into `keys`. run: int32 index into `runs`, or None when all belong to the source's own run.
    step: int64. wall: float64 seconds since 1970, NaN where unknown. value: float64, NaN and inf allowed.
    offset: int64 byte offset of the line or record that held the point.
    """

    keys: Sequence[str]
    key: NDArray[np.int32]
    step: NDArray[np.int64]
    wall: NDArray[np.float64]
    value: NDArray[np.float64]
    offset: NDArray[np.int64]
    runs: Sequence[str] = ("",)
    run: NDArray[np.int32] | None = None

    def __len__(self) -> int:
        return len(self.value)


def no_points() -> Points:
    """Points of length 0."""
    ints, floats = np.empty(0, np.int64), np.empty(0, np.float64)
    return Points((), np.empty(0, np.int32), ints, floats, floats, ints)


class Fact(Struct, frozen=True):
    """One thing a source says about a run; the latest of a (kind, key) holds.

    kind and what `value` then is: name str · native_id str · format str · param (key) JSON scalar · tag (key) str ·
    note (key: its id) str · started, ended float seconds · status (value: "finished" or "failed" or "killed", or
    "running" to take back what was said under the same key; key: the reason in words) · total_steps int ·
    flush_interval float seconds the writer may be silent · heartbeat float seconds at which the writer promised to be
    back · stage (key: name) dict(start, end, rows, status) ·
    artifact (key: name) dict(path, bytes, sha256), the path from the project, the run's folder or the source's; for
    an image within the source itself dict(offset, length) in bytes · data (key: role) dict(path, bytes, sha256, rows) ·
    summary (key) JSON scalar · environment (key) JSON scalar · hidden bool · baseline bool · group str, the study,
    experiment or sweep it belongs to · parent str, native id of the run it is nested in · goal (key: metric) "min" or
    "max", which way the writer said is better · console str, path of a text log relative to the project.
    """

    kind: FactKind
    value: Any
    key: str = ""
    wall: float | None = None
    offset: int = 0
    run: str = ""
    """Native id of the run it is about; empty for the source's own run."""
    precedence: int = 0
    """Of facts without a time that contradict each other, the one with the higher number holds."""


class Histogram(Struct, frozen=True):
    """Counts of one key at one step: `counts` of length n stand between the n + 1 ascending `edges`."""

    key: str
    step: int
    wall: float
    edges: NDArray[np.float64]
    counts: NDArray[np.float64]
    offset: int = 0
    run: str = ""


class ConsoleLine(Struct, frozen=True):
    """A line of a run's output that its log carries inside; text logs are read in place instead."""

    text: str
    wall: float | None = None
    stream: Literal["out", "err"] = "out"
    offset: int = 0
    run: str = ""


class Reject(Struct, frozen=True):
    """A line or record that was refused, kept whole up to 4 KiB."""

    offset: int
    length: int
    reason: str
    """A code and words: `E103 line longer than 16 MiB`."""
    excerpt: bytes


class Purge(Struct, frozen=True):
    """A run was taken up again at `step`: its values at this step or later, in earlier files, are superseded."""

    step: int
    offset: int = 0
    """Byte offset of the record that says so; values before it in the same file are superseded too."""
    run: str = ""
    """Native id of the run; empty for the source's own run."""


class Batch(Struct, frozen=True):
    """What a reader made of a chunk; `accepted` and the rejects together count every line or record in it."""

    points: Points = field(default_factory=no_points)
    facts: Sequence[Fact] = ()
    rejects: Sequence[Reject] = ()
    accepted: int = 0
    """Lines or records understood, those without a point included."""
    consumed: int = 0
    """Bytes of `Chunk.data` that need not come again; record framings may leave a half record.

    With the framing `path`: how far the reader got in its own unit, rows and changed facts alike; 0 is nothing new.
    """
    state: Mapping[str, Any] = field(default_factory=dict)
    """JSON-able; comes back with the next chunk, also after a restart."""
    message: str = ""
    """A remark for Sources: 'strings read as numbers: lr'."""
    restart: bool = False
    """The reader cannot go on from here: read the source from byte 0 as a new generation."""
    purges: Sequence[Purge] = ()
    histograms: Sequence[Histogram] = ()
    console: Sequence[ConsoleLine] = ()
    more: bool = False
    """With the framing `path`: there is more to read at once; with nothing consumed, it is busy: look again soon."""
