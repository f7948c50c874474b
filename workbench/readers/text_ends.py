"""How a run ended, as its output tells: the exception of a traceback, a scheduler's word, a signal's."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_LONGEST = 300
"""Characters kept of a reason."""
_TRACEBACK = b"Traceback (most recent call last):"
_EXCEPTION = re.compile(rb"[A-Za-z_][\w.]{0,200}+(?::|$)")
_LAUNCHERS = frozenset({"ChildFailedError", "CalledProcessError", "ProcessRaisedException", "ProcessExitedException"})
_PREFIX = re.compile(rb"(?:\[?rank ?\d+\]?:? ?|\d+: )")
_CANCELLED = re.compile(
    rb"\*\*\* (?:JOB|STEP) [\w.+]{1,40} (?:ON \S{1,100} )?CANCELLED AT \S{1,40}(?: (DUE TO [A-Z ]{1,60}))?"
)


@dataclass(frozen=True, slots=True)
class End:
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


def find_end(
    text: bytes, starts: NDArray[np.int64], line: Callable[[int], bytes], open_traceback: bool
) -> tuple[int, End | None, bool]:
    """The last sign of an end in some lines: the number of its line (-1 for none), what it says, and whether a
    traceback's exception is still to come.

    `starts` are where the n lines begin in `text`, `line` gives one of them, `open_traceback` is what came before.
    """
    at, end = -1, None
    for needle, pattern, judge in _SIGNS:
        for i in _lines_with(text, starts, needle):
            verdict = judge(line(i)) if pattern.search(line(i)) else None
            if verdict is not None and i > at:
                at, end = i, End(*verdict)
    still_open = False
    heads = [-1] if open_traceback else []
    for head in heads + _lines_with(text, starts, _TRACEBACK):
        found = next((i for i in range(head + 1, len(starts)) if _is_told(line(i))), None)
        if found is None:
            still_open = True
        elif found > at and not ((told := _exception(line(found))).is_secondhand and end is not None):
            at, end = found, told
    return at, end, still_open


def _lines_with(text: bytes, starts: NDArray[np.int64], needle: bytes) -> list[int]:
    """Numbers of the lines with a text in them."""
    found: list[int] = []
    place = text.find(needle)
    while place >= 0:
        i = int(np.searchsorted(starts, place, side="right")) - 1
        found.append(i)
        place = text.find(needle, int(starts[i + 1])) if i + 1 < len(starts) else -1
    return found


def _is_told(line: bytes) -> bool:
    """Whether a line behind a traceback's head is its exception: no indented frame, and named like one."""
    bare = _PREFIX.sub(b"", line, count=1)
    return bool(_EXCEPTION.match(bare)) and not bare.startswith(_TRACEBACK[:9])


def _exception(line: bytes) -> End:
    bare = _PREFIX.sub(b"", line, count=1).decode("utf-8", "replace").strip()
    interrupted = bare.startswith("KeyboardInterrupt")
    return End("killed" if interrupted else "failed", bare[:_LONGEST])
