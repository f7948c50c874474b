"""How a run ended, as its output tells: the exception of a traceback, a scheduler's word, a signal's."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Literal

import numpy as np
from msgspec import Struct

if TYPE_CHECKING:
    from numpy.typing import NDArray

_LONGEST = 300
"""Characters kept of a reason."""
_TRACEBACK = b"Traceback (most recent call last):"
_EXCEPTION = re.compile(rb"(?:\w{1,60}\.){0,8}+(?:[A-Z]\w{0,100}|(?<=\.)\w{1,100})\r?(?::|$)")
_LAUNCHERS = frozenset({"ChildFailedError", "CalledProcessError", "ProcessRaisedException", "ProcessExitedException"})
_PREFIX = re.compile(rb"(?:\[?rank ?\d+\]?:? ?|\d+: )")
_CANCELLED = re.compile(
    rb"\*\*\* (?:JOB|STEP) [\w.+]{1,40} (?:ON \S{1,100} )?CANCELLED AT \S{1,40}(?: (DUE TO [A-Z ]{1,60}))?"
)


class End(Struct, frozen=True):
    """How a run ended by its output."""

    status: Literal["failed", "killed"]
    reason: str

    @property
    def is_secondhand(self) -> bool:
        """Whether it only reports that a child failed, whose own reason is worth more."""
        return self.reason.split(":")[0].rpartition(".")[2] in _LAUNCHERS


Judge = Callable[[bytes], "tuple[Literal['failed', 'killed'], str] | None"]


def _slurm(line: bytes) -> tuple[Literal["failed", "killed"], str] | None:
    if cancelled := _CANCELLED.search(line):
        why = (cancelled[1] or b"").decode().lower().strip()
        return "failed" if why else "killed", f"SLURM: cancelled {why}".rstrip()
    if b"oom" in line.lower() or b"out of memory" in line.lower():
        return "failed", "SLURM: out of memory"
    return None


def _signal(reason: str) -> Judge:
    return lambda line: ("failed", reason)


_SIGNS: Sequence[tuple[bytes, re.Pattern[bytes], Judge]] = (
    (b"slurmstepd: error:", re.compile(rb"^slurmstepd: error:"), _slurm),
    (b"srun: error:", re.compile(rb"^srun: error:.{0,200}Out Of Memory"), _slurm),
    (b"Segmentation fault", re.compile(rb"^(?:.{0,200}: )?(?:line \d+: +\d+ )?Segmentation fault"),
     _signal("segmentation fault")),
    (b"Killed", re.compile(rb"^(?:.{0,200}: line \d+: +\d+ )?Killed\b"), _signal("killed by the system (SIGKILL)")),
    (b"Bus error", re.compile(rb"^(?:.{0,200}: line \d+: +\d+ )?Bus error"), _signal("bus error")),
)  # fmt: skip


class Ending(Struct, frozen=True):
    """What some lines say of an end: the last sign's line (-1 is none) and what it says, and the lines of tracebacks.

    `is_open`: the last traceback's exception is still to come.
    """

    at: int
    end: End | None
    tracebacks: Sequence[range]
    is_open: bool


def find_end(text: bytes, starts: NDArray[np.int64], line: Callable[[int], bytes], *, is_open: bool) -> Ending:
    """Look for signs of an end in lines that begin at `starts` in `text`; `line` gives one of them.

    `is_open` says that the lines before broke off within a traceback.
    """
    at, end = -1, None
    for needle, pattern, judge in _SIGNS:
        for i in _lines_with(text, starts, needle):
            verdict = judge(line(i)) if pattern.search(line(i)) else None
            if verdict is not None and i > at:
                at, end = i, End(*verdict)
    tracebacks: list[range] = []
    open_at_end = False
    for head in ([-1] if is_open else []) + _lines_with(text, starts, _TRACEBACK):
        if tracebacks and head in tracebacks[-1]:
            continue
        last = next((i for i in range(head + 1, len(starts)) if not _is_frame(line(i))), None)
        open_at_end = last is None
        told = _exception(line(last)) if last is not None else None
        tracebacks.append(range(max(head, 0), len(starts) if last is None else last + (told is not None)))
        if told is not None and last is not None and last > at and not (told.is_secondhand and end is not None):
            at, end = last, told
    return Ending(at, end, tracebacks, open_at_end)


def _lines_with(text: bytes, starts: NDArray[np.int64], needle: bytes) -> list[int]:
    """Numbers of the lines with a text in them."""
    found: list[int] = []
    place = text.find(needle)
    while place >= 0:
        i = int(np.searchsorted(starts, place, side="right")) - 1
        found.append(i)
        place = text.find(needle, int(starts[i + 1])) if i + 1 < len(starts) else -1
    return found


def _is_frame(line: bytes) -> bool:
    """Whether a line behind a traceback's head is one of its indented frames."""
    bare = _PREFIX.sub(b"", line, count=1)
    return not bare.strip() or bare[:1].isspace()


def _exception(line: bytes) -> End | None:
    """The exception that a line names; None for a line of something else, before which the traceback broke off."""
    bare = _PREFIX.sub(b"", line, count=1)
    if not _EXCEPTION.match(bare) or bare.startswith(_TRACEBACK[:9]):
        return None
    reason = bare.decode("utf-8", "replace").strip()
    return End("killed" if reason.startswith("KeyboardInterrupt") else "failed", reason[:_LONGEST])
