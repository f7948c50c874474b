"""How far reading is: a line that redraws itself on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from typing import TextIO

from workbench.core import units


class Progress:
    """Counts silently; the base of those who also say it."""

    def __init__(self) -> None:
        self.files = self.files_done = self.bytes = self.bytes_done = self.points = 0
        self.began = time.monotonic()

    def start(self, files: int, size: int) -> None:
        """A pass over some files begins."""
        self.files, self.bytes = files, size
        self.files_done = self.bytes_done = self.points = 0
        self.began = time.monotonic()

    def advance(self, size: int, points: int) -> None:
        """Some bytes were read."""
        self.bytes_done += size
        self.points += points
        self.show()

    def done_file(self) -> None:
        """One more file was read to its end."""
        self.files_done += 1
        self.show()

    def show(self, *, last: bool = False) -> None:
        """Say how far it is; the base says nothing."""

    def sentence(self) -> str:
        """`37/100 files · 12.0 MiB of 40.1 MiB · 1.2M points/s · 3 s left`."""
        seconds = max(time.monotonic() - self.began, 1e-9)
        parts = [
            f"{self.files_done}/{self.files} files",
            f"{units.size(self.bytes_done)} of {units.size(self.bytes)}",
            f"{units.count(self.points / seconds)} points/s",
        ]
        if 0 < self.bytes_done < self.bytes:
            left = (self.bytes - self.bytes_done) * seconds / self.bytes_done
            parts.append(f"{units.duration(left)} left")
        return " · ".join(parts)


class SpokenProgress(Progress):
    """Narrates on stderr: redrawn in place on a terminal, a line every few seconds elsewhere."""

    def __init__(self, stream: TextIO | None = None) -> None:
        super().__init__()
        self._stream = stream or sys.stderr
        self._terminal = self._stream.isatty()
        self._said = 0.0

    def show(self, *, last: bool = False) -> None:
        """Say how far it is, at most ten times a second on a terminal and every two seconds elsewhere."""
        now = time.monotonic()
        if not last and now - max(self._said, self.began) < (0.1 if self._terminal else 2.0):
            return
        self._said = now
        text = self.sentence()
        self._stream.write(f"\r\x1b[2K{text}" + ("\n" if last else "") if self._terminal else f"{text}\n")
        self._stream.flush()
